"""The fast paired bootstrap of AUC agrees with the plain metric and with a plain loop."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fraudkit.core.errors import InvalidInput
from fraudkit.evaluate import metrics
from fraudkit.evaluate.auc_bootstrap import Ranking, auc_differences, weighted_auc


def test_a_weight_is_a_number_of_copies() -> None:
    rng = np.random.default_rng(3)
    y = rng.random(500) < 0.2
    score = np.round(y + rng.normal(size=500), 1)  # with ties
    group = rng.integers(0, 40, 500)
    copies = rng.integers(0, 4, 40)
    ranking = Ranking.of(score)
    got = weighted_auc(ranking.order, ranking.starts, y, group, copies.astype(float))
    rows = np.repeat(np.arange(500), copies[group])
    assert got == pytest.approx(metrics.roc_auc_score(y[rows], score[rows]), abs=1e-12)


def test_one_class_alone_has_no_difference() -> None:
    y, score = np.zeros(20), np.arange(20.0)
    with pytest.raises(InvalidInput, match="longer test window"):
        auc_differences(y, score, score, np.arange(20), 10, np.random.default_rng(0))


def test_bootstrap_matches_a_plain_loop_over_groups() -> None:
    """Spread of the difference against resampling written out with scikit-learn."""
    n, rng = 400, np.random.default_rng(5)
    y = (rng.random(n) < 0.3).astype(int)
    group = rng.integers(0, 60, n)
    shift = rng.normal(size=60)[group]  # rows of a group share their luck
    a, b = 1.2 * y + shift + rng.normal(size=n), 0.8 * y + rng.normal(size=n)
    ours = auc_differences(y, a, b, group, 1_500, rng)
    plain = []
    for _ in range(400):
        rows = np.concatenate([np.flatnonzero(group == g) for g in rng.integers(0, 60, 60)])
        plain.append(roc_auc_score(y[rows], a[rows]) - roc_auc_score(y[rows], b[rows]))
    assert ours.mean() == pytest.approx(np.mean(plain), abs=0.005)
    assert ours.std() == pytest.approx(np.std(plain), rel=0.15)
