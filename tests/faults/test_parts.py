"""Parts that are slow, down or lying, in the real scorer: who pays gets an answer, which says what was missing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fraudkit.core.errors import InvalidInput, StoreUnavailable
from fraudkit.core.transaction import Transaction
from fraudkit.faults.parts import Calls, Fault, failing, faulty, lying, slow
from fraudkit.serve.intake import Intake, payload_digest
from fraudkit.serve.scorer import Scorer, Waiting

DOWN = StoreUnavailable("the store is down")


def decide(scorer: Scorer, *payments: Transaction) -> list[dict]:
    waiting = [Waiting(Intake(p, p.amount, payload_digest(p)), time.perf_counter()) for p in payments]
    return [json.loads(outcome.reply) for outcome in scorer.score(waiting)]


def with_model(scorer: Scorer, method: str, fault: Fault) -> None:
    """Make a method of the serving model faulty."""
    scorer.serving = replace(scorer.serving, model=faulty(scorer.serving.model, method, fault))


def stage_count(scorer: Scorer, stage: str) -> float:
    lines = scorer.metrics.text().decode().splitlines()
    return float(
        next(line for line in lines if line.startswith(f'scoring_stage_seconds_count{{stage="{stage}"')).split()[1]
    )


def test_a_store_that_is_down_leaves_an_answer_that_says_so(scorer: Scorer, payment: Callable[..., Transaction]):
    scorer.assessor.features = faulty(scorer.assessor.features, "vectors", failing(DOWN))
    (reply,) = decide(scorer, payment())
    assert reply["degraded"] == ["feature_store", "ip_reputation"]
    assert reply["fraud_score"] == pytest.approx(0.05)


def test_a_fault_strikes_the_calls_it_names_and_no_other(scorer: Scorer, payment: Callable[..., Transaction]):
    part = faulty(scorer.assessor.features, "vectors", failing(DOWN), Calls(first=1, n=2))
    scorer.assessor.features = part
    degraded = [bool(decide(scorer, payment(number))[0]["degraded"]) for number in range(5)]
    assert degraded == [False, True, True, False, False]
    assert (part.calls, part.hit) == (5, 2)


def test_an_error_that_is_raised_again_forgets_the_calls_before():
    part = faulty(object(), "__str__", failing(DOWN))
    depths = []
    for _ in range(3):
        with pytest.raises(StoreUnavailable) as caught:
            part.__getattr__("__str__")()
        depths.append(len(caught.traceback))
    assert len(set(depths)) == 1


def test_a_model_that_is_down_falls_back_by_amount(scorer: Scorer, payment: Callable[..., Transaction]):
    with_model(scorer, "member", failing(RuntimeError("out of memory")))
    small, large = decide(scorer, payment(1, amount=20.0), payment(2, amount=400.0))
    assert (small["decision"], large["decision"]) == ("APPROVE_FALLBACK", "REVIEW")
    assert small["degraded"] == ["trees", "network"]


def test_a_model_that_answers_nan_is_treated_as_down(scorer: Scorer, payment: Callable[..., Transaction]):
    with_model(scorer, "member", lying(lambda scores: np.full(len(scores), np.nan)))
    (reply,) = decide(scorer, payment())
    assert (reply["degraded"], reply["fraud_score"]) == (["trees", "network"], None)


def test_a_store_that_lies_is_not_noticed_and_changes_the_decision(scorer: Scorer, payment: Callable[..., Transaction]):
    def shift(batch):
        X = batch.X.copy()
        X[:, 0] = 950.0  # amount_usd
        return type(batch)(X, batch.known_user)

    scorer.assessor.features = faulty(scorer.assessor.features, "vectors", lying(shift))
    (reply,) = decide(scorer, payment(amount=10.0))
    assert (reply["decision"], reply["degraded"]) == ("DECLINE", [])


def test_a_slow_part_takes_its_time_and_answers(scorer: Scorer, payment: Callable[..., Transaction]):
    slept: list[float] = []
    scorer.assessor.features = faulty(scorer.assessor.features, "vectors", slow(0.25, slept.append))
    (reply,) = decide(scorer, payment())
    assert (slept, reply["degraded"]) == ([0.25], [])
    assert stage_count(scorer, "features") == 1


def test_the_explanation_may_fail_and_the_decision_stands(scorer: Scorer, payment: Callable[..., Transaction]):
    with_model(scorer, "explain", failing(ValueError("no tree")))
    (reply,) = decide(scorer, payment(amount=950.0))
    assert (reply["decision"], reply["explanation"]) == ("DECLINE", [])


def test_what_nothing_can_keep_gets_no_answer(scorer: Scorer, payment: Callable[..., Transaction]):
    real = scorer.decisions
    full = failing(StoreUnavailable("the disk is full"))
    scorer.decisions, scorer.journal = faulty(real, "add", full), faulty(scorer.journal, "add", full)
    with pytest.raises(StoreUnavailable, match="disk is full"):
        decide(scorer, payment())
    assert real.get("txn-0") is None


def test_a_part_keeps_its_other_methods(scorer: Scorer):
    assert faulty(scorer.decisions, "add", failing(DOWN)).path == scorer.decisions.path


def test_a_method_that_is_not_there_cannot_be_faulty(scorer: Scorer):
    with pytest.raises(InvalidInput, match="no method 'vektors'"):
        faulty(scorer.assessor.features, "vektors", failing(DOWN))


@pytest.mark.parametrize("wrong", [{"first": -1}, {"n": -1}, {"every": 0}])
def test_calls_that_cannot_be_are_refused(wrong: dict[str, int]):
    with pytest.raises(InvalidInput, match="cannot be"):
        Calls(**wrong)
