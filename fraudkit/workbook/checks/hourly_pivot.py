"""A pivot that loses nothing: missing keys, absent hours, sums instead of means."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant
from fraudkit.workbook.shrink import rows

START = datetime(1970, 1, 1, tzinfo=UTC)


def cell_by_cell(event_time, category, amount):
    """The oracle: the calendar's hour of each payment, and each cell summed on its own."""
    hours = [(START + timedelta(seconds=int(moment))).hour for moment in event_time]
    kinds = ["unknown" if kind is None else kind for kind in category]
    names = sorted(set(kinds))
    totals = np.zeros((len(names), 24))
    for row, name in enumerate(names):
        for hour in range(24):
            cell = [a for h, k, a in zip(hours, kinds, amount, strict=True) if (h, k) == (hour, name)]
            totals[row, hour] = math.fsum(a for a in cell if not math.isnan(a))
    return names, totals


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones."""
    found = [
        Case(
            "two hours of two categories",
            ([0, 3600, 3601, 7199], ["food", "fuel", "food", "fuel"], [5.0, 2.0, 4.0, 1.0]),
        ),
        Case(
            "two payments in one cell",
            ([100, 200], ["food", "food"], [10.0, 30.0]),
            why="a cell is a total, not a mean",
        ),
        Case(
            "a payment without a category",
            ([0, 0, 0], ["food", None, "unknown"], [1.0, 2.0, 4.0]),
            why="pandas drops rows whose key is missing; here they are unknown, with those called so",
        ),
        Case(
            "only the evening",
            ([86_399, 82_800], ["food", "games"], [3.0, 8.0]),
            why="the other 23 hours are columns of zeros",
        ),
        Case(
            "days apart",
            ([3_600, 90_000, 1_735_693_200], ["food"] * 3, [1.0, 2.0, 4.0]),
            why="an hour of the day, whatever the day",
        ),
        Case(
            "a missing amount",
            ([0, 0, 3600], ["food", "food", "fuel"], [1.5, math.nan, math.nan]),
            why="it counts as 0, and its category stays in the table",
        ),
        Case(
            "before 1970",
            ([-1, -3601], ["food", "food"], [1.0, 2.0]),
            why="one second before midnight it is the hour 23",
        ),
        Case("names not in order", ([0, 0, 0], ["travel", "Food", "fuel"], [1.0, 2.0, 3.0])),
        Case("no payments", ([], [], [])),
        Case("lengths differ", ([0, 1], ["food"], [1.0, 2.0]), raises="ValueError"),
    ]
    kinds = ("food", "fuel", "games", "travel", None)
    for n in (15, 150):
        times = 1_735_689_600 + rng.integers(0, 10 * 86_400, n)
        chosen = [kinds[i] for i in rng.integers(0, 5, n)]
        found.append(Case(f"{n} payments", (times, chosen, np.round(rng.gamma(2, 20, n), 2))))
    return found


def counted_cells(event_time, category, amount):
    """Accepted: NumPy alone: the cell's number, and a bincount with weights."""
    if len({len(event_time), len(category), len(amount)}) > 1:
        raise ValueError("lengths differ")
    kinds = np.array([kind or "unknown" for kind in category], dtype=str)
    names, row = np.unique(kinds, return_inverse=True)
    hour = np.mod(np.asarray(event_time, dtype=np.int64), 86_400) // 3_600
    known = np.nan_to_num(np.asarray(amount, dtype=float))
    flat = np.bincount(row.astype(np.int64) * 24 + hour, weights=known, minlength=24 * len(names))
    return names.tolist(), flat.reshape(len(names), 24)


def nested_dict(event_time, category, amount):
    """Accepted: a list of 24 totals for each name."""
    if len(event_time) != len(category) or len(category) != len(amount):
        raise ValueError(f"{len(event_time)}, {len(category)} and {len(amount)} rows")
    totals = {}
    for moment, kind, value in zip(event_time, category, amount, strict=True):
        hours = totals.setdefault("unknown" if kind is None else kind, [0.0] * 24)
        if value == value:
            hours[int(moment) // 3600 % 24] += float(value)
    names = sorted(totals)
    return names, np.array([totals[name] for name in names]).reshape(-1, 24)


EXERCISE = Exercise(
    id="hourly_pivot",
    title="A pivot without holes",
    minutes=12,
    difficulty="easy",
    feeds="03",
    week="9-10",
    hints=(
        "Which payments, and which hours, would be missing from a plain `pivot_table`?",
        "Name the missing category before grouping, say which sum you want (`aggfunc`), and `reindex` the columns to all 24 hours.",
    ),
    cases=cases,
    expect=cell_by_cell,
    agree=close(),
    mutants=(
        Mutant(
            "means",
            "The cells hold means, which is what `pivot_table` takes when it is not told. Totals were asked for.",
            swaps=((', aggfunc="sum"', ""),),
        ),
        Mutant(
            "counts",
            "The cells hold numbers of payments. Total amounts were asked for.",
            swaps=(('aggfunc="sum"', 'aggfunc="size"'),),
        ),
        Mutant(
            "missing-key-dropped",
            "Payments without a category are gone: grouping drops missing keys. Name them first.",
            swaps=(('.fillna("unknown")', ""),),
        ),
        Mutant(
            "absent-hours-left-out",
            "Only the hours that occur have a column. Two tables must have the same 24.",
            swaps=((".reindex(columns=range(24))", ""),),
        ),
        Mutant(
            "holes-left",
            "Cells without payments are NaN. The total of no payments is 0.",
            swaps=((".fillna(0.0)", ""),),
        ),
        Mutant(
            "hours-since-1970",
            "The hour was not taken modulo 24, so that all days after the first are lost.",
            swaps=(("// 3600 % 24", "// 3600"),),
        ),
        Mutant(
            "cut-towards-zero",
            "Division was cut towards zero, so one second before midnight belongs to hour 0. Round down.",
            swaps=(("np.asarray(event_time) // 3600 % 24", "np.fix(np.asarray(event_time) / 3600) % 24"),),
        ),
        Mutant(
            "lengths-not-checked",
            "Columns of different lengths were taken. Raise ValueError.",
            swaps=(
                ("if not len(event_time) == len(category) == len(amount):", "if False:"),
                ("pd.DataFrame({", "pd.DataFrame(index=range(len(amount)), data={"),
            ),
        ),
    ),
    accepted=(counted_cells, nested_dict),
    shrink=rows(0, 1, 2, noun="payments"),
    preload=("numpy", "pandas"),
)
