"""Reads the decisions of a database that other processes write, in the order in which they were committed."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from fraudkit.core.decision_event import DecisionEvent
from fraudkit.core.errors import StoreUnavailable

_EVENT = (
    "transaction_id, payload_digest, decided_at_ms, action, fraud_score, reply, vector, transaction_json, degraded,"
    " model_version, model_digest, rules_digest, policy_digest, schema_hash, code_digest"
    " FROM decisions d JOIN contexts c ON c.id = d.context"
)
_SAME = "FROM decisions WHERE transaction_id = ? AND payload_digest = ? AND decided_at_ms = ?"
_LAST_WORD = "SELECT coalesce(max(id), 0) FROM feedback"
_WORDS = "SELECT transaction_id, source, is_fraud FROM feedback ORDER BY id"
_OBSERVABLE = (
    "SELECT transaction_id, user_id, fraud_score FROM decisions d"
    " WHERE decided_at_ms <= ? AND fraud_score IS NOT NULL AND to_rescore = 0 AND (action <> 'DECLINE' OR EXISTS"
    " (SELECT 1 FROM feedback f WHERE f.transaction_id = d.transaction_id))"
    " ORDER BY {order} DESC LIMIT ?"
)
_MOST = 1_000_000  # a reader that is further behind is told to be this far behind


class Reader(ABC):
    """A position is a number that rises; what it counts is the database's affair.

    Raises
    ------
    StoreUnavailable
        By every method, where the database does not answer.
    """

    @abstractmethod
    def transactions_after(self, position: int, limit: int) -> list[tuple[int, bytes]]:
        """Position and transaction of the next decisions, in order; none is ever passed over."""

    @abstractmethod
    def events_after(self, position: int, limit: int) -> list[tuple[int, DecisionEvent]]:
        """Position of the next decisions, in order, and what made them; neither numbered nor linked."""

    @abstractmethod
    def numbered_after(self, position: int, limit: int) -> list[tuple[int, str, int]]:
        """Position, transaction and moment (ms) of the next decisions, in order, of those that could be removed.

        A position never comes twice while none but these is removed.
        """

    @abstractmethod
    def position_of(self, event: DecisionEvent) -> int:
        """Position of the decision that an event tells of; 0 where it is not here."""

    @abstractmethod
    def behind(self, position: int) -> int:
        """How many decisions come after a position."""

    @abstractmethod
    def last_word(self) -> int:
        """Id of the latest word of feedback, 0 where there is none."""

    @abstractmethod
    def observable(self, until_ms: int, limit: int) -> list[tuple[str, str, float]]:
        """Transaction, card holder and score of the latest decisions whose outcome can be seen, newest first.

        Decided at `until_ms` or before, by all parts that bear a score, and not declined: no chargeback follows a
        declined payment, so it counts only where somebody gave a word on it.
        """

    @abstractmethod
    def words(self) -> list[tuple[str, str, bool]]:
        """Transaction, source and verdict of all feedback, oldest first."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""


class DecisionReader(Reader):
    """Reads an SQLite file."""

    def __init__(self, path: Path) -> None:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        self._connection = sqlite3.connect(uri, uri=True, timeout=5.0, check_same_thread=False)

    def transactions_after(self, position: int, limit: int) -> list[tuple[int, bytes]]:
        query = (
            "SELECT rowid, transaction_json FROM decisions WHERE rowid > ? AND length(transaction_json) > 0"
            " ORDER BY rowid LIMIT ?"
        )
        return self._read(query, position, limit)

    def events_after(self, position: int, limit: int) -> list[tuple[int, DecisionEvent]]:
        query = f"SELECT d.rowid, {_EVENT} WHERE d.rowid > ? ORDER BY d.rowid LIMIT ?"
        return [(row, DecisionEvent(0, *rest)) for row, *rest in self._read(query, position, limit)]

    def numbered_after(self, position: int, limit: int) -> list[tuple[int, str, int]]:
        # Were the last row removed, the next one would get its number, and readers would pass it over.
        query = (
            "SELECT rowid, transaction_id, decided_at_ms FROM decisions"
            " WHERE rowid > ? AND rowid < (SELECT max(rowid) FROM decisions) ORDER BY rowid LIMIT ?"
        )
        return self._read(query, position, limit)

    def position_of(self, event: DecisionEvent) -> int:
        rows = self._read(f"SELECT rowid {_SAME}", *_identity(event))
        return int(rows[0][0]) if rows else 0

    def behind(self, position: int) -> int:
        return self.last() - position

    def last(self) -> int:
        """Position of the latest decision, 0 where there is none."""
        return int(self._read("SELECT coalesce(max(rowid), 0) FROM decisions")[0][0])

    def last_word(self) -> int:
        return int(self._read(_LAST_WORD)[0][0])

    def observable(self, until_ms: int, limit: int) -> list[tuple[str, str, float]]:
        return self._read(_OBSERVABLE.format(order="rowid"), until_ms, limit)

    def words(self) -> list[tuple[str, str, bool]]:
        return self._read(_WORDS)

    def _read(self, query: str, *values: object) -> list[Any]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable(f"decision database: {error}; is the service's folder there?") from error

    def close(self) -> None:
        self._connection.close()


class PostgresReader(Reader):
    """Reads a PostgreSQL database.

    Rows of transactions that are older than every one still under way are settled, and come in the order of their
    transactions; a position is a transaction's number and a row's, as one number.
    """

    def __init__(self, url: str) -> None:
        from fraudkit.serve.decisions.postgres import OTHERS_TIMEOUT_S, PostgresConnection, safe_name

        self._line = PostgresConnection(url, safe_name(url), OTHERS_TIMEOUT_S, reconnects=True)

    def transactions_after(self, position: int, limit: int) -> list[tuple[int, bytes]]:
        rows = self._settled("transaction_json FROM decisions d", position, limit)
        return [(cursor, json) for cursor, json in rows]

    def events_after(self, position: int, limit: int) -> list[tuple[int, DecisionEvent]]:
        return [(cursor, DecisionEvent(0, *rest)) for cursor, *rest in self._settled(_EVENT, position, limit)]

    def numbered_after(self, position: int, limit: int) -> list[tuple[int, str, int]]:
        rows = self._settled("transaction_id, decided_at_ms FROM decisions d", position, limit)
        return [(cursor, name, decided_at_ms) for cursor, name, decided_at_ms in rows]

    def position_of(self, event: DecisionEvent) -> int:
        rows = self._line.rows(f"SELECT written_in, position {_SAME}", _identity(event))
        return rows[0][0] << 64 | rows[0][1] if rows else 0

    def _settled(self, what: str, position: int, limit: int) -> list[tuple[Any, ...]]:
        query = (
            f"SELECT written_in, position, {what} WHERE (written_in, position) > (?, ?)"
            " AND written_in < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
            " ORDER BY written_in, position LIMIT ?"
        )
        rows = self._line.rows(query, (*_parts(position), limit))
        return [(written_in << 64 | row, *rest) for written_in, row, *rest in rows]

    def behind(self, position: int) -> int:
        query = (
            "SELECT count(*) FROM (SELECT 1 FROM decisions WHERE (written_in, position) > (?, ?) LIMIT ?) AS following"
        )
        return int(self._line.rows(query, (*_parts(position), _MOST))[0][0])

    def last_word(self) -> int:
        return int(self._line.rows(_LAST_WORD)[0][0])

    def observable(self, until_ms: int, limit: int) -> list[tuple[str, str, float]]:
        return self._line.rows(_OBSERVABLE.format(order="position"), (until_ms, limit))

    def words(self) -> list[tuple[str, str, bool]]:
        return [(name, source, bool(is_fraud)) for name, source, is_fraud in self._line.rows(_WORDS)]

    def close(self) -> None:
        self._line.close()


def _identity(event: DecisionEvent) -> tuple[str, bytes, int]:
    return event.transaction_id, event.payload_digest, event.decided_at_ms


def _parts(position: int) -> tuple[int, int]:
    return position >> 64, position & (1 << 64) - 1
