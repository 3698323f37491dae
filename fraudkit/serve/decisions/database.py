"""What the decision store needs of a database; the SQL itself is the same for all.

Statements are written with `?` for values. What differs between engines (how to connect, how to ask for many
keys, which columns hold bytes) is here and in the modules that carry an engine's name.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

from fraudkit.core.errors import StoreUnavailable

Row = tuple[Any, ...]
KEYS = "{keys}"  # in a statement: where the list of keys goes
TURN_S = 2.0  # a request waits no longer for the connection that requests share


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast rows may be removed: so many in one commit, then a rest of so many times as long as that took."""

    rows: int
    rest: float


class Connection(ABC):
    """One connection, used by one thread at a time.

    Raises
    ------
    StoreUnavailable
        By every method, where the database does not answer or does not take the statement now.
    """

    @abstractmethod
    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """The rows that a query gives."""

    @abstractmethod
    def rows_of(self, sql: str, keys: Sequence[str]) -> list[Row]:
        """The rows of a query with `IN {keys}`."""

    @abstractmethod
    def run(self, sql: str, values: Sequence[object] = ()) -> int:
        """Run a statement; how many rows it changed."""

    @abstractmethod
    def run_many(self, sql: str, rows: Sequence[Sequence[object]]) -> int:
        """Run a statement for many rows, all or none; how many rows it changed."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Everything inside becomes one commit, or nothing of it happens."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it."""


class Database(ABC):
    """An opened database: its tables are there, in the present format.

    Attributes
    ----------
    name : what messages call it; holds no password
    scoring : the scoring thread's own connection
    pace : at which payments notice nothing of rows that are removed
    """

    name: str
    scoring: Connection
    pace: Pace
    _others: Connection

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def others(self) -> Iterator[Connection]:
        """The connection of all other threads, one at a time.

        Raises
        ------
        StoreUnavailable
            Those before take too long.
        """
        if not self._lock.acquire(timeout=TURN_S):
            raise StoreUnavailable(f"decision database {self.name} is busy; try again in a second")
        try:
            yield self._others
        finally:
            self._lock.release()

    @abstractmethod
    def one_at_a_time(self, connection: Connection, key: str) -> None:
        """Until the transaction ends, let no other process work on `key`."""

    @abstractmethod
    def renew(self) -> None:
        """Connect again where the connection was lost; called about once a second off the path of payments."""

    def close(self) -> None:
        """Close the connections; what they hold stays."""
        self.scoring.close()
        self._others.close()
