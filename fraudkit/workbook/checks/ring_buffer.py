"""A bounded memory of amounts: what is forgotten, in which order it is read, before and after it is full."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step
from fraudkit.workbook.shrink import calls


def by_remembering_all(capacity, steps=()):
    """The oracle: every amount is kept, and the last ones are cut out of the list."""
    everything: list[Any] = []
    answers: list[Any] = []
    for step in steps:
        held = everything[max(len(everything) - capacity, 0) :]
        if step.method == "add":
            answers.append(held[0] if len(held) == capacity else None)
            everything.append(step.args[0])
        elif step.method == "latest":
            answers.append(held[::-1][: step.args[0]])
        else:
            answers.append(len(held))
    return answers


def _adds(amounts: Any) -> tuple[Step, ...]:
    return tuple(Step("add", (amount,)) for amount in amounts)


def _latest(*ks: int) -> tuple[Step, ...]:
    return tuple(Step("latest", (k,)) for k in ks)


COUNT = Step("count")


def _drawn(rng: np.random.Generator, n: int) -> tuple[Step, ...]:
    steps = []
    for _ in range(n):
        draw = rng.random()
        if draw < 0.7:
            steps.append(Step("add", (int(rng.integers(1, 500)),)))
        else:
            steps.append(COUNT if draw < 0.8 else Step("latest", (int(rng.integers(0, 9)),)))
    return tuple(steps)


def cases(rng: np.random.Generator) -> list[Case]:
    """Half full, full, wrapped around; then drawn uses."""
    found = [
        Case("three amounts in a ring of two", (2,), steps=(*_adds([10, 20, 30]), *_latest(1, 2), COUNT)),
        Case("nothing yet", (3,), steps=(COUNT, *_latest(2)), why="an empty ring holds nothing, not empty places"),
        Case(
            "not full yet",
            (4,),
            steps=(*_adds([7, 8]), *_latest(4, 1), COUNT),
            why="of a ring that is not full only what was added is read",
        ),
        Case(
            "just full",
            (3,),
            steps=(*_adds([1, 2, 3]), COUNT, *_latest(3), *_adds([4])),
            why="a full ring still has all",
        ),
        Case(
            "none of them", (2,), steps=(*_adds([5, 6, 7]), *_latest(0)), why="k = 0 asks for nothing; list[-0:] is all"
        ),
        Case("more than there are", (3,), steps=(*_adds([1, 2, 3, 4]), *_latest(9)), why="then all of them"),
        Case("room for one", (1,), steps=(*_adds([4, 5, 6]), *_latest(1), COUNT)),
        Case("twice around", (3,), steps=(*_adds(range(10, 18)), *_latest(2, 3), COUNT), why="the newest first"),
        Case("amounts of zero", (2,), steps=(*_adds([0, 0, 5, 0]), *_latest(2)), why="0 is an amount like any other"),
        Case("no room", (0,), steps=(), raises="ValueError"),
        Case(
            "fewer than none",
            (2,),
            steps=(*_adds([1]), *_latest(-1)),
            raises="ValueError",
            why="-1 is no number of amounts",
        ),
    ]
    for n, capacity in ((30, 3), (60, 5), (120, 8)):
        found.append(Case(f"{n} calls, room for {capacity}", (capacity,), steps=_drawn(rng, n)))
    return found


class WithDeque:
    """Accepted: the library's bounded queue."""

    def __init__(self, capacity):
        from collections import deque

        if not capacity > 0:
            raise ValueError("no room")
        self.line = deque(maxlen=capacity)

    def add(self, amount):
        oldest = self.line[0] if len(self.line) == self.line.maxlen else None
        self.line.append(amount)
        return oldest

    def latest(self, k):
        if k < 0:
            raise ValueError("negative")
        return list(self.line)[::-1][:k]

    def count(self):
        return len(self.line)


class NumberedSlots:
    """Accepted: amounts numbered from 0 on; number i lies in slot i modulo capacity."""

    def __init__(self, capacity):
        if capacity <= 0:
            raise ValueError(capacity)
        self.room, self.total, self.slot = capacity, 0, {}

    def add(self, amount):
        where = self.total % self.room
        before, self.slot[where] = self.slot.get(where), amount
        self.total += 1
        return before

    def latest(self, k):
        if k < 0:
            raise ValueError(k)
        oldest = max(self.total - self.room, self.total - k, 0)
        return [self.slot[number % self.room] for number in range(self.total - 1, oldest - 1, -1)]

    def count(self):
        return min(self.total, self.room)


EXERCISE = Exercise(
    id="ring_buffer",
    title="The last amounts in a ring",
    minutes=12,
    difficulty="easy",
    feeds="06",
    week="1-2",
    function="RecentAmounts",
    hints=(
        "Nothing has to move when the oldest amount goes: its place can be overwritten.",
        "A list of fixed length, the position that is written next, and how many amounts there are. The position wraps "
        "around with `%`.",
        "The newest stands one before the next position, modulo the capacity; go backwards from there, `count` steps at most.",
    ),
    cases=cases,
    expect=by_remembering_all,
    agree=exact,
    mutants=(
        Mutant(
            "oldest-first",
            "The amounts came out in the order in which they were added. The newest comes first.",
            swaps=(
                ("for back in range(1, min(k, self._count) + 1)]", "for back in range(min(k, self._count), 0, -1)]"),
            ),
        ),
        Mutant(
            "empty-places-read",
            "Places that were never filled were read as well. As long as the ring is not full, stop at the count.",
            swaps=(("min(k, self._count)", "min(k, len(self._slots))"),),
        ),
        Mutant(
            "newest-dropped-when-full",
            "A full ring refused the new amount. It is the oldest that has to go.",
            swaps=(
                (
                    "        forgotten = self._slots[self._next]\n",
                    "        if self._count == len(self._slots):\n            return amount\n"
                    "        forgotten = self._slots[self._next]\n",
                ),
            ),
        ),
        Mutant(
            "counted-without-end",
            "The count went on growing when the ring was full. It holds `capacity` amounts at most.",
            swaps=(
                ("min(self._count + 1, len(self._slots))", "self._count + 1"),
                ("min(k, self._count)", "min(k, self._count, len(self._slots))"),
            ),
        ),
        Mutant(
            "one-place-lost",
            "The ring holds one amount less than its capacity. Full and empty look alike only without a count.",
            swaps=(("self._slots = [None] * capacity", "self._slots = [None] * max(capacity - 1, 1)"),),
        ),
        Mutant(
            "zero-is-all",
            "`latest(0)` returned all amounts, as a slice from -0 does. It asks for none.",
            swaps=(("min(k, self._count)", "min(k or self._count, self._count)"),),
        ),
        Mutant(
            "forgotten-not-told",
            "`add` did not return the amount that was forgotten for the new one.",
            swaps=(("return forgotten", "return None"),),
        ),
        Mutant(
            "begins-at-the-next",
            "Reading began at the place that is written next, which holds the oldest amount or none. "
            "The newest stands one before it.",
            swaps=(("for back in range(1, min(k, self._count) + 1)]", "for back in range(min(k, self._count))]"),),
        ),
    ),
    accepted=(WithDeque, NumberedSlots),
    shrink=calls(),
)
