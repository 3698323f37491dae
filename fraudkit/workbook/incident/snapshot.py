"""What /metrics said at one moment, and what two such moments tell together.

Counters start again at 0 with the service; every difference here counts on from there, as
Prometheus' `increase` does. Knows no service and no alert.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

CLOCK = "service_clock_seconds"
_LEFT_OUT = ("feature_value", "# HELP feature_value", "# TYPE feature_value")  # most of the text, and not asked for


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Samples by name as Prometheus writes them, `fraud_degraded_total{part="model"}`, at `at_ms` since 1970."""

    at_ms: int
    samples: Mapping[str, float]

    def total(self, name: str) -> float:
        """The sum over all label sets of a sample; 0 where there is none."""
        return sum(value for key, value in self.samples.items() if key == name or key.startswith(name + "{"))


def read_snapshot(text: str, at_ms: int | None = None) -> Snapshot:
    """A snapshot from the text of /metrics; its time is the service's own clock where `at_ms` is not given."""
    kept = "\n".join(line for line in text.splitlines() if not line.startswith(_LEFT_OUT)) + "\n"
    samples: dict[str, float] = {}
    for family in text_string_to_metric_families(kept):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            samples[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return Snapshot(round(samples.get(CLOCK, 0.0) * 1000) if at_ms is None else at_ms, samples)


def increase(before: Snapshot, after: Snapshot, name: str) -> float:
    """What a counter, summed over its labels, grew by; after a restart what it counted since.

    >>> increase(Snapshot(0, {"n": 7}), Snapshot(1, {"n": 9}), "n")
    2
    >>> increase(Snapshot(0, {"n": 7}), Snapshot(1, {"n": 2}), "n")
    2
    """
    old, new = before.total(name), after.total(name)
    return new - old if new >= old else new


def ratio(before: Snapshot, after: Snapshot, part: str, whole: str) -> float:
    """Growth of one counter by that of another, NaN where the other stood still."""
    base = increase(before, after, whole)
    return increase(before, after, part) / base if base else math.nan


def quantile(before: Snapshot, after: Snapshot, histogram: str, q: float, labels: str = "") -> float:
    """A quantile between two moments from a histogram's buckets, linear inside a bucket; NaN without observations.

    Parameters
    ----------
    histogram : name without `_bucket`
    q : 0..1
    labels : further labels of the histogram as written, such as `stage="features"`
    """
    bounds = _buckets(after, histogram, labels)
    counts = [increase(before, after, name) for _, name in bounds]
    if not counts or not counts[-1]:
        return math.nan
    rank, below, floor = q * counts[-1], 0.0, 0.0
    for (bound, _), count in zip(bounds, counts, strict=True):
        if count >= rank:
            if math.isinf(bound) or count == below:
                return floor
            return floor + (bound - floor) * (rank - below) / (count - below)
        below, floor = count, bound
    return floor


def _buckets(snapshot: Snapshot, histogram: str, labels: str) -> list[tuple[float, str]]:
    """Upper bounds and sample names of a histogram's buckets, in rising order."""
    found = []
    for name in snapshot.samples:
        if name.startswith(f"{histogram}_bucket{{") and labels in name:
            found.append((float(name.partition('le="')[2].partition('"')[0]), name))
    return sorted(found)


def gauge(snapshots: Sequence[Snapshot], name: str) -> list[float]:
    """A gauge over time, NaN where it was not reported."""
    return [snapshot.samples.get(name, math.nan) for snapshot in snapshots]
