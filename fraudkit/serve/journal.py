"""Decisions that the database could not take: one JSON line each in a file, until it can.

A line is written before its reply is sent, so that killing the process loses no acknowledged
decision. At the next start, and as soon as the database answers again, the lines move there. A line
that was cut off by a crash belongs to a decision that nobody was told of, and is dropped.
"""

from __future__ import annotations

import base64
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from fraudkit.core.errors import StoreUnavailable
from fraudkit.serve.decisions import DecisionStore, Record

_BYTES = ("payload_digest", "reply", "vector", "transaction_json")


class Journal:
    """The file of one service; safe to share between threads. With `durable` a record waits for the disk."""

    def __init__(self, path: Path, durable: bool = False) -> None:
        self.path = path
        self._durable = durable
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None

    def add(self, records: Sequence[Record]) -> None:
        """Append records and hand them to the operating system.

        Raises
        ------
        StoreUnavailable
            The file cannot be written either.
        """
        lines = b"".join(orjson.dumps(_plain(record)) + b"\n" for record in records)
        try:
            with self._lock:
                if self._file is None:
                    self.path.parent.mkdir(parents=True, exist_ok=True)
                    self._file = self.path.open("ab", buffering=0)
                    if self._file.tell():
                        self._file.write(b"\n")  # ends a line that an earlier writer could not finish
                self._file.write(lines)
                if self._durable:
                    os.fsync(self._file.fileno())
        except OSError as error:
            self.close()
            raise StoreUnavailable(f"journal {self.path}: {error.strerror}; see whether the disk is full") from error

    @property
    def in_use(self) -> bool:
        """Whether records may wait here."""
        return self._file is not None

    def waiting(self) -> list[Record]:
        """The records that wait, the latest of each transaction, in order."""
        with self._lock:
            return self._read()

    def move(self, decisions: DecisionStore) -> int:
        """Bring what waits into the database and empty the file; how many there were.

        Raises
        ------
        StoreUnavailable
            The database cannot be written; the file stays as it is.
        """
        with self._lock:
            records = self._read()
            if records:
                decisions.take_back(records)
            self.close()
            self.path.unlink(missing_ok=True)
        return len(records)

    def close(self) -> None:
        """Close the file; what it holds stays."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _read(self) -> list[Record]:
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return []
        found = {}
        for line in lines:
            with suppress(orjson.JSONDecodeError):  # an empty line, or one that was cut off
                record = _record(orjson.loads(line))
                found[record.transaction_id] = record
        return list(found.values())


def _plain(record: Record) -> dict[str, Any]:
    content = asdict(record)
    return content | {name: base64.b64encode(content[name]).decode() for name in _BYTES}


def _record(content: dict[str, Any]) -> Record:
    return Record(**content | {name: base64.b64decode(content[name]) for name in _BYTES})
