"""Counting alarms while nothing is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.monitor.drift_history import drift_by_day, usual_distances
from fraudkit.monitor.false_alarms import ALERT, AlarmRate, drift_false_alarms

NAMES = ("weekday", "level", *(f"noise{k}" for k in range(20)))
DAYS, PER_DAY = 84, 250


def rates(break_from: int | None = None) -> dict[str, AlarmRate]:
    """A world with one feature that follows the weekday, and noise; from a day on `level` may be broken."""
    rng = np.random.default_rng(0)
    day = np.repeat(np.arange(DAYS), PER_DAY)
    X = rng.normal(size=(len(day), len(NAMES)))
    X[:, 0] = day % 7
    if break_from is not None:
        X[day >= break_from, 1] = 0.0
    usual = usual_distances(drift_by_day(X, day, NAMES, range(28, 56), rng))
    found = drift_false_alarms(
        X, day, NAMES, training=np.flatnonzero(day < 42), judged=range(56, DAYS), usual=usual, rng=rng
    )
    return {rate.way: rate for rate in found}


def test_what_always_moves_alarms_daily_until_its_habit_is_known():
    found = rates()
    assert found["and an effect size"].a_month == 30
    assert found["and further than on any quiet day"].alarmed_days == 0
    assert found[ALERT].alarmed_days == 0


def test_a_real_break_still_raises_one_alert():
    assert rates(break_from=70)[ALERT].alarmed_days == 1


def test_days_without_a_payment_are_refused():
    with pytest.raises(InvalidInput, match="no row"):
        drift_false_alarms(
            np.zeros((4, 1)), np.arange(4) % 2, ("a",), training=np.arange(4), judged=range(7, 9), usual=np.zeros(1),
            rng=np.random.default_rng(0),
        )  # fmt: skip
