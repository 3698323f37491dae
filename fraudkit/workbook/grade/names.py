"""Learners' names as names of files: safe on every system, and never two the same."""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_LENGTH = 80
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?$")


def file_names(names: Iterable[str]) -> dict[str, str]:
    """Name -> file name, different even where upper and lower case are the same.

    >>> file_names(["Ana Ruiz", "ana ruiz", "../x"])
    {'Ana Ruiz': 'Ana_Ruiz', 'ana ruiz': 'ana_ruiz-2', '../x': 'x'}
    """
    found: dict[str, str] = {}
    used: set[str] = set()
    for name in names:
        plain = re.sub(r"[^\w.@+-]+", "_", name, flags=re.UNICODE).strip("._-")[:MAX_LENGTH] or "learner"
        if RESERVED.match(plain):
            plain = f"_{plain}"
        chosen, number = plain, 2
        while chosen.casefold() in used:
            chosen = f"{plain}-{number}"
            number += 1
        used.add(chosen.casefold())
        found[name] = chosen
    return found
