"""Sealed files: canonical JSON that carries its own digest.

The digest is of the file's own content, so that a flipped byte in it is found as surely as one in
the files it lists. This module knows nothing of models. A digest shows damage and
mix-ups; it is no signature, so whoever can write the folder can also seal it anew.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fraudkit.core.errors import CorruptArtefact
from fraudkit.core.files import sha256


def canonical_json(content: Any) -> bytes:
    """UTF-8 JSON with sorted keys: the same content gives the same bytes. NaN and infinity are refused."""
    return json.dumps(content, sort_keys=True, indent=1, allow_nan=False, ensure_ascii=False).encode() + b"\n"


def seal(content: Mapping[str, Any]) -> bytes:
    """Canonical JSON of `content` with its own digest under "digest"."""
    body = {key: value for key, value in content.items() if key != "digest"}
    return canonical_json({**body, "digest": sha256(canonical_json(body))})


def unseal(data: bytes, name: str) -> dict[str, Any]:
    """Parse what `seal` wrote.

    Raises
    ------
    CorruptArtefact
        Not JSON, not sealed, or changed since; the message carries `name`.
    """
    try:
        content = json.loads(data)
    except (ValueError, UnicodeDecodeError) as error:
        raise CorruptArtefact(f"{name} is not readable JSON ({error}); restore it or train again") from error
    if not isinstance(content, dict) or seal(content) != data:
        raise CorruptArtefact(f"{name} does not match the digest it carries; restore it or train again")
    return content


def read_bytes(path: Path) -> bytes:
    """The bytes of `path`.

    Raises
    ------
    CorruptArtefact
        The file is missing or cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or "unreadable"
        raise CorruptArtefact(f"{path} cannot be read ({reason}); restore it or train again") from error
