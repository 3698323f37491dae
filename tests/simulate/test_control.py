"""The control in force: limits on amounts, and on how many in an hour."""

from __future__ import annotations

import numpy as np

from fraudkit.simulate import World
from fraudkit.simulate.control import ANY_LIMIT_USD, HOURLY_COUNT_LIMIT, ONLINE_LIMIT_USD, declined, hourly_count
from fraudkit.simulate.rows import ONLINE_CHANNEL, PRESENT, Rows
from fraudkit.simulate.trips import HOUR_MS


def rows(user: list[int], event_ms: list[int], amount: list[float], channel: int) -> Rows:
    n = len(user)
    blank = np.zeros(n)
    return Rows(
        np.array(user), np.array(event_ms, dtype=np.int64), np.array(amount), blank, np.full(n, channel),
        blank, blank, blank, blank, blank, blank, blank,
    )  # fmt: skip


def test_hourly_count_looks_back_one_hour_for_the_same_user() -> None:
    user = np.array([1, 0, 1, 1, 1])
    event_ms = np.array([HOUR_MS, 0, 0, 2 * HOUR_MS - 1, 5 * HOUR_MS])
    assert hourly_count(user, event_ms).tolist() == [1, 1, 1, 2, 1]


def test_hourly_count_agrees_with_counting_by_hand(rng: np.random.Generator) -> None:
    user, event_ms = rng.integers(0, 5, 300), np.sort(rng.integers(0, 20 * HOUR_MS, 300))
    by_hand = [
        int(((user == who) & (event_ms > moment - HOUR_MS) & (event_ms <= moment)).sum())
        for who, moment in zip(user, event_ms, strict=True)
    ]
    assert hourly_count(user, event_ms).tolist() == by_hand


def test_amount_limits_differ_online_and_at_a_terminal() -> None:
    between = (ONLINE_LIMIT_USD + ANY_LIMIT_USD) / 2
    amounts = [ONLINE_LIMIT_USD, between, ANY_LIMIT_USD + 1]
    assert declined(rows([0, 1, 2], [0, 0, 0], amounts, ONLINE_CHANNEL)).tolist() == [False, True, True]
    assert declined(rows([0, 1, 2], [0, 0, 0], amounts, PRESENT)).tolist() == [False, False, True]


def test_the_one_too_many_in_an_hour_is_declined() -> None:
    n = HOURLY_COUNT_LIMIT + 1
    verdict = declined(rows([3] * n, [minute * 60_000 for minute in range(n)], [5.0] * n, PRESENT))
    assert verdict.tolist() == [False] * HOURLY_COUNT_LIMIT + [True]


def test_few_honest_purchases_are_declined(world: World) -> None:
    declined_honest = world.truth.loc[~world.truth["is_fraud"], "declined"].mean()
    assert 0.0005 < declined_honest < 0.006
