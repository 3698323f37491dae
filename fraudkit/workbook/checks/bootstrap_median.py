"""Bootstrap standard error and bias of a median, with the resamples given."""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import median, variance

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def in_fractions(values, resamples):
    """The oracle: Python's `statistics` on exact fractions, a resample at a time."""
    exact = [Fraction(float(value)) for value in values]
    medians = [median([exact[int(i)] for i in row]) for row in resamples]
    own = median(exact)
    return float(own), math.sqrt(variance(medians)), float(sum(medians) / len(medians) - own)


def cases(rng: np.random.Generator) -> list[Case]:
    """Odd and even, outliers, square matrices, what cannot be, then random samples."""
    found = [
        Case("three values", ([1.0, 2.0, 10.0], [[0, 1, 2], [0, 0, 1], [1, 2, 2], [2, 2, 0]])),
        Case(
            "an even number",
            (np.array([4.0, 1.0, 8.0, 3.0]), np.array([[0, 1, 2, 3], [1, 1, 2, 0], [3, 3, 2, 2]])),
            why="the median is the mean of the two in the middle, after sorting",
        ),
        Case(
            "as many resamples as values",
            (np.array([1.0, 5.0, 2.0]), np.array([[0, 0, 1], [2, 2, 1], [0, 1, 1]])),
            why="row b is one resample, even where the matrix is square",
        ),
        Case(
            "one huge loss",
            (np.array([10.0, 12.0, 9.0, 11.0, 90_000.0]), rng.integers(0, 5, (40, 5))),
            why="the median hardly moves, the mean would",
        ),
        Case("two resamples", ([3, 9, 4, 1, 7], [[0, 1, 2, 3, 4], [1, 1, 4, 4, 0]]), why="the divisor is B - 1"),
        Case("one value", ([5.0], [[0], [0], [0]])),
        Case("one resample", ([1.0, 2.0], [[0, 1]]), raises="ValueError", why="one median has no spread"),
        Case(
            "resamples of other length",
            (np.ones(3), np.array([[0, 1], [1, 2], [0, 0]])),
            raises="ValueError",
            why="a smaller sample has a larger error: a resample has n values",
        ),
    ]
    for n, b in ((9, 60), (30, 120)):
        found.append(Case(f"{n} losses, {b} resamples", (rng.gamma(0.7, 300.0, n), rng.integers(0, n, (b, n)))))
    return found


def sorted_places(values, resamples):
    """Accepted: rows sorted, the middle read off by place."""
    values = np.array(values, dtype=np.float64)
    drawn = np.sort(values[np.array(resamples)], axis=-1)
    n = values.size
    if drawn.ndim != 2 or drawn.shape[0] == 1 or drawn.shape[1] != n:
        raise ValueError(f"shape {drawn.shape}")
    middle = (drawn[:, (n - 1) // 2] + drawn[:, n // 2]) / 2
    ordered = np.sort(values)
    own = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    spread = ((middle - middle.mean()) ** 2).sum() / (len(middle) - 1)
    return own, spread**0.5, middle.mean() - own


def plain_loops(values, resamples):
    """Accepted: the standard library, resample by resample."""
    if len(resamples) <= 1:
        raise ValueError("at least two resamples")
    found = []
    for row in resamples:
        if len(row) != len(values):
            raise ValueError("a resample has another size")
        found.append(median([float(values[i]) for i in row]))
    centre = median([float(v) for v in values])
    return [centre, math.sqrt(variance(found)), math.fsum(v - centre for v in found) / len(found)]


EXERCISE = Exercise(
    id="bootstrap_median",
    title="Bootstrap error of a median",
    minutes=10,
    difficulty="easy",
    feeds="07",
    week="1-2",
    hints=(
        "Ask of each resample what you asked of the sample. How much do the answers vary?",
        "`values[resamples]` has a resample in each row; `np.median` takes an axis.",
        "The spread of the medians is the standard error itself, with ddof=1.",
    ),
    cases=cases,
    expect=in_fractions,
    agree=close(rtol=1e-9, atol=1e-9),
    mutants=(
        Mutant(
            "means-resampled",
            "Means of the resamples were taken. The error of a mean is not that of a median.",
            swaps=(("np.median(values[resamples], axis=1)", "values[resamples].mean(axis=1)"),),
        ),
        Mutant(
            "divisor-b",
            "The divisor was B. The question asks for B - 1, as for any sample of which the mean was estimated.",
            swaps=(("medians.std(ddof=1)", "medians.std()"),),
        ),
        Mutant(
            "divided-by-root-n",
            "The spread was divided by the root of n. The resamples have n values already: it is the standard error.",
            swaps=(("medians.std(ddof=1)", "medians.std(ddof=1) / np.sqrt(len(values))"),),
        ),
        Mutant(
            "divided-by-root-b",
            "The spread was divided by the root of B. More resamples make the error more certain, not smaller.",
            swaps=(("medians.std(ddof=1)", "medians.std(ddof=1) / np.sqrt(len(medians))"),),
        ),
        Mutant(
            "mean-of-the-resamples",
            "The mean of the resamples' medians was returned for the median of the sample.",
            swaps=(("return float(median)", "return float(medians.mean())"),),
        ),
        Mutant(
            "bias-reversed",
            "The bias is what the bootstrap says too much: mean of the resamples less the sample's own.",
            swaps=(("medians.mean() - median)", "median - medians.mean())"),),
        ),
        Mutant(
            "columns-as-resamples",
            "The medians ran over the resamples instead of the values. Row b is one resample.",
            swaps=(("axis=1)", "axis=0)"),),
        ),
        Mutant(
            "lower-middle",
            "For an even n the lower of the two in the middle was taken. The median is their mean.",
            swaps=(
                ("np.median(values[resamples], axis=1)", "np.sort(values[resamples])[:, (len(values) - 1) // 2]"),
                ("np.median(values)", "np.sort(values)[(len(values) - 1) // 2]"),
            ),
        ),
        Mutant(
            "size-not-checked",
            "Resamples of fewer values were taken: their medians vary more than the sample's.",
            swaps=((" or resamples.shape[1] != len(values)", ""),),
        ),
    ),
    accepted=(sorted_places, plain_loops),
)
