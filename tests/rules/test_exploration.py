"""What a draw may let pass, how often, and that it is the same every time."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.rules.catalog import RULES
from fraudkit.rules.exploration import SOFT_RULES, Exploration, read_exploration

KEY = "a key of sixteen"
NAMES = [f"txn-{k}" for k in range(20_000)]


def test_the_share_is_kept_and_the_draw_is_the_same_every_time():
    drawn = [Exploration(0.05, 100.0, KEY).lets_pass(name) for name in NAMES]
    assert np.mean(drawn) == pytest.approx(0.05, abs=0.005)
    assert [Exploration(0.05, 100.0, KEY).lets_pass(name) for name in NAMES] == drawn


def test_who_does_not_know_the_key_cannot_tell_the_draw():
    other = Exploration(0.05, 100.0, "another key of mine")
    mine = Exploration(0.05, 100.0, KEY)
    both = np.mean([mine.lets_pass(name) and other.lets_pass(name) for name in NAMES])
    assert both == pytest.approx(0.05**2, abs=0.002)
    assert KEY not in repr(mine)


def test_a_larger_share_lets_the_same_pass_and_more():
    small, large = Exploration(0.02, 100.0, KEY), Exploration(0.1, 100.0, KEY)
    assert all(large.lets_pass(name) for name in NAMES if small.lets_pass(name))


@pytest.mark.parametrize(
    ("amount", "decisive", "may"),
    [
        (100.0, (), True),
        (100.01, (), False),
        (math.nan, (), False),
        (10.0, ("impossible_travel",), True),
        (10.0, ("impossible_travel", "amount_anomaly"), True),
        (10.0, ("high_risk_pattern",), False),
        (10.0, ("impossible_travel", "excessive_velocity"), False),
        (10.0, ("blocked_card",), False),
    ],
)
def test_hard_rules_and_high_amounts_are_never_let_pass(amount, decisive, may):
    assert Exploration(0.05, 100.0, KEY).is_eligible(amount, decisive) is may


def test_soft_rules_are_decisive_rules_of_the_catalog():
    assert {rule.id for rule in RULES if rule.decisive} >= SOFT_RULES


def test_it_is_off_until_it_is_asked_for():
    assert read_exploration({}) is None
    assert read_exploration({"FRAUDKIT_EXPLORE": "0", "FRAUDKIT_EXPLORE_KEY": KEY}) is None
    asked = read_exploration({"FRAUDKIT_EXPLORE": "0.01", "FRAUDKIT_EXPLORE_KEY": KEY})
    assert asked == Exploration(0.01, 100.0, KEY)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"FRAUDKIT_EXPLORE": "much"}, "FRAUDKIT_EXPLORE='much' is not a number"),
        ({"FRAUDKIT_EXPLORE": "0.5"}, r"outside 0\.\.0\.1"),
        ({"FRAUDKIT_EXPLORE": "nan"}, r"outside 0\.\.0\.1"),
        ({"FRAUDKIT_EXPLORE_CAP": "inf"}, "FRAUDKIT_EXPLORE_CAP=inf"),
        ({"FRAUDKIT_EXPLORE_KEY": ""}, "openssl rand"),
    ],
)
def test_a_setting_that_cannot_be_is_told(changes, says):
    whole = {"FRAUDKIT_EXPLORE": "0.01", "FRAUDKIT_EXPLORE_KEY": KEY}
    with pytest.raises(InvalidInput, match=says):
        read_exploration(whole | changes)


def test_the_digest_changes_with_every_part_and_tells_nothing_of_the_key():
    made = [
        Exploration(0.01, 100.0, KEY), Exploration(0.02, 100.0, KEY), Exploration(0.01, 99.0, KEY),
        Exploration(0.01, 100.0, KEY + "!"),
    ]  # fmt: skip
    assert len({exploration.joined("policy") for exploration in made} | {made[0].joined("other"), "policy"}) == 6
