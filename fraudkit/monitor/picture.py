"""One picture of a running service: decisions, scores, answer times, and the features that moved most."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fraudkit.monitor.drift import FeatureDrift
from fraudkit.monitor.snapshot import Histogram
from fraudkit.monitor.state import State

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHOWN = 8  # features
COLOURS = {"APPROVE": "C0", "APPROVE_FALLBACK": "C9", "REVIEW": "C1", "DECLINE": "C3"}


def draw(state: State) -> Figure:
    """The four panels; a panel whose numbers are not there says so."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6), dpi=100, layout="constrained")
    decisions, scores, latency, drift = figure.subplots(2, 2).ravel()
    counts = state.counts
    _bars(decisions, "Decisions since start", "payments", dict(counts.decisions) if counts else {})
    _histogram(scores, "Fraud scores", "score", counts.score if counts else None, 1.0)
    _histogram(latency, "Time to decide", "milliseconds", counts.latency_s if counts else None, 1000.0)
    moved = {f.feature: f.statistic for f in _largest(state)}
    _bars(drift, "Largest distances from the reference", "Kolmogorov-Smirnov distance, 0 to 1", moved)
    figure.suptitle(f"{state.decisions:,} stored decisions, as of {state.moment:%Y-%m-%d %H:%M} UTC")
    return figure


def save(state: State, path: Path) -> None:
    """Write the picture; the ending of the file's name decides its format."""
    draw(state).savefig(path)


def _largest(state: State) -> list[FeatureDrift]:
    features = state.drift.features if state.drift else ()
    return sorted(features, key=lambda f: (-f.statistic, f.feature))[:SHOWN]


def _bars(axes: Axes, title: str, unit: str, values: dict[str, float]) -> None:
    axes.set(title=title, xlabel=unit)
    axes.spines[["top", "right"]].set_visible(False)
    if not values:
        axes.text(0.5, 0.5, "nothing to show yet", ha="center", transform=axes.transAxes)
        return
    names = list(values)[::-1]
    axes.barh(names, [values[name] for name in names], color=[COLOURS.get(name, "C0") for name in names])


def _histogram(axes: Axes, title: str, unit: str, found: Histogram | None, factor: float) -> None:
    axes.set(title=title, xlabel=f"{unit}, at most", ylabel="share of payments")
    axes.spines[["top", "right"]].set_visible(False)
    if found is None or not found.count:
        axes.text(0.5, 0.5, "nothing to show yet", ha="center", transform=axes.transAxes)
        return
    names = [f"{bound * factor:g}" if np.isfinite(bound) else "more" for bound in found.bounds]
    axes.bar(range(len(names)), found.shares(), width=0.9)
    axes.set_xticks(range(len(names)), names, rotation=45)
