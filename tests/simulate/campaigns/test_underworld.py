"""The crew that adapts: it retreats from declines, and its later waves show it."""

from __future__ import annotations

import numpy as np
import pytest

from fraudkit.simulate import World
from fraudkit.simulate.campaigns.campaign import Tactics
from fraudkit.simulate.campaigns.catalog import CAMPAIGNS
from fraudkit.simulate.campaigns.underworld import DECLINES_THAT_HURT, DECLINES_THAT_TEMPT, learn


def test_a_crew_that_is_declined_lowers_amounts_slows_down_and_moves_on() -> None:
    before = Tactics(amount=1.0, pace=1.0, moves=0)
    after = learn(before, DECLINES_THAT_HURT + 0.01)
    assert after.amount < before.amount
    assert after.pace > before.pace
    assert after.moves == before.moves + 1


def test_a_crew_that_gets_through_grows_bolder_within_bounds() -> None:
    tactics = Tactics()
    for _ in range(200):
        tactics = learn(tactics, DECLINES_THAT_TEMPT / 2)
    assert 1.0 < tactics.amount <= 1.3
    assert 0.7 <= tactics.pace < 1.0
    assert tactics.moves == 0


def test_between_the_two_nothing_changes() -> None:
    tactics = Tactics(0.9, 1.2, 3)
    assert learn(tactics, (DECLINES_THAT_HURT + DECLINES_THAT_TEMPT) / 2) == tactics


def test_the_adapting_campaign_is_declined_less_as_it_learns(world: World) -> None:
    name = next(campaign.name for campaign in CAMPAIGNS if campaign.adapts)
    mine = (world.truth["campaign"] == name).to_numpy()
    day = ((world.transactions["event_time"] - world.transactions["event_time"].min()).dt.days).to_numpy()[mine]
    declined = world.truth["declined"].to_numpy()[mine]
    early, late = declined[day < 60].mean(), declined[day >= 100].mean()
    assert early > 0.05
    assert late < 0.6 * early


@pytest.mark.parametrize("campaign", [campaign for campaign in CAMPAIGNS if not campaign.adapts], ids=lambda c: c.name)
def test_the_others_keep_several_crews_apart(world: World, campaign) -> None:  # type: ignore[no-untyped-def]
    crews = world.truth.loc[world.truth["campaign"] == campaign.name, "campaign_id"]
    assert crews.nunique() >= 2
    assert np.unique(crews // 1_000).size == 1
