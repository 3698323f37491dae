"""When a part is asked, and when it is left alone. Time is a number that the test moves."""

from __future__ import annotations

import pytest

from fraudkit.serve.parts import BUDGETS_S, FAILURES, FIRST_PAUSE_S, LONGEST_PAUSE_S, Part, Parts


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
    part.overran()
    time.now += 10 * LONGEST_PAUSE_S
    assert not part.available()
    part.came_back()
    assert part.available()


def test_every_part_has_a_budget_below_the_payment_s():
    assert {part.name for part in Parts()} == set(BUDGETS_S)
    assert all(0 < part.budget_s < 0.05 for part in Parts())
