"""Parts that fail: what is answered, and that what is left still decides."""

from __future__ import annotations

import io

import numpy as np
import orjson
import pytest

from fraudkit.core.errors import StoreUnavailable
from fraudkit.serve.contracts import EXAMPLE_REQUEST
from fraudkit.serve.intake import take_in
from fraudkit.serve.logs import DecisionLog
from fraudkit.serve.scorer import Scorer, Waiting


def score(scorer: Scorer, **changes: object) -> dict:
    intake = take_in({**EXAMPLE_REQUEST, **changes}, scorer.clock.now_ms())
    (outcome,) = scorer.score([Waiting(intake, 0.0)])
    assert outcome.status == 200
    return orjson.loads(outcome.reply)


@pytest.mark.parametrize(("amount", "decision"), [(200.0, "APPROVE_FALLBACK"), (200.5, "REVIEW")])
@pytest.mark.parametrize("failure", [StoreUnavailable("gone"), ValueError("odd"), RuntimeError("broken")])
def test_without_a_model_small_amounts_pass_and_others_are_looked_at(scorer, amount, decision, failure):
    scorer.model.failure = failure
    reply = score(scorer, amount=amount)
    assert (reply["decision"], reply["fraud_score"], reply["degraded"]) == (decision, None, ["model"])
    assert reply["reason"] == "The model could not score"


def test_a_score_that_is_no_number_counts_as_no_model(scorer):
    scorer.model.score = lambda X: type("S", (), {"ensemble": np.array([np.nan]), "probability": np.array([0.1])})
    reply = score(scorer)
    assert (reply["decision"], reply["degraded"]) == ("APPROVE_FALLBACK", ["model"])


def test_without_a_model_a_decisive_rule_still_declines(scorer):
    scorer.model.failure = StoreUnavailable("gone")
    scorer.features.counts["user-17"] = 20
    reply = score(scorer)
    assert (reply["decision"], reply["fraud_score"], reply["explanation"]) == ("DECLINE", 0.9, [])


@pytest.mark.parametrize(("amount", "decision"), [(299.0, "APPROVE"), (301.0, "REVIEW"), (950.0, "DECLINE")])
def test_without_the_store_the_transaction_is_scored_alone_and_more_carefully(scorer, amount, decision):
    scorer.features.down = True
    reply = score(scorer, amount=amount)
    assert (reply["decision"], reply["degraded"]) == (decision, ["feature_store"])


def test_without_store_and_model_and_reputation_there_is_still_an_answer(scorer):
    scorer.features.down = scorer.reputation.down = True
    scorer.model.failure = MemoryError()
    reply = score(scorer)
    assert (reply["decision"], reply["degraded"]) == ("APPROVE_FALLBACK", ["ip_reputation", "feature_store", "model"])


def test_the_reputation_reaches_the_vector(scorer):
    from fraudkit.features.catalog import INDEX

    device = {**EXAMPLE_REQUEST["device"], "ip_address": "198.51.100.9"}
    score(scorer, transaction_id="bad", device=device)
    vector = np.frombuffer(scorer.decisions.get("bad").vector, dtype="<f4")
    assert vector[INDEX["ip_reputation"]] == np.float32(0.9)


@pytest.mark.parametrize(("device", "degraded"), [({}, []), ({"ip_address": "198.51.100.9"}, ["ip_reputation"])])
def test_without_the_store_that_rates_addresses_their_rating_is_missing_too(scorer, device, degraded):
    scorer.reputation = None
    scorer.features.down = True
    assert score(scorer, device=device)["degraded"] == [*degraded, "feature_store"]


def test_no_reply_exists_before_its_record(scorer):
    scorer.decisions.add = lambda records, context: (_ for _ in ()).throw(StoreUnavailable("disk full"))
    with pytest.raises(StoreUnavailable):
        score(scorer)


def test_one_line_a_decision_and_no_more(scorer):
    stream = io.StringIO()
    scorer.log = DecisionLog(stream, every_decision=True)
    score(scorer, card_token="4111111111111111")
    (line,) = stream.getvalue().splitlines()
    entry = orjson.loads(line)
    assert (entry["event"], entry["transaction_id"], entry["decision"]) == ("decision", "txn-2041", "APPROVE")
    assert "4111" not in line


def test_a_failure_that_lasts_is_told_once_a_second(scorer):
    stream = io.StringIO()
    scorer.log = DecisionLog(stream)
    scorer.features.down = True
    for number in range(20):
        score(scorer, transaction_id=f"t{number}")
    assert len(stream.getvalue().splitlines()) == 1
