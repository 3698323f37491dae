"""One daily run on disk: a folder with a record a step, so that a killed run goes on where it stopped.

A record is written when its step is whole. It holds JSON values that a scheduler can hand on. What a step does is
none of this module's business.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from fraudkit.core.config import settings
from fraudkit.core.errors import NotReady
from fraudkit.core.files import locked, replace_file
from fraudkit.models.files import read_bytes, seal, unseal

Step = dict[str, Any]


def run_folder(run: str) -> Path:
    """Where a run keeps its files.

    Raises
    ------
    NotReady
        There is no such run here.
    """
    folder = settings().retraining / run
    if not folder.is_dir():
        raise NotReady(f"no retraining run {run!r} in {settings().retraining}; begin with the extract step")
    return folder


def do_step(run: str, name: str, work: Callable[[Path], Step]) -> Step:
    """What the step recorded before, or what `work` returns now, recorded."""
    folder = settings().retraining / run
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / ".lock"):
        if not is_done(run, name):
            replace_file(_path(run, name), seal({"run": run, **work(folder)}))
        return recorded(run, name)


def is_done(run: str, name: str) -> bool:
    """Whether a step has been recorded."""
    return _path(run, name).exists()


def recorded(run: str, name: str) -> Step:
    """What a step recorded.

    Raises
    ------
    CorruptArtefact
        It recorded nothing, or the record was changed.
    """
    path = _path(run, name)
    return {key: value for key, value in unseal(read_bytes(path), str(path)).items() if key != "digest"}


def _path(run: str, name: str) -> Path:
    return settings().retraining / run / f"{name}.json"
