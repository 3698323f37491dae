"""What a service does besides answering, on one thread: moving the journal, deciding again.

Every task is tried several times a second; one that fails is told in the log and tried again. None of them is
waited for by a payment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from fraudkit.serve.logs import DecisionLog
from fraudkit.serve.rescore import Rescorer
from fraudkit.serve.scorer import Scorer

PAUSE_S = 0.2


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

    return {"journal": move_journal, "rescoring": rescorer.run}
