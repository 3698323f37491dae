"""The measurements that the capacity plan needs and no other benchmark makes, each in a short run.

What a request costs every process it touches, what a decision leaves behind in each place, and how fast the
single-file parts behind the service go: the mirror, the publisher, the archive, the filling of an empty store.
Processor time is counted per process, so that a busy machine changes rates here and costs hardly.
"""

from __future__ import annotations

import json
import resource
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil  # type: ignore[import-untyped]
import redis

from benchmarks.load import requests
from benchmarks.record import Figure
from benchmarks.service import (
    DOOR,
    FULL,
    QUICK,
    Driver,
    Plan,
    free_port,
    request_bodies,
    server,
    service_command,
    train_models,
    until_now,
)  # fmt: skip
from fraudkit.audit.archive import Archive
from fraudkit.audit.consume import StreamConsumer
from fraudkit.core.console import console
from fraudkit.core.decision_event import DecisionEvent
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.offline import replay
from fraudkit.features.publish import fill_store
from fraudkit.features.secondary import SECONDARY_FILE, SecondaryStore, SqliteTable
from fraudkit.features.store import HistoryStore
from fraudkit.models.params import TrainingParams
from fraudkit.models.train import train_bundle
from fraudkit.serve.decisions import Context, DecisionStore, Record
from fraudkit.serve.decisions.opening import DATABASE_FILE, open_progress, open_reader
from fraudkit.serve.decisions.postgres import PostgresDatabase
from fraudkit.serve.decisions.sqlite import SqliteDatabase
from fraudkit.serve.event_stream import MOST_WAITING, STREAM, Publisher, ValkeyStream
from fraudkit.serve.follower import Mirror, refill_of
from fraudkit.simulate import WORLDS, World, simulate
from tests.postgres import MISSING, PostgresServer, server_programs

NOTES = (
    "Processor time is what the operating system counts for each process at 1,000 requests a second; rates are what "
    "this machine did while it did other things as well, so they err on the low side.",
    "Service and follower share one core, store, database, and load driver what is left of two. PostgreSQL runs "
    "with its own defaults, fsync included; events are off while requests are counted.",
    "The service here has 150 trees and 4,000 card holders: its rates serve as a ratio between databases; "
    "the rate of a pod starts from the published run with 500 trees.",
    "Training is the bundle's three models at the default parameters, without the stand-in for new cards; the "
    "process's peak includes simulation and features.",
)
OPEN_RATE = 1_000.0  # of the run in which processor time is counted: far from saturation
WRITE_BATCHES = (1, 32)
TURN_S = 3.0  # of each single-file part


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large a run is: the service benchmark's plan, holders of both training worlds, rows of the write run."""

    plan: Plan
    holders: tuple[int, int]
    writes: int


SHORT = Sizes(
    replace(FULL, seconds=4.0, trees=150, epochs=2, traffic=replace(FULL.traffic, users=4_000)), (60, 240), 4_000
)
TOY = Sizes(replace(QUICK, seconds=2.0), (60, 120), 600)


def measure(sizes: Sizes) -> list[Figure]:
    """Every figure, in the order of the table."""
    figures = training(sizes.holders)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        console.print("training the service's model, filling stores")
        train_models(sizes.plan, folder)
        moment = pd.Timestamp.now("UTC").floor("s")
        world = until_now(simulate(sizes.plan.traffic, np.random.default_rng(7)), moment)
        valkey = stack.enter_context(EmbeddedValkey(folder / "valkey", persist=False))
        figures += filling(world, moment, valkey.url, folder)
        programs = server_programs()
        if programs is None:
            raise SystemExit(f"error: {MISSING}")
        postgres = stack.enter_context(PostgresServer(programs, fsync=True))
        bodies = request_bodies(world, moment, 20_000, np.random.default_rng(7))
        driver = Driver(bodies, folder, sizes.plan.seconds)
        for name, url in (("SQLite", None), ("PostgreSQL", postgres.new_database())):
            figures += serving(name, url, driver, valkey, folder)
            home = folder / f"home-{name}" / "run"
            figures += following(name, home, url, valkey, folder)
            where = postgres.new_database() if url else None
            figures += writing(name, open_reader(home, url).events_after(0, sizes.writes), where, folder)
    return figures


def training(holders: Sequence[int]) -> list[Figure]:
    """What another row adds to training: the difference of two sizes, each in a process of its own."""
    found = []
    for users in holders:
        console.print(f"training on {users:,} card holders")
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            found.append(pool.submit(train_on, users).result())
    (few, least_s, least_kb), (many, most_s, most_kb) = found
    return [
        Figure("training, rows of the larger run", many, "rows"),
        Figure("training, processor time of the larger run", most_s, "s"),
        Figure("training, processor time another row", 1e6 * (most_s - least_s) / (many - few), "µs"),
        Figure("training, peak memory of the larger run", most_kb / 1e3, "MB"),
        Figure("training, memory another row", 1e3 * (most_kb - least_kb) / (many - few), "bytes"),
    ]


def train_on(users: int) -> tuple[int, float, int]:
    """Rows, processor seconds of training all models, and the process's peak memory in kB."""
    world = simulate(replace(WORLDS["reference"], users=users), np.random.default_rng(7))
    seen = (world.transactions["known_at"] < pd.Timestamp(world.config.valid_end)).to_numpy()
    early = (world.transactions["known_at"] < pd.Timestamp(world.config.valid_start)).to_numpy()
    X = replay(world.transactions, world.users, world.labels)
    y = world.truth["is_fraud"].to_numpy()
    late = seen & ~early
    before = time.process_time()
    train_bundle(X[early], y[early], X[late], y[late], np.random.default_rng(7), params=TrainingParams())
    spent = time.process_time() - before
    return int(seen.sum()), spent, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def filling(world: World, moment: pd.Timestamp, url: str, folder: Path) -> list[Figure]:
    """Bytes of both stores a card holder, and the time in which the second one fills the first."""
    console.print("filling an empty store from the secondary store")
    users = len(world.users)
    tables = (world.transactions, world.users, world.labels, world.ip_reputation, moment)
    client = redis.Redis.from_url(url)
    run = folder / "refill"
    table = SqliteTable(run / SECONDARY_FILE)
    fill_store(SecondaryStore(table), *tables)
    DecisionStore(run / DATABASE_FILE).close()
    before = used(client)
    refill = refill_of(open_reader(run, None), table, url)
    started = time.perf_counter()
    while refill.step():
        pass
    spent = time.perf_counter() - started
    store = HistoryStore.connect(url)
    if not store.filled():
        raise SystemExit("error: the store was not filled again")
    store.close()
    table.close()
    on_disk = sum(path.stat().st_size for path in run.glob(f"{SECONDARY_FILE}*"))
    return [
        Figure("store, card holders", users, ""),
        Figure("store, everything in it a card holder", (used(client) - before) / users, "bytes"),
        Figure("secondary store on disk, a card holder", on_disk / users, "bytes"),
        Figure("empty store filled again, a card holder", 1e6 * spent / users, "µs"),
    ]


def used(client: redis.Redis) -> int:
    """Bytes that the server holds."""
    info: Any = client.info("memory")
    return int(info["used_memory"])


def serving(name: str, url: str | None, driver: Driver, valkey: EmbeddedValkey, folder: Path) -> list[Figure]:
    """The service over one database: its rate, and what a request costs each process and line."""
    console.print(f"loading the service over {name}")
    env = {
        "REDIS_URL": valkey.url,
        "FRAUDKIT_HOME": str(folder / f"home-{name}"),
        "FRAUDKIT_EVENTS": "off",
        **({"DATABASE_URL": url} if url else {}),
    }
    client = redis.Redis.from_url(valkey.url)
    port = free_port()
    with server(service_command(port, folder), port, "/ready", env, folder):
        closed = driver.run(port)
        service, follower = processes()
        watched = {"service": [service], "store": [psutil.Process(valkey.pid())], "database": databases()}
        before, lines = {part: spent(of) for part, of in watched.items()}, traffic(client)
        opened = driver.run(port, connections=64, rate=OPEN_RATE)
        costs = {part: (spent(of) - before[part]) / opened["answered"] for part, of in watched.items()}
        line = (traffic(client) - lines) / opened["answered"]
        asked, answered = wire(port, driver)
        resident = [process.memory_info().rss / 1e6 for process in (service, follower)]
    figures = [
        Figure(f"service over {name}, 32 connections, one core", closed["per_second"], "requests/s"),
        Figure(f"service over {name}, open loop, p99", opened["p99_ms"], "ms"),
        Figure(f"service over {name}, processor time a request", 1e6 * costs["service"], "µs"),
    ]
    if url is None:
        return [
            *figures,
            Figure("store, processor time a request", 1e6 * costs["store"], "µs"),
            Figure("store, bytes on its line a request", line, "bytes"),
            Figure("request on the wire", asked, "bytes"),
            Figure("reply on the wire", answered, "bytes"),
            Figure("service, resident memory after load", resident[0], "MB"),
            Figure("follower, resident memory after load", resident[1], "MB"),
        ]
    return [*figures, Figure("PostgreSQL, processor time a request", 1e6 * costs["database"], "µs")]


def processes() -> tuple[psutil.Process, psutil.Process]:
    """The service that this process started, and its follower."""
    for child in psutil.Process().children():
        if "serve" in child.cmdline():
            return child, child.children()[0]
    raise SystemExit("error: the service does not run")


def databases() -> list[psutil.Process]:
    """Every process of the PostgreSQL server that this process started."""
    return [
        process
        for child in psutil.Process().children()
        if child.name() == "postgres"
        for process in (child, *child.children())
    ]


def spent(processes: Sequence[psutil.Process]) -> float:
    """Processor seconds of processes so far."""
    times = [process.cpu_times() for process in processes if process.is_running()]
    return sum(each.user + each.system for each in times)


def traffic(client: redis.Redis) -> int:
    """Bytes that the store read and wrote on its lines so far."""
    info: Any = client.info("stats")
    return int(info["total_net_input_bytes"]) + int(info["total_net_output_bytes"])


def wire(port: int, driver: Driver, n: int = 300) -> tuple[float, float]:
    """Mean bytes of a request and of its reply, heads included."""
    stream = requests(DOOR, driver.single.read_bytes().splitlines(), 9_000_000_000)
    asked = answered = 0
    with socket.create_connection(("127.0.0.1", port), timeout=5.0) as line:
        for request in (next(stream) for _ in range(n)):
            line.sendall(request)
            reply = b""
            while b"\r\n\r\n" not in reply or len(reply) < whole(reply):
                reply += line.recv(65_536)
            asked, answered = asked + len(request), answered + len(reply)
    return asked / n, answered / n


def whole(reply: bytes) -> int:
    """How long a reply is whose head has arrived."""
    head, _, _ = reply.partition(b"\r\n\r\n")
    return len(head) + 4 + int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])


def following(name: str, run: Path, url: str | None, valkey: EmbeddedValkey, folder: Path) -> list[Figure]:
    """The parts that take decisions one after the other, and what a decision is in the stream and the archive."""
    console.print(f"following decisions in {name}")
    table = SqliteTable(folder / "refill" / SECONDARY_FILE)
    mirrored = rate(Mirror(open_reader(run, url), table).step)
    table.close()
    client = redis.Redis.from_url(valkey.url)
    client.delete(STREAM)
    kept_in = folder / f"progress-{name}"
    kept_in.mkdir()
    progress = open_progress(kept_in, url)
    published = rate(Publisher(open_reader(run, url), ValkeyStream(valkey.url), progress).step)
    figures = [
        Figure(f"secondary store fed from {name}", mirrored, "decisions/s"),
        Figure(f"events published from {name}", published, "decisions/s"),
    ]
    if url is None:
        waiting: Any = client.xlen(STREAM)
        held: Any = client.memory_usage(STREAM, samples=0)
        archive = folder / "archive"
        consumer = StreamConsumer(valkey.url, Archive(archive))
        archived = rate(consumer.step)
        consumer.close()
        kept = sum(path.stat().st_size for path in archive.rglob("*.parquet"))
        figures += [
            Figure("events archived by one consumer", archived, "decisions/s"),
            Figure("a decision in the stream", held / waiting, "bytes"),
            Figure("a decision in the archive", kept / sum(1 for _ in Archive(archive).events()), "bytes"),
        ]
    return figures


def rate(step: Callable[[], int]) -> float:
    """What `step` does a second, until there is nothing to do, a stream is full or the time is up."""
    step()  # opens connections, compiles
    done, started = 0, time.perf_counter()
    while time.perf_counter() - started < TURN_S and done < MOST_WAITING and (n := step()):
        done += n
    return done / (time.perf_counter() - started)


def writing(name: str, found: Sequence[tuple[int, DecisionEvent]], url: str | None, folder: Path) -> list[Figure]:
    """Rows a second of one writer that waits for the disk, and what a row leaves behind."""
    console.print(f"writing decisions to {name}")
    file = folder / "writes.sqlite"
    decisions = DecisionStore(PostgresDatabase(url, durable=True) if url else SqliteDatabase(file, durable=True))
    figures, rows = [], 0
    first = position(decisions) if url else 0
    for size in WRITE_BATCHES:
        records = [again(decisions, event, f"{size}-{n}") for n, (_, event) in enumerate(found)]
        started = time.perf_counter()
        for start in range(0, len(records), size):
            decisions.add(records[start : start + size])
            rows += len(records[start : start + size])
            if time.perf_counter() - started > TURN_S:
                break
        written = min(start + size, len(records)) / (time.perf_counter() - started)
        figures.append(Figure(f"{name}, one writer, {size} a commit, on disk", written, "rows/s"))
    if url:
        wal = position(decisions) - first
        with decisions.database.others() as line:
            held = line.rows("SELECT pg_database_size(current_database()) - 8000000")[0][0]
        figures += [
            Figure("a decision in PostgreSQL, indexes included", held / rows, "bytes"),
            Figure("a decision in PostgreSQL's write-ahead log", wal / rows, "bytes"),
        ]
    decisions.close()
    if not url:
        figures.append(Figure("a decision in SQLite, indexes included", file.stat().st_size / rows, "bytes"))
    return figures


def position(decisions: DecisionStore) -> int:
    """Bytes of write-ahead log so far."""
    with decisions.database.others() as line:
        return int(line.rows("SELECT (pg_current_wal_lsn() - '0/0')::bigint")[0][0])


def again(decisions: DecisionStore, event: DecisionEvent, suffix: str) -> Record:
    """A decision that was made, as a record of another transaction."""
    facts = {name: getattr(event, name) for name in Context.__dataclass_fields__}
    holder = json.loads(event.transaction_json).get("user_id", "")
    return Record(
        transaction_id=f"{event.transaction_id}-{suffix}", payload_digest=event.payload_digest,
        decided_at_ms=event.decided_at_ms, action=event.action, fraud_score=event.fraud_score, reply=event.reply,
        vector=event.vector, transaction_json=event.transaction_json, degraded=event.degraded, to_rescore=False,
        context_id=context(decisions, Context(**facts)), user_id=holder,
    )  # fmt: skip


_CONTEXTS: dict[tuple[int, Context], int] = {}


def context(decisions: DecisionStore, what: Context) -> int:
    """The context's row, asked for once."""
    key = (id(decisions), what)
    if key not in _CONTEXTS:
        _CONTEXTS[key] = decisions.context_id(what)
    return _CONTEXTS[key]
