"""The model for payments whose history is not known: its own trees, on the transaction alone.

The main models lean on histories, and say "harmless" of nearly everything where there are none. These
trees never saw a history, so they have learnt what a transaction by itself tells. Their probability is
put on the scale of the main score (the score that the main models give at that probability), so that a
threshold means the same probability of fraud whichever of them scored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from safetensors.numpy import save as save_tensors

from fraudkit.models.calibration import Calibration, fit_calibration
from fraudkit.models.files import seal
from fraudkit.models.params import TrainingParams
from fraudkit.models.train_boosting import train_boosting
from fraudkit.models.trees import Trees

TREES_FILE, CALIBRATION_FILE = "alone.safetensors", "alone.json"
MAX_TREES, MAX_DEPTH = 200, 5  # few columns carry anything, so small trees are enough


@dataclass(frozen=True, slots=True)
class Alone:
    """Trees over bare vectors, and their calibration."""

    trees: Trees
    calibration: Calibration

    def probability(self, X: np.ndarray) -> np.ndarray:
        """Calibrated probability of fraud, float64 (n,), of bare vectors X, float32 (n, n_features)."""
        return self.calibration.apply(self.trees.predict_score(X))


def train_alone(
    X_train: np.ndarray,
    y_train: np.ndarray,
    X_valid: np.ndarray,
    y_valid: np.ndarray,
    rng: np.random.Generator,
    params: TrainingParams,
    progress: Callable[[float, str], None] | None = None,
) -> dict[str, bytes]:
    """Train on bare vectors, float32 (n, n_features); the files by name."""
    small = replace(
        params, n_estimators=min(params.n_estimators, MAX_TREES), max_depth=min(params.max_depth, MAX_DEPTH)
    )
    trees, _ = train_boosting(X_train, y_train, X_valid, y_valid, rng, small, progress)
    calibration = fit_calibration(trees.predict_score(X_valid), y_valid, rng)
    return {TREES_FILE: save_tensors(trees.tensors()), CALIBRATION_FILE: seal(calibration.content())}
