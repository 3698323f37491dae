"""The Fraud-Detection-Handbook's simulated transactions, as CSV or Parquet (its pickles are not opened).

Carries: transaction, user, merchant (the terminal), time, amount, label. The fraud scenario
is left out: it tells the label. Cannot carry: currency, category, place, device; a terminal is not
said to be a shop or a site, so card presence is absent too. The book's own protocol waits 7 days for labels.
"""

from __future__ import annotations

import pandas as pd

from fraudkit.lake.adapters.adapted import AdaptedTable, Draft, as_label, finish
from fraudkit.lake.adapters.reading import require

NAME = "handbook"
COLUMNS = ("TRANSACTION_ID", "TX_DATETIME", "CUSTOMER_ID", "TERMINAL_ID", "TX_AMOUNT", "TX_FRAUD")
HEADER = frozenset(COLUMNS)
LABEL_DELAY_DAYS = 7


def adapt(table: pd.DataFrame) -> AdaptedTable:
    """Bring the simulated table to the core schema.."""
    require(table, COLUMNS, "a Handbook table")
    return finish(
        Draft(
            columns={
                "transaction_id": table["TRANSACTION_ID"],
                "user_id": table["CUSTOMER_ID"],
                "event_time": table["TX_DATETIME"],
                "amount": table["TX_AMOUNT"],
                "merchant_id": table["TERMINAL_ID"],
            },
            is_fraud=as_label(table["TX_FRAUD"], "TX_FRAUD"),
            label_delay_days=LABEL_DELAY_DAYS,
            notes=(f"labels are assumed {LABEL_DELAY_DAYS} days late, as in the book's protocol",),
        )
    )
