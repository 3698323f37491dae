"""Raising and clearing: evidence, looks in a row, hysteresis."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.monitor.alerts import ALERTS, AlertRule, Episode, Measure, Observation, Watch, episodes

RULE = replace(
    ALERTS["high-latency"], threshold=0.1, clear_at=0.08, min_count=100, raise_after=2, clear_after=3, every_minutes=1
)


def series(values: list[float], count: int = 1_000, rule: AlertRule = RULE) -> tuple[Episode, ...]:
    return episodes([rule], [Observation(n, {rule.measure: Measure(v, count)}) for n, v in enumerate(values)])


def spans(values: list[float], **options: int) -> list[tuple[float, float | None]]:
    return [(episode.raised_at, episode.cleared_at) for episode in series(values, **options)]


def test_one_bad_look_raises_nothing():
    assert spans([0.2, 0.05, 0.2, 0.05]) == []


def test_bad_looks_in_a_row_raise_one_alert_and_good_ones_clear_it():
    assert spans([0.2, 0.2, 0.2, 0.05, 0.05, 0.05, 0.05]) == [(1, 5)]


def test_a_value_that_hovers_below_the_threshold_does_not_clear():
    assert spans([0.2, 0.2] + [0.09] * 20) == [(1, None)]


def test_a_value_that_hovers_around_the_threshold_is_one_alert():
    assert spans([0.2, 0.2] + [0.05, 0.2] * 10) == [(1, None)]


def test_too_little_evidence_raises_nothing_and_clears_nothing():
    assert spans([0.2] * 10, count=99) == []
    watch = Watch([RULE])
    for at, measure in enumerate([Measure(0.2, 500)] * 2 + [Measure(0.01, 5)] * 9):
        watch.look(Observation(at, {RULE.measure: measure}))
    assert len(watch.firing) == 1


def test_what_was_not_measured_leaves_everything_as_it_was():
    watch = Watch([RULE])
    for at, value in enumerate([0.2, nan, 0.2]):
        raised = watch.look(Observation(at, {RULE.measure: Measure(value, 500)}))
    assert [episode.raised_at for episode in raised] == [2]
    assert watch.look(Observation(9, {})) == ()


def test_exactly_at_the_threshold_is_good():
    assert spans([0.1] * 9) == []


def test_a_rule_may_watch_for_small_values():
    assert [e.rule_id for e in series([0.8, 0.8], rule=ALERTS["performance-drop"])] == ["performance-drop"]
    assert series([0.9, 0.9], rule=ALERTS["performance-drop"]) == ()


def test_rules_do_not_mix():
    rules = (RULE, ALERTS["feature-drift"])
    looks = [Observation(n, {RULE.measure: Measure(0.2, 500), "drifted_features": Measure(0, 500)}) for n in range(4)]
    assert [episode.rule_id for episode in episodes(rules, looks)] == ["high-latency"]


def test_the_four_alerts_of_the_specification_are_there():
    assert [rule.specified for rule in ALERTS.values()] == [
        "p99 > 100ms",
        "Fraud rate changed >20%",
        "KS test p < 0.01",
        "Online AUC < 0.85",
    ]


def test_an_alert_that_could_never_clear_is_refused():
    with pytest.raises(InvalidInput, match="clear"):
        replace(RULE, clear_at=0.2)
    with pytest.raises(InvalidInput, match="1 or more"):
        replace(RULE, raise_after=0)
