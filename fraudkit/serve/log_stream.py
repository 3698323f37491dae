"""A stream for the log that never waits: a thread of its own writes, and what it cannot keep up with is counted.

Whoever reads a service's log may be slow, or gone; payments must not wait for it. Knows nothing of what is written.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Protocol

MOST_WAITING = 10_000  # texts; some megabytes
CLOSE_S = 2.0  # for what is still waiting when the service ends


class Stream(Protocol):
    """Where the lines go in the end."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> None: ...


class UnhurriedStream:
    """Writes to `stream` in its own time.

    Parameters
    ----------
    stream : may block or raise
    tell_lost : makes the line that tells how many texts were lost, once the stream writes again
    """

    def __init__(self, stream: Stream, tell_lost: Callable[[int], str], most_waiting: int = MOST_WAITING) -> None:
        self._stream = stream
        self._tell_lost = tell_lost
        self._waiting: queue.Queue[str | None] = queue.Queue(most_waiting)
        self.lost = 0
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Take a text, or count it as lost where too many wait already."""
        try:
            self._waiting.put_nowait(text)
        except queue.Full:
            self.lost += 1

    def flush(self) -> None:
        """Nothing: the thread flushes after each text."""

    def close(self) -> None:
        """Write what is waiting, for a while, and stop."""
        try:
            self._waiting.put(None, timeout=CLOSE_S)
        except queue.Full:
            return
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        told = 0
        while (text := self._waiting.get()) is not None:
            if self.lost > told and self._wrote(self._tell_lost(self.lost - told)):
                told = self.lost
            if not self._wrote(text):
                self.lost += 1

    def _wrote(self, text: str) -> bool:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # a full disk, a reader that is gone, a stream that was closed
            return False
        return True
