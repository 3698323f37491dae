"""A booster of 500 full trees of depth 7 over 143 columns: the largest model the system may train.

Noise with a product in it, few restraints: the trees fill up, as they would on a large table.
"""

from __future__ import annotations

from typing import Any

import numpy as np

N_FEATURES = 143
ROUNDS, DEPTH = 500, 7


def full_booster(rng: np.random.Generator, n: int = 20_000) -> Any:
    """Train on `n` rows; takes about a minute on two cores."""
    import xgboost as xgb

    X = rows(rng, n)
    y = np.nan_to_num(X[:, 0] * X[:, 1]) + 2.0 * rng.normal(size=n) > 0.0
    settings = {
        "objective": "binary:logistic",
        "max_depth": DEPTH,
        "learning_rate": 0.01,
        "min_child_weight": 0,
        "reg_lambda": 0,
        "nthread": 2,
        "seed": 1,
    }
    return xgb.train(settings, xgb.QuantileDMatrix(X, y), ROUNDS)


def rows(rng: np.random.Generator, n: int) -> np.ndarray:
    """Rows, float32 (n, 143), one value in twenty missing."""
    X = rng.normal(size=(n, N_FEATURES)).astype(np.float32)
    X[rng.random(X.shape) < 0.05] = np.nan
    return X
