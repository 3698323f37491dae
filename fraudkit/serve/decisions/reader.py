"""Reads the decisions of a database that other processes write, in the order in which they were committed."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from pathlib import Path

_MOST = 1_000_000  # a reader that is further behind is told to be this far behind


class Reader(ABC):
    """A position is a number that rises; what it counts is the database's affair."""

    @abstractmethod
    def after(self, position: int, limit: int) -> list[tuple[int, bytes]]:
        """Position and transaction of the next decisions, in order; none is ever passed over."""

    @abstractmethod
    def behind(self, position: int) -> int:
        """How many decisions come after a position."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection."""


class DecisionReader(Reader):
    """Reads an SQLite file."""

    def __init__(self, path: Path) -> None:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        self._connection = sqlite3.connect(uri, uri=True, timeout=5.0, check_same_thread=False)

    def after(self, position: int, limit: int) -> list[tuple[int, bytes]]:
        query = (
            "SELECT rowid, transaction_json FROM decisions WHERE rowid > ? AND length(transaction_json) > 0"
            " ORDER BY rowid LIMIT ?"
        )
        return self._connection.execute(query, (position, limit)).fetchall()

    def behind(self, position: int) -> int:
        return self.last() - position

    def last(self) -> int:
        """Position of the latest decision, 0 where there is none."""
        return int(self._connection.execute("SELECT coalesce(max(rowid), 0) FROM decisions").fetchone()[0])

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

    def after(self, position: int, limit: int) -> list[tuple[int, bytes]]:
        query = (
            "SELECT written_in, position, transaction_json FROM decisions WHERE (written_in, position) > (?, ?)"
            " AND written_in < pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
            " ORDER BY written_in, position LIMIT ?"
        )
        rows = self._line.rows(query, (*_parts(position), limit))
        return [(written_in << 64 | row, json) for written_in, row, json in rows]

    def behind(self, position: int) -> int:
        query = (
            "SELECT count(*) FROM (SELECT 1 FROM decisions WHERE (written_in, position) > (?, ?) LIMIT ?) AS following"
        )
        return int(self._line.rows(query, (*_parts(position), _MOST))[0][0])

    def close(self) -> None:
        self._line.close()


def _parts(position: int) -> tuple[int, int]:
    return position >> 64, position & (1 << 64) - 1
