"""When served scores make a retraining due."""

from __future__ import annotations

import numpy as np
import pytest

from fraudkit.registry.trigger import Trigger, due_by_decisions

N = 4_000
FRAUD = np.arange(N) % 40 == 0
USERS = np.arange(N) % 500
POOR = np.random.default_rng(1).random(N)
GOOD = np.where(FRAUD, 0.9, POOR * 0.8)


def due(score: np.ndarray, rows: int = N, **given: float) -> Trigger:
    return due_by_decisions(FRAUD[:rows], score[:rows], USERS[:rows], np.random.default_rng(0), **given)


def test_scores_that_no_longer_separate_make_it_due():
    trigger = due(POOR)
    assert trigger.wanted
    assert "online AUC at most" in trigger.reasons[0]
    assert not due(GOOD).wanted


def test_few_frauds_say_nothing():
    assert not due(POOR, rows=40 * 29).wanted
    assert not due(POOR, rows=0).wanted


@pytest.mark.parametrize(("days", "wanted"), [(6.9, False), (7.0, True)])
def test_after_a_retraining_its_effect_is_waited_for(days, wanted):
    trigger = due(POOR, retrained_days_ago=days)
    assert trigger.wanted is wanted
    assert trigger.reasons
    assert bool(trigger.against) is not wanted
