"""Labels arrive when their source says they do, and are wrong as often as declared."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fraudkit.simulate import World
from fraudkit.simulate import labels as declared


@pytest.fixture(scope="module")
def joined(world: World) -> pd.DataFrame:
    """Labels beside the truth and the arrival of their transaction."""
    arrivals = world.transactions[["transaction_id", "known_at"]].rename(columns={"known_at": "heard_at"})
    truth = world.truth.rename(columns={"is_fraud": "truly_fraud"})
    return world.labels.merge(truth, on="transaction_id").merge(arrivals, on="transaction_id")


def days_between(before: pd.Series, after: pd.Series) -> np.ndarray:
    return ((after - before) / pd.Timedelta(days=1)).to_numpy()


def test_chargebacks_take_30_to_120_days(joined: pd.DataFrame) -> None:
    rows = joined[joined["source"] == "chargeback"]
    delay = days_between(rows["event_time"], rows["known_at"])
    assert delay.min() >= 30
    assert delay.max() <= 120
    assert 45 < np.median(delay) < 75


def test_reviews_take_hours_and_reports_days(joined: pd.DataFrame) -> None:
    reviews = joined[joined["source"] == "manual_review"]
    hours = days_between(reviews["heard_at"], reviews["known_at"]) * 24
    assert hours.min() >= 0.49
    assert hours.max() <= 48
    reports = joined[joined["source"] == "user_report"]
    assert days_between(reports["event_time"], reports["known_at"]).max() <= 21
    assert (reports["known_at"] > reports["heard_at"]).all()


def test_declined_rows_are_never_charged_back_nor_reported(joined: pd.DataFrame) -> None:
    declined = joined[joined["declined"]]
    assert len(declined) > 20
    assert set(declined["source"]) == {"manual_review"}


def test_legitimate_rows_are_labelled_only_by_review_or_mistake(world: World, joined: pd.DataFrame) -> None:
    honest = joined[~joined["truly_fraud"]]
    n_honest = int((~world.truth["is_fraud"]).sum())
    assert (honest["source"] == "manual_review").sum() / n_honest < 0.02
    mistakes = honest[(honest["source"] != "manual_review") & honest["is_fraud"]]
    assert 0 < mistakes["transaction_id"].nunique() / n_honest < 0.002


def test_most_false_reports_are_put_right_by_the_chargeback(joined: pd.DataFrame) -> None:
    false_reports = joined[~joined["truly_fraud"] & (joined["source"] == "user_report")]
    reversals = joined[(joined["source"] == "chargeback") & ~joined["is_fraud"]]
    assert set(reversals["transaction_id"]) <= set(false_reports["transaction_id"])
    assert 0.5 < len(reversals) / len(false_reports) <= 1


def test_some_approved_fraud_is_never_reported(world: World) -> None:
    approved = world.truth[world.truth["is_fraud"] & ~world.truth["declined"]]
    called_fraud = world.labels.loc[world.labels["is_fraud"], "transaction_id"]
    silent = ~approved["transaction_id"].isin(called_fraud)
    assert 0.05 < silent.mean() < 0.25


def test_reviewers_err_as_declared(joined: pd.DataFrame) -> None:
    reviews = joined[joined["source"] == "manual_review"]
    missed = ~reviews.loc[reviews["truly_fraud"], "is_fraud"]
    assert missed.mean() == pytest.approx(declared.REVIEW_MISSES_FRAUD, abs=0.06)


def test_labels_are_sorted_by_arrival(world: World) -> None:
    assert world.labels["known_at"].is_monotonic_increasing
