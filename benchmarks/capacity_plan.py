"""The arithmetic of the capacity plan: from measured figures, assumptions and manifests to machines and limits.

Pure functions; it measures nothing and knows nothing of the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

DAY_S = 86_400
BUDGET = 50_000.0  # dollars a month, the specification's
LOADS = {1_000: "a tenth", 10_000: "today", 20_000: "today's peak", 30_000: "in a year", 100_000: "in three years"}
PEAK = 30_000  # decisions a second the manifests have to stand


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What nobody measured here: the reader's own figures go in their place.

    Attributes
    ----------
    margin : share of a measured rate that is planned with, 0..1
    room : memory and disk are planned this many times larger than measured
    zones : over which pods are spread evenly
    holders_per_tps : card holders for each decision a second; 50 million at 10,000 in the specification
    hot_days, kept_days : days in the database, and in the archive
    core_price, memory_price, disk_price, archive_price : dollars a month for a core, a GB of memory, disk, objects
    database_cores : of the one PostgreSQL server
    """

    margin: float = 0.7
    room: float = 1.3
    zones: float = 3
    holders_per_tps: float = 5_000
    hot_days: float = 7
    kept_days: float = 90
    core_price: float = 30.0
    memory_price: float = 4.0
    disk_price: float = 0.1
    archive_price: float = 0.025
    database_cores: float = 32


@dataclass(frozen=True, slots=True)
class Manifests:
    """What deploy/kubernetes asks for: autoscaler, pod, primaries and their memory, memory of the training job."""

    most_pods: int
    target_rate: float
    pod_cores: float
    pod_gb: float
    primaries: int
    primary_gb: float
    primary_pod_gb: float
    training_gb: float


def pod_rate(figures: Mapping[str, float], given: Assumptions) -> float:
    """Decisions a second of one pod: the published open loop, slower by PostgreSQL, less the margin."""
    rate = "service over {}, 32 connections, one core"  # not processor time: a commit is waited for
    slower = figures[rate.format("PostgreSQL")] / figures[rate.format("SQLite")]
    return figures["open loop, served"] * min(1.0, slower) * given.margin


def pods(tps: float, figures: Mapping[str, float], given: Assumptions, target_rate: float) -> int:
    """Pods so that the other zones carry `tps` when one is lost, with one more away and no pod above its target."""
    alive = given.zones - 1
    lost = ceil(ceil(tps / pod_rate(figures, given)) * given.zones / alive)
    return max(lost + 1, ceil(tps / target_rate))


def holder_bytes(figures: Mapping[str, float], given: Assumptions) -> float:
    """Memory of a card holder whose own history is full, devices, addresses and profile included."""
    rest = figures["store, everything in it a card holder"] - figures["memory a card holder, mean"]
    return (max(rest, 0.0) + figures["memory a card holder, largest"]) * given.room


def plan(tps: int, figures: Mapping[str, float], given: Assumptions, has: Manifests) -> dict[str, float]:
    """Line -> value at `tps`, in the order of the page's table."""
    n = pods(tps, figures, given, has.target_rate)
    store_gb = tps * given.holders_per_tps * holder_bytes(figures, given) / 1e9
    ops = 1e6 / figures["store, processor time a request"] * given.margin
    primaries = max(ceil(store_gb / has.primary_gb), ceil(tps / ops), 3)
    a_day = tps * DAY_S / 1e9
    database_gb = a_day * figures["a decision in PostgreSQL, indexes included"] * given.room
    archive_gb = a_day * figures["a decision in the archive"]
    database_cores = ceil(tps * figures["PostgreSQL, processor time a request"] / 1e6 / given.margin)
    wire = figures["request on the wire"] + figures["reply on the wire"]
    cores = n * has.pod_cores + 2 * primaries + database_cores
    memory = n * has.pod_gb + 2 * primaries * has.primary_pod_gb
    dollars = {
        "cores": cores * given.core_price,
        "memory": memory * given.memory_price,
        "database disk": database_gb * given.hot_days * given.disk_price,
        "archive": archive_gb * given.kept_days * given.archive_price,
    }
    total = sum(dollars.values())
    everything = database_gb * given.kept_days * given.disk_price - dollars["database disk"]
    rows = tps * DAY_S * given.kept_days
    fit = has.training_gb * 1e9 / given.room / figures["training, memory another row"]
    return {
        "pods, one zone lost and one more away": n,
        "pods' cores": n * has.pod_cores,
        "pods' memory, GB": n * has.pod_gb,
        "card holders, millions": tps * given.holders_per_tps / 1e6,
        "store, GB": store_gb,
        "Valkey primaries by memory": ceil(store_gb / has.primary_gb),
        "Valkey primaries by operations": ceil(tps / ops),
        "Valkey pods, with a replica each": 2 * primaries,
        "database rows a second": tps,
        "database processor cores": database_cores,
        "database, GB a day": database_gb,
        f"database, TB in {given.kept_days:.0f} days": database_gb * given.kept_days / 1e3,
        "write-ahead log, MB a second": tps * figures["a decision in PostgreSQL's write-ahead log"] / 1e6,
        "stream, GB a day through it": a_day * figures["a decision in the stream"],
        f"archive, TB in {given.kept_days:.0f} days": archive_gb * given.kept_days / 1e3,
        "clients' network, Mbit/s": tps * wire * 8 / 1e6,
        "store's network, Mbit/s": tps * figures["store, bytes on its line a request"] * 8 / 1e6,
        "training on every row, core-hours": rows * figures["training, processor time another row"] / 1e6 / 3_600,
        "training rows that fit the job's memory, millions": min(fit, rows) / 1e6,
        "training on those, core-hours": min(fit, rows) * figures["training, processor time another row"] / 3.6e9,
        "empty store filled again by one process, hours": (
            tps * given.holders_per_tps * figures["empty store filled again, a card holder"] / 3.6e9 / given.margin
        ),
        **{f"$ a month, {name}": value for name, value in dollars.items()},
        "$ a month": total,
        f"$ a month, {given.kept_days:.0f} days in the database": total + everything,
    }


def limits(figures: Mapping[str, float], given: Assumptions, has: Manifests) -> list[tuple[float, str, str]]:
    """(decisions a second, part, what then), the first to give way first."""
    ops = 1e6 / figures["store, processor time a request"] * given.margin
    database = 1e6 / figures["PostgreSQL, processor time a request"] * given.database_cores * given.margin
    per_tps = given.holders_per_tps * holder_bytes(figures, given) / 1e9
    found = [
        (
            figures["secondary store fed from PostgreSQL"] * given.margin,
            "secondary store: every pod's follower appends every pod's decisions",
            "it falls behind for good, and takes over with old histories; needs sharding by card holder in the code",
        ),
        (
            figures["events published from PostgreSQL"] * given.margin,
            "event chain: one pod publishes at a time",
            "events wait in the database; needs a chain a pod in the code",
        ),
        (
            figures["events archived by one consumer"] * given.margin,
            "archive: one consumer",
            "the stream stays full; run more `fraudkit log consume`",
        ),
        (
            has.most_pods * min(pod_rate(figures, given), has.target_rate),
            f"autoscaler: {has.most_pods} pods",
            "latency, then shedding; raise maxReplicas",
        ),
        (
            has.primaries * has.primary_gb / per_tps,
            f"Valkey memory: {has.primaries} × {has.primary_gb:.1f} GB",
            "new histories are refused; add primaries and move slots",
        ),
        (has.primaries * ops, f"Valkey operations: {has.primaries} primaries", "the store's share of the budget grows"),
        (database, f"PostgreSQL processor: {given.database_cores:g} cores", "commits queue; the journal takes over"),
    ]
    return sorted(found)
