"""One benchmark's record: its figures with their goals, and under what they were measured.

A record is a JSON file in benchmarks/results/. benchmarks/README.md is made from these files.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.machine import machine_facts

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure.

    Attributes
    ----------
    what : what was measured, in words
    value, unit : the figure
    at_least, at_most : the goal; None where the figure only stands for comparison
    """

    what: str
    value: float
    unit: str
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        if self.at_least is None and self.at_most is None:
            return None
        low = self.at_least is None or self.value >= self.at_least
        return low and (self.at_most is None or self.value <= self.at_most)

    @property
    def goal(self) -> str:
        """The goal in words, empty without one."""
        parts = [f"≥ {self.at_least:,.10g}"] if self.at_least is not None else []
        parts += [f"≤ {self.at_most:,.10g}"] if self.at_most is not None else []
        return " and ".join(parts)


@dataclass(frozen=True, slots=True)
class Record:
    """Everything one run of a benchmark has to say.

    Attributes
    ----------
    name : of the benchmark's module
    title : one line
    command : what to type to measure it again
    figures : in the order of the table
    notes : what has to be known to read the figures
    columns, rows : a second table, where there is one: its heads, and its rows as they are printed
    machine, date : under what and when (UTC day) it was measured
    """

    name: str
    title: str
    command: str
    figures: tuple[Figure, ...]
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    machine: dict[str, Any] = field(default_factory=dict)
    date: str = ""


def new_record(
    name: str,
    title: str,
    command: str,
    figures: Sequence[Figure],
    notes: Sequence[str] = (),
    packages: Sequence[str] = (),
    columns: Sequence[str] = (),
    rows: Sequence[tuple[str, ...]] = (),
) -> Record:
    """A record of today on this machine; `packages` are those whose versions matter."""
    today, facts = datetime.now(UTC).date().isoformat(), machine_facts(packages)
    return Record(name, title, command, tuple(figures), tuple(notes), tuple(columns), tuple(rows), facts, today)


def write_record(record: Record, folder: Path = RESULTS) -> Path:
    """Write `record` to folder/NAME.json and return the path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{record.name}.json"
    path.write_text(json.dumps(asdict(record), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def read_record(path: Path) -> Record:
    """Read what `write_record` wrote."""
    content = json.loads(path.read_text(encoding="utf-8"))
    figures = tuple(Figure(**figure) for figure in content.pop("figures"))
    rows = tuple(tuple(row) for row in content.pop("rows", ()))
    columns, notes = (tuple(content.pop(name, ())) for name in ("columns", "notes"))
    return Record(figures=figures, notes=notes, columns=columns, rows=rows, **content)


def number(value: float) -> str:
    """A figure as people read it: three significant digits, thousands apart.

    >>> number(1754155), number(0.04217), number(98.64), number(3)
    ('1,754,155', '0.0422', '98.6', '3')
    """
    if value == int(value) or abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def table(record: Record) -> str:
    """The figures as a Markdown table."""
    lines = ["| what | measured | goal | met |", "|---|---:|---:|---|"]
    for figure in record.figures:
        met = {None: "", True: "yes", False: "no"}[figure.met]
        lines.append(f"| {figure.what} | {number(figure.value)} {figure.unit} | {figure.goal} | {met} |")
    return "\n".join(lines)


def second_table(record: Record) -> str:
    """The rows as a Markdown table; empty where there are none."""
    if not record.rows:
        return ""
    lines = [record.columns, ("---",) * len(record.columns), *record.rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
