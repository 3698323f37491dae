"""Alerts over a row of snapshots: a measure above a limit, for so many minutes.

An alert is pending from the first snapshot above the limit and raised once it has stayed there for
its time; one snapshot at or below the limit clears it. So an alert that waits five minutes cannot
come in the first five.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fraudkit.workbook.incident.snapshot import Snapshot, increase, quantile, ratio

MINUTE_MS = 60_000

Measure = Callable[[Snapshot, Snapshot], float]


@dataclass(frozen=True, slots=True)
class AlertRule:
    """`measure` over `window_min` minutes above `above` for `for_min` minutes."""

    name: str
    words: str
    measure: Measure
    above: float
    for_min: float = 5.0
    window_min: float = 5.0
    severity: str = "critical"


@dataclass(frozen=True, slots=True)
class Firing:
    """An alert that was raised: since when the limit was passed, when it was raised and cleared (None: still on)."""

    rule: AlertRule
    pending_ms: int
    raised_ms: int
    cleared_ms: int | None


def http_errors(before: Snapshot, after: Snapshot) -> float:
    """Share of requests that were refused or failed, by status."""
    refused = increase(before, after, "requests_refused_total")
    whole = refused + increase(before, after, "fraud_predictions_total")
    return refused / whole if whole else math.nan


def degraded(before: Snapshot, after: Snapshot) -> float:
    """Share of decisions that a part did not take part in."""
    return ratio(before, after, "fraud_degraded_total", "fraud_predictions_total")


def latency_p99(before: Snapshot, after: Snapshot) -> float:
    """99th percentile of the answer time, s."""
    return quantile(before, after, "prediction_latency_seconds", 0.99)


def pool_use(_before: Snapshot, after: Snapshot) -> float:
    """Connections that are out, as a share of the pool; NaN where the service has none."""
    size = after.samples.get("reputation_pool_size", 0.0)
    return after.samples["reputation_pool_in_use"] / size if size else math.nan


HIGH_ERROR_RATE = AlertRule("HighErrorRate", "error_rate > 1% for 5 minutes", http_errors, 0.01)
HIGH_DEGRADED_RATE = AlertRule("HighDegradedRate", "degraded share > 1% for 5 minutes", degraded, 0.01)
HIGH_LATENCY = AlertRule("HighLatency", "p99 > 100 ms for 5 minutes", latency_p99, 0.100)
POOL_FILLING = AlertRule("PoolFilling", "pool in use > 70% for 10 minutes", pool_use, 0.70, 10.0, severity="warning")


def series(rule: AlertRule, snapshots: Sequence[Snapshot]) -> list[float]:
    """The rule's measure at every snapshot, over the window before it; NaN at the first."""
    values = [math.nan] * bool(snapshots)
    for position in range(1, len(snapshots)):
        edge = snapshots[position].at_ms - rule.window_min * MINUTE_MS
        start = next(i for i in range(position) if i == position - 1 or snapshots[i].at_ms >= edge)
        values.append(_over(rule, snapshots[start : position + 1]))
    return values


def _over(rule: AlertRule, window: Sequence[Snapshot]) -> float:
    """The measure from the first to the last of a window, restarts inside it allowed for."""
    restarts = [i for i in range(1, len(window)) if _restarted(window[i - 1], window[i])]
    if restarts:  # the counters of the service that runs now are the ones that count
        return rule.measure(Snapshot(0, {}), window[-1])
    return rule.measure(window[0], window[-1])


def _restarted(before: Snapshot, after: Snapshot) -> bool:
    return after.total("fraud_predictions_total") < before.total("fraud_predictions_total")


def firings(rule: AlertRule, snapshots: Sequence[Snapshot]) -> list[Firing]:
    """Every time the alert was raised, in order."""
    found: list[Firing] = []
    pending: int | None = None
    raised: int | None = None
    for snapshot, value in zip(snapshots, series(rule, snapshots), strict=True):
        if value > rule.above:
            pending = snapshot.at_ms if pending is None else pending
            if raised is None and snapshot.at_ms - pending >= rule.for_min * MINUTE_MS:
                raised = snapshot.at_ms
        else:
            if pending is not None and raised is not None:
                found.append(Firing(rule, pending, raised, snapshot.at_ms))
            pending = raised = None
    if pending is not None and raised is not None:
        found.append(Firing(rule, pending, raised, None))
    return found
