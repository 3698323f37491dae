"""What the feature store missed while it was away, and gets before it is asked about the same parties."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import orjson
import pytest

from fraudkit.core.errors import StoreUnavailable
from fraudkit.core.transaction import Transaction
from fraudkit.features.catalog import INDEX
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.histories import DEVICE, USER
from fraudkit.features.online import FeatureBatch, OnlineFeatures
from fraudkit.features.records import USER_EVENTS
from fraudkit.features.store import HistoryStore
from fraudkit.serve.contracts import EXAMPLE_REQUEST
from fraudkit.serve.intake import take_in
from fraudkit.serve.missed import AT_ONCE, Missed
from fraudkit.serve.rescore import Rescorer
from fraudkit.serve.scorer import Scorer, Waiting
from tests.serve.conftest import NOW_MS


class Switched:
    """A real store's features that can be switched off, for everybody or for some card holders."""

    def __init__(self, features: OnlineFeatures) -> None:
        self._features = features
        self.down = False
        self.down_for: set[str] = set()
        self.asked: list[int] = []

    def vectors(self, transactions: Sequence[Transaction]) -> FeatureBatch:
        if self.down:
            raise StoreUnavailable("switched off; switch it on")
        self.asked.append(len(transactions))
        there = np.array([t.user_id not in self.down_for for t in transactions])
        found = self._features.vectors([t for t, answers in zip(transactions, there, strict=True) if answers])
        X = np.zeros((len(transactions), found.X.shape[1]), dtype=np.float32)
        X[there] = found.X
        return FeatureBatch(X, there, None if there.all() else there)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[HistoryStore]:
    with (
        EmbeddedValkey(tmp_path / "store", persist=False) as server,
        closing(HistoryStore.connect(server.url)) as opened,
    ):
        yield opened


@pytest.fixture
def switched(scorer: Scorer, store: HistoryStore) -> Switched:
    made = scorer.assessor.features = Switched(OnlineFeatures(store))  # type: ignore[assignment]
    return made


def request(name: str, user: str = "u", device: str | None = None) -> dict:
    return {**EXAMPLE_REQUEST, "transaction_id": name, "user_id": user, "amount": 5.0,
            "device": {"device_id": device or f"device-{user}"}}  # fmt: skip


def pay(scorer: Scorer, *requests: dict) -> list[dict]:
    at = scorer.clock.now_ms()
    return [orjson.loads(o.reply) for o in scorer.score([Waiting(take_in(body, at), 0.0) for body in requests])]


def counted(scorer: Scorer, name: str, feature: str = "user_txn_count_1h") -> float:
    return float(np.frombuffer(scorer.decisions.get(name).vector, "<f4")[INDEX[feature]])


def stored(store: HistoryStore) -> bytes | None:
    return store._client.get(USER.key("u"))


def test_the_first_payment_after_the_store_is_back_sees_those_that_it_missed(scorer, switched, store):
    pay(scorer, request("before"))
    switched.down = True
    for n in range(2):
        assert pay(scorer, request(f"away-{n}"))[0]["degraded"] == ["feature_store"]
    switched.down = False
    (reply,) = pay(scorer, request("after"))
    assert "degraded" not in reply or not reply["degraded"]
    assert counted(scorer, "after") == counted(scorer, "before") + 3
    history = stored(store)
    assert Rescorer(scorer).run() == 2
    assert stored(store) == history  # they count once
    pay(scorer, request("later"))
    assert counted(scorer, "later") == counted(scorer, "after") + 1
    assert switched.asked[-1] == 1  # the store has them; nothing is given again


def test_what_a_second_decision_appended_is_not_given_again(scorer, switched):
    switched.down = True
    pay(scorer, request("away"))
    switched.down = False
    pay(scorer, request("other", "v"))
    assert Rescorer(scorer).run() == 1
    pay(scorer, request("after"))
    assert switched.asked[-1] == 1


def test_the_device_of_another_card_holder_is_caught_up_too_and_strangers_are_not_asked_for(scorer, switched):
    pay(scorer, request("before", "w", "shared"))
    switched.down = True
    pay(scorer, request("away", "u", "shared"))
    pay(scorer, request("stranger", "x"))
    switched.down = False
    pay(scorer, request("after", "v", "shared"))
    assert counted(scorer, "after", "device_txn_count_1h") == counted(scorer, "before", "device_txn_count_1h") + 2
    assert switched.asked[-1] == 2


def test_card_holders_whose_node_was_away_are_caught_up_and_the_others_of_their_batch_are_not_asked_twice(
    scorer, switched
):
    scorer.assessor.secondary = type(switched)(switched._features)  # answers whoever asks
    switched.down_for = {"u"}
    first, second = pay(scorer, request("u-1"), request("v-1", "v"))
    assert (first["degraded"], second["degraded"]) == (["feature_store"], [])
    switched.down_for = set()
    pay(scorer, request("v-2", "v"))
    assert switched.asked[-1] == 1
    pay(scorer, request("w-1", "w"), request("u-2"))
    assert switched.asked[-1] == 3
    assert counted(scorer, "u-2") == 2
    assert counted(scorer, "w-1") == 1


def test_what_the_node_still_does_not_take_is_kept_for_later(scorer, switched):
    scorer.assessor.secondary = type(switched)(switched._features)
    switched.down_for = {"u"}
    pay(scorer, request("away", device="shared"))
    pay(scorer, request("same-device", "v", "shared"))
    assert [t.transaction_id for t in scorer.assessor.missed.before([transaction("next")])] == ["away"]


def transaction(name: str, user: str = "u", device: str | None = None, at: int = 0) -> Transaction:
    return take_in(request(name, user, device), NOW_MS + at).transaction


def test_a_batch_is_given_the_latest_in_order_of_time():
    missed = Missed()
    missed.add([transaction(str(n), at=n) for n in range(AT_ONCE + 3)])
    missed.add([transaction("elsewhere", "v")])
    found = missed.before([transaction("next")])
    assert [t.transaction_id for t in found] == [str(n) for n in range(3, AT_ONCE + 3)]
    assert [t.transaction_id for t in missed.before([found[0]])][-1] == str(AT_ONCE + 2)  # a retry of one of them
    assert found[0] not in missed.before([found[0]])


def test_of_a_card_holder_no_more_are_kept_than_a_history_holds_and_of_all_so_many():
    missed = Missed(kept=USER_EVENTS + 10)
    missed.add([transaction(f"u{n}") for n in range(USER_EVENTS + 5)])
    missed.add([transaction("u64")])  # again
    assert list(missed._kept) == [f"u{n}" for n in range(5, USER_EVENTS + 5)]
    missed.add([transaction(f"v{n}", f"v{n}") for n in range(12)])
    assert next(iter(missed._kept)) == "u7"
    assert len(missed._kept) == USER_EVENTS + 10
    missed.caught_up(list(missed._kept.values()))
    assert not missed._kept
    assert not missed._by_key  # nothing is left of parties that have caught up


def test_a_busy_device_takes_no_payment_from_its_card_holder():
    missed = Missed()
    missed.add([transaction(f"t{n}", f"u{n}", "shared", n) for n in range(USER_EVENTS + 2)])
    assert len(missed._by_key[DEVICE.key("shared")]) == USER_EVENTS
    assert [t.transaction_id for t in missed.before([transaction("next", "u0")])] == ["t0"]
    missed.caught_up(list(missed._kept.values()))
    assert not missed._by_key
