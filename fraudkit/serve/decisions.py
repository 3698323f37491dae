"""The decision database: every decision with what is needed to replay it, and the feedback on it.

SQLite in WAL mode. A batch of decisions is one commit, made before any of their replies is sent: a
crash of the process loses none of them; a power cut may lose the last moments, since a commit does
not wait for the disk. One service process owns a database. The database never holds a card number.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from pathlib import Path

from fraudkit.core.errors import CorruptArtefact, InvalidInput, NotReady, StoreUnavailable

FORMAT = 2
_LOOKUP = 500  # host parameters a query

_SCHEMA = """
CREATE TABLE IF NOT EXISTS decisions (
    transaction_id TEXT PRIMARY KEY,
    payload_digest BLOB NOT NULL,
    decided_at_ms  INTEGER NOT NULL,
    action         TEXT NOT NULL,
    fraud_score    REAL,
    reply          BLOB NOT NULL,   -- JSON as sent
    vector         BLOB NOT NULL,   -- float32, little endian, catalog order
    transaction_json BLOB NOT NULL, -- the transaction as taken in; the card token is no part of it
    degraded       TEXT NOT NULL,   -- parts that were missing, comma-separated; empty where none was
    to_rescore     INTEGER NOT NULL, -- 1 where the score rests on less than it should
    context        INTEGER NOT NULL REFERENCES contexts (id)
);
CREATE INDEX IF NOT EXISTS decisions_to_rescore ON decisions (decided_at_ms) WHERE to_rescore;
CREATE TABLE IF NOT EXISTS rescored (
    transaction_id TEXT PRIMARY KEY REFERENCES decisions (transaction_id),
    rescored_at_ms INTEGER NOT NULL,
    action         TEXT NOT NULL,
    fraud_score    REAL,
    vector         BLOB NOT NULL,
    context        INTEGER NOT NULL REFERENCES contexts (id)
);
CREATE TABLE IF NOT EXISTS contexts (
    id            INTEGER PRIMARY KEY,
    model_version TEXT NOT NULL,
    model_digest  TEXT NOT NULL,
    rules_digest  TEXT NOT NULL,
    policy_digest TEXT NOT NULL,
    schema_hash   TEXT NOT NULL,
    code_digest   TEXT NOT NULL,
    UNIQUE (model_version, model_digest, rules_digest, policy_digest, schema_hash, code_digest)
);
CREATE TABLE IF NOT EXISTS feedback (
    id             INTEGER PRIMARY KEY,
    transaction_id TEXT NOT NULL,
    source         TEXT NOT NULL,
    is_fraud       INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS feedback_by_transaction ON feedback (transaction_id);
"""


@dataclass(frozen=True, slots=True)
class Context:
    """What a decision was made with: version and digests of everything that shaped it."""

    model_version: str
    model_digest: str
    rules_digest: str
    policy_digest: str
    schema_hash: str
    code_digest: str


@dataclass(frozen=True, slots=True)
class Record:
    """One decision as stored; `reply` is the JSON that was sent, `vector` float32 bytes, `degraded` names parts."""

    transaction_id: str
    payload_digest: bytes
    decided_at_ms: int
    action: str
    fraud_score: float | None
    reply: bytes
    vector: bytes
    transaction_json: bytes
    degraded: str
    to_rescore: bool
    context_id: int


@dataclass(frozen=True, slots=True)
class Rescored:
    """A decision made once more after a part that had been missing was back."""

    transaction_id: str
    rescored_at_ms: int
    action: str
    fraud_score: float | None
    vector: bytes
    context_id: int


@dataclass(frozen=True, slots=True)
class Word:
    """One kept word of feedback."""

    source: str
    is_fraud: bool
    received_at_ms: int


_COLUMNS = ["context" if field.name == "context_id" else field.name for field in fields(Record)]
_of_record = attrgetter(*(field.name for field in fields(Record)))
_of_rescored = attrgetter(*(field.name for field in fields(Rescored)))


class DecisionStore:
    """The database of one service. The scoring thread writes decisions; requests read and add feedback.

    Raises
    ------
    NotReady
        The file cannot be opened or written.
    CorruptArtefact
        The file is no database of this format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._connect()  # used by the scoring thread
            self._other = self._connect()  # used by request threads, one at a time
            self._prepare()
        except sqlite3.DatabaseError as error:
            kind = NotReady if isinstance(error, sqlite3.OperationalError) else CorruptArtefact
            raise kind(f"decision database {path}: {error}; move the file away or mend its permissions") from error
        self._lock = threading.Lock()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=5.0, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _prepare(self) -> None:
        version = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, FORMAT):
            raise CorruptArtefact(
                f"decision database {self.path} has format {version}, this version writes {FORMAT}; "
                "move the file away or use the version that wrote it"
            )
        self._writer.executescript(_SCHEMA)
        self._writer.execute(f"PRAGMA user_version = {FORMAT}")

    def context_id(self, context: Context) -> int:
        """The row of a context, added where it is new."""
        values = (
            context.model_version, context.model_digest, context.rules_digest,
            context.policy_digest, context.schema_hash, context.code_digest,
        )  # fmt: skip
        with self._lock:
            self._other.execute("INSERT OR IGNORE INTO contexts VALUES (NULL, ?, ?, ?, ?, ?, ?)", values)
            found = self._other.execute(
                "SELECT id FROM contexts WHERE (model_version, model_digest, rules_digest, policy_digest, schema_hash,"
                " code_digest) = (?, ?, ?, ?, ?, ?)",
                values,
            )
            return int(found.fetchone()[0])

    def stored(self, transaction_ids: Sequence[str]) -> dict[str, tuple[bytes, bytes]]:
        """Payload digest and reply of those transactions that were decided already; for the scoring thread."""
        found: dict[str, tuple[bytes, bytes]] = {}
        for start in range(0, len(transaction_ids), _LOOKUP):
            part = transaction_ids[start : start + _LOOKUP]
            marks = ",".join("?" * len(part))
            query = f"SELECT transaction_id, payload_digest, reply FROM decisions WHERE transaction_id IN ({marks})"  # noqa: S608
            found.update((row[0], (row[1], row[2])) for row in self._writer.execute(query, part))
        return found

    def add(self, records: Sequence[Record]) -> None:
        """Write new decisions in one commit: all of them or none; for the scoring thread.

        Raises
        ------
        InvalidInput
            One of them was decided before.
        StoreUnavailable
            The database cannot be written.
        """
        try:
            self._commit(self._writer, "INSERT", records)
        except sqlite3.IntegrityError as error:
            raise InvalidInput(f"a transaction was decided twice ({error}); run one service a database") from error

    def take_back(self, records: Sequence[Record]) -> None:
        """Write decisions that were kept elsewhere while the database was away.

        A row that is there already was never acknowledged, for the reply that went out is the one given here; it
        is replaced.

        Raises
        ------
        StoreUnavailable
            The database cannot be written.
        """
        with self._lock:
            self._commit(self._other, "INSERT OR REPLACE", records)

    def _commit(self, connection: sqlite3.Connection, verb: str, records: Sequence[Record]) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                f"{verb} INTO decisions ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})",
                map(_of_record, records),
            )
            connection.execute("COMMIT")
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(f"decision database {self.path}: {error}; see whether the disk is full") from error
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    def to_rescore(self, limit: int) -> list[Record]:
        """Decisions whose score rests on less than it should, and that were not made once more yet, oldest first."""
        query = (
            f"SELECT {', '.join(_COLUMNS)} FROM decisions WHERE to_rescore"  # noqa: S608
            " AND transaction_id NOT IN (SELECT transaction_id FROM rescored) ORDER BY decided_at_ms LIMIT ?"
        )
        with self._lock:
            return [Record(*row) for row in self._other.execute(query, (limit,))]

    def add_rescored(self, again: Sequence[Rescored]) -> None:
        """Keep decisions that were made once more; one that is there already stays."""
        with self._lock:
            self._other.execute("BEGIN IMMEDIATE")
            try:
                self._other.executemany(
                    "INSERT OR IGNORE INTO rescored VALUES (?, ?, ?, ?, ?, ?)", map(_of_rescored, again)
                )
                self._other.execute("COMMIT")
            finally:
                if self._other.in_transaction:
                    self._other.execute("ROLLBACK")

    def rescored(self, transaction_id: str) -> Rescored | None:
        """The second decision on a transaction, if there is one."""
        with self._lock:
            row = self._other.execute("SELECT * FROM rescored WHERE transaction_id = ?", (transaction_id,)).fetchone()
        return None if row is None else Rescored(*row)

    def get(self, transaction_id: str) -> Record | None:
        """One stored decision."""
        with self._lock:
            row = self._other.execute(
                f"SELECT {', '.join(_COLUMNS)} FROM decisions WHERE transaction_id = ?",  # noqa: S608
                (transaction_id,),
            ).fetchone()
        return None if row is None else Record(*row)

    def add_feedback(self, transaction_id: str, source: str, is_fraud: bool, now_ms: int) -> tuple[bool, bool]:
        """Keep a word of feedback, unless it repeats the latest word of the same source.

        Returns
        -------
        whether the transaction was decided here, whether the word was a repetition
        """
        with self._lock:
            self._other.execute("BEGIN IMMEDIATE")
            try:
                known = self._other.execute(
                    "SELECT 1 FROM decisions WHERE transaction_id = ?", (transaction_id,)
                ).fetchone()
                latest = self._other.execute(
                    "SELECT is_fraud FROM feedback WHERE transaction_id = ? AND source = ? ORDER BY id DESC LIMIT 1",
                    (transaction_id, source),
                ).fetchone()
                repeated = latest is not None and bool(latest[0]) == is_fraud
                if not repeated:
                    self._other.execute(
                        "INSERT INTO feedback VALUES (NULL, ?, ?, ?, ?)", (transaction_id, source, is_fraud, now_ms)
                    )
                self._other.execute("COMMIT")
            finally:
                if self._other.in_transaction:
                    self._other.execute("ROLLBACK")
        return known is not None, repeated

    def feedback(self, transaction_id: str) -> list[Word]:
        """All words on a transaction, oldest first."""
        with self._lock:
            rows = self._other.execute(
                "SELECT source, is_fraud, received_at_ms FROM feedback WHERE transaction_id = ? ORDER BY id",
                (transaction_id,),
            ).fetchall()
        return [Word(source, bool(is_fraud), at) for source, is_fraud, at in rows]

    def close(self) -> None:
        """Close the connections; the database stays."""
        self._writer.close()
        self._other.close()


class DecisionReader:
    """Reads the decisions of a database that another process writes."""

    def __init__(self, path: Path) -> None:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        self._connection = sqlite3.connect(uri, uri=True, timeout=5.0, check_same_thread=False)

    def after(self, position: int, limit: int) -> list[tuple[int, bytes]]:
        """Position and transaction of the next decisions, in order."""
        query = "SELECT rowid, transaction_json FROM decisions WHERE rowid > ? ORDER BY rowid LIMIT ?"
        return self._connection.execute(query, (position, limit)).fetchall()

    def last(self) -> int:
        """Position of the latest decision, 0 where there is none."""
        return int(self._connection.execute("SELECT coalesce(max(rowid), 0) FROM decisions").fetchone()[0])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
