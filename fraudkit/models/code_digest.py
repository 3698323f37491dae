"""A digest of the code that turns a transaction into a score: features, models and rules.

Stored with every bundle and every logged decision, so that a replay that differs can be told from
a replay under other code.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

PACKAGES = ("features", "models", "rules")


@lru_cache(maxsize=1)
def code_digest() -> str:
    """SHA-256 over the Python and Lua sources of fraudkit's features, models and rules."""
    root = Path(__file__).resolve().parents[1]
    digest = hashlib.sha256()
    for package in PACKAGES:
        paths = (path for path in (root / package).rglob("*") if path.suffix in {".py", ".lua"})
        for path in sorted(paths, key=lambda path: path.relative_to(root).as_posix()):
            data = path.read_bytes()
            digest.update(f"{path.relative_to(root).as_posix()}\0{len(data)}\0".encode())
            digest.update(data)
    return digest.hexdigest()
