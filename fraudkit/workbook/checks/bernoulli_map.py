"""Posterior mode and mean of a rate with a beta prior: edges, flat posteriors, prior checked."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_bisection(frauds, payments, a, b):
    """The oracle: the mode where the log posterior's slope changes sign; the mean by a ratio of gamma functions."""
    modes, means = [], []
    for k, n in zip(frauds, payments, strict=True):
        up, down = float(a + k - 1), float(b + n - k - 1)
        low, high = 0.0, 1.0
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if up * (1 - middle) > down * middle else (low, middle)
        modes.append(math.nan if up == down == 0 else (low + high) / 2)
        gammas = (up + 2, up + down + 2, up + 1, up + down + 3)
        means.append(math.exp(sum(s * math.lgamma(v) for s, v in zip((1, 1, -1, -1), gammas, strict=True))))
    return np.array(modes), np.array(means)


def cases(rng: np.random.Generator) -> list[Case]:
    """A new merchant, edges, flat priors, what cannot be, then random merchants."""
    found = [
        Case("three merchants", ([0, 3, 0], [0, 4, 500], 2, 8)),
        Case(
            "one payment, a fraud",
            (np.array([1]), np.array([1]), 2.0, 98.0),
            why="one observation among a hundred believed ones: near 2 %, not 100 %",
        ),
        Case(
            "a flat prior",
            (np.array([0, 2, 5]), np.array([10, 10, 5]), 1, 1),
            why="the mode is then the maximum likelihood estimate, the mean is not",
        ),
        Case("flat prior, nothing seen", ([0, 1], [0, 1], 1, 1), why="a flat posterior has no greatest place: nan"),
        Case("a one-sided prior", (np.array([0, 0, 4]), np.array([0, 9, 9]), 1.0, 3.5), why="the mode may lie at 0"),
        Case("a prior below one", ([0], [5], 0.5, 4.0), raises="ValueError", why="its density has no bound at 0"),
        Case("b below one", ([0], [5], 4.0, 0.5), raises="ValueError"),
        Case("more frauds than payments", ([3, 1], [2, 9], 2, 8), raises="ValueError"),
        Case("a negative count", ([-1], [2], 2, 8), raises="ValueError"),
    ]
    for size in (6, 30):
        payments = rng.integers(1, 200, size)
        prior = (1 + 3 * float(rng.random()), 10 + 50 * float(rng.random()))
        found.append(Case(f"{size} merchants", (rng.binomial(payments, 0.05), payments, *prior)))
    return found


def added_counts(frauds, payments, a, b):
    """Accepted: the mode as a rate of counts with a - 1 and b - 1 added, the mean as a weighted average."""
    k, n = np.array(frauds, dtype=np.float64), np.array(payments, dtype=np.float64)
    if min(a, b) < 1 or (k < 0).any() or (k > n).any():
        raise ValueError("prior or counts")
    with np.errstate(invalid="ignore"):
        mode = (k + (a - 1)) / (n + (a - 1) + (b - 1))
    trust = n / (n + a + b)
    seen = np.divide(k, n, out=np.zeros_like(k), where=n > 0)
    return mode, trust * seen + (1 - trust) * a / (a + b)


def merchant_by_merchant(frauds, payments, a, b):
    """Accepted: a loop over merchants, genuine payments counted apart."""
    if a < 1:
        raise ValueError("a")
    if b < 1:
        raise ValueError("b")
    found = []
    for fraud, genuine in zip(frauds, np.subtract(payments, frauds), strict=True):
        if fraud < 0 or genuine < 0:
            raise ValueError("counts")
        weight = fraud + genuine + a + b
        found.append(((fraud + a - 1) / (weight - 2) if weight != 2 else float("nan"), (fraud + a) / weight))
    return tuple(np.transpose(found))


EXERCISE = Exercise(
    id="bernoulli_map",
    title="Fraud rate with a beta prior",
    minutes=15,
    difficulty="easy",
    feeds="05",
    week="1-2",
    hints=(
        "Multiply the prior's density by the likelihood. What happens to the exponents?",
        "The mode: derive the posterior's logarithm. The mean: a + frauds over everything, believed and seen.",
        "(α - 1) / (α + β - 2), where that is not 0 by 0; `np.where` also computes what it does not take.",
    ),
    cases=cases,
    expect=by_bisection,
    agree=close(rtol=1e-8, atol=1e-10),
    mutants=(
        Mutant(
            "mean-for-mode",
            "The posterior's mean was returned for its mode. They differ, because the density is lopsided.",
            swaps=(("(alpha - 1) / np.where(peaked, alpha + beta - 2, 1.0)", "alpha / (alpha + beta)"),),
        ),
        Mutant(
            "prior-ignored",
            "The rates are those of the data alone; the belief has not been added.",
            swaps=(
                ("alpha, beta = a + frauds, b + payments - frauds", "alpha, beta = 1 + frauds, 1 + payments - frauds"),
            ),
        ),
        Mutant(
            "payments-for-genuine",
            "All payments were added to b. Only the genuine ones count there: payments less frauds.",
            swaps=(("b + payments - frauds", "b + payments"),),
        ),
        Mutant(
            "mode-without-ones",
            "The exponents of a beta density are α - 1 and β - 1, so the mode is (α - 1)/(α + β - 2).",
            swaps=(("(alpha - 1) /", "alpha /"),),
        ),
        Mutant(
            "mean-of-mode-and-flat",
            "One was added to the frauds and two to the payments whatever a and b are: that is the flat prior's mean.",
            swaps=(("return mode, alpha / (alpha + beta)", "return mode, (frauds + 1) / (payments + 2)"),),
        ),
        Mutant(
            "flat-is-zero",
            "A flat posterior was given the mode 0. It has no greatest place: nan says so.",
            swaps=(("1.0), np.nan)", "1.0), 0.0)"),),
        ),
        Mutant(
            "one-prior-side-checked",
            "A prior with b below 1 was taken: its density has no bound at 1.",
            swaps=(("a < 1 or b < 1 or", "a < 1 or"),),
        ),
        Mutant(
            "counts-not-checked",
            "More frauds than payments went through and gave a rate.",
            swaps=((" or np.any(frauds > payments)", ""),),
        ),
    ),
    accepted=(added_counts, merchant_by_merchant),
)
