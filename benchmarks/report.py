"""benchmarks/README.md, made from benchmarks/results/*.json.

    python -m benchmarks.report              # write it
    python -m benchmarks.report --check      # exit 1 if it is stale
    python -m benchmarks.report --summary    # print only the figures that have a goal, for another page

Nothing is measured here.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.record import RESULTS, Record, number, read_record, second_table, table

README = Path(__file__).with_name("README.md")
HANDBOOK = "handbook.md"
# In the order in which the work flows; what is not named here follows by name.
ORDER = (
    "models",
    "simulation",
    "replay",
    "store",
    "model_runtime",
    "explain",
    "service",
    "capacity",
    "false_alarms",
    "selective_labels",
    "check",
    "grading",
    "exercises",
)

INTRO = """# Benchmarks

<!-- made by `python -m benchmarks.report` from results/*.json; do not edit -->

Every speed that this project publishes was measured by a script in this folder. A comparison is made in one run on
one machine, with a baseline that is in `baselines/` to be read. `make bench` measures everything again;
`python -m benchmarks.NAME --quick` runs one at a toy size without writing anything.
"""


def read_records(folder: Path = RESULTS) -> list[Record]:
    """All records of a folder, in the order of the page."""
    records = [read_record(path) for path in sorted(folder.glob("*.json"))]
    places = {name: place for place, name in enumerate(ORDER)}
    return sorted(records, key=lambda record: (places.get(record.name, len(ORDER)), record.name))


def summary(records: Sequence[Record]) -> str:
    """One line for each figure that has a goal, as a Markdown table."""
    lines = ["| what | goal | measured | met | command |", "|---|---:|---:|---|---|"]
    for record in records:
        for figure in record.figures:
            if figure.met is not None:
                measured = f"{number(figure.value)} {figure.unit}".strip()
                met = "yes" if figure.met else "**no**"
                lines.append(
                    f"| {record.title}: {figure.what} | {figure.goal} | {measured} | {met} | `{record.command}` |"
                )
    return "\n".join(lines)


def machine_line(record: Record) -> str:
    """Under what a record was measured, in a sentence."""
    machine = record.machine
    packages = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return (
        f"Measured on {record.date} on {machine['cores']} cores of {machine['cpu']}, {machine['memory_gb']} GB, "
        f"{machine['system']}, Python {machine['python']}; {packages}."
    )


def section(record: Record) -> str:
    """One record: its table, what has to be known, machine and command."""
    notes = "\n".join(f"- {note}" for note in record.notes)
    parts = [
        f"## {record.title}",
        f"`{record.command}`",
        table(record),
        second_table(record),
        notes,
        machine_line(record),
    ]
    return "\n\n".join(part for part in parts if part)


def render(records: Sequence[Record], handbook: bool) -> str:
    """The whole page."""
    parts = [INTRO.rstrip(), "## Goals", summary(records)]
    if handbook:
        parts.append(f"Quality on the Fraud-Detection-Handbook's table, by its protocol: [{HANDBOOK}]({HANDBOOK}).")
    return "\n\n".join([*parts, *(section(record) for record in records)]) + "\n"


def current() -> str:
    """The page as it should stand now."""
    return render(read_records(), README.with_name(HANDBOOK).exists())


def main(arguments: list[str] | None = None) -> None:
    """Write, check or print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="exit 1 if README.md is stale")
    parser.add_argument("--summary", action="store_true", help="print only the figures that have a goal")
    options = parser.parse_args(arguments)
    if options.summary:
        print(summary(read_records()))
    elif not options.check:
        README.write_text(current(), encoding="utf-8")
    elif not README.exists() or README.read_text(encoding="utf-8") != current():
        print("error: benchmarks/README.md is stale; run `python -m benchmarks.report`", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
