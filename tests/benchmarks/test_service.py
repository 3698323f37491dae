"""The load driver against a real server, and the specification's service taken at its word."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import service
from benchmarks.baselines.seed_store import fill_seed_store
from benchmarks.load import PLACE, requests
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.simulate import World, WorldConfig, simulate

MOMENT = pd.Timestamp("2026-01-31T12:00:00Z")


@pytest.fixture(scope="module")
def world() -> World:
    config = WorldConfig(
        "traffic", users=30, warmup_days=30, train_days=1, valid_days=1, label_delay_days=0, test_days=5
    )
    return service.until_now(simulate(config, np.random.default_rng(7)), MOMENT)


@pytest.fixture(scope="module")
def bodies(world: World) -> list[dict]:
    return service.request_bodies(world, MOMENT, 50, np.random.default_rng(7))


@pytest.fixture(scope="module")
def seed_port(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The specification's service with a tiny model and a filled store."""
    import torch
    import xgboost
    from safetensors.torch import save_file

    from benchmarks.baselines.seed_model import network

    folder = tmp_path_factory.mktemp("seed")
    rng = np.random.default_rng(7)
    X, y = rng.random((200, 143), dtype=np.float32), np.arange(200) % 2
    xgboost.XGBClassifier(n_estimators=3, max_depth=2, n_jobs=1).fit(X, y).save_model(folder / "model.ubj")
    with torch.random.fork_rng():
        save_file(network().state_dict(), folder / "network.safetensors")
    with EmbeddedValkey(folder / "valkey", persist=False) as valkey:
        fill_seed_store(valkey.url, world.transactions, world.users, world.ip_reputation, MOMENT)
        env = {"REDIS_URL": valkey.url, "SEED_MODELS": str(folder), "OMP_NUM_THREADS": "1"}
        port = service.free_port()
        command = service.uvicorn_command("benchmarks.baselines.seed_service:app", port)
        with service.server(command, port, "/docs", env, folder):
            yield port


def post(port: int, body: dict) -> dict:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/score_transaction",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as reply:
        return json.load(reply)


def quiet_body(bodies: list[dict], **changes: object) -> dict:
    """A body of a card holder the store does not know, at home, so that no rule has a reason to fire."""
    body = {
        **bodies[0],
        "user_id": "newcomer",
        "amount": 20.0,
        "location": {"country": "US", "latitude": 40, "longitude": -74},
    }
    return {**body, **changes}


def test_the_seed_s_service_scores_and_explains(seed_port: int, bodies: list[dict]):
    reply = post(seed_port, quiet_body(bodies, transaction_id="one"))
    assert reply["decision"] in ("APPROVE", "REVIEW", "DECLINE")
    assert 0 <= reply["fraud_score"] <= 1
    assert len(reply["explanation"]) == 5 and reply["explanation"][0].keys() == {"feature", "shap_value"}


def test_the_seed_s_service_counts_velocity(seed_port: int, bodies: list[dict]):
    replies = [post(seed_port, quiet_body(bodies, transaction_id=f"fast{k}", user_id="fast")) for k in range(21)]
    assert [reply["explanation"] == "Excessive velocity" for reply in replies] == [False] * 20 + [True]


def test_the_seed_s_service_sees_impossible_travel(seed_port: int, bodies: list[dict]):
    post(seed_port, quiet_body(bodies, transaction_id="here", user_id="flyer"))
    far = {"country": "AU", "latitude": -33.9, "longitude": 151.2}
    reply = post(seed_port, quiet_body(bodies, transaction_id="there", user_id="flyer", location=far))
    assert (reply["decision"], reply["explanation"]) == ("DECLINE", "Impossible travel detected")


def test_the_seed_s_service_never_falls_back_on_this_traffic(seed_port: int, bodies: list[dict]):
    decisions = [post(seed_port, {**body, "transaction_id": f"t{k}"})["decision"] for k, body in enumerate(bodies)]
    assert "APPROVE_FALLBACK" not in decisions


@pytest.mark.parametrize("rate", [0.0, 100.0], ids=["closed", "open"])
def test_the_driver_counts_what_a_server_answered(rate: float, bodies: list[dict], tmp_path: Path):
    port = service.free_port()
    driver = service.Driver(bodies, tmp_path, seconds=1.5)
    with service.server(
        service.uvicorn_command("benchmarks.baselines.empty_service:app", port), port, "/docs", {}, tmp_path
    ):
        figures = driver.run(port, connections=4, rate=rate)
    assert figures["answered"] == figures["sent"] == figures["statuses"]["200"] == figures["decisions"]["APPROVE"]
    assert 0 < figures["p50_ms"] <= figures["p95_ms"] <= figures["p99_ms"]
    if rate:
        assert figures["sent"] == 150


def test_a_server_that_cannot_start_says_why(tmp_path: Path):
    port = service.free_port()
    with (
        pytest.raises(RuntimeError, match="no_such_module"),
        service.server(service.uvicorn_command("no_such_module:app", port), port, "/", {}, tmp_path),
    ):
        pass


def test_every_request_has_ids_of_its_own():
    body = b'{"a":"' + PLACE + b'","b":"' + PLACE + b'"}'
    stream = requests("/x", [body], first=7)
    first, second = next(stream), next(stream)
    assert first.endswith(b'{"a":"0000000007","b":"0000000008"}')
    assert second.endswith(b'{"a":"0000000009","b":"0000000010"}')
    assert b"Content-Length: 35\r\n" in first


def test_bodies_are_accepted_by_the_service_s_contract(world: World, bodies: list[dict]):
    from fraudkit.serve.intake import take_in

    now_ms = round(MOMENT.timestamp() * 1000)
    for k, body in enumerate(bodies):
        taken = take_in({**body, "transaction_id": f"t{k}"}, now_ms)
        assert taken.transaction.event_time_ms == now_ms


def test_a_moved_world_ends_now_and_keeps_its_order(world: World):
    assert world.transactions["event_time"].max() < MOMENT
    assert world.transactions["known_at"].is_monotonic_increasing
    assert (world.labels["known_at"] > world.labels["event_time"]).all()


def test_figures_are_made_of_the_loads():
    closed = {"per_second": 100.0, "p50_ms": 1.0, "p95_ms": 2.0, "p99_ms": 3.0, "statuses": {"200": 90}, "answered": 10,
              "decisions": {"APPROVE": 8, "REVIEW": 2}}  # fmt: skip
    results = {f"{name} {load}": closed for name in ("seed", "empty", "service") for load in ("closed", "alone")}
    results |= {
        "service open": {**closed, "offered": 50.0},
        "service batch": {**closed, "decisions": {"APPROVE": 2_560}},
        "service ready": {"seconds": 1.0},
        "seed closed": {**closed, "per_second": 4.0, "decisions": {"APPROVE_FALLBACK": 3}},
        "empty alone": {**closed, "statuses": {"200": 5, "422": 2}},
    }
    figures = {figure.what: figure for figure in service.make_record(results, replace(service.QUICK)).figures}
    assert figures["service over the specification's code"].value == 25.0
    assert figures["batch door"].value == 100.0 * 256
    assert figures["replies other than 200, and fallbacks"].value == 5
    assert figures["replies other than 200, and fallbacks"].met is False
