"""The median of a stream by two heaps: even and odd numbers, equal amounts, any order of arrival."""

from __future__ import annotations

import math
import statistics
from bisect import insort
from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant, Step
from fraudkit.workbook.shrink import calls


def all_sorted(steps=()):
    """The oracle: `statistics.median` of everything so far."""
    kept: list[float] = []
    answers: list[Any] = []
    for step in steps:
        if step.method == "update":
            kept.append(step.args[0])
            answers.append(None)
        else:
            answers.append(float(statistics.median(kept)) if kept else math.nan)
    return answers


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same medians; what `update` returns does not matter."""
    if not isinstance(got, list | tuple) or len(got) != len(expected):
        return difference(got, expected, 0.0, 0.0)
    updates = 0
    for step, mine, right in zip(case.steps, got, expected, strict=True):
        updates += step.method == "update"
        if step.method == "median" and (
            reason := difference(mine, right, 1e-12, 1e-9, f"median() after {updates} amounts")
        ):
            return reason
    return ""


def _each(values: Any) -> tuple[Step, ...]:
    """The median before the first and after every amount."""
    steps = [Step("median")]
    for value in np.asarray(values).tolist():
        steps += [Step("update", (value,)), Step("median")]
    return tuple(steps)


def cases(rng: np.random.Generator) -> list[Case]:
    """Nothing, one, even and odd, rising and falling, equal ones, then random streams."""
    found = [
        Case("nothing yet", steps=(Step("median"),), why="no amount has no median: NaN"),
        Case("one amount", steps=_each([20])),
        Case("two amounts", steps=_each([20, 900]), why="of an even number it is the mean of the two middle ones"),
        Case("the last one is the smallest", steps=_each([20, 900, 5]), why="the median is the middle one by size"),
        Case("rising", steps=_each([1, 2, 4, 8, 16, 32]), why="all that come are larger: some have to change sides"),
        Case("falling", steps=_each([32, 16, 8, 4, 2, 1]), why="all that come are smaller: some have to change sides"),
        Case("one hotel bill", steps=_each([20, 25, 30, 4_000, 22]), why="the median is not moved by one large amount"),
        Case(
            "equal amounts",
            steps=_each([7, 7, 9, 9, 9, 9]),
            why="equal amounts count as often as they came",
        ),
        Case("refunds", steps=_each([-30, 10, -20, 5, -30]), why="amounts may be negative"),
        Case(
            "asked twice",
            steps=(*(Step("update", (value,)) for value in (3, 1, 2)), Step("median"), Step("median"), Step("median")),
            why="asking changes nothing",
        ),
        Case("cents as fractions", steps=_each([0.1, 0.4, 0.2, 0.3])),
        Case("NaN", steps=(Step("update", (math.nan,)),), raises="ValueError", why="NaN has no place in any order"),
        Case("infinite", steps=(Step("update", (math.inf,)),), raises="ValueError"),
    ]
    amounts = np.round(rng.lognormal(3.0, 1.2, 40) * 100).astype(int)
    found.append(Case("40 amounts in cents", steps=_each(amounts)))
    found.append(Case("60 amounts, many of them equal", steps=_each(rng.integers(-5, 12, 60))))
    waves = np.concatenate([np.sort(rng.integers(0, 500, 25)), np.sort(rng.integers(0, 500, 25))[::-1]])
    found.append(Case("up and down", steps=_each(waves)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """n amounts, asked after each, to see how time grows."""
    steps = []
    for value in rng.integers(0, 10**9, n).tolist():
        steps += [Step("update", (value,)), Step("median")]
    return Case(f"{n} amounts", steps=tuple(steps))


class SortedList:
    """Accepted: a list that is kept in order by binary insertion."""

    def __init__(self):
        self.ordered: list = []

    def update(self, amount):
        """Take one finite number."""
        if amount != amount or abs(amount) == float("inf"):
            raise ValueError("not finite")
        insort(self.ordered, amount)

    def median(self):
        """The median so far, NaN when there is none."""
        count = len(self.ordered)
        if count == 0:
            return float("nan")
        middle = count // 2
        return float(self.ordered[middle] if count % 2 else (self.ordered[middle - 1] + self.ordered[middle]) / 2)


class BySide:
    """Accepted: two heaps, the newcomer sent to its side by comparison, and the balance mended afterwards."""

    def __init__(self):
        self.small, self.large, self.centre = [], [], None

    def update(self, amount):
        """Take one finite number."""
        from heapq import heappop, heappush

        if math.isnan(amount) or math.isinf(amount):
            raise ValueError(amount)
        if self.centre is None:
            self.centre = amount
            return
        if amount < self.centre:
            heappush(self.small, -amount)
        else:
            heappush(self.large, amount)
        if len(self.small) > len(self.large):
            heappush(self.large, self.centre)
            self.centre = -heappop(self.small)
        elif len(self.large) > len(self.small) + 1:
            heappush(self.small, -self.centre)
            self.centre = heappop(self.large)

    def median(self):
        """The median so far, NaN when there is none."""
        if self.centre is None:
            return math.nan
        if len(self.large) == len(self.small):
            return self.centre
        return 0.5 * (self.centre + self.large[0])


EXERCISE = Exercise(
    id="running_median",
    function="RunningMedian",
    title="The median of a stream of amounts",
    minutes=20,
    difficulty="medium",
    feeds="05",
    week="1-2",
    hints=(
        "Split the amounts into a smaller and a larger half. Which one of each half does the median need?",
        "Two heaps: the smaller half with its largest on top (negated, as `heapq` has the smallest on top), the larger "
        "half with its smallest on top.",
        "Send each newcomer through the lower heap into the upper one; when the upper one is larger, its top goes back.",
    ),
    cases=cases,
    expect=all_sorted,
    agree=agree,
    mutants=(
        Mutant(
            "lower-of-the-two",
            "Of an even number the smaller of the two middle ones was returned. Their mean is asked for.",
            swaps=(("return (self._upper[0] - self._lower[0]) / 2", "return float(-self._lower[0])"),),
        ),
        Mutant(
            "upper-of-the-two",
            "Of an even number the larger of the two middle ones was returned. Their mean is asked for.",
            swaps=(("return (self._upper[0] - self._lower[0]) / 2", "return float(self._upper[0])"),),
        ),
        Mutant(
            "sign-forgotten",
            "The smaller half is kept negated, and the sign was not turned back when its largest was read.",
            swaps=(("return float(-self._lower[0])", "return float(self._lower[0])"),),
        ),
        Mutant(
            "halves-not-in-order",
            "The halves were filled in turn, without comparing: the smaller half then holds large amounts too. Send "
            "each newcomer through the lower heap into the upper one.",
            swaps=(
                (
                    "largest_below = -heapq.heappushpop(self._lower, -amount)\n"
                    "        heapq.heappush(self._upper, largest_below)\n"
                    "        if len(self._upper) > len(self._lower):\n"
                    "            heapq.heappush(self._lower, -heapq.heappop(self._upper))",
                    "if len(self._upper) < len(self._lower):\n"
                    "            heapq.heappush(self._upper, amount)\n"
                    "        else:\n"
                    "            heapq.heappush(self._lower, -amount)",
                ),
            ),
        ),
        Mutant(
            "by-the-mean-of-the-tops",
            "Of an odd number the mean of both tops was returned. The middle one is the top of the larger half in number.",
            swaps=(("if len(self._lower) > len(self._upper):", "if not self._upper:"),),
        ),
        Mutant(
            "order-of-arrival",
            "The one in the middle by arrival was taken. The middle one by size is asked for.",
            swaps=(
                (
                    "largest_below = -heapq.heappushpop(self._lower, -amount)\n"
                    "        heapq.heappush(self._upper, largest_below)",
                    "self._upper.append(amount)",
                ),
                (
                    "heapq.heappush(self._lower, -heapq.heappop(self._upper))",
                    "self._lower.insert(0, -self._upper.pop(0))",
                ),
            ),
        ),
        Mutant(
            "mean-instead",
            "The mean was returned. One large amount moves it, the median hardly.",
            swaps=(
                (
                    "if len(self._lower) > len(self._upper):",
                    "return float(sum(self._upper) - sum(self._lower)) / (len(self._upper) + len(self._lower))\n"
                    "        if len(self._lower) > len(self._upper):",
                ),
            ),
        ),
        Mutant(
            "equal-ones-once",
            "An amount that was there already was dropped. Equal amounts count as often as they came.",
            swaps=(
                (
                    "largest_below = -heapq.heappushpop(self._lower, -amount)",
                    "if amount in self._upper or -amount in self._lower:\n            return\n"
                    "        largest_below = -heapq.heappushpop(self._lower, -amount)",
                ),
            ),
        ),
        Mutant(
            "nan-taken",
            "NaN and infinities were taken. NaN breaks the order of a heap without a word: raise ValueError.",
            swaps=(("if not math.isfinite(amount):", "if False:"),),
        ),
    ),
    accepted=(SortedList, BySide),
    growth=Growth(
        case=large,
        n=1500,
        says="Everything is sorted or searched again for each median. Keep two halves in heaps.",
    ),
    shrink=calls(),
)
