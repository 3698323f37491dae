"""Stretches of time that tell why a payment waited: a stage of a batch, a call of a part, a pause of a process.

All moments are `time.perf_counter`, which counts the same in every process of a machine (on Linux and macOS). A pause
is how much longer than it meant to sleep somebody slept who does nothing else: what is late because of it is no fault
of the service. `python -m tests.chaos.spans` sleeps on every processor and prints each pause as a line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass, field

NAP_S = 0.003
PAUSE_S = 0.005  # what is shorter is no pause worth keeping


@dataclass(frozen=True, slots=True)
class Span:
    """One stretch of time.

    Attributes
    ----------
    what : the stage, the part, or who slept
    how : the kind of error that a call ended with, else ""
    allowed_s : how long a call might take before it was given up, where that is known
    """

    what: str
    began_s: float
    ended_s: float
    how: str = ""
    allowed_s: float | None = None

    @property
    def ms(self) -> float:
        """Its length."""
        return (self.ended_s - self.began_s) * 1000

    def touches(self, start_s: float, end_s: float) -> bool:
        """Whether any of it lies between two moments."""
        return self.began_s <= end_s and self.ended_s >= start_s

    def in_words(self) -> str:
        """As a report says it."""
        return f"{self.what} {self.ms:.0f} ms{f' ({self.how})' if self.how else ''}"


def touching(spans: Iterable[Span], start_s: float, end_s: float) -> list[Span]:
    """Those of the spans that touch a stretch of time."""
    return [span for span in spans if span.touches(start_s, end_s)]


def longest_ms(spans: Iterable[Span]) -> float:
    """The length of the longest, 0 where there is none."""
    return max((span.ms for span in spans), default=0.0)


@dataclass
class Seen:
    """What a service saw of itself since it was last asked: long stages, calls of its parts, pauses of its own."""

    stages: list[Span] = field(default_factory=list)
    calls: list[Span] = field(default_factory=list)
    pauses: list[Span] = field(default_factory=list)

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Seen:
        """What `to_json` wrote."""
        return cls(**{name: [Span(**span) for span in spans] for name, spans in json.loads(line).items()})


def overslept(who: str, began_s: float) -> Span | None:
    """The pause of somebody who lay down for a nap at a moment and wakes now; None where there was none to speak of."""
    ended_s = time.perf_counter()
    return Span(who, began_s + NAP_S, ended_s) if ended_s - began_s - NAP_S > PAUSE_S else None


def sleep_and_tell(who: str, tell: Callable[[Span], None]) -> None:
    """Sleep again and again, without end, and tell of every time that it took longer than meant."""
    while True:
        began_s = time.perf_counter()
        time.sleep(NAP_S)
        if (pause := overslept(who, began_s)) is not None:
            tell(pause)


@asynccontextmanager
async def sleeping(who: str) -> AsyncIterator[list[Span]]:
    """The pauses of this event loop, as they come."""
    pauses: list[Span] = []

    async def sleep() -> None:
        while True:
            began_s = time.perf_counter()
            await asyncio.sleep(NAP_S)
            if (pause := overslept(who, began_s)) is not None:
                pauses.append(pause)

    task = asyncio.create_task(sleep())
    try:
        yield pauses
    finally:
        task.cancel()


@contextmanager
def watched_machine() -> Iterator[list[Span]]:
    """The pauses of a process of its own that does nothing but sleep, as they come."""
    pauses: list[Span] = []
    process = subprocess.Popen([sys.executable, "-m", "tests.chaos.spans"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = process.stdout

    def read() -> None:
        for line in lines:
            pauses.append(Span(**json.loads(line)))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield pauses
    finally:
        process.terminate()
        process.wait(10)
        reader.join(10)
        lines.close()


def main() -> None:
    """Sleep on every processor, until stopped."""

    def tell(span: Span) -> None:
        sys.stdout.write(json.dumps(asdict(span)) + "\n")
        sys.stdout.flush()

    def sleep_on(processor: int | None) -> None:
        if processor is not None:
            os.sched_setaffinity(0, {processor})  # of this thread alone
        sleep_and_tell("machine", tell)

    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [None]
    for processor in processors[1:]:
        threading.Thread(target=sleep_on, args=(processor,), daemon=True).start()
    sleep_on(processors[0])


if __name__ == "__main__":
    main()
