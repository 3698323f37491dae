"""The gate lets through what is better, and says why it refuses the rest."""

from __future__ import annotations

import numpy as np
import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.registry.gate import Contender, Evidence, GatePolicy, decide, report_from_content

FAST = GatePolicy(resamples=200)


def test_a_better_candidate_passes_with_its_interval(evidence, rng):
    report = decide(evidence(2.5, 2.0), rng, FAST)
    assert report.passed
    assert report.reasons == ()
    assert report.auc_gain == pytest.approx(report.candidate_auc - report.production_auc)
    low, high = report.gain_interval
    assert 0.01 < low < report.auc_gain < high
    assert report.probability_better == 1.0


@pytest.mark.parametrize("candidate", [2.0, 1.5])
def test_an_equal_and_a_worse_candidate_are_refused(evidence, rng, candidate):
    report = decide(evidence(candidate, 2.0), rng, FAST)
    assert not report.passed
    assert "more than 0.01 is needed" in report.reasons[0]


def test_a_gain_of_luck_on_a_short_window_is_refused(rng):
    y = np.array([1] * 60 + [0] * 60)
    production = np.concatenate([rng.normal(1.5, 1, 60), rng.normal(0, 1, 60)])
    candidate = np.concatenate([rng.normal(1.7, 1, 60), rng.normal(0, 1, 60)])
    sides = (Contender("c", "s", candidate), Contender("p", "s", production))
    policy = GatePolicy(min_auc_gain=-1.0, resamples=300)
    report = decide(Evidence(y, np.arange(120), 0, 1, 10**12, *sides), rng, policy)
    assert not report.passed
    assert "does not exclude zero" in report.reasons[0]


def test_an_immature_window_is_refused_before_anything_is_measured(evidence, rng):
    report = decide(evidence(3.0, 1.0, age_days=119), rng, FAST)
    assert not report.passed
    assert "immature" in report.reasons[0]
    assert "119 days" in report.reasons[0]
    assert report.candidate_auc is None
    assert decide(evidence(3.0, 1.0, age_days=120), rng, FAST).passed


def test_schema_mismatch_and_too_few_frauds_are_refused(evidence, rng):
    assert "schemas differ" in decide(evidence(3.0, 1.0, schemas=("s", "t")), rng, FAST).reasons[0]
    assert "frauds" in decide(evidence(3.0, 1.0, n=200), rng, FAST).reasons[0]


def test_a_first_model_meets_an_absolute_bar(evidence, rng):
    assert decide(evidence(2.0), rng, FAST).passed
    report = decide(evidence(0.5), rng, FAST)
    assert "bar for a first model" in report.reasons[0]


def test_rows_that_do_not_belong_together_are_refused(evidence, rng):
    good = evidence(2.0)
    short = Contender("c", "s", good.candidate.y_score[:-1])
    with pytest.raises(InvalidInput, match="same rows"):
        decide(Evidence(good.y_true, good.group, 0, 1, 2, short), rng, FAST)
    hole = Contender("c", "s", np.where(np.arange(len(good.y_true)) == 3, np.nan, good.candidate.y_score))
    with pytest.raises(InvalidInput, match="finite"):
        decide(Evidence(good.y_true, good.group, 0, 1, 2, hole), rng, FAST)


def test_report_survives_storage(evidence, rng):
    report = decide(evidence(2.5, 2.0), rng, FAST)
    assert report_from_content({**report.content(), "digest": "x"}) == report


def test_the_same_seed_gives_the_same_report(evidence):
    a, b = (decide(evidence(2.1, 2.0), np.random.default_rng(4), FAST) for _ in range(2))
    assert a == b
