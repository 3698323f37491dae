"""Between the event loop and the scoring core: two lines, one thread, and a watch over it.

The thread takes what waits, up to MAX_BATCH transactions, and never waits for more to come: alone, a
request is scored at once; under load, batches grow by themselves. Single payments go first, for
someone stands at a till; a large request is cut into pieces, of which one goes along with each batch.

A line that moves too slowly is not joined: while a full batch waits and its first has waited too long already,
requests are turned away at once, so that those in line still get their answers in time.

The watch looks at the batch under way. Where a part of it is overdue, the batch goes to a new thread, which
does without that part, and the old thread ends when the part lets go of it.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from fraudkit.serve.job import Job, TakenAway
from fraudkit.serve.problems import refuse
from fraudkit.serve.scorer import Outcome, Scorer, Waiting

MAX_BATCH = 128
PIECE = 32  # transactions of a large request that are scored together
MAX_WAITING = 20_000  # transactions; beyond it requests are turned away whatever the pace
LONGEST_WAIT_S, LONGEST_BULK_WAIT_S = 0.030, 2.0  # of a single payment, of a piece of a large request
WATCH_S = 0.002  # between two looks at the batch under way

Results = list[Outcome]


@dataclass(slots=True)
class Piece:
    """Transactions that are scored together, the future of their outcomes, and when these should be there."""

    items: Sequence[Waiting]
    future: asyncio.Future[Results]
    due_s: float


@dataclass(slots=True)
class Line:
    """Pieces in order of arrival, and how many transactions they hold; none joins behind a wait of `longest_s`."""

    longest_s: float
    pieces: deque[Piece] = field(default_factory=deque)
    waiting: int = 0

    def is_too_slow(self) -> bool:
        """Whether a full batch waits and its first has waited for too long."""
        if self.waiting < MAX_BATCH:
            return False
        return time.perf_counter() - self.pieces[0].items[0].arrived_s > self.longest_s

    def join(self, pieces: Sequence[Piece]) -> None:
        """Stand at the end."""
        self.pieces.extend(pieces)
        self.waiting += sum(len(piece.items) for piece in pieces)

    def take(self, room: int) -> list[Piece]:
        """The first pieces that fit into `room` transactions."""
        taken: list[Piece] = []
        while self.pieces and len(self.pieces[0].items) <= room:
            taken.append(self.pieces.popleft())
            room -= len(taken[-1].items)
            self.waiting -= len(taken[-1].items)
        return taken


class ScoringWorker:
    """Runs a scorer on its own thread. Made, started and stopped on the event loop's thread."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer
        self._singles, self._bulk = Line(LONGEST_WAIT_S), Line(LONGEST_BULK_WAIT_S)
        self._changed = threading.Condition()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._under_way: tuple[Job, list[Piece]] | None = None
        self._thread = self._new_thread(None)
        self._stopped = threading.Event()
        self._watch = threading.Thread(target=self._look, name="watch", daemon=True)
        scorer.metrics.gauge("transactions_waiting", "Transactions in line", lambda: self.waiting)

    @property
    def waiting(self) -> int:
        """Transactions in line."""
        return self._singles.waiting + self._bulk.waiting

    def start(self) -> None:
        """Begin to score; called inside the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._thread.start()
        self._watch.start()

    def stop(self) -> None:
        """Score what waits, then end the threads."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        while self._thread.is_alive():  # which one it is may change while a part is overdue
            self._thread.join(WATCH_S)
        self._stopped.set()
        self._watch.join()

    async def score(self, items: Sequence[Waiting], *, bulk: bool = False) -> Results:
        """Outcomes in the order of `items`, at least one; `bulk` where nobody stands at a till, and nothing is due.

        Raises
        ------
        Refused
            503 while the line is too long or the service stops.
        """
        loop = asyncio.get_running_loop()
        due_s = math.inf if bulk else items[0].arrived_s + self.scorer.parts.deadline_s
        pieces = [
            Piece(items[start : start + PIECE], loop.create_future(), due_s) for start in range(0, len(items), PIECE)
        ]
        line = self._bulk if bulk else self._singles
        with self._changed:
            if self._stopping or self.waiting + len(items) > MAX_WAITING or line.is_too_slow():
                self.scorer.metrics.shed(len(items))
                raise refuse(503, "service", "has too much to do", "send it again in a second", Retry_After="1")
            line.join(pieces)
            self._changed.notify()
        if len(pieces) == 1:
            return await pieces[0].future
        return [outcome for piece in pieces for outcome in await piece.future]

    def _new_thread(self, held_up: tuple[Job, list[Piece]] | None) -> threading.Thread:
        return threading.Thread(target=self._run, args=(held_up,), name="scoring", daemon=True)

    def _run(self, held_up: tuple[Job, list[Piece]] | None) -> None:
        """Score until stopped, or until a batch was taken away; begin with one that was held up elsewhere."""
        if held_up is not None and not self._score(*held_up):
            return
        while pieces := self._take():
            if not self._score(Job(min(piece.due_s for piece in pieces)), pieces):
                return

    def _score(self, job: Job, pieces: list[Piece]) -> bool:
        """Score one batch and deliver it; False where it was taken away, and with it this thread's work."""
        items = [item for piece in pieces for item in piece.items]
        self._under_way = (job, pieces)
        try:
            outcomes: Results | Exception = self.scorer.score(items, job)
        except TakenAway:
            return False
        except Exception as error:
            # The thread must outlive any error: it is handed to the requests that it belongs to.
            outcomes = error
        self._under_way = None
        assert self._loop is not None
        self._loop.call_soon_threadsafe(_deliver, pieces, outcomes)
        return True

    def _look(self) -> None:
        """Take overdue batches away, until stopped."""
        while not self._stopped.wait(WATCH_S):
            under_way = self._under_way
            if under_way is not None and under_way[0].take_over(time.perf_counter()) is not None:
                successor = self._new_thread(under_way)
                successor.start()
                self._thread = successor

    def _take(self) -> list[Piece]:
        """The pieces of the next batch; waits for the first, empty when stopped and done."""
        with self._changed:
            while not self.waiting and not self._stopping:
                self._changed.wait()
            pieces = self._singles.take(MAX_BATCH - PIECE if self._bulk.waiting else MAX_BATCH)
            size = sum(len(piece.items) for piece in pieces)
            return pieces + self._bulk.take(MAX_BATCH - size)


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
