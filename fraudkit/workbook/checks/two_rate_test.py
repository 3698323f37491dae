"""Test and interval of two rates: pooled for the test, apart for the interval, tails that do not vanish."""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import NormalDist
from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def from_the_table(hits_a, n_a, hits_b, n_b, confidence=0.95):
    """The oracle: Pearson's chi-squared of the two-by-two table, whose root is |z|, in exact fractions."""
    table = [[int(hits_a), int(n_a) - int(hits_a)], [int(hits_b), int(n_b) - int(hits_b)]]
    total = sum(map(sum, table))
    square = Fraction(0)
    for row in table:
        for j in range(2):
            wanted = Fraction(sum(row) * (table[0][j] + table[1][j]), total)
            square += (row[j] - wanted) ** 2 / wanted
    gap = Fraction(table[1][0], sum(table[1])) - Fraction(table[0][0], sum(table[0]))
    noise = sum(Fraction(row[0] * row[1], sum(row) ** 3) for row in table)
    half = -NormalDist().inv_cdf((1 - confidence) / 2) * math.sqrt(noise)
    z = math.copysign(math.sqrt(square), gap)
    return float(gap), z, math.erfc(math.sqrt(square / 2)), float(gap) - half, float(gap) + half


def agree(got: Any, expected: Any, case: Case) -> str:
    """Five numbers; the p-value is compared by its ratio, however small."""
    if not isinstance(got, tuple | list) or len(got) != 5:
        return "the answer should be five numbers: difference, z, p-value, low, high"
    if reason := difference(got[2], expected[2], 1e-6, 0.0):
        return f"p-value: {reason}, by more than a millionth of itself"
    names = ("difference", "z", "p-value", "low", "high")
    for name, mine, right in zip(names, got, expected, strict=True):
        if reason := difference(mine, right, 1e-8, 1e-10):
            return f"{name}: {reason}"
    return ""


def cases(rng: np.random.Generator) -> list[Case]:
    """Typical, uneven, far tails, one group without hits, what cannot be, then random counts."""
    found = [
        Case("two weeks of alerts", (120, 1000, 90, 1000)),
        Case("b is higher", (90, 1000, 120, 1000), why="the difference is b less a; z has its sign"),
        Case(
            "groups of very different size",
            (40, 100, 3300, 10_000),
            why="the pooled rate adds up hits and units; it is not the mean of the two rates",
        ),
        Case("the same rate", (25, 100, 50, 200), why="z is 0 and the p-value 1"),
        Case(
            "a certain difference",
            (1000, 10_000, 2500, 10_000),
            why="1 less the distribution function rounds to 0 here; the tail itself does not",
        ),
        Case("one group without hits", (0, 50, 9, 60), why="its own variance is 0, the pooled one is not"),
        Case("an interval of 80 %", (30, 200, 44, 210, 0.8)),
        Case("no hits at all", (0, 50, 0, 60), raises="ValueError", why="there is no noise to measure against"),
        Case("hits only", (50, 50, 60, 60), raises="ValueError"),
        Case("more hits than units", (51, 50, 3, 60), raises="ValueError"),
        Case("an empty group", (0, 0, 3, 60), raises="ValueError"),
        Case("a negative count", (-1, 10, 3, 60), raises="ValueError"),
    ]
    for k in range(3):
        n_a, n_b = (int(v) for v in rng.integers(80, 900, 2))
        hits = (int(rng.binomial(n_a, 0.2)) + 1, n_a, int(rng.binomial(n_b, 0.27)) + 1, n_b)
        found.append(Case(f"random counts {k + 1}", (*hits, 0.9)))
    return found


def variances_of_draws(hits_a, n_a, hits_b, n_b, confidence=0.95):
    """Accepted: arrays of both groups, NumPy throughout."""
    hits, n = np.array([hits_a, hits_b], dtype=float), np.array([n_a, n_b], dtype=float)
    if (n < 1).any() or (hits < 0).any() or (hits > n).any():
        raise ValueError("impossible counts")
    common = hits.sum() / n.sum()
    if common in (0.0, 1.0):
        raise ValueError("no spread")
    rates = hits / n
    gap = rates[1] - rates[0]
    z = gap / np.sqrt((common * (1 - common) / n).sum())
    reach = NormalDist().inv_cdf(0.5 + confidence / 2) * np.sqrt((rates * (1 - rates) / n).sum())
    return gap, z, math.erfc(abs(z) * math.sqrt(0.5)), gap - reach, gap + reach


def determinant_form(hits_a, n_a, hits_b, n_b, confidence=0.95):
    """Accepted: z by the table's determinant and its margins."""
    miss_a, miss_b = n_a - hits_a, n_b - hits_b
    if min(hits_a, hits_b, miss_a, miss_b) < 0 or n_a == 0 or n_b == 0:
        raise ValueError("counts")
    margins = n_a * n_b * (hits_a + hits_b) * (miss_a + miss_b)
    if margins == 0:
        raise ValueError("one kind only")
    z = (hits_b * miss_a - hits_a * miss_b) * math.sqrt((n_a + n_b) / margins)
    error = math.sqrt(hits_a * miss_a / n_a**3 + hits_b * miss_b / n_b**3)
    middle = hits_b / n_b - hits_a / n_a
    reach = NormalDist(0, 1).inv_cdf((1 - confidence) / 2) * error
    return [middle, z, math.erfc(math.fabs(z) / math.sqrt(2)), middle + reach, middle - reach]


EXERCISE = Exercise(
    id="two_rate_test",
    title="Test of two rates",
    minutes=20,
    difficulty="medium",
    feeds="11",
    week="7-8",
    hints=(
        "The test supposes that nothing differs. Which single rate do both groups have then?",
        "Variances add: p(1 - p)/n for each group. Pooled p for z, each group's own for the interval.",
        "`math.erfc(abs(z) / sqrt(2))` is the area of both tails, without a subtraction.",
    ),
    cases=cases,
    expect=from_the_table,
    agree=agree,
    mutants=(
        Mutant(
            "unpooled-test",
            "z used each group's own variance. Under the hypothesis there is one rate: pool.",
            swaps=(
                ("sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))", "sqrt(a * (1 - a) / n_a + b * (1 - b) / n_b)"),
            ),
        ),
        Mutant(
            "pooled-interval",
            "The interval used the pooled rate. It does not suppose that the rates are equal.",
            swaps=(
                ("sqrt(a * (1 - a) / n_a + b * (1 - b) / n_b)", "sqrt(pooled * (1 - pooled) * (1 / n_a + 1 / n_b))"),
            ),
        ),
        Mutant(
            "mean-of-rates-pooled",
            "The pooled rate is not the mean of two rates: the larger group says more.",
            swaps=(("(hits_a + hits_b) / (n_a + n_b)\n", "(a + b) / 2\n"),),
        ),
        Mutant(
            "one-sided",
            "One tail was counted. Two-sided means both.",
            swaps=(("erfc(abs(z) / sqrt(2))", "erfc(abs(z) / sqrt(2)) / 2"),),
        ),
        Mutant(
            "tail-cancels",
            "2·(1 - Φ(|z|)) loses its digits and is 0 beyond a |z| of about 8. Take the tail itself, by erfc.",
            swaps=(("erfc(abs(z) / sqrt(2))", "2 * (1 - NormalDist().cdf(abs(z)))"),),
        ),
        Mutant(
            "a-less-b",
            "The difference is b less a, the change from a to b.",
            swaps=(
                ("z = (b - a) /", "z = (a - b) /"),
                ("return b - a, z,", "return a - b, z,"),
                ("b - a - half, b - a + half", "a - b - half, a - b + half"),
            ),
        ),
        Mutant(
            "interval-one-sided",
            "The quantile was that of a one-sided interval. Half of what is left out lies on each side.",
            swaps=(("(1 + confidence) / 2", "confidence"),),
        ),
        Mutant(
            "errors-added",
            "Standard errors of the groups were added. Variances add, then comes the root.",
            swaps=(
                ("sqrt(a * (1 - a) / n_a + b * (1 - b) / n_b)", "(sqrt(a * (1 - a) / n_a) + sqrt(b * (1 - b) / n_b))"),
            ),
        ),
        Mutant(
            "no-noise-taken",
            "Without any hit, or with hits only, the standard error is 0. That is no evidence of equality: raise "
            "ValueError.",
            swaps=(
                (
                    'raise ValueError("nobody or everybody is a hit: there is no noise to measure against")',
                    "return 0.0, 0.0, 1.0, 0.0, 0.0",
                ),
            ),
        ),
    ),
    accepted=(variances_of_draws, determinant_form),
    preload=("numpy", "statistics"),
)
