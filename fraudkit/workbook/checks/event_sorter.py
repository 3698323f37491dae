"""Events handed on in order of event time, up to a watermark: late ones, ties, and the end of the stream."""

from __future__ import annotations

import math
from bisect import bisect_right, insort
from typing import Any

import numpy as np

from fraudkit.workbook.agree import brief
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant, Step
from fraudkit.workbook.shrink import calls


def table_scanned(lateness, steps=()):
    """The oracle: a table of all events with their state, scanned and sorted anew at each call."""
    table: list[list[Any]] = []  # time, name, state
    answers: list[Any] = []

    def gone(until: float) -> list[str]:
        rows = sorted((row for row in table if row[2] == "waits" and row[0] <= until), key=lambda row: row[0])
        for row in rows:
            row[2] = "gone"
        return [row[1] for row in rows]

    for step in steps:
        if step.method == "late":
            answers.append([row[1] for row in table if row[2] == "late"])
        elif step.method == "flush":
            answers.append(gone(math.inf))
        else:
            moment, name = step.args
            before = max((row[0] - lateness for row in table if row[2] != "late"), default=-math.inf)
            table.append([moment, name, "late" if moment < before else "waits"])
            answers.append(gone(max(before, moment - lateness)))
    return answers


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same names at the same calls."""
    if not isinstance(got, list | tuple) or len(got) != len(expected):
        return f"the answer is {brief(got)}"
    for place, (step, mine, right) in enumerate(zip(case.steps, got, expected, strict=True)):
        call = f"call {place + 1}, {step.method}({', '.join(map(repr, step.args))})"
        if not isinstance(mine, list | tuple | np.ndarray):
            return f"{call}, returned {brief(mine)}, expected a list of names"
        if list(mine) != right:
            return f"{call}, returned {brief(list(mine))}, expected {brief(right)}"
    return ""


def _pushes(*events: tuple[int, str]) -> tuple[Step, ...]:
    """All events, then the end of the stream and the late ones."""
    return (*(Step("push", event) for event in events), Step("flush"), Step("late"))


def _random_steps(rng: np.random.Generator, size: int, disorder: int) -> tuple[Step, ...]:
    """Events of which most arrive a little late and some much."""
    times = np.arange(size) * 3 - rng.integers(0, disorder + 1, size) - 40 * (rng.random(size) < 0.06)
    names = [f"e{number:03d}" for number in rng.permutation(size).tolist()]
    steps = [Step("push", event) for event in zip(times.tolist(), names, strict=True)]
    middle = size // 2
    return (*steps[:middle], Step("late"), *steps[middle:], Step("flush"), Step("late"))


def cases(rng: np.random.Generator) -> list[Case]:
    """In order and out of it, the borders of the watermark, ties, the end, then random streams."""
    found = [
        Case("no event", (10,), steps=(Step("flush"), Step("late"))),
        Case("in order", (10,), steps=_pushes((100, "a"), (105, "b"), (110, "c"), (130, "d"))),
        Case(
            "out of order",
            (10,),
            steps=_pushes((100, "a"), (95, "b"), (108, "c"), (112, "d"), (104, "e"), (125, "f")),
            why="what waits goes by event time, not by arrival",
        ),
        Case(
            "exactly at the watermark",
            (10,),
            steps=_pushes((100, "a"), (110, "b"), (100, "c"), (99, "d")),
            why="at the watermark an event goes, and one that arrives with just this time is not too late; one below is",
        ),
        Case(
            "several go at once",
            (10,),
            steps=_pushes((100, "a"), (101, "b"), (102, "c"), (200, "d")),
            why="one event may let many go",
        ),
        Case(
            "an older event comes",
            (10,),
            steps=_pushes((100, "a"), (120, "b"), (111, "c"), (112, "d"), (121, "e")),
            why="the watermark follows the greatest time so far and never goes back",
        ),
        Case(
            "the same time",
            (5,),
            steps=_pushes((100, "z"), (100, "a"), (100, "m"), (110, "b")),
            why="at the same time the order of arrival counts, not the name",
        ),
        Case(
            "too late",
            (5,),
            steps=(
                Step("push", (100, "a")), Step("push", (90, "b")), Step("late"), Step("push", (120, "c")),
                Step("push", (80, "d")), Step("flush"), Step("late"),
            ),
            why="what is too late never goes, not even at the end, and is reported",
        ),
        Case(
            "no lateness",
            (0,),
            steps=_pushes((10, "a"), (10, "b"), (9, "c"), (12, "d"), (11, "e")),
            why="with lateness 0 the newest goes at once",
        ),
        Case(
            "events after a flush",
            (10,),
            steps=(
                *_pushes((100, "a"), (103, "b")), Step("flush"), Step("push", (95, "c")), Step("push", (80, "d")),
                Step("push", (120, "e")), Step("flush"), Step("late"),
            ),
            why="what was flushed waits no more, and the watermark is where it was",
        ),
        Case("the first event lies before zero", (10,), steps=_pushes((-500, "a"), (-495, "b"), (-480, "c"))),
        Case("a negative lateness", (-1,), steps=(Step("flush"),), raises="ValueError"),
    ]  # fmt: skip
    for size, disorder, lateness in ((20, 8, 10), (60, 20, 15), (80, 30, 30)):
        found.append(Case(f"{size} events, lateness {lateness}", (lateness,), steps=_random_steps(rng, size, disorder)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """n events of which about half wait at a time, to see how time grows."""
    times = (np.arange(n) - rng.integers(0, n // 2, n)).tolist()
    return Case(f"{n} events", (n // 2,), steps=tuple(Step("push", (moment, "e")) for moment in times))


class SortedWaiting:
    """Accepted: what waits in a list that is kept in order; a binary search finds how many may go."""

    def __init__(self, lateness):
        if not lateness >= 0:
            raise ValueError("lateness must be 0 or more")
        self.allowed, self.newest = lateness, None
        self.queue: list = []
        self.missed: list = []

    def push(self, event_time, name):
        """Take one event; names of those that may go now."""
        if self.newest is not None and event_time + self.allowed < self.newest:
            self.missed.append(name)
            return []
        insort(self.queue, (event_time, name), key=lambda event: event[0])
        if self.newest is None or event_time > self.newest:
            self.newest = event_time
        count = bisect_right(self.queue, self.newest - self.allowed, key=lambda event: event[0])
        ready = [event[1] for event in self.queue[:count]]
        del self.queue[:count]
        return ready

    def flush(self):
        """The names of all that still wait, in order."""
        rest, self.queue = self.queue, []
        return [name for _, name in rest]

    def late(self):
        """Names of the events that were too late."""
        return self.missed.copy()


class ByMoment:
    """Accepted: a dictionary from time to the names of that time, and a heap of the times alone."""

    def __init__(self, lateness):
        if lateness < 0:
            raise ValueError(lateness)
        self.lateness = lateness
        self.names: dict = {}
        self.times: list = []
        self.too_late: list = []
        self.mark = None

    def push(self, event_time, name):
        """Take one event; names of those that may go now."""
        from heapq import heappush

        if self.mark is not None and self.mark > event_time:
            self.too_late += [name]
            return []
        if event_time in self.names:
            self.names[event_time].append(name)
        else:
            self.names[event_time] = [name]
            heappush(self.times, event_time)
        candidate = event_time - self.lateness
        self.mark = candidate if self.mark is None else max(candidate, self.mark)
        return self._until(self.mark)

    def _until(self, limit):
        from heapq import heappop

        ready: list = []
        while self.times:
            if limit is not None and self.times[0] > limit:
                break
            ready.extend(self.names.pop(heappop(self.times)))
        return ready

    def flush(self):
        """The names of all that still wait, in order."""
        return self._until(None)

    def late(self):
        """Names of the events that were too late."""
        return tuple(self.too_late)


EXERCISE = Exercise(
    id="event_sorter",
    function="EventSorter",
    title="Replay in order behind a watermark",
    minutes=25,
    difficulty="medium",
    feeds="05",
    week="1-2",
    hints=(
        "Of all that wait you only ever need the oldest. Which structure has it at hand?",
        "The heap's entries need something between time and name, or equal times are ordered by name.",
        "First compare with the old watermark (too late?), then put it in, then raise the watermark, then release in a loop.",
    ),
    cases=cases,
    expect=table_scanned,
    agree=agree,
    mutants=(
        Mutant(
            "watermark-of-the-latest",
            "The watermark followed the event that came last, so an older event moved it back. It follows the greatest "
            "time so far.",
            swaps=(
                (
                    "self._watermark = max(self._watermark, event_time - self._lateness)",
                    "self._watermark = event_time - self._lateness",
                ),
            ),
        ),
        Mutant(
            "below-the-watermark-only",
            "An event exactly at the watermark was kept back. It goes at or below it.",
            swaps=(("self._waiting[0][0] <= until", "self._waiting[0][0] < until"),),
        ),
        Mutant(
            "at-the-watermark-too-late",
            "An event exactly at the watermark was taken to be too late. Only below it is.",
            swaps=(("if event_time < self._watermark:", "if event_time <= self._watermark:"),),
        ),
        Mutant(
            "late-ones-released",
            "An event below the watermark was handed on, and the order broken. It never goes.",
            swaps=(("return []", "return [name]"),),
        ),
        Mutant(
            "late-ones-forgotten",
            "Events that were too late vanished without a trace. Remember them for late().",
            swaps=(("self._late.append(name)", "pass"),),
        ),
        Mutant(
            "one-at-a-time",
            "For each event at most one was released. One event may let many go.",
            swaps=(
                (
                    "while self._waiting and self._waiting[0][0] <= until:",
                    "if self._waiting and self._waiting[0][0] <= until:",
                ),
            ),
        ),
        Mutant(
            "ties-by-name",
            "Events of the same time were ordered by name. The order of arrival counts.",
            swaps=(("(event_time, self._arrived, name)", "(event_time, name, name)"),),
        ),
        Mutant(
            "no-lateness",
            "The watermark was the greatest time itself, so whatever comes a little later is lost. Subtract the lateness.",
            swaps=(("event_time - self._lateness)", "event_time)"),),
        ),
        Mutant(
            "order-of-arrival",
            "What waits was handed on in order of arrival. The oldest by event time goes first.",
            swaps=(
                ("(event_time, self._arrived, name)", "(self._arrived, event_time, name)"),
                ("self._waiting[0][0] <= until", "self._waiting[0][1] <= until"),
            ),
        ),
        Mutant(
            "flush-keeps",
            "What was flushed still waited and came out again.",
            swaps=(
                (
                    "return self._go(math.inf)",
                    "return [name for _, _, name in sorted(self._waiting)]",
                ),
            ),
        ),
        Mutant(
            "flush-moves-the-watermark",
            "After a flush everything older than what was flushed was too late. The watermark stays where it was.",
            swaps=(
                (
                    "return self._go(math.inf)",
                    "self._watermark = max([self._watermark, *(event[0] for event in self._waiting)])\n"
                    "        return self._go(math.inf)",
                ),
            ),
        ),
    ),
    accepted=(SortedWaiting, ByMoment),
    growth=Growth(
        case=large,
        n=2000,
        says="With each event everything that waits is searched or sorted again. Keep what waits in a heap.",
    ),
    shrink=calls(),
)
