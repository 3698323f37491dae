"""When a retraining is asked for, and that one note is left and taken away."""

from __future__ import annotations

import numpy as np
import pytest

from fraudkit.registry.trigger import RetrainingRequest, should_retrain

N = 4_000
FRAUD = np.arange(N) % 40 == 0
USERS = np.arange(N) % 500
POOR = np.random.default_rng(1).random(N)
GOOD = np.where(FRAUD, 0.9, POOR * 0.8)


@pytest.mark.parametrize(
    ("score", "drifted", "last_ms", "asks"),
    [
        (POOR, (), None, True),
        (GOOD, (), None, False),
        (GOOD, tuple("abcdefghij"), None, True),
        (POOR, (), 0, False),
    ],
    ids=["fallen", "good", "drifted", "cooling down"],
)
def test_it_asks_where_performance_fell_or_features_drifted(score, drifted, last_ms, asks):
    rng = np.random.default_rng(0)
    verdict = should_retrain(FRAUD, score, USERS, rng, drifted=drifted, last_retrained_ms=last_ms, now_ms=1)
    assert verdict.asks is asks, verdict


def test_too_few_matured_decisions_ask_for_nothing():
    verdict = should_retrain(FRAUD[:1000], POOR[:1000], USERS[:1000], np.random.default_rng(0))
    assert not verdict.asks and "1000 matured decisions" in verdict.reasons[0]


def test_the_note_lies_until_it_is_answered(tmp_path):
    request = RetrainingRequest(tmp_path / "retraining")
    verdict = should_retrain(FRAUD, POOR, USERS, np.random.default_rng(0))
    assert request.ask(verdict, 5) and not request.ask(verdict, 6)
    assert request.pending()["asked_at_ms"] == 5
    request.answer(7, "v0002", promoted=False)
    assert request.pending() is None and request.last_answered_ms() == 7
