"""What a service does besides answering, on one thread: moving the journal, deciding again, tidying the review queue.

Every task is tried several times a second; one that fails is told in the log and tried again. None of them is
waited for by a payment.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from fraudkit.serve.logs import DecisionLog
from fraudkit.serve.rescore import Rescorer
from fraudkit.serve.scorer import Scorer

PAUSE_S = 0.2
TIDY_S = 30.0  # between two looks at what nobody needs to review any more


class Housekeeping:
    """The thread of one service; a context manager."""

    def __init__(self, tasks: dict[str, Callable[[], object]], log: DecisionLog, pause_s: float = PAUSE_S) -> None:
        self._tasks = tasks
        self._log = log
        self._pause_s = pause_s
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="housekeeping", daemon=True)

    def __enter__(self) -> Housekeeping:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._pause_s):
            for name, task in self._tasks.items():
                try:
                    task()
                except Exception as error:  # the next round tries again
                    self._log.failure(name, error)


def usual_tasks(scorer: Scorer) -> dict[str, Callable[[], object]]:
    """What every service does."""
    rescorer = Rescorer(scorer)

    def move_journal() -> None:
        if scorer.journal.in_use:
            scorer.journal.move(scorer.decisions)

    def tidy_reviews() -> None:
        scorer.decisions.reviews.tidy(scorer.clock.now_ms())

    return {
        "database": scorer.decisions.database.renew,
        "journal": move_journal,
        "rescoring": rescorer.run,
        "reviews": Seldom(tidy_reviews, TIDY_S),
    }


class Seldom:
    """A task that is run at most once in so many seconds; after a failure it is tried again at once."""

    def __init__(self, task: Callable[[], object], every_s: float) -> None:
        self._task = task
        self._every_s = every_s
        self._next_s = 0.0

    def __call__(self) -> None:
        """Run it where it is time."""
        if time.monotonic() >= self._next_s:
            self._task()
            self._next_s = time.monotonic() + self._every_s
