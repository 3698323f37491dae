"""Page-Hinkley: rises only, from the lowest point, with a mean of its own after each restart."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def from_the_definition(values, delta, threshold, min_count):
    """The oracle: at each value, means and sums of the whole piece since the restart, in exact fractions."""
    numbers = [Fraction(float(value)) for value in values]
    alarms, start = [], 0
    sums: list[Fraction] = []
    for stop in range(1, len(numbers) + 1):
        piece = numbers[start:stop]
        sums.append((sums[-1] if sums else 0) + piece[-1] - sum(piece) / len(piece) - Fraction(delta))
        if len(piece) >= min_count and sums[-1] - min(sums) > Fraction(threshold):
            alarms.append(stop - 1)
            start, sums = stop, []
    return alarms


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones."""
    found = [
        Case("a rise", ([1, 1, 1, 1, 3, 3, 3, 3], 0.0, 2.0, 2)),
        Case("a fall", ([3.0, 3.0, 3.0, 3.0, 1.0, 1.0, 1.0, 1.0], 0.0, 2.0, 2), why="only a rise is an alarm"),
        Case(
            "a fall, then a rise",
            ([4.0, 4.0, 4.0, 0.0, 0.0, 0.0, 6.0, 6.0, 6.0], 0.0, 4.0, 1),
            why="the climb counts from the lowest point, not from 0",
        ),
        Case("exactly at the threshold", ([0.0, 0.0, 0.0, 4.0], 0.0, 3.0, 1), why="the excess of 3 is not above 3"),
        Case(
            "a rise within the allowance",
            ([2.0, 2.0, 2.0, 2.5, 2.5, 2.5, 2.5, 2.5], 0.5, 0.25, 2),
            why="delta is a rise that nobody minds",
        ),
        Case(
            "two rises",
            (np.array([0.0, 0, 0, 0, 4, 4, 4, 4, 4, 4, 4, 9, 9, 9, 9.0]), 0.0, 4.0, 3),
            why="after an alarm it starts anew, and the new level is the normal one",
        ),
        Case(
            "too early to say",
            ([0.0, 8.0, 8.0, 0.0, 0.0], 0.0, 2.0, 4),
            why="the first values say little of the mean; min_count holds back",
        ),
        Case(
            "the count starts anew",
            ([0.0, 0, 0, 9, 0, 9, 0, 0, 0, 0, 9.0], 0.25, 3.0, 4),
            why="min_count holds after each restart",
        ),
        Case(
            "the value that makes the difference",
            ([0.0, 0.0, 0.0, 0.0, 3.0, 3.0, 3.0], 0.0, 2.75, 1),
            why="the mean includes the newest value: the first 3 lies 2.4 above it, not 3",
        ),
        Case("nothing moves", ([5.0] * 6, 0.0, 0.5, 1)),
        Case("an empty stream", ([], 0.1, 1.0, 1)),
        Case(
            "a value is NaN",
            ([1.0, math.nan, 2.0], 0.0, 1.0, 1),
            raises="ValueError",
            why="one NaN would silence the test for ever",
        ),
        Case("an infinite value", ([1.0, math.inf], 0.0, 1.0, 1), raises="ValueError"),
        Case("delta below 0", ([1.0, 2.0], -0.1, 1.0, 1), raises="ValueError"),
        Case("a threshold of 0", ([1.0, 2.0], 0.0, 0.0, 1), raises="ValueError"),
        Case("min_count of 0", ([1.0, 2.0], 0.0, 1.0, 0), raises="ValueError"),
    ]
    for n, rise in ((40, 3.0), (120, 1.5)):
        values = rng.normal(10, 1, n) + rise * (np.arange(n) >= n // 2) - 2 * rise * (np.arange(n) >= 3 * n // 4)
        found.append(Case(f"{n} days", (values, 0.2, 5.0, 5)))
    steps = np.repeat(rng.permutation([0.0, 3.0, 5.0, 9.0, 12.0]), 15)
    found.append(Case("75 days of five levels", (steps + rng.normal(0, 0.7, 75), 0.1, 4.0, 4)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of size n in which nothing happens."""
    return Case(f"{n} values", (rng.random(n).tolist(), 0.5, 1e6, 30))


def piece_by_piece(values, delta, threshold, min_count):
    """Accepted: vectorised over what is left, once for each alarm."""
    x = np.array(values, dtype=float)
    if not np.isfinite(x).all():
        raise ValueError("not finite")
    if delta < 0 or threshold <= 0 or min_count < 1:
        raise ValueError("a parameter is out of range")
    alarms, start = [], 0
    while start < len(x):
        piece = x[start:]
        order = np.arange(1, len(piece) + 1)
        m = np.cumsum(piece - np.cumsum(piece) / order - delta)
        hits = np.flatnonzero((m - np.minimum.accumulate(m) > threshold) & (order >= min_count))
        if not len(hits):
            break
        alarms.append(start + int(hits[0]))
        start = alarms[-1] + 1
    return alarms


def climb_only(values, delta, threshold, min_count):
    """Accepted: only the climb from the lowest point is kept, which never falls below 0."""
    numbers = [float(value) for value in values]
    if any(number - number != 0 for number in numbers) or min(delta, min_count - 1) < 0 or threshold <= 0:
        raise ValueError("bad values or parameters")
    found = []
    total, seen, climb = 0.0, 0, 0.0
    for i, number in enumerate(numbers):
        total, seen = total + number, seen + 1
        step = number - total / seen - delta
        climb = max(0.0, climb + step) if seen > 1 else 0.0
        if climb > threshold and seen >= min_count:
            found.append(i)
            total, seen, climb = 0.0, 0, 0.0
    return found


EXERCISE = Exercise(
    id="page_hinkley",
    title="The Page-Hinkley test",
    minutes=15,
    difficulty="medium",
    feeds="11",
    week="7-8",
    hints=(
        "What does the running sum of (value - mean - delta) do while nothing changes, and what after a rise?",
        "How far has it climbed from its lowest point since the restart? Four numbers are enough to know that.",
    ),
    cases=cases,
    expect=from_the_definition,
    agree=exact,
    mutants=(
        Mutant(
            "both-directions",
            "A fall raised an alarm as well. Fewer declines are no reason to wake somebody; test for a rise only.",
            swaps=(("excess - lowest > threshold", "max(excess - lowest, abs(excess)) > threshold"),),
        ),
        Mutant(
            "from-zero",
            "The sum was compared with 0, not with its lowest point. After a quiet time a rise has to make up for all of it first.",
            swaps=(("excess - lowest > threshold", "excess > threshold"),),
        ),
        Mutant(
            "falls-instead",
            "The distance to the highest point was taken: that finds falls.",
            swaps=(
                ("lowest = min(lowest, excess)", "lowest = max(-lowest if lowest == math.inf else lowest, excess)"),
                ("excess - lowest > threshold", "lowest - excess > threshold"),
            ),
        ),
        Mutant(
            "allowance-ignored",
            "delta was not taken off, so small changes add up to an alarm.",
            swaps=(("value - mean - delta", "value - mean"),),
        ),
        Mutant(
            "mean-before",
            "The value was compared with the mean before it. The mean includes it here.",
            swaps=(
                (
                    "        mean += (value - mean) / count\n        excess += value - mean - delta\n",
                    "        excess += value - (mean if count > 1 else value) - delta\n        mean += (value - mean) / count\n",
                ),
            ),
        ),
        Mutant(
            "no-restart",
            "After the alarm it goes on as before, so it rings at every value.",
            swaps=(("            count, mean, excess, lowest = 0, 0.0, 0.0, math.inf\n", ""),),
        ),
        Mutant(
            "old-mean-kept",
            "The mean was carried over an alarm, so the new level is measured against the old one and rings again.",
            swaps=(
                (
                    "            count, mean, excess, lowest = 0, 0.0, 0.0, math.inf\n",
                    "            excess, lowest = 0.0, math.inf\n",
                ),
            ),
        ),
        Mutant(
            "at-the-threshold",
            "An excess of exactly the threshold raised an alarm. It has to be above it.",
            swaps=(("excess - lowest > threshold", "excess - lowest >= threshold"),),
        ),
        Mutant(
            "no-patience",
            "The alarm did not wait for min_count values since the restart.",
            swaps=(("count >= min_count and ", ""),),
        ),
        Mutant(
            "nan-taken",
            "NaN was taken. It makes the mean NaN for good, and the test never rings again.",
            swaps=((" or not np.isfinite(np.asarray(values, dtype=float)).all()", ""),),
        ),
        Mutant(
            "mean-anew",
            "The alarms are right, but the mean is computed from all values each time: quadratic.",
            swaps=(
                ("mean += (value - mean) / count", "mean = sum(values[position - count + 1 : position + 1]) / count"),
            ),
        ),
    ),
    accepted=(piece_by_piece, climb_only),
    growth=Growth(large, n=3_000, says="Keep count, mean, sum and lowest point, and update each by the new value."),
    shrink=lists(0),
    preload=("numpy", "math"),
)
