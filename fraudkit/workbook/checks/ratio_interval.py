"""Interval of a ratio of means by the delta method: covariance, units are cards, divisor n - 1."""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import NormalDist

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def three_moments(numerator, denominator, confidence=0.95):
    """The oracle: both variances and the covariance in exact fractions, put together as the question says."""
    y, x = ([Fraction(float(value)) for value in values] for values in (numerator, denominator))
    n = len(x)
    my, mx = sum(y) / n, sum(x) / n
    yy = sum((v - my) ** 2 for v in y) / (n - 1)
    xx = sum((v - mx) ** 2 for v in x) / (n - 1)
    xy = sum((a - my) * (b - mx) for a, b in zip(y, x, strict=True)) / (n - 1)
    ratio = my / mx
    variance = (yy - 2 * ratio * xy + ratio**2 * xx) / (n * mx**2)
    half = -NormalDist().inv_cdf((1 - confidence) / 2) * math.sqrt(variance)
    return float(ratio), float(ratio) - half, float(ratio) + half


def cases(rng: np.random.Generator) -> list[Case]:
    """By hand, covariance of either sign, no error, what cannot be, then random cards."""
    found = [
        Case("four cards", ([1.0, 0.0, 2.0, 1.0], [10.0, 5.0, 12.0, 3.0])),
        Case(
            "a busy card",
            (np.array([0.0, 1.0, 0.0, 30.0]), np.array([2.0, 1.0, 4.0, 300.0])),
            why="the mean of the cards' ratios weighs a card of one payment like one of three hundred",
        ),
        Case(
            "the same share on each card",
            (np.array([1.0, 2.0, 8.0]), np.array([4.0, 8.0, 32.0])),
            why="numerator and denominator vary, the ratio does not: their covariance takes all of it away",
        ),
        Case(
            "opposed",
            (np.array([9.0, 5.0, 1.0, 4.0]), np.array([1.0, 5.0, 9.0, 6.0])),
            why="a negative covariance makes the interval wider",
        ),
        Case("two cards", ([1, 3], [4, 5]), why="the divisor is n - 1"),
        Case("an interval of 80 %", (np.array([2.0, 0.0, 1.0, 1.0, 4.0]), np.array([9.0, 3.0, 4.0, 8.0, 11.0]), 0.8)),
        Case("a negative numerator", ([-5.0, 2.0, -1.0], [3.0, 2.0, 4.0])),
        Case("a card without payments", ([0.0, 1.0, 3.0], [0.0, 4.0, 7.0]), why="it has no ratio, but it is a card"),
        Case("one card", ([1.0], [4.0]), raises="ValueError"),
        Case("no payments", ([1.0, 2.0], [0.0, 0.0]), raises="ValueError"),
        Case("lengths differ", ([1.0, 2.0], [1.0, 2.0, 3.0]), raises="ValueError"),
    ]
    for n in (12, 60):
        payments = rng.integers(1, 40, n).astype(float)
        found.append(Case(f"{n} cards", (rng.poisson(0.15 * payments).astype(float), payments, 0.9)))
    return found


def gradient_and_covariance(numerator, denominator, confidence=0.95):
    """Accepted: the gradient of the ratio on both sides of the covariance matrix."""
    if np.shape(numerator) != np.shape(denominator):
        raise ValueError("lengths")
    both = np.array([numerator, denominator], dtype=np.float64)
    if both.shape[1] < 2 or both[1].sum() <= 0:
        raise ValueError("cards or payments are missing")
    top, bottom = both.mean(axis=1)
    slope = np.array([1 / bottom, -top / bottom**2])
    variance = max(slope @ np.cov(both) @ slope, 0.0) / both.shape[1]
    reach = NormalDist().inv_cdf(0.5 + confidence / 2) * np.sqrt(variance)
    return top / bottom, top / bottom - reach, top / bottom + reach


def sums_in_a_loop(numerator, denominator, confidence=0.95):
    """Accepted: sums only, one card at a time."""
    n = len(numerator)
    if n != len(denominator) or n == 1:
        raise ValueError(f"{n} and {len(denominator)} cards")
    frauds, payments = math.fsum(numerator), math.fsum(denominator)
    if payments <= 0:
        raise ValueError("no payments")
    share, squares = frauds / payments, 0.0
    for above, below in zip(numerator, denominator, strict=True):
        squares += (above - share * below) ** 2
    error = math.sqrt(n / (n - 1) * squares) / payments
    z = NormalDist().inv_cdf(1 - (1 - confidence) / 2)
    return [share, share - z * error, share + z * error]


EXERCISE = Exercise(
    id="ratio_interval",
    title="Interval of a ratio by the delta method",
    minutes=20,
    difficulty="medium",
    feeds="11",
    week="7-8",
    hints=(
        "How much does y̅/x̅ change when one of the means moves a little? Take both derivatives.",
        "The three terms of the formula are the variance of one column: y - ratio·x.",
        "Standard deviation of that column with ddof=1, over √n and over the denominator's mean.",
    ),
    cases=cases,
    expect=three_moments,
    agree=close(rtol=1e-7, atol=1e-7),
    mutants=(
        Mutant(
            "mean-of-ratios",
            "The cards' own ratios were averaged. That is another quantity: add up first, then divide.",
            swaps=(("ratio = y.mean() / x.mean()", "ratio = (y[x > 0] / x[x > 0]).mean()"),),
        ),
        Mutant(
            "covariance-forgotten",
            "Numerator and denominator were treated as independent. They rise together: the covariance belongs in.",
            swaps=(("rest.std(ddof=1)", "np.sqrt(y.var(ddof=1) + ratio**2 * x.var(ddof=1))"),),
        ),
        Mutant(
            "covariance-added",
            "The covariance has the wrong sign: a denominator that rises with the numerator steadies the ratio.",
            swaps=(("rest = y - ratio * x", "rest = y + ratio * x"),),
        ),
        Mutant(
            "denominator-fixed",
            "The denominators were taken as fixed numbers. They vary from card to card as well.",
            swaps=(("rest.std(ddof=1)", "y.std(ddof=1)"),),
        ),
        Mutant(
            "payments-as-units",
            "Payments were treated as independent draws of a proportion. The units are cards.",
            swaps=(
                (
                    "rest.std(ddof=1) / (np.sqrt(len(x)) * x.mean())",
                    "np.sqrt(abs(ratio * (1 - ratio)) / x.sum())",
                ),
            ),
        ),
        Mutant(
            "not-divided-by-root-n",
            "That is the spread of single cards. The mean of n cards has a standard error smaller by √n.",
            swaps=(("(np.sqrt(len(x)) * x.mean())", "x.mean()"),),
        ),
        Mutant(
            "not-divided-by-mean",
            "The rest was not divided by the denominator's mean: the ratio's derivative by the numerator is 1/x̄.",
            swaps=(("(np.sqrt(len(x)) * x.mean())", "np.sqrt(len(x))"),),
        ),
        Mutant(
            "divisor-n",
            "The variance has the divisor n; the question asks for n - 1.",
            swaps=(("rest.std(ddof=1)", "rest.std()"),),
        ),
        Mutant(
            "interval-one-sided",
            "The quantile was that of a one-sided interval. Half of what is left out lies on each side.",
            swaps=(("(1 + confidence) / 2", "confidence"),),
        ),
    ),
    accepted=(gradient_and_covariance, sums_in_a_loop),
    preload=("numpy", "statistics"),
)
