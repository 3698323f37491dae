"""The change of a share that is no accident."""

from __future__ import annotations

import numpy as np
import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.monitor.shift import share_shift


def test_a_large_change_of_few_payments_is_not_certain():
    shift = share_shift(6, 500, 12, 2_000)
    assert shift.change > 0.2
    assert shift.certain == 0.0


def test_the_same_change_of_many_payments_is_certain():
    assert share_shift(600, 50_000, 1_200, 200_000).certain > 0.2


def test_a_fall_counts_like_a_rise():
    rise, fall = share_shift(400, 10_000, 200, 10_000), share_shift(200, 10_000, 400, 10_000)
    assert rise.certain == pytest.approx(fall.certain)
    assert fall.change < 0


def test_an_unchanged_share_is_rarely_beyond_the_threshold():
    rng = np.random.default_rng(0)
    looks = [
        share_shift(int(rng.binomial(3_500, 0.027)), 3_500, int(rng.binomial(14_000, 0.027)), 14_000)
        for _ in range(500)
    ]
    assert sum(abs(shift.change) > 0.2 for shift in looks) > 20
    assert sum(shift.certain > 0.2 for shift in looks) == 0


def test_nothing_flagged_gives_a_number():
    assert share_shift(0, 100, 0, 400).certain == 0.0


@pytest.mark.parametrize("counts", [(1, 0, 1, 10), (11, 10, 1, 10), (-1, 10, 1, 10), (1, 10, 1, 0)])
def test_impossible_counts_are_refused(counts: tuple[int, int, int, int]):
    with pytest.raises(InvalidInput, match="payments"):
        share_shift(*counts)
