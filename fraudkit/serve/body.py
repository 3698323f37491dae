"""Reading a request body: its size, its type, and JSON without the traps of JSON.

A body is counted while it arrives, so a large one is refused before it is in memory, with or
without a Content-Length. Duplicate keys are refused because two readers may pick different ones.
"""

from __future__ import annotations

import json
from typing import Any

import orjson
from fastapi import Request

from fraudkit.serve.problems import Refused, refuse

MAX_BODY = 64 * 1024
MAX_BATCH_BODY = 2 * 1024 * 1024


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, at most `limit` bytes of application/json.

    Raises
    ------
    Refused
        415 for another content type, 413 above the limit, 400 where the client left early.
    """
    content_type, declared = _headers(request)
    if content_type.partition(b";")[0].strip().lower() != b"application/json":
        raise refuse(415, "content-type", "is not application/json", "send the header Content-Type: application/json")
    if declared.isdigit() and int(declared[:20]) > limit:
        raise _too_large(limit)
    chunks, size, more = [], 0, True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise refuse(400, "body", "ended before it was complete")
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        chunks.append(chunk)
        more = message.get("more_body", False)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _headers(request: Request) -> tuple[bytes, bytes]:
    """Content type and declared length, of each the first; empty where there is none."""
    found = dict(reversed(request.scope["headers"]))
    return found.get(b"content-type", b""), found.get(b"content-length", b"")


def _too_large(limit: int) -> Refused:
    return refuse(413, "body", f"is larger than {limit:,} bytes", "send less in one request", connection="close")


def parse_json(body: bytes) -> Any:
    """Parse JSON; NaN and infinity come through as floats, so that validation can name their field.

    Raises
    ------
    Refused
        422 where the text is not JSON, nests too deeply or repeats a key.
    """
    try:
        parsed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _parse_slowly(body)
    # A repeated key is lost in parsing, and its colon with it. Escapes can hide or add a colon.
    try:
        whole = b"\\" not in body and body.count(b":") == orjson.dumps(parsed).count(b":")
    except TypeError:  # what orjson reads at a depth of 1,000 it writes only to 254
        raise refuse(422, "body", "is nested too deeply") from None
    return parsed if whole else _parse_slowly(body)


def _parse_slowly(body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"), object_pairs_hook=_without_duplicates)
    except RecursionError:
        raise refuse(422, "body", "is nested too deeply") from None
    except UnicodeDecodeError:
        raise refuse(422, "body", "is not UTF-8", "encode the JSON as UTF-8") from None
    except json.JSONDecodeError as error:
        raise refuse(422, "body", f"is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except ValueError:
        raise refuse(422, "body", "holds a number with too many digits") from None


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise refuse(422, "body", "has an object with the same key twice", "send every key once")
    return table
