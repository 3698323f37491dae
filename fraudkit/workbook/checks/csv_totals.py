"""CSV in pieces cut anywhere: quotes across pieces, cents, complete rows only, and bounded memory."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from itertools import pairwise

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant, Step
from fraudkit.workbook.shrink import calls


def by_character(steps=()):
    """The oracle: keeps the whole text and reads it anew at each question, one character after the other."""
    text, closed, answers = "", False, []
    for step in steps:
        if step.method == "feed":
            text += step.args[0]
        closed = closed or step.method == "close"
        rows, rest = _rows(text, closed)
        if step.method == "held":
            answers.append(rest)
        elif step.method == "totals":
            answers.append(_totals(rows))
        else:
            answers.append(None)
    return answers


def _rows(text: str, closed: bool) -> tuple[list[list[str]], int]:
    """The complete rows of a text, and how many characters come after them."""
    rows, row, field, inside, start, i = [], [], "", False, 0, 0
    while i < len(text):
        letter = text[i]
        if inside and letter == '"' and text[i + 1 : i + 2] == '"':
            field, i = field + '"', i + 1
        elif letter == '"':
            inside = not inside
        elif letter == "," and not inside:
            row, field = [*row, field], ""
        elif letter == "\n" and not inside:
            rows.append([*row, field.removesuffix("\r")])
            row, field, start = [], "", i + 1
        else:
            field += letter
        i += 1
    if closed:
        rows.append([*row, field])
        start = len(text)
    return [found for found in rows if found != [""]], len(text) - start


def _totals(rows: list[list[str]]) -> dict[str, int]:
    out: dict[str, int] = {}
    for row in rows[1:]:
        named = dict(zip(rows[0], row, strict=True))
        whole, _, part = named["amount"].lstrip("-").partition(".")
        cents = int(whole) * 100 + int((part + "00")[:2])
        out[named["merchant"]] = out.get(named["merchant"], 0) + (-cents if named["amount"].startswith("-") else cents)
    return out


def agree(got, expected, case):
    """What feed and close return does not matter."""
    if isinstance(got, list | tuple) and len(got) == len(expected):
        got = [None if right is None else mine for mine, right in zip(got, expected, strict=True)]
    return exact(got, expected, case)


def _feeds(*pieces: str) -> tuple[Step, ...]:
    return tuple(Step("feed", (piece,)) for piece in pieces)


ASK = (Step("totals"), Step("held"))
END = (Step("close"), *ASK)
HEAD = "id,merchant,amount\n"


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random files cut at random places."""
    found = [
        Case("two rows in one piece", steps=(*_feeds(HEAD + "1,Fuel,40.00\n2,Cafe,2.50\n3,Fuel,0.99\n"), *ASK, *END)),
        Case(
            "cut in the middle of an amount",
            steps=(*_feeds(HEAD + "1,Fuel,4", "0.00\n"), *ASK, *END),
            why="4 is no row yet: only complete rows count, and the rest is held",
        ),
        Case("cut in the header", steps=(*_feeds("id,mer", "chant,amount\n1,Fu", "el,3\n"), *ASK, *END)),
        Case(
            "a comma in a quoted name",
            steps=(*_feeds(HEAD + '1,"Cup, Saucer",2.50\n'), *ASK, *END),
            why="within quotes a comma belongs to the name",
        ),
        Case(
            "a line break in a quoted name",
            steps=(*_feeds(HEAD + '1,"Cup\n', 'Saucer",2.50\n', "2,Fuel,1.00\n"), *ASK, *END),
            why="a line break within quotes does not end the row, not even at the end of a piece",
        ),
        Case(
            "a quote written twice",
            steps=(*_feeds(HEAD + '1,"The ""Inn""",7.00\n2,"A ""\n', 'B""",1.00\n'), *ASK, *END),
            why='"" within quotes is one quote, and the field goes on',
        ),
        Case(
            "no line break at the end",
            steps=(*_feeds(HEAD + "1,Fuel,40.00"), *ASK, *END),
            why="the last row counts when the text is closed",
        ),
        Case(
            "ten cents, many times",
            steps=(*_feeds(HEAD + "1,Fuel,0.10\n" * 30), *ASK, *END),
            why="0.1 is not exact in binary: count cents",
        ),
        Case(
            "8.29 and 1.15",
            steps=(*_feeds(HEAD + "1,Fuel,8.29\n2,Cafe,1.15\n3,Inn,4\n4,Cup,2.5\n"), *ASK),
            why="8.29 · 100 is 828.9999… in binary",
        ),
        Case(
            "a refund, columns in another order",
            steps=(*_feeds("amount,merchant\n-5.25,Fuel\n2.00,Fuel\n"), *ASK, *END),
            why="the header says where the columns are",
        ),
        Case(
            "Windows line ends, empty rows, empty pieces",
            steps=(*_feeds("id,merchant,amount\r", "\n\r\n", "", "1,Fuel,2.00\r\n\r\n2,Cafe,1.00\r", "\n"), *ASK, *END),
        ),
        Case("nothing at all", steps=(*ASK, *END)),
        Case(
            "a field too many",
            steps=_feeds(HEAD + "1,Cup, Saucer,2.50\n"),
            raises="ValueError",
            why="an unquoted comma shifts the columns; say so",
        ),
        Case("a column is missing", steps=_feeds("id,shop,amount\n1,Fuel,2.00\n"), raises="ValueError"),
        Case("a last row with a field too few", steps=(*_feeds(HEAD + "1,Fuel"), Step("close")), raises="ValueError"),
    ]
    names = ("Fuel", '"Cup, Saucer"', '"The ""Inn"""', '"two\nlines"', "Cafe")
    for n, pieces in ((6, 8), (40, 25)):
        rows = [f"{i},{names[rng.integers(5)]},{rng.integers(1, 9999) / 100:.2f}\n" for i in range(n)]
        text = HEAD + "".join(rows)
        cuts = [0, *np.sort(rng.integers(0, len(text), pieces - 1)).tolist(), len(text)]
        fed = [_feeds(text[a:b]) for a, b in pairwise(cuts)]
        steps = tuple(step for piece in fed for step in (*piece, Step("held")))
        found.append(Case(f"{n} rows in {pieces} pieces", steps=(*steps, *ASK, *END)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of n rows, one a piece."""
    rows = [f"{i},m{rng.integers(20)},{rng.integers(1, 9999) / 100:.2f}\n" for i in range(n)]
    return Case(f"{n} pieces", steps=(*_feeds(HEAD, *rows), Step("held"), Step("totals")))


class CharacterMachine:
    """Accepted: a machine that takes one character at a time and never looks at text again."""

    def __init__(self):
        """Before the first character."""
        self.columns, self.sums = [], {}
        self._new_row()

    def _new_row(self):
        self.fields, self.letters, self.quoted, self.kept, self.was_quote = [], [], False, 0, False

    def feed(self, text):
        """Each character in its turn."""
        for letter in text:
            self.kept += 1
            if letter == '"':
                if not self.quoted and self.was_quote:
                    self.letters.append(letter)
                self.quoted = not self.quoted
                self.was_quote = not self.quoted
                continue
            self.was_quote = False
            if letter == "," and not self.quoted:
                self.fields.append("".join(self.letters))
                self.letters = []
            elif letter == "\n" and not self.quoted:
                self._finish()
            else:
                self.letters.append(letter)

    def _finish(self):
        if self.letters and self.letters[-1] == "\r":
            self.letters.pop()
        row = [*self.fields, "".join(self.letters)]
        self._new_row()
        if row == [""]:
            return
        if not self.columns:
            if "merchant" not in row or "amount" not in row:
                raise ValueError(f"header {row}")
            self.columns = row
        elif len(row) != len(self.columns):
            raise ValueError(f"{len(row)} fields instead of {len(self.columns)}")
        else:
            named = dict(zip(self.columns, row, strict=True))
            self.sums[named["merchant"]] = self.sums.get(named["merchant"], 0) + round(float(named["amount"]) * 100)

    def held(self):
        """Characters of the unfinished row."""
        return self.kept

    def totals(self):
        """A copy of the totals."""
        return {**self.sums}

    def close(self):
        """The last row."""
        self._finish()


class RowByRow:
    """Accepted: searches for line breaks from where it stopped, and gives single rows to the csv module."""

    def __init__(self):
        """Nothing read yet."""
        self.rest, self.names, self.total = "", None, {}

    def feed(self, text):
        """Cut off row after row."""
        buffer, begin, look = self.rest + text, 0, 0
        while (stop := buffer.find("\n", look)) >= 0:
            look = stop + 1
            if buffer.count('"', begin, look) % 2 == 0:
                self._row(buffer[begin:look])
                begin = look
        self.rest = buffer[begin:]
        return self

    def _row(self, text):
        fields = next(csv.reader(io.StringIO(text, newline="")), [])
        if not fields:
            return
        if self.names is None:
            self.names = fields
            if not {"merchant", "amount"} <= set(fields):
                raise ValueError("merchant and amount are needed")
            return
        if len(fields) != len(self.names):
            raise ValueError(text)
        who = fields[self.names.index("merchant")]
        what = Decimal(fields[self.names.index("amount")])
        self.total[who] = self.total.get(who, Decimal(0)) + what

    def totals(self):
        """In cents."""
        return {who: int(what.scaleb(2)) for who, what in self.total.items()}

    def held(self):
        """The rest's length."""
        return len(self.rest)

    def close(self):
        """No more text."""
        last, self.rest = self.rest, ""
        self._row(last)


EXERCISE = Exercise(
    id="csv_totals",
    title="A CSV file in pieces",
    minutes=30,
    difficulty="hard",
    feeds="04",
    week="9-10",
    hints=(
        "After each piece: which part of the text can still change its meaning? Keep that and nothing else.",
        "A line break ends a row when it stands outside of quotes: when the number of quotes before it is even.",
        "Find the end of the last complete row, give what is before it to `csv.reader`, keep what is after it. Cents by Decimal.",
    ),
    cases=cases,
    expect=by_character,
    agree=agree,
    mutants=(
        Mutant(
            "breaks-end-rows",
            "Every line break was taken as the end of a row, also those within quotes.",
            swaps=(("if quotes % 2 == 0:", "if True:"),),
        ),
        Mutant(
            "split-at-commas",
            "Rows were split at every comma, also within quotes.",
            swaps=(
                (
                    'for row in csv.reader(io.StringIO(text, newline="")):',
                    'for row in (line.rstrip("\\r").split(",") if line.strip() else [] for line in text.split("\\n")):',
                ),
            ),
        ),
        Mutant(
            "rest-thrown-away",
            "What came after the last complete row was thrown away. It is the begin of the next row.",
            swaps=(("self.pending[:end], self.pending[end:]", 'self.pending[:end], ""'),),
        ),
        Mutant(
            "rest-counted",
            "The unfinished row at the end of a piece was read as a row.",
            swaps=(("self.pending[:end], self.pending[end:]", 'self.pending, ""'),),
        ),
        Mutant(
            "amounts-cut",
            "An amount was multiplied in binary and cut to whole cents, so 8.29 lost one. Use Decimal.",
            swaps=(("int(Decimal(row[self.amount]) * 100)", "int(float(row[self.amount]) * 100)"),),
        ),
        Mutant(
            "columns-by-place",
            "The columns were taken by their usual place. The header says where they are.",
            swaps=(
                (
                    'row.index("merchant"), row.index("amount")',
                    "len(row) - 2, len(row) - 1 + row.index('amount') * 0 + row.index('merchant') * 0",
                ),
            ),
        ),
        Mutant(
            "last-row-lost",
            "A last row without a line break was lost. `close` says that the text has ended.",
            swaps=(('complete, self.pending = self.pending, ""\n        self._add(complete)', 'self.pending = ""'),),
        ),
        Mutant(
            "width-not-checked",
            "A row with a field too many was taken: its amount is then some other field. Raise ValueError.",
            swaps=(("if len(row) != len(self.header):", "if len(row) < 2:"),),
        ),
        Mutant(
            "everything-kept",
            "The text of complete rows was kept, so memory grows with the file.",
            swaps=(
                (
                    "        self.pending += text\n",
                    '        self.text = getattr(self, "text", "") + text\n        self.pending += text\n',
                ),
                ("return len(self.pending)", 'return len(getattr(self, "text", ""))'),
            ),
        ),
        Mutant(
            "read-again",
            "The totals are right, but everything that came before is read again with each piece.",
            swaps=(
                (
                    "        self.pending += text\n",
                    '        self.everything = getattr(self, "everything", "") + text\n        self.pending += text\n',
                ),
                (
                    "        complete, self.pending = self.pending[:end], self.pending[end:]\n        self._add(complete)",
                    "        self.pending = self.pending[end:]\n"
                    "        self.header, self.cents = None, {}\n"
                    "        self._add(self.everything[: len(self.everything) - len(self.pending)])",
                ),
            ),
        ),
    ),
    accepted=(CharacterMachine, RowByRow),
    growth=Growth(
        large, n=300, says="Read each piece once: keep totals and the unfinished row, never the text that is done."
    ),
    shrink=calls(),
    preload=("numpy", "csv", "io", "decimal"),
    function="CsvTotals",
)
