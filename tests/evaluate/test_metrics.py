"""Metrics against scikit-learn and brute force, with ties; invariances; hostile input."""

from __future__ import annotations

import doctest
import importlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from fraudkit.core.errors import InvalidInput
from fraudkit.evaluate import metrics
from fraudkit.evaluate.bootstrap import bootstrap_interval
from fraudkit.evaluate.curves import reliability_bins
from fraudkit.rules.cost_policy import Costs


def tied(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.2
    y[:2] = False, True
    return y, np.round(np.clip(rng.normal(0.4 + 0.2 * y, 0.2), 0, 1), 1)


@pytest.mark.parametrize("module", ["metrics", "bootstrap", "thresholds", "segments", "report"])
def test_examples(module: str) -> None:
    result = doctest.testmod(importlib.import_module(f"fraudkit.evaluate.{module}"))
    assert result.attempted and not result.failed


@pytest.mark.parametrize("seed", range(10))
def test_same_as_scikit_learn_with_ties(seed: int) -> None:
    y, s = tied(seed)
    assert metrics.roc_auc_score(y, s) == pytest.approx(reference.roc_auc_score(y, s), abs=1e-12)
    assert metrics.average_precision_score(y, s) == pytest.approx(reference.average_precision_score(y, s), abs=1e-12)
    assert metrics.brier_loss(y, s) == pytest.approx(reference.brier_score_loss(y, s), abs=1e-12)
    assert metrics.log_loss(y, np.clip(s, 0.01, 0.99)) == pytest.approx(
        reference.log_loss(y, np.clip(s, 0.01, 0.99)), abs=1e-12
    )
    false_positive_rate, recall, _ = reference.roc_curve(y, s, drop_intermediate=False)
    assert metrics.recall_at_fpr_score(y, s, 0.1) == pytest.approx(recall[false_positive_rate < 0.1].max())


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10_000))
def test_order_of_rows_and_monotone_maps_change_nothing(seed: int) -> None:
    y, s = tied(seed, 60)
    order = np.random.default_rng(seed).permutation(60)
    for metric in (metrics.roc_auc_score, metrics.average_precision_score, metrics.recall_at_fpr_score):
        assert metric(y[order], s[order]) == pytest.approx(metric(y, s), abs=1e-12)
        assert metric(y, np.exp(3 * s)) == pytest.approx(metric(y, s), abs=1e-12)
    assert metrics.precision_at_k_score(y[order], s[order], 7) == pytest.approx(metrics.precision_at_k_score(y, s, 7))


def test_precision_at_k_is_the_mean_over_orders_of_ties() -> None:
    y, s = tied(3)
    rng = np.random.default_rng(0)
    shuffled = [y[np.lexsort((rng.random(len(y)), -s))][:25].mean() for _ in range(20_000)]
    assert metrics.precision_at_k_score(y, s, 25) == pytest.approx(np.mean(shuffled), abs=0.003)


def brute_card_precision(y, s, user, day, k):  # type: ignore[no-untyped-def]
    blocked, out = set(), []
    for d in sorted(set(day)):
        cards: dict = {}
        for i in np.flatnonzero(day == d):
            if user[i] not in blocked:
                best, hit = cards.get(user[i], (-np.inf, False))
                cards[user[i]] = (max(best, s[i]), hit or y[i])
        top = sorted(cards, key=lambda u: (-cards[u][0], u))[:k]
        found = [u for u in top if cards[u][1]]
        blocked.update(found)
        out.append(len(found) / k)
    return out


@pytest.mark.parametrize("seed", range(5))
def test_card_precision_same_as_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    y, s = tied(seed, 400)
    user, day = rng.integers(0, 40, 400).astype(str), rng.integers(0, 6, 400)
    got = metrics.card_precision_by_day(y, s, user, day, 8)
    assert got.tolist() == brute_card_precision(y, s, user, day, 8)
    order = rng.permutation(400)
    assert metrics.card_precision_by_day(y[order], s[order], user[order], day[order], 8).tolist() == got.tolist()


def test_reliability_bins_hold_every_row_and_equal_scores_together() -> None:
    y, s = tied(1)
    bins = reliability_bins(y, s, 10)
    assert bins.count.sum() == len(y)
    assert np.average(bins.predicted, weights=bins.count) == pytest.approx(s.mean())
    assert np.average(bins.observed, weights=bins.count) == pytest.approx(y.mean())
    assert metrics.expected_calibration_loss(np.array([0] * 90 + [1] * 10), np.full(100, 0.3)) == pytest.approx(0.2)


def test_cost_counts_reviews_and_amounts() -> None:
    y, amount = np.array([1, 1, 0, 0]), np.array([100.0, 50.0, 5.0, 5.0])
    costs = Costs(false_negative=None, review=1.0, review_catch=0.5)
    got = metrics.decision_cost(y, np.array([0, 0, 1, 0]), amount, costs, reviewed=np.array([1, 0, 1, 1]))
    assert got == 100 * 0.5 + 50 + 2 + 2 * 1


@pytest.mark.parametrize(
    ("y", "s"),
    [([1, 1], [0.1, 0.2]), ([0, 1], [0.1, np.nan]), ([0, 2], [0.1, 0.2]), ([0, 1, 1], [0.1, 0.2]), ([], [])],
)
def test_hostile_input_is_refused(y: list, s: list) -> None:
    with pytest.raises(InvalidInput):
        metrics.roc_auc_score(np.array(y), np.array(s))


def test_bootstrap_pairs_and_draws_whole_groups() -> None:
    y, s = tied(2, 600)
    same = bootstrap_interval(metrics.roc_auc_score, y, s, np.random.default_rng(0), baseline=s)
    assert (same.low, same.high) == (0.0, 0.0)
    # Each row four times over is no more evidence: by group the interval must stay as wide.
    single = bootstrap_interval(metrics.roc_auc_score, y, s, np.random.default_rng(1))
    y4, s4, group = np.repeat(y, 4), np.repeat(s, 4), np.repeat(np.arange(600), 4)
    grouped = bootstrap_interval(metrics.roc_auc_score, y4, s4, np.random.default_rng(1), group=group)
    naive = bootstrap_interval(metrics.roc_auc_score, y4, s4, np.random.default_rng(1))
    assert grouped.high - grouped.low == pytest.approx(single.high - single.low, rel=0.05)
    assert naive.high - naive.low < 0.7 * (grouped.high - grouped.low)
