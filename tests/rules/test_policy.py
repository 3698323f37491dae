"""Score to action at the thresholds, and the cost policy against brute force."""

from __future__ import annotations

import numpy as np
import pytest

from fraudkit.core.decision import Action
from fraudkit.core.errors import InvalidInput
from fraudkit.rules.cost_policy import CostPolicy, Costs
from fraudkit.rules.policy import DEFAULT_POLICY, Policy

CASES = [(0.0, "APPROVE"), (0.5, "APPROVE"), (np.nextafter(0.5, 1), "REVIEW"), (0.9, "REVIEW"),
         (np.nextafter(0.9, 1), "DECLINE"), (1.0, "DECLINE")]  # fmt: skip


@pytest.mark.parametrize(("score", "action"), CASES)
def test_a_score_exactly_at_a_threshold_stays_below_it(score: float, action: str) -> None:
    assert DEFAULT_POLICY.decide(score) == action
    assert DEFAULT_POLICY.decide_many(np.array([score]), np.array([False])).tolist() == [action]


def test_rules_fallback_and_degraded() -> None:
    assert DEFAULT_POLICY.decide(None, decisive_hit=True) is Action.DECLINE
    assert DEFAULT_POLICY.decide_many(np.array([0.1]), np.array([True])).tolist() == ["DECLINE"]
    assert DEFAULT_POLICY.decide(None, amount_usd=200.0) is Action.APPROVE_FALLBACK
    assert DEFAULT_POLICY.decide(None, amount_usd=200.01) is Action.REVIEW
    assert DEFAULT_POLICY.decide(None) is Action.REVIEW
    assert DEFAULT_POLICY.decide(0.4) is Action.APPROVE
    assert DEFAULT_POLICY.decide(0.4, degraded=True) is Action.REVIEW


@pytest.mark.parametrize("score", [float("nan"), -0.1, 1.1])
def test_no_score_outside_its_range_is_decided(score: float) -> None:
    with pytest.raises(InvalidInput):
        DEFAULT_POLICY.decide(score)
    with pytest.raises(InvalidInput):
        DEFAULT_POLICY.decide_many(np.array([score]), np.array([False]))


def test_policies_round_trip_and_refuse_nonsense() -> None:
    policy = Policy(decline_above=0.8, version=2)
    assert Policy.from_json(policy.to_json()) == policy
    assert policy.digest() != DEFAULT_POLICY.digest()
    cost = CostPolicy(Costs(false_negative=None), 0.25)
    assert CostPolicy.from_json(cost.to_json()) == cost
    for make in (lambda: Policy(decline_above=0.4), lambda: Policy.from_json("[]"), lambda: Costs(review=-1),
                 lambda: CostPolicy.from_json("{}")):  # fmt: skip
        with pytest.raises(InvalidInput):
            make()


def test_the_known_optimum_is_recovered() -> None:
    # Without reviews, decline is cheaper where (1 - p) * 2 < p * 150: above p = 2/152.
    policy = CostPolicy(Costs(review=10.0))
    p = np.linspace(0, 1, 5001)
    declined = policy.decide_many(p, np.ones_like(p)) == "DECLINE"
    assert p[declined].min() == pytest.approx(2 / 152, abs=2e-4)
    assert declined[p > 2 / 152].all()


def test_the_cheapest_action_wins_and_reviews_fit_the_budget() -> None:
    rng = np.random.default_rng(5)
    p, amount = rng.beta(0.05, 3, 4000), rng.lognormal(4, 1, 4000)
    policy = CostPolicy(Costs(false_negative=None, review=0.5, review_catch=0.9))
    expected = policy.expected_costs(p, amount)
    names = np.array(["APPROVE", "REVIEW", "DECLINE"])
    assert policy.decide_many(p, amount).tolist() == names[expected.argmin(axis=1)].tolist()

    limited = policy.with_alert_budget(p, amount, n_days=10, alert_budget=5)
    reviewed = limited.decide_many(p, amount) == "REVIEW"
    assert reviewed.sum() == 50
    # No 50 other reviews save more.
    saving = policy.review_saving(p, amount)
    assert saving[reviewed].min() >= np.sort(saving)[-50]
    assert policy.with_alert_budget(p, amount, n_days=10, alert_budget=10_000).min_review_saving == 0.0
