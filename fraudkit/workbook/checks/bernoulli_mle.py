"""Maximum likelihood of a common rate: pooled, 0·log 0 is 0, counts checked."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def payment_by_payment(frauds, payments):
    """The oracle: the likelihood as a sum over single payments, and p where its exact derivative changes sign."""
    outcomes = [int(i < k) for k, n in zip(frauds, payments, strict=True) for i in range(int(n))]
    p = float(Fraction(sum(outcomes), len(outcomes)))
    log_likelihood = math.fsum(math.log(p if outcome else 1 - p) for outcome in outcomes)
    information = math.fsum((1 / p**2 if outcome else 1 / (1 - p) ** 2) for outcome in outcomes) if 0 < p < 1 else 0
    return p, log_likelihood, 1 / math.sqrt(information) if information else 0.0


def cases(rng: np.random.Generator) -> list[Case]:
    """Pooling, the edges, counts that cannot be, then random groups."""
    found = [
        Case("two groups", ([1, 2], [10, 20])),
        Case(
            "groups of very different size",
            (np.array([1, 3]), np.array([2, 300])),
            why="4 frauds among 302 payments; the mean of 50 % and 1 % is the rate of nobody",
        ),
        Case("no fraud", ([0], [500]), why="0 · log 0 counts as 0, not as NaN"),
        Case("nothing but fraud", (np.array([3, 4]), np.array([3, 4]))),
        Case("a group without payments", ([2, 0], [8, 0]), why="it has no rate of its own, and changes nothing"),
        Case("small integers", (np.array([100, 100], dtype=np.uint8), np.array([200, 250], dtype=np.uint8))),
        Case("no payments", ([0, 0], [0, 0]), raises="ValueError", why="nothing was observed"),
        Case(
            "more frauds than payments in one group",
            ([3, 0], [2, 10]),
            raises="ValueError",
            why="the sums look fine, the data do not",
        ),
        Case("a negative count", ([-1, 3], [5, 5]), raises="ValueError"),
    ]
    for groups in (3, 8):
        payments = rng.integers(5, 300, groups)
        found.append(Case(f"{groups} groups", (rng.binomial(payments, 0.07) + 1, payments)))
    return found


def counted_with_logs(frauds, payments):
    """Accepted: both logs by cases, the error from the second derivative."""
    k = n = 0
    for fraud, all_of_them in zip(frauds, payments, strict=True):
        if not 0 <= fraud <= all_of_them:
            raise ValueError(f"{fraud} of {all_of_them}")
        k, n = k + int(fraud), n + int(all_of_them)
    if n < 1:
        raise ValueError("no payments")
    rate = k / n
    if k in (0, n):
        return rate, 0.0, 0.0
    curvature = k / rate**2 + (n - k) / (1 - rate) ** 2
    return rate, k * math.log(rate) + (n - k) * math.log1p(-rate), curvature**-0.5


def by_entropy(frauds, payments):
    """Accepted: the log-likelihood as minus N times the entropy of both shares."""
    table = np.array([frauds, payments], dtype=float)
    if (table < 0).any() or (table[0] > table[1]).any() or not table[1].any():
        raise ValueError("these counts cannot be")
    fraud, total = table.sum(axis=1)
    shares = np.array([fraud, total - fraud]) / total
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum()
    return [shares[0], -total * entropy, np.sqrt(shares.prod() / total)]


EXERCISE = Exercise(
    id="bernoulli_mle",
    title="Maximum likelihood of a fraud rate",
    minutes=15,
    difficulty="easy",
    feeds="05",
    week="1-2",
    hints=(
        "Write the likelihood of all payments as one product. What of the groups is left in it?",
        "k log p + (N - k) log(1 - p): derive by p and set it to zero.",
        "Minus the second derivative at the maximum is N / (p(1 - p)); where a count is 0, leave its term out.",
    ),
    cases=cases,
    expect=payment_by_payment,
    agree=close(rtol=1e-8, atol=1e-9),
    mutants=(
        Mutant(
            "mean-of-rates",
            "The groups' rates were averaged, so a group of two payments counts like one of three hundred. Add up first.",
            swaps=(("p = hits / total", "p = float(np.mean(frauds[payments > 0] / payments[payments > 0]))"),),
        ),
        Mutant(
            "zero-log-zero-is-nan",
            "0 · log 0 came out as NaN. A count of 0 adds nothing to the likelihood.",
            swaps=((" if count)", ")"), ("np.log(count / total)", "np.log(np.float64(count) / total)")),
        ),
        Mutant(
            "mean-log-likelihood",
            "The log-likelihood was divided by the number of payments. The question asks for the sum.",
            swaps=(("float(log_likelihood)", "float(log_likelihood) / total"),),
        ),
        Mutant(
            "frauds-only",
            "Only the frauds' part of the likelihood is there: genuine payments are observations too.",
            swaps=(("for count in (hits, total - hits) if", "for count in (hits,) if"),),
        ),
        Mutant(
            "spread-of-one-payment",
            "That is the standard deviation of a single payment. The estimate rests on N of them: divide by N under "
            "the root.",
            swaps=(("p * (1 - p) / total", "p * (1 - p)"),),
        ),
        Mutant(
            "variance-for-error",
            "The variance was returned for the standard error. Take the root.",
            swaps=(("np.sqrt(p * (1 - p) / total)", "p * (1 - p) / total"),),
        ),
        Mutant(
            "one-added",
            "One fraud and one genuine payment were added to each side. That is a prior; maximum likelihood has none.",
            swaps=(("p = hits / total", "p = (hits + 1) / (total + 2)"),),
        ),
        Mutant(
            "only-sums-checked",
            "Only the sums were checked: one group with more frauds than payments is an error in the data.",
            swaps=(
                (
                    "np.any(frauds < 0) or np.any(frauds > payments)",
                    "frauds.sum() < 0 or frauds.sum() > payments.sum()",
                ),
            ),
        ),
    ),
    accepted=(counted_with_logs, by_entropy),
)
