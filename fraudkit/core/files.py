"""Bytes that a crash cannot leave half done: synced writes, digests, a replace in one step.

Knows nothing of what the bytes mean.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from fraudkit.core.errors import InvalidInput


def sha256(data: bytes) -> str:
    """Hex digest of `data`.

    >>> sha256(b"")[:8]
    'e3b0c442'
    """
    return hashlib.sha256(data).hexdigest()


def sha256_of(path: Path) -> str:
    """Hex digest of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_synced(path: Path, data: bytes) -> None:
    """Write `data` and wait until it is on the disk."""
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in `folder` are on the disk, so that a rename survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """`sync_folder` for `folder` and every folder below it."""
    for below in sorted(path for path in folder.rglob("*") if path.is_dir()):
        sync_folder(below)
    sync_folder(folder)


def replace_file(path: Path, data: bytes, mode: int = 0o644) -> None:
    """Replace `path` in one step: a reader sees the old bytes or the new ones, never a mixture."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    temporary = Path(name)
    try:
        write_synced(temporary, data)
        temporary.chmod(mode)  # mkstemp makes files that only their owner can read
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Create `folder` with `files` in one step; files are written in the mapping's order.

    Raises
    ------
    InvalidInput
        The folder exists already.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for name, data in files.items():
            write_synced(temporary / name, data)
        temporary.chmod(0o755)
        sync_folder(temporary)
        _rename_new(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(folder.parent)


def replace_folder(finished: Path, folder: Path) -> None:
    """Rename `finished` to its sibling `folder`. An old one steps aside first and goes when the new one stands."""
    aside = finished.with_name(f"{finished.name}.old")
    if folder.exists():
        folder.rename(aside)
    try:
        finished.rename(folder)
    except OSError:
        if aside.exists():
            aside.rename(folder)
        raise
    sync_folder(folder.parent)
    shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`, waiting for another process that holds it; a crash releases it."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _rename_new(temporary: Path, folder: Path) -> None:
    """Rename, refusing an existing target even when it is an empty folder."""
    if folder.exists():
        raise InvalidInput(f"{folder} exists already; choose another folder or remove it first")
    try:
        temporary.rename(folder)
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be created ({error.strerror}); choose another folder") from error
