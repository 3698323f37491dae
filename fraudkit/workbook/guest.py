"""A learner's answer as a guest of the system: called in the sandbox, timed, and believed in nothing but numbers.

Knows nothing of the world and of the part it stands in for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fraudkit.workbook.agree import brief
from fraudkit.workbook.exercise import Case
from fraudkit.workbook.limits import Limits
from fraudkit.workbook.sandbox import Reply, Sandbox

ROUNDS = 3  # a busy machine lengthens single calls; the shortest of these counts


class Refused(Exception):
    """The answer cannot take the part's place; the message says why, in words."""


@dataclass(frozen=True)
class Answer:
    """A learner's answer that can be called, in a process of its own."""

    name: str
    source: str
    sandbox: Sandbox
    limits: Limits

    def replies(self, cases: Sequence[Case]) -> list[Reply]:
        """One reply a case.

        Raises
        ------
        Refused
            A call raised, did not end in time, or was stopped by the guard.
        """
        replies = self.sandbox.run(self.source, self.name, cases, self.limits)
        for reply in replies:
            if reply.status != "ok":
                raise Refused(self._why(reply))
            if reply.changed:
                raise Refused("your code modified its input, which other parts of the system still need")
        return replies

    def timed(self, case: Case) -> tuple[Any, float]:
        """The answer to a case, and the seconds of the shortest of a few calls."""
        replies = self.replies([case] * ROUNDS)
        return replies[0].value, min(reply.seconds for reply in replies)

    def _why(self, reply: Reply) -> str:
        if reply.error == "NotImplementedError":
            return "your code is still the stub"
        if reply.error == "NotEncodable":
            return f"your code returned {reply.message}; numbers and arrays can be used here"
        if reply.status == "error":
            line = f" in line {reply.line}" if reply.line else ""
            return f"your code raised {reply.error}{line}: {reply.message[:200]}"
        if reply.status == "timeout":
            return f"your code gave no answer within {self.limits.seconds:g} s"
        if reply.status == "blocked":
            return f"your code tried something that is not allowed here: {reply.message[:200]}"
        return f"the process of your code ended: {reply.message[:200]}"


def one_number(value: Any) -> float:
    """The answer as a float."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.shape != () or np.isnan(array):
        raise Refused(f"your code returned {brief(value)}; one number is needed")
    return float(array)


def numbers(value: Any, n: int, low: float = -np.inf, high: float = np.inf) -> np.ndarray:
    """The answer as float64 (n,) between two bounds."""
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.shape != (n,):
        raise Refused(f"your code returned {brief(value)}; {n:,} numbers in one dimension are needed")
    if not ((array >= low) & (array <= high)).all():
        raise Refused(f"your code returned numbers that are not all between {low:g} and {high:g}")
    return array


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """What a call of ours returns, and the seconds of the shortest of a few."""
    best = np.inf
    for _ in range(ROUNDS):
        start = time.perf_counter()
        value = call()
        best = min(best, time.perf_counter() - start)
    return value, best


def in_ms(seconds: float) -> str:
    """Seconds as milliseconds with three digits."""
    return f"{seconds * 1000:,.3g} ms" if seconds < 10 else f"{seconds:,.1f} s"


def faster_or_slower(ours: float, yours: float) -> str:
    """The time of an answer against ours, in words."""
    ratio = yours / max(ours, 1e-9)
    if 0.67 < ratio < 1.5:
        return "Yours takes about as long as ours."
    return f"Yours takes {ratio:.3g} times as long." if ratio > 1 else f"Yours takes {ratio:.2g} of the time."
