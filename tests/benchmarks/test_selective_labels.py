"""The experiment on made-up decisions of which everything is known."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.selective_labels import Decided, coverage, draw, figures_of, page, true_values
from fraudkit.rules.exploration import Exploration

SHARE = 0.1


@pytest.fixture
def decided(rng: np.random.Generator) -> Decided:
    n = 6_000
    declined = rng.random(n) < 0.2
    reviewed = ~declined & (rng.random(n) < 0.02)
    fraud = rng.random(n) < np.select([declined, reviewed], [0.25, 0.7], 0.01)
    amount = rng.gamma(2.0, 40.0, n)
    ids = np.array([f"t{k}" for k in range(n)])
    return Decided(ids, np.arange(n) // 5, amount, fraud, declined, reviewed, declined & (amount <= 200.0))


def test_weighted_intervals_hold_the_truth_and_the_naive_ones_do_not(decided, rng):
    draws = [draw(decided, Exploration(SHARE, 200.0, f"key number {k:06d}"), rng, 200) for k in range(20)]
    truth = true_values(decided)
    assert coverage(draws, "precision", truth["precision"]) >= 0.85
    assert coverage(draws, "precision", 0.9) == 0.0
    assert draws[0].passed == pytest.approx(SHARE * decided.eligible.sum(), rel=0.4)
    assert draws[0].diagnosis.out_of_reach == (decided.declined & ~decided.eligible).sum()
    named = {figure.what: figure.value for figure in figures_of(decided, draws, rng)}
    assert named["precision: seen labels only"] > 2 * named["precision: truth"]
    assert named["cost: fraud among them"] > 0
    assert len(page(decided, draws, rng)) == 7
