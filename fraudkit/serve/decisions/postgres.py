"""The decision database in PostgreSQL, for several services that share it.

A statement of the scoring thread is given up by the server before the thread is given up by its watch. A
connection that was lost, or that has not come back from a call for long, is replaced off the path of payments:
until then the scoring thread is told at once that the database is away.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from fraudkit.core.errors import CorruptArtefact, InvalidInput, NotReady, StoreUnavailable
from fraudkit.serve.decisions.database import KEYS, Connection, Database, Pace, Row
from fraudkit.serve.decisions.schema import FORMAT, POSTGRES, POSTGRES_ADDED, statements

SCORING_TIMEOUT_S, OTHERS_TIMEOUT_S = 0.015, 5.0  # of one statement
HANGS_S = 8.0  # a call that takes longer has its connection closed under it
_CONNECT_S = 2
_SCHEMA_LOCK = 0x66_72_61_75_64  # any number that every service agrees on


class PostgresConnection(Connection):
    """One connection to the server.

    `reconnects` where a lost connection is replaced by the next call; else renew() does it.
    """

    def __init__(self, url: str, name: str, timeout_s: float, reconnects: bool, durable: bool = False) -> None:
        self._url, self._name = url, name
        self._session = f"SET statement_timeout = {max(1, round(timeout_s * 1000))}"
        if durable:
            self._session += "; SET synchronous_commit = on"
        self._reconnects = reconnects
        self._busy_since: float | None = None
        self._raw: psycopg.Connection[Row] | None = None
        self.connect()

    def connect(self) -> None:
        """Open it anew.

        Raises
        ------
        StoreUnavailable
            The server does not answer.
        """
        with self._translated():
            fresh = psycopg.connect(
                self._url, autocommit=True, connect_timeout=_CONNECT_S, application_name="fraudkit", keepalives_idle=10
            )
            fresh.prepare_threshold = 0
            fresh.execute(self._session.encode(), prepare=False)
        self._raw = fresh

    def renew(self) -> None:
        """Replace a lost connection, and cut off one that hangs."""
        raw, since = self._raw, self._busy_since
        if raw is None or raw.closed:
            self.connect()
        elif since is not None and time.monotonic() - since > HANGS_S:
            with suppress(OSError, psycopg.Error), socket.socket(fileno=raw.fileno()) as line:
                line.shutdown(socket.SHUT_RDWR)  # the thread that waits for it is told
                line.detach()

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        with self._told() as raw:
            return raw.execute(_sql(sql), values).fetchall()

    def rows_of(self, sql: str, keys: Sequence[str]) -> list[Row]:
        with self._told() as raw:
            return raw.execute(_sql(sql), (list(keys),)).fetchall()

    def run(self, sql: str, values: Sequence[object] = ()) -> int:
        with self._told() as raw:
            return raw.execute(_sql(sql), values).rowcount

    def run_many(self, sql: str, rows: Sequence[Sequence[object]]) -> int:
        with self._told() as raw, raw.cursor() as cursor:
            cursor.executemany(_sql(sql), rows)  # one pipeline, which the server takes as one transaction
            return cursor.rowcount

    @contextmanager
    def transaction(self) -> Iterator[None]:
        with self._told() as raw, raw.transaction():
            yield

    @contextmanager
    def _told(self) -> Iterator[Any]:
        """The connection; what goes wrong with it becomes StoreUnavailable."""
        outermost = self._busy_since is None
        try:
            if self._raw is not None and self._raw.closed:
                self._lost()
            if outermost:
                self._busy_since = time.monotonic()
            with self._translated():
                yield self._raw
        finally:
            if outermost:
                self._busy_since = None

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            words = str(error).strip().partition("\n")[0]
            raise StoreUnavailable(f"decision database {self._name}: {words}; see whether it runs") from error

    def _lost(self) -> None:
        if not self._reconnects or self._busy_since is not None:  # inside a transaction there is no going on
            raise StoreUnavailable(f"decision database {self._name}: the connection was lost; it is tried every second")
        self.connect()

    def close(self) -> None:
        if self._raw is not None:
            self._raw.close()


class PostgresDatabase(Database):
    """The database at `url`, its tables made where there are none.

    Parameters
    ----------
    url : postgresql://user:password@host/name, or any other connection string of PostgreSQL
    patience : multiplies the time that the scoring thread's statements get
    durable : insist that a commit waits for the disk, whatever the server's own setting is

    Raises
    ------
    InvalidInput
        The URL cannot be read.
    NotReady
        The server does not answer or does not let us in.
    CorruptArtefact
        The tables have another format.
    """

    pace = Pace(rows=500, rest=0.5)  # nobody waits for a row that goes, but all share the disk

    def __init__(self, url: str, patience: float = 1.0, durable: bool = False) -> None:
        super().__init__()
        self.name = safe_name(url)
        with ExitStack() as opened:
            try:
                self._scoring = PostgresConnection(url, self.name, SCORING_TIMEOUT_S * patience, False, durable)
                opened.callback(self._scoring.close)
                self._shared = PostgresConnection(url, self.name, OTHERS_TIMEOUT_S, True, durable)
                opened.callback(self._shared.close)
                self.scoring, self._others = self._scoring, self._shared
                self._prepare()
            except StoreUnavailable as error:
                raise NotReady(f"{error}, and whether DATABASE_URL is right") from error
            opened.pop_all()

    def _prepare(self) -> None:
        line = self._others
        with line.transaction():
            line.rows("SELECT pg_advisory_xact_lock(?)", (_SCHEMA_LOCK,))  # several services may start at once
            line.run("CREATE TABLE IF NOT EXISTS fraudkit_format (format INTEGER NOT NULL)")
            found = line.rows("SELECT format FROM fraudkit_format")
            if found and found[0][0] != FORMAT:
                raise CorruptArtefact(
                    f"decision database {self.name} has format {found[0][0]}, this version writes {FORMAT}; "
                    "use another database or the version that wrote it"
                )
            if not found:
                for statement in statements(POSTGRES):
                    line.run(statement)
                line.run("INSERT INTO fraudkit_format VALUES (?)", (FORMAT,))
            for statement in POSTGRES_ADDED:
                line.run(statement)

    def one_at_a_time(self, connection: Connection, key: str) -> None:
        connection.rows("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", (key,))

    def renew(self) -> None:
        self._scoring.renew()
        self._shared.renew()


def safe_name(url: str) -> str:
    """What messages call the database: host and name, never a password.

    Raises
    ------
    InvalidInput
        It is no connection string.
    """
    try:
        parts = conninfo_to_dict(url)
    except psycopg.Error as error:
        raise InvalidInput(
            "DATABASE_URL cannot be read; set something like postgresql://user:password@host:5432/fraudkit"
        ) from error
    return f"{parts.get('dbname', '')} on {parts.get('host', 'localhost')}:{parts.get('port', 5432)}"


@lru_cache(maxsize=256)
def _sql(sql: str) -> bytes:
    """A statement as psycopg wants it."""
    return sql.replace(f"IN {KEYS}", "= ANY(%s)").replace("?", "%s").encode()
