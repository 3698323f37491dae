"""The incumbent control: the simple amount and velocity rule that is in force while the world runs.

It is blunt on purpose. It declines some fraud (which then never becomes a chargeback), some honest
purchases, and it is what an adapting campaign feels its way around.
"""

from __future__ import annotations

import numpy as np

from fraudkit.simulate.rows import ONLINE_CHANNEL, Rows
from fraudkit.simulate.trips import HOUR_MS

ONLINE_LIMIT_USD = 900.0
ANY_LIMIT_USD = 2_500.0
HOURLY_COUNT_LIMIT = 6


def declined(rows: Rows) -> np.ndarray:
    """Which rows the control declines, bool (n,): too much at once, or too many within an hour.

    A declined attempt counts towards the velocity of the next ones, as it does at an issuer.
    """
    too_much = rows.amount_usd > np.where(rows.channel == ONLINE_CHANNEL, ONLINE_LIMIT_USD, ANY_LIMIT_USD)
    return too_much | (hourly_count(rows.user, rows.event_ms) > HOURLY_COUNT_LIMIT)


def hourly_count(user: np.ndarray, event_ms: np.ndarray) -> np.ndarray:
    """Transactions of the same user in the hour up to and with each row, int64 (n,)."""
    span = int(event_ms.max(initial=0)) + 2 * HOUR_MS
    key = user.astype(np.int64) * span + event_ms + HOUR_MS
    order = np.argsort(key, kind="stable")
    in_order = key[order]
    count = np.empty(len(key), dtype=np.int64)
    count[order] = np.arange(1, len(key) + 1) - np.searchsorted(in_order, in_order - HOUR_MS, side="right")
    return count
