"""Runs every campaign: how many crews and waves, in which order, and what a crew learns from declines."""

from __future__ import annotations

import numpy as np

from fraudkit.simulate.campaigns.campaign import Campaign, Crew, Stage, Tactics, Wave, build_stage
from fraudkit.simulate.campaigns.catalog import CAMPAIGNS
from fraudkit.simulate.campaigns.craft import blend_in
from fraudkit.simulate.control import declined
from fraudkit.simulate.devices import DESKTOP, MOBILE
from fraudkit.simulate.people import DAY_MS
from fraudkit.simulate.rows import Rows, concat
from fraudkit.simulate.scene import Scene

ROWS_PER_WAVE, ROWS_PER_CREW = 20, 120
FEWEST_WAVES = 20  # so that a small world, too, has every campaign in every period
GREED = 3.0  # factor on the amounts of a crew that has not been declined yet
DECLINES_THAT_HURT, DECLINES_THAT_TEMPT = 0.10, 0.03


def fraud_rows(scene: Scene, honest: Rows, rng: np.random.Generator) -> Rows:
    """All fraudulent transactions; their number follows from the configured rate.

    Parameters
    ----------
    honest : legitimate rows, sorted by user and time
    """
    stage = build_stage(scene, honest)
    rate = scene.config.fraud_rate
    total = round(rate / (1 - rate) * len(honest))
    parts = []
    for code, (campaign, stream) in enumerate(zip(CAMPAIGNS, rng.spawn(len(CAMPAIGNS)), strict=True), start=1):
        part = concat(_campaign_waves(campaign, 1_000 * code, stage, round(campaign.share * total), stream))
        part.campaign[:] = code
        parts.append(part)
    return concat(parts)


def _campaign_waves(
    campaign: Campaign, first_id: int, stage: Stage, n_rows: int, rng: np.random.Generator
) -> list[Rows]:
    """The waves of one campaign in time order, `n_rows` rows together."""
    n_waves = int(np.clip(n_rows // ROWS_PER_WAVE, FEWEST_WAVES, 120))
    n_crews = int(np.clip(n_rows // ROWS_PER_CREW, 2, 12))
    crews = [_recruit(campaign, first_id + number, stage, rng) for number in range(n_crews)]
    sizes = _split(n_rows, n_waves, rng)
    n_days = (stage.scene.config.days - 1) / n_waves
    parts = []
    for number, stream in enumerate(rng.spawn(n_waves)):
        if sizes[number] == 0:
            continue
        crew = crews[number % n_crews]
        wave = Wave(campaign, crew, stage, number * n_days + 0.5, n_days, int(sizes[number]), stream)
        rows = campaign.act(wave)
        if campaign.adapts:
            crew.tactics = learn(crew.tactics, float(declined(rows).mean()))
        parts.append(blend_in(stage, rows, min(1.0, stage.scene.config.stealth * campaign.stealth), stream))
    return parts


def learn(tactics: Tactics, declined_share: float) -> Tactics:
    """What a crew does after a wave: retreat when declined too often, grow bolder when hardly ever."""
    if declined_share > DECLINES_THAT_HURT:
        return Tactics(tactics.amount * 0.65, tactics.pace * 1.3, tactics.moves + 1)
    if declined_share < DECLINES_THAT_TEMPT:
        return Tactics(min(1.3, tactics.amount * 1.03), max(0.7, tactics.pace * 0.98), tactics.moves)
    return tactics


def _recruit(campaign: Campaign, campaign_id: int, stage: Stage, rng: np.random.Generator) -> Crew:
    """A crew with its devices, servers and accounts."""
    gear = stage.scene.gear
    open_accounts = stage.eligible(10 * DAY_MS)
    return Crew(
        campaign_id=campaign_id,
        devices=gear.devices.add(rng.choice([MOBILE, DESKTOP], 6)),
        hosting=gear.addresses.add("proxy" if campaign.network.hosting == 0 else "hosting", 6, rng),
        members=rng.choice(open_accounts, min(12, len(open_accounts) // 2), replace=False),
        tactics=Tactics(amount=GREED) if campaign.adapts else Tactics(),
    )


def _split(n_rows: int, n_waves: int, rng: np.random.Generator) -> np.ndarray:
    """Sizes of the waves, int64 (n_waves,), adding up to `n_rows`."""
    weight = rng.gamma(8.0, 1.0, n_waves)
    edges = np.round(np.concatenate([[0], np.cumsum(weight)]) / weight.sum() * n_rows)
    return np.diff(edges).astype(np.int64)
