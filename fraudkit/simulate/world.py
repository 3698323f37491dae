"""The simulated world: its tables, and the one function that makes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fraudkit.core.console import ProgressCallback
from fraudkit.simulate import tables
from fraudkit.simulate.behaviour import honest_rows
from fraudkit.simulate.campaigns.underworld import fraud_rows
from fraudkit.simulate.config import WorldConfig
from fraudkit.simulate.control import declined
from fraudkit.simulate.labels import label_rows
from fraudkit.simulate.rows import PRESENT, Rows, concat
from fraudkit.simulate.scene import build_scene
from fraudkit.simulate.trips import HOUR_MS

LATE_HOURS = (3.0, 144.0)  # an offline terminal hands in its day's work, or its week's


@dataclass(slots=True)
class World:
    """A simulated world.

    The tables conform to the columns in fraudkit.core; `transactions`, `truth` and `labels` are sorted
    by (known_at, transaction_id). `ip_reputation` has ip_address and reputation, 0 clean .. 1 bad.
    """

    config: WorldConfig
    users: pd.DataFrame
    merchants: pd.DataFrame
    transactions: pd.DataFrame
    labels: pd.DataFrame
    truth: pd.DataFrame
    ip_reputation: pd.DataFrame


def simulate(config: WorldConfig, rng: np.random.Generator, progress: ProgressCallback | None = None) -> World:
    """Simulate a world. The same configuration and generator state give the same bytes.

    Every part draws from a stream of its own, so that a change in one part leaves the others alone.

    Examples
    --------
    >>> world = simulate(WorldConfig("tiny", users=20, test_days=5), np.random.default_rng(7))
    >>> bool(world.transactions["known_at"].is_monotonic_increasing)
    True
    """
    tell = progress or _silent
    scene_rng, honest_rng, fraud_rng, arrival_rng, label_rng, name_rng = rng.spawn(6)
    tell(0.0, "people, merchants, devices")
    scene = build_scene(config, scene_rng)
    tell(0.1, "honest purchases")
    honest = honest_rows(scene, honest_rng)
    tell(0.5, "fraud campaigns")
    rows = concat([honest, fraud_rows(scene, honest, fraud_rng)])
    tell(0.65, "arrival and control")
    known_ms = _arrivals(rows, config.late_share, arrival_rng)
    order = np.argsort(known_ms, kind="stable")
    rows, known_ms = rows.take(order), known_ms[order]
    was_declined = declined(rows)
    tell(0.75, "labels")
    labels = label_rows(rows, known_ms, was_declined, label_rng)
    tell(0.8, "tables")
    names = tables.Names(scene, name_rng)
    transactions = tables.transactions_table(scene, names, rows, known_ms, name_rng)
    ids = transactions["transaction_id"]
    world = World(
        config=config,
        users=tables.users_table(scene, names),
        merchants=tables.merchants_table(scene, names),
        transactions=transactions,
        labels=tables.labels_table(scene, ids, rows.event_ms, labels),
        truth=tables.truth_table(ids, rows, was_declined),
        ip_reputation=tables.reputation_table(scene, names),
    )
    tell(1.0, f"{len(transactions):,} transactions")
    return world


def _silent(fraction: float, text: str) -> None:
    """Progress nobody asked for."""


def _arrivals(rows: Rows, late_share: float, rng: np.random.Generator) -> np.ndarray:
    """When the system hears of each row, int64 (n,): within about a second, or late from an offline terminal."""
    n = len(rows)
    known_ms = rows.event_ms + 200 + rng.gamma(3.0, 300.0, n).astype(np.int64)
    late = np.flatnonzero((rows.channel == PRESENT) & (rng.random(n) < late_share))
    hours = np.clip(rng.lognormal(2.7, 0.9, len(late)), *LATE_HOURS)
    known_ms[late] = rows.event_ms[late] + (hours * HOUR_MS).astype(np.int64)
    return known_ms
