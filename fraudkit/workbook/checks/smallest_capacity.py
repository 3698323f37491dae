"""Binary search on the answer: the least hourly capacity that handles every arrival in time."""

from __future__ import annotations

from bisect import bisect_left
from collections import deque

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def every_stretch(arrivals, patience):
    """The oracle: a formula. What arrives in hours i to j needs handling within j - i + 1 + patience hours."""
    counts = [int(count) for count in arrivals]
    needed = 0
    for first in range(len(counts)):
        total = 0
        for last in range(first, len(counts)):
            total += counts[last]
            needed = max(needed, -(-total // (last - first + 1 + patience)))
    return needed


def cases(rng: np.random.Generator) -> list[Case]:
    """Waves and quiet hours, the borders of patience, then random days."""
    found = [
        Case("a wave at the end, as a list", ([10, 0, 0, 20], 1)),
        Case("a wave at the end, more patience", (np.array([10, 0, 0, 20]), 3)),
        Case("nothing arrives", (np.array([0, 0, 0]), 2), why="a desk of 0 is enough"),
        Case("no hours", (np.array([], dtype=int), 2)),
        Case("no patience", (np.array([3, 9, 4]), 0), why="with patience 0 everything is handled in its own hour"),
        Case(
            "one wave",
            (np.array([10]), 3),
            why="what arrives in hour 0 may be handled in the hours 0, 1, 2 and 3: four hours, and 10 / 4 rounded up",
        ),
        Case(
            "a quiet night before the wave",
            (np.array([0, 0, 0, 0, 0, 12, 12]), 1),
            why="capacity that an hour does not use is lost; it cannot be saved for the wave",
        ),
        Case(
            "waves that run into each other",
            (np.array([8, 8, 8, 8, 8, 0, 0]), 1),
            why="what is left of one wave delays the next: no hour may be looked at alone",
        ),
        Case(
            "a small wave behind a large one",
            (np.array([20, 1, 1, 1, 0, 0, 0]), 2),
            why="a backlog is fine as long as all of it is young enough",
        ),
        Case("a single payment", (np.array([0, 1, 0]), 5)),
        Case("a negative count", (np.array([3, -1, 4]), 1), raises="ValueError"),
        Case("negative patience", (np.array([3, 1, 4]), -1), raises="ValueError"),
    ]
    for hours, patience, busiest in ((12, 2, 30), (24, 4, 500), (48, 1, 100), (60, 6, 1_000)):
        wave = rng.random(hours) < 0.3
        counts = np.where(wave, rng.integers(busiest // 2, busiest + 1, hours), rng.integers(0, busiest // 8, hours))
        found.append(Case(f"{hours} hours, patience {patience}", (counts, patience)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """n hours of which the last few are the busiest: whatever capacity is tried, only they tell whether it is enough."""
    quiet, busy = rng.integers(0, n // 8, n - 6), rng.integers(n // 2, n, 6)
    return Case(f"{n} hours", (np.concatenate([quiet, busy]), 3))


def queue_of_hours(arrivals, patience):
    """Accepted: bisect over the capacities; the check keeps a queue of what is left of each hour."""
    hours = list(map(int, arrivals))
    if patience < 0 or (hours and min(hours) < 0):
        raise ValueError("negative")

    def in_time(capacity):
        line: deque = deque()
        for hour in range(len(hours) + patience + 1):
            if hour < len(hours) and hours[hour]:
                line.append([hour, hours[hour]])
            room = capacity
            while line and room:
                handled = min(room, line[0][1])
                room -= handled
                line[0][1] -= handled
                if not line[0][1]:
                    line.popleft()
            if line and line[0][0] + patience <= hour:
                return False
        return True

    return bisect_left(range(sum(hours) + 1), True, key=in_time)


def cumulative(arrivals, patience):
    """Accepted: arrays; what is handled by hour t is at least what had arrived `patience` hours before."""
    numbers = np.asarray(arrivals, dtype=np.int64)
    if patience < 0 or (numbers < 0).any():
        raise ValueError("negative")
    padded = np.concatenate([numbers, np.zeros(patience, dtype=np.int64)])
    arrived = padded.cumsum()
    due = np.concatenate([np.zeros(patience, dtype=np.int64), arrived[: len(padded) - patience]])
    below, enough = -1, int(numbers.max(initial=0))
    hours = np.arange(1, len(padded) + 1)
    while enough - below > 1:
        capacity = (below + enough) // 2
        before = np.concatenate([[0], arrived[:-1]]) - capacity * (hours - 1)
        lost = np.minimum.accumulate(np.minimum(before, arrived - capacity * hours))
        handled = np.minimum(arrived, capacity * hours + lost)
        if (handled >= due).all():
            enough = capacity
        else:
            below = capacity
    return enough


EXERCISE = Exercise(
    id="smallest_capacity",
    title="The smallest review desk that keeps its promise",
    minutes=25,
    difficulty="medium",
    feeds="11",
    week="1-2",
    hints=(
        "Do not compute the capacity: ask whether a given one is enough. If it is, what about a larger one?",
        "Halve between 0 and the busiest hour. For the check walk through the hours with a backlog that never falls "
        "below 0.",
        "The oldest are handled first, so the backlog consists of the youngest. Compare it with what arrived in the "
        "hours whose deadline is not over.",
    ),
    cases=cases,
    expect=every_stretch,
    agree=exact,
    mutants=(
        Mutant(
            "mean-of-the-hours",
            "The mean per hour was taken. Payments come in waves, and quiet hours do not help those who wait now.",
            swaps=(("return low", "return -(-sum(counts) // (len(counts) + patience)) if counts else 0"),),
        ),
        Mutant(
            "busiest-hour",
            "The busiest hour was taken. With patience a wave may be handled over several hours.",
            swaps=(("return low", "return max(counts, default=0)"),),
        ),
        Mutant(
            "idle-hours-saved",
            "Unused capacity of quiet hours was saved for later. It is lost: the backlog never falls below 0.",
            swaps=(("max(backlog + new - capacity, 0)", "backlog + new - capacity"),),
        ),
        Mutant(
            "one-hour-too-many",
            "The deadline was taken to be an hour later. With patience 0 a payment is handled in the hour it arrives.",
            swaps=(
                ("too_old = hour - patience", "too_old = hour - patience - 1"),
                ("range(len(counts) + patience)", "range(len(counts) + patience + 1)"),
            ),
        ),
        Mutant(
            "the-hour-itself-not-counted",
            "The hour of arrival was not counted as one in which the payment can be handled.",
            swaps=(
                ("too_old = hour - patience", "too_old = hour - max(patience - 1, 0)"),
                ("range(len(counts) + patience)", "range(len(counts) + max(patience - 1, 0))"),
            ),
        ),
        Mutant(
            "empty-at-each-deadline",
            "The whole desk had to be empty from time to time. A backlog is fine while all in it are young enough.",
            swaps=(("if backlog > recent:", "if backlog > recent - new and hour >= patience:"),),
        ),
        Mutant(
            "largest-that-fails",
            "The greatest capacity that is not enough was returned. Keep the invariant that the upper end suffices, "
            "and return it.",
            swaps=(("return low", "return max(low - 1, 0)"),),
        ),
        Mutant(
            "stops-with-the-last-arrival",
            "The simulation ended with the last hour of arrivals, so nobody looked whether the last wave is handled.",
            swaps=(("range(len(counts) + patience)", "range(len(counts))"),),
        ),
        Mutant(
            "negative-taken",
            "Negative arrivals or patience were taken. Raise ValueError.",
            swaps=(("if patience < 0 or any(count < 0 for count in counts):", "if False:"),),
        ),
    ),
    accepted=(queue_of_hours, cumulative),
    growth=Growth(
        case=large,
        n=1000,
        says="Capacities are tried one after the other, or all stretches of hours are added up. Whether a capacity is enough is "
        "monotone: halve, and check each in one walk through the hours.",
    ),
    shrink=lists(0, noun="hours"),
)
