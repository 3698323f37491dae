"""Feedback that shows a model to have fallen leaves one request for a retraining; nothing else does."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

from fraudkit.core.clock import DAY_S, FixedClock
from fraudkit.registry.request import RetrainingRequest
from fraudkit.serve.decisions import DecisionReader, DecisionStore, Record
from fraudkit.serve.retraining import PAUSE_MS, RetrainingWatch
from tests.serve.conftest import CONTEXT, NOW_MS
from tests.serve.process import served
from tests.stand_ins import noise_bundle

N = 3_000
FRAUD = np.arange(N) % 30 == 0
POOR = np.random.default_rng(1).random(N)
GOOD = np.where(FRAUD, 0.85, POOR * 0.7)
OLD_MS = NOW_MS - 130 * DAY_S * 1000
DAY_MS = DAY_S * 1000


def fill(path: Path, score: np.ndarray, action: str = "APPROVE", **changes: object) -> DecisionStore:
    """Decisions that are old enough, and a chargeback on every fraud."""
    store = DecisionStore(path)
    store.context_id(CONTEXT)
    usual = Record("", b"d", OLD_MS, action, 0.0, b"{}", b"", b"", "", False, 1)
    store.add([
        replace(
            usual,
            transaction_id=f"t{k}",
            fraud_score=float(score[k]),
            transaction_json=orjson.dumps({"user_id": f"u{k % 400}"}),
            **changes,
        )
        for k in range(N)
    ])  # fmt: skip
    for k in np.flatnonzero(FRAUD):
        store.add_feedback(f"t{k}", "chargeback", True, NOW_MS)
    return store


@pytest.fixture
def watched(tmp_path):
    """Fills a database and watches it: the watch, the request, the clock and the store."""
    opened = []

    def begin(score: np.ndarray, **changes: object):
        store = fill(tmp_path / "decisions.db", score, **changes)
        reader, clock = DecisionReader(store.path), FixedClock(NOW_MS)
        opened.extend([reader, store])
        request = RetrainingRequest(tmp_path / "retraining")
        watch = RetrainingWatch(reader, request, clock)
        assert not watch.run()  # nothing has arrived since it began to watch
        store.add_feedback("t0", "user_report", True, NOW_MS)
        return watch, request, clock, store

    yield begin
    for each in opened:
        each.close()


def test_a_fallen_model_is_asked_for_once(watched):
    watch, request, clock, store = watched(POOR)
    assert watch.run()
    assert "online AUC at most" in request.pending()["reasons"][0]
    store.add_feedback("t1", "chargeback", True, NOW_MS)
    clock.advance(PAUSE_MS)
    assert not watch.run()


def test_a_good_model_is_left_alone(watched):
    watch, request, *_ = watched(GOOD)
    assert not watch.run()
    assert request.pending() is None


def test_decisions_whose_labels_have_not_matured_say_nothing(watched):
    watch, *_ = watched(POOR, decided_at_ms=NOW_MS - 119 * DAY_MS)
    assert not watch.run()


def test_scores_made_without_a_part_say_nothing_of_the_model(watched):
    watch, *_ = watched(POOR, to_rescore=True)
    assert not watch.run()


def test_declined_payments_without_a_word_are_not_taken_for_legitimate(watched):
    """No chargeback follows a declined payment: read as legitimate, the best declines would look like errors."""
    watch, _, _, store = watched(GOOD)
    store.add([
        Record(f"d{k}", b"d", OLD_MS, "DECLINE", 0.99, b"{}", b"", b'{"user_id": "u%d"}' % (k % 400), "", False, 1)
        for k in range(2_000)
    ])  # fmt: skip
    assert not watch.run()


def test_a_reversal_counts(watched):
    watch, _, _, store = watched(POOR)
    for k in np.flatnonzero(FRAUD):
        store.add_feedback(f"t{k}", "chargeback", False, NOW_MS)
    assert not watch.run()


def test_nothing_is_asked_for_while_the_last_retraining_is_young(watched):
    watch, request, clock, store = watched(POOR)
    request.answer(NOW_MS - 6 * DAY_MS, "run", "v0002", promoted=True)
    assert not watch.run()
    store.add_feedback("t1", "chargeback", True, NOW_MS)
    clock.advance(DAY_MS)
    assert watch.run()


def test_it_looks_again_when_feedback_came_and_an_hour_passed(watched, monkeypatch):
    watch, _, clock, store = watched(GOOD)
    watch.run()
    clock.advance(PAUSE_MS)
    monkeypatch.setattr(watch, "look", lambda _: pytest.fail("it looked again"))
    assert not watch.run()  # nothing came
    store.add_feedback("t1", "chargeback", True, NOW_MS)
    with pytest.raises(pytest.fail.Exception):
        watch.run()


def test_feedback_to_a_running_service_leaves_the_request(tmp_path):
    (tmp_path / "run").mkdir()
    fill(tmp_path / "run" / "decisions.db", POOR, decided_at_ms=int(time.time() * 1000) - 130 * DAY_MS).close()
    request = RetrainingRequest(tmp_path / "retraining")
    bundle = noise_bundle().save(tmp_path / "v0001")
    with served(tmp_path, bundle) as running:
        assert request.pending() is None
        word = {"transaction_id": "t1", "is_fraud": True, "source": "chargeback"}
        assert running.client.post("/feedback", json=word).status_code == 200
        deadline = time.monotonic() + 30
        while request.pending() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        assert "online AUC at most" in request.pending()["reasons"][0]
