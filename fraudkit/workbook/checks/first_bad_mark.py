"""Nested spans by a stack: crossing, closing nothing, and never closed are told apart."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_crossing_out(marks):
    """The oracle: for growing beginnings of the log, cross out neighbours begin-end of one name until none is left."""

    def rest(part):
        part = list(part)
        while hits := [i for i in range(len(part) - 1) if [k for k, _ in part[i : i + 2]] == ["begin", "end"]]:
            i = hits[0]
            if part[i][1] != part[i + 1][1]:
                break
            del part[i : i + 2]
        return part

    for stop in range(1, len(marks) + 1):
        if any(kind == "end" for kind, _ in rest(marks[:stop])):
            return stop - 1
    return len(marks) if rest(marks) else -1


def _log(rng: np.random.Generator, n: int) -> list[tuple[str, str]]:
    """A well nested log of n spans with few names."""
    marks, stack, begun = [], [], 0
    while begun < n or stack:
        if begun < n and (not stack or rng.random() < 0.55):
            stack.append(f"s{rng.integers(0, 4)}")
            marks.append(("begin", stack[-1]))
            begun += 1
        else:
            marks.append(("end", stack.pop()))
    return marks


def _spoilt(rng: np.random.Generator, n: int) -> list[tuple[str, str]]:
    """A log in which the end of one span carries another name."""
    marks = _log(rng, n)
    ends = [i for i, (kind, _) in enumerate(marks) if kind == "end" and i > n // 2]
    where = ends[int(rng.integers(len(ends)))]
    marks[where] = ("end", "s9" if rng.random() < 0.3 else f"s{(int(marks[where][1][1:]) + 1) % 4}")
    return marks


def _m(text: str) -> list[tuple[str, str]]:
    """Marks in short: "(a (b )b )a"."""
    return [("begin" if word[0] == "(" else "end", word[1:]) for word in text.split()]


def cases(rng: np.random.Generator) -> list[Case]:
    """One kind of mistake each first, then drawn logs, whole and spoilt."""
    found = [
        Case("one within another", (_m("(a (b )b )a"),)),
        Case("an empty log", ([],)),
        Case("spans that cross", (_m("(a (b )a )b"),), why="b was begun last and is still open: a cannot end yet"),
        Case("left open", (_m("(a (b )b"),), why="nothing is wrong before the end of the log: its length"),
        Case("an end without a begin", (_m("(a )a )b (c )c"),), why="nothing is open that it could close"),
        Case("an end first", (_m(")a (a )a"),), why="nothing is open yet, so nothing can be taken off the stack"),
        Case("another name", (_m("(a (b )c )a"),), why="the innermost span is b"),
        Case("the same name within itself", (_m("(a (a )a (a )a )a"),), why="spans of the same name may nest"),
        Case("one after the other", (_m("(a )a (b )b (a )a"),)),
        Case("crossing later", (_m("(a )a (a (b (c )b )c )a"),), why="the first end that closes no innermost span"),
        Case("nothing but begins", (_m("(a (b (c"),)),
    ]
    found.append(Case("30 spans", (_log(rng, 30),)))
    found += [Case(f"{n} spans, one spoilt", (_spoilt(rng, n),)) for n in (20, 35)]
    found.append(Case("25 spans, the last mark missing", (_log(rng, 25)[:-1],)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """n spans, one within another."""
    names = [f"s{number}" for number in rng.permutation(n)]
    return Case(f"{n} spans", ([("begin", name) for name in names] + [("end", name) for name in reversed(names)],))


def linked_spans(marks):
    """Accepted: the open spans linked from the inside out, each with the one around it."""
    inner = None  # (name, the span around it)
    i = 0
    while i < len(marks):
        kind, name = marks[i]
        if kind == "begin":
            inner = (name, inner)
        else:
            if inner is None or inner[0] != name:
                return i
            inner = inner[1]
        i += 1
    return -1 if inner is None else i


def partner_of_each(marks):
    """Accepted: depth of each mark; an end belongs to the latest begin of its depth, if the names agree."""
    latest, depth = {}, 0
    for i, mark in enumerate(marks):
        if mark[0] == "end":
            if latest.get(depth) != mark[1]:
                return i
            del latest[depth]
            depth -= 1
        else:
            depth += 1
            latest[depth] = mark[1]
    return -1 if depth == 0 else len(marks)


EXERCISE = Exercise(
    id="first_bad_mark",
    title="Spans that nest",
    minutes=8,
    difficulty="easy",
    feeds="09",
    week="1-2",
    hints=(
        "Which of the open spans may end next? Only one, and it is the one that was begun last.",
        "Keep the names of the open spans in a list used as a stack: append at a begin, pop at an end.",
        "Before you pop, see whether there is anything to pop. After the loop, see whether anything is left.",
    ),
    cases=cases,
    expect=by_crossing_out,
    agree=exact,
    mutants=(
        Mutant(
            "names-counted",
            "Begins and ends of each name were counted, so spans that cross were accepted. Only the innermost may end.",
            swaps=(
                (
                    "elif not open_spans or open_spans.pop() != name:\n            return position",
                    "elif name not in open_spans:\n            return position\n        else:\n"
                    "            open_spans.remove(name)",
                ),
            ),
        ),
        Mutant(
            "only-the-depth",
            "The names were not compared: any end closed any span.",
            swaps=(
                ("elif not open_spans or open_spans.pop() != name:", "elif not open_spans or not open_spans.pop():"),
            ),
        ),
        Mutant(
            "open-spans-forgotten",
            "Spans that were never ended were accepted. After the last mark none may be open.",
            swaps=(("len(marks) if open_spans else -1", "-1"),),
        ),
        Mutant(
            "pop-from-empty",
            "An end came while nothing was open, and the pop failed. Look first whether the stack holds anything.",
            swaps=(("elif not open_spans or open_spans.pop() != name:", "elif open_spans.pop() != name:"),),
        ),
        Mutant(
            "first-begun-first-ended",
            "The span begun first was closed. That is a queue; spans nest, so the one begun last ends first.",
            swaps=(("open_spans.pop() != name", "open_spans.pop(0) != name"),),
        ),
        Mutant(
            "where-the-open-span-began",
            "For spans left open you return where the outermost began. The length of the log is asked for.",
            swaps=(
                (
                    "return len(marks) if open_spans else -1",
                    "depth = 0\n"
                    "    for position, (kind, _) in enumerate(marks):\n"
                    "        depth += 1 if kind == 'begin' else -1\n"
                    "        if kind == 'begin' and depth == 1:\n"
                    "            outer = position\n"
                    "    return outer if open_spans else -1",
                ),
            ),
        ),
    ),
    accepted=(linked_spans, partner_of_each),
    growth=Growth(
        large,
        n=2_500,
        limit=10.0,
        says="The open spans are searched at every end. Only the last one begun can be meant: pop it.",
    ),
    shrink=lists(0, noun="marks"),
)
