"""The routes of analysts: the review queue, one case, and what is done with it.

Who asks is the name of the key. Where one key opens everything, or none is needed, the header X-Analyst tells
analysts apart.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from urllib.parse import urlsplit

import orjson
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import ValidationError

from fraudkit.serve import review_contracts as contracts
from fraudkit.serve.auth import caller_of
from fraudkit.serve.body import MAX_BODY, parse_json, read_body
from fraudkit.serve.decisions import Case, Chosen, DecisionStore, Record, Word
from fraudkit.serve.decisions.reviews import FRAUD, LEGITIMATE, OPEN
from fraudkit.serve.intake import card_number_problems
from fraudkit.serve.keys import EVERYBODY
from fraudkit.serve.openapi import body_of, problems, query_of
from fraudkit.serve.problems import Refused, from_validation, problem, refuse
from fraudkit.serve.reply import word_json
from fraudkit.serve.review_reply import case_json, past_json, payment_json, step_json
from fraudkit.serve.service import json_reply, service_of

ANALYST = "X-Analyst"
HISTORY = 20  # payments of the card holder that are shown
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_TAKEN: dict[int | str, dict[str, Any]] = {
    409: {"model": contracts.TakenReply, "description": "Somebody else has the case, or it is closed"}
}

_router = APIRouter(prefix="/v1/reviews")


def review_router() -> APIRouter:
    """The routes."""
    return _router


def analyst_of(request: Request) -> str:
    """Who asks.

    Raises
    ------
    Refused
        422 where X-Analyst is no name, or looks like a card number.
    """
    name = caller_of(request.scope).name
    given = request.headers.get(ANALYST, "")
    if name not in EVERYBODY or not given:
        return name
    if not _NAME.fullmatch(given):
        raise refuse(422, ANALYST, "is no name", "send 1 to 32 of a-z 0-9 -, beginning with a letter or digit")
    if found := card_number_problems(ANALYST, given):
        raise Refused(422, found)
    return given


@_router.get(
    "",
    summary="Cases to review, highest expected loss first",
    response_model=contracts.ReviewPage,
    responses=problems(422, 503),
    openapi_extra=query_of(contracts.ReviewQuery),
)
def reviews(request: Request) -> Response:
    analyst, scorer = analyst_of(request), service_of(request).scorer
    try:
        query = contracts.ReviewQuery.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise Refused(422, from_validation(error)) from None
    chosen = Chosen(
        closed=query.state == "closed",
        holder=analyst if query.state == "mine" else "",
        free=query.state == "free",
        user_id=query.user_id or "",
        min_loss=query.min_loss,
    )
    now_ms, queue = scorer.clock.now_ms(), scorer.decisions.reviews
    # One more than wanted tells whether there is a next page.
    found = queue.page(chosen, now_ms, query.limit + 1, *([_read_mark(query.after)] if query.after else []))
    shown = found[: query.limit]
    page = {
        "analyst": analyst,
        "open": queue.totals(now_ms).open,
        "cases": [case_json(case, record, now_ms) for case, record in shown],
        "next": _mark(shown[-1][0]) if len(found) > query.limit else None,
    }
    return json_reply(orjson.dumps(page))


def _mark(case: Case) -> str:
    return urlsafe_b64encode(json.dumps([case.expected_loss, case.transaction_id]).encode()).decode()


def _read_mark(text: str) -> tuple[float, str]:
    try:
        loss, name = json.loads(urlsafe_b64decode(text))
        return float(loss), str(name)
    except (ValueError, TypeError):
        raise refuse(422, "after", "is not the end of a page") from None


@_router.get(
    "/{transaction_id}",
    summary="One case: reasons, payment, the card holder's history",
    response_model=contracts.ReviewReply,
    responses=problems(404, 503),
)
def review(request: Request, transaction_id: str) -> Response:
    scorer = service_of(request).scorer
    decisions, now_ms = scorer.decisions, scorer.clock.now_ms()
    case, record = _found(decisions, transaction_id, decisions.reviews.get(transaction_id))
    past = [r for r in decisions.of_user(record.user_id, HISTORY + 1) if r.transaction_id != transaction_id]
    past = past[:HISTORY] if record.user_id else []
    words = decisions.feedback_on([transaction_id, *(r.transaction_id for r in past)])
    whole = {
        "case": case_json(case, record, now_ms),
        "reply": orjson.Fragment(record.reply),
        "payment": payment_json(record),
        "history": [shown for r in past if (shown := past_json(r, words.get(r.transaction_id, [])))],
        "steps": [step_json(event) for event in decisions.reviews.events(transaction_id)],
        "feedback": [word_json(word) for word in words.get(transaction_id, [])],
    }
    return json_reply(orjson.dumps(whole))


def _found(decisions: DecisionStore, transaction_id: str, case: Case | None) -> tuple[Case, Record]:
    record = decisions.get(transaction_id) if case is not None else None
    if case is None or record is None:
        raise refuse(404, "transaction_id", "is no case of the review queue", "see GET /v1/reviews")
    return case, record


@_router.post(
    "/{transaction_id}/claim",
    summary="Take a case for ten minutes; again, for ten more",
    response_model=contracts.CaseStateReply,
    responses=problems(404, 422, 503) | _TAKEN,
)
def claim(request: Request, transaction_id: str) -> Response:
    _refuse_other_pages(request)
    analyst, scorer = analyst_of(request), service_of(request).scorer
    now_ms = scorer.clock.now_ms()
    case, record = _found(
        scorer.decisions, transaction_id, scorer.decisions.reviews.claim(transaction_id, analyst, now_ms)
    )
    shown = case_json(case, record, now_ms)
    return _state(shown) if case.holder(now_ms) == analyst else _taken(request, shown)


@_router.post(
    "/{transaction_id}/release",
    summary="Give a case back",
    response_model=contracts.CaseStateReply,
    responses=problems(404, 422, 503) | _TAKEN,
)
def release(request: Request, transaction_id: str) -> Response:
    _refuse_other_pages(request)
    analyst, scorer = analyst_of(request), service_of(request).scorer
    now_ms = scorer.clock.now_ms()
    case, record = _found(
        scorer.decisions, transaction_id, scorer.decisions.reviews.release(transaction_id, analyst, now_ms)
    )
    shown = case_json(case, record, now_ms)
    return _state(shown) if case.state == OPEN and not case.holder(now_ms) else _taken(request, shown)


@_router.post(
    "/{transaction_id}/decide",
    summary="Close a case that one has claimed; the word becomes feedback",
    response_model=contracts.DecidedReply,
    responses=problems(404, 413, 415, 422, 503) | _TAKEN,
    openapi_extra=body_of(contracts.DecideRequest),
)
async def decide(request: Request, transaction_id: str) -> Response:
    analyst, scorer = analyst_of(request), service_of(request).scorer
    parsed = parse_json(await read_body(request, MAX_BODY))
    try:
        said = contracts.DecideRequest.model_validate(parsed)
    except ValidationError as error:
        raise Refused(422, from_validation(error)) from None
    if found := card_number_problems("note", said.note):
        raise Refused(422, found)
    now_ms = scorer.clock.now_ms()
    word = Word("manual_review", said.is_fraud, now_ms, now_ms, analyst, said.note)

    def close() -> tuple[Case, Record, bool]:
        case, closed = scorer.decisions.reviews.decide(transaction_id, word)
        return *_found(scorer.decisions, transaction_id, case), closed

    case, record, closed = await run_in_threadpool(close)
    shown = case_json(case, record, now_ms)
    if closed:
        scorer.metrics.feedback(word.source, word.is_fraud)
        scorer.log.review(transaction_id, case.state, analyst)
    elif (case.state, case.closed_by) != (FRAUD if said.is_fraud else LEGITIMATE, analyst):
        return _taken(request, shown)
    return json_reply(orjson.dumps({"case": shown, "repeated": not closed}))


def _refuse_other_pages(request: Request) -> None:
    """A browser sends a request without a body for any page that asks; what has one it asks about first."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host"):
        raise refuse(403, "origin", "is another page", "use the page of this service, /review")


def _state(shown: dict[str, Any]) -> Response:
    return json_reply(orjson.dumps({"case": shown}))


def _taken(request: Request, shown: dict[str, Any]) -> Response:
    """409, with who has the case or what closed it."""
    service_of(request).scorer.metrics.refused(409)
    if shown["state"] != OPEN:
        by = f" by {shown['closed_by']}" if shown["closed_by"] else ""
        told = problem("transaction_id", f"was closed as {shown['state']}{by}", "go on with another case")
    elif shown["claimed_by"]:
        told = problem(
            "transaction_id",
            f"is with {shown['claimed_by']} until {shown['claimed_until']}",
            "go on with another case, or ask them",
        )
    else:
        told = problem("transaction_id", "is not claimed", "claim it first")
    return json_reply(orjson.dumps({"detail": [told], "case": shown}), 409)
