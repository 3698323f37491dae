"""`fraudkit models`: list, show, promote and roll back model versions."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import typer
from rich.table import Table

from fraudkit.core.config import settings
from fraudkit.core.console import console, output
from fraudkit.core.errors import GateRefused
from fraudkit.registry.gate import DEFAULT_GATE, report_from_content
from fraudkit.registry.registry import Registry, Version

app = typer.Typer(
    no_args_is_help=True, help="List, show, promote and roll back models.", pretty_exceptions_enable=False
)

AS_JSON = typer.Option(False, "--json", help="Print JSON for programs.")
VERSION = typer.Argument(help="A version such as v0001, or candidate, or production.")


@app.command("list")
def list_models(as_json: bool = AS_JSON) -> None:
    """All versions, oldest first."""
    versions = _registry().versions()
    if as_json:
        typer.echo(json.dumps([asdict(version) for version in versions]))
        return
    if not versions:
        console.print("no models yet; train one with `fraudkit train`")
        return
    table = Table("version", "stands for", "registered", "metrics", box=None)
    for version in versions:
        table.add_row(version.name, " ".join(version.aliases), version.registered_at[:19], _short(version.metrics))
    output.print(table)


@app.command()
def show(name: str = VERSION, as_json: bool = AS_JSON) -> None:
    """One version with its metrics, training facts and gate report."""
    registry = _registry()
    version = registry.version(name)
    facts = {**asdict(version), "folder": str(registry.path(name)), "gate": registry.report(version.name)}
    if as_json:
        typer.echo(json.dumps(facts))
        return
    output.print_json(json.dumps(facts))


@app.command()
def promote(name: str = VERSION, as_json: bool = AS_JSON) -> None:
    """Make a version production, if the gate's last report on it still holds and lets it."""
    registry = _registry()
    version = registry.version(name)
    content = registry.report(version.name)
    if content is None:
        raise GateRefused(f"{version.name} has no gate report; `fraudkit train` trains a version and asks the gate")
    registry.promote(version.name, report_from_content(content))
    _say(registry.version("production"), "is production now", as_json)


@app.command()
def backtests(as_json: bool = AS_JSON) -> None:
    """How production did, day by day, on the payments whose labels had matured."""
    found = _registry().backtests()
    if as_json:
        typer.echo(json.dumps(found))
    elif found:
        output.print(backtest_table(found))
    else:
        console.print("no backtests yet; `fraudkit retrain` makes one a day")


def backtest_table(found: list[dict[str, Any]]) -> Table:
    """Backtests, one a row: the day's frauds among its payments, and figures of the month that ends with it."""
    table = Table(
        "day", "version", title="production on labels that matured (AUC, precision, recall: a month)", box=None
    )
    for heading in ("frauds", "AUC", "precision", "recall"):
        table.add_column(heading, justify="right", no_wrap=True)
    for entry in found:
        day, month = entry["day_figures"], entry["month_figures"]
        shares = (_interval(month[name]) for name in ("auc", "precision", "recall"))
        table.add_row(entry["day"], entry["version"], f"{day['frauds']} of {day['rows']:,}", *shares)
    return table


def _interval(numbers: list[float] | None) -> str:
    """Estimate and 95 % interval."""
    return "-" if numbers is None else "{:.2f} {:.2f}-{:.2f}".format(*numbers)


@app.command()
def demands(as_json: bool = AS_JSON) -> None:
    """What the promotion gate asks of a candidate."""
    if as_json:
        typer.echo(json.dumps(asdict(DEFAULT_GATE)))
        return
    for name, value in asdict(DEFAULT_GATE).items():
        output.print(f"{name:<16}{value}")


@app.command()
def rollback(as_json: bool = AS_JSON) -> None:
    """Put the production version before the present one back."""
    registry = _registry()
    registry.rollback()
    _say(registry.version("production"), "is production again", as_json)


def _registry() -> Registry:
    return Registry(settings().registry)


def _say(version: Version, what: str, as_json: bool) -> None:
    """Tell the outcome, to people or to a program."""
    if as_json:
        typer.echo(json.dumps(asdict(version)))
    else:
        output.print(f"{version.name} {what}")


def _short(metrics: dict[str, Any]) -> str:
    """The plain numbers among the metrics, in one line."""
    figures = {key: value for key, value in metrics.items() if isinstance(value, int | float)}
    return ", ".join(f"{key} {value:.4g}" for key, value in figures.items())
