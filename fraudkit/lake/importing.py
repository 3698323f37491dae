"""A public or private file becomes a lake: adapted, checked, written, with what was refused beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fraudkit.core.console import ProgressCallback, scaled
from fraudkit.lake.adapters import AdaptedTable
from fraudkit.lake.lake import Lake
from fraudkit.lake.tables import TABLES


@dataclass(frozen=True, slots=True)
class ImportConfig:
    """What the manifest remembers of an import: the file's name, its format, what is a placeholder, notes."""

    source: str
    format: str
    absent: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImportedTables:
    """An adapted table as Lake.write wants it. Merchants, truth and reputations are empty: no source gives them."""

    config: ImportConfig
    users: pd.DataFrame
    merchants: pd.DataFrame
    transactions: pd.DataFrame
    labels: pd.DataFrame
    truth: pd.DataFrame
    ip_reputation: pd.DataFrame


def write_adapted(
    path: Path, adapted: AdaptedTable, source: str, source_format: str, progress: ProgressCallback | None = None
) -> Lake:
    """Write `adapted` as a new lake; rejected rows go under its quarantine/. Raises as Lake.write does."""
    config = ImportConfig(source, source_format, tuple(sorted(adapted.absent)), adapted.notes)
    users = empty("users") if adapted.users is None else adapted.users
    tables = ImportedTables(
        config, users, empty("merchants"), adapted.transactions, adapted.labels, empty("truth"), empty("ip_reputation")
    )
    return Lake.write(path, tables, scaled(progress, 0.0, 1.0), rejected=adapted.rejected)


def empty(table: str) -> pd.DataFrame:
    """One of the lake's tables without rows."""
    return pd.DataFrame({name: pd.Series([], dtype=dtype) for name, dtype in TABLES[table].items()})
