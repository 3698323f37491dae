"""Merchant compromise: one merchant leaks its customers' cards, which are then used at it and elsewhere."""

from __future__ import annotations

import numpy as np

from fraudkit.simulate.campaigns import craft
from fraudkit.simulate.campaigns.campaign import Campaign, Drift, Network, Wave
from fraudkit.simulate.people import DAY_MS
from fraudkit.simulate.rows import Rows, concat

LEAK_DAYS = 45
AT_LEAK = 0.3
COPIED_PLASTIC = 0.25  # of the victims, whose card is copied and used at terminals far away


def act(wave: Wave) -> Rows:
    """Customers of the last LEAK_DAYS are the victims: at the leaking merchant, elsewhere, and by copied plastic."""
    rng, geography = wave.rng, wave.stage.scene.geography
    start_ms = wave.start_day * DAY_MS
    recent = wave.stage.online_between(start_ms - LEAK_DAYS * DAY_MS, start_ms + wave.n_days * DAY_MS)
    leak = _leaking_merchant(wave, recent)
    sold = wave.stage.honest.merchant[recent] == leak
    user = craft.victims(wave, pool=np.unique(wave.stage.honest.user[recent[sold]]))
    event_ms = craft.moments(wave, user)
    merchant = craft.websites(wave, wave.n_rows)
    merchant[rng.random(wave.n_rows) < AT_LEAK] = leak
    rows = craft.online(wave, user, event_ms, merchant, craft.amounts(wave, merchant))
    opening = craft.first_of_victim(user)
    copied = (rng.random(int(opening.sum())) < COPIED_PLASTIC)[np.cumsum(opening) - 1]
    city = rng.choice(len(geography.weight), wave.n_rows, p=geography.weight)
    shop = craft.shops(wave, city)
    plastic = craft.at_terminal(wave, user, event_ms, shop, craft.amounts(wave, shop))
    return concat([rows.take(~copied), plastic.take(copied)])


def _leaking_merchant(wave: Wave, recent: np.ndarray) -> int:
    """An online merchant that recently sold enough to have cards worth stealing, but not one of the giants."""
    counts = np.bincount(wave.stage.honest.merchant[recent], minlength=len(wave.stage.scene.market))
    ranked = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())]
    return int(wave.rng.choice(ranked[len(ranked) // 20 : len(ranked) // 4 + 1]))


CAMPAIGN = Campaign(
    name="merchant_compromise",
    summary="a merchant leaks its customers' cards; they are used elsewhere and, more than usual, at it",
    share=0.13,
    rows_per_victim=1.8,
    gap_h=16.0,
    amount=0.4,
    hour=22.0,
    hour_spread=6.0,
    network=Network(proxy=0.55, carrier=0.15, vpn=0.15, hosting=0.15),
    drift=Drift(
        amount=0.02,
        hour=0.6,
        categories=(
            ("electronics", "general shops", "clothing"),
            ("department stores", "airlines", "general shops"),
            ("clothing", "cinemas", "jewellery"),
        ),
        countries=(("US", "MX"), ("FR", "MA"), ("CN", "VN")),
    ),
    act=act,
)
