"""`fraudkit rules`: list them, show one, measure them on a world's last days."""

from __future__ import annotations

import json
from typing import Any

import typer
from rich.table import Table

from fraudkit.core.console import ProgressCallback, output, progress_bar, scaled
from fraudkit.core.errors import InvalidInput
from fraudkit.rules.catalog import RULES
from fraudkit.rules.report import RuleFigures

app = typer.Typer(no_args_is_help=True, help="List the rules and measure each on labelled data.")

_JSON = typer.Option(False, "--json", help="print JSON")


def _print(table: Table) -> None:
    output.print(table)


@app.command("list")
def list_command(as_json: bool = _JSON) -> None:
    """All rules in order of precedence."""
    if as_json:
        typer.echo(RULES.to_json())
        return
    table = Table("id", "version", "confidence", "declines", "condition", title=f"{len(RULES)} rules")
    for rule in RULES:
        table.add_row(
            rule.id, str(rule.version), f"{rule.confidence:.2f}", "yes" if rule.decisive else "", str(rule.condition)
        )
    _print(table)


@app.command("show")
def show_command(rule_id: str, as_json: bool = _JSON) -> None:
    """One rule in full."""
    rule = RULES[rule_id]
    if as_json:
        typer.echo(json.dumps(rule.to_data(), sort_keys=True))
        return
    typer.echo(f"{rule.id}, version {rule.version}: {rule.reason}")
    typer.echo(f"fires where  {rule.condition}")
    typer.echo(f"confidence   {rule.confidence:.2f}{', declines by itself' if rule.decisive else ''}")


@app.command("report")
def report_command(
    world: str = typer.Option("small", help="a world's name or a lake's folder"),
    start: str = typer.Option("", help="first day, such as 2025-01-31; default 60 days before the end"),
    end: str = typer.Option("", help="day after the last; default the end of the world"),
    as_json: bool = _JSON,
) -> None:
    """Coverage and precision of each rule, on labels as known at the end of the world's data."""
    with progress_bar("rules") as progress:
        figures, period = measure(world, start, end, progress)
    if as_json:
        typer.echo(json.dumps({"world": world, "period": period, "rules": [f.to_data() for f in figures]}))
        return
    table = Table("id", "fired", "frauds", "only this", "precision", "recall", title=f"{world}, {period}")
    for f in figures:
        shares = ["-" if share is None else f"{share:.3f}" for share in (f.precision, f.recall)]
        table.add_row(f.rule_id, str(f.fired), str(f.frauds), str(f.only), *shares)
    _print(table)


def measure(
    world: str, start: str, end: str, progress: ProgressCallback | None = None
) -> tuple[tuple[RuleFigures, ...], str]:
    """Replay a world's features and measure RULES from day `start` to before day `end`; the figures and the period.

    Raises
    ------
    NotReady
        There is no such world.
    """
    import numpy as np
    import pandas as pd

    from fraudkit.core.label import labels_as_of
    from fraudkit.features.offline import replay
    from fraudkit.lake import Lake, resolve
    from fraudkit.rules.report import report

    lake = Lake.open(resolve(world))
    transactions, labels = lake.transactions(), lake.labels()
    X = replay(transactions, lake.users(), labels, progress=scaled(progress, 0.0, 0.9))
    last = _day(end) if end else transactions["event_time"].max().normalize() + pd.Timedelta(days=1)
    first = _day(start) if start else last - pd.Timedelta(days=60)
    moment = transactions["event_time"]
    rows = np.flatnonzero(((moment >= first) & (moment < last)).to_numpy())
    known = labels_as_of(labels, labels["known_at"].max())
    frauds = known.loc[known["is_fraud"], "transaction_id"]
    y_true = transactions["transaction_id"].iloc[rows].isin(frauds).to_numpy(dtype=bool)
    return report(RULES, RULES.evaluate(X[rows]), y_true), f"{first:%Y-%m-%d} to before {last:%Y-%m-%d}"


def _day(text: str) -> Any:
    """A day as a UTC timestamp."""
    import pandas as pd

    try:
        return pd.Timestamp(text, tz="UTC")
    except ValueError as error:
        raise InvalidInput(f"day {text!r} cannot be read; write it as 2025-01-31") from error
