"""How much of an interview's time is spent, from a stored start and whatever clock there is.

The time goes on while no process runs and while a laptop sleeps. A clock that is set back neither gives time back nor
stops the countdown: what was spent stays spent, and counting goes on from the new time.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timer:
    """Milliseconds spent until the moment `seen_ms` of the clock, out of `limit_ms`."""

    limit_ms: int
    spent_ms: int
    seen_ms: int

    def at(self, now_ms: int, at_least_ms: int = 0) -> Timer:
        """The timer when the clock shows `now_ms`.

        Parameters
        ----------
        at_least_ms : what a clock that cannot be set says has passed, where this process has watched one; 0 or more
        """
        passed = max(now_ms - self.seen_ms, at_least_ms)
        return Timer(self.limit_ms, self.spent_ms + passed, now_ms)

    @property
    def left_s(self) -> float:
        """Seconds left, 0 when the time is over."""
        return max(self.limit_ms - self.spent_ms, 0) / 1000

    @property
    def used_s(self) -> float:
        """Seconds used, at most the limit."""
        return min(self.spent_ms, self.limit_ms) / 1000

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self.spent_ms >= self.limit_ms


def clock_text(seconds: float) -> str:
    """Minutes and seconds as a countdown shows them, a second begun counting whole.

    >>> clock_text(0.2), clock_text(61), clock_text(0)
    ('0:01', '1:01', '0:00')
    """
    whole = int(-(-seconds // 1))
    return f"{whole // 60}:{whole % 60:02d}"
