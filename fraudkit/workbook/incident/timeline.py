"""The timeline of an incident from what the system wrote down, not from what people remember.

Releases and harmed payments come from the decision database, restarts, pool sizes and alerts from
snapshots of /metrics. What people did and thought in between is theirs to add.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from fraudkit.core.clock import from_epoch_ms
from fraudkit.core.errors import NotReady
from fraudkit.workbook.incident.alert import (
    HIGH_DEGRADED_RATE,
    HIGH_ERROR_RATE,
    MINUTE_MS,
    AlertRule,
    Firing,
    firings,
)
from fraudkit.workbook.incident.snapshot import Snapshot

RULES = (HIGH_ERROR_RATE, HIGH_DEGRADED_RATE)
SHORT = 8  # characters of a digest
_PREDICTIONS = "fraud_predictions_total"


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline; `source` is decisions, metrics or alert."""

    at_ms: int
    source: str
    what: str


@dataclass(frozen=True, slots=True)
class Release:
    """The first decision after code or model had changed."""

    at_ms: int
    code: str
    model: str


@dataclass(frozen=True, slots=True)
class Harmed:
    """A decision that was made without a part, and its stored vector (float32 bytes)."""

    at_ms: int
    transaction_id: str
    action: str
    parts: tuple[str, ...]
    vector: bytes


def clock_time(at_ms: int) -> str:
    """Hours and minutes, UTC.

    >>> clock_time(36_900_000)
    '10:15'
    """
    return from_epoch_ms(at_ms).strftime("%H:%M")


def releases(database: Path) -> list[Release]:
    """Every change of code or model, the first decision included, in order of time; a rollback is one too.

    Raises
    ------
    NotReady
        There is no decision database.
    """
    query = (
        "SELECT decided_at_ms, code_digest, model_version"
        " FROM (SELECT decided_at_ms, context, decisions.rowid AS place,"
        " LAG(context) OVER (ORDER BY decided_at_ms, rowid) AS earlier FROM decisions)"
        " JOIN contexts ON contexts.id = context WHERE earlier IS NOT context ORDER BY decided_at_ms, place"
    )
    return [Release(at, code, model) for at, code, model in _rows(database, query)]


def harmed(database: Path) -> list[Harmed]:
    """Every decision that a part did not take part in, in order of time.

    Raises
    ------
    NotReady
        There is no decision database.
    """
    query = "SELECT decided_at_ms, transaction_id, action, reply, vector FROM decisions ORDER BY decided_at_ms, rowid"
    found = []
    for at, transaction_id, action, reply, vector in _rows(database, query):
        parts = tuple(json.loads(reply)["degraded"])
        if parts:
            found.append(Harmed(at, transaction_id, action, parts, vector))
    return found


def decisions_between(database: Path, from_ms: int, to_ms: int) -> int:
    """How many decisions were made from one moment to another, both included."""
    query = "SELECT COUNT(*) FROM decisions WHERE decided_at_ms BETWEEN ? AND ?"
    (count,) = next(iter(_rows(database, query, (from_ms, to_ms))))
    return int(count)


def build_timeline(database: Path, snapshots: Sequence[Snapshot], rules: Iterable[AlertRule] = RULES) -> list[Event]:
    """All events in order of time.

    Parameters
    ----------
    database : decision database of the service
    snapshots : of /metrics, in order of time; may be empty
    rules : the alerts that stood on them

    Raises
    ------
    NotReady
        There is no decision database.
    """
    events = [*_release_events(releases(database)), *_harm_events(harmed(database)), *_metric_events(snapshots)]
    for rule in rules:
        events += _alert_events(firings(rule, snapshots))
    return sorted(events, key=lambda event: event.at_ms)


def to_markdown(events: Sequence[Event]) -> str:
    """The timeline as the table of a report."""
    rows = [f"| {clock_time(event.at_ms)} | {event.what} | {event.source} |" for event in events]
    return "\n".join(["| Time | Event | Source |", "|------|-------|--------|", *rows])


def _release_events(found: Sequence[Release]) -> Iterator[Event]:
    for number, release in enumerate(found):
        words = "first decision by" if number == 0 else "release: decisions from now on by"
        yield Event(release.at_ms, "decisions", f"{words} code {release.code[:SHORT]}, model {release.model}")


def _harm_events(found: Sequence[Harmed]) -> Iterator[Event]:
    for part in sorted({part for decision in found for part in decision.parts}):
        mine = [decision for decision in found if part in decision.parts]
        yield Event(mine[0].at_ms, "decisions", f"first payment decided without {part}")
        yield Event(mine[-1].at_ms, "decisions", f"last of {len(mine):,} payments decided without {part}")


def _metric_events(snapshots: Sequence[Snapshot]) -> Iterator[Event]:
    for before, after in pairwise(snapshots):
        if after.total(_PREDICTIONS) < before.total(_PREDICTIONS):
            yield Event(after.at_ms, "metrics", f"service restarted{_pool_change(before, after)}")
        waits = "reputation_pool_timeouts_total"
        if after.total(waits) > 0 and before.total(waits) == 0:
            in_use, size = (int(after.total(f"reputation_pool_{what}")) for what in ("in_use", "size"))
            yield Event(after.at_ms, "metrics", f"pool exhausted: {in_use} of {size} connections out")


def _pool_change(before: Snapshot, after: Snapshot) -> str:
    old, new = (int(snapshot.total("reputation_pool_size")) for snapshot in (before, after))
    return f", pool size {old} to {new}" if old != new else ""


def _alert_events(found: Sequence[Firing]) -> Iterator[Event]:
    for firing in found:
        rule = firing.rule
        yield Event(firing.raised_ms, "alert", f"{rule.name} raised ({rule.words})")
        if firing.cleared_ms is not None:
            lasted = (firing.cleared_ms - firing.raised_ms) / MINUTE_MS
            yield Event(firing.cleared_ms, "alert", f"{rule.name} cleared after {lasted:.0f} minutes")


def _rows(database: Path, query: str, values: tuple[int, ...] = ()) -> list[tuple]:
    if not database.is_file():
        raise NotReady(f"no decision database at {database}; score payments first")
    with closing(sqlite3.connect(database, timeout=5.0)) as connection:
        connection.execute("PRAGMA query_only = ON")
        return connection.execute(query, values).fetchall()
