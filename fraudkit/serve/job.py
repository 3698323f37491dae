"""A batch under way: which part it waits for, since when, and whose it is.

The thread that scores a batch writes down which part it is about to ask. The worker's watch reads
it, and where the part overruns takes the batch away and gives it to another thread; the first one
finds out when the part comes back, and stops. While all is well, asking costs a few assignments.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from fraudkit.serve.parts import Part

T = TypeVar("T")


class LeftAlone(Exception):
    """The part failed lately and is not asked for a while."""


class TakenAway(BaseException):
    """The batch belongs to another thread now. Not an Exception: no part's failure may be mistaken for it."""


class Job:
    """One batch.

    Attributes
    ----------
    decided : what was decided, from the moment that only recording is left; a thread that takes the
        job over records this and decides nothing again
    """

    def __init__(self) -> None:
        self.decided: object | None = None
        self._part: Part | None = None
        self._entered_s = 0.0
        self._epoch = 0  # rises with every take-over
        self._lock = threading.Lock()

    def ask(self, part: Part, call: Callable[[], T]) -> T:
        """What `call` gives; any exception of it is passed on and counts as the part's failure.

        Raises
        ------
        LeftAlone
            The part is not asked now.
        TakenAway
            The part came back too late.
        """
        if not part.available():
            raise LeftAlone(f"{part.name} failed lately and is left alone for now")
        epoch = self._epoch
        self._entered_s = time.perf_counter()
        self._part = part
        try:
            answer = call()
        except Exception:
            self._leave(part, epoch)
            part.failed()
            raise
        self._leave(part, epoch)
        part.succeeded()
        return answer

    def _leave(self, part: Part, epoch: int) -> None:
        with self._lock:
            if epoch == self._epoch:
                self._part = None
                return
        part.came_back()
        raise TakenAway

    def take_over(self, now_s: float) -> Part | None:
        """The part that has overrun its budget at `now_s` (perf_counter), taking the job from its thread; else None."""
        part = self._part
        if part is None or now_s - self._entered_s <= part.budget_s:
            return None
        with self._lock:
            if self._part is not part or now_s - self._entered_s <= part.budget_s:
                return None
            self._part = None
            self._epoch += 1
        part.overran()
        return part
