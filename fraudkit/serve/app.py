"""The HTTP application: routes, and nothing that they do.

The event loop only parses, waits and sends; scoring happens on the worker's thread, reading the
decision database on FastAPI's threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import ValidationError

from fraudkit import __version__
from fraudkit.core.clock import from_epoch_ms
from fraudkit.serve import contracts
from fraudkit.serve.auth import RequireKey
from fraudkit.serve.body import MAX_BATCH_BODY, MAX_BODY, parse_json, read_body
from fraudkit.serve.card_reference import References
from fraudkit.serve.doors import Doors
from fraudkit.serve.errors import add_error_handlers
from fraudkit.serve.intake import card_number_problems, moment_ms, take_in
from fraudkit.serve.keys import KeyRing
from fraudkit.serve.openapi import body_of, build_schema, problems
from fraudkit.serve.page_files import page_router
from fraudkit.serve.problems import Problem, Refused, from_validation, problem, refuse
from fraudkit.serve.reply import word_json
from fraudkit.serve.review_metrics import watch_reviews
from fraudkit.serve.review_routes import review_router
from fraudkit.serve.scorer import Outcome, Scorer, Waiting
from fraudkit.serve.service import Checks, Service, json_reply, service_of
from fraudkit.serve.verdict import verdict
from fraudkit.serve.worker import ScoringWorker

DESCRIPTION = (
    "Scores card transactions for fraud. A transaction_id sent again with the same content gets the stored reply; "
    "with other content it is refused with 409. Unknown fields are refused."
)
_PARSED_AT_ONCE = 64  # items of a batch between two looks at other requests
_CONFLICT = problem("transaction_id", "was used before for another payload", "send a new transaction_id")

_scoring, _records, _operations = APIRouter(), APIRouter(), APIRouter()


def create_app(
    scorer: Scorer,
    checks: Checks | None = None,
    ring: KeyRing | None = None,
    references: References | None = None,
    accepted_days: int | None = None,
) -> FastAPI:
    """The application around a scorer.

    Parameters
    ----------
    scorer : used by this application alone
    checks : what /ready asks
    ring : whose keys open what; None opens everything to everybody
    references : what is kept of a card token; None keeps nothing
    accepted_days : a payment of longer ago is refused; None takes any
    """
    app = declare_app()
    app.state.service = Service(scorer, ScoringWorker(scorer), checks or {}, references, accepted_days)
    watch_reviews(scorer)
    add_error_handlers(app, scorer.metrics, scorer.log)
    app.add_middleware(
        Doors, doors={"/score_transaction": score_transaction, "/score_transactions": score_transactions}
    )
    if ring is not None:
        app.add_middleware(RequireKey, ring=ring)
    return app


def declare_app() -> FastAPI:
    """Routes and schema without a service behind them: enough to print the schema."""
    app = FastAPI(
        title="fraudkit",
        version=__version__,
        description=DESCRIPTION,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.openapi = lambda: build_schema(app)  # type: ignore[method-assign]
    app.include_router(_scoring)
    app.include_router(_records)
    app.include_router(review_router())
    app.include_router(_operations)
    app.include_router(page_router())
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    worker = app.state.service.worker
    worker.start()
    yield
    await run_in_threadpool(worker.stop)


@_scoring.post(
    "/score_transaction",
    summary="Score one transaction",
    response_model=contracts.ScoreReply,
    responses=problems(409, 413, 415, 422, 503),
    openapi_extra=body_of(contracts.ScoreRequest),
)
async def score_transaction(request: Request) -> Response:
    arrived_s = perf_counter()
    service = service_of(request)
    body = await read_body(request, MAX_BODY)
    intake = take_in(parse_json(body), service.scorer.clock.now_ms(), service.references, service.accepted_days)
    (outcome,) = await service.worker.score([Waiting(intake, arrived_s)])
    if outcome.status != 200:
        raise Refused(409, [_CONFLICT])
    return json_reply(outcome.reply)


@_scoring.post(
    "/score_transactions",
    summary="Score up to 1,000 transactions, each on its own",
    response_model=contracts.BatchReply,
    responses=problems(413, 415, 422, 503),
    openapi_extra=body_of(contracts.BatchRequest),
)
async def score_transactions(request: Request) -> Response:
    arrived_s = perf_counter()
    service = service_of(request)
    items = _batch_items(parse_json(await read_body(request, MAX_BATCH_BODY)))
    now_ms = service.scorer.clock.now_ms()
    results: list[bytes | None] = []
    accepted: list[Waiting] = []
    for position, item in enumerate(items):
        if position % _PARSED_AT_ONCE == _PARSED_AT_ONCE - 1:
            await asyncio.sleep(0)
        try:
            intake = take_in(item, now_ms, service.references, service.accepted_days)
            accepted.append(Waiting(intake, arrived_s))
            results.append(None)
        except Refused as error:
            service.scorer.metrics.refused(error.status)
            results.append(_refused_item(error.status, error.problems))
    outcomes = iter(await service.worker.score(accepted, bulk=True) if accepted else ())
    parts = [_scored_item(next(outcomes)) if result is None else result for result in results]
    return json_reply(b'{"results":[' + b",".join(parts) + b"]}")


def _batch_items(parsed: Any) -> list[Any]:
    """The transactions of a batch body, not yet looked at."""
    if not isinstance(parsed, dict):
        raise refuse(422, "body", "is not an object", 'send {"transactions": [...]}')
    items = parsed.get("transactions")
    if not isinstance(items, list) or not 1 <= len(items) <= contracts.MAX_BATCH:
        raise refuse(422, "transactions", f"is not an array of 1 to {contracts.MAX_BATCH:,} transactions")
    if len(parsed) > 1:
        raise refuse(422, "body", "has fields besides transactions", 'send {"transactions": [...]}')
    return items


def _refused_item(status: int, detail: list[Problem]) -> bytes:
    return orjson.dumps({"status": status, "detail": detail})


def _scored_item(outcome: Outcome) -> bytes:
    if outcome.status != 200:
        return _refused_item(outcome.status, [_CONFLICT])
    return b'{"status":200,"reply":' + outcome.reply + b"}"


@_records.post(
    "/feedback",
    summary="Say whether a transaction was fraud",
    response_model=contracts.FeedbackReply,
    responses=problems(413, 415, 422, 503),
    openapi_extra=body_of(contracts.FeedbackRequest),
)
async def feedback(request: Request) -> Response:
    parsed = parse_json(await read_body(request, MAX_BODY))
    try:
        word = contracts.FeedbackRequest.model_validate(parsed)
    except ValidationError as error:
        raise Refused(422, from_validation(error)) from None
    scorer = service_of(request).scorer
    now_ms = scorer.clock.now_ms()
    found = card_number_problems("transaction_id", word.transaction_id)
    known_at_ms = None if word.known_at is None else moment_ms("known_at", word.known_at, now_ms, found)
    if found:
        raise Refused(422, found)
    known, repeated = await run_in_threadpool(
        scorer.decisions.add_feedback, word.transaction_id, word.source, word.is_fraud, now_ms, known_at_ms
    )
    if not repeated:
        scorer.metrics.feedback(word.source, word.is_fraud)
    return json_reply(contracts.FeedbackReply(known_transaction=known, repeated=repeated).model_dump_json().encode())


@_records.get(
    "/decisions/{transaction_id}",
    summary="A stored decision and the feedback on it",
    response_model=contracts.DecisionReply,
    responses=problems(404, 503),
)
def decision(request: Request, transaction_id: str) -> Response:
    scorer = service_of(request).scorer
    decisions, some_wait = scorer.decisions, scorer.journal.in_use  # asked in this order, since what waits moves on
    record = decisions.get(transaction_id)
    if record is None and some_wait:
        raise refuse(
            503, "transaction_id", "is not in the database, which lacks the latest decisions", "ask again in a second",
            Retry_After="1",
        )  # fmt: skip
    if record is None:
        raise refuse(404, "transaction_id", "was not scored here", "check it, or score the transaction first")
    words = decisions.feedback(transaction_id)
    standing = verdict(words)
    stored = {
        "decided_at": from_epoch_ms(record.decided_at_ms).isoformat(),
        "reply": orjson.Fragment(record.reply),
        "feedback": [word_json(word) for word in words],
        "verdict": word_json(standing) if standing else None,
    }
    return json_reply(orjson.dumps(stored))


@_operations.get("/metrics", summary="Counts in Prometheus' text format")
def metrics(request: Request) -> Response:
    return Response(service_of(request).scorer.metrics.text(), media_type=CONTENT_TYPE_LATEST)


@_operations.get("/health", summary="Whether the process is alive", response_model=contracts.StatusReply)
async def health() -> Response:
    return json_reply(b'{"status":"ok","parts":{}}')


@_operations.get(
    "/ready",
    summary="Whether transactions can be scored",
    response_model=contracts.StatusReply,
    responses={503: {"model": contracts.StatusReply, "description": "A part cannot work now"}},
)
def ready(request: Request) -> Response:
    service = service_of(request)
    scorer = service.scorer
    parts = {"model": scorer.serving.context.model_version}
    failed = False
    for name, check in service.checks.items():
        try:
            check()
            parts[name] = "ok"
        except Exception as error:  # a probe reports any failure, it does not pass it on
            scorer.log.failure(name, error)
            parts[name], failed = "unavailable", True
    body = orjson.dumps({"status": "unavailable" if failed else "ok", "parts": parts})
    return json_reply(body, 503 if failed else 200)
