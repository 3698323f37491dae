"""Logistic regression on transformed features: the baseline that the ensemble has to beat.

scikit-learn fits it; prediction needs only its coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudkit.core.errors import CorruptArtefact
from fraudkit.models.params import TrainingParams
from fraudkit.models.sigmoid import sigmoid
from fraudkit.models.transform import Transform

BLOCK = 65_536  # rows transformed at a time, so that a long table needs no second copy


@dataclass(frozen=True, slots=True)
class Logistic:
    """Fitted coefficients: `coefficients` float64 (n_features,) on transformed inputs."""

    transform: Transform
    coefficients: np.ndarray
    intercept: float

    def predict_score(self, X: np.ndarray) -> np.ndarray:
        """Score in 0..1, float64 (n,), of float32 rows X (n, n_features); NaN is missing."""
        blocks = [
            sigmoid(self.transform.apply(X[i : i + BLOCK]) @ self.coefficients + self.intercept)
            for i in range(0, len(X), BLOCK)
        ]
        return np.concatenate(blocks) if blocks else np.empty(0)

    def tensors(self) -> dict[str, np.ndarray]:
        """The arrays by name, to be stored; the transform is stored apart."""
        return {"coefficients": self.coefficients, "intercept": np.array([self.intercept])}


def logistic_from_tensors(tensors: dict[str, np.ndarray], transform: Transform) -> Logistic:
    """Rebuild from stored arrays.

    Raises
    ------
    CorruptArtefact
        An array is missing or has another length than the transform.
    """
    if set(tensors) != {"coefficients", "intercept"} or tensors["coefficients"].shape != transform.mean.shape:
        raise CorruptArtefact("logistic.safetensors does not fit the transform; train again")
    return Logistic(transform, tensors["coefficients"], float(tensors["intercept"][0]))


def train_logistic(X: np.ndarray, y: np.ndarray, transform: Transform, params: TrainingParams) -> Logistic:
    """Fit on training rows.

    Parameters
    ----------
    X : float32 (n, n_features), raw features
    y : (n,) of 0 and 1
    transform : fitted on the same training rows
    params : its `positive_weight` weighs the frauds as in the other models
    """
    from sklearn.linear_model import LogisticRegression

    weight = {0: 1.0, 1: params.positive_weight}
    model = LogisticRegression(C=params.logistic_c, class_weight=weight, max_iter=params.logistic_max_iter)
    model.fit(transform.apply(X), np.asarray(y, dtype=np.int8))
    return Logistic(transform, model.coef_[0].astype(np.float64), float(model.intercept_[0]))
