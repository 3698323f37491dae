"""Drift day by day: each day against the weeks before it, and how far a quiet day usually lies from them.

The usual distances come from days on which nothing was wrong, before the days that are to be judged.
They take in what no formula knows: weekdays, pay days, cards that pay in bursts, rates that all rows share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.monitor.drift import DEFAULT_LIMITS, DriftLimits, DriftReference, DriftReport

REFERENCE_DAYS = 28  # four whole weeks, so that every weekday weighs the same


@dataclass(frozen=True, slots=True)
class DriftDay:
    """The report of one day."""

    day: int
    report: DriftReport


def drift_by_day(
    X: np.ndarray,
    day: np.ndarray,
    names: Sequence[str],
    days: range,
    rng: np.random.Generator,
    *,
    reference: DriftReference | None = None,
    usual: np.ndarray | None = None,
    limits: DriftLimits = DEFAULT_LIMITS,
    reference_days: int = REFERENCE_DAYS,
) -> tuple[DriftDay, ...]:
    """Compare the rows of each day with a fixed reference, or with those of the days before it.

    Parameters
    ----------
    X : (n, n_features) vectors
    day : int (n,), the day each became known, counted from any day
    days : which days to judge; a day without rows, or with fewer than two rows before it, is left out
    rng : draws the reference rows where there are many
    reference : None takes the `reference_days` days before each day
    usual, limits : as for `DriftReference.compare`

    Raises
    ------
    InvalidInput
        `day` has another length than X, or reference_days is below 1.
    """
    if day.shape != (len(X),) or reference_days < 1:
        raise InvalidInput(
            f"day {day.shape} for {len(X)} rows, reference_days={reference_days}: give (n,) and 1 or more"
        )
    order = np.argsort(day, kind="stable")
    in_order = day[order]

    def rows(first: int, end: int) -> np.ndarray:
        low, high = np.searchsorted(in_order, [first, end])
        return np.sort(order[low:high])

    found = []
    for today in days:
        current, before = rows(today, today + 1), rows(today - reference_days, today)
        if len(current) and (reference is not None or len(before) > 1):
            compared = DriftReference.of(X[before], names, rng) if reference is None else reference
            found.append(DriftDay(today, compared.compare(X[current], limits, usual)))
    return tuple(found)


def usual_distances(history: Sequence[DriftDay]) -> np.ndarray:
    """The largest distance that each feature reached on quiet days: float64 (n_features,).

    Raises
    ------
    InvalidInput
        There is no day.
    """
    if not history:
        raise InvalidInput("no quiet day to learn usual distances from; hand in some weeks of history")
    return np.max([[feature.statistic for feature in entry.report.features] for entry in history], axis=0)
