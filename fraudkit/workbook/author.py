"""`fraudkit exercises`: build the learner's notebooks, put exercises through the gate, list them."""

from __future__ import annotations

import json
from dataclasses import asdict

import typer
from rich.table import Table

from fraudkit.core.console import console, output, progress_bar
from fraudkit.workbook import build as building
from fraudkit.workbook.exercise import exercise, exercise_ids
from fraudkit.workbook.notebooks import ordered_ids
from fraudkit.workbook.verify import Report, verify_all

app = typer.Typer(help="Build, verify and list the exercises.", no_args_is_help=True)


@app.command()
def build(
    check: bool = typer.Option(False, "--check", help="Write nothing; fail when a file differs."),
) -> None:
    """Write exercises/ from solutions/, the one source."""
    if not check:
        changed = building.write()
        console.print(f"{len(changed)} files written: {', '.join(changed)}" if changed else "nothing has changed")
        return
    if wrong := building.stale():
        output.print("\n".join([*wrong, "make them again: fraudkit exercises build"]), markup=False)
        raise typer.Exit(1)
    output.print("exercises/ is what solutions/ make of it")


@app.command(name="list")
def list_exercises(as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """Every exercise: id, topic, function, signature, minutes, difficulty, points."""
    rows = building.listed()
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    table = Table(title=f"{len(rows)} exercises, {sum(row.minutes for row in rows)} minutes")
    for name in ("topic", "id", "title", "minutes", "difficulty", "points", "plug"):
        table.add_column(name, justify="right" if name in ("minutes", "points") else "left")
    for row in rows:
        table.add_row(row.topic, row.id, row.title, str(row.minutes), row.difficulty, str(row.points), row.plug)
    output.print(table)


@app.command()
def verify(
    ids: list[str] = typer.Argument(None, help="Exercises; all by default."),
    jobs: int = typer.Option(2, "--jobs", min=1, help="How many at a time."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """The author's gate: stub fails, solution passes, wrong answers are refused and recognised, right ones accepted."""
    wanted = [exercise(name).id for name in ids] if ids else ordered_ids()
    with progress_bar("verify") as progress:
        reports = verify_all(wanted, jobs, progress)
    orphans = [] if ids else sorted(set(exercise_ids()) - set(wanted))
    counts = {
        "exercises": len(reports),
        "mutants": sum(report.mutants for report in reports),
        "alternatives": sum(report.alternatives for report in reports),
        "false_accepts": sum(report.false_accepts for report in reports),
        "false_rejects": sum(report.false_rejects for report in reports),
        "problems": sum(len(report.problems) for report in reports) + len(orphans),
    }
    if as_json:
        exercises = [asdict(report) for report in reports]
        typer.echo(json.dumps(counts | {"without_a_section": orphans, "reports": exercises}, indent=2))
    else:
        output.print(reports_table(reports))
        for name in orphans:
            output.print(f"{name}: no notebook in solutions/ has a section for it", markup=False)
        output.print(f"false accepts {counts['false_accepts']}, false rejects {counts['false_rejects']}")
    if counts["problems"]:
        raise typer.Exit(1)


def reports_table(reports: list[Report]) -> Table:
    """One line an exercise."""
    table = Table()
    for name in ("exercise", "refused", "recognised", "accepted", "problems"):
        table.add_column(name)
    for report in reports:
        table.add_row(
            report.id,
            f"{report.rejected}/{report.mutants}",
            f"{report.recognised}/{report.mutants}",
            f"{report.accepted}/{report.alternatives}",
            "\n".join(report.problems).replace("[", "\\[") or "none",
        )
    return table
