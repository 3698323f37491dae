"""`fraudkit shadow`: a candidate beside the serving model, on the same payments."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from fraudkit.core.config import settings
from fraudkit.core.console import output

if TYPE_CHECKING:
    from fraudkit.monitor.shadow import Comparison


def shadow(
    url: Annotated[str | None, typer.Option(help="The service. Default: FRAUDKIT_HOST and FRAUDKIT_PORT.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")] = False,
) -> None:
    """Say where the registry's candidate would act otherwise than the serving model, over how much money.

    The service scores each payment with both; the counts are since its start, or since there is this candidate.
    """
    from fraudkit.monitor.shadow import compare
    from fraudkit.monitor.snapshot import read_samples

    chosen = settings()
    key = os.environ.get("FRAUDKIT_API_KEY") or None
    found = compare(read_samples(url or f"http://{chosen.host}:{chosen.port}", key))
    if as_json:
        typer.echo(json.dumps(found.content(), indent=2))
    else:
        _print(found)


def _print(found: Comparison) -> None:
    output.print(
        f"candidate {found.version}: {found.payments:,} payments compared, {found.dropped:,} passed over; "
        f"both act alike on {found.agreement:.2%}",
        markup=False,
    )
    if found.changes:
        table = Table(
            "serving", "candidate", "payments", "amount, $", "fraud by serving, $", "by candidate, $", box=None
        )
        for change in found.changes:
            money = (change.amount_usd, change.fraud_by_serving_usd, change.fraud_by_candidate_usd)
            table.add_row(
                change.serving, change.candidate, f"{change.payments:,}", *(f"{value:,.2f}" for value in money)
            )
        output.print(table)
        output.print(f"declined by the candidate, more than now: {found.declined_more_usd:,.2f} $", markup=False)
    scores, times = found.mean_score, found.us_per_payment
    if scores:
        output.print(
            f"mean score {scores['serving']:.4f}, the candidate's {scores['candidate']:.4f}; distance of the two "
            f"{found.difference_p50:.3f} in the middle, {found.difference_p99:.3f} at the 99th percentile",
            markup=False,
        )
    if times:
        output.print(
            f"time for a payment {times['serving']:,.0f} µs, the candidate's {times['candidate']:,.0f} µs", markup=False
        )
