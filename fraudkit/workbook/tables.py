"""Tables of a TOML file, held against the keys that they should have. Knows nothing of what the files say."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from typing import Any

from fraudkit.core.errors import InvalidInput

Kind = type | tuple[type, ...]


def read_document(what: str, text: str) -> dict[str, Any]:
    """The document in a file's text; `what` names the file in the message.

    Raises
    ------
    InvalidInput
        The text is no TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"{what} is no TOML: {error}") from error


def demand_keys(
    where: str,
    table: Any,
    needed: Mapping[str, Kind],
    optional: Mapping[str, Kind] | None = None,
    may_be_empty: Collection[str] = (),
) -> None:
    """Refuse what is no table, lacks a key, has an unknown one, or holds a value of another type.

    Parameters
    ----------
    where : names the table in the message
    needed, optional : key -> the type of its value, exactly: a boolean is no number
    may_be_empty : needed keys for which "" or [] will do

    Raises
    ------
    InvalidInput
        As above; the message names the keys.
    """
    if not isinstance(table, dict):
        raise InvalidInput(f"{where}: should be a table, not {table!r}")
    known = {**needed, **(optional or {})}
    missing = [key for key in needed if key not in table or (table[key] in ("", []) and key not in may_be_empty)]
    unknown = [key for key in table if key not in known]
    wrong = [key for key, kind in known.items() if key in table and not _is(table[key], kind)]
    if missing or unknown or wrong:
        raise InvalidInput(f"{where}: missing or empty {missing}, unknown {unknown}, of the wrong type {wrong}")


def _is(value: Any, kind: Kind) -> bool:
    return type(value) in (kind if isinstance(kind, tuple) else (kind,))
