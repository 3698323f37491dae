"""Transactions as columns of codes: what every part of the simulator reads and writes.

Codes become identifiers and categories only at the end (see tables.py), which is what makes a
million rows cheap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

PRESENT, ONLINE_CHANNEL, UNATTENDED = 0, 1, 2  # card at a terminal, customer online, merchant-initiated or by telephone


@dataclass(slots=True)
class Rows:
    """Transactions, one array a column, all of shape (n,).

    Attributes
    ----------
    user, merchant : int32, positions in the users and merchants
    event_ms : int64, milliseconds since the world's start
    amount_usd : float64
    channel : int8, PRESENT, ONLINE_CHANNEL or UNATTENDED
    latitude, longitude : float64, degrees
    country : int16, position in the country list
    device, ip : int32, -1 where none is seen
    campaign : int8, 0 legitimate, otherwise 1 + position in the campaign catalogue
    campaign_id : int32, -1 legitimate
    """

    user: np.ndarray
    event_ms: np.ndarray
    amount_usd: np.ndarray
    merchant: np.ndarray
    channel: np.ndarray
    latitude: np.ndarray
    longitude: np.ndarray
    country: np.ndarray
    device: np.ndarray
    ip: np.ndarray
    campaign: np.ndarray
    campaign_id: np.ndarray

    def __len__(self) -> int:
        return len(self.user)

    def take(self, index: np.ndarray) -> Rows:
        """The rows at `index` (positions or a mask), copied."""
        return Rows(*(getattr(self, field.name)[index] for field in fields(self)))


DTYPES = ("i4", "i8", "f8", "i4", "i1", "f8", "f8", "i2", "i4", "i4", "i1", "i4")


def concat(parts: Sequence[Rows]) -> Rows:
    """All rows of `parts`, one after the other, in the declared dtypes."""
    return Rows(
        *(
            np.concatenate([getattr(part, field.name) for part in parts]).astype(dtype, copy=False)
            for field, dtype in zip(fields(Rows), DTYPES, strict=True)
        )
    )
