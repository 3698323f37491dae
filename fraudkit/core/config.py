"""Settings, read once from the environment and then frozen.

Every setting has a default that works on one machine without an account.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fraudkit.core.errors import InvalidInput

PROJECT_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the process was started with.

    Attributes
    ----------
    home : folder that holds worlds, models, the embedded store and the decision database
    redis_url : URL of a Valkey/Redis server; None starts the embedded one
    host, port : where the service listens
    events : where decision events go: valkey, kafka://HOST:PORT/TOPIC or off
    secondary : where the secondary feature store lies: sqlite (a file) or dynamodb://TABLE
    database_url : of a PostgreSQL server for decisions and feedback; None keeps them in an SQLite file
    durable : a decision is told only when it would survive a power cut, not just the end of the process
    accepted_days : the service refuses payments whose timestamp is older; None takes any since 1990
    patience : what the time of every part of a payment is multiplied by; above 1 for slow or crowded machines
    """

    home: Path
    redis_url: str | None
    host: str
    port: int
    patience: float = 1.0
    events: str = "valkey"
    secondary: str = "sqlite"
    database_url: str | None = None
    durable: bool = False
    accepted_days: int | None = None

    @property
    def worlds(self) -> Path:
        """Folder of simulated worlds, one sub-folder a world."""
        return self.home / "worlds"

    @property
    def registry(self) -> Path:
        """Folder of the model registry."""
        return self.home / "registry"

    @property
    def retraining(self) -> Path:
        """Folder of retraining runs, one sub-folder a run, and of the request for one."""
        return self.home / "retraining"

    @property
    def run(self) -> Path:
        """Folder of running processes' files: the embedded store, the decision database, logs."""
        return self.home / "run"


def read_settings(env: dict[str, str] | None = None) -> Settings:
    """Build settings from `env` (default: this process's environment).

    Raises
    ------
    InvalidInput
        FRAUDKIT_PORT is not a port number, FRAUDKIT_PATIENCE no number above 0, DATABASE_URL not PostgreSQL's,
        FRAUDKIT_DURABLE not one of the known words, or FRAUDKIT_ACCEPTED_DAYS no number of days.
    """
    env = dict(os.environ) if env is None else env
    default_home = PROJECT_ROOT / "data" if (PROJECT_ROOT / "pyproject.toml").exists() else Path.home() / ".fraudkit"
    port = env.get("FRAUDKIT_PORT", "8000")
    if not port.isdigit() or not 0 <= int(port) <= 65_535:
        raise InvalidInput(f"FRAUDKIT_PORT={port!r} is not a port; set a number from 0 to 65535")
    return Settings(
        events=env.get("FRAUDKIT_EVENTS") or "valkey",
        secondary=env.get("FRAUDKIT_SECONDARY") or "sqlite",
        patience=_patience(env.get("FRAUDKIT_PATIENCE", "1")),
        database_url=_database_url(env.get("DATABASE_URL") or None),
        durable=_durable(env.get("FRAUDKIT_DURABLE") or "process"),
        accepted_days=_accepted_days(env.get("FRAUDKIT_ACCEPTED_DAYS") or None),
        home=Path(env.get("FRAUDKIT_HOME") or default_home).expanduser().resolve(),
        redis_url=env.get("REDIS_URL") or None,
        host=env.get("FRAUDKIT_HOST", "127.0.0.1"),
        port=int(port),
    )


def _database_url(url: str | None) -> str | None:
    if url is not None and not url.startswith(("postgresql://", "postgres://")):
        raise InvalidInput(
            "DATABASE_URL does not begin with postgresql://; set one such as postgresql://user:password@host/fraudkit, "
            "or leave it out for SQLite"
        )
    return url


def _durable(word: str) -> bool:
    if word not in ("process", "power"):
        raise InvalidInput(f"FRAUDKIT_DURABLE={word!r} is not known; set process (the default) or power")
    return word == "power"


def _accepted_days(text: str | None) -> int | None:
    if text is not None and not (text.isascii() and text.isdigit() and 1 <= int(text) <= 10_000):
        raise InvalidInput(
            f"FRAUDKIT_ACCEPTED_DAYS={text!r} is not a number of days from 1 to 10000; leave it out to take any payment"
        )
    return None if text is None else int(text)


def _patience(text: str) -> float:
    try:
        patience = float(text)
    except ValueError:
        patience = 0.0
    if not 0.0 < patience <= 1000.0:
        raise InvalidInput(f"FRAUDKIT_PATIENCE={text!r} is not a number above 0, at most 1000; leave it at 1")
    return patience


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read at the first call."""
    return read_settings()
