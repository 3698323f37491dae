"""Run a benchmark: tune on the validation folds if asked to, then train and measure on the reported folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fraudkit.benchmark.features import FeatureMatrix
from fraudkit.benchmark.measures import measure, summarise
from fraudkit.benchmark.models import score_fold
from fraudkit.benchmark.protocol import Fold, reported_folds, validation_folds
from fraudkit.benchmark.settings import Settings
from fraudkit.benchmark.table import Table
from fraudkit.core.console import scaled
from fraudkit.core.errors import InvalidInput

# Candidates are compared by the mean of these: finding frauds, ranking them, and using the analysts' day.
CHOSEN_BY = ("roc_auc", "average_precision", "card_precision")


@dataclass(frozen=True, slots=True)
class FoldResult:
    """One fold's scores and figures by model."""

    fold: Fold
    scores: dict[str, np.ndarray]
    figures: dict[str, dict[str, float]]
    importance: dict[str, float]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One point of the grid with XGBoost's figures on the validation folds, and what it was ranked by."""

    values: dict[str, Any]
    summary: dict[str, dict[str, float]]
    merit: float


def run_folds(
    table: Table,
    features: FeatureMatrix,
    settings: Settings,
    folds: list[Fold],
    progress: Callable[[float, str], None] | None = None,
) -> list[FoldResult]:
    """Train and measure every model on every fold."""
    results = []
    for position, fold in enumerate(folds):
        part = scaled(progress, position / len(folds), (position + 1) / len(folds))
        done = score_fold(table, features, fold, settings.models, part)
        figures = {
            name: measure(table, fold, score, settings.protocol.card_budget) for name, score in done.scores.items()
        }
        results.append(FoldResult(fold, done.scores, figures, done.importance))
    return results


def tune(
    table: Table, features: FeatureMatrix, settings: Settings, progress: Callable[[float, str], None] | None = None
) -> tuple[Settings, list[Candidate]]:
    """Try the grid with XGBoost on the validation folds and return the settings of the best point.

    The reported test rows take no part.

    Raises
    ------
    InvalidInput
        There is no grid, or there are no validation folds.
    """
    if not settings.grid:
        raise InvalidInput("[tuning.grid] is empty; list values to try, as history_days = [0, 21]")
    points = settings.candidates()
    tried = []
    for position, values in enumerate(points):
        changed = settings.changed(values)
        only_trees = replace(changed, models=replace(changed.models, run=("xgboost",)))
        folds = validation_folds(table, changed.protocol)
        part = scaled(progress, position / len(points), (position + 1) / len(points))
        results = run_folds(table, features, only_trees, folds, part)
        summary = summarise([result.figures["xgboost"] for result in results])
        merit = float(np.mean([summary[name]["mean"] for name in CHOSEN_BY]))
        tried.append(Candidate(values, summary, merit))
    best = max(tried, key=lambda candidate: candidate.merit)
    return settings.changed(best.values), tried


def model_summary(results: list[FoldResult]) -> dict[str, dict[str, dict[str, float]]]:
    """Mean and spread over folds: model -> metric -> mean, std."""
    return {name: summarise([result.figures[name] for result in results]) for name in results[0].figures}


def run_reported(
    table: Table, features: FeatureMatrix, settings: Settings, progress: Callable[[float, str], None] | None = None
) -> list[FoldResult]:
    """`run_folds` on the folds that are reported."""
    return run_folds(table, features, settings, reported_folds(table, settings.protocol), progress)
