"""`fraudkit simulate`: make a world, write it to the lake, and say what is in it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from rich.table import Table

from fraudkit.core.config import settings
from fraudkit.core.console import output, progress_bar, scaled
from fraudkit.core.errors import InvalidInput
from fraudkit.simulate.config import WORLDS
from fraudkit.simulate.world import World, simulate

DEFAULT_SEED = 7


def simulate_command(
    world: Annotated[str, typer.Argument(help="Which world: " + ", ".join(WORLDS) + ".")] = "small",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = DEFAULT_SEED,
    out: Annotated[Path | None, typer.Option(help="Folder to write; default: the world's folder at home.")] = None,
    users: Annotated[int | None, typer.Option(help="Card holders, instead of the world's own number.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the world that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Simulate a world and write it to the lake."""
    from fraudkit.lake.lake import Lake, check_target

    if world not in WORLDS:
        raise InvalidInput(f"there is no world {world!r}; choose one of {', '.join(WORLDS)}")
    config = WORLDS[world] if users is None else replace(WORLDS[world], users=users)
    path = out or settings().worlds / folder_name(world, seed, users)
    check_target(path, replace=force)
    started = time.perf_counter()
    with progress_bar(f"world {world}") as progress:
        made = simulate(config, np.random.default_rng(seed), scaled(progress, 0.0, 0.6))
        Lake.write(path, made, scaled(progress, 0.6, 1.0), replace=force)
    summary = {"path": str(path), "seed": seed, "seconds": round(time.perf_counter() - started, 2), **summarise(made)}
    if as_json:
        typer.echo(json.dumps(summary, indent=2))
    else:
        _show(summary)


def folder_name(world: str, seed: int, users: int | None) -> str:
    """Name of a world's folder; the plain name is kept for the world that everything else means by it.

    >>> folder_name("small", 7, None), folder_name("small", 8, 60)
    ('small', 'small-seed8-users60')
    """
    return world + (f"-seed{seed}" if seed != DEFAULT_SEED else "") + (f"-users{users}" if users is not None else "")


def summarise(world: World) -> dict[str, Any]:
    """Counts and rates of a world, ready for JSON; `campaigns` has one entry a campaign."""
    truth, config = world.truth, world.config
    by_campaign = truth[truth["is_fraud"]].groupby("campaign", observed=True)["declined"].agg(["size", "mean"])
    in_test = world.transactions["known_at"] >= pd.Timestamp(config.test_start)
    return {
        "world": config.name,
        "users": len(world.users),
        "merchants": len(world.merchants),
        "days": config.days,
        "transactions": len(truth),
        "frauds": int(truth["is_fraud"].sum()),
        "fraud_rate": round(float(truth["is_fraud"].mean()), 5),
        "frauds_in_test": int(truth["is_fraud"][in_test].sum()),
        "labels": len(world.labels),
        "declined_honest_rate": round(float(truth["declined"][~truth["is_fraud"]].mean()), 5),
        "campaigns": {
            str(name): {"transactions": int(row["size"]), "declined_rate": round(float(row["mean"]), 4)}
            for name, row in by_campaign.iterrows()
        },
    }


def _show(summary: dict[str, Any]) -> None:
    campaigns = summary["campaigns"]
    table = Table("campaign", "transactions", "share of fraud", "declined", box=None)
    for name, row in campaigns.items():
        share = row["transactions"] / max(1, sum(other["transactions"] for other in campaigns.values()))
        table.add_row(name, f"{row['transactions']:,}", f"{share:.1%}", f"{row['declined_rate']:.1%}")
    output.print(
        f"{summary['transactions']:,} transactions of {summary['users']:,} users in {summary['days']} days, "
        f"{summary['fraud_rate']:.2%} fraud ({summary['frauds_in_test']:,} in the test period), "
        f"{summary['labels']:,} labels, in {summary['seconds']} s"
    )
    output.print(table)
    typer.echo(summary["path"])
