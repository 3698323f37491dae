"""`fraudkit monitor`: one look at a running service."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fraudkit.core.config import settings
from fraudkit.core.console import output
from fraudkit.core.files import replace_file

if TYPE_CHECKING:
    import numpy as np

    from fraudkit.monitor.drift import DriftReference
    from fraudkit.monitor.state import State

COLOURS = {"ok": "green", "beyond": "red", "too little": "yellow"}
HISTORY_DAYS = 28  # days of the world's end that usual distances are learned from


def monitor(
    url: Annotated[str | None, typer.Option(help="The service. Default: FRAUDKIT_HOST and FRAUDKIT_PORT.")] = None,
    database: Annotated[Path | None, typer.Option(help="Its decision database. Default: under FRAUDKIT_HOME.")] = None,
    world: Annotated[str, typer.Option(help="World whose training period is the reference for drift.")] = "small",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON to standard output.")] = False,
    picture: Annotated[Path | None, typer.Option(help="Write a picture; .png, .svg or .pdf.")] = None,
    textfile: Annotated[Path | None, typer.Option(help="Write gauges for Prometheus' node exporter.")] = None,
) -> None:
    """Say what a running service does and which alert values are beyond their thresholds.

    Answer times are those since the service started; Prometheus' rule looks at the last five minutes.
    """
    state = look_now(url, database, world)
    if picture is not None:
        from fraudkit.monitor.picture import save

        save(state, picture)
    if textfile is not None:
        from fraudkit.monitor.prometheus import gauges_text

        replace_file(textfile, gauges_text(state.measures, time.time()).encode())
    if as_json:
        typer.echo(json.dumps(state.content(), indent=2))
    else:
        _print(state)


def look_now(url: str | None, database: Path | None, world: str) -> State:
    """Read the service and its database now.

    Raises
    ------
    NotReady
        No service answers at `url`, or there is no decision database.
    """
    import numpy as np
    import pandas as pd

    from fraudkit.monitor.snapshot import read_decisions, read_feedback, scrape
    from fraudkit.monitor.state import look

    chosen = settings()
    path = chosen.run / "decisions.db" if database is None else database
    counts = scrape(url or f"http://{chosen.host}:{chosen.port}", os.environ.get("FRAUDKIT_API_KEY") or None)
    decisions, vectors = read_decisions(path)
    rng = np.random.default_rng(7)
    reference, usual = _reference(world, rng)
    return look(
        pd.Timestamp.now(tz="UTC"), decisions, vectors, read_feedback(path), rng,
        counts=counts, reference=reference, usual=usual,
    )  # fmt: skip


def _reference(world: str, rng: np.random.Generator) -> tuple[DriftReference | None, np.ndarray | None]:
    """The last four weeks of a world's features, and what its days before that usually did; None without a world."""
    from fraudkit.features.catalog import FEATURE_NAMES
    from fraudkit.monitor.drift import DriftReference
    from fraudkit.monitor.drift_history import REFERENCE_DAYS, drift_by_day, usual_distances
    from fraudkit.pipeline.workspace import open_workspace, world_folder

    if not world_folder(world).exists():
        return None, None
    opened = open_workspace(world)
    X = opened.features()
    known_at = opened.transactions["known_at"]
    day = ((known_at - known_at.min().normalize()).dt.days).to_numpy()
    last = int(day.max()) + 1
    quiet = drift_by_day(X, day, FEATURE_NAMES, range(last - HISTORY_DAYS, last), rng)
    return DriftReference.of(X[day >= last - REFERENCE_DAYS], FEATURE_NAMES, rng), usual_distances(quiet)


def _print(state: State) -> None:
    """The state as tables."""
    from rich.table import Table

    from fraudkit.monitor.alerts import ALERTS

    if state.counts is not None:
        shares = ", ".join(f"{name} {count:,}" for name, count in state.counts.decisions.items())
        output.print(f"{state.counts.predictions:,} decisions since start: {shares}", markup=False)
    output.print(f"{state.decisions:,} decisions stored, {state.performance.rows:,} old enough to be judged")
    table = Table("alert", "now", "threshold", "rests on", "says", "if it stays so")
    for rule in ALERTS.values():
        measure, verdict = state.measures.get(rule.measure), state.verdicts()[rule.id]
        sign = ">" if rule.above else "<"
        table.add_row(
            rule.title,
            "-" if measure is None or measure.value != measure.value else f"{measure.value:.3g}",
            f"{sign} {rule.threshold:g} {rule.unit}",
            f"{measure.count if measure else 0:,} of {rule.min_count:,} {rule.counted}",
            f"[{COLOURS[verdict]}]{verdict}[/]",
            rule.action,
        )
    output.print(table)
    if state.drift is not None and state.drift.drifted:
        names = ", ".join(feature.feature for feature in state.drift.drifted[:5])
        output.print(f"drifted: {names}", markup=False)
