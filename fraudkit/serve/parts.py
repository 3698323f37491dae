"""The parts that a decision leans on, how long each may take, and when to stop asking it.

A payment has one deadline, counted from its arrival. A part may take its budget for a batch, and less where the
deadline is near: it has to leave those that are asked after it the least that each of them needs. A call
that was given up only because the payment had waited is no failure of the part.

A part that fails three times in a row is left alone for a while (a circuit breaker); after the
pause one batch may try it again, and each failed try doubles the pause. A part that has not come
back from a call is not asked again before it has, so that a part that hangs holds one thread and no
more. This module measures nothing itself: the scorer tells it how calls ended, the worker's watch
that one overran.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

FEATURE_STORE, SECONDARY_STORE, IP_REPUTATION = "feature_store", "secondary_store", "ip_reputation"
TREES, NETWORK, ALONE, EXPLANATION, DATABASE = "trees", "network", "transaction_model", "explanation", "database"

FAILURES = 3  # in a row, before a part is left alone
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0

DEADLINE_S = 0.050  # from the arrival of a payment to its reply

# Seconds that a part may take for one batch. They add up to more than the deadline on purpose: one part may be late,
# and what follows it is as quick as ever.
BUDGETS_S = {
    FEATURE_STORE: 0.020,
    SECONDARY_STORE: 0.020,
    IP_REPUTATION: 0.010,
    TREES: 0.020,
    NETWORK: 0.020,
    ALONE: 0.020,
    EXPLANATION: 0.020,
    DATABASE: 0.020,
}
# What a part gets however late the payment is: enough for a part that is well, and for a commit of a full batch.
LEAST_S = {
    FEATURE_STORE: 0.005,
    SECONDARY_STORE: 0.005,
    IP_REPUTATION: 0.0025,
    TREES: 0.005,
    NETWORK: 0.005,
    ALONE: 0.005,
    EXPLANATION: 0.005,
    DATABASE: 0.010,
}
# Which parts may be asked after a part, where each in turn does not answer.
_AFTER: dict[str, tuple[str, ...]] = {
    IP_REPUTATION: (FEATURE_STORE, SECONDARY_STORE, ALONE, EXPLANATION, DATABASE),
    FEATURE_STORE: (SECONDARY_STORE, TREES, NETWORK, EXPLANATION, DATABASE),
    SECONDARY_STORE: (TREES, NETWORK, EXPLANATION, DATABASE),
    TREES: (NETWORK, EXPLANATION, DATABASE),
    NETWORK: (EXPLANATION, DATABASE),
    ALONE: (EXPLANATION, DATABASE),
    EXPLANATION: (DATABASE,),
    DATABASE: (),  # asked first and last; the first look needs no restraint
}


@dataclass
class Part:
    """One part and what its latest calls came to; shared by the scoring threads and the watch.

    Attributes
    ----------
    budget_s : a call that takes longer is given up, and has failed
    least_s : what a call gets at least
    after_s : what is to be left for the parts asked after this one
    clock : seconds, rising
    """

    name: str
    budget_s: float
    clock: Callable[[], float] = time.monotonic
    least_s: float = 0.0
    after_s: float = 0.0
    _failures: int = 0
    _pause_s: float = 0.0
    _again_at: float = 0.0
    _away: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def available(self) -> bool:
        """Whether to ask it now. While it is being left alone, one caller after each pause gets True."""
        if self._failures < FAILURES and not self._away:
            return True
        with self._lock:
            if self._away or self.clock() < self._again_at:
                return False
            self._again_at = self.clock() + self._pause_s  # the others wait for how this try ends
            return True

    def allowance_s(self, left_s: float) -> float:
        """How long a call may take where so many seconds are left until the deadline."""
        return min(self.budget_s, max(left_s - self.after_s, self.least_s))

    def succeeded(self) -> None:
        """A call came back in time with an answer."""
        if self._failures:
            with self._lock:
                self._failures, self._pause_s = 0, 0.0

    def failed(self) -> None:
        """A call raised, or its answer was of no use."""
        with self._lock:
            self._failures += 1
            if self._failures >= FAILURES:
                self._pause_s = min(max(self._pause_s * 2.0, FIRST_PAUSE_S), LONGEST_PAUSE_S)
                self._again_at = self.clock() + self._pause_s

    def overran(self, allowed_s: float) -> None:
        """A call was given up after so many seconds and has not come back."""
        with self._lock:
            self._away += 1
        if allowed_s >= self.budget_s:
            self.failed()

    def came_back(self, allowed_s: float, took_s: float) -> None:
        """A call that was given up after `allowed_s` returned after all, after `took_s`."""
        with self._lock:
            self._away -= 1
        if allowed_s < self.budget_s <= took_s:
            self.failed()

    @property
    def state(self) -> str:
        """ "ok", "failing" (asked all the same) or "left alone"."""
        if self._away or self._failures >= FAILURES:
            return "left alone"
        return "failing" if self._failures else "ok"


class Parts:
    """Every part of one service, by name; `patience` multiplies all times.

    Attributes
    ----------
    deadline_s : from the arrival of a payment to its reply
    """

    def __init__(self, patience: float = 1.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.deadline_s = DEADLINE_S * patience
        self._parts = {
            name: Part(
                name, budget_s * patience, clock, LEAST_S[name] * patience,
                sum(LEAST_S[later] for later in _AFTER[name]) * patience,
            )
            for name, budget_s in BUDGETS_S.items()
        }  # fmt: skip

    def __getitem__(self, name: str) -> Part:
        return self._parts[name]

    def __iter__(self) -> Iterator[Part]:
        return iter(self._parts.values())
