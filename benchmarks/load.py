"""A load driver in a process of its own: raw HTTP/1.1 over asyncio, prebuilt bytes, unique transaction ids.

    python -m benchmarks.load PORT PATH BODIES --seconds 10 --connections 16         # closed loop
    python -m benchmarks.load PORT PATH BODIES --seconds 10 --rate 500               # open loop, Poisson arrivals

BODIES is a file with one JSON body a line, in which every @@@@@@@@@@ is a place for a unique number.
In the open loop a latency runs from the moment a request was due, not from when a connection was
free for it, so that a slow server cannot hide behind its own slowness. It prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

PLACE = b"@@@@@@@@@@"
WARM_UP_S = 1.0  # of each run, not counted
PATIENCE_S = 5.0  # for the last replies
OPEN_CONNECTIONS = 64


@dataclass(slots=True)
class Tally:
    """What came back: `latencies` in seconds with the moment of each reply, and replies by status and decision."""

    latencies: list[float] = field(default_factory=list)
    finished: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    decisions: Counter[str] = field(default_factory=Counter)


def requests(path: str, bodies: list[bytes], first: int) -> Iterator[bytes]:
    """Endless requests, each with numbers of its own from `first` on."""
    number = first
    head = f"POST {path} HTTP/1.1\r\nHost: benchmark\r\nContent-Type: application/json\r\nContent-Length: ".encode()
    while True:
        for body in bodies:
            parts = body.split(PLACE)
            pieces = [parts[0]]
            for part in parts[1:]:
                pieces += [b"%010d" % number, part]
                number += 1
            filled = b"".join(pieces)
            yield head + b"%d\r\n\r\n" % len(filled) + filled


class Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request on the way."""

    def __init__(self, tally: Tally, idle: asyncio.Queue[Connection]) -> None:
        self.tally = tally
        self.idle = idle
        self.buffer = b""
        self.due = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.idle.put_nowait(self)

    def send(self, request: bytes, due: float) -> None:
        """Send one request that was due at `due` (time.perf_counter)."""
        assert self.transport is not None
        self.due = due
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        self.buffer = b""
        self._count(head, body)
        self.idle.put_nowait(self)

    def _count(self, head: bytes, body: bytes) -> None:
        now = time.perf_counter()
        self.tally.latencies.append(now - self.due)
        self.tally.finished.append(now)
        self.tally.statuses[int(head.split(b" ", 2)[1])] += 1
        for decision in ("APPROVE_FALLBACK", "APPROVE", "REVIEW", "DECLINE"):
            self.tally.decisions[decision] += body.count(f'"decision":"{decision}"'.encode())


async def drive(
    port: int, path: str, bodies: list[bytes], seconds: float, connections: int, rate: float, first: int, seed: int
) -> dict:
    """Run one load and return its figures; `rate` 0 means closed loop."""
    tally, idle = Tally(), asyncio.Queue[Connection]()
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: Connection(tally, idle), "127.0.0.1", port)
    start = time.perf_counter()
    stream = requests(path, bodies, first)
    sent = await (_open(stream, idle, start, seconds, rate, seed) if rate else _closed(stream, idle, start, seconds))
    stop = time.perf_counter()
    while sum(tally.statuses.values()) < sent and time.perf_counter() - stop < PATIENCE_S:
        await asyncio.sleep(0.01)
    return summary(tally, start + WARM_UP_S, stop, sent)


async def _closed(stream: Iterator[bytes], idle: asyncio.Queue[Connection], start: float, seconds: float) -> int:
    sent = 0
    while time.perf_counter() - start < seconds:
        connection = await idle.get()
        connection.send(next(stream), time.perf_counter())
        sent += 1
    return sent


async def _open(
    stream: Iterator[bytes], idle: asyncio.Queue[Connection], start: float, seconds: float, rate: float, seed: int
) -> int:
    arrivals = np.cumsum(np.random.default_rng(seed).exponential(1 / rate, round(rate * seconds)))
    for arrival in arrivals.tolist():
        due = start + arrival
        wait = due - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        connection = await idle.get()
        connection.send(next(stream), due)
    return len(arrivals)


def summary(tally: Tally, begin: float, stop: float, sent: int) -> dict:
    """Figures of what finished between `begin` and `stop` (latencies: all that was due after `begin`)."""
    finished, latencies = np.array(tally.finished), np.array(tally.latencies)
    counted = (finished >= begin) & (finished <= stop)
    p50, p95, p99 = np.percentile(1000 * latencies[finished - latencies >= begin], [50, 95, 99])
    return {
        "sent": sent,
        "answered": sum(tally.statuses.values()),
        "per_second": float(counted.sum() / (stop - begin)),
        "p50_ms": float(p50),
        "p95_ms": float(p95),
        "p99_ms": float(p99),
        "statuses": {str(status): count for status, count in sorted(tally.statuses.items())},
        "decisions": {name: count for name, count in tally.decisions.items() if count},
    }


def main() -> None:
    """Parse arguments, run, print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("bodies", type=Path)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=OPEN_CONNECTIONS)
    parser.add_argument("--rate", type=float, default=0.0)
    parser.add_argument("--first", type=int, default=0, help="first of the unique numbers")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    bodies = options.bodies.read_bytes().splitlines()
    gc.disable()  # a pause of the driver would be counted as the server's
    figures = asyncio.run(
        drive(
            options.port, options.path, bodies, options.seconds, options.connections, options.rate, options.first,
            options.seed,
        )
    )  # fmt: skip
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
