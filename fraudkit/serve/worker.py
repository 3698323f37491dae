"""Between the event loop and the scoring core: one queue, one thread.

The thread takes everything that waits, up to MAX_BATCH transactions, and never waits for more to
come: alone, a request is scored at once; under load, batches grow by themselves. A large request is
cut into pieces, so that a single transaction behind it waits for pieces and not for the whole line.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from fraudkit.serve.problems import refuse
from fraudkit.serve.scorer import Outcome, Scorer, Waiting

MAX_BATCH = 128
MAX_WAITING = 20_000  # transactions; beyond it requests are turned away at once

Results = list[Outcome]


@dataclass(slots=True)
class Piece:
    """Transactions that are scored together, and the future of their outcomes."""

    items: Sequence[Waiting]
    future: asyncio.Future[Results]


class ScoringWorker:
    """Runs a scorer on its own thread. Made, started and stopped on the event loop's thread."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self._queue: deque[Piece] = deque()
        self._waiting = 0
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="scoring", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin to score; called inside the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()

    def stop(self) -> None:
        """Score what waits, then end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    async def score(self, items: Sequence[Waiting]) -> Results:
        """Outcomes in the order of `items`.

        Raises
        ------
        Refused
            503 while the line is full or the service stops.
        """
        loop = asyncio.get_running_loop()
        pieces = [
            Piece(items[start : start + MAX_BATCH], loop.create_future()) for start in range(0, len(items), MAX_BATCH)
        ]
        with self._changed:
            if self._stopping or self._waiting + len(items) > MAX_WAITING:
                raise refuse(503, "service", "has too much to do", "send it again in a second", Retry_After="1")
            self._queue.extend(pieces)
            self._waiting += len(items)
            self._changed.notify()
        if len(pieces) == 1:
            return await pieces[0].future
        return [outcome for piece in pieces for outcome in await piece.future]

    def _run(self) -> None:
        while pieces := self._take():
            try:
                outcomes: Results | Exception = self.scorer.score([item for piece in pieces for item in piece.items])
            except Exception as error:
                # The thread must outlive any error: it is handed to the requests that it belongs to.
                outcomes = error
            assert self._loop is not None
            self._loop.call_soon_threadsafe(_deliver, pieces, outcomes)

    def _take(self) -> list[Piece]:
        """The pieces of the next batch; waits for the first, empty when stopped and done."""
        pieces: list[Piece] = []
        size = 0
        with self._changed:
            while not self._queue and not self._stopping:
                self._changed.wait()
            while self._queue and (not pieces or size + len(self._queue[0].items) <= MAX_BATCH):
                pieces.append(self._queue.popleft())
                size += len(pieces[-1].items)
            self._waiting -= size
        return pieces


def _deliver(pieces: list[Piece], outcomes: Results | Exception) -> None:
    """Give each piece its part of the outcomes; runs on the event loop."""
    start = 0
    for piece in pieces:
        end = start + len(piece.items)
        if not piece.future.done():  # a client that left has cancelled its future
            if isinstance(outcomes, Exception):
                piece.future.set_exception(outcomes)
            else:
                piece.future.set_result(outcomes[start:end])
        start = end
