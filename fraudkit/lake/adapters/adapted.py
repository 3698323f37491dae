"""The common result of every adapter, and the one place that fills, checks and sorts it.

A column that a source cannot carry gets a placeholder and is named in `absent`, so that whoever
builds features can drop those that would be made of placeholders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from fraudkit.core.errors import InvalidInput
from fraudkit.core.label import LABEL_COLUMNS, LabelSource
from fraudkit.core.transaction import TRANSACTION_COLUMNS, USER_COLUMNS, conform
from fraudkit.lake.quality import UNKNOWN_COUNTRY, QualityReport, inspect
from fraudkit.lake.tables import arrival_order

# What stands in a column that the source does not have. Amounts without a currency are read as US dollars.
PLACEHOLDERS: dict[str, object] = {
    "user_id": "unknown",
    "merchant_id": "unknown",
    "currency": "USD",
    "merchant_category": "0000",
    "country": UNKNOWN_COUNTRY,
    "latitude": np.nan,
    "longitude": np.nan,
    "card_present": False,
    "online_transaction": False,
    "device_id": None,
    "device_type": "unknown",
    "ip_address": None,
    "ip_reputation": np.nan,
}


@dataclass(frozen=True, slots=True)
class AdaptedTable:
    """A source in the core schema.

    Attributes
    ----------
    transactions : TRANSACTION_COLUMNS, sorted by (known_at, transaction_id), index 0..n-1
    labels : LABEL_COLUMNS, one row for each accepted transaction whose label the source gives
    users : USER_COLUMNS, or None where the source says nothing of its card holders
    extra : numeric columns of the source's own, row by row beside `transactions`; None without any
    absent : columns of `transactions` that hold a placeholder
    notes : sentences for people: what was assumed and what was set aside
    report : the arrival checks
    rejected : rows that failed them, as strings, with `reasons`
    """

    transactions: pd.DataFrame
    labels: pd.DataFrame
    users: pd.DataFrame | None
    extra: pd.DataFrame | None
    absent: frozenset[str]
    notes: tuple[str, ...]
    report: QualityReport
    rejected: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Draft:
    """What an adapter found in its source, row by row, before checks.

    `columns` are core columns (event_time and amount at least), `is_fraud` a nullable boolean,
    `label_time` when the label arrived (None: `label_delay_days` after the event, as is a legitimate
    row without one).
    """

    columns: Mapping[str, pd.Series]
    is_fraud: pd.Series
    label_delay_days: float
    label_time: pd.Series | None = None
    users: pd.DataFrame | None = None
    extra: pd.DataFrame | None = None
    notes: tuple[str, ...] = field(default=())


def finish(draft: Draft) -> AdaptedTable:
    """Fill what is absent, run the arrival checks, sort, and build the labels.

    Raises
    ------
    InvalidInput
        The source has no rows, or none passes the checks.
    """
    filled, absent = _fill(draft.columns)
    if filled.empty:
        raise InvalidInput("the table has no rows; give a file with at least one transaction")
    inspection = inspect(filled, absent=absent)
    accepted = inspection.accepted
    if accepted.empty:
        worst = max((check for check in inspection.report.failures if check.quarantines), key=lambda c: c.failed)
        raise InvalidInput(f"none of {len(filled)} rows can be used; most often: {worst.meaning} ({worst.failed} rows)")
    order = arrival_order(
        pa.table({"known_at": pa.array(accepted["known_at"]), "transaction_id": pa.array(accepted["transaction_id"])})
    )
    rows = accepted.index.to_numpy()[order]
    transactions = accepted.loc[rows].reset_index(drop=True)
    extra = None if draft.extra is None else draft.extra.reset_index(drop=True).loc[rows].reset_index(drop=True)
    return AdaptedTable(
        transactions=transactions,
        labels=_labels(draft, transactions, rows),
        users=None if draft.users is None else conform(draft.users, USER_COLUMNS),
        extra=extra,
        absent=absent,
        notes=(*draft.notes, *_set_aside(inspection.report)),
        report=inspection.report,
        rejected=inspection.quarantined,
    )


def users_of(user_id: pd.Series, **columns: pd.Series) -> pd.DataFrame:
    """USER_COLUMNS with one row a user, from per-transaction columns (the user's first row speaks).

    What is not given is missing.
    """
    rows = pd.DataFrame({"user_id": user_id.astype("string"), **columns})
    users = rows[rows["user_id"].notna()].drop_duplicates("user_id").sort_values("user_id").reset_index(drop=True)
    for name, dtype in USER_COLUMNS.items():
        if name not in users:
            empty = np.nan if dtype == "float64" else pd.NaT if dtype.startswith("datetime") else None
            users[name] = pd.Series(empty, index=users.index, dtype=dtype)
    return conform(users, USER_COLUMNS)


def row_ids(length: int) -> pd.Series:
    """Transaction ids for a source without any: the row's number in the file."""
    return pd.Series(np.arange(length)).astype("string").str.zfill(9).radd("row-")


def as_label(values: pd.Series, column: str) -> pd.Series:
    """Fraud labels as nullable booleans from 0/1, true/false or yes/no; missing stays missing.

    Raises
    ------
    InvalidInput
        Another value; the message names it.
    """
    text = values.astype("string").str.strip().str.lower()
    words = {"1": True, "1.0": True, "true": True, "yes": True, "0": False, "0.0": False, "false": False, "no": False}
    found = text.map(words).astype("boolean")
    strange = text[found.isna() & text.notna() & (text != "")]
    if len(strange):
        raise InvalidInput(
            f"label column {column!r} holds {str(strange.iloc[0])[:40]!r} in {len(strange)} rows; use 0 and 1"
        )
    return found


def _fill(columns: Mapping[str, pd.Series]) -> tuple[pd.DataFrame, frozenset[str]]:
    given = {name: values.reset_index(drop=True) for name, values in columns.items()}
    length = len(given["amount"])
    given.setdefault("transaction_id", row_ids(length))
    given.setdefault("known_at", given["event_time"])
    absent = frozenset(PLACEHOLDERS) - frozenset(given)
    out = {
        name: given[name] if name in given else pd.Series(PLACEHOLDERS[name], index=range(length))
        for name in TRANSACTION_COLUMNS
    }
    return pd.DataFrame(out, index=range(length)), absent


def _labels(draft: Draft, transactions: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    """Labels of accepted rows; a label never arrives before its transaction did."""
    is_fraud = draft.is_fraud.reset_index(drop=True).loc[rows].reset_index(drop=True)
    assumed = transactions["event_time"] + pd.Timedelta(days=draft.label_delay_days)
    arrival = assumed
    if draft.label_time is not None:
        told = draft.label_time.reset_index(drop=True).loc[rows].reset_index(drop=True)
        arrival = told.where(told.notna() | is_fraud.fillna(True), assumed)  # few date a chargeback that never came
    given = (is_fraud.notna() & arrival.notna()).to_numpy(dtype=bool)
    known_at = arrival.where(arrival >= transactions["known_at"], transactions["known_at"])
    labels = pd.DataFrame(
        {
            "transaction_id": transactions["transaction_id"],
            "event_time": transactions["event_time"],
            "known_at": known_at,
            "source": LabelSource.CHARGEBACK.value,
            "is_fraud": is_fraud.fillna(False),
        }
    )
    return conform(labels[given].reset_index(drop=True), LABEL_COLUMNS)


def _set_aside(report: QualityReport) -> tuple[str, ...]:
    if not report.quarantined:
        return ()
    why = ", ".join(f"{check.failed} {check.check}" for check in report.failures if check.quarantines)
    return (f"{report.quarantined} of {report.rows} rows were set aside: {why}",)
