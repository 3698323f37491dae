"""`fraudkit features`: list the catalog, prove that online equals offline, size the store."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from fraudkit.core.config import settings
from fraudkit.core.console import console, progress_bar
from fraudkit.core.errors import InvalidInput, NotReady
from fraudkit.features.catalog import FAMILIES, FEATURES, schema_hash

if TYPE_CHECKING:
    import pandas as pd

    from fraudkit.features.store import HistoryStore

SEED = 7  # of the world that is simulated when there is none
MEASURED_USERS = 2_000

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="List the features, prove that online equals offline, size the store.",
)
AS_JSON = typer.Option(False, "--json", help="Print JSON to standard output.")
WORLD = typer.Option("small", "--world", help="A world of `fraudkit simulate`; simulated on the fly if there is none.")


@app.command("list")
def list_features(as_json: bool = AS_JSON, family: str = typer.Option("", help="Only this family.")) -> None:
    """List the declared features."""
    if family and family not in FAMILIES:
        raise InvalidInput(f"family {family!r} is unknown; use one of {', '.join(FAMILIES)}")
    chosen = [feature for feature in FEATURES if not family or feature.family == family]
    if as_json:
        typer.echo(json.dumps({"schema_hash": schema_hash(), "features": [asdict(feature) for feature in chosen]}))
        return
    for group in dict.fromkeys(feature.family for feature in chosen):
        typer.echo(f"\n{group}")
        for feature in (feature for feature in chosen if feature.family == group):
            alias = f" [{feature.seed_name}]" if feature.seed_name else ""
            typer.echo(f"  {feature.name:<34}{feature.meaning} ({feature.unit}; default {feature.default:g}){alias}")
    typer.echo(f"\n{len(chosen)} features, schema {schema_hash()}")


@app.command("parity")
def parity(
    world: str = WORLD,
    events: int = typer.Option(50_000, min=1, help="Events to replay, the world's first ones."),
    as_json: bool = AS_JSON,
) -> None:
    """Replay events through the real store and offline, and compare bit for bit; exit 1 on any difference."""
    from fraudkit.features.parity import check_parity

    transactions, users, labels = _tables(world)
    with _empty_store() as store, progress_bar("Comparing") as progress:
        report = check_parity(store, transactions.iloc[:events], users, labels, progress=progress)
    if as_json:
        typer.echo(json.dumps(asdict(report)))
    else:
        typer.echo(f"{report.events:,} events, {report.values:,} values: {report.mismatches} mismatches")
        for miss in report.first:
            typer.echo(f"{miss.transaction_id} {miss.feature}: online {miss.online!r}, offline {miss.offline!r}")
    if report.mismatches:
        raise typer.Exit(1)


@app.command("store")
def store_size(world: str = WORLD, as_json: bool = AS_JSON) -> None:
    """Fill a store with a world's last state and measure what a user costs in it (MEMORY USAGE)."""
    from fraudkit.features.publish import fill_store, memory_per_user, record_bytes

    transactions, users, labels = _tables(world)
    with _empty_store() as store, progress_bar("Filling") as progress:
        fill_store(store, transactions, users, labels, None, transactions["known_at"].max(), progress=progress)
        measured = users["user_id"].astype(str).tolist()[:MEASURED_USERS]
        sizes = {**memory_per_user(store, measured), "record_bytes": record_bytes(), "keys": store.counts()}
    if as_json:
        typer.echo(json.dumps(sizes))
        return
    typer.echo(
        f"{sizes['users']:,} users: {sizes['mean_bytes']:,.0f} bytes each on average, "
        f"{sizes['max_bytes']:,.0f} at most; a full history is {record_bytes()['user']:,} bytes of records"
    )


def _tables(world: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Transactions, users and labels of a world from the lake, or of one simulated now."""
    import numpy as np

    from fraudkit.lake import Lake
    from fraudkit.simulate import WORLDS, simulate

    if world not in WORLDS:
        raise InvalidInput(f"world {world!r} is unknown; use one of {', '.join(WORLDS)}")
    try:
        lake = Lake.open(settings().worlds / world)
    except NotReady:
        console.print(f"no world {world!r} in {settings().worlds}; simulating one for this run")
        with progress_bar("Simulating") as progress:
            made = simulate(WORLDS[world], np.random.default_rng(SEED), progress)
        return made.transactions, made.users, made.labels
    return lake.transactions(), lake.users(), lake.labels()


@contextmanager
def _empty_store() -> Iterator[HistoryStore]:
    """A store of its own, so that the one in use keeps its histories."""
    from fraudkit.features.embedded import EmbeddedValkey
    from fraudkit.features.store import HistoryStore

    with (
        tempfile.TemporaryDirectory(prefix="fraudkit-store-") as folder,
        EmbeddedValkey(Path(folder), persist=False) as server,
    ):
        store = HistoryStore.connect(server.url)
        try:
            yield store
        finally:
            store.close()
