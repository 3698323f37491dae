"""World configurations: the calendar adds up, and nonsense is refused with a remedy."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.simulate import WORLDS, WorldConfig


def test_periods_follow_each_other() -> None:
    config = WorldConfig("own", users=50, warmup_days=3, train_days=5, valid_days=7, label_delay_days=11, test_days=13)
    edges = [config.start, config.train_start, config.valid_start, config.valid_end, config.test_start, config.end]
    lengths = [(after - before) // timedelta(days=1) for before, after in pairwise(edges)]
    assert lengths == [3, 5, 7, 11, 13]
    assert config.days == 39


@pytest.mark.parametrize(
    ("field", "value"),
    [("users", 3), ("stealth", 1.5), ("fraud_rate", 0.0), ("test_days", 0), ("txn_per_user_day", float("nan"))],
)
def test_a_value_out_of_range_is_named(field: str, value: float) -> None:
    with pytest.raises(InvalidInput, match=field):
        replace(WORLDS["small"], **{field: value})


def test_a_start_without_zone_is_refused() -> None:
    with pytest.raises(InvalidInput, match="time zone"):
        replace(WORLDS["small"], start=datetime(2025, 1, 1))
