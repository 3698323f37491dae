"""Reading a table from a file somebody gives: CSV, gzipped CSV or Parquet, never pickle.

Knows nothing of columns' meanings.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from fraudkit.core.errors import InvalidInput

SUFFIXES = (".csv", ".csv.gz", ".parquet")


def read_table(path: Path, text: Sequence[str] = ()) -> pd.DataFrame:
    """The table in `path`; of a CSV, columns in `text` are kept as written (0742 stays 0742), others are guessed.

    Raises
    ------
    InvalidInput
        There is no such file, its kind is not one of SUFFIXES, it is malformed or a column comes twice.
    """
    table = _guarded(path, lambda: _read(path, text))
    _refuse_repeated(path, table.column_names)
    return table.to_pandas(split_blocks=True)


def header(path: Path) -> list[str]:
    """Column names of the file, without reading it whole. Raises as `read_table` does."""
    names: list[str] = _guarded(path, lambda: _header(path))
    return names


def require(table: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """Refuse a table that lacks one of `columns`; `what` names the table in the message."""
    missing = [name for name in columns if name not in table]
    if missing:
        raise InvalidInput(
            f"{what} has no column {', '.join(missing)}; it has {', '.join(map(str, table.columns))}; "
            "give the file as it was published"
        )


def _guarded(path, action):  # type: ignore[no-untyped-def]
    if not path.is_file():
        raise InvalidInput(f"there is no file {path}; give the path of a {', '.join(SUFFIXES)} file")
    if not path.name.lower().endswith(SUFFIXES):
        raise InvalidInput(f"{path.name} is none of {', '.join(SUFFIXES)}; convert it to one of these")
    try:
        return action()
    except (pa.ArrowException, OSError, UnicodeDecodeError, EOFError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InvalidInput(f"{path} cannot be read as a table: {reason}") from error


def _read(path: Path, text: Sequence[str]) -> pa.Table:
    if path.suffix.lower() == ".parquet":
        return pq.ParquetFile(path).read()
    try:
        return pcsv.read_csv(path, convert_options=_options(text))
    except pa.ArrowInvalid:  # perhaps one odd value late in a column of numbers: the arrival checks will name it
        return pcsv.read_csv(path, convert_options=_options(_header(path)))


def _options(text: Sequence[str]) -> pcsv.ConvertOptions:
    """What counts as missing leaves out NA, which is Namibia."""
    return pcsv.ConvertOptions(
        column_types=dict.fromkeys(text, pa.string()),
        strings_can_be_null=True,
        null_values=["", "nan", "NaN", "null", "NULL"],
    )


def _header(path: Path) -> list[str]:
    if path.suffix.lower() == ".parquet":
        return list(pq.read_schema(path).names)
    with pcsv.open_csv(path) as reader:
        return list(reader.schema.names)


def _refuse_repeated(path: Path, names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InvalidInput(f"{path} has column {', '.join(repeated)} more than once; rename one of them")
