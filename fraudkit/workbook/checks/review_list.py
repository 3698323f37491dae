"""A singly linked list with a front and a back: every method leaves both right."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant, Step
from fraudkit.workbook.shrink import calls


def by_python_list(steps=()):
    """The oracle: a Python list."""
    waiting: list[str] = []
    answers: list[Any] = []
    for step in steps:
        answer: Any = None
        if step.method == "add_first":
            waiting.insert(0, *step.args)
        elif step.method == "add_last":
            waiting.append(*step.args)
        elif step.method == "reverse":
            waiting.reverse()
        elif step.method == "cases":
            answer = list(waiting)
        else:
            answer = step.args[0] in waiting
            if answer:
                waiting.remove(step.args[0])
        answers.append(answer)
    return answers


def agree(got: Any, expected: Any, case: Case) -> str:
    """What add and reverse return does not matter."""
    if isinstance(got, list | tuple) and len(got) == len(expected):
        silent = ("add_first", "add_last", "reverse")
        got = [None if step.method in silent else mine for step, mine in zip(case.steps, got, strict=True)]
    return exact(got, expected, case)


def _steps(text: str) -> tuple[Step, ...]:
    """Steps in short: <a adds first, >a adds last, -a removes, ~ reverses, ? asks for the cases."""
    kinds = {"<": "add_first", ">": "add_last", "-": "remove", "~": "reverse", "?": "cases"}
    return tuple(Step(kinds[word[0]], (word[1:],) if word[1:] else ()) for word in text.split())


def _drawn(rng: np.random.Generator, n: int, cases_count: int) -> tuple[Step, ...]:
    marks = rng.choice(list("<>>--~?"), n)
    return _steps(" ".join(f"{m}c{rng.integers(cases_count)}" if m in "<>-" else str(m) for m in marks) + " ?")


def cases(rng: np.random.Generator) -> list[Case]:
    """Lists of none, one and two first, and what follows a removal or a turn; then drawn uses."""
    found = [
        Case("three cases, one removed", steps=_steps(">c1 >c2 >c3 ? -c2 ?")),
        Case("an empty list", steps=_steps("? -c1 ~ ?"), why="nothing to remove, nothing to turn round"),
        Case("first and last", steps=_steps("<b >c <a >d ?")),
        Case("added first, then last", steps=_steps("<a >b ?"), why="the first node is the front and the back"),
        Case(
            "last again after the last was removed",
            steps=_steps(">a >b -b >c ?"),
            why="the back has to move to the node before, or the next case is linked behind a removed one",
        ),
        Case(
            "removed down to nothing", steps=_steps(">a -a ? >b <c ?"), why="then the list is empty: no front, no back"
        ),
        Case("the first removed", steps=_steps(">a >b -a ? <c ?"), why="the front moves to the next node"),
        Case(
            "a case that waits twice", steps=_steps(">a >b >a -a ? -a ? -a ?"), why="the first entry only, at each call"
        ),
        Case("turned round and added to", steps=_steps(">a >b >c ~ >d <e ?"), why="front and back change places"),
        Case("turned twice", steps=_steps(">a >b >c ~ ~ ?")),
        Case("one case turned", steps=_steps(">a ~ >b ?")),
        Case("nobody of this name", steps=_steps(">a >b -x ?"), why="False, and the list stays as it is"),
    ]
    for n, names in ((25, 3), (60, 6), (150, 12)):
        found.append(Case(f"{n} calls", steps=_drawn(rng, n, names)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """n cases added behind each other."""
    steps = [*(Step("add_last", (f"c{number}",)) for number in rng.permutation(n)), Step("reverse"), Step("cases")]
    return Case(f"{n} cases", steps=tuple(steps))


class WithDummy:
    """Accepted: pairs [case, next] behind a dummy, which saves the case of the first one."""

    def __init__(self):
        self.dummy = [None, None]
        self.tail = self.dummy

    def add_first(self, case):
        self.dummy[1] = [case, self.dummy[1]]
        if self.tail is self.dummy:
            self.tail = self.dummy[1]

    def add_last(self, case):
        self.tail[1] = [case, None]
        self.tail = self.tail[1]

    def remove(self, case):
        pair = self.dummy
        while pair[1]:
            if pair[1][0] == case:
                if pair[1] is self.tail:
                    self.tail = pair
                pair[1] = pair[1][1]
                return True
            pair = pair[1]
        return False

    def reverse(self):
        pair, self.dummy[1], self.tail = self.dummy[1], None, self.dummy
        while pair:
            following = pair[1]
            self.add_first(pair[0])
            pair = following

    def cases(self):
        out, pair = [], self.dummy[1]
        while pair:
            out += [pair[0]]
            pair = pair[1]
        return out


class LinkedNumbers:
    """Accepted: entries numbered, linked both ways by two maps; reversing swaps the two."""

    def __init__(self):
        self.what, self.after, self.before, self.number = {}, {0: 0}, {0: 0}, 0

    def _insert(self, left, right, case):
        self.number += 1
        self.what[self.number] = case
        self.after[left] = self.before[right] = self.number
        self.before[self.number], self.after[self.number] = left, right

    def add_first(self, case):
        self._insert(0, self.after[0], case)

    def add_last(self, case):
        self._insert(self.before[0], 0, case)

    def _walk(self):
        entry = self.after[0]
        while entry:
            yield entry
            entry = self.after[entry]

    def remove(self, case):
        entry = next((e for e in self._walk() if self.what[e] == case), 0)
        if entry:
            self.after[self.before[entry]] = self.after[entry]
            self.before[self.after[entry]] = self.before[entry]
        return entry > 0

    def reverse(self):
        self.after, self.before = self.before, self.after

    def cases(self):
        return [self.what[entry] for entry in self._walk()]


EXERCISE = Exercise(
    id="review_list",
    title="A linked list of reviews",
    minutes=20,
    difficulty="easy",
    feeds="06",
    week="1-2",
    function="ReviewList",
    hints=(
        "A node holds a case and the node behind it; the list holds its first and its last node. Draw none, one and two.",
        "To take a node out you need the one before it: walk with two names. If the node was the first or the last, "
        "the list's own links have to move too.",
        "To turn the list round, walk once and let each node point to the one before; save its link first. "
        "The old front is the new back.",
    ),
    cases=cases,
    expect=by_python_list,
    agree=agree,
    mutants=(
        Mutant(
            "back-not-moved-at-removal",
            "The last case was removed, but the back still points at it, so the next `add_last` is lost.",
            swaps=(("if node is self._back:", "if before is None and node is self._back:"),),
        ),
        Mutant(
            "back-lost-when-turned",
            "After `reverse` the back is still the old one, which is now the front. They change places.",
            swaps=(
                (
                    "self._back, node, ahead = self._front, self._front, None",
                    "node, ahead = self._front, None",
                ),
            ),
        ),
        Mutant(
            "back-not-set-by-add-first",
            "The first case came by `add_first`, and the back stayed empty. A single node is the front and the back.",
            swaps=(("        self._back = self._back or self._front\n", ""),),
        ),
        Mutant(
            "all-entries-removed",
            "All entries of the case were removed. Only the first one goes.",
            swaps=(
                (
                    "            self._back = before\n        return True",
                    "            self._back = before\n        self.remove(case)\n        return True",
                ),
            ),
        ),
        Mutant(
            "last-entry-removed",
            "The entry at the back was removed. The first one, counted from the front, is asked for.",
            swaps=(
                (
                    "        before, node = None, self._front\n        while node is not None and node.case != case:",
                    "        if case in self.cases():\n"
                    "            self.reverse()\n"
                    "            found = self._first_out(case)\n"
                    "            self.reverse()\n"
                    "            return found\n"
                    "        return False\n\n"
                    "    def _first_out(self, case):\n"
                    "        before, node = None, self._front\n"
                    "        while node is not None and node.case != case:",
                ),
            ),
        ),
        Mutant(
            "front-not-moved-at-removal",
            "The first case could not be removed: the front still points at it.",
            swaps=(("self._front = node.behind\n", "pass\n"),),
        ),
        Mutant(
            "nothing-told",
            "`remove` does not say whether there was such a case.",
            swaps=(("            return False\n        if before", "            return None\n        if before"),),
        ),
        Mutant(
            "walks-to-the-back",
            "The list is right, but `add_last` walks from the front to the back each time. Keep the back.",
            swaps=(
                (
                    "        node = Node(case)\n        if self._back is None:",
                    "        node = Node(case)\n"
                    "        self._back = self._front\n"
                    "        while self._back is not None and self._back.behind is not None:\n"
                    "            self._back = self._back.behind\n"
                    "        if self._back is None:",
                ),
            ),
        ),
    ),
    accepted=(WithDummy, LinkedNumbers),
    growth=Growth(large, n=700, says="`add_last` walks through the whole list. Keep a link to the last node."),
    shrink=calls(),
)
