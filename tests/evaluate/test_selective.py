"""Weighted estimates hold the truth where the log alone does not, and say what they cannot speak of."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.evaluate.selective import Estimates, Logged, naive_estimates, weighted_estimates

N, SHARE = 20_000, 0.2
MEASURES = [field.name for field in fields(Estimates)]


def world(rng: np.random.Generator) -> tuple[Logged, dict[str, float]]:
    """Declines of which three in ten are fraud, seen for one in five; and the truth."""
    flagged = rng.random(N) < 0.1
    fraud = rng.random(N) < np.where(flagged, 0.3, 0.01)
    amount = rng.gamma(2.0, 50.0, N)
    chance = np.where(flagged, SHARE, 1.0)
    log = Logged(fraud, rng.random(N) < chance, chance, flagged, amount, np.arange(N) // 4)
    usd = amount * fraud
    truth = {
        "base_rate": fraud.mean(), "precision": fraud[flagged].mean(), "recall": flagged[fraud].mean(),
        "stopped_share": usd[flagged].sum() / usd.sum(), "missed_usd": usd[~flagged].sum() / N,
    }  # fmt: skip
    return log, {name: float(value) for name, value in truth.items()}


def test_intervals_hold_the_truth_as_often_as_they_say():
    held = dict.fromkeys(MEASURES, 0)
    rounds = 100
    for seed in range(rounds):
        rng = np.random.default_rng(seed)
        log, truth = world(rng)
        estimates, _ = weighted_estimates(log, rng, resamples=200)
        for name in MEASURES:
            interval = getattr(estimates, name)
            held[name] += interval.low <= truth[name] <= interval.high
    assert min(held.values()) >= 0.88 * rounds, held


def test_what_was_seen_alone_is_off(rng):
    log, truth = world(rng)
    seen = naive_estimates(log, rng, silence_is_legitimate=False)
    silent = naive_estimates(log, rng, silence_is_legitimate=True)
    for naive, name in ((seen, "base_rate"), (seen, "recall"), (silent, "precision"), (silent, "recall")):
        assert getattr(naive, name).high < truth[name]


def test_labels_that_nobody_could_see_do_not_count(rng):
    log, _ = world(rng)
    hidden = replace(log, y_true=log.y_true | ~log.seen)
    assert weighted_estimates(hidden, np.random.default_rng(1)) == weighted_estimates(log, np.random.default_rng(1))


def test_clipping_trades_weight_for_bias_and_says_so(rng):
    log, truth = world(rng)
    _, whole = weighted_estimates(log, rng)
    clipped, cut = weighted_estimates(log, rng, largest_weight=2.0)
    assert (whole.largest_weight, whole.clipped) == (pytest.approx(5.0), 0)
    assert cut.clipped == int((log.seen & log.flagged).sum())
    assert cut.effective > whole.effective
    assert clipped.recall.estimate < truth["recall"] - 0.05


def test_equal_weights_are_worth_as_many_labels_as_there_are(rng):
    log, _ = world(rng)
    _, found = weighted_estimates(log, rng)
    assert found.effective_flagged == pytest.approx((log.seen & log.flagged).sum())
    assert found.effective < found.seen


def test_what_is_out_of_reach_is_counted_and_left_out(rng):
    log, _ = world(rng)
    hard = log.flagged & (np.arange(N) % 2 == 0)
    log = replace(log, probability=np.where(hard, 0.0, log.probability), seen=log.seen & ~hard)
    estimates, found = weighted_estimates(log, rng)
    assert (found.out_of_reach, found.out_of_reach_usd) == (hard.sum(), pytest.approx(log.amount_usd[hard].sum()))
    reachable = log.y_true[~hard]
    assert estimates.base_rate.low <= reachable.mean() <= estimates.base_rate.high


def test_where_nothing_flagged_was_seen_precision_is_unknown(rng):
    log, _ = world(rng)
    estimates, found = weighted_estimates(replace(log, seen=log.seen & ~log.flagged), rng)
    assert estimates.precision is None
    assert found.effective_flagged == 0.0


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"probability": np.full(N, 1.2)}, r"outside 0\.\.1"),
        ({"probability": np.zeros(N)}, "not logged as it was taken"),
        ({"amount_usd": np.ones(3)}, "differ in length"),
    ],
)
def test_a_log_that_cannot_be_is_refused(rng, changes, says):
    log, _ = world(rng)
    with pytest.raises(InvalidInput, match=says):
        replace(log, **changes)


def test_estimates_need_labels_and_a_sensible_limit(rng):
    log, _ = world(rng)
    with pytest.raises(InvalidInput, match="no label is seen"):
        weighted_estimates(replace(log, seen=np.zeros(N, dtype=bool)), rng)
    with pytest.raises(InvalidInput, match="largest_weight"):
        weighted_estimates(log, rng, largest_weight=0.5)
