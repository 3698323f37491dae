"""The line before the scorer and the watch over it: parts that hang, lines that are too long.

A part hangs on an event that the test holds, so that no outcome depends on how fast a machine is.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable

import orjson
import pytest

from fraudkit.serve.contracts import EXAMPLE_REQUEST
from fraudkit.serve.intake import take_in
from fraudkit.serve.parts import Part
from fraudkit.serve.problems import Refused
from fraudkit.serve.scorer import Scorer, Waiting
from fraudkit.serve.worker import LONGEST_WAIT_S, MAX_BATCH, ScoringWorker

WAIT_S = 30


def waiting(scorer: Scorer, name: str, since_s: float | None = None, **changes: object) -> Waiting:
    """A payment in line, since now or since `since_s` (time.perf_counter)."""
    body = {**EXAMPLE_REQUEST, "transaction_id": name, **changes}
    return Waiting(take_in(body, scorer.clock.now_ms()), time.perf_counter() if since_s is None else since_s)


class Hanging:
    """Calls `inner` once `release` is set; counts calls that began and that ended."""

    def __init__(self, inner: Callable) -> None:
        self.inner = inner
        self.release = threading.Event()
        self.began = self.ended = 0

    def __call__(self, *args: object) -> object:
        self.began += 1
        assert self.release.wait(WAIT_S)
        self.ended += 1
        return self.inner(*args)


def running(scorer: Scorer, body: Callable):
    """Run `body(worker)` on an event loop with a started worker."""

    async def whole():
        worker = ScoringWorker(scorer)
        worker.start()
        try:
            return await asyncio.wait_for(body(worker), WAIT_S)
        finally:
            await asyncio.to_thread(worker.stop)

    return asyncio.run(whole())


async def reply(worker: ScoringWorker, name: str, **changes: object) -> dict:
    (outcome,) = await worker.score([waiting(worker.scorer, name, **changes)])
    return orjson.loads(outcome.reply)


HANGING = {
    "feature_store": (lambda s: (s.assessor.features, "vectors"), ["feature_store"]),
    "ip_reputation": (lambda s: (s.assessor.reputation, "lookup"), ["ip_reputation"]),
    "explanation": (lambda s: (s.serving.model, "explain"), ["explanation"]),
    "reading the database": (lambda s: (s.decisions, "stored"), ["database"]),
    "writing the database": (lambda s: (s.decisions, "add"), ["database"]),
}


@pytest.mark.parametrize("name", HANGING)
def test_a_part_that_hangs_costs_its_share_and_not_the_answer(scorer: Scorer, name: str):
    where, degraded = HANGING[name]
    owner, method = where(scorer)
    hanging = Hanging(getattr(owner, method))
    setattr(owner, method, hanging)

    async def body(worker: ScoringWorker) -> None:
        for number in range(3):
            found = await reply(worker, f"t{number}", amount=950.0)
            assert (found["decision"], found["degraded"]) == ("DECLINE", degraded)
        assert (hanging.began, hanging.ended) == (1, 0)  # one thread hangs there, and no more
        hanging.release.set()
        while scorer.parts["feature_store" if name == "feature_store" else degraded[0]].state == "left alone":
            await asyncio.sleep(0.001)
        assert (await reply(worker, "after", amount=950.0))["degraded"] == []

    running(scorer, body)


@pytest.mark.parametrize(("bulk", "waited"), [(False, 0.0), (False, 1.0), (True, 1.0)])
def test_the_deadline_counts_from_the_arrival_of_a_payment_for_which_somebody_waits(
    scorer: Scorer, monkeypatch: pytest.MonkeyPatch, bulk: bool, waited: float
):
    left: dict[str, float] = {}
    allowance_s = Part.allowance_s

    def noted(part: Part, left_s: float) -> float:
        left[part.name] = left_s / scorer.parts.deadline_s
        return allowance_s(part, left_s)

    monkeypatch.setattr(Part, "allowance_s", noted)

    async def body(worker: ScoringWorker) -> None:
        since_s = time.perf_counter() - waited * scorer.parts.deadline_s
        await worker.score([waiting(scorer, "t", since_s)], bulk=bulk)

    running(scorer, body)
    assert min(left.values()) == math.inf if bulk else max(left.values()) <= 1.0 - waited


@pytest.mark.parametrize("member", ["trees", "network"])
def test_a_member_that_hangs_leaves_the_other_to_score(scorer: Scorer, member: str):
    inner = scorer.serving.model.member
    hanging = Hanging(inner)
    scorer.serving.model.member = lambda name, X: hanging(name, X) if name == member else inner(name, X)

    async def body(worker: ScoringWorker) -> None:
        found = await reply(worker, "t")
        assert (found["fraud_score"], found["degraded"]) == (0.0425, [member])
        hanging.release.set()

    running(scorer, body)


def test_what_a_hanging_database_kept_after_all_is_the_reply_that_was_sent(scorer: Scorer):
    hanging = Hanging(scorer.decisions.add)
    scorer.decisions.add = hanging

    async def body(worker: ScoringWorker) -> dict:
        found = await reply(worker, "t")
        hanging.release.set()
        while not hanging.ended or scorer.parts["database"].state == "left alone":
            await asyncio.sleep(0.001)
        return found

    sent = running(scorer, body)
    assert orjson.loads(scorer.decisions.get("t").reply)["degraded"] == []  # the database was late, not lost
    scorer.journal.move(scorer.decisions)
    assert orjson.loads(scorer.decisions.get("t").reply) == sent


def test_velocity_counts_once_for_a_batch_that_changed_hands(scorer: Scorer):
    heard = []
    scorer.listeners.append(lambda decided, records: heard.extend(r.transaction_id for r in records))
    hanging = Hanging(scorer.serving.model.explain)
    scorer.serving.model.explain = hanging

    async def body(worker: ScoringWorker) -> None:
        await reply(worker, "t", amount=950.0)
        hanging.release.set()

    running(scorer, body)
    assert heard == ["t"]


def hold_rules(scorer: Scorer) -> Hanging:
    """Let the rules hang, without which nothing is decided."""
    hanging = Hanging(scorer.decider.rules.evaluate)

    class Rules:
        def __getattr__(self, name: str) -> object:
            return hanging if name == "evaluate" else getattr(scorer.decider.rules, name)

    scorer.assessor.rules = Rules()
    return hanging


def test_a_line_that_moves_too_slowly_is_not_joined(scorer: Scorer):
    hanging = hold_rules(scorer)

    async def body(worker: ScoringWorker) -> None:
        first = asyncio.ensure_future(reply(worker, "first"))
        while not hanging.began:
            await asyncio.sleep(0.001)
        long_ago = time.perf_counter() - LONGEST_WAIT_S
        line = [asyncio.ensure_future(reply(worker, f"t{n}", since_s=long_ago)) for n in range(MAX_BATCH)]
        while worker.waiting < MAX_BATCH:
            await asyncio.sleep(0.001)
        with pytest.raises(Refused) as refused:
            await reply(worker, "late")
        assert refused.value.status == 503
        hanging.release.set()
        await asyncio.gather(first, *line)
        assert (await reply(worker, "later"))["degraded"] == []

    running(scorer, body)
    assert "transactions_shed_total 1.0" in scorer.metrics.text().decode()


def test_single_payments_go_before_a_large_request(scorer: Scorer):
    order: list[str] = []
    scorer.listeners.append(lambda decided, records: order.extend(r.transaction_id for r in records))
    hanging = hold_rules(scorer)

    async def body(worker: ScoringWorker) -> None:
        first = asyncio.ensure_future(reply(worker, "first"))
        while not hanging.began:
            await asyncio.sleep(0.001)
        large = [waiting(scorer, f"bulk{n}") for n in range(400)]
        bulk = asyncio.ensure_future(worker.score(large, bulk=True))
        while worker.waiting < 400:
            await asyncio.sleep(0.001)
        single = asyncio.ensure_future(reply(worker, "single"))
        while worker.waiting < 401:
            await asyncio.sleep(0.001)
        hanging.release.set()
        await asyncio.gather(first, bulk, single)

    running(scorer, body)
    assert order.index("single") == 1
    assert [name for name in order if name.startswith("bulk")] == [f"bulk{n}" for n in range(400)]
