"""Two services on one PostgreSQL database and one store: one answer, one stream of events, one word of feedback."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator

import httpx
import numpy as np
import psycopg
import pytest
import redis

from fraudkit.core.decision_event import broken_links, event_from_json
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.histories import USER
from fraudkit.features.records import USER_EVENT
from fraudkit.serve.event_stream import FIELD, STREAM
from tests.postgres import PostgresServer
from tests.serve.process import Running, body, served
from tests.stand_ins import noise_bundle

pytestmark = pytest.mark.timeout(120)
N = 40
AT_ONCE = 300  # transactions that both services get at the same moment


@pytest.fixture(scope="module")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EmbeddedValkey(tmp_path_factory.mktemp("store"), persist=False) as store:
        yield store.url


@pytest.fixture(scope="module")
def database_url(postgres: PostgresServer) -> str:
    return postgres.new_database()


@pytest.fixture(scope="module")
def services(
    database_url: str, store_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Running, Running]]:
    bundle = noise_bundle().save(tmp_path_factory.mktemp("bundles") / "v0001")
    homes = [tmp_path_factory.mktemp(name) for name in ("first", "second")]
    shared = {"DATABASE_URL": database_url, "REDIS_URL": store_url}
    with served(homes[0], bundle, **shared) as first, served(homes[1], bundle, **shared) as second:
        yield first, second


def wait_for(client: httpx.Client, *samples: str) -> None:
    """Until /metrics says all of it; the test's own time limit ends what never comes."""
    while not all(f"\n{sample}" in client.get("/metrics").text for sample in samples):
        time.sleep(0.05)


def events_of(url: str) -> list:
    client = redis.Redis.from_url(url)
    found = [event_from_json(fields[FIELD]) for _, fields in client.xrange(STREAM)]
    client.close()
    return found


def test_a_retry_gets_the_same_bytes_from_either_service(services: tuple[Running, Running]):
    for n in range(N):
        payment = body(n, user_id=f"u{n % 7}")
        one, other = services[n % 2].client, services[1 - n % 2].client
        reply = one.post("/score_transaction", json=payment)
        assert reply.status_code == 200
        assert other.post("/score_transaction", json=payment).content == reply.content
        assert other.post("/score_transaction", json=payment | {"amount": 3.5}).status_code == 409


def test_feedback_given_to_one_is_told_by_the_other(services: tuple[Running, Running]):
    first, second = (service.client for service in services)
    first.post("/score_transaction", json=body(1_000)).raise_for_status()
    word = {"transaction_id": "txn-1000", "is_fraud": True, "source": "chargeback"}
    assert first.post("/feedback", json=word).json()["repeated"] is False
    assert second.post("/feedback", json=word).json()["repeated"] is True
    assert second.get("/decisions/txn-1000").json()["verdict"]["is_fraud"] is True


def test_each_keeps_a_secondary_store_and_both_one_chain_of_events(services: tuple[Running, Running], store_url: str):
    for n in range(2_000, 2_000 + N):
        services[n % 2].client.post("/score_transaction", json=body(n)).raise_for_status()
    for service in services:
        wait_for(service.client, "secondary_behind 0.0", "events_behind 0.0")
        assert (service.home / "run" / "secondary.db").exists()
        assert not (service.home / "run" / "decisions.db").exists()
    published = events_of(store_url)
    assert [event.position for event in published] == list(range(1, len(published) + 1))
    assert broken_links(published) == []
    assert {f"txn-{n}" for n in range(2_000, 2_000 + N)} <= {event.transaction_id for event in published}


def sent_to_both(services: tuple[Running, Running], payments: list[tuple[dict, dict]]) -> list[list[httpx.Response]]:
    """Replies to pairs of payments, the first of each sent to one service while the second is sent to the other."""
    barrier, replies = threading.Barrier(2), [[], []]  # type: ignore[var-annotated]

    def send(side: int) -> None:
        for pair in payments:
            barrier.wait(60)
            replies[side].append(services[side].client.post("/score_transaction", json=pair[side]))

    threads = [threading.Thread(target=send, args=(side,)) for side in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(side) for side in replies] == [len(payments)] * 2
    return [list(pair) for pair in zip(*replies, strict=True)]


def decided(url: str, user: str) -> dict[str, bytes]:
    """Transaction id -> reply of every decision on a card holder in the database."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT transaction_id, reply FROM decisions WHERE user_id LIKE %s", (f"{user}-%",))
        found = [(name, bytes(reply)) for name, reply in rows]
    assert len(found) == len(dict(found))
    return dict(found)


def history(url: str, user: str) -> np.ndarray:
    """What the store remembers of a card holder: USER_EVENT records."""
    client = redis.Redis.from_url(url)
    blob = client.get(USER.key(user)) or b""
    client.close()
    return np.frombuffer(blob, dtype=USER_EVENT)  # type: ignore[arg-type]


def test_a_payment_sent_to_both_at_the_same_moment_is_decided_once(
    services: tuple[Running, Running], store_url: str, database_url: str
):
    bodies = [body(n, transaction_id=f"same-{n}", user_id=f"same-{n % 10}") for n in range(AT_ONCE)]
    replies = sent_to_both(services, [(one, one) for one in bodies])
    assert {reply.status_code for pair in replies for reply in pair} == {200}
    assert [one.content == other.content for one, other in replies] == [True] * AT_ONCE
    assert decided(database_url, "same") == {f"same-{n}": pair[0].content for n, pair in enumerate(replies)}
    assert [len(history(store_url, f"same-{n}")) for n in range(10)] == [AT_ONCE // 10] * 10
    for service in services:
        wait_for(service.client, "events_behind 0.0")
    published = Counter(event.transaction_id for event in events_of(store_url))
    assert [published[f"same-{n}"] for n in range(AT_ONCE)] == [1] * AT_ONCE


def test_two_payloads_sent_as_one_transaction_at_the_same_moment_are_one_decision_and_one_conflict(
    services: tuple[Running, Running], store_url: str, database_url: str
):
    bodies = [body(n, transaction_id=f"other-{n}", user_id=f"other-{n % 10}") for n in range(AT_ONCE)]
    replies = sent_to_both(services, [(one, one | {"amount": 3.5}) for one in bodies])
    won = {}
    for n, pair in enumerate(replies):
        assert sorted(reply.status_code for reply in pair) == [200, 409]
        won[f"other-{n}"] = next(reply.content for reply in pair if reply.status_code == 200)
    assert decided(database_url, "other") == won
    assert min(sum(pair[side].status_code == 200 for pair in replies) for side in (0, 1)) > 0, "one was always first"
    assert [len(history(store_url, f"other-{n}")) for n in range(10)] == [AT_ONCE // 10] * 10
