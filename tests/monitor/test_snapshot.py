"""Reading a service from outside: its metrics and its decision database."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fraudkit.core.errors import InvalidInput, NotReady
from fraudkit.core.label import labels_as_of
from fraudkit.monitor.snapshot import Histogram, parse, read_decisions, read_feedback, scrape
from fraudkit.serve.decisions import DecisionStore
from fraudkit.serve.metrics import ServiceMetrics

NOW_MS = 1_760_000_000_000


def test_counts_are_those_that_the_service_counted():
    metrics = ServiceMetrics(("a", "b"))
    latencies = np.array([0.004] * 98 + [0.2, 0.2])
    X = np.column_stack([np.arange(100.0), np.full(100, np.nan)]).astype(np.float32)
    metrics.batch(["APPROVE"] * 97 + ["REVIEW", "REVIEW", "DECLINE"], np.linspace(0, 1, 100), latencies, X)
    for _ in range(3):
        metrics.degraded(["feature_store"])
    metrics.feedback("chargeback", True)
    metrics.refused(422)
    metrics.stage("trees", 0.002)
    counts = parse(metrics.text().decode())
    assert (counts.predictions, counts.flagged) == (100, 3)
    assert counts.decisions["REVIEW"] == 2
    assert counts.degraded == {"feature_store": 3}
    assert counts.feedback == {("chargeback", True): 1}
    assert counts.refused == {"422": 1}
    assert counts.stages_s["trees"].count == 1
    assert counts.latency_s.count == 100
    assert 0.1 <= counts.latency_s.quantile(0.99) <= 0.25
    assert counts.latency_s.quantile(0.5) < 0.005
    assert sum(counts.score.shares()) == pytest.approx(1.0)
    assert counts.features.loc["a", "max"] == 99.0
    assert "b" not in counts.features.index


def test_a_service_that_has_decided_nothing_gives_empty_counts():
    counts = parse(ServiceMetrics(("a",)).text().decode())
    assert counts.predictions == 0
    assert np.isnan(counts.latency_s.quantile(0.99))
    assert counts.features.empty


def test_a_quantile_beyond_the_last_bound_is_that_bound():
    assert Histogram((1.0, float("inf")), (1, 10), 50.0).quantile(0.99) == 1.0


def test_what_is_no_exposition_is_refused():
    with pytest.raises(InvalidInput, match="Prometheus"):
        parse("<html>{not metrics</html>")


def test_an_address_without_a_service_is_named():
    with pytest.raises(NotReady, match="fraudkit serve"):
        scrape("http://127.0.0.1:9")


@pytest.fixture
def database(tmp_path: Path, record_of) -> Path:
    store = DecisionStore(tmp_path / "decisions.db")
    context = context_of(store)
    store.add([record_of("t0", "APPROVE", 0.1, 0, context), record_of("t1", "REVIEW", 0.6, 1_000, context)])
    store.add([record_of("t2", "APPROVE_FALLBACK", None, 2_000, context)])
    store.add_feedback("t1", "user_report", True, NOW_MS + 5_000)
    store.add_feedback("t1", "chargeback", False, NOW_MS + 9_000)
    store.add_feedback("elsewhere", "chargeback", True, NOW_MS + 9_000)
    store.close()
    return tmp_path / "decisions.db"


def context_of(store: DecisionStore) -> int:
    from fraudkit.serve.decisions import Context

    return store.context_id(Context("v0001", "m", "r", "p", "s", "c"))


def test_decisions_come_with_their_vectors_in_order(database: Path):
    decisions, vectors = read_decisions(database)
    assert decisions["transaction_id"].tolist() == ["t0", "t1", "t2"]
    assert decisions["user_id"].tolist() == ["user-1"] * 3
    assert decisions["flagged"].tolist() == [False, True, False]
    assert decisions["fraud_score"].isna().tolist() == [False, False, True]
    assert decisions["event_time"].iloc[1] == pd.Timestamp(NOW_MS + 1_000, unit="ms", tz="UTC")
    assert vectors.dtype == np.float32
    assert vectors[:, 0].tolist() == [0.0, 1_000.0, 2_000.0]
    later, _ = read_decisions(database, since_ms=NOW_MS + 1_500)
    assert later["transaction_id"].tolist() == ["t2"]


def test_feedback_reads_as_labels(database: Path):
    feedback = read_feedback(database)
    assert feedback["event_time"].isna().tolist() == [False, False, True]
    known = labels_as_of(feedback, pd.Timestamp(NOW_MS + 6_000, unit="ms", tz="UTC"))
    assert known["is_fraud"].tolist() == [True]
    final = labels_as_of(feedback, pd.Timestamp(NOW_MS + 10_000, unit="ms", tz="UTC")).set_index("transaction_id")
    assert not final.loc["t1", "is_fraud"]


def test_reading_does_not_write(database: Path):
    before = database.read_bytes()
    read_decisions(database)
    read_feedback(database)
    assert database.read_bytes() == before


def test_no_database_an_empty_one_and_another_file(tmp_path: Path):
    with pytest.raises(NotReady, match="no decision database"):
        read_decisions(tmp_path / "decisions.db")
    DecisionStore(tmp_path / "decisions.db").close()
    decisions, vectors = read_decisions(tmp_path / "decisions.db")
    assert decisions.empty
    assert len(vectors) == 0
    assert read_feedback(tmp_path / "decisions.db").empty
    (tmp_path / "other.db").write_bytes(b"this is no database at all" * 100)
    with pytest.raises(NotReady):
        read_decisions(tmp_path / "other.db")
