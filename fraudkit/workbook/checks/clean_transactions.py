"""Messy rows of text into columns: amounts in cents, dates by stated rules, and a reason for each row left out."""

from __future__ import annotations

import datetime
import re
from decimal import Decimal
from typing import Any

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Mutant

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def read_by_hand(rows):
    """The oracle: amounts read character by character, dates from their parts, rule after rule."""

    def value_of(row, key):
        text = row.get(key)
        text = "" if text is None else text.strip()
        return None if text.lower() in ("", "na", "n/a", "nan", "null", "none") else text

    def digits(text, most, least=1):
        return least <= len(text) <= most and all(character in "0123456789" for character in text)

    def cents_of(text):
        sign = 1
        if text[:1] == "-":
            sign, text = -1, text[1:].lstrip()
        if text[:1] in ("$", "€", "£"):
            text = text[1:].lstrip()
        if text[-1:] in ("$", "€", "£"):
            text = text[:-1].rstrip()
        whole, point, part = text.partition(".")
        groups = whole.split(",")
        if point and not digits(part, 2):
            return None
        if len(groups) > 1 and not (digits(groups[0], 3) and all(digits(group, 3, 3) for group in groups[1:])):
            return None
        if not digits("".join(groups), 1000):
            return None
        return sign * (int("".join(groups)) * 100 + int((part + "00")[:2]))

    def date_of(text):
        if len(parts := text.split("-")) == 3:
            year, month, day = parts
        elif len(parts := text.split("/")) == 3:
            day, month, year = parts
        elif len(parts := text.split(" ")) == 3 and parts[1].lower() in MONTHS:
            day, month, year = parts[0], str(MONTHS.index(parts[1].lower()) + 1), parts[2]
        else:
            return None
        if not (digits(day, 2) and digits(month, 2) and digits(year, 4, 4)):
            return None
        try:
            return datetime.date(int(year), int(month), int(day)).isoformat()
        except ValueError:
            return None

    ids, amounts, dates, rejected = [], [], [], []
    for position, row in enumerate(rows):
        number, amount, date = (value_of(row, key) for key in ("transaction_id", "amount", "date"))
        cents = None if amount is None else cents_of(amount)
        day = None if date is None else date_of(date)
        if number is None:
            rejected.append((position, "missing transaction_id"))
        elif amount is None:
            rejected.append((position, "missing amount"))
        elif date is None:
            rejected.append((position, "missing date"))
        elif cents is None:
            rejected.append((position, "unreadable amount"))
        elif cents < 0:
            rejected.append((position, "negative amount"))
        elif day is None:
            rejected.append((position, "unreadable date"))
        elif number in ids:
            rejected.append((position, "duplicate"))
        else:
            ids.append(number)
            amounts.append(cents)
            dates.append(day)
    return {"transaction_id": ids, "amount_cents": amounts, "date": dates}, rejected


def agree(got: Any, expected: Any, case: Case) -> str:
    """As `exact`; where the shape of the answer is right, the reason names the first row that went the wrong way."""
    found = exact(got, expected, case)
    if not found or not isinstance(got, list | tuple) or len(got) != 2 or not isinstance(got[1], list | tuple):
        return found
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 and isinstance(pair[0], int) for pair in got[1]):
        return f"{found}; rejected holds pairs (position, reason)"
    mine, right = dict(got[1]), dict(expected[1])
    for position, row in enumerate(case.args[0]):
        if mine.get(position) != right.get(position):
            was, wanted = (f"rejected as {d[position]!r}" if position in d else "kept" for d in (mine, right))
            return f"row {position}, {row}, is {was}; it should be {wanted}"
    return found


def rows_of(*triples: tuple[str | None, str | None, str | None]) -> tuple[list[dict[str, str | None]]]:
    """The one argument of a case."""
    return ([{"transaction_id": number, "amount": amount, "date": date} for number, amount, date in triples],)


def amounts_of(*texts: str) -> tuple[list[dict[str, str | None]]]:
    """Rows that are good but for their amounts."""
    return rows_of(*((f"T{index}", text, "2025-03-04") for index, text in enumerate(texts)))


def dates_of(*texts: str) -> tuple[list[dict[str, str | None]]]:
    """Rows that are good but for their dates."""
    return rows_of(*((f"T{index}", "10.00", text) for index, text in enumerate(texts)))


def cases(rng: np.random.Generator) -> list[Case]:
    """One rule after another, then mixed rows."""
    return [
        Case("two good rows", rows_of(("T1", "12.50", "2025-03-04"), ("T2", "$1,250.00", "2025-03-05"))),
        Case(
            "cents that a float cannot hold",
            amounts_of("19.99", "1.15", "4.35", "0.29"),
            why="19.99 times 100 is 1998.9999…: read the digits as integers, or round",
        ),
        Case(
            "one decimal, no decimals, zero",
            amounts_of("12.5", "12", "0", "0.05", "7.40"),
            why="12.5 is twelve and a half, 1250 cents; zero is a good amount",
        ),
        Case("symbols before and after", amounts_of("€5.00", "5.00€", "$ 5.00", "5.00\u00a0£", "\u00a07.25 ")),
        Case("commas before groups of three", amounts_of("1,250.50", "1,234,567", "999", "1234567.8")),
        Case(
            "commas elsewhere",
            amounts_of("12,34", "1,25", "1,2345", "1234,567", ",500"),
            why="12,34 may mean 12.34 or a typing error: taking commas out wherever they stand makes a payment a "
            "hundred times as large",
        ),
        Case(
            "texts that float would read",
            amounts_of("1e3", "1_000", "inf", "+5", "0x10"),
            why="the question allows digits, commas, a point and a symbol; float allows more",
        ),
        Case("other unreadable amounts", amounts_of("ten", "1.234", "5.", ".50", "5 000", "12.50 per day", "USD 5")),
        Case(
            "amounts below zero",
            amounts_of("-3.00", "-$3.00", "- 1,000", "-0.01"),
            why="a refund is not a payment of the same size: it is rejected with its reason",
        ),
        Case(
            "the three layouts of dates",
            dates_of("2025-03-04", "04/03/2025", "4 Mar 2025", "2025-3-4", "4/3/2025", "04 MAR 2025"),
        ),
        Case(
            "a day that cannot be a month",
            dates_of("25/12/2025", "12/25/2025"),
            why="the day stands first, always; 12/25/2025 is unreadable, not Christmas",
        ),
        Case(
            "days that the calendar does not have",
            dates_of("2025-02-30", "31/04/2025", "29/02/2024", "29/02/2025", "0/1/2025"),
            why="a date may have the right form and not exist",
        ),
        Case("other unreadable dates", dates_of("04/03/25", "yesterday", "2025/03/04", "2025-03-04T10:00", "20250304")),
        Case(
            "words for missing",
            rows_of(
                ("T1", "", "2025-03-04"),
                ("T2", "N/A", "2025-03-04"),
                ("T3", "5", "null"),
                ("NaN", "5", "2025-03-04"),
                ("  ", None, None),
                ("T6", "None", "na"),
            ),
            why="a missing value has many spellings, and the first missing key gives the reason",
        ),
        Case(
            "keys that are absent",
            (
                [
                    {"transaction_id": "T1", "date": "2025-03-04"},
                    {"amount": "5"},
                    {"transaction_id": "T1", "amount": "5"},
                    {},
                ],
            ),
            why="a row may lack a key altogether: row[key] raises, row.get(key) does not",
        ),
        Case(
            "a duplicate of a kept row",
            rows_of(("T1", "5", "2025-03-04"), (" T1 ", "6", "2025-03-05"), ("t1", "7", "2025-03-06")),
            why="ids are compared without the white space around them, and as they are written; the first row stays",
        ),
        Case(
            "the first row of an id is bad",
            rows_of(("T1", "five", "2025-03-04"), ("T1", "5", "2025-03-04"), ("T1", "-5", "2025-03-04")),
            why="a rejected row does not use up its id: the corrected row that follows must be kept",
        ),
        Case("no rows", ([],)),
        Case("60 mixed rows", (mixed_rows(rng, 60),)),
    ]


def mixed_rows(rng: np.random.Generator, n: int) -> list[dict[str, str | None]]:
    """Rows in all layouts, some bad, some twice."""
    rows: list[dict[str, str | None]] = []
    for _ in range(n):
        cents, day = (
            int(rng.integers(1, 3_000_000)),
            datetime.date(2025, 1, 1) + datetime.timedelta(int(rng.integers(365))),
        )
        number = f"{cents / 100:,.2f}" if rng.random() < 0.5 else f"{cents // 100}.{cents % 100:02d}"
        amount = [number, f"${number}", f"{number} €", f" £{number}", f"-{number}", "?"][int(rng.integers(6))]
        month = MONTHS[day.month - 1].title()
        layouts = [
            day.isoformat(),
            f"{day.day:02d}/{day.month:02d}/{day.year}",
            f"{day.day} {month} {day.year}",
            "soon",
        ]
        date = layouts[int(rng.integers(4))]
        rows.append({"transaction_id": f"T{rng.integers(n)}", "amount": amount, "date": date})
    return rows


def by_decimal(rows):
    """Accepted: amounts through Decimal once their form is checked, dates by three patterns and the calendar."""
    form = re.compile(r"(?P<sign>-)?\s*[€$£]?\s*(?P<number>[0-9]+(,[0-9]{3})*(\.[0-9]{1,2})?)\s*[€$£]?")
    patterns = [
        r"(?P<year>[0-9]{4})-(?P<month>[0-9]{1,2})-(?P<day>[0-9]{1,2})",
        r"(?P<day>[0-9]{1,2})/(?P<month>[0-9]{1,2})/(?P<year>[0-9]{4})",
        r"(?P<day>[0-9]{1,2})\s+(?P<month>[A-Za-z]{3})\s+(?P<year>[0-9]{4})",
    ]

    def cleaned(value):
        value = str(value).strip() if value is not None else ""
        return "" if value.casefold() in {"na", "n/a", "nan", "null", "none"} else value

    def amount_of(text):
        found = form.fullmatch(text)
        if not found or ("," in found["number"] and len(found["number"].split(",")[0]) > 3):
            return None
        value = int(Decimal(found["number"].replace(",", "")) * 100)
        return -value if found["sign"] else value

    def day_of(text):
        for pattern in patterns:
            if found := re.fullmatch(pattern, text):
                month = found["month"].lower()
                try:
                    number = int(month) if month.isdigit() else MONTHS.index(month) + 1
                    return str(datetime.date(int(found["year"]), number, int(found["day"])))
                except ValueError:
                    return None
        return None

    kept, rejected = {}, []
    for position, row in enumerate(rows):
        number, amount, date = (cleaned(row.get(key)) for key in ("transaction_id", "amount", "date"))
        cents, day = amount_of(amount), day_of(date)
        checks = [
            (not number, "missing transaction_id"),
            (not amount, "missing amount"),
            (not date, "missing date"),
            (cents is None, "unreadable amount"),
            (cents is not None and cents < 0, "negative amount"),
            (day is None, "unreadable date"),
            (number in kept, "duplicate"),
        ]
        reason = next((text for holds, text in checks if holds), None)
        if reason:
            rejected.append([position, reason])
        else:
            kept[number] = (cents, day)
    cents, days = [pair[0] for pair in kept.values()], [pair[1] for pair in kept.values()]
    return {"date": days, "amount_cents": cents, "transaction_id": list(kept)}, rejected


def by_exceptions(rows):
    """Accepted: a function that raises the reason, amounts by splitting, dates by strptime."""
    ids, amounts, dates, rejected = [], [], [], []

    def read(row):
        texts = []
        for key in ("transaction_id", "amount", "date"):
            text = (row.get(key) or "").strip()
            if text.upper() in ("", "NA", "N/A", "NAN", "NULL", "NONE"):
                raise LookupError("missing " + key)
            texts.append(text)
        number, text, date = texts
        negative = text.startswith("-")
        text = text[1:].strip() if negative else text
        text = text[1:].strip() if text[:1] in ("€", "$", "£") else text
        text = text[:-1].strip() if text[-1:] in ("€", "$", "£") else text
        if not re.match(r"^([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9][0-9]?)?\Z", text):
            raise LookupError("unreadable amount")
        cents = round(float(text.replace(",", "")) * 100)
        if negative and cents:
            raise LookupError("negative amount")
        layout = "%Y-%m-%d" if "-" in date else "%d/%m/%Y" if "/" in date else "%d %b %Y"
        try:
            day = datetime.datetime.strptime(date, layout).strftime("%Y-%m-%d")
        except ValueError:
            raise LookupError("unreadable date") from None
        if number in ids:
            raise LookupError("duplicate")
        return number, cents, day

    for position in range(len(rows)):
        try:
            number, cents, day = read(rows[position])
        except LookupError as error:
            rejected.append((position, error.args[0]))
        else:
            ids.append(number)
            amounts.append(cents)
            dates.append(day)
    return {"transaction_id": ids, "amount_cents": np.array(amounts, dtype=int), "date": dates}, rejected


EXERCISE = Exercise(
    id="clean_transactions",
    title="Parse and clean messy rows",
    minutes=25,
    difficulty="medium",
    feeds="04",
    week="9-10",
    hints=(
        "Write what a good amount looks like and refuse the rest, instead of taking out characters until float is "
        "content.",
        "Give each row its first reason in the order of the question. When may an id count as seen?",
        "`re.fullmatch` with groups for sign, whole part and decimals; cents are 100 · whole + decimals filled up to "
        "two digits.",
        "`datetime.strptime` with one layout after another; it refuses the 30th of February by itself.",
    ),
    cases=cases,
    expect=read_by_hand,
    agree=agree,
    mutants=(
        Mutant(
            "cents-cut-off",
            "The amount went through a float and was cut to an integer: 19.99 became 1998 cents. Read the digits as "
            "integers, or round.",
            swaps=(
                (
                    '100 * int(parts[2].replace(",", "")) + int((parts[3] or "").ljust(2, "0"))',
                    'int(float(parts[2].replace(",", "") + "." + (parts[3] or "0")) * 100)',
                ),
            ),
        ),
        Mutant(
            "one-decimal-read-as-cents",
            "12.5 became 12 and 5 cents. One decimal stands for tens of cents: fill up to two digits on the right.",
            swaps=(('int((parts[3] or "").ljust(2, "0"))', 'int(parts[3] or "0")'),),
        ),
        Mutant(
            "commas-anywhere",
            "Commas were taken out wherever they stood, so 12,34 became 1234. A comma stands before a group of "
            "exactly three digits.",
            swaps=((r"(\d{1,3}(?:,\d{3})+|\d+)", r"(\d[\d,]*)"),),
        ),
        Mutant(
            "beginning-is-enough",
            "Only the beginning of the amount was matched, so 1e3 became 1 and 5 000 became 5. The whole text has to "
            "fit.",
            swaps=(("amount.fullmatch(values[1])", "amount.match(values[1])"),),
        ),
        Mutant(
            "sign-lost",
            "The minus sign was thrown away, and a refund became a payment. An amount below zero is rejected with "
            "its reason.",
            swaps=(("if parts[1] and cents > 0", "if False"),),
        ),
        Mutant(
            "month-first",
            "04/03/2025 was read as the third of April. The question puts the day first, always.",
            swaps=(("%d/%m/%Y", "%m/%d/%Y"),),
        ),
        Mutant(
            "month-first-when-it-fits",
            "Where the day cannot be a month the two were exchanged, so one file has two readings of the same form. "
            "The day is first; a date that does not fit is unreadable.",
            swaps=(('"%d/%m/%Y", ', '"%d/%m/%Y", "%m/%d/%Y", '),),
        ),
        Mutant(
            "only-empty-is-missing",
            "Only the empty text was taken for missing. The question names other words for it, such as N/A and null.",
            swaps=(('{"", "na", "n/a", "nan", "null", "none"}', '{""}'),),
        ),
        Mutant(
            "absent-key-raises",
            "A row without one of the keys raised KeyError. One bad row must not stop the file: take the key as "
            "missing.",
            swaps=(("row.get(key)", "row[key]"),),
        ),
        Mutant(
            "zero-is-missing",
            "An amount of zero was taken for a missing one. Zero is a good amount: issuers check a card with it.",
            swaps=(
                (
                    "if reason:",
                    'if not reason and not cents:\n            reason = "missing amount"\n        if reason:',
                ),
            ),
        ),
        Mutant(
            "rejected-row-uses-up-its-id",
            "An id was remembered although its row was rejected, so the corrected row that followed counts as a "
            "duplicate. Remember ids of kept rows only.",
            swaps=(
                (
                    "rejected.append((position, reason))",
                    "rejected.append((position, reason))\n            seen.add(values[0])",
                ),
            ),
        ),
        Mutant(
            "duplicates-kept",
            "A transaction_id that had been kept was kept again: the payment counts twice in every window and every "
            "sum.",
            swaps=(('else "duplicate" if values[0] in seen', ""),),
        ),
        Mutant(
            "space-kept",
            "The white space around the values was not taken off, so a padded id is another id and a padded amount "
            "unreadable.",
            swaps=(('(row.get(key) or "").strip()', '(row.get(key) or "")'),),
        ),
    ),
    accepted=(by_decimal, by_exceptions),
    preload=("numpy", "re", "decimal", "datetime", "_strptime"),
)
