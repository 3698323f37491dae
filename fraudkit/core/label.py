"""The label contract: who said a transaction was fraud, and when that became known.

Labels arrive late and from several sources that may disagree. Every use of a label therefore
names the moment it is asked at: `labels_as_of(labels, t)` never returns what was not known at t.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

# After this many days practically every chargeback of a transaction has arrived, so that
# silence may be read as "legitimate". Younger silence is censored, not negative.
MATURITY_DAYS = 120


class LabelSource(StrEnum):
    """Where a label comes from, in rising order of authority."""

    USER_REPORT = "user_report"
    MANUAL_REVIEW = "manual_review"
    CHARGEBACK = "chargeback"


SOURCE_PRECEDENCE = {source.value: rank for rank, source in enumerate(LabelSource)}

LABEL_COLUMNS: dict[str, str] = {
    "transaction_id": "string",
    "event_time": "datetime64[ms, UTC]",  # of the transaction
    "known_at": "datetime64[ms, UTC]",  # when this label arrived
    "source": "category",  # a LabelSource
    "is_fraud": "bool",
}

# What really happened. Only the simulator knows it; training and gates must not read it.
TRUTH_COLUMNS: dict[str, str] = {
    "transaction_id": "string",
    "is_fraud": "bool",
    "campaign": "category",  # kind of fraud campaign, "none" for legitimate
    "campaign_id": "int32",  # -1 for legitimate
    "declined": "bool",  # by the control in force when the transaction took place
}


def labels_as_of(labels: pd.DataFrame, moment: pd.Timestamp) -> pd.DataFrame:
    """One label a transaction, from what had arrived by `moment`.

    The most authoritative source wins; within a source the latest word does (a reversal).

    Parameters
    ----------
    labels : table with LABEL_COLUMNS, any order
    moment : UTC timestamp

    Returns
    -------
    table with LABEL_COLUMNS, one row a transaction_id
    """
    known = labels[labels["known_at"] <= moment]
    rank = known["source"].astype(str).map(SOURCE_PRECEDENCE)
    order = np.lexsort((known["known_at"].to_numpy(), rank.to_numpy()))
    return known.iloc[order].drop_duplicates("transaction_id", keep="last")
