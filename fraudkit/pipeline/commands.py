"""`fraudkit setup`, `train`, `retrain`, `evaluate`: the job as a whole, on one world."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from fraudkit.core.config import settings
from fraudkit.core.console import output, progress_bar, progress_table

if TYPE_CHECKING:
    from fraudkit.pipeline.daily import Outcome

WORLD = typer.Option("small", "--world", help="small (seconds) or reference (about 1.75 M transactions).")
SEED = typer.Option(7, "--seed", help="Seed of the training.")
AS_JSON = typer.Option(False, "--json", help="Print JSON to standard output.")

COLUMNS = {
    "roc_auc": "ROC AUC",
    "average_precision": "average precision",
    "precision_at_1000": "precision@1000",
    "card_precision_at_100": "card precision@100 a day",
    "loss_prevented_below_2pct_fpr": "loss prevented, FPR < 2 %",
}


def setup(world: str = WORLD) -> None:
    """Build a world, a model and a filled store where there is none, and say what stands."""
    from fraudkit.pipeline.ready import make_ready

    with progress_bar("Setting up") as progress:
        stands = make_ready(world, progress)
    ensemble = stands.metrics["ensemble"]
    output.print(
        f"world    {stands.world}: {stands.transactions:,} transactions in {settings().worlds / stands.world}",
        markup=False,  # a folder's name may hold brackets
    )
    output.print(
        f"model    {stands.version}, trained on {stands.trained_on}; on its test period ({ensemble['rows']:,} "
        f"transactions, {ensemble['frauds']:,} frauds): ROC AUC {ensemble['roc_auc']:.3f}, "
        f"average precision {ensemble['average_precision']:.3f}, "
        f"{ensemble['loss_prevented_below_2pct_fpr']:.0%} of the loss prevented at a false-positive rate below 2 %"
    )
    output.print(f"service  `make serve` answers at http://{settings().host}:{settings().port}")


def train(world: str = WORLD, seed: int = SEED, as_json: bool = AS_JSON) -> None:
    """Train a bundle on a world, measure it, register it as candidate, and ask the gate."""
    from fraudkit.pipeline.training import registry, train_candidate
    from fraudkit.pipeline.workspace import open_workspace

    with progress_bar("Training") as progress:
        workspace = open_workspace(world, progress=progress)
        version, report = train_candidate(workspace, seed=seed, progress=progress)
    metrics = registry().version(version).metrics
    if as_json:
        typer.echo(json.dumps({"version": version, "metrics": metrics, "gate": report.content()}, indent=2))
        return
    output.print(model_table(f"{version} on the test period of world {world}", metrics))
    if report.passed:
        output.print(f"the gate lets {version} pass; make it production with `fraudkit models promote {version}`")
    else:
        output.print(f"the gate refuses {version}: {'; '.join(report.reasons)}")


def retrain(
    world: str = WORLD,
    as_of: str | None = typer.Option(None, "--as-of", help="The day, YYYY-MM-DD; default the last day of the data."),
    days: int = typer.Option(90, "--days", min=1, help="Days of matured labels to learn from."),
    seed: int = SEED,
    may_promote: bool = typer.Option(True, "--promote/--no-promote", help="Whether a version that passes takes over."),
    if_asked: bool = typer.Option(False, "--if-asked", help="Do nothing unless the service asked for it."),
    as_json: bool = AS_JSON,
) -> None:
    """Retrain on the matured labels of a day, measure, ask the gate, and promote what passes.

    A run that was stopped goes on where it was; a run that was done is only read again.
    """
    from fraudkit.pipeline import daily
    from fraudkit.registry.request import RetrainingRequest

    asked = RetrainingRequest(settings().retraining).pending()
    if if_asked and asked is None:
        if as_json:
            typer.echo(json.dumps({"asked": None}))
        else:
            output.print("nobody asked for a retraining")
        return
    with progress_table(daily.STEPS) as progress_of:
        outcome = daily.retrain(as_of, world, days=days, seed=seed, may_promote=may_promote, progress_of=progress_of)
    if as_json:
        typer.echo(json.dumps({"asked": asked, "done_before": outcome.done_before, **outcome.steps}, indent=2))
    else:
        _tell(outcome, asked)


def _tell(outcome: Outcome, asked: dict[str, Any] | None) -> None:
    """What a daily run came to."""
    from fraudkit.registry.commands import backtest_table
    from fraudkit.registry.registry import Registry

    extracted, promoted = outcome.steps["extract"], outcome.steps["promote"]
    version, tested = promoted["version"], extracted["windows"]
    if asked is not None:
        output.print(f"asked for by the service: {'; '.join(asked['reasons'])}", markup=False)
    if outcome.done_before and not promoted["changed"]:
        output.print(
            f"nothing to do: run {promoted['run']} was done before, and its data, settings and code are the same",
            markup=False,
            soft_wrap=True,
        )
    else:
        title = f"{version} on the labels that had matured, {tested['test_start'][:10]} to {tested['test_end'][:10]}"
        output.print(model_table(title, outcome.steps["evaluate"]["metrics"]))
    backtests = Registry(settings().registry).backtests()
    if backtests:
        output.print(backtest_table(backtests[-7:]))
    if promoted["promoted"]:
        output.print(f"{version} is production" + ("" if promoted["changed"] else ", as before"))
    else:
        output.print(f"{version} is not promoted: {'; '.join(promoted['reasons'])}", markup=False, soft_wrap=True)


def evaluate(
    world: str = WORLD,
    model: str = typer.Option("production", "--model", help="A version, or production or candidate."),
    as_json: bool = AS_JSON,
) -> None:
    """Measure every model of a registered bundle on a world's test period."""
    from fraudkit.models.bundle import Bundle
    from fraudkit.pipeline.training import compare, headline, registry
    from fraudkit.pipeline.workspace import open_workspace

    with progress_bar("Measuring") as progress:
        workspace = open_workspace(world, progress=progress)
        workspace.features(progress)
        reports = compare(workspace, Bundle.load(registry().path(model)))
    if as_json:
        typer.echo(json.dumps({name: report.to_data() for name, report in reports.items()}, indent=2))
        return
    metrics = {name: headline(report) for name, report in reports.items()}
    output.print(model_table(f"{model} on the test period of world {world}", metrics))
    for target in reports["ensemble"].targets:
        value = "not measurable here" if target.value is None else f"{target.value:.3f}"
        output.print(f"{'met   ' if target.passed else 'missed'}  {target.name}: {value} (target {target.goal:g})")


def model_table(title: str, metrics: dict[str, dict[str, Any]]) -> Table:
    """The figures of several models, one a row."""
    some = next(iter(metrics.values()))
    table = Table(title=f"{title}: {some['rows']:,} transactions, {some['frauds']:,} frauds")
    table.add_column("model")
    for heading in COLUMNS.values():
        table.add_column(heading, justify="right")
    for name, figures in metrics.items():
        table.add_row(name, *("-" if figures[key] is None else f"{figures[key]:.3f}" for key in COLUMNS))
    return table
