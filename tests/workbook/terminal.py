"""A command behind a pseudo-terminal, from start to end: what a person at the keyboard would see."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

PATIENCE_S = 30


def seen_in_a_terminal(home: Path, *arguments: str, typed: str = "", columns: int = 100) -> str:
    """All that `fraudkit ARGUMENTS` showed to somebody who typed this; it has to end well."""
    keyboard, screen = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "fraudkit", *arguments], stdin=screen, stdout=screen, stderr=screen,
        env={**os.environ, "FRAUDKIT_HOME": str(home), "TERM": "dumb", "COLUMNS": str(columns)},
    )  # fmt: skip
    os.close(screen)
    os.write(keyboard, typed.encode())
    seen = b""
    try:
        while chunk := os.read(keyboard, 4096):
            seen += chunk
    except OSError:  # the terminal's end, once the process has gone
        pass
    os.close(keyboard)
    assert process.wait(PATIENCE_S) == 0, seen.decode()
    return seen.decode()
