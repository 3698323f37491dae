"""Two sorted streams in one: ties to the first, the tail kept, what both hold once."""

from __future__ import annotations

import heapq

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_stable_sort(first, second):
    """The oracle: a stable sort of one list behind the other, without the second's repeats."""
    return sorted([*first, *(event for event in second if list(first).count(event) == 0)], key=lambda event: event[0])


def _streams(rng: np.random.Generator, n: int, m: int, span: int) -> tuple[list, list]:
    """Two streams; a third of the second's events are the first's."""

    def stream(length: int, letter: str) -> list[tuple[int, str]]:
        times = np.sort(rng.integers(0, span, length)).tolist()
        return [(moment, f"{letter}{number}") for moment, number in zip(times, rng.permutation(length), strict=True)]

    first, second = stream(n, "a"), stream(m, "b")
    shared = [first[i] for i in np.sort(rng.choice(n, n // 3, replace=False))]
    return first, [*heapq.merge(second, shared, key=lambda event: event[0])]


def cases(rng: np.random.Generator) -> list[Case]:
    """Ties, tails and repeats first, then drawn streams."""
    found = [
        Case("one after the other in turn", ([(1, "a"), (4, "b")], [(2, "x"), (6, "y")])),
        Case(
            "a first stream that goes on longer",
            ([(1, "a"), (7, "b"), (8, "c")], [(2, "x")]),
            why="the tail belongs to it",
        ),
        Case("a second stream that goes on longer", ([(1, "a")], [(2, "x"), (5, "y"), (6, "z")])),
        Case("no events in the first", ([], [(1, "x"), (2, "y")])),
        Case("no events in the second", ([(1, "a")], [])),
        Case("no events at all", ([], [])),
        Case(
            "the same second",
            ([(5, "m"), (5, "k")], [(5, "b"), (5, "a")]),
            why="those of `first` come before those of `second`, in their own order",
        ),
        Case("an event in both", ([(1, "a"), (3, "b")], [(3, "b"), (4, "c")]), why="what both hold comes once"),
        Case(
            "an event in both, others in between",
            ([(5, "a"), (5, "b"), (5, "c")], [(5, "x"), (5, "a"), (5, "y")]),
            why="a repeat need not stand beside the event that it repeats",
        ),
        Case("the same id at another time", ([(1, "a")], [(2, "a")]), why="another time makes it another event"),
        Case("another id at the same time", ([(1, "a")], [(1, "b")])),
    ]
    for n, m, span in ((15, 10, 20), (40, 20, 15), (60, 60, 200)):
        found.append(Case(f"{n} and about {m} events", _streams(rng, n, m, span)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """Two streams of about n events."""
    return Case(f"twice {n} events", _streams(rng, n, n, 3 * n))


def heads_compared(first, second):
    """Accepted: the two heads compared; a set of the first's events of the current second."""
    out, now = [], (None, set())
    i = j = 0
    while i < len(first) or j < len(second):
        if j >= len(second) or (i < len(first) and first[i][0] <= second[j][0]):
            time, name = first[i]
            now = (time, now[1] | {name} if now[0] == time else {name})
            out.append((time, name))
            i += 1
        else:
            time, name = second[j]
            if not (now[0] == time and name in now[1]):
                out.append((time, name))
            j += 1
    return out


def library_merge(first, second):
    """Accepted: heapq.merge, which prefers the first of its inputs on ties, and a dict that keeps the first of equals."""
    ordered = heapq.merge(map(tuple, first), map(tuple, second), key=lambda event: event[0])
    return list(dict.fromkeys(ordered))


EXERCISE = Exercise(
    id="merge_streams",
    title="Two event streams into one",
    minutes=10,
    difficulty="easy",
    feeds="12",
    week="1-2",
    hints=(
        "Which two events can be the next one? Both lists are sorted already.",
        "Before each event of `second`, take all events of `first` that are not later. Whatever is left of `first` follows.",
        "A set of the events of `first` tells which ones of `second` to leave out; the tuple itself is the key.",
    ),
    cases=cases,
    expect=by_stable_sort,
    agree=exact,
    mutants=(
        Mutant(
            "tail-lost",
            "What is left of `first` when `second` is at its end is missing.",
            swaps=(("return merged + first[i:]", "return merged"),),
        ),
        Mutant(
            "ties-to-the-second",
            "At the same time the events of `second` came first. Those of `first` do: take them while they are not later.",
            swaps=(("first[i][0] <= event[0]", "first[i][0] < event[0]"),),
        ),
        Mutant(
            "repeats-beside-each-other-only",
            "An event was left out only if it equals the one just before it. Others of the same second may stand between.",
            swaps=(("if event not in known:", "if not merged or event != merged[-1]:"),),
        ),
        Mutant(
            "same-id-is-the-same-event",
            "An event was left out because its id had come at another time. Time and id together make an event.",
            swaps=(
                ("known = set(first)", "known = {name for _, name in first}"),
                ("if event not in known:", "if event[1] not in known:"),
            ),
        ),
        Mutant(
            "repeats-kept",
            "Events that both streams hold came twice.",
            swaps=(("if event not in known:", "if True:"),),
        ),
        Mutant(
            "sorted-by-id-too",
            "Events of the same time were sorted by their ids. They stay in the order of their stream, `first` before "
            "`second`.",
            swaps=(("return merged + first[i:]", "return sorted(merged + first[i:])"),),
        ),
        Mutant(
            "list-searched",
            "The answer is right, but each event of the second stream is searched in the whole first one. Ask a set.",
            swaps=(("known = set(first)", "known = first"),),
        ),
    ),
    accepted=(heads_compared, library_merge),
    growth=Growth(
        large,
        n=1_500,
        limit=10.0,
        says="One stream is searched for every event of the other. Walk both once, and ask a set.",
    ),
    shrink=lists(0, 1, noun="events"),
)
