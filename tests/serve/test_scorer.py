"""Parts that fail: what is answered, and that what is left still decides."""

from __future__ import annotations

import io

import numpy as np
import orjson
import pytest

from fraudkit.core.errors import StoreUnavailable
from fraudkit.features.catalog import INDEX
from fraudkit.serve.contracts import EXAMPLE_REQUEST
from fraudkit.serve.intake import take_in
from fraudkit.serve.logs import DecisionLog
from fraudkit.serve.parts import FAILURES
from fraudkit.serve.scorer import Outcome, Scorer, Waiting


def outcome(scorer: Scorer, **changes: object) -> Outcome:
    intake = take_in({**EXAMPLE_REQUEST, **changes}, scorer.clock.now_ms())
    return scorer.score([Waiting(intake, 0.0)])[0]


def score(scorer: Scorer, **changes: object) -> dict:
    found = outcome(scorer, **changes)
    assert found.status == 200
    return orjson.loads(found.reply)


def gone(*_: object) -> None:
    raise StoreUnavailable("gone")


@pytest.mark.parametrize(("amount", "decision"), [(200.0, "APPROVE_FALLBACK"), (200.5, "REVIEW")])
@pytest.mark.parametrize("failure", [StoreUnavailable("gone"), ValueError("odd"), RuntimeError("broken")])
def test_without_a_model_small_amounts_pass_and_others_are_looked_at(scorer, amount, decision, failure):
    scorer.serving.model.fail(failure)
    reply = score(scorer, amount=amount)
    assert (reply["decision"], reply["fraud_score"], reply["degraded"]) == (decision, None, ["trees", "network"])
    assert reply["reason"] == "The trees could not score; the network could not score"


@pytest.mark.parametrize("answer", [np.nan, np.inf, -0.1, 1.1])
def test_a_score_that_cannot_be_one_counts_as_no_model(scorer, answer):
    scorer.serving.model.member = lambda name, X: np.array([answer])
    reply = score(scorer)
    assert (reply["decision"], reply["degraded"]) == ("APPROVE_FALLBACK", ["trees", "network"])


@pytest.mark.parametrize("member", ["trees", "network"])
@pytest.mark.parametrize(("amount", "decision"), [(190.0, "APPROVE"), (210.0, "REVIEW"), (950.0, "DECLINE")])
def test_one_member_scores_for_both_and_is_trusted_less(scorer, member, amount, decision):
    scorer.serving.model.failures = {member: RuntimeError("broken")}
    reply = score(scorer, amount=amount)
    assert (reply["decision"], reply["fraud_score"], reply["degraded"]) == (decision, amount / 1000, [member])


def test_without_a_model_a_decisive_rule_still_declines(scorer):
    scorer.serving.model.fail(StoreUnavailable("gone"))
    scorer.assessor.features.counts["user-17"] = 20
    reply = score(scorer)
    assert (reply["decision"], reply["fraud_score"], reply["explanation"]) == ("DECLINE", 0.9, [])


@pytest.mark.parametrize(("amount", "decision"), [(199.0, "APPROVE"), (201.0, "REVIEW"), (950.0, "DECLINE")])
def test_without_the_store_the_transaction_is_scored_alone_and_more_carefully(scorer, amount, decision):
    scorer.assessor.features.down = True
    scorer.serving.model.failures = dict.fromkeys(("trees", "network"), AssertionError("asked without a history"))
    reply = score(scorer, amount=amount)
    assert (reply["decision"], reply["degraded"]) == (decision, ["feature_store"])


def test_without_the_store_the_secondary_answers_and_the_members_score(scorer):
    scorer.assessor.secondary = type(scorer.assessor.features)()
    scorer.assessor.features.down = True
    scorer.serving.model.failures = {"alone": AssertionError("asked with a history")}
    for number in range(21):
        reply = score(scorer, transaction_id=f"t{number}")
    assert (reply["decision"], reply["degraded"]) == ("DECLINE", ["feature_store"])
    scorer.assessor.secondary.down = True
    scorer.serving.model.failures = {}
    assert score(scorer, transaction_id="alone")["degraded"] == ["feature_store", "secondary_store"]


def test_without_store_and_model_and_reputation_there_is_still_an_answer(scorer):
    scorer.assessor.features.down = scorer.assessor.reputation.down = True
    scorer.serving.model.fail(MemoryError())
    reply = score(scorer)
    assert reply["decision"] == "APPROVE_FALLBACK"
    assert reply["degraded"] == ["ip_reputation", "feature_store", "transaction_model"]


@pytest.mark.parametrize("wrong", [np.zeros((1, 7), np.float32), np.full((1, 143), np.inf, np.float32)])
def test_vectors_that_cannot_be_right_count_as_no_store(scorer, wrong):
    scorer.assessor.features.vectors = lambda transactions: type("B", (), {"X": wrong})
    assert score(scorer)["degraded"] == ["feature_store"]


def test_the_reputation_reaches_the_vector(scorer):
    device = {**EXAMPLE_REQUEST["device"], "ip_address": "198.51.100.9"}
    score(scorer, transaction_id="bad", device=device)
    vector = np.frombuffer(scorer.decisions.get("bad").vector, dtype="<f4")
    assert vector[INDEX["ip_reputation"]] == np.float32(0.9)


@pytest.mark.parametrize(("device", "degraded"), [({}, []), ({"ip_address": "198.51.100.9"}, ["ip_reputation"])])
def test_without_the_store_that_rates_addresses_their_rating_is_missing_too(scorer, device, degraded):
    scorer.assessor.reputation = None
    scorer.assessor.features.down = True
    assert score(scorer, device=device)["degraded"] == ["feature_store", *degraded]


def test_a_part_that_keeps_failing_is_left_alone(scorer):
    asked = []
    scorer.assessor.features.vectors = lambda transactions: asked.append(1) or gone()
    for number in range(10):
        assert score(scorer, transaction_id=f"t{number}")["degraded"] == ["feature_store"]
    assert len(asked) == FAILURES


def test_only_flagged_payments_lack_an_explanation(scorer):
    scorer.serving.model.explain = gone
    assert score(scorer, transaction_id="low", amount=10.0)["degraded"] == []
    reply = score(scorer, transaction_id="high", amount=950.0)
    assert (reply["decision"], reply["explanation"], reply["degraded"]) == ("DECLINE", [], ["explanation"])


@pytest.mark.parametrize(("known", "age", "decision", "is_new"), [
    (1, 400, "APPROVE", False), (1, 29, "REVIEW", True), (0, 0, "REVIEW", True),
])  # fmt: skip
def test_new_card_holders_are_looked_at_sooner(scorer, known, age, decision, is_new):
    inner = scorer.assessor.features.vectors

    def vectors(transactions):
        batch = inner(transactions)
        batch.X[:, INDEX["user_is_known"]], batch.X[:, INDEX["account_age_days"]] = known, age
        return batch

    scorer.assessor.features.vectors = vectors
    reply = score(scorer, amount=450.0)
    assert (reply["decision"], reply["new_customer"]) == (decision, is_new)


@pytest.mark.parametrize("method", ["stored", "add"])
def test_without_the_database_the_journal_keeps_the_decision(scorer, method):
    setattr(scorer.decisions, method, gone)
    first = outcome(scorer)
    assert orjson.loads(first.reply)["degraded"] == ["database"]
    assert outcome(scorer) == first  # a retry gets the stored bytes
    assert outcome(scorer, amount=43.0).status == 409
    assert scorer.decisions.get("txn-2041") is None
    assert scorer.journal.move(scorer.decisions) == 1
    assert scorer.decisions.get("txn-2041").reply == first.reply


def test_without_database_and_journal_there_is_no_reply(scorer):
    scorer.decisions.add = scorer.journal.add = gone
    with pytest.raises(StoreUnavailable):
        score(scorer)


def test_a_listener_hears_of_every_decision_once(scorer):
    heard = []
    scorer.listeners.append(lambda decided, records: heard.extend(r.transaction_id for r in records))
    for name in ("a", "b", "a"):
        score(scorer, transaction_id=name)
    assert heard == ["a", "b"]


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
    scorer.assessor.log = DecisionLog(stream)
    scorer.assessor.features.down = True
    for number in range(20):
        score(scorer, transaction_id=f"t{number}")
    assert len(stream.getvalue().splitlines()) == 1
