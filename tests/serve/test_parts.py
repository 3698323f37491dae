"""When a part is asked, and when it is left alone. Time is a number that the test moves."""

from __future__ import annotations

import math

import pytest

from fraudkit.serve.parts import (
    ALONE,
    BUDGETS_S,
    DATABASE,
    EXPLANATION,
    FAILURES,
    FEATURE_STORE,
    FIRST_PAUSE_S,
    IP_REPUTATION,
    LONGEST_PAUSE_S,
    NETWORK,
    SECONDARY_STORE,
    TREES,
    Part,
    Parts,
)


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def part(time: Time) -> Part:
    return Part("store", 0.02, time)


def fail(part: Part, times: int = FAILURES) -> None:
    for _ in range(times):
        part.failed()


def test_it_is_asked_until_it_failed_three_times_in_a_row(part: Part):
    fail(part, FAILURES - 1)
    assert (part.available(), part.state) == (True, "failing")
    part.succeeded()
    fail(part, FAILURES - 1)
    assert part.available()
    part.failed()
    assert (part.available(), part.state) == (False, "left alone")


def test_after_each_pause_one_caller_tries_it(part: Part, time: Time):
    fail(part)
    time.now += FIRST_PAUSE_S
    assert [part.available() for _ in range(3)] == [True, False, False]


def test_each_failed_try_doubles_the_pause_up_to_the_longest(part: Part, time: Time):
    fail(part)
    pauses = []
    for _ in range(9):
        before = time.now
        while not part.available():
            time.now += FIRST_PAUSE_S
        pauses.append(time.now - before)
        part.failed()
    assert pauses[:4] == [0.5, 1.0, 2.0, 4.0]
    assert pauses[-1] == LONGEST_PAUSE_S


def test_a_good_answer_ends_it_and_the_next_pause_is_short_again(part: Part, time: Time):
    fail(part, 6)
    time.now += LONGEST_PAUSE_S
    assert part.available()
    part.succeeded()
    assert (part.available(), part.state) == (True, "ok")
    fail(part)
    time.now += FIRST_PAUSE_S
    assert part.available()


def test_one_that_has_not_come_back_is_not_asked_however_long_it_takes(part: Part, time: Time):
    part.overran(0.02)
    time.now += 10 * LONGEST_PAUSE_S
    assert not part.available()
    part.came_back(0.02, 600.0)
    assert (part.available(), part.state) == (True, "failing")


@pytest.mark.parametrize(("took_s", "state"), [(0.019, "ok"), (0.021, "failing")])
def test_a_call_cut_short_by_the_deadline_has_failed_only_where_it_outlasts_the_budget(
    part: Part, took_s: float, state: str
):
    part.overran(0.005)
    assert not part.available()  # it has not come back
    part.came_back(0.005, took_s)
    assert part.state == state


def test_a_part_leaves_those_after_it_their_least():
    part = Part("store", 0.020, least_s=0.005, after_s=0.025)
    assert [part.allowance_s(left_s) for left_s in (math.inf, 0.050, 0.040, 0.028, -1.0)] == pytest.approx(
        [0.020, 0.020, 0.015, 0.005, 0.005]
    )


def test_a_payment_that_did_not_wait_is_answered_by_its_deadline_though_every_part_takes_all_it_may():
    parts = Parts()
    for asked in (
        (DATABASE, IP_REPUTATION, FEATURE_STORE, SECONDARY_STORE, ALONE, EXPLANATION),
        (IP_REPUTATION, FEATURE_STORE, SECONDARY_STORE, TREES, NETWORK, EXPLANATION, DATABASE),
    ):
        now_s = 0.0
        for name in asked:
            now_s += parts[name].allowance_s(parts.deadline_s - now_s)
        assert now_s <= parts.deadline_s + 1e-9


def test_patience_stretches_the_deadline_and_what_it_is_split_into():
    quick, patient = Parts(), Parts(10.0)
    assert patient.deadline_s == 10 * quick.deadline_s
    for part in patient:
        assert part.allowance_s(0.3) == pytest.approx(10 * quick[part.name].allowance_s(0.03))


def test_every_part_has_a_budget_below_the_payment_s():
    assert {part.name for part in Parts()} == set(BUDGETS_S)
    assert all(0 < part.budget_s < 0.05 for part in Parts())
