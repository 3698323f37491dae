"""The contract of every campaign: it happens, as often as declared, is labelled, and moves with the months."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fraudkit.simulate import WORLDS, World
from fraudkit.simulate.behaviour import honest_rows
from fraudkit.simulate.campaigns.campaign import Campaign, Crew, Stage, Wave, build_stage
from fraudkit.simulate.campaigns.catalog import CAMPAIGN_NAMES, CAMPAIGNS, NO_CAMPAIGN
from fraudkit.simulate.campaigns.craft import blend_in
from fraudkit.simulate.people import DAY_MS
from fraudkit.simulate.rows import Rows
from fraudkit.simulate.scene import build_scene

every_campaign = pytest.mark.parametrize("campaign", CAMPAIGNS, ids=lambda campaign: campaign.name)


@pytest.fixture(scope="module")
def stage() -> Stage:
    scene_rng, honest_rng = np.random.default_rng(5).spawn(2)
    scene = build_scene(replace(WORLDS["small"], users=150), scene_rng)
    honest = honest_rows(scene, honest_rng)
    return build_stage(scene, honest)


def one_wave(campaign: Campaign, stage: Stage, start_day: float, n_rows: int = 400) -> Rows:
    gear = stage.scene.gear
    crew = Crew(7, gear.own[:3, 0], gear.vpn[:3], np.flatnonzero(stage.scene.people.opened_ms < 0)[:10])
    return campaign.act(Wave(campaign, crew, stage, start_day, 10.0, n_rows, np.random.default_rng(2)))


def test_seven_kinds_at_least_and_one_that_adapts() -> None:
    assert len(CAMPAIGNS) >= 7
    assert any(campaign.adapts for campaign in CAMPAIGNS)
    assert len(set(CAMPAIGN_NAMES)) == len(CAMPAIGNS) + 1
    assert sum(campaign.share for campaign in CAMPAIGNS) == pytest.approx(1.0)


def test_fraud_is_as_frequent_as_configured(world: World) -> None:
    assert world.truth["is_fraud"].mean() == pytest.approx(world.config.fraud_rate, rel=0.01)
    honest = world.truth[~world.truth["is_fraud"]]
    assert (honest["campaign"] == NO_CAMPAIGN).all()
    assert (honest["campaign_id"] == -1).all()


@every_campaign
def test_share_is_as_declared_in_every_period(world: World, campaign: Campaign) -> None:
    fraud = world.truth[world.truth["is_fraud"]]
    mine = fraud["campaign"] == campaign.name
    assert mine.mean() == pytest.approx(campaign.share, rel=0.02)
    when = world.transactions["known_at"].loc[fraud.index]
    for start, end in (
        (world.config.train_start, world.config.valid_start),
        (world.config.test_start, world.config.end),
    ):
        inside = (when >= pd.Timestamp(start)) & (when < pd.Timestamp(end))
        assert 0.4 * campaign.share < mine[inside].mean() < 2.0 * campaign.share


@every_campaign
def test_it_is_labelled(world: World, campaign: Campaign) -> None:
    mine = world.truth[(world.truth["campaign"] == campaign.name) & ~world.truth["declined"]]
    called_fraud = world.labels.loc[world.labels["is_fraud"], "transaction_id"]
    assert 0.6 < mine["transaction_id"].isin(called_fraud).mean() < 0.99


@every_campaign
def test_it_gives_the_rows_it_was_asked_for_inside_the_world(stage: Stage, campaign: Campaign) -> None:
    for start_day in (0.5, 150.0, stage.scene.config.days - 10.5):
        rows = one_wave(campaign, stage, start_day)
        assert len(rows) == 400
        assert rows.event_ms.min() >= (int(start_day)) * DAY_MS
        assert rows.event_ms.max() < stage.scene.world_ms
        assert (rows.amount_usd > 0).all()
        assert rows.merchant.min() >= 0
        assert (stage.scene.people.opened_ms[rows.user] <= rows.event_ms).all()


@every_campaign
def test_it_drifts(stage: Stage, campaign: Campaign) -> None:
    early, late = (one_wave(campaign, stage, day, 1_500) for day in (1.0, 155.0))
    category = stage.scene.market.category
    mixes = [np.bincount(category[rows.merchant], minlength=30) / len(rows) for rows in (early, late)]
    assert np.abs(mixes[0] - mixes[1]).sum() > 0.15
    assert campaign.drift.amount != 0
    assert campaign.drift.hour != 0


def test_mule_accounts_share_devices_and_addresses(stage: Stage) -> None:
    campaign = next(campaign for campaign in CAMPAIGNS if campaign.name == "mule_ring")
    rows = one_wave(campaign, stage, 60.0)
    assert len(np.unique(rows.device)) <= 6
    assert len(np.unique(rows.user)) > len(np.unique(rows.device))


def test_card_testing_is_small_and_quick(stage: Stage) -> None:
    campaign = next(campaign for campaign in CAMPAIGNS if campaign.name == "card_testing")
    rows = one_wave(campaign, stage, 60.0)
    assert np.median(rows.amount_usd) < 5
    order = np.lexsort((rows.event_ms, rows.user))
    same = np.diff(rows.user[order]) == 0
    assert np.median(np.diff(rows.event_ms[order])[same]) < 15 * 60_000


def test_leaked_cards_had_been_used_at_the_leaking_merchant(stage: Stage) -> None:
    campaign = next(campaign for campaign in CAMPAIGNS if campaign.name == "merchant_compromise")
    rows = one_wave(campaign, stage, 60.0)
    merchants, counts = np.unique(rows.merchant, return_counts=True)
    leak = merchants[counts.argmax()]
    assert counts.max() > 0.15 * len(rows)
    assert set(rows.user) <= set(stage.honest.user[stage.honest.merchant == leak])


def test_slow_burn_stays_low_and_slow(stage: Stage) -> None:
    campaign = next(campaign for campaign in CAMPAIGNS if campaign.name == "slow_burn")
    rows = one_wave(campaign, stage, 30.0)
    assert rows.amount_usd.max() <= 120
    assert rows.event_ms.max() - rows.event_ms.min() > 20 * DAY_MS


def test_stealth_copies_the_victims_own_habits(stage: Stage) -> None:
    campaign = next(campaign for campaign in CAMPAIGNS if campaign.name == "stolen_not_present")
    plain = one_wave(campaign, stage, 60.0)
    hidden = blend_in(stage, one_wave(campaign, stage, 60.0), 1.0, np.random.default_rng(3))
    own = set(zip(stage.honest.user.tolist(), stage.honest.merchant.tolist(), strict=True))
    known = [np.mean([pair in own for pair in zip(rows.user.tolist(), rows.merchant.tolist(), strict=True)])
             for rows in (plain, hidden)]  # fmt: skip
    assert known[1] == 1.0
    assert known[0] < 0.5
