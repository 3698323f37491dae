"""Parts of the scorer that misbehave: any part, wrapped so that one of its methods is slow, fails or lies.

A wrapped part is used in place of the real one: `Scorer(faulty(features, "vectors", failing(error)), …)`.
Which calls are hit is counted, never timed, so that a run can be repeated. Knows no service.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fraudkit.core.errors import InvalidInput

# What happens in place of a call: it is handed the real call, and may make it or not.
Fault = Callable[[Callable[[], Any]], Any]


@dataclass(frozen=True, slots=True)
class Calls:
    """Which calls of a method are hit: from number `first` (from 0) on, `n` of them, every `every`-th.

    Raises
    ------
    InvalidInput
        first or n is negative, or every is below 1.
    """

    first: int = 0
    n: int | None = None
    every: int = 1

    def __post_init__(self) -> None:
        if self.first < 0 or (self.n is not None and self.n < 0) or self.every < 1:
            raise InvalidInput(f"{self} cannot be; give first and n from 0 up, every from 1 up")

    def hits(self, number: int) -> bool:
        """Whether call `number`, counted from 0, is hit.

        >>> [Calls(first=2, n=2, every=3).hits(number) for number in (2, 3, 5, 8)]
        [True, False, True, False]
        """
        place, off = divmod(number - self.first, self.every)
        return place >= 0 and off == 0 and (self.n is None or place < self.n)


ALWAYS = Calls()


def slow(seconds: float, sleep: Callable[[float], None] = time.sleep) -> Fault:
    """The call takes `seconds` longer."""

    def fault(call: Callable[[], Any]) -> Any:
        sleep(seconds)
        return call()

    return fault


def failing(error: Exception) -> Fault:
    """The call raises `error` and never reaches the part."""

    def fault(_call: Callable[[], Any]) -> Any:
        raise error.with_traceback(None)  # or the one error would hold the frames of all calls that it ended

    return fault


def lying(change: Callable[[Any], Any]) -> Fault:
    """The call is made and its answer changed: a part that answers in time and is wrong."""

    def fault(call: Callable[[], Any]) -> Any:
        return change(call())

    return fault


class FaultyPart:
    """A part whose method `method` suffers `fault` on the calls that `when` names; all else is the part's own.

    Attributes
    ----------
    calls, hit : how often the method was called, and how often the fault struck
    """

    def __init__(self, part: object, method: str, fault: Fault, when: Calls = ALWAYS) -> None:
        if not callable(getattr(part, method, None)):
            raise InvalidInput(f"{type(part).__name__} has no method {method!r} to make faulty; name one that it has")
        self.calls = 0
        self.hit = 0
        self._part, self._method, self._fault, self._when = part, method, fault, when
        self._lock = threading.Lock()

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._part, name)
        if name != self._method:
            return real
        return lambda *args, **kwargs: self._suffer(lambda: real(*args, **kwargs))

    def _suffer(self, call: Callable[[], Any]) -> Any:
        with self._lock:
            strikes = self._when.hits(self.calls)
            self.calls += 1
            self.hit += strikes
        return self._fault(call) if strikes else call()


def faulty(part: object, method: str, fault: Fault, when: Calls = ALWAYS) -> Any:
    """`part` with one method made faulty; typed Any, because it stands in for whatever part it wraps.

    Raises
    ------
    InvalidInput
        The part has no such method.
    """
    return FaultyPart(part, method, fault, when)
