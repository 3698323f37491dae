"""What can be judged at a moment, and how well it was decided."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.monitor.performance import fairness, judged, online_performance

START = pd.Timestamp("2025-01-01", tz="UTC")


def decisions_of(days: list[float], scores: list[float], flagged: list[bool]) -> pd.DataFrame:
    ids = [f"t{number}" for number in range(len(days))]
    event_time = [START + pd.Timedelta(days=day) for day in days]
    return pd.DataFrame({"transaction_id": ids, "event_time": event_time, "fraud_score": scores, "flagged": flagged})


def labels_of(*words: tuple[str, float, str, bool]) -> pd.DataFrame:
    rows = [(name, START, START + pd.Timedelta(days=day), source, fraud) for name, day, source, fraud in words]
    return pd.DataFrame(rows, columns=["transaction_id", "event_time", "known_at", "source", "is_fraud"])


def at(day: float) -> pd.Timestamp:
    return START + pd.Timedelta(days=day)


def test_a_young_payment_is_not_judged_even_if_its_label_is_there():
    decisions = decisions_of([0, 50], [0.9, 0.9], [True, True])
    labels = labels_of(("t0", 60, "chargeback", True), ("t1", 51, "manual_review", True))
    rows = judged(decisions, labels, at(130))
    assert rows["transaction_id"].tolist() == ["t0"]
    assert rows["is_fraud"].tolist() == [True]


def test_a_label_that_has_not_arrived_is_not_used():
    rows = judged(decisions_of([0], [0.9], [True]), labels_of(("t0", 125, "chargeback", True)), at(121))
    assert rows["is_fraud"].tolist() == [False]


def test_the_window_ends_where_labels_are_old_enough():
    decisions = decisions_of([0, 10, 20, 30], [0.1] * 4, [False] * 4)
    rows = judged(decisions, labels_of(), at(140), maturity_days=120, window_days=10)
    assert rows["transaction_id"].tolist() == ["t2"]


def test_the_word_of_higher_authority_counts():
    labels = labels_of(("t0", 40, "chargeback", False), ("t0", 50, "user_report", True))
    assert not judged(decisions_of([0], [0.9], [True]), labels, at(130))["is_fraud"].iloc[0]


def test_figures_hold_their_intervals_and_skip_rows_without_a_score():
    rng = np.random.default_rng(0)
    fraud = rng.random(2_000) < 0.05
    score = np.clip(rng.normal(0.2 + 0.4 * fraud, 0.2), 0, 1)
    rows = decisions_of([0] * 2_000, score.tolist(), (score > 0.5).tolist()).assign(is_fraud=fraud)
    rows.loc[rows.index[:5], "fraud_score"] = np.nan
    found = online_performance(rows, at(130), rng)
    for interval in (found.auc, found.precision, found.recall):
        assert interval is not None
        assert 0 < interval.low < interval.estimate < interval.high < 1
    assert found.auc is not None
    assert 0.88 < found.auc.estimate < 0.96


def test_drawing_whole_cards_widens_the_interval():
    rng = np.random.default_rng(0)
    card = np.repeat(np.arange(60), 20)
    fraud = card < 6
    score = np.repeat(rng.random(60), 20)
    rows = decisions_of([0] * 1_200, score.tolist(), [False] * 1_200).assign(is_fraud=fraud)
    single = online_performance(rows, at(130), np.random.default_rng(1)).auc
    whole = online_performance(rows.assign(user_id=card.astype(str)), at(130), np.random.default_rng(1)).auc
    assert single is not None
    assert whole is not None
    assert whole.high - whole.low > 2 * (single.high - single.low)


def test_without_frauds_or_rows_there_is_no_figure():
    empty = online_performance(
        judged(decisions_of([0], [0.5], [True]), labels_of(), at(1)), at(1), np.random.default_rng(0)
    )
    assert (empty.rows, empty.auc, empty.precision, empty.recall) == (0, None, None, None)


def test_groups_are_compared_on_judged_rows():
    rows = decisions_of([0] * 400, [0.1] * 400, [True] * 50 + [False] * 350).assign(is_fraud=False)
    (found,) = fairness(rows, {"side": np.array(["a"] * 200 + ["b"] * 200)})
    assert found.approval_ratio == pytest.approx(0.75)


def test_a_missing_column_is_named():
    with pytest.raises(InvalidInput, match="flagged"):
        judged(decisions_of([0], [0.5], [True]).drop(columns="flagged"), labels_of(), at(1))
