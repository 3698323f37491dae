"""Training of the boosted trees with XGBoost, stopped early on a later week.

Early stopping watches the weighted log loss, not the AUC: the thresholds act on the score's size,
and a ranking measure would let it grow over-confident unseen.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.models.params import TrainingParams
from fraudkit.models.trees import Trees, trees_from_booster_json


def train_boosting(
    X_train: np.ndarray,
    y_train: np.ndarray,
    X_valid: np.ndarray,
    y_valid: np.ndarray,
    rng: np.random.Generator,
    params: TrainingParams,
    progress: Callable[[float, str], None] | None = None,
) -> tuple[Trees, bytes]:
    """Train on float32 rows (n, n_features); labels are 0 and 1.

    Returns
    -------
    the trees for run time, and the booster in XGBoost's UBJ format, which is their source

    Raises
    ------
    InvalidInput
        XGBoost refuses the data.
    """
    import xgboost as xgb

    def matrix(X: np.ndarray, y: np.ndarray, ref: xgb.QuantileDMatrix | None = None) -> xgb.QuantileDMatrix:
        weight = np.where(y > 0.5, params.positive_weight, 1.0)
        return xgb.QuantileDMatrix(X, label=y, weight=weight, ref=ref, nthread=params.n_jobs)

    try:
        train = matrix(X_train, y_train)
        booster = xgb.train(
            {**tree_settings(params), "seed": int(rng.integers(2**31))},
            train,
            num_boost_round=params.n_estimators,
            evals=[(matrix(X_valid, y_valid, train), "later_week")],
            early_stopping_rounds=params.stopping_rounds,
            callbacks=[_reporter(params.n_estimators, progress)],
            verbose_eval=False,
        )
    except xgb.core.XGBoostError as error:
        raise InvalidInput(f"XGBoost refused the data: {str(error).splitlines()[0]}") from error
    return finished(booster, X_train.shape[1])


def tree_settings(params: TrainingParams) -> dict[str, Any]:
    """The parameters as XGBoost names them, but for the seed and the number of rounds."""
    return {
        "objective": "binary:logistic",
        "eval_metric": "logloss",
        "tree_method": "hist",
        "max_depth": params.max_depth,
        "learning_rate": params.learning_rate,
        "subsample": params.subsample,
        "colsample_bytree": params.colsample,
        "min_child_weight": params.min_child_weight,
        "reg_lambda": params.reg_lambda,
        "nthread": params.n_jobs,
    }


def finished(booster: Any, n_features: int) -> tuple[Trees, bytes]:
    """A booster that was stopped early, cut at its best round: the trees for run time, and its UBJ document."""
    booster = booster[: booster.best_iteration + 1]
    # what early stopping leaves behind names a round that the cut booster may lack
    booster.set_attr(best_iteration=None, best_score=None)
    return trees_from_booster_json(bytes(booster.save_raw("json")), n_features), bytes(booster.save_raw("ubj"))


def _reporter(rounds: int, progress: Callable[[float, str], None] | None):  # type: ignore[no-untyped-def]
    """A callback that tells the progress after each tree; its base class comes with xgboost."""
    from xgboost.callback import TrainingCallback

    class Reporter(TrainingCallback):
        def after_iteration(self, model: object, epoch: int, evals_log: dict) -> bool:
            if progress is not None:
                loss = evals_log["later_week"]["logloss"][-1]
                progress((epoch + 1) / rounds, f"tree {epoch + 1}, loss {loss:.4f}")
            return False

    return Reporter()
