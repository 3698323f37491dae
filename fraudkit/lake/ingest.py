"""Rows that arrive after a lake was built: checked, the good ones appended by day, the bad ones set aside.

New rows are new files; they count from the moment the manifest that names them is in force, so a
crash leaves the lake as it was (with stray files that nobody reads) or as it should be.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from fraudkit.core.console import ProgressCallback
from fraudkit.core.files import locked, sync_tree
from fraudkit.lake import tables as lake_tables
from fraudkit.lake.manifest import FileEntry, write_manifest
from fraudkit.lake.parts import split_days, write_part, write_quarantine
from fraudkit.lake.quality import Inspection, QualityReport, inspect
from fraudkit.lake.tables import TABLES

if TYPE_CHECKING:
    from fraudkit.lake.lake import Lake

LOCK_NAME = ".lock"


def ingest(lake: Lake, incoming: pd.DataFrame, progress: ProgressCallback | None = None) -> tuple[Lake, QualityReport]:
    """Check `incoming`, append what is accepted, quarantine the rest; return the lake as it is now and the report.

    Ingesting the same rows again adds nothing: they are reported as duplicates. Two processes that
    ingest into one lake take turns.
    """
    with locked(lake.path / LOCK_NAME):
        lake = lake.open(lake.path)  # another process may have added rows since
        inspection = inspect(incoming, _stored(lake, incoming))
        entries = [*_new_parts(lake, inspection, progress), *write_quarantine(lake.path, inspection.quarantined)]
        if entries:
            sync_tree(lake.path)
            write_manifest(lake.path, lake.manifest.plus(entries))
        return lake.open(lake.path), inspection.report


def _stored(lake: Lake, incoming: pd.DataFrame) -> pd.DataFrame | None:
    """Rows of the lake whose ids come again."""
    if "transaction_id" not in incoming:
        return None
    ids = pa.array(incoming["transaction_id"].astype("string").str.strip().dropna().unique(), pa.string())
    columns = TABLES["transactions"]
    found = lake_tables.read(lake.files("transactions"), columns, row_filter=ds.field("transaction_id").isin(ids))
    return lake_tables.to_pandas(found, columns)


def _new_parts(lake: Lake, inspection: Inspection, progress: ProgressCallback | None) -> list[FileEntry]:
    columns = TABLES["transactions"]
    parts = Counter(entry.path.rsplit("/", 1)[0] for entry in lake.manifest.of("transactions"))
    entries: list[FileEntry] = []
    for day, rows in split_days(lake_tables.to_arrow(inspection.accepted, columns)):
        folder = f"transactions/event_day={day}"
        relative = f"{folder}/part-{parts[folder]}.parquet"
        entries.append(
            write_part(lake.path, relative, "transactions", lake_tables.encode(rows, columns), rows.num_rows)
        )
        if progress is not None:
            progress(sum(entry.rows for entry in entries) / len(inspection.accepted), f"transactions of {day}")
    return entries
