"""Time, always in UTC. Code that needs "now" is handed a clock, so that tests and replays can set it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

DAY_S = 86_400
HOUR_S = 3_600


class Clock(Protocol):
    """Anything that tells the time."""

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


class FixedClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now_ms: int) -> None:
        self._now_ms = now_ms

    def now_ms(self) -> int:
        return self._now_ms

    def advance(self, milliseconds: int) -> None:
        self._now_ms += milliseconds


def to_epoch_ms(moment: datetime) -> int:
    """Milliseconds since the epoch; a datetime without a zone is read as UTC.

    >>> to_epoch_ms(datetime(1970, 1, 2))
    86400000
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def from_epoch_ms(epoch_ms: int) -> datetime:
    """The UTC datetime of an epoch in milliseconds.

    >>> from_epoch_ms(86400000).isoformat()
    '1970-01-02T00:00:00+00:00'
    """
    return datetime.fromtimestamp(epoch_ms / 1000, tz=UTC)
