"""The service as it is run: its own process, the embedded Valkey, a trained bundle in a registry."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import orjson
import pytest

from fraudkit.features.embedded import EmbeddedValkey
from tests.serve.process import Running, body, command, environment, now, served
from tests.stand_ins import noise_bundle

PRELOADED = {"torch", "sklearn", "xgboost", "pandas", "pyarrow", "duckdb", "matplotlib"}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small bundle that has learnt noise: what it says does not matter here, that it is real does."""
    return noise_bundle().save(tmp_path_factory.mktemp("bundles") / "v0001")


@pytest.fixture(scope="module")
def service(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with served(tmp_path_factory.mktemp("home with a space"), bundle, "-X", "importtime") as running:
        yield running


def test_the_process_holds_nothing_that_only_training_needs(service: Running):
    service.client.post("/score_transaction", json=body(1))
    lines = (service.home / "stderr.txt").read_text().splitlines()
    modules = {line.rpartition("|")[2].strip() for line in lines if line.startswith("import time:")}
    assert "fraudkit.serve.app" in modules
    packages = {name.partition(".")[0] for name in modules}
    assert packages & PRELOADED == set()
    assert {
        name for name in modules if name.startswith(("fraudkit.simulate", "fraudkit.lake", "fraudkit.pipeline"))
    } == set()


def test_a_burst_on_one_card_cannot_slip_under_the_rule(service: Running):
    bodies = [body(100 + number, user_id="burst", amount=5.0) for number in range(30)]
    limits = httpx.Limits(max_connections=30)
    with (
        httpx.Client(base_url=service.client.base_url, limits=limits, timeout=20) as client,
        ThreadPoolExecutor(30) as pool,
    ):
        replies = [reply.json() for reply in pool.map(lambda b: client.post("/score_transaction", json=b), bodies)]
    fired = [any(rule["rule_id"] == "excessive_velocity" for rule in reply["rules"]) for reply in replies]
    assert sum(fired) == 10


def test_impossible_travel_is_declined_and_explained(service: Running):
    there = {"country": "JP", "latitude": 35.68, "longitude": 139.69}
    present = {"user_id": "traveller", "card_present": True, "online_transaction": False, "device": {}}
    items = [body(200, timestamp=now(30), **present), body(201, timestamp=now(), location=there, **present)]
    results = service.client.post("/score_transactions", json={"transactions": items}).json()["results"]
    reply = results[1]["reply"]
    assert (reply["decision"], reply["fraud_score"], reply["reason"]) == ("DECLINE", 0.99, "Impossible travel detected")
    assert reply["explanation"]
    assert all(driver["words"] for driver in reply["explanation"])


def test_a_retry_gets_the_stored_bytes(service: Running):
    sent = orjson.dumps(body(300))
    first, second = (
        service.client.post("/score_transaction", content=sent, headers={"content-type": "application/json"})
        for _ in range(2)
    )
    assert first.content == second.content


def test_decisions_and_velocity_outlive_the_process(bundle: Path, tmp_path: Path):
    sent = [body(number, user_id="lasting") for number in range(21)]
    with served(tmp_path, bundle) as running:
        first = running.client.post("/score_transactions", json={"transactions": sent[:20]}).json()["results"]
    with served(tmp_path, bundle) as running:
        again = running.client.post("/score_transactions", json={"transactions": sent}).json()["results"]
    assert again[:20] == first
    assert again[20]["reply"]["reason"] == "Excessive velocity"
    assert EmbeddedValkey(tmp_path / "run" / "store").pid() is None


def test_a_store_that_hangs_is_named_and_taken_back(bundle: Path, tmp_path: Path):
    with served(tmp_path, bundle) as running:
        pid = EmbeddedValkey(running.home / "run" / "store").pid()
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        reply = running.client.post("/score_transaction", json=body(1)).json()
        ready = running.client.get("/ready").status_code
        os.kill(pid, signal.SIGCONT)
        assert reply["degraded"] == ["feature_store", "ip_reputation"]
        assert reply["fraud_score"] is not None
        assert ready == 503
        assert running.client.post("/score_transaction", json=body(2)).json()["degraded"] == []
        assert running.client.get("/ready").status_code == 200


def test_a_killed_store_is_named_and_a_new_one_is_used(bundle: Path, tmp_path: Path):
    with served(tmp_path, bundle) as running:
        store = EmbeddedValkey(running.home / "run" / "store")
        first = running.client.post("/score_transaction", json=body(1, user_id="lasting")).json()
        pid = store.pid()
        assert first["degraded"] == []
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        reply = running.client.post("/score_transaction", json=body(2, user_id="lasting")).json()
        assert reply["degraded"] == ["feature_store", "ip_reputation"]
        assert reply["fraud_score"] is not None
        assert running.client.get("/ready").status_code == 503
        with store:
            burst = [body(3 + number, user_id="lasting") for number in range(20)]
            results = running.client.post("/score_transactions", json={"transactions": burst}).json()["results"]
            assert [item["reply"]["degraded"] for item in results] == [[]] * 20
            fired = [bool(item["reply"]["rules"]) for item in results]
            assert any(fired)
            assert running.client.get("/ready").status_code == 200


def test_while_the_store_is_away_the_secondary_counts_on(bundle: Path, tmp_path: Path):
    with served(tmp_path, bundle) as running:
        first = [body(n, user_id="lasting", amount=5.0) for n in range(15)]
        running.client.post("/score_transactions", json={"transactions": first})
        while "\nsecondary_behind 0.0" not in running.client.get("/metrics").text:
            time.sleep(0.05)
        pid = EmbeddedValkey(running.home / "run" / "store").pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        replies = [
            running.client.post("/score_transaction", json=body(n, user_id="lasting", amount=5.0)).json()
            for n in range(15, 22)
        ]
        assert {reply["degraded"][0] for reply in replies} == {"feature_store"}
        assert "secondary_store" not in {part for reply in replies for part in reply["degraded"]}
        assert [reply["reason"] == "Excessive velocity" for reply in replies] == [False] * 5 + [True, True]
        with EmbeddedValkey(running.home / "run" / "store"):
            wait_until_rescored(running, 7)
            last = running.client.post("/score_transaction", json=body(22, user_id="lasting", amount=5.0)).json()
        assert last["degraded"] == []
        assert last["reason"] == "Excessive velocity"  # the payments of the outage were brought to the store


def wait_until_rescored(running: Running, n: int) -> None:
    """Send payments of others, by which the service learns that the store is back, until `n` were decided again."""
    number = 10_000
    while True:
        number += 1
        running.client.post("/score_transaction", json=body(number, user_id=f"other-{number}"))
        text = running.client.get("/metrics").text
        counts = re.findall(r"^fraud_rescored_total\{.*\} (\S+)$", text, re.MULTILINE)
        if sum(map(float, counts)) >= n:
            return
        time.sleep(0.1)


def test_a_store_that_was_never_filled_is_told(service: Running):
    warnings = [line for line in (service.home / "stderr.txt").read_text().splitlines() if line.startswith("warning")]
    assert len(warnings) == 1
    assert "never filled" in warnings[0]
    assert "`fraudkit setup`" in warnings[0]


def refused(home: Path, *arguments: str, **extra: str) -> str:
    done = subprocess.run(
        command(*arguments), env=environment(home, **extra), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("error: ")
    return done.stderr


def test_without_a_model_the_service_says_so_and_stops(tmp_path: Path):
    assert "fraudkit train" in refused(tmp_path, "--port", "0")


def test_a_broken_model_is_refused(bundle: Path, tmp_path: Path):
    broken = tmp_path / "broken"
    broken.mkdir()
    for file in bundle.iterdir():
        (broken / file.name).write_bytes(file.read_bytes())
    with (broken / "trees.safetensors").open("r+b") as trees:
        trees.seek(500)
        trees.write(b"\x55")
    assert "trees.safetensors" in refused(tmp_path, "--port", "0", "--model", str(broken))


def test_a_taken_port_is_told(bundle: Path, tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert port in refused(tmp_path, "--port", port, "--model", str(bundle))


def test_a_store_that_is_not_there_is_told(bundle: Path, tmp_path: Path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{unused.getsockname()[1]}"
        assert "REDIS_URL" in refused(tmp_path, "--port", "0", "--model", str(bundle), REDIS_URL=url)


def test_other_machines_are_kept_out_without_a_key(tmp_path: Path):
    assert "FRAUDKIT_API_KEY" in refused(tmp_path, "--host", "0.0.0.0")
    assert "fewer than" in refused(tmp_path, "--host", "0.0.0.0", FRAUDKIT_API_KEY="short")
