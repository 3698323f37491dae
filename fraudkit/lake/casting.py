"""Casting an incoming table to the transaction contract row by row: what cannot be read becomes missing.

A whole-column cast fails on the first bad value; here the good rows survive and the bad ones are known.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fraudkit.core.transaction import TRANSACTION_COLUMNS

_TRUTH_WORDS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


@dataclass(frozen=True, slots=True)
class Cast:
    """`table` holds the contract's columns (booleans as nullable), index 0..n-1.

    `uncastable` marks, for each column, the rows whose value was there but could not be read;
    `missing` names the columns that the incoming table does not have.
    """

    table: pd.DataFrame
    uncastable: dict[str, np.ndarray]
    missing: tuple[str, ...]


def cast_rows(incoming: pd.DataFrame) -> Cast:
    """Cast `incoming` column by column; never raises for a value."""
    incoming = incoming.reset_index(drop=True)
    out: dict[str, pd.Series] = {}
    uncastable = {}
    for name, dtype in TRANSACTION_COLUMNS.items():
        raw = incoming[name] if name in incoming else pd.Series(None, index=incoming.index, dtype=object)
        out[name] = cast_column(raw, dtype)
        lost = (out[name].isna() & raw.notna()).to_numpy(dtype=bool, copy=True)
        lost[lost] = raw[lost].map(_says_something).to_numpy(dtype=bool)
        uncastable[name] = lost
    missing = tuple(name for name in TRANSACTION_COLUMNS if name not in incoming)
    return Cast(pd.DataFrame(out, index=incoming.index), uncastable, missing)


def cast_column(raw: pd.Series, dtype: str) -> pd.Series:
    """One column as `dtype` of the contract; unreadable values become missing."""
    if dtype in ("string", "category"):
        return _to_text(raw)
    if dtype == "float64":
        return _to_number(raw)
    if dtype == "bool":
        return _to_truth(raw)
    return _to_moment(raw)


def _says_something(value: object) -> bool:
    """Whether a value that could not be read was more than an empty text."""
    return not isinstance(value, str) or bool(value.strip())


def _to_text(raw: pd.Series) -> pd.Series:
    if pd.api.types.is_float_dtype(raw.dtype) and bool((raw.dropna() % 1 == 0).all()):
        raw = raw.astype("Int64")  # ids that a missing value turned into 596.0
    text = raw.astype("string").str.strip()
    return text.mask((text == "").fillna(False))


def _to_number(raw: pd.Series) -> pd.Series:
    if raw.dtype == bool or pd.api.types.is_datetime64_any_dtype(raw.dtype):
        return pd.Series(np.nan, index=raw.index)
    if not pd.api.types.is_numeric_dtype(raw.dtype):
        raw = raw.astype("string")
    return pd.to_numeric(raw, errors="coerce").astype("float64")


def _to_truth(raw: pd.Series) -> pd.Series:
    if raw.dtype == bool:
        return raw.astype("boolean")
    return raw.astype("string").str.strip().str.lower().map(_TRUTH_WORDS).astype("boolean")


def _to_moment(raw: pd.Series) -> pd.Series:
    """UTC milliseconds; a moment without a zone is read as UTC, a bare number is not a moment."""
    if pd.api.types.is_datetime64_any_dtype(raw.dtype):
        moments = raw
    elif pd.api.types.is_numeric_dtype(raw.dtype):
        moments = pd.Series(pd.NaT, index=raw.index)
    else:
        moments = pd.to_datetime(raw.astype("string"), utc=True, errors="coerce", format="ISO8601")
    if getattr(moments.dt, "tz", None) is None:
        moments = moments.dt.tz_localize("UTC")
    return moments.astype("datetime64[ms, UTC]")
