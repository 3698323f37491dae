"""Decisions as the service records them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from fraudkit.features.catalog import FEATURE_NAMES
from fraudkit.serve.decisions import Record

NOW_MS = 1_760_000_000_000


@pytest.fixture
def record_of() -> Callable[..., Record]:
    """Makes a record; the first feature holds the milliseconds after NOW_MS."""

    def make(transaction_id: str, action: str, score: float | None, after_ms: int = 0, context_id: int = 1) -> Record:
        vector = np.zeros(len(FEATURE_NAMES), dtype="<f4")
        vector[0] = after_ms
        transaction = b'{"user_id": "user-1"}'
        reply, bits, at = b"{}", vector.tobytes(), NOW_MS + after_ms
        return Record(transaction_id, b"digest", at, action, score, reply, bits, transaction, "", False, context_id)

    return make
