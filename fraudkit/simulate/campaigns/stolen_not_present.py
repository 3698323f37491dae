"""Stolen card not present: numbers bought in bulk are spent online on what resells. It learns from declines."""

from __future__ import annotations

from fraudkit.simulate.campaigns import craft
from fraudkit.simulate.campaigns.campaign import Campaign, Drift, Network, Wave
from fraudkit.simulate.rows import Rows


def act(wave: Wave) -> Rows:
    """A few purchases a card within a day."""
    user = craft.victims(wave)
    merchant = craft.websites(wave, wave.n_rows)
    return craft.online(wave, user, craft.moments(wave, user), merchant, craft.amounts(wave, merchant))


CAMPAIGN = Campaign(
    name="stolen_not_present",
    summary="stolen numbers are spent online; crews lower amounts, slow down and move on when declined",
    share=0.24,
    rows_per_victim=2.2,
    gap_h=8.0,
    amount=0.7,
    hour=1.0,
    hour_spread=5.0,
    network=Network(proxy=0.6, carrier=0.12, vpn=0.15, hosting=0.13),
    drift=Drift(
        amount=-0.03,
        hour=1.0,
        categories=(
            ("electronics", "clothing", "marketplaces"),
            ("jewellery", "electronics", "department stores"),
            ("digital games", "airlines", "marketplaces"),
        ),
        countries=(("US", "GB", "RO"), ("BR", "NG", "FR"), ("ID", "PH", "NL")),
    ),
    act=act,
    adapts=True,
)
