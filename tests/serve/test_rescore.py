"""Second decisions on payments that were scored on less than they should be."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
import redis

from fraudkit.core.errors import StoreUnavailable
from fraudkit.features.catalog import INDEX
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.histories import USER
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.records import USER_EVENT, USER_EVENTS, text_hash
from fraudkit.features.store import HistoryStore
from fraudkit.serve.contracts import EXAMPLE_REQUEST
from fraudkit.serve.housekeeping import usual_tasks
from fraudkit.serve.intake import take_in
from fraudkit.serve.rescore import Rescorer, intake_of
from fraudkit.serve.scorer import Scorer, Waiting


def score(scorer: Scorer, name: str, **changes: object) -> dict:
    body = {**EXAMPLE_REQUEST, "transaction_id": name, **changes}
    (outcome,) = scorer.score([Waiting(take_in(body, scorer.clock.now_ms()), 0.0)])
    return orjson.loads(outcome.reply)


def history(url: str) -> np.ndarray:
    client = redis.Redis.from_url(url)
    blob = client.get(USER.key("user-17")) or b""
    client.close()
    return np.frombuffer(blob, dtype=USER_EVENT)


def test_what_was_decided_without_the_store_is_decided_again_when_it_is_back(scorer: Scorer):
    scorer.assessor.features.counts["user-17"] = 20
    scorer.assessor.features.down = True
    first = score(scorer, "t")
    assert first["decision"] == "APPROVE"
    assert Rescorer(scorer).run() == 0  # still away
    scorer.assessor.features.down = False
    score(scorer, "sound", user_id="other")
    assert Rescorer(scorer).run() == 1
    again = scorer.decisions.rescored("t")
    assert (again.action, again.fraud_score) == ("DECLINE", 0.9)
    assert np.frombuffer(again.vector, "<f4")[INDEX["user_txn_count_1h"]] == 21
    assert orjson.loads(scorer.decisions.get("t").reply) == first  # a retry gets what it got
    assert Rescorer(scorer).run() == 0
    assert 'fraud_rescored_total{first="APPROVE",second="DECLINE"} 1.0' in scorer.metrics.text().decode()


@pytest.mark.parametrize("member", ["trees", "network"])
def test_what_one_member_scored_alone_is_decided_again(scorer: Scorer, member: str):
    scorer.serving.model.failures = {member: RuntimeError("broken")}
    score(scorer, "t")
    scorer.serving.model.failures = {}
    assert Rescorer(scorer).run() == 0  # not asked again since, so not known to be back
    score(scorer, "next")
    assert Rescorer(scorer).run() == 1


def test_a_payment_that_the_store_has_forgotten_is_not_appended_again(scorer: Scorer, tmp_path: Path):
    with (
        EmbeddedValkey(tmp_path / "store", persist=False) as server,
        closing(HistoryStore.connect(server.url)) as store,
    ):
        scorer.assessor.features = OnlineFeatures(store)
        scorer.serving.model.failures = {"trees": RuntimeError("broken")}
        score(scorer, "first")
        scorer.serving.model.failures = {}
        for n in range(USER_EVENTS + 5):
            score(scorer, f"later-{n}")
        before = history(server.url)
        assert len(before) == USER_EVENTS and text_hash("first") not in before["transaction"]
        assert Rescorer(scorer).run() == 1
        assert history(server.url).tobytes() == before.tobytes()
    assert scorer.decisions.rescored("first").vector == scorer.decisions.get("first").vector


def test_a_vector_of_other_features_or_without_the_store_is_not_taken_again(scorer: Scorer):
    scorer.serving.model.failures = {"trees": RuntimeError("broken")}
    score(scorer, "t")
    scorer.assessor.features.down = True
    score(scorer, "u", user_id="u")
    scorer.assessor.features.down = False
    scorer.serving.model.failures = {}
    score(scorer, "next", user_id="v")
    context = replace(scorer.serving.context, schema_hash="another")
    scorer.serving = replace(scorer.serving, context=context, context_id=scorer.decisions.context_id(context))
    assert Rescorer(scorer).run() == 2
    assert scorer.assessor.features.asked == {"t": 2, "u": 2, "next": 1}


def test_a_missing_explanation_is_no_reason_to_decide_again(scorer: Scorer):
    scorer.serving.model.explain = lambda row: (_ for _ in ()).throw(ValueError("broken"))
    assert score(scorer, "t", amount=950.0)["degraded"] == ["explanation"]
    assert Rescorer(scorer).run() == 0


@pytest.mark.parametrize("changes", [{}, {"device": {}, "card_present": True}, {"location": {"country": "BR"}}])
def test_a_transaction_is_kept_as_it_was_taken_in(scorer: Scorer, changes: dict):
    body = {**EXAMPLE_REQUEST, "transaction_id": "t", "card_token": "secret", **changes}
    intake = take_in(body, scorer.clock.now_ms())
    scorer.score([Waiting(intake, 0.0)])
    record = scorer.decisions.get("t")
    kept = intake_of(record)
    assert b"secret" not in record.transaction_json
    assert math.isnan(kept.transaction.ip_reputation)
    assert repr(kept) == repr(intake)


def test_the_journal_is_moved_once_the_database_is_back(scorer: Scorer):
    tasks = usual_tasks(scorer)
    add = scorer.decisions.add
    scorer.decisions.add = lambda records: (_ for _ in ()).throw(StoreUnavailable("away"))
    score(scorer, "t")
    scorer.decisions.add = add
    tasks["journal"]()
    assert scorer.decisions.get("t").degraded == "database"
