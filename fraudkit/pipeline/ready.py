"""What has to stand before the service can answer: world, features, a model in production, a filled store.

Each step is done only where its result is not there yet, so a second run is quick and a run that
was interrupted goes on where it stopped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from fraudkit.core.clock import DAY_S, SystemClock
from fraudkit.core.config import settings
from fraudkit.core.console import ProgressCallback, scaled
from fraudkit.core.files import replace_file
from fraudkit.features.catalog import HORIZON_DAYS, schema_hash
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.histories import Histories
from fraudkit.features.publish import fill_store
from fraudkit.features.secondary import SecondaryStore
from fraudkit.features.secondary_choice import secondary_table
from fraudkit.features.store import HistoryStore
from fraudkit.models.bundle import Bundle
from fraudkit.pipeline.training import ensure_production, registry
from fraudkit.pipeline.workspace import Workspace, open_workspace
from fraudkit.rules.catalog import RULES

# Histories expire HORIZON_DAYS after they were written; a store filled earlier than this is filled again.
REFILL_AFTER_DAYS = HORIZON_DAYS - 7


@dataclass(frozen=True, slots=True)
class Ready:
    """What stands: the world, the production version with its metrics on the test period, and what was built now."""

    world: str
    transactions: int
    version: str
    trained_on: str
    metrics: dict[str, Any]
    built: tuple[str, ...]


def make_ready(world: str, progress: ProgressCallback | None = None) -> Ready:
    """Build what is missing for serving a world.

    Parameters
    ----------
    world : "small" or "reference"
    progress : told how far it is

    Raises
    ------
    GateRefused
        The model trained here is not fit for production; the message says why.
    """
    built = []
    if not (settings().worlds / world).exists():
        built.append("world")
    workspace = open_workspace(world, progress=scaled(progress, 0.0, 0.1))
    if ensure_production(workspace, scaled(progress, 0.1, 0.85)):
        built.append("model")
        compile_for_serving()
    if fill_if_needed(workspace, scaled(progress, 0.85, 1.0)):
        built.append("store")
    production = registry().version("production")
    return Ready(
        world=world,
        transactions=len(workspace.transactions),
        version=production.name,
        trained_on=production.training["world"],
        metrics=production.metrics,
        built=tuple(built),
    )


def compile_for_serving() -> None:
    """Have the code compiled that only the service needs, so that its first start is as quick as its second."""
    bundle = Bundle.load(registry().path("production"))
    bundle.warm_up()
    RULES.evaluate(bundle.defaults[np.newaxis])


def fill_if_needed(workspace: Workspace, progress: ProgressCallback | None = None) -> bool:
    """Bring both embedded stores to the world's last moment unless that was done lately; True if it was done now.

    A store that belongs to someone else (REDIS_URL) is never filled here.
    """
    if settings().redis_url is not None:
        return False
    note = settings().run / "store" / "filled.json"
    mark = {"stores": 2, "world": workspace.digest, "schema_hash": schema_hash()}
    now_s = SystemClock().now_ms() // 1000
    if note.exists():
        filled = json.loads(note.read_text(encoding="utf-8"))
        if filled["mark"] == mark and now_s - filled["at"] < REFILL_AFTER_DAYS * DAY_S:
            return False
    with EmbeddedValkey(settings().run / "store") as server:
        store = HistoryStore.connect(server.url, socket_timeout=30.0)
        secondary = SecondaryStore(secondary_table(settings().secondary, settings().run))
        # The secondary first: a running service fills an empty first store from it.
        stores: tuple[Histories, ...] = (secondary, store)
        for number, to_fill in enumerate(stores):
            to_fill.clear()
            fill_store(
                to_fill,
                workspace.transactions,
                workspace.users,
                workspace.labels,
                workspace.lake.ip_reputation(),
                pd.Timestamp(workspace.config.end),
                progress=scaled(progress, number / 2, (number + 1) / 2),
            )
            to_fill.close()
    replace_file(note, json.dumps({"mark": mark, "at": now_s}).encode())
    return True
