"""The OpenAPI schema of the service, complete although bodies are read by hand.

The scoring routes take the raw request, because FastAPI's own body handling costs as much as the
scoring; so their request models are added to the schema here.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from fraudkit.serve.contracts import BatchRequest, FeedbackRequest, ProblemReply, ScoreRequest
from fraudkit.serve.review_contracts import DecideRequest

_REF = "#/components/schemas/"


def body_of(model: type[BaseModel]) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads `model` from its raw body."""
    content = {"application/json": {"schema": {"$ref": _REF + model.__name__}}}
    return {"requestBody": {"required": True, "content": content}}


def query_of(model: type[BaseModel]) -> dict[str, Any]:
    """The `openapi_extra` of a route that reads `model` from its query."""
    fields = model.model_json_schema()["properties"]
    return {
        "parameters": [
            {"name": name, "in": "query", "required": False, "schema": schema} for name, schema in fields.items()
        ]
    }


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that refuses with these statuses."""
    words = {
        400: "The body ended early",
        401: "The API key is missing or wrong",
        404: "There is no such decision or case",
        409: "The transaction_id belongs to another payload",
        413: "The body is too large",
        415: "The body is not application/json",
        422: "A field is wrong; each problem names its field and the remedy",
        503: "The service has too much to do or is not ready",
    }
    return {status: {"model": ProblemReply, "description": words[status]} for status in statuses}


def build_schema(app: FastAPI) -> dict[str, Any]:
    """The schema of `app`, built once and kept by it."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        models = [(model, "validation") for model in (ScoreRequest, BatchRequest, FeedbackRequest, DecideRequest)]
        _, definitions = models_json_schema(models, ref_template=_REF + "{model}")  # type: ignore[arg-type]
        schema.setdefault("components", {}).setdefault("schemas", {}).update(definitions["$defs"])
        app.openapi_schema = schema
    return app.openapi_schema
