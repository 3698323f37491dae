"""The state of a running service: what it counts, and what it has written down.

Read from outside and read-only: /metrics over HTTP, the decision database beside the service that
writes it. It knows the form of both and nothing of how they come about.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from math import inf, nan
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
from prometheus_client.parser import text_string_to_metric_families

from fraudkit.core.errors import InvalidInput, NotReady
from fraudkit.core.label import LABEL_COLUMNS

FLAGGED = ("DECLINE", "REVIEW")
FORMAT = 3  # of the decision database
_TIMEOUT_S = 10.0
Sample = tuple[str, dict[str, str], float]  # name, labels, value


@dataclass(frozen=True, slots=True)
class Histogram:
    """Cumulative counts by upper bound; the last bound is infinite."""

    bounds: tuple[float, ...]
    counts: tuple[int, ...]
    total: float

    @property
    def count(self) -> int:
        """Number of values."""
        return self.counts[-1] if self.counts else 0

    def quantile(self, share: float) -> float:
        """The quantile as Prometheus estimates it, linear within a bucket; NaN without values.

        Where it falls beyond the last finite bound, that bound.

        >>> Histogram((1.0, 2.0, inf), (0, 10, 10), 15.0).quantile(0.5)
        1.5
        """
        if not self.count:
            return nan
        rank = share * self.count
        place = int(np.searchsorted(self.counts, rank, side="left"))
        if self.bounds[place] == inf:
            return self.bounds[place - 1]
        low = self.bounds[place - 1] if place else 0.0
        below = self.counts[place - 1] if place else 0
        return low + (self.bounds[place] - low) * (rank - below) / max(self.counts[place] - below, 1)

    def shares(self) -> tuple[float, ...]:
        """Share of the values in each bucket; all zero without values."""
        return tuple((np.diff(self.counts, prepend=0) / max(self.count, 1)).tolist())


@dataclass(frozen=True, slots=True)
class Counts:
    """What /metrics said: counters by label, histograms, and statistics of the latest vectors."""

    decisions: dict[str, int]
    degraded: dict[str, int]
    refused: dict[str, int]
    feedback: dict[tuple[str, bool], int]
    latency_s: Histogram
    score: Histogram
    stages_s: dict[str, Histogram]
    features: pd.DataFrame  # index feature name, columns mean, std, min, max

    @property
    def predictions(self) -> int:
        """All decisions since the service started."""
        return sum(self.decisions.values())

    @property
    def flagged(self) -> int:
        """Decisions that were not an approval."""
        return sum(self.decisions.get(action, 0) for action in FLAGGED)


def scrape(url: str, api_key: str | None = None) -> Counts:
    """Read the metrics of the service at `url`, for instance http://127.0.0.1:8000.

    Raises
    ------
    NotReady
        Nothing answers there, or not with metrics.
    """
    return parse(_text(url, api_key))


def read_samples(url: str, api_key: str | None = None) -> list[Sample]:
    """All samples of the service at `url`; raises as `scrape` and `parse` do."""
    return samples_of(_text(url, api_key))


def _text(url: str, api_key: str | None) -> str:
    headers = {"X-API-Key": api_key} if api_key else {}
    try:
        reply = httpx.get(f"{url.rstrip('/')}/metrics", headers=headers, timeout=_TIMEOUT_S).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise NotReady(f"{url} gave no metrics ({error}); start the service with `fraudkit serve`") from error
    return reply.text


def samples_of(text: str) -> list[Sample]:
    """Every sample of an exposition in Prometheus' text format.

    Raises
    ------
    InvalidInput
        It is none.
    """
    try:
        return [
            (sample.name, sample.labels, sample.value)
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        ]
    except ValueError as error:
        raise InvalidInput(f"this is no Prometheus text ({error}); give the service's address") from error


def histogram_of(samples: Sequence[Sample], name: str, **chosen: str) -> Histogram:
    """A histogram out of samples, with these labels; without values where there is none."""
    mine = [s for s in samples if s[0].startswith(name) and chosen.items() <= s[1].items()]
    buckets = sorted((float(labels["le"]), int(v)) for found, labels, v in mine if found == f"{name}_bucket")
    total = next((value for found, _, value in mine if found == f"{name}_sum"), 0.0)
    return Histogram(tuple(b for b, _ in buckets), tuple(c for _, c in buckets), total)


def parse(text: str) -> Counts:
    """Read a service's exposition; raises as `samples_of` does."""
    samples = samples_of(text)

    def counter(name: str, label: str) -> dict[str, int]:
        return {labels[label]: int(value) for found, labels, value in samples if found == name}

    def histogram(name: str, **chosen: str) -> Histogram:
        return histogram_of(samples, name, **chosen)

    stages = {labels["stage"]: None for found, labels, _ in samples if found == "scoring_stage_seconds_bucket"}
    values = [(la["feature_name"], la["stat"], value) for found, la, value in samples if found == "feature_value"]
    return Counts(
        decisions=counter("fraud_predictions_total", "decision"),
        degraded=counter("fraud_degraded_total", "part"),
        refused=counter("requests_refused_total", "status"),
        feedback={
            (labels["source"], labels["is_fraud"] == "true"): int(value)
            for found, labels, value in samples
            if found == "fraud_feedback_total"
        },
        latency_s=histogram("prediction_latency_seconds"),
        score=histogram("fraud_score"),
        stages_s={stage: histogram("scoring_stage_seconds", stage=stage) for stage in stages},
        features=pd.DataFrame(values, columns=["feature", "stat", "value"]).pivot(
            index="feature", columns="stat", values="value"
        ),
    )


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.exists():
        raise NotReady(f"there is no decision database at {path}; start the service there once")
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version != FORMAT:
                raise NotReady(
                    f"{path} has format {version}, this version reads {FORMAT}; use the version that wrote it"
                )
            yield connection
    except sqlite3.DatabaseError as error:
        raise NotReady(f"decision database {path}: {error}; see whether it is one, and readable") from error


def read_decisions(path: Path, since_ms: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Decisions of a database from `since_ms` on, oldest first.

    Returns
    -------
    table with transaction_id, user_id, event_time (when it was decided, UTC), action, fraud_score (NaN without one),
    flagged, model_version; and the vectors, float32 (n, n_features)

    Raises
    ------
    NotReady
        There is no such database, or it cannot be read.
    """
    with _reading(path) as connection:
        rows = connection.execute(
            "SELECT transaction_id, json_extract(CAST(transaction_json AS TEXT), '$.user_id'), decided_at_ms, action,"
            " fraud_score, model_version, vector FROM decisions JOIN contexts ON contexts.id = decisions.context"
            " WHERE decided_at_ms >= ? ORDER BY decided_at_ms, decisions.rowid",
            (since_ms,),
        ).fetchall()
    table = pd.DataFrame(
        [row[:6] for row in rows],
        columns=["transaction_id", "user_id", "decided_at_ms", "action", "fraud_score", "model_version"],
    )
    vectors = np.array([np.frombuffer(row[6], dtype="<f4") for row in rows], dtype=np.float32)
    decided = table.assign(
        event_time=pd.to_datetime(table.pop("decided_at_ms"), unit="ms", utc=True),
        fraud_score=table["fraud_score"].astype("float64"),
        flagged=table["action"].isin(FLAGGED).astype(bool),
    )
    return decided, vectors if len(rows) else np.empty((0, 0), dtype=np.float32)


def read_feedback(path: Path) -> pd.DataFrame:
    """All feedback of a database as LABEL_COLUMNS; `event_time` is NaT for payments that were not decided here.

    Raises
    ------
    NotReady
        As `read_decisions`.
    """
    with _reading(path) as connection:
        rows = connection.execute(
            "SELECT feedback.transaction_id, decided_at_ms, received_at_ms, source, is_fraud FROM feedback"
            " LEFT JOIN decisions ON decisions.transaction_id = feedback.transaction_id ORDER BY feedback.id"
        ).fetchall()
    table = pd.DataFrame(rows, columns=list(LABEL_COLUMNS))
    for name in ("event_time", "known_at"):
        table[name] = pd.to_datetime(table[name].astype("Float64"), unit="ms", utc=True)
    return table.assign(is_fraud=table["is_fraud"].astype(bool))
