"""The decision database as an SQLite file: the default, for one service on one machine.

In WAL mode a commit survives the death of the process, whatever kills it. It does not wait for the disk, so
that a power cut may cost the last moments; with `durable` it waits.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from fraudkit.core.errors import CorruptArtefact, NotReady, StoreUnavailable
from fraudkit.serve.decisions.database import KEYS, Connection, Database, Pace, Row
from fraudkit.serve.decisions.schema import FORMAT, MIGRATIONS, SQLITE, statements

_LOOKUP = 500  # keys in one query
_BUSY_S = 5.0


class SqliteConnection(Connection):
    """One connection to the file."""

    def __init__(self, path: Path, durable: bool) -> None:
        self._path = path
        self._raw = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        self._raw.execute("PRAGMA journal_mode = WAL")
        self._raw.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        with self._told():
            return self._raw.execute(sql, values).fetchall()

    def rows_of(self, sql: str, keys: Sequence[str]) -> list[Row]:
        found: list[Row] = []
        with self._told():
            for start in range(0, len(keys), _LOOKUP):
                part = keys[start : start + _LOOKUP]
                found += self._raw.execute(sql.replace(KEYS, f"({','.join('?' * len(part))})"), part)
        return found

    def run(self, sql: str, values: Sequence[object] = ()) -> int:
        with self._told():
            return self._raw.execute(sql, values).rowcount

    def run_many(self, sql: str, rows: Sequence[Sequence[object]]) -> int:
        if self._raw.in_transaction:
            with self._told():
                return self._raw.executemany(sql, rows).rowcount
        with self.transaction():
            return self._raw.executemany(sql, rows).rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._told():
            try:
                self._raw.execute("BEGIN IMMEDIATE")
                yield
                self._raw.execute("COMMIT")
            finally:
                if self._raw.in_transaction:
                    self._raw.execute("ROLLBACK")

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"decision database {self._path}: {error}; see whether the disk is full") from error

    def close(self) -> None:
        self._raw.close()


class SqliteDatabase(Database):
    """The file at `path`, made where there is none.

    Raises
    ------
    NotReady
        The file cannot be opened or written.
    CorruptArtefact
        The file is no database of a known format.
    """

    pace = Pace(rows=64, rest=4.0)  # a commit takes about a millisecond, in which nobody else can write

    def __init__(self, path: Path, durable: bool = False) -> None:
        super().__init__()
        self.name = str(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.scoring = SqliteConnection(path, durable)
            self._others = SqliteConnection(path, durable)
            self._prepare()
        except (sqlite3.DatabaseError, StoreUnavailable) as error:
            kind = NotReady if isinstance(error, sqlite3.OperationalError | StoreUnavailable) else CorruptArtefact
            raise kind(f"decision database {path}: {error}; move the file away or mend its permissions") from error

    def _prepare(self) -> None:
        """Bring the tables to the present format, in one commit."""
        line = self.scoring
        with line.transaction():
            ((version,),) = line.rows("PRAGMA user_version")
            if version not in (0, *MIGRATIONS, FORMAT):
                raise CorruptArtefact(
                    f"decision database {self.name} has format {version}, this version writes {FORMAT}; "
                    "move the file away or use the version that wrote it"
                )
            for earlier in range(version or FORMAT, FORMAT):
                for statement in MIGRATIONS[earlier]:
                    line.run(statement)
            if version != FORMAT:
                for statement in statements(SQLITE):
                    line.run(statement)
                line.run(f"PRAGMA user_version = {FORMAT}")

    def one_at_a_time(self, connection: Connection, key: str) -> None:
        """A transaction that writes is alone in any case."""

    def renew(self) -> None:
        """A file is not lost."""
