"""The service under steady traffic for a long time: memory, open files, threads and latency must not grow.

`python -m tests.chaos.soak` drives payments, feedback, look-ups and scrapes for ten minutes and compares the last third
of the time after the warm-up with the first. What grows without a bound grows between those two. What has a bound must
be at it before, or its filling would pass for growth: the service keeps its latest replies, so many payments arrive in
the warm-up that the oldest of these are forgotten again, and after it as many a second as were asked for.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx
import numpy as np
import psutil

from fraudkit.core.config import settings
from fraudkit.core.console import output, progress_bar
from fraudkit.registry.registry import Registry
from fraudkit.serve.recent import KEPT
from tests.serve.process import body, served

SAMPLE_S = 0.5
WARM_UP = 0.25  # of the time: caches fill, histories grow to their bounds
FILL = round(1.1 * KEPT)  # payments in the warm-up of the long form, with room for a slow start
FASTEST = (
    150.0  # payments a second in the warm-up: a shorter soak does not fill the service, but does not choke it either
)
# Growth from the first to the last third that is still called none: a database's page cache and histories that are
# not yet at their bound take some; a leak of 1 kB a payment would take 30 MB in ten minutes at 50 a second.
MEMORY_MB, FILES, THREADS, LATENCY_RATIO = 20.0, 3, 2, 2.0


@dataclass
class Sample:
    """The service at one moment; `memory_mb` is what it holds for itself (resident, without what it shares)."""

    at_s: float
    memory_mb: float
    files: int
    connections: int
    threads: int


@dataclass
class Soaked:
    """What a run came to."""

    samples: list[Sample] = field(default_factory=list)
    latencies: list[tuple[float, float]] = field(default_factory=list)  # moment, seconds
    statuses: Counter[int] = field(default_factory=Counter)
    degraded: Counter[str] = field(default_factory=Counter)  # parts that decisions had to do without

    def thirds(self) -> tuple[dict[str, float], dict[str, float]]:
        """Means of the first and of the last third of the time after the warm-up; latency as its 99th percentile."""
        end = self.samples[-1].at_s
        edges = np.linspace(WARM_UP * end, end, 4)
        return self._between(edges[0], edges[1]), self._between(edges[2], edges[3])

    def _between(self, start: float, end: float) -> dict[str, float]:
        rows = [asdict(sample) for sample in self.samples if start <= sample.at_s <= end]
        found = {name: float(np.mean([row[name] for row in rows])) for name in rows[0] if name != "at_s"}
        times = [seconds * 1000 for at, seconds in self.latencies if start <= at <= end]
        return found | {"p99_ms": float(np.percentile(times, 99)) if times else float("nan")}

    @property
    def filled(self) -> int:
        """Payments answered in the warm-up."""
        edge = WARM_UP * self.samples[-1].at_s
        return sum(at + seconds <= edge for at, seconds in self.latencies)

    def grown(self) -> list[str]:
        """What grew, in words; empty where nothing did."""
        first, last = self.thirds()
        limits = {"memory_mb": MEMORY_MB, "files": FILES, "connections": FILES, "threads": THREADS}
        return [
            f"{name}: {first[name]:.1f} -> {last[name]:.1f}"
            for name, limit in limits.items()
            if last[name] - first[name] > limit
        ]


def look(process: psutil.Process, at_s: float) -> Sample:
    """One sample of a process."""
    with process.oneshot():
        return Sample(
            at_s,
            process.memory_full_info().uss / 2**20,
            process.num_fds(),
            len(process.net_connections(kind="inet")),
            process.num_threads(),
        )


async def soak(
    url: str, pid: int, seconds: float, rate: float, rng: np.random.Generator, fill: int = 0, progress=None
) -> Soaked:
    """Traffic on its own schedule for `seconds`, with samples of the process beside it.

    About `fill` payments are sent in the warm-up, faster than `rate` where it takes that.
    """
    at_first = max(rate, fill / (WARM_UP * seconds))
    soaked, process = Soaked(), psutil.Process(pid)
    started = time.perf_counter()
    limits = httpx.Limits(max_connections=32)
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=limits) as client:

        async def watch() -> None:
            while (at := time.perf_counter() - started) < seconds:
                soaked.samples.append(look(process, at))
                if progress is not None:
                    progress(min(at / seconds, 1.0))
                await asyncio.sleep(min(SAMPLE_S, seconds / 40))

        watching = asyncio.create_task(watch())
        due, number, waiting = 0.0, 0, set()
        while (due := due + rng.exponential(1 / (at_first if due < WARM_UP * seconds else rate))) < seconds:
            await asyncio.sleep(max(0.0, started + due - time.perf_counter()))
            number += 1
            task = asyncio.create_task(_one(client, number, started, due, soaked))
            waiting.add(task)
            task.add_done_callback(waiting.discard)
        await asyncio.gather(*waiting, watching)
    return soaked


async def _one(client: httpx.AsyncClient, number: int, started: float, due: float, soaked: Soaked) -> None:
    """A payment, and now and then what else a service is asked."""
    sent = body(number, transaction_id=f"soak-{number}", user_id=f"u{number % 500:06d}", amount=float(number % 900 + 1))
    reply = await client.post("/score_transaction", json=sent)
    soaked.statuses[reply.status_code] += 1
    soaked.latencies.append((due, time.perf_counter() - started - due))
    if reply.status_code == 200:
        soaked.degraded.update(reply.json()["degraded"])
    others = []
    if number % 7 == 0:
        word = {"transaction_id": sent["transaction_id"], "is_fraud": number % 2 == 0, "source": "chargeback"}
        others.append(await client.post("/feedback", json=word))
    if number % 11 == 0:
        others.append(await client.get(f"/decisions/{sent['transaction_id']}"))
    if number % 50 == 0:
        others += [await client.get("/metrics"), await client.get("/v1/reviews")]
    soaked.statuses.update(other.status_code for other in others)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--rate", type=float, default=50.0, help="payments a second")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    model = Registry(settings().registry).path("production")
    with (
        tempfile.TemporaryDirectory(prefix="fk-soak-") as folder,
        served(Path(folder), model, FRAUDKIT_PATIENCE="1") as running,
        progress_bar("soak") as progress,
    ):
        url, pid, rng = str(running.client.base_url), running.process.pid, np.random.default_rng(7)
        seconds = chosen.minutes * 60
        fill = min(FILL, round(FASTEST * WARM_UP * seconds))
        soaked = asyncio.run(soak(url, pid, seconds, chosen.rate, rng, fill, progress))
    first, last = soaked.thirds()
    grown = soaked.grown()
    if last["p99_ms"] > LATENCY_RATIO * first["p99_ms"]:
        grown.append(f"p99: {first['p99_ms']:.1f} -> {last['p99_ms']:.1f} ms")
    if chosen.json:
        told = {
            "replies": soaked.statuses, "degraded": soaked.degraded, "filled": soaked.filled, "first": first,
            "last": last, "grown": grown,
        }  # fmt: skip
        print(json.dumps(told))
    else:
        output.print(f"{soaked.statuses.total():,} replies: {dict(soaked.statuses)}", markup=False)
        output.print(f"parts left out: {dict(soaked.degraded) or 'none'}", markup=False)
        output.print(f"{soaked.filled:,} payments in the warm-up; the service keeps {KEPT:,} replies", markup=False)
        for name in first:
            output.print(f"{name:>12}  {first[name]:10.1f} -> {last[name]:10.1f}", markup=False)
        output.print(f"grown: {', '.join(grown) or 'nothing'}", markup=False)
    raise SystemExit(1 if grown or set(soaked.statuses) - {200} else 0)


if __name__ == "__main__":
    main()
