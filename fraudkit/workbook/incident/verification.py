"""Is a fix a fix? The five verification steps of the report, run against a live service.

Also: how long one has to look before silence means something.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fraudkit.core.errors import InvalidInput
from fraudkit.core.transaction import Transaction
from fraudkit.workbook.incident.alert import (
    HIGH_DEGRADED_RATE,
    HIGH_ERROR_RATE,
    POOL_FILLING,
    firings,
    latency_p99,
)
from fraudkit.workbook.incident.live import Rehearsal
from fraudkit.workbook.incident.snapshot import Snapshot, gauge, ratio

IN_USE = "reputation_pool_in_use"
WATCHED = (HIGH_ERROR_RATE, HIGH_DEGRADED_RATE, POOL_FILLING)
MOST_IN_USE, MOST_ERRORS, SLOWEST_S = 20, 0.001, 0.5


@dataclass(frozen=True, slots=True)
class Step:
    """One verification step: what is asked, what was found, whether it is kept."""

    asked: str
    found: str
    ok: bool


def payments_to_watch(leaks_per_payment: float, confidence: float = 0.99) -> int:
    """Payments after which a leak of this rate would have shown itself with this probability.

    Parameters
    ----------
    leaks_per_payment : above 0, at most 1
    confidence : above 0, below 1

    Raises
    ------
    InvalidInput
        A value is out of range.

    Examples
    --------
    >>> payments_to_watch(0.01)
    459
    """
    if not 0.0 < leaks_per_payment <= 1.0 or not 0.0 < confidence < 1.0:
        raise InvalidInput(
            f"leaks_per_payment={leaks_per_payment}, confidence={confidence}; give a rate in (0, 1] and a "
            "confidence between 0 and 1"
        )
    if leaks_per_payment == 1.0:
        return 1
    return math.ceil(math.log1p(-confidence) / math.log1p(-leaks_per_payment))


def stress(rehearsal: Rehearsal, unrated: Iterable[Transaction]) -> Snapshot:
    """Send payments that all take the error path; what /metrics says afterwards.

    Send more of them than the pool has connections: one that leaks is then empty.
    """
    for payment in unrated:
        rehearsal.send(payment)
    return rehearsal.scrape()


def verification_steps(snapshots: Sequence[Snapshot]) -> list[Step]:
    """The five steps over the snapshots of the service that has the fix, nothing being in flight.

    Parameters
    ----------
    snapshots : two or more, all since that service started

    Raises
    ------
    InvalidInput
        There are fewer than two, so that nothing can be said of what happened between them.
    """
    if len(snapshots) < 2:
        raise InvalidInput(f"{len(snapshots)} snapshot; run the service for a while and take two or more")
    first, last = snapshots[0], snapshots[-1]
    in_use = gauge(snapshots, IN_USE)
    errors = ratio(first, last, "fraud_degraded_total", "fraud_predictions_total")
    p99 = latency_p99(first, last)
    raised = [firing.rule.name for rule in WATCHED for firing in firings(rule, snapshots)]
    minutes = (last.at_ms - first.at_ms) / 60_000
    return [
        Step("pool use back to normal (< 20 connections)", f"{in_use[-1]:.0f} out", in_use[-1] < MOST_IN_USE),
        Step("error rate at baseline (< 0.1%)", f"{errors:.1%} degraded", errors < MOST_ERRORS),
        Step("latency at baseline (p99 < 500 ms)", "below" if p99 < SLOWEST_S else "above", p99 < SLOWEST_S),
        Step("no related alerts", f"{', '.join(raised) or 'none'} in {minutes:.0f} minutes", not raised),
        Step("pool metrics stable", f"{min(in_use):.0f} to {max(in_use):.0f} out", max(in_use) == in_use[0]),
    ]
