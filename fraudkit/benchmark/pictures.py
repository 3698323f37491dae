"""The three pictures of a benchmark; curves and scores are of the first reported fold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fraudkit.benchmark.run import FoldResult
from fraudkit.benchmark.table import Table


def draw_pictures(table: Table, results: list[FoldResult], report: dict[str, Any], folder: Path) -> None:
    """Write the files of fraudkit.benchmark.report.PICTURES."""
    from fraudkit.evaluate.plots import ranking_figure

    first = results[0]
    figures = {"ranking.png": ranking_figure(table.is_fraud[first.fold.test], first.scores)}
    figures["scores_by_time.png"] = _scores_by_time(table, first)
    figures["top_features.png"] = _top_features(report["top_features"])
    for name, figure in figures.items():
        figure.savefig(folder / name, dpi=110, bbox_inches="tight")


def _scores_by_time(table: Table, result: FoldResult) -> Any:
    """One panel a model: daily mean score of frauds and of legitimate transactions."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(3.2 * len(result.scores), 3.2), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, len(result.scores), sharey=True))
    day, y_true = table.day[result.fold.test], table.is_fraud[result.fold.test]
    for axis, (name, score) in zip(axes, result.scores.items(), strict=True):
        for label, colour in ((1, "tab:red"), (0, "tab:blue")):
            days = np.unique(day[y_true == label])
            means = [score[(day == d) & (y_true == label)].mean() for d in days]
            axis.plot(days - day[0], means, "o-", color=colour, label="fraud" if label else "legitimate")
        axis.set(title=name.replace("_", " "), xlabel="test day", ylim=(0, 1))
    axes[0].set_ylabel("mean score, 0..1")
    axes[0].legend()
    return figure


def _top_features(top: list[dict[str, Any]]) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 0.35 * max(len(top), 3) + 1), layout="constrained")
    axis = figure.subplots()
    axis.barh([item["feature"] for item in reversed(top)], [item["gain_share"] for item in reversed(top)])
    axis.set(title="What XGBoost gained from", xlabel="share of gain, mean over test folds")
    return figure
