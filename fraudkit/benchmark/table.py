"""The benchmark's table: any source the lake's adapters read, sorted by arrival, with one label a row.

Columns the source does not carry stay absent, so that features which need them can be told apart.
Rows that fail the adapters' arrival checks, and rows without a label, are left out and told in `notes`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from fraudkit.core.clock import DAY_S
from fraudkit.core.errors import InvalidInput
from fraudkit.lake.adapters import AdaptedTable, ColumnMapping, from_columns, load
from fraudkit.lake.adapters import read_table as read_raw


@dataclass(frozen=True, slots=True)
class Table:
    """Labelled transactions under the contract, sorted by (known_at, transaction_id).

    Attributes
    ----------
    transactions : the columns of TRANSACTION_COLUMNS that the source carries
    users : USER_COLUMNS that hold something, or None where the source says nothing of its card holders
    is_fraud : int8 (n,)
    day, second : int64 (n,), days and seconds since 1970 in UTC, of known_at
    user, merchant : int64 (n,), a code for each card holder and merchant. Without card holders every
        transaction stands for its own card; without merchants all codes are 0
    extra : float32 (n, len(extra_names)), the source's own numeric columns
    fraud_lag_days : float64 (frauds,), from known_at to the label, where the source dates its labels; else None
    set_aside : rows that were read and left out
    notes : sentences for people: what was assumed, what was set aside
    """

    transactions: pd.DataFrame
    users: pd.DataFrame | None
    is_fraud: np.ndarray
    day: np.ndarray
    second: np.ndarray
    user: np.ndarray
    merchant: np.ndarray
    extra: np.ndarray
    extra_names: tuple[str, ...]
    fraud_lag_days: np.ndarray | None
    set_aside: int
    notes: tuple[str, ...]

    @property
    def amount(self) -> np.ndarray:
        """Billed amounts, float64 (n,)."""
        return self.transactions["amount"].to_numpy()

    @property
    def carries(self) -> frozenset[str]:
        """What features may need of a table: its columns, those of its users, and "labels"."""
        of_users = () if self.users is None else self.users.columns
        return frozenset({*self.transactions.columns, *of_users, "labels"})

    def digest(self) -> str:
        """SHA-256 of everything that features are made of."""
        found = hashlib.sha256()
        for frame in (self.transactions, self.users):
            if frame is not None:
                found.update(_arrow_bytes(frame))
        found.update(self.is_fraud.tobytes() + "\0".join(self.extra_names).encode())
        found.update(np.ascontiguousarray(self.extra).data)
        return found.hexdigest()


def read_table(path: Path, columns: ColumnMapping | None) -> Table:
    """Read CSV, CSV.gz or Parquet by named columns, or as the public data set whose header it has.

    Raises
    ------
    InvalidInput
        The file cannot be read or is of no known data set, a named column is missing or of the wrong
        kind, a label is neither 0 nor 1, no row can be used, or one class is missing.
    """
    if columns is None:
        return to_table(load(path))
    return to_table(from_columns(read_raw(path, columns.text), columns), "label_time" in columns.columns)


def to_table(adapted: AdaptedTable, labels_are_dated: bool = False) -> Table:
    """Keep what has a label, and code card holders and merchants; raises as `read_table`."""
    rows = adapted.transactions
    labelled = _labelled(adapted)
    notes = list(adapted.notes)
    if not labelled.all():
        notes.append(f"{(~labelled).sum()} of {len(rows)} rows have no label and were left out")
        rows = rows[labelled].reset_index(drop=True)
    is_fraud = adapted.labels["is_fraud"].to_numpy().astype(np.int8)
    if len(np.unique(is_fraud)) < 2:
        raise InvalidInput(f"all {len(is_fraud)} labels are of one class; fraud and legitimate rows are both needed")
    second = rows["known_at"].astype("int64").to_numpy() // 1000
    user, merchant = _codes(rows["user_id"]), _codes(rows["merchant_id"])
    if "user_id" in adapted.absent:
        user = np.arange(len(rows))
        notes.append("no column names the card holder: every transaction stands for a card of its own")
    lag = (adapted.labels["known_at"] - rows["known_at"])[is_fraud == 1].dt.total_seconds().to_numpy() / DAY_S
    names = () if adapted.extra is None else tuple(map(str, adapted.extra.columns))
    return Table(
        transactions=rows.drop(columns=[*adapted.absent]),
        users=_users(adapted),
        is_fraud=is_fraud,
        day=second // DAY_S,
        second=second,
        user=user,
        merchant=merchant,
        extra=_extra(adapted, labelled),
        extra_names=names,
        fraud_lag_days=lag if labels_are_dated else None,
        set_aside=adapted.report.rows - len(rows),
        notes=tuple(notes),
    )


def _labelled(adapted: AdaptedTable) -> np.ndarray:
    """Which transactions have a label, bool (n,). Labels come in the transactions' order."""
    ids, known = (pa.array(frame["transaction_id"]) for frame in (adapted.transactions, adapted.labels))
    return pc.is_in(ids, value_set=known).to_numpy(zero_copy_only=False)


def _codes(column: pd.Series) -> np.ndarray:
    return column.cat.remove_unused_categories().cat.codes.to_numpy().astype(np.int64)


def _users(adapted: AdaptedTable) -> pd.DataFrame | None:
    """Users with the columns that hold something; a placeholder would count as knowledge."""
    return None if adapted.users is None else adapted.users.dropna(axis="columns", how="all")


def _extra(adapted: AdaptedTable, labelled: np.ndarray) -> np.ndarray:
    if adapted.extra is None:
        return np.empty((int(labelled.sum()), 0), dtype=np.float32)
    with np.errstate(over="ignore"):
        values = adapted.extra.to_numpy(dtype=np.float32)[labelled]
    endless = np.isinf(values).any(axis=0)
    if endless.any():
        name = adapted.extra.columns[int(np.argmax(endless))]
        raise InvalidInput(f"extra column {name!r} has infinite or too large values; cap them or leave it out")
    return values


def _arrow_bytes(frame: pd.DataFrame) -> pa.Buffer:
    content = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, content.schema) as writer:
        writer.write_table(content)
    return sink.getvalue()
