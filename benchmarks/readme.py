"""The parts of the project's README.md that are made from files: chapters, the model table, the speed table.

python -m benchmarks.readme             # write them between their marks
python -m benchmarks.readme --check     # exit 1 if one is stale
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from benchmarks.models import MODELS, SPECIFIED_AUC
from benchmarks.record import Record
from benchmarks.report import machine_line, read_records, summary

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"


def chapters() -> str:
    """The chapter table, from the notebooks' own first cells."""
    lines = ["| | chapter | minutes | you will be able to |", "|---|---|---:|---|"]
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        cells = ["".join(cell["source"]) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"][:2]]
        title = cells[0].splitlines()[0].removeprefix("# ").split(" · ", 1)
        minutes = re.search(r"(\d+) minutes", cells[0])
        goals = [line.removeprefix("- ") for line in cells[1].splitlines() if line.startswith("- ")]
        lines.append(
            f"| {title[0]} | [{title[1]}](notebooks/{path.name}) | {minutes[1] if minutes else ''} | {goals[0]} |"
        )
    return "\n".join(lines)


def model_table(record: Record) -> str:
    """Measured beside specified."""
    value = {figure.what: figure.value for figure in record.figures}
    lines = [
        "| model | ROC AUC | specified | average precision | precision@1000 | loss prevented at FPR < 2 % |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, words in MODELS.items():
        lines.append(
            f"| {words} | {value[f'ROC AUC, {words}']:.3f} | {SPECIFIED_AUC[name]:.2f} "
            f"| {value[f'average precision, {words}']:.3f} | {value[f'precision@1000, {words}']:.3f} "
            f"| {value[f'loss prevented at a false-positive rate below 2 %, {words}']:.0%} |"
        )
    rows, frauds = (int(value[f"{what} in the test period"]) for what in ("transactions", "frauds"))
    notes = " ".join(record.notes)
    return (
        f"Reference world, test period of 60 days: {rows:,} transactions, {frauds:,} frauds (`{record.command}`).\n\n"
        + "\n".join(lines)
        + f"\n\n{notes}"
    )


def parts() -> dict[str, str]:
    """What stands between the marks of each name."""
    records = {record.name: record for record in read_records()}
    speeds = [record for name, record in records.items() if name != "models"]
    return {
        "chapters": chapters(),
        "models": model_table(records["models"]),
        "speed": f"{summary(speeds)}\n\n{machine_line(records['models'])} More in [benchmarks](benchmarks/README.md).",
    }


def render(text: str) -> str:
    """README's text with its made parts renewed."""
    for name, content in parts().items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text, found = re.subn(pattern, lambda m, c=content: f"{m[1]}{c}\n{m[2]}", text, flags=re.DOTALL)
        if found != 1:
            raise SystemExit(f"error: README.md has {found} places marked {name!r}; one is needed")
    return text


def main(arguments: list[str] | None = None) -> None:
    """Write or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="exit 1 if README.md is stale")
    stands = README.read_text(encoding="utf-8")
    renewed = render(stands)
    if not parser.parse_args(arguments).check:
        README.write_text(renewed, encoding="utf-8")
    elif renewed != stands:
        print("error: README.md is stale; run `python -m benchmarks.readme`", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
