"""IEEE-CIS fraud detection (Kaggle 2019): `train_transaction.csv` with `train_identity.csv` beside it.

Carries: transaction, time, amount in US dollars, label; the device's kind and name where the
identity table has them; a user made of card1, card2, card3, card5 and addr1, the usual stand-in, since the
data set names no user. Numeric columns (C, D, V, dist) are kept as `extra`. Cannot carry: merchant,
place, address. `TransactionDT` counts seconds from an undisclosed origin; 2017-12-01 is assumed, as
most who worked on it do. Labels follow chargebacks and are assumed 120 days late.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from fraudkit.lake.adapters.adapted import AdaptedTable, Draft, as_label, finish
from fraudkit.lake.adapters.reading import read_table, require
from fraudkit.lake.adapters.times import seconds_since

NAME = "ieee-cis"
COLUMNS = ("TransactionID", "isFraud", "TransactionDT", "TransactionAmt", "ProductCD", "card1")
HEADER = frozenset(COLUMNS)
ORIGIN = pd.Timestamp("2017-12-01", tz="UTC")
LABEL_DELAY_DAYS = 120
USER_PARTS = ("card1", "card2", "card3", "card5", "addr1")
_EXTRA = re.compile(r"(?:C|D|V|dist)[0-9]+")


def companion(path: Path) -> Path | None:
    """The identity file that belongs to a transaction file, if it lies beside it."""
    beside = path.with_name(path.name.replace("transaction", "identity"))
    return beside if beside != path and beside.is_file() else None


def adapt_file(path: Path) -> AdaptedTable:
    """Read the transaction file and, where it is there, the identity file."""
    identity = companion(path)
    return adapt(read_table(path), None if identity is None else read_table(identity))


def adapt(table: pd.DataFrame, identity: pd.DataFrame | None = None) -> AdaptedTable:
    """Bring the published tables to the core schema. `identity` is joined by TransactionID."""
    require(table, COLUMNS, "an IEEE-CIS transaction table")
    columns = {
        "transaction_id": table["TransactionID"],
        "user_id": user_ids(table),
        "event_time": seconds_since(table["TransactionDT"], ORIGIN),
        "amount": table["TransactionAmt"],
        "currency": pd.Series("USD", index=table.index),
    }
    notes = [
        "the user is card1, card2, card3, card5 and addr1 together, a stand-in: some people share one",
        f"times are counted from an assumed {ORIGIN:%Y-%m-%d}; labels are assumed {LABEL_DELAY_DAYS} days late",
    ]
    if identity is None:
        notes.append("no identity file lies beside the transactions: devices are absent")
    else:
        columns |= _devices(table, identity)
    extra = table[[name for name in table if _EXTRA.fullmatch(str(name))]].apply(pd.to_numeric, errors="coerce")
    return finish(
        Draft(
            columns=columns,
            is_fraud=as_label(table["isFraud"], "isFraud"),
            label_delay_days=LABEL_DELAY_DAYS,
            extra=extra.astype("float64") if len(extra.columns) else None,
            notes=tuple(notes),
        )
    )


def user_ids(table: pd.DataFrame) -> pd.Series:
    """The stand-in for a user, parts joined by '/', a missing part as '-'."""
    parts = [
        pd.to_numeric(table[name], errors="coerce").round().astype("Int64").astype("string").fillna("-")
        for name in USER_PARTS
        if name in table
    ]
    return parts[0].str.cat(parts[1:], sep="/") if len(parts) > 1 else parts[0]


def _devices(table: pd.DataFrame, identity: pd.DataFrame) -> dict[str, pd.Series]:
    require(identity, ["TransactionID", "DeviceType", "DeviceInfo"], "an IEEE-CIS identity table")
    one = identity.drop_duplicates("TransactionID").set_index("TransactionID")
    kind = table["TransactionID"].map(one["DeviceType"]).astype("string").str.lower()
    return {
        "device_id": table["TransactionID"].map(one["DeviceInfo"]).astype("string"),
        "device_type": kind.where(kind.isin(["mobile", "desktop"])).fillna("unknown"),
    }
