"""What every route works with, and how it finds it. Knows no route."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request, Response

from fraudkit.serve.card_reference import References
from fraudkit.serve.scorer import Scorer
from fraudkit.serve.worker import ScoringWorker

# Part -> a check that raises where the part cannot work now.
Checks = dict[str, Callable[[], None]]


@dataclass(frozen=True, slots=True)
class Service:
    """The running service; kept in the application's state.

    Without `references` nothing of a card token is kept, without `accepted_days` no payment is too old.
    """

    scorer: Scorer
    worker: ScoringWorker
    checks: Checks
    references: References | None = None
    accepted_days: int | None = None


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service: Service = request.app.state.service
    return service


def json_reply(body: bytes, status: int = 200) -> Response:
    """A reply of JSON that is written already."""
    return Response(body, status, media_type="application/json")
