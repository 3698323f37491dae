"""The short way to the scoring routes, past FastAPI's routing and dependencies.

For one transaction those cost more than its features, rules and scores together. The routes stay
declared with FastAPI, which knows their schema and answers other methods; the functions are the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from fraudkit.core.errors import StoreUnavailable
from fraudkit.serve.problems import Refused

Door = Callable[[Request], Awaitable[Response]]


class Doors:
    """ASGI middleware: hands a POST to one of `doors` straight to its function, all else to the application."""

    def __init__(self, app: ASGIApp, doors: Mapping[str, Door]) -> None:
        self._app = app
        self._doors = doors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = self._doors.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if door is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        try:
            response = await door(request)
        except (Refused, StoreUnavailable) as error:
            response = await request.app.exception_handlers[type(error)](request, error)
        await response(scope, receive, send)
