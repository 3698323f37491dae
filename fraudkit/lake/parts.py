"""The files of a lake: one Parquet file a single table, one a day of transactions, one a batch of refused rows.

Writes files and describes them; whether they count is the manifest's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from fraudkit.core.clock import DAY_S
from fraudkit.core.console import ProgressCallback
from fraudkit.core.errors import InvalidInput
from fraudkit.core.files import sha256, write_synced
from fraudkit.lake.manifest import FileEntry
from fraudkit.lake.tables import TABLES, arrival_order, encode, to_arrow

SINGLE_TABLES = tuple(name for name in TABLES if name != "transactions")


class Tables(Protocol):
    """What a lake is made from; a simulated World is one. `config` is a dataclass."""

    @property
    def config(self) -> Any: ...

    @property
    def users(self) -> pd.DataFrame: ...

    @property
    def merchants(self) -> pd.DataFrame: ...

    @property
    def transactions(self) -> pd.DataFrame: ...

    @property
    def labels(self) -> pd.DataFrame: ...

    @property
    def truth(self) -> pd.DataFrame: ...

    @property
    def ip_reputation(self) -> pd.DataFrame: ...


def write_singles(folder: Path, tables: Tables) -> Iterator[FileEntry]:
    """Write every table but the transactions."""
    for name in SINGLE_TABLES:
        table = to_arrow(getattr(tables, name), TABLES[name])
        yield write_part(folder, f"{name}.parquet", name, encode(table, TABLES[name]), table.num_rows)


def write_transactions(
    folder: Path, transactions: pd.DataFrame, progress: ProgressCallback | None
) -> Iterator[FileEntry]:
    """Write one file an event day."""
    table = to_arrow(transactions, TABLES["transactions"])
    _refuse_missing(table)
    done = 0
    for day, rows in split_days(table):
        data = encode(rows, TABLES["transactions"])
        yield write_part(folder, f"transactions/event_day={day}/part-0.parquet", "transactions", data, rows.num_rows)
        done += rows.num_rows
        if progress is not None:
            progress(done / table.num_rows, f"transactions of {day}")


def write_quarantine(folder: Path, refused: pd.DataFrame) -> list[FileEntry]:
    """Write refused rows below `quarantine/`, named by their content so that a repeat adds no second file."""
    if refused.empty:
        return []
    table = pa.Table.from_pandas(refused, preserve_index=False).replace_schema_metadata(None)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", store_schema=False)
    data = bytes(sink.getvalue())
    name = f"quarantine/{sha256(data)[:16]}.parquet"
    return [write_part(folder, name, "quarantine", data, len(refused))]


def write_part(folder: Path, relative: str, table: str, data: bytes, rows: int) -> FileEntry:
    """Write one Parquet file below `folder` and return its manifest entry."""
    path = folder / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    write_synced(path, data)
    return FileEntry(relative, table, rows, len(data), sha256(data))


def split_days(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """(ISO event day, its rows sorted by arrival) for each day of an Arrow transactions table."""
    table = table.take(pa.array(arrival_order(table))) if table.num_rows else table
    day = table["event_time"].cast(pa.int64()).to_numpy() // (DAY_S * 1000)
    order = np.argsort(day, kind="stable")
    table, day = table.take(pa.array(order)), day[order]
    bounds = np.flatnonzero(np.diff(day, prepend=day[:1] - 1, append=day[-1:] + 1))
    for begin, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        yield str(np.datetime64(int(day[begin]), "D")), table.slice(begin, end - begin)


def _refuse_missing(transactions: pa.Table) -> None:
    for name in ("transaction_id", "event_time", "known_at"):
        if transactions[name].null_count:
            raise InvalidInput(
                f"{transactions[name].null_count} transactions have no {name}; run fraudkit.lake.quality.inspect first"
            )
