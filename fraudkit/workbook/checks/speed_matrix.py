"""Broadcasting: all pairs of payments, simultaneous ones decided, without a loop over pairs."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import rows


def pair_by_pair(places, times):
    """The oracle: two loops and the square root of math."""
    n = len(times)
    out = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            gap = abs(float(times[i]) - float(times[j]))
            far = math.dist([float(v) for v in places[i]], [float(v) for v in places[j]])
            out[i, j] = far * 3600 / gap if gap else (math.inf if far else 0.0)
    return out


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones."""
    found = [
        Case("an hour apart", ([[0, 0], [3, 4]], [0, 3600]), why="5 km in an hour are 5 km/h, in both directions"),
        Case(
            "ten minutes apart",
            (np.array([[0.0, 0.0], [6.0, 8.0]]), np.array([600, 0])),
            why="the earlier payment may stand below: a speed is never negative",
        ),
        Case(
            "the same second, two places",
            ([[0, 0], [1, 0], [5, 5]], [7, 7, 3607]),
            why="no time between two places is an infinite speed",
        ),
        Case(
            "the same second, the same place",
            ([[2, 2], [2, 2], [3, 2]], [60, 60, 120]),
            why="a retry at one terminal has not moved: 0, not NaN",
        ),
        Case("the same place later", ([[4, 1], [4, 1]], [0, 900]), why="no distance, no speed"),
        Case("one payment", ([[1, 1]], [5]), why="its speed to itself is 0"),
        Case("no payments", (np.zeros((0, 2)), np.zeros(0))),
        Case("three coordinates", ([[0, 0, 0], [1, 1, 1]], [0, 60]), raises="ValueError"),
        Case("lengths differ", ([[0, 0], [1, 1], [2, 2]], [0, 60]), raises="ValueError"),
        Case("places the wrong way round", (np.zeros((2, 3)), [0, 60, 120]), raises="ValueError"),
    ]
    for n in (6, 40):
        places = np.round(rng.normal(0, 30, (n, 2)), 1)
        times = 60 * rng.integers(0, 5 * n, n)
        found.append(Case(f"{n} payments", (places, times)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of size n."""
    return Case(f"{n} payments", (rng.random((n, 2)), rng.random(n) * 1e5))


def complex_plane(places, times):
    """Accepted: places as complex numbers, one outer difference, special cases by mask."""
    moments = np.array(times, dtype=float)
    points = np.array(places, dtype=float)
    if moments.size == 0 and points.size == 0:
        return np.zeros((0, 0))
    if points.ndim != 2 or points.shape[1] != 2 or points.shape[0] != moments.size:
        raise ValueError(f"{points.shape} places for {moments.size} times")
    z = points[:, 0] + 1j * points[:, 1]
    far = np.abs(np.subtract.outer(z, z))
    gap = np.abs(np.subtract.outer(moments, moments))
    with np.errstate(divide="ignore", invalid="ignore"):
        speed = 3600 * far / gap
    speed[(gap == 0) & (far == 0)] = 0
    return speed


def row_by_row(places, times):
    """Accepted: one row of the matrix at a time, which needs memory for one row only."""
    n = len(times)
    if len(places) != n or any(len(place) != 2 for place in places):
        raise ValueError("one place of two coordinates for each time")
    x, y = (np.array([place[axis] for place in places], dtype=float) for axis in (0, 1))
    t = np.array(times, dtype=float) / 3600
    out = np.zeros((n, n))
    for i in range(n):
        far = np.hypot(x - x[i], y - y[i])
        gap = abs(t - t[i])
        moved, apart = far > 0, gap > 0
        out[i, moved & ~apart] = np.inf
        out[i, apart] = far[apart] / gap[apart]
    return out


EXERCISE = Exercise(
    id="speed_matrix",
    title="All pairs at once by broadcasting",
    minutes=15,
    difficulty="medium",
    feeds="05",
    week="9-10",
    hints=(
        "What shape has `times[:, None] - times[None, :]`, and what stands in row i, column j?",
        "The same with places gives (n, n, 2). Sum the squares over the last axis.",
        "Decide the pairs without time between them before dividing: `np.divide` takes `out` and `where`.",
    ),
    cases=cases,
    expect=pair_by_pair,
    agree=close(rtol=1e-6, atol=1e-9),
    mutants=(
        Mutant(
            "km-per-second",
            "The times are seconds and were not made hours.",
            swaps=((" / 3600", ""),),
        ),
        Mutant(
            "signed-gap",
            "The difference in time has a sign, so half of the speeds are negative or lost. Take its absolute value.",
            swaps=(("np.abs(times[:, None] - times[None, :])", "(times[:, None] - times[None, :])"),),
        ),
        Mutant(
            "city-blocks",
            "The distance is the sum of both axes. The straight line was asked for.",
            swaps=(("np.sqrt((offset**2).sum(axis=2))", "np.abs(offset).sum(axis=2)"),),
        ),
        Mutant(
            "squared-distance",
            "The root is missing: this is the square of the distance.",
            swaps=(("np.sqrt((offset**2).sum(axis=2))", "(offset**2).sum(axis=2)"),),
        ),
        Mutant(
            "nan-on-the-diagonal",
            "Nothing over nothing is NaN. Two payments of one second at one place have the speed 0.",
            swaps=(("np.where(distance > 0, np.inf, 0.0)", "np.where(distance > 0, np.inf, np.nan)"),),
        ),
        Mutant(
            "simultaneous-is-still",
            "Two places in the same second were given the speed 0. It is infinite: the clearest sign of a copied card.",
            swaps=(("np.where(distance > 0, np.inf, 0.0)", "np.zeros(distance.shape)"),),
        ),
        Mutant(
            "retry-is-infinite",
            "A second payment at the same place and time was given an infinite speed. It has not moved.",
            swaps=(("np.where(distance > 0, np.inf, 0.0)", "np.where(np.eye(len(times)) > 0, 0.0, np.inf)"),),
        ),
        Mutant(
            "epsilon-added",
            "A small number was added to the hours, so that an infinite speed became an ordinary large one.",
            swaps=(
                (
                    "np.divide(distance, hours, out=simultaneous, where=hours > 0)",
                    "distance / (hours + 1e-9)",
                ),
            ),
        ),
        Mutant(
            "pairs-in-a-loop",
            "The values are right, but Python goes from pair to pair: ten thousand payments would take minutes.",
            swaps=(
                (
                    "distance = np.sqrt((offset**2).sum(axis=2))",
                    "distance = np.zeros((len(times), len(times)))\n"
                    "    for i in range(len(times)):\n"
                    "        for j in range(len(times)):\n"
                    "            distance[i, j] = np.sqrt((offset[i, j] ** 2).sum())",
                ),
            ),
        ),
    ),
    accepted=(complex_plane, row_by_row),
    growth=Growth(
        large,
        n=30,
        limit=9.0,
        says="Subtract a column from a row: NumPy then makes all pairs at once. A loop over pairs has n² steps in Python.",
    ),
    shrink=rows(0, 1, noun="payments"),
)
