"""`fraudkit grade`: a class of notebooks in, a gradebook and a page for each learner out."""

from __future__ import annotations

import json
from pathlib import Path

import typer
from rich.table import Table

from fraudkit.core.console import console, output, progress_bar
from fraudkit.workbook.grade.limits import RunLimits
from fraudkit.workbook.grade.marks import GradeResult


def grade(
    submissions: Path = typer.Argument(..., help="A folder with a sub-folder a learner, a folder of notebooks, a zip."),
    out: Path = typer.Option(..., "--out", help="Folder for the report; the same one again continues and regrades."),
    jobs: int = typer.Option(2, "--jobs", min=1, help="Notebooks graded at the same time."),
    topic: list[str] = typer.Option([], "--topic", help="Topics to grade, such as 01_metrics; default: all."),
    cell_seconds: float = typer.Option(20.0, "--cell-seconds", min=0.1, help="Time limit of a cell."),
    notebook_seconds: float = typer.Option(120.0, "--notebook-seconds", min=1.0, help="Time limit of a notebook."),
    parameter: list[str] = typer.Option([], "--parameter", "-p", help="NAME=VALUE for every notebook, such as seed=7."),
    as_json: bool = typer.Option(False, "--json", help="Print the result as JSON."),
    need_full: bool = typer.Option(False, "--need-full", help="Exit code 1 unless every task earns all its points."),
) -> None:
    """Grade notebooks: run each, judge each answer on fresh cases, write gradebook, report and pages to hand back."""
    from fraudkit.workbook.grade.session import grade as grade_all
    from fraudkit.workbook.walk import parse_parameters

    limits = RunLimits(cell_seconds=cell_seconds, notebook_seconds=notebook_seconds)
    try:
        with progress_bar("grade") as progress:
            result = grade_all(
                submissions,
                out,
                jobs=jobs,
                only=topic,
                parameters=parse_parameters(parameter),
                run_limits=limits,
                progress=progress,
            )
    except KeyboardInterrupt:
        console.print(
            f"stopped; what is graded so far is kept in {out}, the same command goes on from there", markup=False
        )
        raise typer.Exit(130) from None
    if as_json:
        typer.echo(json.dumps(result.as_dict(), indent=2))
    else:
        output.print(results_table(result))
        for problem in result.problems:
            output.print(f"note: {problem}", markup=False)
    console.print(
        f"report: {out / 'report.html'} (also gradebook.csv, similarity.csv, learners/, executed/)", markup=False
    )
    if need_full and not result.full:
        raise typer.Exit(1)


def results_table(result: GradeResult) -> Table:
    """One line a learner."""
    suspicious = len({(pair.first, pair.second) for pair in result.pairs if pair.suspicious})
    title = f"{result.ran} notebooks run, {result.kept} kept, {result.seconds:.1f} s; pairs to look at: {suspicious}"
    table = Table(title=title)
    table.add_column("learner")
    table.add_column("points", justify="right")
    table.add_column("right", justify="right")
    table.add_column("not right")
    for learner in result.learners:
        wrong = [f"{mark.exercise_id} ({mark.status})" for mark in learner.marks if mark.status != "pass"]
        right = len(learner.marks) - len(wrong)
        more = f" and {len(wrong) - 4} more" if len(wrong) > 4 else ""
        table.add_row(
            learner.learner.replace("[", "\\["),
            f"{learner.points:g} of {learner.possible:g}",
            f"{right} of {len(learner.marks)}",
            ", ".join(wrong[:4]) + more,
        )
    return table
