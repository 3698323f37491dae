"""Which lake is meant by a name on the command line: a world's name or a folder."""

from __future__ import annotations

from pathlib import Path

from fraudkit.core.config import settings
from fraudkit.core.errors import NotReady
from fraudkit.lake.manifest import MANIFEST_NAME


def resolve(name_or_path: str) -> Path:
    """Folder of the lake that is meant: a path that exists, or a world under the settings' worlds.

    Raises
    ------
    NotReady
        Neither is there.
    """
    path = Path(name_or_path).expanduser()
    world = settings().worlds / name_or_path
    for candidate in (world, path):
        if (candidate / MANIFEST_NAME).is_file():
            return candidate
    if path.is_dir():
        return path
    there = sorted(folder.parent.name for folder in settings().worlds.glob(f"[!.]*/{MANIFEST_NAME}"))
    known = f"worlds that are built: {', '.join(there)}" if there else "no world is built yet"
    raise NotReady(
        f"no lake called {name_or_path!r} ({known}); build one with `fraudkit simulate small` or give a folder"
    )
