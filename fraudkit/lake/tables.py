"""Between pandas and Parquet: the tables of a lake, their Arrow types, bytes in and bytes out.

Dictionary columns go to disk as strings that Parquet packs with one small dictionary a file (a
pandas category would drag the categories of the whole table into every day), and come back as
categories without passing through single strings. Knows nothing of folders.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from fraudkit.core.label import LABEL_COLUMNS, TRUTH_COLUMNS
from fraudkit.core.transaction import MERCHANT_COLUMNS, TRANSACTION_COLUMNS, USER_COLUMNS, conform

IP_REPUTATION_COLUMNS: dict[str, str] = {"ip_address": "string", "reputation": "float64"}

TABLES: dict[str, dict[str, str]] = {
    "transactions": TRANSACTION_COLUMNS,
    "users": USER_COLUMNS,
    "merchants": MERCHANT_COLUMNS,
    "labels": LABEL_COLUMNS,
    "truth": TRUTH_COLUMNS,
    "ip_reputation": IP_REPUTATION_COLUMNS,
}

_ARROW = {
    "string": pa.string(),
    "category": pa.string(),
    "float64": pa.float64(),
    "int32": pa.int32(),
    "bool": pa.bool_(),
    "datetime64[ms, UTC]": pa.timestamp("ms", tz="UTC"),
}


def arrow_schema(columns: dict[str, str]) -> pa.Schema:
    """The types on disk."""
    return pa.schema([(name, _ARROW[dtype]) for name, dtype in columns.items()])


def to_arrow(table: pd.DataFrame, columns: dict[str, str]) -> pa.Table:
    """Arrow table with `columns`; categories stay dictionaries until `encode` writes them.

    Raises
    ------
    InvalidInput
        A column is missing or cannot be cast.
    """
    conformed = conform(table, columns)
    arrays = []
    for name, dtype in columns.items():
        array = pa.Array.from_pandas(conformed[name])
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        if dtype == "category":  # an empty or all-missing column has a dictionary of no particular type
            values = array.dictionary.cast(pa.string())
            array = pa.DictionaryArray.from_arrays(array.indices.cast(pa.int32()), values)
        else:
            array = array.cast(_ARROW[dtype])
        arrays.append(array)
    return pa.Table.from_arrays(arrays, names=list(columns))


def encode(table: pa.Table, columns: dict[str, str]) -> bytes:
    """Parquet bytes; the same rows give the same bytes whatever the categories' order was."""
    packed = [name for name, dtype in columns.items() if dtype in ("category", "bool")]
    sink = pa.BufferOutputStream()
    pq.write_table(
        table.cast(arrow_schema(columns)), sink, compression="zstd", use_dictionary=packed, store_schema=False
    )
    return bytes(sink.getvalue())


def read(
    files: Sequence[Path],
    columns: dict[str, str],
    wanted: Sequence[str] | None = None,
    row_filter: ds.Expression | None = None,
) -> pa.Table:
    """Read `wanted` (default: all) of `columns` from Parquet files in the files' order, categories as dictionaries."""
    packed = [name for name, dtype in columns.items() if dtype == "category"]
    fields = [
        pa.field(name, pa.dictionary(pa.int32(), pa.string()) if dtype == "category" else _ARROW[dtype])
        for name, dtype in columns.items()
    ]
    if not files:
        empty = pa.schema(fields).empty_table()
        return empty if wanted is None else empty.select(list(wanted))
    options = ds.ParquetReadOptions(dictionary_columns=packed)
    dataset = ds.dataset(
        [str(file) for file in files], format=ds.ParquetFileFormat(read_options=options), schema=pa.schema(fields)
    )
    return dataset.to_table(columns=list(columns if wanted is None else wanted), filter=row_filter)


def to_pandas(table: pa.Table, columns: dict[str, str]) -> pd.DataFrame:
    """The pandas table of what `read` gave, in the dtypes of the contract."""
    return conform(table.unify_dictionaries().to_pandas(split_blocks=True), columns)


def arrival_order(table: pa.Table) -> np.ndarray:
    """Positions that sort `table` by (known_at, transaction_id), int64 of shape (rows,).

    Sorting on the integer and then mending the few ties is several times faster than sorting on
    a pair with a string in it.
    """
    known_at = table["known_at"].cast(pa.int64()).to_numpy()
    order = np.argsort(known_at, kind="stable")
    ordered = known_at[order]
    same = ordered[1:] == ordered[:-1]
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    if tied.size:
        rows = order[tied]
        ids = table["transaction_id"].take(pa.array(rows))
        pair = pa.table({"known_at": ordered[tied], "transaction_id": ids})
        ranks = pc.sort_indices(pair, sort_keys=[("known_at", "ascending"), ("transaction_id", "ascending")]).to_numpy()
        order[tied] = rows[ranks]
    return order
