from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import pytest

from fraudkit.core.errors import StoreUnavailable
from fraudkit.features.catalog import INDEX, N_FEATURES
from fraudkit.serve.contracts import EXAMPLE_REPLY, BatchReply, DecisionReply, ScoreReply
from fraudkit.serve.keys import KeyFile, KeyRing


def post(service, body: dict) -> httpx.Response:
    return service.client.post("/score_transaction", json=body)


def test_a_decision_that_waits_beside_the_database_is_not_called_unknown(service, request_body):
    def gone(records):
        raise StoreUnavailable("the database is away")

    service.scorer.decisions.add = gone
    reply = service.client.post("/score_transaction", json=request_body()).json()
    early = service.client.get("/decisions/txn-2041")
    assert (early.status_code, early.headers["retry-after"]) == (503, "1")
    del service.scorer.decisions.add
    service.scorer.journal.move(service.scorer.decisions)
    assert service.client.get("/decisions/txn-2041").json()["reply"] == reply
    assert service.client.get("/decisions/unknown").status_code == 404


def test_a_request_of_the_specification_alone_is_scored(service, request_body):
    body = request_body()
    for optional in ("currency", "merchant_category", "card_present", "online_transaction"):
        del body[optional]
    reply = post(service, body)
    assert reply.status_code == 200
    ScoreReply.model_validate_json(reply.text)
    assert set(reply.json()) == set(EXAMPLE_REPLY)
    assert reply.json()["decision"] == "APPROVE"
    assert reply.json()["fraud_score"] == pytest.approx(0.0425)


@pytest.mark.parametrize(
    ("amount", "decision"), [(499.0, "APPROVE"), (501.0, "REVIEW"), (899.0, "REVIEW"), (901.0, "DECLINE")]
)
def test_the_thresholds_decide_and_flags_are_explained(service, request_body, amount: float, decision: str):
    reply = post(service, request_body(amount=amount)).json()
    assert reply["decision"] == decision
    assert [driver["feature"] for driver in reply["explanation"]] == ["amount_usd"] * (decision != "APPROVE")


def test_the_twenty_first_payment_in_an_hour_is_declined_with_the_rules_confidence(service, request_body):
    items = [request_body(transaction_id=f"t{i}", user_id="burst") for i in range(22)]
    replies = [
        r["reply"] for r in service.client.post("/score_transactions", json={"transactions": items}).json()["results"]
    ]
    assert [r["decision"] for r in replies] == ["APPROVE"] * 20 + ["DECLINE"] * 2
    assert replies[20]["fraud_score"] == 0.9
    assert replies[20]["reason"] == "Excessive velocity"
    assert replies[20]["rules"][0]["rule_id"] == "excessive_velocity"


def test_a_retry_gets_the_same_bytes_and_counts_once(service, request_body):
    first = post(service, request_body())
    shuffled = json.dumps(dict(reversed(request_body(amount=42.50).items())), indent=3)
    again = service.client.post("/score_transaction", content=shuffled, headers={"content-type": "application/json"})
    assert again.content == first.content
    assert service.features.counts["user-17"] == 1


def test_another_payload_under_a_used_id_is_refused(service, request_body):
    first = post(service, request_body())
    other = post(service, request_body(amount=43.0))
    assert other.status_code == 409
    assert other.json()["detail"][0]["field"] == "transaction_id"
    assert service.client.get("/decisions/txn-2041").json()["reply"] == first.json()
    assert service.features.counts["user-17"] == 1


def test_a_hundred_retries_at_once_are_one_decision(service, request_body):
    body = request_body()
    limits = httpx.Limits(max_connections=50)
    with httpx.Client(base_url=service.url, limits=limits, timeout=30) as client, ThreadPoolExecutor(50) as pool:
        bodies = [body] * 100 + [body | {"amount": 7.0}] * 20
        replies = list(pool.map(lambda b: client.post("/score_transaction", json=b), bodies))
    accepted = {reply.content for reply in replies if reply.status_code == 200}
    assert len(accepted) == 1
    assert {reply.status_code for reply in replies} == {200, 409}
    assert service.features.counts["user-17"] == 1


def test_a_batch_keeps_order_and_survives_wrong_items(service, request_body):
    items = [
        request_body(transaction_id="a"),
        request_body(transaction_id="b", amount=-1),
        request_body(transaction_id="c", amount=950.0),
        request_body(transaction_id="a"),
        request_body(transaction_id="a", amount=1.0),
    ]
    reply = service.client.post("/score_transactions", json={"transactions": items})
    results = BatchReply.model_validate_json(reply.text).results
    assert [item.status for item in results] == [200, 422, 200, 200, 409]
    assert [item.reply.transaction_id for item in results if item.reply] == ["a", "c", "a"]
    assert results[1].detail[0].field == "amount"
    assert results[0].reply == results[3].reply
    assert service.features.counts["user-17"] == 2


def test_a_large_batch_is_cut_and_put_together_again(service, request_body):
    items = [request_body(transaction_id=f"t{i}", user_id=f"u{i}", amount=1 + i) for i in range(700)]
    results = service.client.post("/score_transactions", json={"transactions": items}).json()["results"]
    assert [r["reply"]["transaction_id"] for r in results] == [f"t{i}" for i in range(700)]
    assert results[699]["reply"]["fraud_score"] == pytest.approx(0.7)


def test_a_decision_is_kept_with_its_vector(service, request_body):
    reply = post(service, request_body()).json()
    stored = DecisionReply.model_validate_json(service.client.get("/decisions/txn-2041").text)
    assert stored.reply == ScoreReply.model_validate(reply)
    vector = np.frombuffer(service.scorer.decisions.get("txn-2041").vector, dtype="<f4")
    assert vector.shape == (N_FEATURES,)
    assert vector[INDEX["amount_usd"]] == np.float32(42.5)
    assert service.client.get("/decisions/unknown").status_code == 404


def test_feedback_is_kept_also_for_unknown_transactions(service, request_body):
    post(service, request_body())
    word = {"transaction_id": "txn-2041", "is_fraud": True, "source": "chargeback"}
    replies = [
        service.client.post("/feedback", json=w).json() for w in (word, word, word | {"transaction_id": "other"})
    ]
    assert [(r["known_transaction"], r["repeated"]) for r in replies] == [(True, False), (True, True), (False, False)]
    assert {r["status"] for r in replies} == {"feedback_received"}
    assert len(service.client.get("/decisions/txn-2041").json()["feedback"]) == 1


def test_metrics_say_what_happened(service, request_body):
    post(service, request_body())
    post(service, request_body(transaction_id="x", amount=950.0))
    post(service, request_body(amount=-1))
    text = service.client.get("/metrics").text
    for line in (
        'fraud_predictions_total{decision="APPROVE"} 1.0',
        'fraud_predictions_total{decision="DECLINE"} 1.0',
        "prediction_latency_seconds_count 2.0",
        'fraud_score_bucket{le="0.1"} 1.0',
        'fraud_score_bucket{le="1.0"} 2.0',
        'feature_value{feature_name="amount_usd",stat="max"} 950.0',
        'feature_value{feature_name="amount_usd",stat="mean"} 496.25',
        'requests_refused_total{status="422"} 1.0',
        'scoring_stage_seconds_count{stage="network"} 2.0',
        'part_up{part="feature_store"} 1.0',
        "transactions_waiting 0.0",
        "transactions_shed_total 0.0",
    ):
        assert line in text


def test_probes(start):
    def broken() -> None:
        raise ConnectionError("away")

    service = start(checks={"feature_store": broken})
    assert service.client.get("/health").json()["status"] == "ok"
    reply = service.client.get("/ready")
    assert reply.status_code == 503
    assert reply.json()["parts"] == {"model": "v0001", "feature_store": "unavailable"}


def test_the_key_is_asked_for_everywhere_but_pages_and_probes(start, request_body, tmp_path):
    service = start(ring=KeyRing(KeyFile(tmp_path / "keys.json"), "a-key-of-some-length"))
    for path in ("/", "/docs", "/static/page.js", "/openapi.json", "/health", "/ready"):
        assert service.client.get(path).status_code == 200
    for headers in ({}, {"X-API-Key": "a-key-of-some-lengtH"}, {"X-API-Key": "\xe9"}):
        raw = {key: value.encode("latin-1") for key, value in headers.items()}
        assert service.client.post("/score_transaction", json=request_body(), headers=raw).status_code == 401
        assert service.client.get("/metrics", headers=raw).status_code == 401
    right = {"X-API-Key": "a-key-of-some-length"}
    assert service.client.post("/score_transaction", json=request_body(), headers=right).status_code == 200


def test_pages_reach_no_other_host(service):
    for path in ("/", "/docs", "/static/page.css", "/static/page.js", "/static/docs.js"):
        reply = service.client.get(path)
        assert reply.status_code == 200
        assert "default-src 'self'" in reply.headers["content-security-policy"]
        assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)", reply.text) == []


def test_the_schema_is_whole(service):
    schema = service.client.get("/openapi.json").json()
    text = json.dumps(schema)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(schema["components"]["schemas"])
    body = schema["paths"]["/score_transaction"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/ScoreRequest"}
    assert schema["components"]["schemas"]["ScoreRequest"]["examples"]


def test_words_that_arrive_late_and_twice_come_to_the_verdict_of_their_own_times(service, request_body):
    service.client.post("/score_transaction", json=request_body())
    said = [
        ("chargeback", True, "2025-10-03T00:00:00Z"),
        ("user_report", False, "2025-10-08T00:00:00Z"),
        ("chargeback", False, "2025-10-02T00:00:00Z"),  # older than the first, though it comes later
        ("chargeback", True, "2025-10-03T00:00:00Z"),
    ]
    repeated = [
        service.client.post(
            "/feedback",
            json={"transaction_id": "txn-2041", "source": source, "is_fraud": is_fraud, "known_at": known_at},
        ).json()["repeated"]
        for source, is_fraud, known_at in said
    ]
    stored = service.client.get("/decisions/txn-2041").json()
    assert repeated == [False, False, False, True]
    assert len(stored["feedback"]) == 3
    assert (stored["verdict"]["source"], stored["verdict"]["is_fraud"]) == ("chargeback", True)
    assert stored["verdict"]["known_at"] == "2025-10-03T00:00:00+00:00"


def test_feedback_on_a_payment_that_comes_later_joins_it(service, request_body):
    word = {"transaction_id": "txn-2041", "is_fraud": True, "source": "user_report"}
    assert service.client.post("/feedback", json=word).json()["known_transaction"] is False
    service.client.post("/score_transaction", json=request_body())
    assert service.client.get("/decisions/txn-2041").json()["verdict"]["is_fraud"] is True
    assert service.client.post("/feedback", json=word).json() == {
        "status": "feedback_received", "known_transaction": True, "repeated": True,
    }  # fmt: skip


@pytest.mark.parametrize("known_at", ["yesterday", "2031-01-01T00:00:00Z", "1980-01-01T00:00:00Z", 5])
def test_a_word_from_no_time_is_refused(service, known_at: object):
    word = {"transaction_id": "t", "is_fraud": True, "source": "chargeback", "known_at": known_at}
    reply = service.client.post("/feedback", json=word)
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["field"] == "known_at"


def test_a_payment_of_longer_ago_than_the_service_accepts_is_refused(start, request_body):
    """Its decision may have been made and removed since."""
    service = start(accepted_days=2)  # the clock stands at 2025-10-09T08:53:20Z
    for moment, status in (("2025-10-07T08:53:20Z", 200), ("2025-10-07T08:53:19Z", 422), ("1990-01-02T00:00:00Z", 422)):
        payment = request_body(timestamp=moment, transaction_id=moment[:10])
        reply = post(service, payment)
        assert reply.status_code == status
        (item,) = service.client.post("/score_transactions", json={"transactions": [payment]}).json()["results"]
        assert item["status"] == status
    (problem,) = reply.json()["detail"]
    assert (problem["field"], problem["problem"]) == ("timestamp", "is more than 2 days in the past")
    word = {"transaction_id": "t", "is_fraud": True, "source": "chargeback", "known_at": "2025-01-01T00:00:00Z"}
    assert service.client.post("/feedback", json=word).status_code == 200  # feedback may be as late as it likes
