"""At the door: which key may use which path, and how often.

Without any key set everybody on this machine may do everything; the service then listens on loopback
only (fraudkit.serve.startup). With keys, all but pages and probes ask for one in X-API-Key.
"""

from __future__ import annotations

import math

from fastapi.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from fraudkit.serve.errors import problem_response
from fraudkit.serve.keys import NOBODY, Caller, KeyRing
from fraudkit.serve.problems import problem

HEADER = "X-API-Key"
OPEN_PATHS = frozenset({"/", "/docs", "/review", "/openapi.json", "/health", "/ready"})
OPEN_FOLDERS = ("/static/",)
# The scope that a path needs, by its beginning; the first that fits counts, and admin is needed for the rest.
SCOPE_OF = (
    ("/score_transaction", "score"),
    ("/feedback", "feedback"),
    ("/decisions/", "review"),
    ("/v1/reviews", "review"),
)


def scope_needed(path: str) -> str | None:
    """The scope that a path needs; None where everybody may look."""
    if path in OPEN_PATHS or path.startswith(OPEN_FOLDERS):
        return None
    return next((scope for beginning, scope in SCOPE_OF if path.startswith(beginning)), "admin")


def caller_of(scope: Scope) -> Caller:
    """Who asks, in a request that came through the door."""
    caller: Caller = scope.get("fraudkit.caller", NOBODY)
    return caller


class RequireKey:
    """ASGI middleware: 401 without a key, 403 without the scope, 429 above the rate."""

    def __init__(self, app: ASGIApp, ring: KeyRing) -> None:
        self._app = app
        self._ring = ring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        needed = scope_needed(scope["path"]) if scope["type"] == "http" else None
        if needed is None or self._ring.is_open:
            await self._app(scope, receive, send)
            return
        caller = self._ring.caller(Headers(scope=scope).get(HEADER, ""))
        if caller is None:
            remedy = f"send a key of this service in the header {HEADER}"
            response = problem_response(401, [problem(HEADER, "is missing or wrong", remedy)])
        elif not caller.may(needed):
            remedy = f"use a key with the scope {needed}: fraudkit keys add NAME --scope {needed}"
            response = problem_response(403, [problem(HEADER, f"has not the scope {needed}", remedy)])
        elif wait_s := self._ring.wait_s(caller):
            again = {"Retry-After": str(math.ceil(wait_s))}
            response = problem_response(429, [problem(HEADER, "was used too often", "wait, then send it again")], again)
        else:
            scope["fraudkit.caller"] = caller
            await self._app(scope, receive, send)
            return
        await response(scope, receive, send)
