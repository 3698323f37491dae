"""A lake: one world's tables on disk as Parquet, transactions partitioned by event day.

    world/
      MANIFEST.json
      transactions/event_day=2025-01-01/part-0.parquet
      users.parquet  merchants.parquet  labels.parquet  truth.parquet  ip_reputation.parquet
      quarantine/<digest>.parquet        rows that were refused on arrival, with reasons

A lake is written into a temporary sibling and renamed when whole; rows that arrive later are new
files that count from the moment the manifest names them. Sizes are compared at every open, digests
only by `verify`, which reads everything.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from fraudkit.core.console import ProgressCallback
from fraudkit.core.errors import CorruptArtefact, InvalidInput
from fraudkit.core.files import replace_folder, sha256_of, sync_tree
from fraudkit.core.label import labels_as_of
from fraudkit.lake import tables as lake_tables
from fraudkit.lake.manifest import MANIFEST_NAME, FileEntry, Manifest, read_manifest, write_manifest
from fraudkit.lake.parts import Tables, write_quarantine, write_singles, write_transactions
from fraudkit.lake.quality import QualityReport
from fraudkit.lake.tables import TABLES


class Lake:
    """An opened lake. Make one with `Lake.open` or `Lake.write`."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self.path = path
        self.manifest = manifest

    @classmethod
    def open(cls, path: Path | str) -> Lake:
        """Open the lake in folder `path` after comparing every file's size with the manifest.

        Raises
        ------
        NotReady
            There is no finished lake; the message says how to build one.
        CorruptArtefact
            A file is missing or has another size, or the manifest was changed.
        """
        folder = Path(path)
        lake = cls(folder, read_manifest(folder))
        for entry in lake.manifest.files:
            file = folder / entry.path
            size = file.stat().st_size if file.is_file() else None
            if size != entry.size:
                found = "is missing" if size is None else f"has {size} bytes instead of {entry.size}"
                raise CorruptArtefact(f"{file} {found}; build the lake again")
        return lake

    @classmethod
    def write(
        cls,
        path: Path | str,
        tables: Tables,
        progress: ProgressCallback | None = None,
        *,
        replace: bool = False,
        rejected: pd.DataFrame | None = None,
    ) -> Lake:
        """Write `tables` as a new lake in folder `path`. The same tables give the same bytes.

        Parameters
        ----------
        path : folder to create; its parents are made
        tables : see Tables; each table conforms to the core columns
        progress : called with (fraction, text)
        replace : put the new lake in the place of an existing one, in any case only once it is whole
        rejected : rows that were refused before, with `reasons`, for the lake's quarantine

        Raises
        ------
        InvalidInput
            The folder exists (and `replace` is False, or it is no lake), or a table breaks its schema.
        """
        target = Path(path)
        check_target(target, replace)
        target.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            entries = [
                *write_singles(building, tables),
                *write_transactions(building, tables.transactions, progress),
                *([] if rejected is None else write_quarantine(building, rejected)),
            ]
            manifest = Manifest((), asdict(tables.config)).plus(entries)
            sync_tree(building)
            write_manifest(building, manifest)
            building.chmod(0o755)
            replace_folder(building, target)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        return cls.open(target)

    @property
    def config(self) -> dict[str, Any]:
        """The configuration the tables were made with, as read from the manifest."""
        return self.manifest.config

    @property
    def days(self) -> list[str]:
        """Event days that hold transactions, ISO dates in order."""
        return sorted({_day_of(entry) for entry in self.manifest.of("transactions")})

    def files(self, table: str) -> list[Path]:
        """The Parquet files of one table."""
        return [self.path / entry.path for entry in self.manifest.of(table)]

    def transactions(
        self,
        start: pd.Timestamp | str | None = None,
        end: pd.Timestamp | str | None = None,
        columns: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Transactions with start <= event_time < end, sorted by (known_at, transaction_id).

        Parameters
        ----------
        start, end : UTC moments, None for no bound
        columns : names out of TRANSACTION_COLUMNS, None for all

        Raises
        ------
        InvalidInput
            A column or a moment is not one.
        """
        wanted = _chosen(columns)
        first, last = _moment(start), _moment(end)
        needed = list(dict.fromkeys([*wanted, "known_at", "transaction_id"]))
        files = [
            self.path / entry.path
            for entry in self.manifest.of("transactions")
            if (first is None or _day_of(entry) >= first.strftime("%Y-%m-%d"))
            and (last is None or _day_of(entry) <= last.strftime("%Y-%m-%d"))
        ]
        table = lake_tables.read(files, TABLES["transactions"], needed, _between(first, last))
        table = table.unify_dictionaries().combine_chunks()
        table = table.take(pa.array(lake_tables.arrival_order(table))).select(list(wanted))
        return lake_tables.to_pandas(table, wanted)

    def users(self) -> pd.DataFrame:
        """Card holders, USER_COLUMNS."""
        return self._single("users")

    def merchants(self) -> pd.DataFrame:
        """Merchants, MERCHANT_COLUMNS."""
        return self._single("merchants")

    def labels(self, as_of: pd.Timestamp | str | None = None) -> pd.DataFrame:
        """Labels, LABEL_COLUMNS: every one ever received, or one a transaction as known at `as_of`."""
        labels = self._single("labels")
        moment = _moment(as_of)
        return labels if moment is None else labels_as_of(labels, moment)

    def truth(self) -> pd.DataFrame:
        """What really happened, TRUTH_COLUMNS; for judging the system, never for training it."""
        return self._single("truth")

    def ip_reputation(self) -> pd.DataFrame:
        """Addresses and their reputation, 0 clean to 1 bad."""
        return self._single("ip_reputation")

    def query(self, sql: str) -> pd.DataFrame:
        """Answer of one SELECT over the lake's tables by DuckDB; see fraudkit.lake.query."""
        from fraudkit.lake.query import query

        return query(self, sql)

    def ingest(self, incoming: pd.DataFrame, progress: ProgressCallback | None = None) -> tuple[Lake, QualityReport]:
        """Check and append rows; the lake as it is afterwards and the report. See fraudkit.lake.ingest."""
        from fraudkit.lake.ingest import ingest

        return ingest(self, incoming, progress)

    def verify(self, progress: ProgressCallback | None = None) -> int:
        """Read every file and compare its digest with the manifest; return the number of files.

        Raises
        ------
        CorruptArtefact
            Naming every file that differs.
        """
        damaged = []
        for number, entry in enumerate(self.manifest.files):
            file = self.path / entry.path
            if not file.is_file() or sha256_of(file) != entry.sha256:
                damaged.append(entry.path)
            if progress is not None:
                progress((number + 1) / len(self.manifest.files), entry.path)
        if damaged:
            raise CorruptArtefact(
                f"{len(damaged)} of {len(self.manifest.files)} files in {self.path} differ from their digest: "
                f"{', '.join(damaged[:5])}; build the lake again"
            )
        return len(self.manifest.files)

    def _single(self, table: str) -> pd.DataFrame:
        columns = TABLES[table]
        return lake_tables.to_pandas(lake_tables.read(self.files(table), columns), columns)


def check_target(target: Path, replace: bool) -> None:
    """Refuse a folder that a lake may not be written to; for before long work, as `Lake.write` checks it anyway.

    Raises
    ------
    InvalidInput
        The folder holds something that is no lake, or a lake and `replace` is False.
    """
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    if not (target / MANIFEST_NAME).is_file():
        raise InvalidInput(f"{target} exists and is no lake; choose another folder or remove it first")
    if not replace:
        raise InvalidInput(
            f"{target} holds a lake already; choose another folder, or replace it with "
            "`fraudkit simulate --force` or Lake.write(..., replace=True)"
        )


def _day_of(entry: FileEntry) -> str:
    return entry.path.split("event_day=")[1][:10]


def _chosen(columns: Sequence[str] | None) -> dict[str, str]:
    known = TABLES["transactions"]
    if columns is None:
        return known
    unknown = [name for name in columns if name not in known]
    if unknown:
        raise InvalidInput(f"transactions have no column {', '.join(unknown)}; choose from {', '.join(known)}")
    return {name: known[name] for name in columns}


def _moment(value: pd.Timestamp | str | None) -> pd.Timestamp | None:
    """A UTC timestamp; one without a zone is read as UTC."""
    if value is None:
        return None
    try:
        moment = pd.Timestamp(value)
    except ValueError as error:
        raise InvalidInput(f"{value!r} is not a moment; write it as 2025-01-31 or 2025-01-31T12:00:00Z") from error
    return moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")


def _between(start: pd.Timestamp | None, end: pd.Timestamp | None) -> ds.Expression | None:
    kind = pa.timestamp("ms", tz="UTC")
    expression = None
    if start is not None:
        expression = ds.field("event_time") >= pa.scalar(start.ceil("ms").to_pydatetime(), kind)
    if end is not None:
        before = ds.field("event_time") < pa.scalar(end.ceil("ms").to_pydatetime(), kind)
        expression = before if expression is None else expression & before
    return expression
