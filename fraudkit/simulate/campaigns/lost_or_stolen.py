"""Lost or stolen card: the plastic is spent in shops near where it was lost, until it is blocked."""

from __future__ import annotations

import numpy as np

from fraudkit.simulate.campaigns import craft
from fraudkit.simulate.campaigns.campaign import Campaign, Drift, Network, Wave
from fraudkit.simulate.rows import Rows


def act(wave: Wave) -> Rows:
    """Shops in the holder's own city, or for a card stolen on a trip in another city of the country."""
    scene = wave.stage.scene
    user = craft.victims(wave)
    home = scene.people.city[user]
    opening = craft.first_of_victim(user)
    elsewhere = (wave.rng.random(int(opening.sum())) < 0.2)[np.cumsum(opening) - 1]
    city = np.where(elsewhere, scene.geography.city_in(scene.geography.country[home], wave.rng), home)
    merchant = craft.shops(wave, city)
    return craft.at_terminal(wave, user, craft.moments(wave, user), merchant, craft.amounts(wave, merchant))


CAMPAIGN = Campaign(
    name="lost_or_stolen",
    summary="a lost or stolen card is spent quickly in shops around its holder's home",
    share=0.14,
    rows_per_victim=3.5,
    gap_h=2.0,
    amount=0.4,
    hour=18.0,
    hour_spread=4.0,
    network=Network(proxy=1.0, carrier=0.0, vpn=0.0, hosting=0.0),
    drift=Drift(
        amount=-0.02,
        hour=0.5,
        categories=(
            ("electronics", "fuel", "groceries", "cash machines"),
            ("clothing", "department stores", "fuel", "cash machines"),
            ("groceries", "jewellery", "general shops", "fuel"),
        ),
    ),
    act=act,
)
