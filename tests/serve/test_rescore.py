"""Second decisions on payments that were scored on less than they should be."""

from __future__ import annotations

import math

import numpy as np
import orjson
import pytest

from fraudkit.core.errors import StoreUnavailable
from fraudkit.features.catalog import INDEX
from fraudkit.serve.contracts import EXAMPLE_REQUEST
from fraudkit.serve.housekeeping import usual_tasks
from fraudkit.serve.intake import take_in
from fraudkit.serve.rescore import Rescorer, intake_of
from fraudkit.serve.scorer import Scorer, Waiting


def score(scorer: Scorer, name: str, **changes: object) -> dict:
    body = {**EXAMPLE_REQUEST, "transaction_id": name, **changes}
    (outcome,) = scorer.score([Waiting(take_in(body, scorer.clock.now_ms()), 0.0)])
    return orjson.loads(outcome.reply)


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
