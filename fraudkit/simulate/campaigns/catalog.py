"""The campaigns of the simulated world, in the order of their codes (1 upwards; 0 is no campaign)."""

from __future__ import annotations

from fraudkit.simulate.campaigns import (
    account_takeover,
    card_testing,
    lost_or_stolen,
    merchant_compromise,
    mule_ring,
    slow_burn,
    stolen_not_present,
)
from fraudkit.simulate.campaigns.campaign import Campaign

CAMPAIGNS: tuple[Campaign, ...] = (
    card_testing.CAMPAIGN,
    stolen_not_present.CAMPAIGN,
    lost_or_stolen.CAMPAIGN,
    account_takeover.CAMPAIGN,
    merchant_compromise.CAMPAIGN,
    mule_ring.CAMPAIGN,
    slow_burn.CAMPAIGN,
)
NO_CAMPAIGN = "none"
CAMPAIGN_NAMES: tuple[str, ...] = (NO_CAMPAIGN, *(campaign.name for campaign in CAMPAIGNS))
