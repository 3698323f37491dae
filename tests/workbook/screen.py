"""What a terminal shows after it was sent so many bytes: the few orders that prompt_toolkit and rich give."""

from __future__ import annotations

import re

_ORDER = re.compile(r"\x1b\[([?>]?)([\d;]*)([A-Za-z])|\x1b[()][A-Z0-9]|\x1b[=>78]|\x1b\][^\x07]*\x07|(.)", re.DOTALL)


class Screen:
    """Rows of text and a cursor; colours and modes are passed over, an unknown movement is an error."""

    def __init__(self) -> None:
        self.rows: list[list[str]] = [[]]
        self.row = self.column = 0

    def take(self, text: str) -> None:
        """Draw what a program sent."""
        for found in _ORDER.finditer(text):
            if found[4]:
                self._put(found[4])
            elif found[3] and not found[1] and found[3] != "m":
                self._obey(found[3], int(found[2].partition(";")[0] or 0))

    def _put(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\b":
            self.column = max(0, self.column - 1)
        elif character == "\n":
            self._down(1)
        else:
            line = self.rows[self.row]
            line += [" "] * (self.column + 1 - len(line))
            line[self.column] = character
            self.column += 1

    def _obey(self, order: str, count: int) -> None:
        steps = count or 1
        if order in "AB":
            self._down(-steps if order == "A" else steps)
        elif order in "CD":
            self.column = max(0, self.column + (steps if order == "C" else -steps))
        elif order == "J" and count == 0:
            del self.rows[self.row][self.column :]
            del self.rows[self.row + 1 :]
        elif order == "K" and count == 0:
            del self.rows[self.row][self.column :]
        elif order != "n":  # "where is the cursor?" is for the keyboard to answer
            raise AssertionError(f"the screen does not know the order {order} {count}")

    def _down(self, rows: int) -> None:
        self.row = max(0, self.row + rows)
        self.rows += [[] for _ in range(self.row + 1 - len(self.rows))]

    @property
    def line(self) -> str:
        """The line with the cursor."""
        return "".join(self.rows[self.row])

    @property
    def text(self) -> str:
        """All rows."""
        return "\n".join("".join(row).rstrip() for row in self.rows)
