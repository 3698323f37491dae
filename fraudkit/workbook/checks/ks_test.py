"""Two-sample Kolmogorov-Smirnov: ties step together, both signs count, and p follows the stated series."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant


def counted_shares(reference, current):
    """The oracle: both distribution functions counted at every value, and p by the series' other form.

    Jacobi's identity turns the alternating series into one of positive terms.
    """
    a, b = [float(x) for x in reference], [float(x) for x in current]
    distance = max(abs(sum(x <= v for x in a) / len(a) - sum(x <= v for x in b) / len(b)) for v in set(a + b))
    lam = math.sqrt(len(a) * len(b) / (len(a) + len(b))) * distance
    if lam < 0.2:
        return distance, 1.0
    terms = (math.exp(-((2 * k - 1) ** 2) * math.pi**2 / (8 * lam**2)) for k in range(1, 200))
    return distance, min(1.0, max(0.0, 1 - math.sqrt(2 * math.pi) / lam * sum(terms)))


def cases(rng: np.random.Generator) -> list[Case]:
    """Small ones that can be drawn by hand, then samples with and without ties."""
    found = [
        Case("four values each", ([1, 2, 3, 4], [3, 4, 5, 6])),
        Case(
            "the same values", (np.array([1.0, 2.0, 3.0]), np.array([3.0, 1.0, 2.0])), why="equal samples: D = 0, p = 1"
        ),
        Case(
            "one value only, many times",
            (np.full(5, 2.0), np.full(3, 2.0)),
            why="ties step together: both functions jump from 0 to 1 at the same value, and D is 0",
        ),
        Case("far apart", ([0, 1, 2, 3, 4, 5, 6, 7], [10, 11, 12, 13, 14, 15])),
        Case(
            "the current sample lies lower",
            ([5, 6, 7, 8, 9], [1, 2, 3, 4, 5, 6, 7]),
            why="a shift in either direction is a shift: take the absolute difference",
        ),
        Case(
            "current values between two of the reference",
            ([0.0, 10.0], np.linspace(1, 9, 30)),
            why="the largest difference may lie at a value of the current sample: compare at the pooled values",
        ),
        Case("sizes 40 and 6", (np.arange(40) % 13, [2, 3, 3, 4, 20, 21]), why="the sizes enter as n·m/(n + m)"),
        Case("float32", (np.float32([0.25, 0.5, 0.75, 1.0]), np.float32([0.5, 0.75]))),
        Case("an empty sample", ([1.0, 2.0], []), raises="ValueError"),
        Case("a missing value", ([1.0, np.nan], [1.0, 2.0]), raises="ValueError", why="NaN has no place in an order"),
    ]
    found.append(Case("whole numbers, 80 and 50", (rng.integers(0, 12, 80), rng.integers(1, 13, 50))))
    found.append(Case("normal, shifted", (rng.normal(size=120), rng.normal(size=90) + 0.35)))
    found.append(Case("skewed amounts", (rng.lognormal(3, 1, 60), rng.lognormal(3.4, 1, 70))))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """n values in each sample."""
    return Case(f"{n} values each", (rng.normal(size=n), rng.normal(size=n)))


def running_difference(reference, current):
    """Accepted: one walk over the pooled values, the difference read where a run of ties ends."""
    a, b = np.asarray(reference, dtype=float), np.asarray(current, dtype=float)
    if not a.size or not b.size or not np.isfinite(np.concatenate([a, b])).all():
        raise ValueError("two samples of finite values are needed")
    values = np.concatenate([a, b])
    steps = np.concatenate([np.full(a.size, 1 / a.size), np.full(b.size, -1 / b.size)])
    order = np.argsort(values, kind="stable")
    ends = np.append(np.diff(values[order]) > 0, True)
    D = float(np.abs(np.cumsum(steps[order])[ends]).max())
    lam = D * (a.size * b.size / (a.size + b.size)) ** 0.5
    if lam < 0.2:
        return D, 1.0
    p = 2 * sum((1 if j % 2 else -1) * math.exp(-2 * (j * lam) ** 2) for j in range(1, 101))
    return D, min(max(p, 0.0), 1.0)


def counts_of_distinct_values(reference, current):
    """Accepted: cumulative counts of the distinct values."""
    a, b = np.array(reference, dtype=float), np.array(current, dtype=float)
    if len(a) * len(b) == 0:
        raise ValueError("a sample is empty")
    if np.isnan(a).any() or np.isnan(b).any() or np.isinf(a).any() or np.isinf(b).any():
        raise ValueError("a value is not finite")
    values, index = np.unique(np.concatenate([a, b]), return_inverse=True)
    first = np.cumsum(np.bincount(index[: len(a)], minlength=len(values))) / len(a)
    second = np.cumsum(np.bincount(index[len(a) :], minlength=len(values))) / len(b)
    D = np.max(np.abs(first - second))
    lam2 = D * D * len(a) * len(b) / (len(a) + len(b))
    j = np.arange(1.0, 101.0)
    signs = np.where(j % 2 == 1, 1.0, -1.0)
    p = 1.0 if lam2 < 0.04 else min(1.0, max(0.0, 2 * float(signs @ np.exp(-2 * j * j * lam2))))
    return D, p


EXERCISE = Exercise(
    id="ks_test",
    title="The Kolmogorov-Smirnov test of two samples",
    minutes=20,
    difficulty="medium",
    feeds="13",
    week="7-8",
    hints=(
        "Draw both distribution functions as stairs. Where can the largest gap be? Only at a value that occurs.",
        "For sorted values, a binary search tells how many are less than or equal to x; do it for all pooled values at once.",
        "`np.searchsorted(sorted_sample, pooled, side='right') / n` is the distribution function at the pooled values. Then D, "
        "then λ, then the series.",
    ),
    cases=cases,
    expect=counted_shares,
    agree=close(rtol=1e-6, atol=1e-9),
    mutants=(
        Mutant(
            "ties-one-by-one",
            "Equal values were stepped through one after the other, so equal samples seem to differ. Both functions jump "
            "together at a tie: count the values less than or equal.",
            swaps=(
                (
                    "distance = np.abs(below_a - below_b).max()",
                    "steps = np.concatenate([np.full(n, 1 / n), np.full(m, -1 / m)])\n"
                    "    distance = np.abs(np.cumsum(steps[np.argsort(pooled, kind='stable')])).max()",
                ),
            ),
        ),
        Mutant(
            "one-sided",
            "Only one direction was looked at. A current sample that lies lower is a shift too: take the absolute difference.",
            swaps=(("np.abs(below_a - below_b).max()", "max((below_a - below_b).max(), 0.0)"),),
        ),
        Mutant(
            "reference-values-only",
            "The functions were compared at the reference's values only. The largest gap may lie at a value of the other "
            "sample.",
            swaps=(("pooled = np.concatenate([a, b])", "pooled = a"),),
        ),
        Mutant(
            "strictly-below",
            "The distribution function is the share of values less than or equal to x, not less than x.",
            swaps=(
                (
                    'below_a = np.searchsorted(a, pooled, side="right")',
                    'below_a = np.searchsorted(a, pooled, side="left")',
                ),
            ),
        ),
        Mutant(
            "sizes-added",
            "λ uses the effective size n·m/(n + m). The plain sum of the sizes makes every difference look significant.",
            swaps=(("np.sqrt(n * m / (n + m))", "np.sqrt(n + m)"),),
        ),
        Mutant(
            "square-root-forgotten",
            "The effective size enters λ by its square root.",
            swaps=(("np.sqrt(n * m / (n + m))", "(n * m / (n + m))"),),
        ),
        Mutant(
            "first-term-only",
            "Only the first term of the series was taken. It is above 1 for small λ and wrong in between; add the others.",
            swaps=(("np.arange(1, 101)", "np.arange(1, 2)"),),
        ),
        Mutant(
            "signs-not-alternating",
            "The terms of the series alternate in sign; adding them all makes p too large.",
            swaps=(("(-1.0) ** (j - 1) * ", ""),),
        ),
        Mutant(
            "small-lambda-not-handled",
            "For λ near 0 the series does not settle in 100 terms; by the question p is 1 there.",
            swaps=(("if scaled < 0.2:", "if scaled < 0:"),),
        ),
        Mutant(
            "missing-values-let-in",
            "A NaN went through. It sorts to the end and counts as a large value; refuse it with ValueError.",
            swaps=((" or not (np.isfinite(a).all() and np.isfinite(b).all())", ""),),
        ),
        Mutant(
            "counted-for-every-value",
            "The value is right, but both samples are counted through for every pooled value, which takes n squared.",
            swaps=(
                ('np.searchsorted(a, pooled, side="right") / n', "np.array([(a <= x).sum() for x in pooled]) / n"),
                ('np.searchsorted(b, pooled, side="right") / m', "np.array([(b <= x).sum() for x in pooled]) / m"),
            ),
        ),
    ),
    accepted=(running_difference, counts_of_distinct_values),
    growth=Growth(
        large, n=8_000, limit=8.0, says="Sort once and search, instead of counting both samples for every value."
    ),
    plug="drift",
)
