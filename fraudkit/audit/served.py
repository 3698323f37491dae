"""Decisions of the archive that a model may learn from.

A decision may where it was made by all parts that bear a score and on this feature schema, so that the vector that
was served is what training would compute, and where its outcome can be seen: it was not declined, or
somebody gave a word on it. Whether a label has matured is asked elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fraudkit.audit.archive import Archive
from fraudkit.core.clock import DAY_S
from fraudkit.core.decision import Action
from fraudkit.core.decision_event import DecisionEvent
from fraudkit.core.money import currencies
from fraudkit.core.transaction import Transaction
from fraudkit.features.catalog import N_FEATURES, schema_hash
from fraudkit.features.online import bare_vectors_of
from fraudkit.features.records import encode
from fraudkit.serve.decide import BEARING
from fraudkit.serve.rescore import transaction_of

COLUMNS = ("transaction_id", "user_id", "event_time", "known_at", "amount_usd")


@dataclass(frozen=True)
class Served:
    """Decisions in order.

    Attributes
    ----------
    table : COLUMNS, one row a decision; it became known when it was decided
    X, bare : float32 (n, 143), as served, and as without any history
    days : between the first and the last decision of the archive
    """

    table: pd.DataFrame
    X: np.ndarray
    bare: np.ndarray
    days: float


def served(archive: Archive, spoken_of: Collection[str]) -> Served:
    """Read the archive.

    Parameters
    ----------
    spoken_of : transactions on which there is feedback

    Raises
    ------
    CorruptArtefact
        As `Archive.events`.
    """
    moments, usable = [], []
    for event in archive.events():
        moments.append(event.decided_at_ms)
        if _may_be_learned_from(event, spoken_of):
            usable.append(event)
    transactions = [transaction_of(event.transaction_json) for event in usable]
    X = np.array([np.frombuffer(event.vector, dtype="<f4") for event in usable], dtype=np.float32)
    bare = bare_vectors_of(encode(transactions)) if usable else X
    days = (max(moments) - min(moments)) / (DAY_S * 1000) if moments else 0.0
    shape = (len(usable), N_FEATURES)
    return Served(_table(usable, transactions), X.reshape(shape), bare.reshape(shape), days)


def _may_be_learned_from(event: DecisionEvent, spoken_of: Collection[str]) -> bool:
    whole = BEARING.isdisjoint(event.degraded.split(",")) and event.schema_hash == schema_hash()
    return whole and (event.action != Action.DECLINE or event.transaction_id in spoken_of)


def _table(events: Sequence[DecisionEvent], transactions: Sequence[Transaction]) -> pd.DataFrame:
    rate = currencies()
    rows = [
        (t.transaction_id, t.user_id, t.event_time_ms, event.decided_at_ms, t.amount * rate.get(t.currency, math.nan))
        for event, t in zip(events, transactions, strict=True)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    for name in ("event_time", "known_at"):
        table[name] = pd.to_datetime(table[name].astype("int64"), unit="ms", utc=True)
    return table
