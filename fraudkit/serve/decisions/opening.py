"""Opens what the settings name: the database, and what reads it. Knows nothing of what is done with them."""

from __future__ import annotations

import socket
from pathlib import Path

from fraudkit.core.config import Settings
from fraudkit.serve.decisions.progress import FileProgress, Progress, SharedProgress
from fraudkit.serve.decisions.reader import DecisionReader, PostgresReader, Reader
from fraudkit.serve.decisions.sqlite import SqliteDatabase
from fraudkit.serve.decisions.store import DecisionStore

DATABASE_FILE = "decisions.db"  # in the folder of running processes' files
PUBLISHED_FILE = "published.json"


def open_decisions(settings: Settings) -> DecisionStore:
    """The decision database at DATABASE_URL, or an SQLite file.

    Raises
    ------
    NotReady, CorruptArtefact, InvalidInput
        It does not answer, it has another format, or the URL cannot be read.
    """
    if settings.database_url is None:
        return DecisionStore(SqliteDatabase(settings.run / DATABASE_FILE, settings.durable))
    from fraudkit.serve.decisions.postgres import PostgresDatabase

    # The journal is a file of this machine, so that what names its service is the machine and the folder.
    writer = f"{socket.gethostname()}:{settings.run}"
    return DecisionStore(PostgresDatabase(settings.database_url, settings.patience, settings.durable), writer)


def open_reader(folder: Path, url: str | None) -> Reader:
    """A reader of the database in a folder or at an address; a service has made it before.

    Raises
    ------
    StoreUnavailable
        It does not answer.
    """
    return DecisionReader(folder / DATABASE_FILE) if url is None else PostgresReader(url)


def open_progress(folder: Path, url: str | None) -> Progress:
    """How far the decisions of that database were published.

    Raises
    ------
    StoreUnavailable
        The database does not answer.
    """
    return FileProgress(folder / PUBLISHED_FILE) if url is None else SharedProgress(url)
