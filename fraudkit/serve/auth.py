"""The API key: with a key set, every request but those for pages and probes must carry it."""

from __future__ import annotations

import hmac

from fastapi.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from fraudkit.serve.errors import problem_response
from fraudkit.serve.problems import problem

HEADER = "X-API-Key"
OPEN_PATHS = frozenset({"/", "/docs", "/openapi.json", "/health", "/ready"})


class RequireKey:
    """ASGI middleware that answers 401 without the right key; compares in constant time."""

    def __init__(self, app: ASGIApp, key: str) -> None:
        self._app = app
        self._key = key.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._allowed(scope):
            remedy = f"send the service's key in the header {HEADER}"
            await problem_response(401, [problem(HEADER, "is missing or wrong", remedy)])(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _allowed(self, scope: Scope) -> bool:
        path = scope["path"]
        if path in OPEN_PATHS or path.startswith("/static/"):
            return True
        return hmac.compare_digest(Headers(scope=scope).get(HEADER, "").encode("latin-1"), self._key)
