"""Maximum likelihood of a normal distribution: divisor n, two passes, no maximum where all values are equal."""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import NormalDist

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def in_fractions(x):
    """The oracle: exact fractions for mean and variance, `statistics.NormalDist` for each density."""
    exact = [Fraction(float(value)) for value in x]
    mean = sum(exact) / len(exact)
    variance = sum((value - mean) ** 2 for value in exact) / len(exact)
    noise = NormalDist(0.0, math.sqrt(variance))
    return float(mean), float(variance), math.fsum(math.log(noise.pdf(float(value - mean))) for value in exact)


def cases(rng: np.random.Generator) -> list[Case]:
    """By hand, far from zero, no maximum, then random samples."""
    found = [
        Case("four values", ([1.0, 2.0, 3.0, 6.0],), why="maximum likelihood divides by n, not by n - 1"),
        Case("two values", (np.array([-1.0, 1.0]),)),
        Case("whole numbers", (np.array([10, 20, 60], dtype=np.int32),)),
        Case(
            "far from zero",
            (1e9 + np.array([0.0, 0.25, 0.5, 1.0]),),
            why="the mean of squares less the square of the mean has no digit left here",
        ),
        Case(
            "a small spread",
            (np.array([1e-4, 2e-4, 4e-4]),),
            why="the density is above 1 there, and the log-likelihood positive",
        ),
        Case("float32", (np.float32([16777216.0, 16777218.0, 16777222.0]),), why="compute in float64"),
        Case("one value", ([3.0],), raises="ValueError", why="the spread can shrink without end"),
        Case("all equal", (np.full(5, 2.5),), raises="ValueError"),
        Case("no values", ([],), raises="ValueError"),
    ]
    found += [Case(f"{n} values", (rng.normal(50, 8, n),)) for n in (6, 40)]
    return found


def one_term_each(x):
    """Accepted: the log density of each value, added up."""
    values = [float(v) for v in x]
    if len(set(values)) <= 1:
        raise ValueError("the values do not differ")
    centre = math.fsum(values) / len(values)
    square = math.fsum((v - centre) ** 2 for v in values) / len(values)
    density = sum(-math.log(2 * math.pi * square) / 2 - (v - centre) ** 2 / (2 * square) for v in values)
    return centre, square, density


def library_moments(x):
    """Accepted: NumPy's variance, and the entropy of the fitted distribution."""
    x = np.array(x, dtype=np.float64)
    if x.size < 2 or np.ptp(x) == 0:
        raise ValueError(f"no maximum for {x.size} values")
    sigma = np.std(x)
    return [np.mean(x), np.var(x), -x.size * np.log(sigma * np.sqrt(2 * np.pi * np.e))]


EXERCISE = Exercise(
    id="normal_mle",
    title="Maximum likelihood of a normal distribution",
    minutes=15,
    difficulty="easy",
    feeds="05",
    week="1-2",
    hints=(
        "Write the log of the density, add it up over all values, and look where the mean stands in it.",
        "Derive by the variance: it is a mean of squares. How many values are averaged?",
        "Put the estimate back in: the sum of squares over twice the variance is n/2.",
    ),
    cases=cases,
    expect=in_fractions,
    agree=close(rtol=1e-7, atol=1e-12),
    mutants=(
        Mutant(
            "divisor-n-minus-one",
            "The variance was divided by n - 1. That is unbiased, but it is not where the likelihood is greatest.",
            swaps=(("((x - mean) ** 2).mean()", "((x - mean) ** 2).sum() / (n - 1)"),),
        ),
        Mutant(
            "squares-cancel",
            "The mean of squares less the square of the mean cancels: far from zero nothing is left. Subtract first.",
            swaps=(("((x - mean) ** 2).mean()", "max((x**2).mean() - mean**2, 1e-300)"),),
        ),
        Mutant(
            "standard-deviation-for-variance",
            "The standard deviation was returned where the variance was asked for.",
            swaps=(("float(variance)", "float(np.sqrt(variance))"),),
        ),
        Mutant(
            "mean-log-likelihood",
            "The log-likelihood was averaged. The question asks for the sum over the observations.",
            swaps=(("-n / 2", "-1 / 2"),),
        ),
        Mutant(
            "squares-left-out",
            "Only the normalising constant is there: the squared distances add n/2.",
            swaps=(("(np.log(2 * np.pi * variance) + 1)", "np.log(2 * np.pi * variance)"),),
        ),
        Mutant(
            "two-pi-forgotten",
            "The constant 2π is missing from the density.",
            swaps=(("2 * np.pi * variance", "variance"),),
        ),
        Mutant(
            "variance-of-nothing",
            "Equal values gave a variance of 0 and an infinite likelihood. There is no maximum: raise ValueError.",
            swaps=(("if len(x) < 2 or x.min() == x.max():", "if len(x) < 1:"),),
        ),
        Mutant(
            "kept-in-float32",
            "The values stayed in float32, which cannot hold the mean here. Compute in float64.",
            swaps=(("np.asarray(x, dtype=float)", "np.asarray(x)"),),
        ),
    ),
    accepted=(one_term_each, library_moments),
)
