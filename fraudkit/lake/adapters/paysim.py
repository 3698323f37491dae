"""PaySim, simulated mobile-money transfers: 30 days in hourly steps.

Carries: user (the payer), merchant (the payee, another customer or a merchant), time to the hour,
amount, label; balances before and after as `extra`. Cannot carry: currency, category, place, device. A step is one hour
and its rows keep the file's order by being spread evenly over the hour. The kind of transfer is kept
as numbers 0..4 in the order CASH_IN, CASH_OUT, DEBIT, PAYMENT, TRANSFER.
"""

from __future__ import annotations

import pandas as pd

from fraudkit.core.clock import HOUR_S
from fraudkit.lake.adapters.adapted import AdaptedTable, Draft, as_label, finish
from fraudkit.lake.adapters.reading import require
from fraudkit.lake.adapters.times import seconds_since

NAME = "paysim"
BALANCES = ("oldbalanceOrg", "newbalanceOrig", "oldbalanceDest", "newbalanceDest")
COLUMNS = ("step", "type", "amount", "nameOrig", "nameDest", "isFraud", *BALANCES)
HEADER = frozenset(COLUMNS)
KINDS = ("CASH_IN", "CASH_OUT", "DEBIT", "PAYMENT", "TRANSFER")
ORIGIN = pd.Timestamp("2025-01-01", tz="UTC")
LABEL_DELAY_DAYS = 7


def adapt(table: pd.DataFrame) -> AdaptedTable:
    """Bring the published table to the core schema."""
    require(table, COLUMNS, "a PaySim table")
    kind = table["type"].astype("string").map({name: number for number, name in enumerate(KINDS)})
    extra = table[list(BALANCES)].apply(pd.to_numeric, errors="coerce").assign(kind=kind).astype("float64")
    return finish(
        Draft(
            columns={
                "user_id": table["nameOrig"],
                "event_time": _times(table["step"]),
                "amount": table["amount"],
                "merchant_id": table["nameDest"],
            },
            is_fraud=as_label(table["isFraud"], "isFraud"),
            label_delay_days=LABEL_DELAY_DAYS,
            extra=extra,
            notes=(
                "nearly every payer appears once: histories of users say little here, those of payees more",
                f"step 1 is assumed to start on {ORIGIN:%Y-%m-%d}; labels are assumed {LABEL_DELAY_DAYS} days late",
            ),
        )
    )


def _times(step: pd.Series) -> pd.Series:
    """Moments inside each row's hour, in the order of the file."""
    hour = pd.to_numeric(step, errors="coerce")
    place = hour.groupby(hour).cumcount() / hour.groupby(hour).transform("size")
    return seconds_since((hour - 1 + place) * HOUR_S, ORIGIN)
