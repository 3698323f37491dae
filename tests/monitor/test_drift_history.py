"""Each day against the weeks before it, and what is usual."""

from __future__ import annotations

import numpy as np
import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.monitor.drift import DriftReference
from fraudkit.monitor.drift_history import drift_by_day, usual_distances

PER_DAY = 300


def days_of(values: list[float], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """One feature whose mean on each day is given."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(len(values)), PER_DAY)
    return rng.normal(np.array(values)[day])[:, np.newaxis], day


def test_a_day_is_compared_with_earlier_days_only():
    X, day = days_of([0.0] * 30 + [3.0] + [0.0] * 3)
    found = drift_by_day(X, day, ("a",), range(20, 34), np.random.default_rng(1))
    assert [entry.day for entry in found if entry.report.drifted] == [30]


def test_the_order_of_rows_does_not_matter():
    X, day = days_of([0.0, 0.0, 1.0])
    order = np.random.default_rng(2).permutation(len(day))
    reports = [
        drift_by_day(X[rows], day[rows], ("a",), range(1, 3), np.random.default_rng(1))
        for rows in (np.arange(len(day)), order)
    ]
    assert reports[0] == reports[1]


def test_a_fixed_reference_takes_the_place_of_the_days_before():
    X, day = days_of([0.0] * 3 + [3.0] * 6)
    fixed = DriftReference.of(X[day < 3], ("a",), np.random.default_rng(1))
    found = drift_by_day(X, day, ("a",), range(3, 9), np.random.default_rng(1), reference=fixed)
    assert all(entry.report.drifted for entry in found)


def test_a_feature_that_moves_every_week_is_quiet_once_its_habit_is_known():
    X, day = days_of([1.0 if number % 7 == 0 else 0.0 for number in range(70)])
    rng = np.random.default_rng(1)
    usual = usual_distances(drift_by_day(X, day, ("a",), range(14, 42), rng))
    judged = drift_by_day(X, day, ("a",), range(42, 70), rng, usual=usual)
    plain = drift_by_day(X, day, ("a",), range(42, 70), rng)
    assert sum(bool(entry.report.drifted) for entry in plain) == 4
    assert not any(entry.report.drifted for entry in judged)


def test_a_day_without_rows_is_left_out():
    X, day = days_of([0.0, 0.0, 0.0])
    kept = day != 1
    found = drift_by_day(X[kept], day[kept], ("a",), range(0, 3), np.random.default_rng(1))
    assert [entry.day for entry in found] == [2]


def test_no_history_and_days_of_another_length_are_refused():
    with pytest.raises(InvalidInput, match="quiet"):
        usual_distances(())
    with pytest.raises(InvalidInput, match="reference_days"):
        drift_by_day(np.zeros((3, 1)), np.zeros(2, int), ("a",), range(1), np.random.default_rng(1))
