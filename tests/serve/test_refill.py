"""A feature store that lost its content: noticed at the next payment, and filled again while the service runs."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import numpy as np
import orjson
import pytest

from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.histories import SHARED_TILE, USER, Histories
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.records import TILE
from fraudkit.features.secondary import SecondaryStore, SqliteTable
from fraudkit.features.store import HistoryStore
from fraudkit.serve.contracts import EXAMPLE_REQUEST
from fraudkit.serve.intake import take_in
from fraudkit.serve.refill import PAGE, Refill
from tests.serve.process import Running, body, served
from tests.stand_ins import noise_bundle

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path / "valkey", persist=False) as started:
        yield started


@pytest.fixture
def store(server: EmbeddedValkey) -> Iterator[HistoryStore]:
    opened = HistoryStore.connect(server.url)
    yield opened
    opened.close()


@pytest.fixture
def table(tmp_path: Path) -> Iterator[SqliteTable]:
    opened = SqliteTable(tmp_path / "secondary.db")
    yield opened
    opened.close()


def fill(store: Histories) -> None:
    """Tiles, which say that a store was filled."""
    store.publish_tiles([EXAMPLE_REQUEST["merchant_id"]], np.zeros(1, dtype=TILE), np.zeros(1, dtype=SHARED_TILE))


def paid(n: int, user: str = "anna"):
    request = body(n, user_id=user, device={"device_id": f"device-{user}"})
    return take_in(request, int(time.time() * 1000)).transaction


def refill_from(table: SqliteTable, url: str, late: tuple = ()) -> Refill:
    """A refill whose decision database has `late` beyond what the secondary store has."""
    rows = [(position, orjson.dumps(transaction)) for position, transaction in enumerate(late, start=1)]
    reader = SimpleNamespace(transactions_after=lambda position, limit: [r for r in rows if r[0] > position][:limit])
    return Refill(reader, table, lambda: HistoryStore.connect(url, filling=True), lambda: 0)  # type: ignore[arg-type]


def finish(refill: Refill) -> int:
    total = 0
    while written := refill.step():
        total += written
    return total


def test_an_empty_store_gets_everything_that_the_secondary_has_and_what_was_decided_since(server, store, table):
    secondary = SecondaryStore(table)
    fill(secondary)
    both = [paid(n) for n in range(5)] + [paid(100 + n, f"u{n}") for n in range(PAGE)]
    OnlineFeatures(secondary).vectors(both)
    late = paid(5)
    finish(refill_from(table, server.url, late=(*both[:5], late)))
    OnlineFeatures(secondary).vectors([late])
    asked = [paid(6), paid(700, "u3"), paid(701, "u499")]
    first, second = (OnlineFeatures(s, rated_by_store=True).vectors(asked).X for s in (store, secondary))
    assert store.filled()
    assert first.tobytes() == second.tobytes()


def test_nobody_takes_the_store_for_filled_before_it_is(server, store, table):
    secondary = SecondaryStore(table)
    fill(secondary)
    OnlineFeatures(secondary).vectors([paid(n, f"u{n}") for n in range(2 * PAGE)])
    refill = refill_from(table, server.url)
    while refill.step():
        assert not store.filled()
    assert store.filled()


def test_of_two_that_would_fill_one_does(server, store, table, monkeypatch):
    fill(SecondaryStore(table))
    first, second = refill_from(table, server.url), refill_from(table, server.url)
    monkeypatch.setattr(second, "_owner", "another machine")
    assert first.step() > 0
    assert second.step() == 0
    finish(first)
    assert store.filled()


@pytest.mark.parametrize("full", ["both", "neither"])
def test_a_store_that_needs_nothing_is_left_alone(server, store, table, full: str):
    if full == "both":
        fill(store)
        fill(SecondaryStore(table))
        OnlineFeatures(SecondaryStore(table)).vectors([paid(1)])
    assert finish(refill_from(table, server.url)) == 0
    assert store.memory(USER, ["anna"]) == [0]


def lose(store: EmbeddedValkey) -> None:
    """Kill the server and remove its files."""
    pid = store.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    while store.pid() is not None:
        time.sleep(0.01)
    for found in store.folder.glob("appendonly*"):
        shutil.rmtree(found) if found.is_dir() else found.unlink()


def pay(running: Running, n: int) -> dict:
    reply: dict = running.client.post("/score_transaction", json=body(n, user_id="lasting", amount=5.0)).json()
    return reply


def gauge(client: httpx.Client, name: str) -> float:
    lines = client.get("/metrics").text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


def test_a_store_that_comes_back_empty_is_named_filled_again_and_no_payment_is_scored_as_a_strangers(tmp_path: Path):
    bundle = noise_bundle().save(tmp_path / "bundle")
    store = EmbeddedValkey(tmp_path / "run" / "store")
    with store:
        first, secondary = HistoryStore.connect(store.url), SecondaryStore(SqliteTable(tmp_path / "run/secondary.db"))
        for filled in (first, secondary):
            fill(filled)
            filled.close()
    with served(tmp_path, bundle) as running:
        assert [pay(running, n)["reason"] for n in range(21)][-1] == "Excessive velocity"
        assert gauge(running.client, "feature_store_filled") == 1.0
        while gauge(running.client, "secondary_behind"):
            time.sleep(0.05)
        lose(store)
        with store:  # the very next payment meets it: no failed one came in between
            after = [pay(running, 21)]
            while after[-1]["degraded"]:
                time.sleep(0.02)
                after.append(pay(running, 21 + len(after)))
        assert gauge(running.client, "feature_store_filled") == 1.0
    assert after[0]["degraded"] == ["feature_store", "ip_reputation"]
    assert {reply["reason"] for reply in after} == {"Excessive velocity"}
    assert "came back empty" in (tmp_path / "stderr.txt").read_text()
