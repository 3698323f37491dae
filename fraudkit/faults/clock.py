"""Time counted in payments: an hour of traffic passes in seconds, and twice in the same way."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from fraudkit.core.errors import InvalidInput

MINUTE_MS = 60_000


class PaymentClock:
    """A clock that `per_minute` payments move on by a minute.

    Raises
    ------
    InvalidInput
        per_minute is below 1.
    """

    def __init__(self, start_ms: int, per_minute: int) -> None:
        if per_minute < 1:
            raise InvalidInput(f"per_minute={per_minute} lets no time pass; give 1 or more payments a minute")
        self._start_ms, self._per_minute, self._payments = start_ms, per_minute, 0

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01 UTC.

        >>> clock = PaymentClock(0, per_minute=3)
        >>> for _ in range(4):
        ...     clock.tick()
        >>> clock.now_ms()
        80000
        """
        return self._start_ms + self._payments * MINUTE_MS // self._per_minute

    def tick(self) -> None:
        """A payment has arrived."""
        self._payments += 1


class Ticking:
    """ASGI middleware that moves the clock on with every transaction that is sent to be scored."""

    def __init__(self, app: ASGIApp, clock: PaymentClock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and scope["path"] == "/score_transaction":
            self._clock.tick()
        await self._app(scope, receive, send)
