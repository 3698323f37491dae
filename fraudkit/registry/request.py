"""The note that asks for a retraining.

The service leaves it, `fraudkit retrain --if-asked` and the daily DAG take it up. It is a file, so that
asking costs the service nothing and the asker need not know who trains, or when.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from fraudkit.core.files import locked, replace_file
from fraudkit.models.files import read_bytes, seal, unseal
from fraudkit.registry.trigger import Trigger


class RetrainingRequest:
    """The note in a folder: asked.json while a retraining is asked for, answered.json of the last that was answered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ask(self, trigger: Trigger, now_ms: int) -> bool:
        """Leave the note where none lies; whether one was left. The first reason stays."""
        with self._lock():
            if self.pending() is not None:
                return False
            content = {"asked_at_ms": now_ms, "reasons": list(trigger.reasons)}
            replace_file(self.folder / "asked.json", seal(content))
        return True

    def pending(self) -> dict[str, Any] | None:
        """What is asked for: asked_at_ms and reasons; None where nothing is."""
        return self._read("asked.json")

    def answer(self, now_ms: int, run: str, version: str, promoted: bool) -> None:
        """Note a finished retraining, asked for or not, and take the request away."""
        with self._lock():
            content = {
                "answered_at_ms": now_ms, "run": run, "version": version, "promoted": promoted,
                "asked": self.pending(),
            }  # fmt: skip
            replace_file(self.folder / "answered.json", seal(content))
            (self.folder / "asked.json").unlink(missing_ok=True)

    def last(self) -> dict[str, Any] | None:
        """The last retraining that was finished, as `answer` noted it; None before the first."""
        return self._read("answered.json")

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.folder / name
        if not path.exists():
            return None
        return {key: value for key, value in unseal(read_bytes(path), str(path)).items() if key != "digest"}

    def _lock(self) -> AbstractContextManager[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        return locked(self.folder / ".request.lock")
