"""CUPED: pooled slope, common mean, each arm's own variance, no slope where before does not vary."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def pairs_in_fractions(metric, before, treated):
    """The oracle: the slope from all pairs of cards, means and variances in exact fractions."""
    y, x = ([Fraction(float(v)) for v in values] for values in (metric, before))
    pairs = [(i, j) for i in range(len(x)) for j in range(i)]
    below = sum(((x[i] - x[j]) ** 2 for i, j in pairs), Fraction(0))
    together = sum(((x[i] - x[j]) * (y[i] - y[j]) for i, j in pairs), Fraction(0))
    theta = together / below if below else Fraction(0)
    centre = sum(x, Fraction(0)) / len(x)
    means: list[Fraction] = []
    variance = Fraction(0)
    for arm in (True, False):
        rows = [a - theta * (b - centre) for a, b, t in zip(y, x, treated, strict=True) if bool(t) is arm]
        means.append(sum(rows, Fraction(0)) / len(rows))
        variance += sum(((v - means[-1]) ** 2 for v in rows), Fraction(0)) / ((len(rows) - 1) * len(rows))
    return float(theta), float(means[0] - means[1]), math.sqrt(variance)


def cases(rng: np.random.Generator) -> list[Case]:
    """By hand, an imbalance, no spread before, uneven arms, what cannot be, then random experiments."""
    found = [
        Case("four cards", ([5.0, 9.0, 6.0, 11.0], [2.0, 6.0, 4.0, 8.0], [False, False, True, True])),
        Case(
            "big spenders in one arm",
            (
                np.array([10.0, 12.0, 11.0, 52.0, 49.0, 51.0]),
                np.array([10.0, 11.0, 12.0, 50.0, 50.0, 52.0]),
                np.array([0, 0, 0, 1, 1, 1]),
            ),
            why="the raw difference of 40 was there before: centre by the common mean and it goes away",
        ),
        Case(
            "before never varies",
            (np.array([1.0, 3.0, 2.0, 6.0]), np.full(4, 7.0), np.array([0, 1, 0, 1])),
            why="it explains nothing, θ is 0 and the effect the plain difference; 0 by 0 is NaN",
        ),
        Case(
            "opposed to before",
            (np.array([9.0, 7.0, 2.0, 1.0, 5.0]), np.array([1, 3, 6, 9, 4]), np.array([1, 0, 1, 0, 0])),
            why="a negative slope helps as much as a positive one",
        ),
        Case(
            "arms of very different size",
            (
                np.array([3.0, 9.0, 1.0, 2.0, 2.5, 4.0, 3.0, 2.0]),
                np.array([2.0, 7.0, 1.0, 3.0, 2.0, 4.0, 2.0, 2.0]),
                np.array([1, 1, 0, 0, 0, 0, 0, 0]),
            ),
            why="each arm's variance is divided by its own number of cards",
        ),
        Case("whole numbers", ([1, 4, 2, 6, 3, 9], [1, 2, 2, 3, 1, 4], [1, 0, 1, 0, 1, 0])),
        Case("one card in an arm", ([1.0, 2.0, 3.0], [1.0, 2.0, 4.0], [True, False, False]), raises="ValueError"),
        Case("lengths differ", (np.ones(4), np.ones(5), np.array([1, 1, 0, 0])), raises="ValueError"),
    ]
    for n in (14, 60):
        before = rng.gamma(2.0, 30.0, n)
        treated = rng.permutation(n) < n // 3
        found.append(
            Case(f"{n} cards", (0.7 * before + rng.normal(0, 10, n) - 8.0 * treated, before, treated.astype(int)))
        )
    return found


def from_the_covariance_matrix(metric, before, treated):
    """Accepted: means and moments of the arms, without an adjusted column."""
    y, x = np.array(metric, dtype=np.float64), np.array(before, dtype=np.float64)
    flag = np.array(treated) == 1
    if y.shape != x.shape or y.shape != flag.shape or flag.sum() < 2 or len(flag) - flag.sum() < 2:
        raise ValueError("arms or lengths")
    whole = np.cov(y, x)
    slope = whole[0, 1] / whole[1, 1] if whole[1, 1] else 0
    effect, variance = 0.0, 0.0
    for sign, rows in ((1, flag), (-1, ~flag)):
        effect += sign * (y[rows].mean() - slope * x[rows].mean())
        own = np.cov(y[rows], x[rows])
        variance += max(own[0, 0] - 2 * slope * own[0, 1] + slope**2 * own[1, 1], 0) / rows.sum()
    return slope, effect, variance**0.5


def fitted_line(metric, before, treated):
    """Accepted: a line fitted by least squares; the effect is the difference of what it leaves."""
    if len({len(metric), len(before), len(treated)}) > 1:
        raise ValueError("different lengths")
    line = np.column_stack([np.ones(len(before)), before])
    theta = np.linalg.lstsq(line, np.asarray(metric, dtype=float), rcond=None)[0][1]
    if len(set(np.ravel(before).tolist())) == 1:
        theta = 0.0
    left = [float(y) - theta * float(x) for y, x in zip(metric, before, strict=True)]
    ours = [v for v, t in zip(left, treated, strict=True) if t]
    others = [v for v, t in zip(left, treated, strict=True) if not t]
    if min(len(ours), len(others)) <= 1:
        raise ValueError("too few cards")
    error = math.hypot(*(np.std(arm, ddof=1) / math.sqrt(len(arm)) for arm in (ours, others)))
    return [theta, sum(ours) / len(ours) - sum(others) / len(others), error]


EXERCISE = Exercise(
    id="cuped",
    title="Less variance by what was known before (CUPED)",
    minutes=20,
    difficulty="medium",
    feeds="11",
    week="7-8",
    hints=(
        "What may be subtracted from each card without changing the expected difference between random arms?",
        "θ is the slope of a regression of metric on before: covariance over variance, all cards together.",
        "Centre by the common mean, adjust, then treat the adjusted metric like any other: two means, two variances.",
    ),
    cases=cases,
    expect=pairs_in_fractions,
    agree=close(rtol=1e-7, atol=1e-7),
    mutants=(
        Mutant(
            "not-adjusted",
            "The effect is the plain difference of the metric: θ was computed and not used.",
            swaps=(("adjusted = metric - theta * centred", "adjusted = metric"),),
        ),
        Mutant(
            "added-instead",
            "What before explains was added, which doubles the noise. Subtract it.",
            swaps=(("metric - theta * centred", "metric + theta * centred"),),
        ),
        Mutant(
            "difference-from-before",
            "The change since before was taken: that is θ = 1, right only where the slope is 1.",
            swaps=(("metric - theta * centred", "metric - centred"),),
        ),
        Mutant(
            "arms-own-means",
            "Each arm was centred by its own mean, so the accidental imbalance stays in the effect.",
            swaps=(
                (
                    "adjusted = metric - theta * centred",
                    "adjusted = metric - theta * (before - np.where(treated, before[treated].mean(), "
                    "before[~treated].mean()))",
                ),
            ),
        ),
        Mutant(
            "divided-by-the-metric-s-variance",
            "The covariance was divided by the variance of the metric. It is before that is scaled: divide by its own.",
            swaps=(
                (
                    "centred @ metric / spread",
                    "centred @ metric / (((metric - metric.mean()) ** 2).sum() or 1.0)",
                ),
            ),
        ),
        Mutant(
            "correlation-for-slope",
            "The correlation was taken for the slope. It has no unit, so it only fits where both spreads are equal.",
            swaps=(("centred @ metric / spread", "np.corrcoef(metric, before)[0, 1]"),),
        ),
        Mutant(
            "slope-of-one-arm",
            "The slope was fitted on the control arm alone. The question pools all cards.",
            swaps=(
                (
                    "centred @ metric / spread if spread > 0",
                    "np.cov(metric[~treated], before[~treated])[0, 1] / before[~treated].var(ddof=1) if spread > 0",
                ),
            ),
        ),
        Mutant(
            "error-of-raw-metric",
            "The standard error is that of the metric before the adjustment: nothing was won.",
            swaps=(
                (
                    "sum(arm.var(ddof=1) / len(arm) for arm in arms)",
                    "sum(metric[side].var(ddof=1) / side.sum() for side in (treated, ~treated))",
                ),
            ),
        ),
        Mutant(
            "common-variance",
            "One variance was taken for both arms and divided by all cards. Each arm has its own.",
            swaps=(("sum(arm.var(ddof=1) / len(arm) for arm in arms)", "adjusted.var(ddof=1) / len(adjusted)"),),
        ),
        Mutant(
            "no-spread-is-nan",
            "Where before never varies, 0 was divided by 0. It explains nothing: θ is 0.",
            swaps=((" if spread > 0 else 0.0", ""),),
        ),
    ),
    accepted=(from_the_covariance_matrix, fitted_line),
)
