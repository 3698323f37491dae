"""First and last payment of many time ranges: two borders by binary search, right among equal times."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import first_of, lists, rows


def by_looking_at_all(event_time, starts, ends):
    """The oracle: every payment is compared with every range."""
    answers = []
    for start, end in zip(starts, ends, strict=True):
        inside = [i for i, moment in enumerate(event_time) if start <= moment <= end]
        answers.append((inside[0], inside[-1]) if inside else (-1, -1))
    return answers


def _ranges(rng: np.random.Generator, span: int, q: int) -> tuple[list[int], list[int]]:
    start = rng.integers(-3, span + 3, q)
    return start.tolist(), (start + rng.integers(0, span // 3, q)).tolist()


def cases(rng: np.random.Generator) -> list[Case]:
    """Equal times and borders first, then drawn ranges."""
    times = [10, 20, 20, 20, 35, 50]
    found = [
        Case("a range with payments inside", (times, [15], [40])),
        Case(
            "equal times at both ends",
            (times, [20, 20], [20, 34]),
            why="the first and the last of equal times, not any of them",
        ),
        Case("borders that are payments", (times, [10, 35], [35, 50]), why="both ends belong to the range"),
        Case("between two payments", (times, [21, 11], [34, 19]), why="no payment lies there: (-1, -1)"),
        Case("before all and after all", (times, [1, 51], [9, 99])),
        Case("everything", (times, [0], [100])),
        Case("no payments", ([], [1], [2])),
        Case("no ranges", (times, [], [])),
        Case("one payment", ([7], [7, 8, 1], [7, 9, 6])),
        Case("a start behind its end", (times, [40], [39]), raises="ValueError"),
        Case("a missing end", (times, [1, 2], [3]), raises="ValueError"),
    ]
    for n, span, q in ((15, 12, 10), (40, 100, 15), (120, 60, 20)):
        moments = np.sort(rng.integers(0, span, n)).tolist()
        found.append(Case(f"{q} ranges of {n} payments", (moments, *_ranges(rng, span, q))))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """As many ranges as payments, and many payments at the same time."""
    moments = np.sort(np.where(rng.random(n) < 0.5, n // 2, rng.integers(0, n, n))).tolist()
    start = rng.integers(0, n // 2, n)
    return Case(f"{n} ranges of {n} payments", (moments, start.tolist(), (start + n // 2).tolist()))


def with_bisect(event_time, starts, ends):
    """Accepted: the library's two borders."""
    if len(starts) != len(ends):
        raise ValueError(f"{len(starts)} starts and {len(ends)} ends")
    answers = []
    for a, b in zip(starts, ends, strict=True):
        if b < a:
            raise ValueError(f"range {a}..{b} runs backwards")
        left, right = bisect_left(event_time, a), bisect_right(event_time, b) - 1
        answers.append([left, right] if left <= right else [-1, -1])
    return answers


def searched_at_once(event_time, starts, ends):
    """Accepted: all borders in two vectorised searches."""
    starts, ends = np.asarray(starts, dtype=float), np.asarray(ends, dtype=float)
    if starts.shape != ends.shape or (ends < starts).any():
        raise ValueError("ranges do not fit")
    pairs = np.column_stack([np.searchsorted(event_time, starts), np.searchsorted(event_time, ends, side="right") - 1])
    pairs[pairs[:, 0] > pairs[:, 1]] = -1
    return [tuple(pair) for pair in pairs.tolist()]


EXERCISE = Exercise(
    id="payments_in_time",
    title="First and last payment in a time range",
    minutes=12,
    difficulty="easy",
    feeds="05",
    week="1-2",
    hints=(
        "Search for a border instead of a value: the first position whose time is not below the moment.",
        "Keep true all the time: before `low` all times are smaller, from `high` on none is. Stop when they meet.",
        "The last payment up to `end` stands one before the first payment after `end`. "
        "Where the two borders meet, the range is empty.",
    ),
    cases=cases,
    expect=by_looking_at_all,
    agree=exact,
    mutants=(
        Mutant(
            "last-is-one-behind",
            "The second position is the one behind the last payment. Take one off.",
            swaps=(("(first, behind - 1)", "(first, behind)"),),
        ),
        Mutant(
            "any-of-equals",
            "The search ends at any of several equal times. Go on to the left until the first of them is found.",
            swaps=(
                (
                    "if event_time[middle] < moment:",
                    "if event_time[middle] == moment:\n                return middle\n"
                    "            if event_time[middle] < moment:",
                ),
            ),
        ),
        Mutant(
            "end-left-out",
            "Payments exactly at the end were left out. Both ends belong to the range.",
            swaps=(("first_from(end + 1)", "first_from(end)"),),
        ),
        Mutant(
            "start-left-out",
            "Payments exactly at the start were left out. Both ends belong to the range.",
            swaps=(("first_from(start)", "first_from(start + 1)"),),
        ),
        Mutant(
            "empty-not-seen",
            "A range without payments got the positions of its borders, with the first behind the last. Say (-1, -1).",
            swaps=(("(first, behind - 1) if first < behind else (-1, -1)", "(first, behind - 1)"),),
        ),
        Mutant(
            "last-position-never-tried",
            "The search begins with `high` on the last payment and so never says that all are before the moment.",
            swaps=(("low, high = 0, len(event_time)", "low, high = 0, max(len(event_time) - 1, 0)"),),
        ),
    ),
    accepted=(with_bisect, searched_at_once),
    growth=Growth(
        large, n=1_500, says="Payments are looked at one by one. Halve the list for each border, among equal times too."
    ),
    shrink=first_of(rows(1, 2, noun="ranges"), lists(0, noun="payments")),
)
