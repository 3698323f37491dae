"""Train the models of one fold and score its test rows.

The models are the system's own where they fit a table of any width; XGBoost and the random forest
are trained here with a fixed number of trees, since a public protocol rarely leaves a period to stop
on. Test rows are never seen before they are scored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fraudkit.benchmark.features import FeatureMatrix
from fraudkit.benchmark.protocol import Fold
from fraudkit.benchmark.settings import ModelChoice
from fraudkit.benchmark.table import Table
from fraudkit.core.errors import InvalidInput
from fraudkit.models.logistic import train_logistic
from fraudkit.models.params import TrainingParams
from fraudkit.models.train_network import train_network
from fraudkit.models.transform import fit_transform_parameters

# scikit-learn and XGBoost sum in thread order; a fixed count gives the same figures on every machine
N_JOBS = 2


@dataclass(frozen=True, slots=True)
class FoldScores:
    """Scores of a fold's test rows by model, and XGBoost's gain by feature (empty if it was not run)."""

    scores: dict[str, np.ndarray]
    importance: dict[str, float]


def score_fold(
    table: Table,
    features: FeatureMatrix,
    fold: Fold,
    choice: ModelChoice,
    progress: Callable[[float, str], None] | None = None,
) -> FoldScores:
    """Train on the fold's training rows and score its test rows.

    Returns
    -------
    FoldScores, each score float64 (len(fold.test),) in 0..1, models in the order of `choice.run`
    """
    X_train, y_train = features.X[fold.train], table.is_fraud[fold.train]
    X_test = features.X[fold.test]
    rng = np.random.default_rng(choice.seed)
    scores: dict[str, np.ndarray] = {}
    importance: dict[str, float] = {}
    for done, name in enumerate(choice.run):
        if progress is not None:
            progress(done / len(choice.run), f"fold {fold.name}: {name}")
        if name == "rules":
            scores[name] = features.rule_score[fold.test].astype(np.float64)
        elif name == "logistic":
            transform = fit_transform_parameters(X_train)
            scores[name] = train_logistic(X_train, y_train, transform, _params(choice)).predict_score(X_test)
        elif name == "random_forest":
            scores[name] = _random_forest(X_train, y_train, X_test, choice)
        elif name == "xgboost":
            scores[name], gains = _xgboost(X_train, y_train, X_test, choice)
            importance = dict(zip(features.names, gains.tolist(), strict=True))
        elif name == "network":
            scores[name] = _network(table, features, fold, choice, rng)
    if "ensemble" in choice.run:
        weight = choice.tree_weight
        scores["ensemble"] = weight * scores["xgboost"] + (1.0 - weight) * scores["network"]
    return FoldScores({name: scores[name] for name in choice.run}, importance)


def _params(choice: ModelChoice) -> TrainingParams:
    return TrainingParams(positive_weight=choice.positive_weight, max_epochs=choice.epochs, n_jobs=N_JOBS)


def _xgboost(
    X_train: np.ndarray, y_train: np.ndarray, X_test: np.ndarray, choice: ModelChoice
) -> tuple[np.ndarray, np.ndarray]:
    """Mean score of `repeats` boosters and their mean gain by column.

    base_score is pinned: estimated from the data, as newer versions do, it cost average precision.
    """
    import xgboost as xgb

    score = np.zeros(len(X_test))
    gain = np.zeros(X_train.shape[1])
    for repeat in range(choice.repeats):
        model = xgb.XGBClassifier(
            n_estimators=choice.trees,
            max_depth=choice.depth,
            learning_rate=choice.rate,
            subsample=choice.subsample,
            colsample_bytree=choice.colsample,
            min_child_weight=choice.min_child_weight,
            max_bin=choice.bins,
            base_score=0.5,
            tree_method="hist",
            n_jobs=N_JOBS,
            random_state=choice.seed + repeat,
        )
        model.fit(X_train, y_train)
        score += model.predict_proba(X_test)[:, 1] / choice.repeats
        gain += model.feature_importances_ / choice.repeats
    return score, gain


def _random_forest(X_train: np.ndarray, y_train: np.ndarray, X_test: np.ndarray, choice: ModelChoice) -> np.ndarray:
    """scikit-learn's forest, all else at its defaults, as the published baseline has it."""
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(
        n_estimators=choice.forest_trees,
        max_samples=choice.forest_share,
        random_state=choice.seed,
        n_jobs=N_JOBS,
    )
    return forest.fit(X_train, y_train).predict_proba(X_test)[:, 1]


def _network(
    table: Table, features: FeatureMatrix, fold: Fold, choice: ModelChoice, rng: np.random.Generator
) -> np.ndarray:
    """The network, its epochs stopped on the validation rows or on the last days of training."""
    train, stop = fold.train, fold.valid
    if not len(stop):
        last = table.day[fold.train] >= table.day[fold.train[-1]] + 1 - choice.stopping_days
        train, stop = fold.train[~last], fold.train[last]
    if not len(train) or not table.is_fraud[train].any():
        raise InvalidInput(
            f"fold {fold.name} leaves no frauds to train the network on; lengthen train_days or history_days"
        )
    X = features.X
    transform = fit_transform_parameters(X[train])
    network = train_network(
        X[train], table.is_fraud[train], X[stop], table.is_fraud[stop], transform, rng, _params(choice)
    )
    return network.predict_score(X[fold.test])
