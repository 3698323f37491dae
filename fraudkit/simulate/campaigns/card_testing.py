"""Card testing: tiny online payments find out which stolen numbers work, then sometimes one that pays."""

from __future__ import annotations

import numpy as np

from fraudkit.simulate.campaigns import craft
from fraudkit.simulate.campaigns.campaign import Campaign, Drift, Network, Wave
from fraudkit.simulate.rows import Rows

CASH_OUT_CHANCE = 0.4
TEST_LOG_USD = 0.3  # of the first month; drift raises it


def act(wave: Wave) -> Rows:
    """A handful of tests a card, all at the wave's few merchants; the last row may cash out."""
    user = craft.victims(wave)
    event_ms = craft.moments(wave, user)
    targets = craft.websites(wave, 4)
    merchant = wave.rng.choice(targets, wave.n_rows)
    amount = np.exp(TEST_LOG_USD + wave.amount + 0.7 * wave.rng.standard_normal(wave.n_rows))
    last = np.concatenate([user[1:] != user[:-1], [True]])
    cash_out = last & (wave.rng.random(wave.n_rows) < CASH_OUT_CHANCE)
    amount[cash_out] = wave.rng.lognormal(4.6, 0.8, int(cash_out.sum()))
    return craft.online(wave, user, event_ms, merchant, amount)


CAMPAIGN = Campaign(
    name="card_testing",
    summary="many tiny payments at a few merchants show which stolen numbers work",
    share=0.14,
    rows_per_victim=6.0,
    gap_h=0.15,
    amount=0.0,
    hour=3.0,
    hour_spread=5.0,
    network=Network(proxy=0.45, carrier=0.1, vpn=0.2, hosting=0.25),
    drift=Drift(
        amount=0.12,
        hour=0.8,
        categories=(("digital media", "software"), ("digital games", "digital media"), ("general shops", "fast food")),
        countries=(("RO", "UA", "NL"), ("VN", "ID", "US"), ("NG", "BR", "DE")),
    ),
    act=act,
    reused_device=0.6,
    stealth=0.4,
)
