"""Read a user's table and bring it to the transaction contract.

Columns the file does not name stay absent, so that features which need them can be told apart.
Times without a zone are read as UTC. Nothing is repaired: a value that cannot be read is an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fraudkit.benchmark.settings import Columns
from fraudkit.core.errors import InvalidInput

# our column -> field of Columns, for the columns that may be left out
OPTIONAL = {
    "currency": "currency",
    "merchant_category": "category",
    "country": "country",
    "latitude": "latitude",
    "longitude": "longitude",
    "device_id": "device",
    "ip_address": "ip",
    "card_present": "card_present",
    "online_transaction": "online",
}
NUMBERS = ("latitude", "longitude")
FLAGS = ("card_present", "online_transaction")


@dataclass(frozen=True, slots=True)
class Table:
    """A table under the contract, sorted by (event_time, transaction_id).

    Attributes
    ----------
    transactions : the columns of TRANSACTION_COLUMNS that the table has
    is_fraud : int8 (n,)
    day : int64 (n,), days since 1970 in UTC
    second : int64 (n,), seconds since 1970
    user, merchant : int64 (n,), a code for each card holder and merchant
    extra : float32 (n, k), columns passed through
    """

    transactions: pd.DataFrame
    is_fraud: np.ndarray
    day: np.ndarray
    second: np.ndarray
    user: np.ndarray
    merchant: np.ndarray
    extra: np.ndarray

    @property
    def amount(self) -> np.ndarray:
        """Billed amounts, float64 (n,)."""
        return self.transactions["amount"].to_numpy()


def read_table(path: Path, columns: Columns) -> Table:
    """Read CSV, CSV.gz or Parquet.

    Raises
    ------
    InvalidInput
        The file cannot be read, a named column is missing, or a value has the wrong form.
    """
    return to_table(_read_file(path, _wanted(columns)), columns)


def to_table(raw: pd.DataFrame, columns: Columns) -> Table:
    """Bring a data frame to the contract; columns and raises as `read_table`."""
    missing = [name for name in _wanted(columns) if name not in raw]
    if missing:
        raise InvalidInput(
            f"the table has no column {', '.join(map(repr, missing))}; it has {', '.join(map(str, raw.columns))}"
        )
    if raw.empty:
        raise InvalidInput("the table has no rows; give one with transactions")
    time = _times(raw[columns.time], columns.time)
    ids = raw[columns.transaction] if columns.transaction else pd.Series(np.arange(len(raw)), index=raw.index)
    ids = ids.astype("string")
    if ids.duplicated().any():
        raise InvalidInput(f"column {columns.transaction!r} repeats {ids[ids.duplicated()].iloc[0]!r}; ids are unique")
    out = {
        "transaction_id": ids,
        "user_id": _names(raw[columns.user], columns.user),
        "event_time": time,
        "known_at": time,
        "amount": _numbers(raw[columns.amount], columns.amount),
        "merchant_id": _names(raw[columns.merchant], columns.merchant),
    }
    for ours, field in OPTIONAL.items():
        name = getattr(columns, field)
        if name is not None:
            out[ours] = _optional(ours, raw[name], name)
    order = np.lexsort((np.arange(len(raw)), time.astype("int64").to_numpy()))
    transactions = pd.DataFrame(out).iloc[order].reset_index(drop=True)
    extra = [_numbers(raw[name], name, missing_allowed=True).to_numpy(np.float32)[order] for name in columns.extra]
    second = transactions["event_time"].astype("int64").to_numpy() // 1000
    return Table(
        transactions=transactions,
        is_fraud=_labels(raw[columns.label], columns.label)[order],
        day=second // 86_400,
        second=second,
        user=transactions["user_id"].cat.codes.to_numpy().astype(np.int64),
        merchant=transactions["merchant_id"].cat.codes.to_numpy().astype(np.int64),
        extra=np.column_stack(extra) if extra else np.empty((len(raw), 0), dtype=np.float32),
    )


def _wanted(columns: Columns) -> list[str]:
    fixed = [columns.user, columns.merchant, columns.amount, columns.time, columns.label, *columns.extra]
    named = [columns.transaction, *(getattr(columns, field) for field in OPTIONAL.values())]
    return list(dict.fromkeys([*fixed, *(name for name in named if name is not None)]))


def _read_file(path: Path, wanted: list[str]) -> pd.DataFrame:
    import pyarrow as pa

    if not path.is_file():
        raise InvalidInput(f"table {path} is not a file; give a CSV, CSV.gz or Parquet file")
    if not path.name.endswith((".csv", ".csv.gz", ".parquet")):
        raise InvalidInput(f"table {path.name} is neither .csv, .csv.gz nor .parquet; convert or rename it")
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, usecols=lambda name: name in wanted)
    except (ValueError, OSError, EOFError, pa.ArrowException) as error:
        raise InvalidInput(f"table {path} cannot be read: {str(error).splitlines()[0]}") from error


def _times(column: pd.Series, name: str) -> pd.Series:
    if column.isna().any():
        raise InvalidInput(f"column {name!r} has {int(column.isna().sum())} missing times; remove those rows")
    if pd.api.types.is_numeric_dtype(column):
        raise InvalidInput(f"column {name!r} holds numbers; give times as text (2018-04-01 00:00:31) or timestamps")
    try:
        times = pd.to_datetime(
            column, utc=True, format=None if pd.api.types.is_datetime64_any_dtype(column) else "ISO8601"
        )
    except (ValueError, TypeError) as error:
        raise InvalidInput(
            f"column {name!r} holds a time that cannot be read ({str(error).splitlines()[0]}); "
            "write it as 2018-04-01 00:00:31"
        ) from error
    return times.astype("datetime64[ms, UTC]")


def _names(column: pd.Series, name: str) -> pd.Series:
    if column.isna().any():
        raise InvalidInput(f"column {name!r} has {int(column.isna().sum())} missing values; fill or remove those rows")
    return column.astype("string").astype("category")


def _numbers(column: pd.Series, name: str, missing_allowed: bool = False) -> pd.Series:
    try:
        numbers = pd.to_numeric(column).astype("float64")
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"column {name!r} is not numeric: {str(error).splitlines()[0]}") from error
    values = numbers.to_numpy()
    if np.isinf(values).any() or (not missing_allowed and np.isnan(values).any()):
        raise InvalidInput(f"column {name!r} has missing or infinite values; fill or remove those rows")
    return numbers


def _labels(column: pd.Series, name: str) -> np.ndarray:
    values = _numbers(column, name).to_numpy()
    if not np.isin(values, (0.0, 1.0)).all():
        wrong = values[~np.isin(values, (0.0, 1.0))][0]
        raise InvalidInput(f"column {name!r} holds {wrong:g}; a label is 0 or 1")
    if len(np.unique(values)) < 2:
        raise InvalidInput(f"column {name!r} holds one class only; fraud and legitimate rows are both needed")
    return values.astype(np.int8)


def _optional(ours: str, column: pd.Series, name: str) -> pd.Series:
    if ours in NUMBERS:
        return _numbers(column, name, missing_allowed=True)
    if ours in FLAGS:
        return _numbers(column, name).astype(bool)
    return column.astype("string").astype("category")
