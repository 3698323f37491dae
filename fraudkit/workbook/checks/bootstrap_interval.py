"""A percentile bootstrap interval for a ratio of sums, over days, with the resamples given."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def drawn_day_by_day(stopped, fraud, resamples, confidence=0.95):
    """The oracle: loops in exact fractions, and the quantile by its position among the sorted shares."""
    stopped, fraud = [Fraction(float(v)) for v in stopped], [Fraction(float(v)) for v in fraud]
    shares = []
    for days in resamples:
        above = below = Fraction(0)
        for day in days:
            above, below = above + stopped[int(day)], below + fraud[int(day)]
        if below:
            shares.append(above / below)
    shares.sort()

    def quantile(level):
        place = level * (len(shares) - 1)
        left = min(int(place), len(shares) - 1)
        right = min(left + 1, len(shares) - 1)
        return float(shares[left]) + (place - left) * float(shares[right] - shares[left])

    tail = (1 - confidence) / 2
    return float(sum(stopped) / sum(fraud)), quantile(tail), quantile(1 - tail)


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first: one resample, uneven days, days without fraud; then random ones."""
    uneven = (np.array([90.0, 0.0, 30.0, 5.0]), np.array([100.0, 400.0, 40.0, 50.0]))
    draws = np.array([[0, 1, 2, 3], [0, 0, 2, 3], [1, 1, 2, 0], [3, 3, 3, 1], [2, 2, 0, 1]])
    quiet = (np.array([50.0, 0.0, 0.0]), np.array([100.0, 0.0, 200.0]))
    found = [
        Case("two days, three resamples", ([10.0, 30.0], [20.0, 40.0], [[0, 1], [0, 0], [1, 1]], 0.5)),
        Case(
            "days of very different size",
            (*uneven, draws, 0.8),
            why="the share of a month is money over money: a day of 400 lost weighs more than one of 40",
        ),
        Case(
            "a resample of days without fraud",
            (*quiet, np.array([[0, 2, 1], [1, 1, 1], [0, 0, 1], [2, 2, 0], [1, 1, 1]]), 0.9),
            why="nothing was there to be stopped, so there is no share: neither 0 nor 1, the resample is left out",
        ),
        Case("one resample", (*uneven, np.array([[3, 0, 0, 1]])), why="both ends fall on the only share there is"),
        Case(
            "four resamples of four days",
            (*uneven, np.array([[0, 0, 2, 3], [1, 2, 2, 2], [3, 1, 0, 0], [2, 1, 3, 3]]), 0.6),
            why="each row is a resample, even where the matrix is square",
        ),
        Case("whole numbers, the default confidence", ([3, 0, 2, 9], [3, 1, 5, 9], rng.integers(0, 4, (40, 4)))),
        Case(
            "no fraud at all",
            (np.zeros(2), np.zeros(2), np.array([[0, 1], [1, 1]])),
            raises="ValueError",
            why="0 of 0 has no share, so there is nothing to estimate",
        ),
        Case(
            "every resample without fraud",
            (np.array([1.0, 0.0]), np.array([4.0, 0.0]), np.array([[1, 1], [1, 1]])),
            raises="ValueError",
            why="no share is left to take a quantile of",
        ),
        Case("confidence of nought", (*uneven, draws, 0.0), raises="ValueError"),
        Case("confidence of one", (*uneven, draws, 1.0), raises="ValueError", why="no finite sample gives certainty"),
        Case(
            "resamples of another length",
            (*uneven, np.array([[0, 1, 2], [2, 1, 0]])),
            raises="ValueError",
            why="a resample has as many days as the data, otherwise the interval has another width",
        ),
        Case("lengths differ", (np.ones(3), np.ones(4), draws), raises="ValueError"),
    ]
    for days, resamples, confidence in ((30, 200, 0.95), (14, 61, 0.9)):
        lost = np.round(rng.gamma(0.7, 300.0, days), 2) + 1.0
        stopped = np.round(lost * rng.random(days), 2)
        lost[3] = stopped[3] = 0.0
        found.append(Case(f"{days} days", (stopped, lost, rng.integers(0, days, (resamples, days)), confidence)))
    return found


def by_multiplicity(stopped, fraud, resamples, confidence=0.95):
    """Accepted: how often each resample holds each day, times the days' sums."""
    both = [np.asarray(values, dtype=float) for values in (stopped, fraud)]
    resamples = np.asarray(resamples)
    days = len(both[0])
    if not 0 < confidence < 1 or len(both[1]) != days or resamples.shape[1:] != (days,):
        raise ValueError("confidence, lengths or resamples do not fit")
    times = np.array([np.bincount(row, minlength=days) for row in resamples])
    above, below = (times @ values for values in both)
    kept = below > 0
    if not both[1].sum() or not kept.any():
        raise ValueError("no fraud to be stopped")
    shares = np.sort(above[kept] / below[kept])
    place = np.array([0.5 - confidence / 2, 0.5 + confidence / 2]) * (len(shares) - 1)
    low, high = np.interp(place, np.arange(len(shares)), shares)
    return [both[0].sum() / both[1].sum(), low, high]


def plain_loops(stopped, fraud, resamples, confidence=0.95):
    """Accepted: loops over resamples and days, `np.percentile` at the end."""
    if len(stopped) != len(fraud):
        raise ValueError("stopped and fraud differ in length")
    if confidence <= 0 or confidence >= 1:
        raise ValueError(f"confidence {confidence} is not between 0 and 1")
    if sum(fraud) == 0:
        raise ValueError("there is no fraud in the data")
    shares = []
    for days in resamples:
        if len(days) != len(fraud):
            raise ValueError("a resample has another number of days")
        lost = sum(float(fraud[day]) for day in days)
        if lost > 0:
            shares.append(sum(float(stopped[day]) for day in days) / lost)
    if not shares:
        raise ValueError("no resample holds fraud")
    tail = 50 * (1 - confidence)
    return (float(sum(stopped)) / float(sum(fraud)), *np.percentile(shares, [tail, 100 - tail]))


EXERCISE = Exercise(
    id="bootstrap_interval",
    title="Bootstrap interval of a ratio",
    minutes=15,
    difficulty="medium",
    feeds="07",
    week="7-8",
    hints=(
        "Ask of each resample what you asked of the data: how much was stopped, of how much?",
        "Index both arrays with the same matrix: `stopped[resamples]` has one row for each resample. Sum along the "
        "days, then divide.",
        "A confidence of 0.95 leaves 0.025 on each side: two quantiles of the shares that exist.",
    ),
    cases=cases,
    expect=drawn_day_by_day,
    agree=close(),
    mutants=(
        Mutant(
            "mean-of-ratios",
            "The days' own shares were averaged, so a quiet day weighs as much as a day of heavy loss. Add up both "
            "sides first, then divide once.",
            swaps=(
                (
                    "stopped[resamples].sum(axis=1)[kept] / total[kept]",
                    "(stopped[resamples] / np.where(fraud[resamples] > 0, fraud[resamples], 1.0)).mean(axis=1)[kept]",
                ),
            ),
        ),
        Mutant(
            "all-of-it-on-each-side",
            "The whole of 1 - confidence was left out on each side, which makes a 90 % interval where 95 % was asked "
            "for. Each side gets a half.",
            swaps=(("[(1 - confidence) / 2, (1 + confidence) / 2]", "[1 - confidence, confidence]"),),
        ),
        Mutant(
            "mean-of-the-resamples",
            "The mean of the resamples was returned as the estimate. The estimate is the share in the data themselves.",
            swaps=(("stopped.sum() / fraud.sum()", "shares.mean()"),),
        ),
        Mutant(
            "reflected-interval",
            "The interval was reflected at the estimate (the basic bootstrap). The percentile interval takes the "
            "quantiles as they are.",
            swaps=(
                (
                    "float(low), float(high)",
                    "2 * stopped.sum() / fraud.sum() - float(high), 2 * stopped.sum() / fraud.sum() - float(low)",
                ),
            ),
        ),
        Mutant(
            "normal-interval",
            "Estimate plus and minus 1.96 standard errors is symmetric and can leave 0 to 1. The percentile interval "
            "reads the quantiles of the resamples.",
            swaps=(
                (
                    "float(low), float(high)",
                    "*(stopped.sum() / fraud.sum() + np.array([-1.96, 1.96]) * shares.std()).tolist()",
                ),
            ),
        ),
        Mutant(
            "undefined-counted-as-zero",
            "A resample without fraud was counted as a share of 0, which drags the lower end down. It has no share: "
            "leave it out.",
            swaps=(
                (
                    "shares = stopped[resamples].sum(axis=1)[kept] / total[kept]",
                    "shares = np.where(kept, stopped[resamples].sum(axis=1) / np.where(kept, total, 1.0), 0.0)",
                ),
            ),
        ),
        Mutant(
            "denominator-not-resampled",
            "Only the money stopped was resampled, the fraud beneath it stayed that of the data. Both come from the "
            "same drawn days, otherwise shares above 1 appear.",
            swaps=(("[kept] / total[kept]", "[kept] / fraud.sum()"),),
        ),
        Mutant(
            "columns-as-resamples",
            "The sums ran over the resamples instead of the days. Row b of the matrix is one resample.",
            swaps=(
                ("total = fraud[resamples].sum(axis=1)", "total = fraud[resamples].sum(axis=0)"),
                ("stopped[resamples].sum(axis=1)", "stopped[resamples].sum(axis=0)"),
            ),
        ),
        Mutant(
            "quantile-without-interpolation",
            "The quantile was rounded down to the next share below. The question asks for linear interpolation, "
            "NumPy's default.",
            swaps=(("(1 + confidence) / 2])", '(1 + confidence) / 2], method="lower")'),),
        ),
        Mutant(
            "confidence-not-checked",
            "A confidence of 0 or 1 was taken. Neither makes an interval that says anything: raise ValueError.",
            swaps=(("not 0 < confidence < 1 or ", ""),),
        ),
        Mutant(
            "width-not-checked",
            "Resamples of fewer days than the data were taken. Their shares vary more, so the interval is too wide.",
            swaps=((" or resamples.shape[1:] != fraud.shape", ""),),
        ),
        Mutant(
            "no-fraud-not-refused",
            "Without fraud, in the data or in every resample, there is no share, and NaN went out. Raise ValueError.",
            swaps=(('raise ValueError("no fraud in the data, or in any resample")', "return np.nan, np.nan, np.nan"),),
        ),
    ),
    accepted=(by_multiplicity, plain_loops),
)
