"""`fraudkit lake`: check, query, show and import tables."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from fraudkit.core.config import settings
from fraudkit.core.console import output, progress_bar
from fraudkit.lake.lake import Lake
from fraudkit.lake.locate import resolve
from fraudkit.lake.quality import QualityReport, inspect

app = typer.Typer(
    help="Check, query, show and import tables.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)

LakeName = Annotated[str, typer.Argument(help="A world's name or a lake's folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def check(lake: LakeName = "small", as_json: AsJson = False) -> None:
    """Re-hash every file and run the arrival checks; exit code 1 when a check of severity error fails."""
    opened = Lake.open(resolve(lake))
    with progress_bar("lake check") as progress:
        files = opened.verify(lambda fraction, text: progress(fraction * 0.5, text))
        progress(0.5, "arrival checks")
        report = inspect(opened.transactions(), absent=opened.config.get("absent", ())).report
    if as_json:
        typer.echo(json.dumps({"path": str(opened.path), "files": files, **report.as_dict()}, indent=2))
    else:
        typer.echo(f"{files} files match their digests")
        print_report(report)
    if report.has_errors:
        raise typer.Exit(1)


@app.command()
def query(
    sql: Annotated[
        str, typer.Argument(help="One SELECT over transactions, users, merchants, labels, truth, ip_reputation.")
    ],
    world: Annotated[str, typer.Option(help="A world's name or a lake's folder.")] = "small",
    as_json: AsJson = False,
) -> None:
    """Run one SELECT and print its rows as CSV, or as JSON."""
    found = Lake.open(resolve(world)).query(sql)
    if as_json:
        typer.echo(found.to_json(orient="records", date_format="iso", indent=2))
    else:
        typer.echo(found.to_csv(index=False), nl=False)


@app.command()
def show(lake: LakeName = "small", as_json: AsJson = False) -> None:
    """What a lake holds: rows, days, bytes, and what it was made with."""
    opened = Lake.open(resolve(lake))
    days = opened.days
    content: dict[str, Any] = {
        "path": str(opened.path),
        "rows": opened.manifest.rows(),
        "files": len(opened.manifest.files),
        "bytes": sum(entry.size for entry in opened.manifest.files),
        "first_day": days[0] if days else None,
        "last_day": days[-1] if days else None,
        "config": opened.config,
    }
    if as_json:
        typer.echo(json.dumps(content, indent=2))
        return
    typer.echo(f"{opened.path}: {content['files']} files, {content['bytes'] / 1e6:.1f} MB")
    typer.echo(f"event days {content['first_day']} to {content['last_day']} ({len(days)} with transactions)")
    for table, rows in content["rows"].items():
        typer.echo(f"{table:<14}{rows:>12,}")
    for name, value in opened.config.items():
        typer.echo(f"  {name} = {value}")


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="A .csv, .csv.gz or .parquet file.")],
    source: Annotated[str, typer.Option("--format", help="auto, ulb, handbook, sparkov, ieee-cis or paysim.")] = "auto",
    schema: Annotated[Path | None, typer.Option(help="TOML naming the columns of a table of your own.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to write; default: a world called after the file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Bring a public data set or your own table into a new lake; rows that cannot be used go to its quarantine."""
    from fraudkit.lake.adapters import ColumnMapping, detect, from_columns, load, read_table
    from fraudkit.lake.importing import write_adapted

    with progress_bar(f"import {file.name}") as progress:
        progress(0.0, "reading")
        if schema is not None:
            mapping = ColumnMapping.from_toml(schema)
            name, adapted = schema.name, from_columns(read_table(file, mapping.text), mapping)
        else:
            name = detect(file) if source == "auto" else source
            adapted = load(file, name)
        target = out or settings().worlds / file.name.split(".")[0]
        lake = write_adapted(target, adapted, file.name, name, lambda done, text: progress(0.5 + done / 2, text))
    content = {
        "path": str(lake.path),
        "format": name,
        "absent": sorted(adapted.absent),
        "notes": list(adapted.notes),
        "quarantine": [str(path) for path in lake.files("quarantine")],
        **adapted.report.as_dict(),
    }
    if as_json:
        typer.echo(json.dumps(content, indent=2))
        return
    typer.echo(f"{lake.path}: {len(adapted.transactions):,} transactions, {len(adapted.labels):,} labels ({name})")
    typer.echo(f"absent from this source: {', '.join(content['absent']) or 'nothing'}")
    for note in adapted.notes:
        typer.echo(f"note: {note}")
    for path in content["quarantine"]:
        typer.echo(f"quarantine: {path}")
    print_report(adapted.report)


def print_report(report: QualityReport) -> None:
    """The totals, then the failed checks as a table."""
    typer.echo(f"{report.rows:,} rows: {report.accepted:,} good, {report.quarantined:,} to quarantine")
    if not report.failures:
        typer.echo(f"all {len(report.checks)} checks passed")
        return
    table = Table("check", "severity", "rows", "share", "examples", box=None)
    for failure in report.failures:
        cells = (
            failure.check,
            failure.severity,
            f"{failure.failed:,}",
            f"{failure.share:.3%}",
            "\n".join(failure.examples),
        )
        table.add_row(*map(escape, cells))
    output.print(table)
