"""Reading a line while what stands before it goes on changing; plain where the terminal cannot redraw a line.

prompt_toolkit, with which IPython reads, redraws the line from the loop that waits for keys: no thread writes into what
is typed. Knows nothing of interviews.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from typing import TextIO, cast

from rich.console import Console

EVERY_S = 0.5  # so that no second of the countdown is skipped
PLAIN = ("", "dumb", "unknown")


def reader(console: Console) -> Callable[[Callable[[], str]], str]:
    """What reads a line after a text that is asked for again twice a second; once where nothing can be redrawn."""
    if not can_redraw(console):
        return lambda says: console.input(says(), markup=False)
    from prompt_toolkit import PromptSession  # late: it takes a moment, and a script never needs it
    from prompt_toolkit.output import create_output

    where = create_output(cast(TextIO, console.file))  # beside what the console prints, whatever is redirected
    session: PromptSession[str] = PromptSession(output=where, refresh_interval=EVERY_S)
    return partial(session.prompt, reserve_space_for_menu=0)


def can_redraw(console: Console) -> bool:
    """Whether somebody types at this process's terminal, and the terminal can move its cursor."""
    typed = sys.stdin is not None and sys.stdin.isatty()
    return typed and console.is_terminal and os.environ.get("TERM", "") not in PLAIN
