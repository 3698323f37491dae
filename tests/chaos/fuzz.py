"""Thousands of requests generated from the service's own OpenAPI schema, right ones and wrong ones, without a 500.

`python -m tests.chaos.fuzz` sends 10,000. Every reply is checked against the schema: its status, its content type
and its body. Of the payments that fit the schema some get a time and a country that exist, so that they are scored.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from fraudkit.core.config import settings as fraudkit_settings
from fraudkit.core.console import output, progress_bar
from fraudkit.registry.registry import Registry
from fraudkit.serve.contracts import EXAMPLE_REQUEST
from tests.serve.process import body, now, served

# Share of the requests by operation; what takes a payment takes most.
WEIGHTS = {"/score_transaction": 6, "/score_transactions": 4, "/feedback": 3}
WRONG_SHARE = 0.4
AT_ONCE = 200  # examples of one run of hypothesis: a long run slows down


@dataclass
class Found:
    """What came back: replies by status, and every request that was answered wrongly."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)


def plan(schema: Any, requests: int) -> Iterator[tuple[Any, GenerationMode, int]]:
    """Operation, right or wrong, and how many requests of it."""
    operations = [operation.ok() for operation in schema.get_all_operations()]
    total = sum(WEIGHTS.get(operation.path, 1) for operation in operations)
    for operation in operations:
        share = requests * WEIGHTS.get(operation.path, 1) / total
        wrong = round(share * WRONG_SHARE)
        yield operation, GenerationMode.POSITIVE, round(share) - wrong
        yield operation, GenerationMode.NEGATIVE, wrong


def brought_to_life(case: Any) -> None:
    """Give a generated payment a time and a place that exist, so that it is scored and not only refused."""
    payments = case.body.get("transactions", [case.body]) if isinstance(case.body, dict) else []
    for payment in payments if isinstance(payments, list) else []:
        if isinstance(payment, dict) and len(str(payment.get("merchant_id", ""))) % 2 == 0:
            payment["timestamp"], payment["location"] = now(), EXAMPLE_REQUEST["location"]
            payment["currency"], payment["device"] = "USD", {"device_type": "mobile"}
            payment["amount"] = 1.0 + len(repr(payment.get("amount"))) * 7.5


def send(url: str, requests: int, number: int, found: Found, progress: Any = None) -> None:
    """Generate and send; failures are gathered, not raised.

    Small operations run out of different requests; what they leave over goes to those that take a payment.
    """
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    todo = list(plan(schema, requests))
    while found.requests < requests:
        for operation, mode, count in todo:
            strategy = operation.as_strategy(generation_mode=mode)
            for start in range(0, count, AT_ONCE):
                number += 1
                some = min(AT_ONCE, count - start, requests - found.requests)
                if some > 0:
                    _send_some(strategy, mode, url, some, number, found)
                if progress is not None:
                    progress(found.requests / requests)
        todo = [(operation, mode, AT_ONCE) for operation, mode, _ in todo if operation.path in WEIGHTS]


def _send_some(strategy: Any, mode: GenerationMode, url: str, count: int, number: int, found: Found) -> None:
    @seed(number)
    @settings(
        max_examples=count, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=strategy)
    def one(case: Any) -> None:
        if mode is GenerationMode.POSITIVE:
            brought_to_life(case)
        reply = case.call(base_url=url, timeout=60)
        found.requests += 1
        found.statuses[reply.status_code] += 1
        wrong = _complaint(case, reply)
        if wrong:
            found.failures.append(f"{case.method} {case.path} {str(case.body)[:300]}: {reply.status_code} {wrong}")

    try:
        one()
    except Unsatisfiable:  # an operation without parameters has nothing that could be wrong
        if mode is GenerationMode.POSITIVE:
            raise


def _complaint(case: Any, reply: Any) -> str:
    """What is wrong with a reply, or ""."""
    try:
        case.validate_response(reply, checks=[schemathesis.checks.not_a_server_error])
        documented = {str(status) for status in case.operation.definition.raw["responses"]}
        # 404, 405, 413 and 429 can come from in front of an operation.
        if str(reply.status_code) not in documented | {"404", "405", "413", "422", "429"}:
            return f"the status is not among the documented {sorted(documented)}"
        if reply.status_code < 300:
            case.operation.validate_response(reply, case=case)
    except Exception as error:
        return str(error)[:500]
    return ""


def alive(url: str) -> bool:
    """Whether an ordinary payment is still scored."""
    reply = httpx.post(f"{url}/score_transaction", json=body(int(time.time() * 1000)), timeout=60)
    return reply.status_code == 200


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    model = Registry(fraudkit_settings().registry).path("production")
    found = Found()
    with tempfile.TemporaryDirectory(prefix="fk-fuzz-") as folder, served(Path(folder), model) as running:
        url = str(running.client.base_url)
        with progress_bar("requests") as progress:
            send(url, chosen.requests, chosen.seed, found, progress)
        if not alive(url):
            found.failures.append("an ordinary payment is no longer scored")
        if "Traceback" in (Path(folder) / "stderr.txt").read_text():
            found.failures.append("the log holds a traceback")
    if chosen.json:
        print(json.dumps({"requests": found.requests, "statuses": found.statuses, "failures": found.failures}))
    else:
        counts = ", ".join(f"{count:,} × {status}" for status, count in sorted(found.statuses.items()))
        output.print(f"{found.requests:,} requests: {counts}; {len(found.failures)} answered wrongly", markup=False)
        for failure in found.failures[:20]:
            output.print(failure, markup=False)
    raise SystemExit(1 if found.failures else 0)


if __name__ == "__main__":
    main()
