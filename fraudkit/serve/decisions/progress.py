"""How far decisions were published as events.

One service keeps it in a file. Services that share a database keep it there, and take turns: events have one order
and one chain, whichever service publishes them.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from fraudkit.core.decision_event import GENESIS
from fraudkit.core.errors import CorruptArtefact
from fraudkit.core.files import replace_file

_TURN = 0x70_75_62  # any number that every service agrees on


@dataclass(frozen=True, slots=True)
class Published:
    """Number and hash of the last published event, and the reader's position behind it."""

    position: int
    chain: str
    cursor: int


NOTHING = Published(0, GENESIS, 0)


class Progress(ABC):
    """Kept beside the decisions."""

    @abstractmethod
    def read(self) -> Published:
        """How far it is."""

    @abstractmethod
    def turn(self) -> AbstractContextManager[Published | None]:
        """Inside, nobody else publishes: how far it is, or None where another one is at it."""

    @abstractmethod
    def keep(self, published: Published) -> None:
        """Note, inside a turn, how far it is now."""

    @abstractmethod
    def close(self) -> None:
        """Let go of what it holds."""


class FileProgress(Progress):
    """A file of one service.

    Raises
    ------
    CorruptArtefact
        By read() and turn(): the file cannot be read; without it, events would be published under other hashes.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Published:
        try:
            content = json.loads(self._path.read_bytes())
            position = int(content["position"])
            return Published(position, str(content["chain"]), int(content.get("cursor", position)))
        except FileNotFoundError:
            return NOTHING
        except (ValueError, KeyError, TypeError) as error:
            raise CorruptArtefact(f"{self._path} cannot be read ({error}); restore it") from error

    @contextmanager
    def turn(self) -> Iterator[Published | None]:
        yield self.read()

    def keep(self, published: Published) -> None:
        replace_file(self._path, json.dumps(asdict(published)).encode())

    def close(self) -> None:
        """Nothing is held between two calls."""


class SharedProgress(Progress):
    """A row of the shared database.

    Raises
    ------
    StoreUnavailable
        By every method, where the database does not answer.
    """

    def __init__(self, url: str) -> None:
        from fraudkit.serve.decisions.postgres import OTHERS_TIMEOUT_S, PostgresConnection, safe_name

        self._line = PostgresConnection(url, safe_name(url), OTHERS_TIMEOUT_S, reconnects=True)

    def read(self) -> Published:
        rows = self._line.rows("SELECT position, chain, cursor FROM published")
        return Published(int(rows[0][0]), rows[0][1], int(rows[0][2])) if rows else NOTHING

    @contextmanager
    def turn(self) -> Iterator[Published | None]:
        with self._line.transaction():
            ((mine,),) = self._line.rows("SELECT pg_try_advisory_xact_lock(?)", (_TURN,))
            yield self.read() if mine else None

    def keep(self, published: Published) -> None:
        values = (published.position, published.chain, published.cursor)
        self._line.run(
            "INSERT INTO published (only_row, position, chain, cursor) VALUES (1, ?, ?, ?) ON CONFLICT (only_row)"
            " DO UPDATE SET position = excluded.position, chain = excluded.chain, cursor = excluded.cursor",
            values,
        )

    def close(self) -> None:
        self._line.close()
