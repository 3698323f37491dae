"""Exceptions to replies: every reply that is not a success has the form of ProblemReply."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

from fraudkit.core.errors import StoreUnavailable
from fraudkit.serve.logs import DecisionLog
from fraudkit.serve.metrics import ServiceMetrics
from fraudkit.serve.problems import Problem, Refused, problem


def problem_response(status: int, problems: list[Problem], headers: Mapping[str, str] | None = None) -> Response:
    """The reply that tells problems."""
    return Response(
        orjson.dumps({"detail": problems}), status, headers=dict(headers or {}), media_type="application/json"
    )


def add_error_handlers(app: FastAPI, metrics: ServiceMetrics, log: DecisionLog) -> None:
    """Register the handlers on `app`."""

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> Response:
        metrics.refused(error.status)
        return problem_response(error.status, error.problems, error.headers)

    @app.exception_handler(HTTPException)
    async def unrouted(_: Request, error: HTTPException) -> Response:
        known = {404: ("path", "does not exist"), 405: ("method", "is not allowed here")}
        field, what = known.get(error.status_code, ("request", "cannot be served"))
        return problem_response(
            error.status_code, [problem(field, what, "see /docs for what this service answers")], error.headers
        )

    @app.exception_handler(StoreUnavailable)
    async def unavailable(_: Request, error: StoreUnavailable) -> Response:
        log.failure("decision_database", error)
        what = "could not record the decision"
        return problem_response(503, [problem("service", what, "send it again in a second")], {"Retry-After": "1"})

    @app.exception_handler(Exception)
    async def broken(_: Request, error: Exception) -> Response:
        log.failure("service", error)
        return problem_response(500, [problem("service", "failed", "send it again; the log says what happened")])
