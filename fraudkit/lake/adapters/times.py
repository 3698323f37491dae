"""Moments as sources write them: ISO text, epoch seconds or milliseconds, seconds since an origin.

What cannot be read becomes missing, for the arrival checks to set aside.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

_MS = "datetime64[ms, UTC]"
_FURTHEST_MS = 253_402_300_799_999  # the end of year 9999; beyond it a number is no moment


def seconds_since(values: pd.Series, origin: pd.Timestamp) -> pd.Series:
    """UTC moments from seconds after `origin`.

    >>> str(seconds_since(pd.Series([1.5]), pd.Timestamp("2025-01-01", tz="UTC"))[0])
    '2025-01-01 00:00:01.500000+00:00'
    """
    seconds = pd.to_numeric(values, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
    return _from_ms(origin.timestamp() * 1000 + seconds * 1000, values.index)


def epoch_ms(values: pd.Series) -> pd.Series:
    """UTC moments from milliseconds since 1970."""
    return _from_ms(pd.to_numeric(values, errors="coerce").to_numpy(dtype="float64", na_value=np.nan), values.index)


def iso(values: pd.Series) -> pd.Series:
    """UTC moments from ISO 8601 text or datetimes; without a zone they are read as UTC."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        moments = values if values.dt.tz is not None else values.dt.tz_localize("UTC")
    else:
        moments = pd.to_datetime(values.astype("string"), utc=True, errors="coerce", format="ISO8601")
    return moments.astype(_MS)


def _from_ms(milliseconds: np.ndarray, index: pd.Index) -> pd.Series:
    known = np.isfinite(milliseconds) & (np.abs(milliseconds) <= _FURTHEST_MS)
    whole = np.where(known, np.rint(np.where(known, milliseconds, 0)), 0).astype("int64")
    moments = pd.Series(whole.astype("datetime64[ms]"), index=index).dt.tz_localize("UTC")
    return moments.where(pd.Series(known, index=index)).astype(_MS)
