"""A batch under way: which part it waits for, since when, and whose it is.

The thread that scores a batch writes down which part it is about to ask, and how long the batch's deadline lets it
wait. The worker's watch reads it, and where the part overruns takes the batch away and gives it to another thread;
the first one finds out when the part comes back, and stops. While all is well, asking costs a few assignments.
"""

from __future__ import annotations

import math
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

    Parameters
    ----------
    due_s : the moment (time.perf_counter) at which its first reply should be there; none where nobody waits

    Attributes
    ----------
    decided : what was decided, from the moment that only recording is left; a thread that takes the
        job over records this and decides nothing again
    """

    def __init__(self, due_s: float = math.inf) -> None:
        self.decided: object | None = None
        self._due_s = due_s
        self._part: Part | None = None
        self._entered_s = 0.0
        self._allowed_s = 0.0
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
        entered_s = self._entered_s = time.perf_counter()
        allowed_s = self._allowed_s = self.allowance_s(part, entered_s)
        self._part = part
        try:
            answer = call()
        except Exception:
            self._leave(part, epoch, allowed_s, entered_s)
            part.failed()
            raise
        self._leave(part, epoch, allowed_s, entered_s)
        part.succeeded()
        return answer

    def allowance_s(self, part: Part, now_s: float) -> float:
        """How long a part may take that is asked at `now_s` (perf_counter)."""
        return part.allowance_s(self._due_s - now_s)

    def _leave(self, part: Part, epoch: int, allowed_s: float, entered_s: float) -> None:
        with self._lock:
            if epoch == self._epoch:
                self._part = None
                return
        part.came_back(allowed_s, time.perf_counter() - entered_s)
        raise TakenAway

    def take_over(self, now_s: float) -> Part | None:
        """The part that has taken too long at `now_s` (perf_counter), taking the job from its thread; else None."""
        part = self._part
        if part is None or now_s - self._entered_s <= self._allowed_s:
            return None
        with self._lock:
            if self._part is not part or now_s - self._entered_s <= self._allowed_s:
                return None
            self._part = None
            self._epoch += 1
            allowed_s = self._allowed_s
        part.overran(allowed_s)
        return part
