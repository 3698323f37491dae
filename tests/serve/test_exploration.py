"""Exploration in the scorer: declines by score too, never where a part was missing, nothing while it is off."""

from __future__ import annotations

import orjson
import pytest

from fraudkit.rules.exploration import Exploration
from fraudkit.serve.decide import Decider
from fraudkit.serve.intake import take_in
from fraudkit.serve.scorer import Waiting
from tests.serve.conftest import NOW_MS

ALL_PASS = Exploration(0.1, 2_000.0, "only for this test")
N = 400


def scored(scorer, request_body, **changes: object) -> list[dict]:
    """Replies on payments that the model would have declined."""
    bodies = [request_body(transaction_id=f"t{k}", user_id=f"u{k}", amount=950.0, **changes) for k in range(N)]
    outcomes = scorer.score([Waiting(take_in(item, NOW_MS), 0.0) for item in bodies])
    return [orjson.loads(outcome.reply) for outcome in outcomes]


@pytest.fixture
def exploring(scorer):
    scorer.decider = Decider(scorer.decider.rules, scorer.decider.policy, ALL_PASS)
    return scorer


def test_a_decline_by_score_may_be_let_pass(exploring, request_body):
    replies = scored(exploring, request_body)
    let_pass = [reply for reply in replies if reply["explored"]]
    assert 20 <= len(let_pass) <= 70
    assert f"fraud_explored_total {len(let_pass)}.0" in exploring.metrics.text().decode()
    assert let_pass[0]["decision"] == "APPROVE"
    assert let_pass[0]["reason"].endswith("else declined: its score")
    assert exploring.decisions.get(let_pass[0]["transaction_id"]).action == "APPROVE"


def test_nothing_is_tried_out_while_a_part_is_missing(exploring, request_body):
    exploring.assessor.features.down = True
    assert {(reply["decision"], "explored" in reply) for reply in scored(exploring, request_body)} == {
        ("DECLINE", False)
    }


def test_while_it_is_off_a_reply_is_as_it_was(scorer, request_body):
    assert {(reply["decision"], "propensity" in reply) for reply in scored(scorer, request_body)} == {
        ("DECLINE", False)
    }
    assert scorer.decider.policy_digest() == scorer.decider.policy.digest()
