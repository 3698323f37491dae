"""When a retraining is asked for."""

from __future__ import annotations

import pandas as pd
import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.evaluate.bootstrap import Interval
from fraudkit.monitor.performance import OnlinePerformance
from fraudkit.monitor.retraining import RetrainingPolicy, Trigger, should_trigger_retraining


def asked(auc: tuple[float, float] | None = (0.88, 0.93), frauds: int = 100, **given: float) -> Trigger:
    interval = Interval(sum(auc) / 2, *auc) if auc else None
    performance = OnlinePerformance(pd.Timestamp("2025-06-01", tz="UTC"), 9_000, frauds, 90, interval, None, None)
    facts = {"model_age_days": 10, "new_frauds": 200, "drift_days": 0, **given}
    return should_trigger_retraining(performance, **facts)  # type: ignore[arg-type]


def test_a_good_young_model_is_left_alone():
    assert not asked().wanted


def test_an_estimate_below_the_threshold_is_no_reason_while_its_interval_reaches_above():
    assert not asked(auc=(0.79, 0.87)).wanted
    assert asked(auc=(0.75, 0.84)).wanted


def test_few_frauds_say_nothing():
    assert not asked(auc=(0.5, 0.7), frauds=29).wanted
    assert not asked(auc=None, frauds=0).wanted


def test_age_and_lasting_drift_are_reasons():
    assert asked(model_age_days=31).wanted
    assert asked(drift_days=3).wanted
    assert not asked(drift_days=2).wanted


def test_without_new_frauds_there_is_nothing_to_learn_from():
    trigger = asked(model_age_days=31, new_frauds=49)
    assert not trigger.wanted
    assert trigger.reasons
    assert "49" in trigger.against[0]


def test_an_impossible_policy_is_refused():
    with pytest.raises(InvalidInput, match="auc_below"):
        RetrainingPolicy(auc_below=0.4)
