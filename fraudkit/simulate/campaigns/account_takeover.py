"""Account takeover: somebody else signs in, from a new device, and spends unlike the owner."""

from __future__ import annotations

from fraudkit.simulate.campaigns import craft
from fraudkit.simulate.campaigns.campaign import Campaign, Drift, Network, Wave
from fraudkit.simulate.rows import Rows


def act(wave: Wave) -> Rows:
    """Transfers and goods in a short session; owners who live online are hit more often."""
    user = craft.victims(wave, weight=wave.stage.scene.people.online)
    merchant = craft.websites(wave, wave.n_rows)
    return craft.online(wave, user, craft.moments(wave, user), merchant, craft.amounts(wave, merchant))


CAMPAIGN = Campaign(
    name="account_takeover",
    summary="a stranger signs in from a new device and moves the money out",
    share=0.14,
    rows_per_victim=2.4,
    gap_h=2.0,
    amount=0.7,
    hour=4.0,
    hour_spread=4.0,
    network=Network(proxy=0.62, carrier=0.2, vpn=0.12, hosting=0.06),
    drift=Drift(
        amount=-0.02,
        hour=-0.7,
        categories=(
            ("money transfer", "electronics"),
            ("quasi cash", "marketplaces", "electronics"),
            ("airlines", "money transfer", "gambling"),
        ),
        countries=(("GB", "NG"), ("PH", "IN"), ("PK", "US")),
    ),
    act=act,
    reused_device=0.2,
)
