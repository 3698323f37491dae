"""The manifest: which files make up a lake, with size, rows and digest of each.

A file that the manifest does not name is not part of the lake, so writing the manifest is the
moment at which anything becomes true. The manifest carries its own digest. That shows damage and
mix-ups; it is no signature.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

from fraudkit.core.errors import CorruptArtefact, NotReady
from fraudkit.core.files import replace_file, sha256

MANIFEST_NAME = "MANIFEST.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One Parquet file: path relative to the lake, table it belongs to, rows, bytes, SHA-256."""

    path: str
    table: str
    rows: int
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """All files of a lake, sorted by path, and the configuration that its tables were made with."""

    files: tuple[FileEntry, ...]
    config: dict[str, Any] = field(default_factory=dict)

    def of(self, table: str) -> list[FileEntry]:
        """The files of one table, in path order."""
        return [entry for entry in self.files if entry.table == table]

    def rows(self) -> dict[str, int]:
        """Row count of each table."""
        counts: dict[str, int] = {}
        for entry in self.files:
            counts[entry.table] = counts.get(entry.table, 0) + entry.rows
        return counts

    def plus(self, entries: list[FileEntry]) -> Manifest:
        """This manifest with more files; an entry at the same path takes the old one's place."""
        by_path = {entry.path: entry for entry in (*self.files, *entries)}
        return Manifest(tuple(by_path[path] for path in sorted(by_path)), self.config)


def _plain(value: Any) -> str:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, frozenset | set):
        return ", ".join(sorted(value))
    raise TypeError(f"a lake's config cannot hold {type(value).__name__}")


def _canonical(content: dict[str, Any]) -> bytes:
    return json.dumps(content, sort_keys=True, indent=1, default=_plain, ensure_ascii=False).encode() + b"\n"


def encode_manifest(manifest: Manifest) -> bytes:
    """Canonical JSON with its own digest: the same manifest gives the same bytes."""
    body: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "rows": manifest.rows(),
        "files": [asdict(entry) for entry in manifest.files],
        "config": manifest.config,
    }
    return _canonical({**body, "digest": sha256(_canonical(body))})


def decode_manifest(data: bytes, name: str) -> Manifest:
    """Parse what `encode_manifest` wrote.

    Raises
    ------
    CorruptArtefact
        Not JSON, another schema version, or changed since it was written; the message carries `name`.
    """
    try:
        content = json.loads(data)
        version = content["schema_version"]
        manifest = Manifest(tuple(FileEntry(**entry) for entry in content["files"]), content["config"])
    except (ValueError, TypeError, KeyError) as error:
        raise CorruptArtefact(f"{name} is not a readable manifest ({error}); build the lake again") from error
    if version != SCHEMA_VERSION:
        raise CorruptArtefact(f"{name} has schema version {version}, this program reads {SCHEMA_VERSION}; build again")
    if encode_manifest(manifest) != data:
        raise CorruptArtefact(f"{name} does not match the digest it carries; restore it or build the lake again")
    return manifest


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the lake in `folder`.

    Raises
    ------
    NotReady
        There is none, so there is no (finished) lake.
    CorruptArtefact
        It cannot be read or has been changed.
    """
    path = folder / MANIFEST_NAME
    try:
        data = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise NotReady(
            f"{folder} holds no finished lake; build a world with `fraudkit simulate small` "
            "or bring a file in with `fraudkit lake import FILE`"
        ) from None
    except OSError as error:
        raise CorruptArtefact(f"{path} cannot be read ({error.strerror}); restore it or build again") from error
    return decode_manifest(data, str(path))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put `manifest` in force for `folder` in one step."""
    replace_file(folder / MANIFEST_NAME, encode_manifest(manifest))
