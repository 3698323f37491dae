"""`fraudkit benchmark`: a table and a TOML file in, a folder with a report out."""

from __future__ import annotations

import json
import time
from pathlib import Path

import typer
from rich.console import Console

from fraudkit.benchmark.features import load_features, plan_features
from fraudkit.benchmark.overview import describe, show
from fraudkit.benchmark.protocol import reported_folds
from fraudkit.benchmark.report import build_report, show_report, write_report
from fraudkit.benchmark.run import Candidate, run_reported, tune
from fraudkit.benchmark.settings import Settings, read_settings
from fraudkit.benchmark.table import Table, read_table
from fraudkit.core.config import settings as home_settings
from fraudkit.core.console import console, output, progress_bar
from fraudkit.core.errors import InvalidInput


def benchmark(
    data: Path = typer.Argument(..., help="Table of transactions: .csv, .csv.gz or .parquet."),
    schema: Path = typer.Option(..., "--schema", help="TOML file that names columns and protocol."),
    out: Path = typer.Option(Path("benchmark-report"), "--out", help="Folder for the report and its pictures."),
    tuning: bool = typer.Option(False, "--tune", help="Choose from [tuning.grid] on the validation folds first."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what was understood and stop."),
    as_json: bool = typer.Option(False, "--json", help="Print the report as JSON."),
) -> None:
    """Run your own table through features, models and metrics."""
    started = time.perf_counter()
    wanted = read_settings(schema)
    with console.status(f"reading {data.name}"):
        table = read_table(data, wanted.columns)
        plan = plan_features(table, wanted)
        overview = describe(table, plan, wanted.protocol.label_delay_days)
    words = console if as_json else output  # beside the JSON they only say how far it is
    show(overview, words)
    _show_folds(table, wanted, words)
    if dry_run:
        if as_json:
            typer.echo(json.dumps(overview, indent=2))
        return
    folder = _folder(out)
    with progress_bar("features") as progress:
        features = load_features(table, wanted, home_settings().home / "benchmarks", progress)
    tried: list[Candidate] = []
    if tuning:
        with progress_bar("tuning") as progress:
            wanted, tried = tune(table, features, wanted, progress)
    with progress_bar("models") as progress:
        results = run_reported(table, features, wanted, progress)
    report = build_report(wanted, overview, table, results, tried, time.perf_counter() - started)
    write_report(report, folder)
    from fraudkit.benchmark.pictures import draw_pictures

    draw_pictures(table, results, report, folder)
    show_report(report, words)
    console.print(f"report: {folder / 'report.html'} (also report.md, report.json)", markup=False)
    if as_json:
        typer.echo(json.dumps(report, indent=2))


def _show_folds(table: Table, wanted: Settings, words: Console) -> None:
    for fold in reported_folds(table, wanted.protocol):
        words.print(
            f"fold {fold.name}: train {len(fold.train):,} rows ({table.is_fraud[fold.train].sum():,} frauds), "
            f"test {len(fold.test):,} ({table.is_fraud[fold.test].sum():,}); "
            f"{fold.removed:,} test rows of compromised cards removed"
        )


def _folder(out: Path) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"--out {out} cannot be made a folder ({error.strerror}); give another") from error
    return out
