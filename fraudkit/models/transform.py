"""The input transform of the network and of logistic regression: signed logarithm, standardise, clip.

Amounts, counts and distances have long right tails and some features are negative, hence
sign(x)·log(1+|x|). Mean and spread come from the training rows only. A missing value becomes the
training mean (0 after standardising), infinity the clip. The trees take raw values and do not use
this module.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numba
import numpy as np

from fraudkit.core.errors import InvalidInput

CLIP = 8.0  # standard deviations; rarer flags would otherwise reach a hundred and dominate a layer


@numba.njit(cache=True, nogil=True)
def transform_row(row, mean, scale, clip, out):  # type: ignore[no-untyped-def]
    """Write the transformed `row` (n_features,) to `out`, both float32."""
    for i in range(row.shape[0]):
        x = np.float64(row[i])
        if math.isnan(x):
            out[i] = np.float32(0.0)
        else:
            z = (math.copysign(math.log1p(abs(x)), x) - mean[i]) * scale[i]
            if math.isnan(z):  # infinity in a feature that never varied: infinity times 0
                z = 0.0
            out[i] = np.float32(min(max(z, -clip), clip))


@numba.njit(cache=True, nogil=True)
def transform_rows(X, mean, scale, clip):  # type: ignore[no-untyped-def]
    """Transform every row of X (n, n_features)."""
    out = np.empty(X.shape, dtype=np.float32)
    for i in range(X.shape[0]):
        transform_row(X[i], mean, scale, clip, out[i])
    return out


@dataclass(frozen=True, slots=True)
class Transform:
    """Fitted transform; `mean` and `scale` (1/spread) have shape (n_features,), float64."""

    mean: np.ndarray
    scale: np.ndarray
    clip: float = CLIP

    def apply(self, X: np.ndarray) -> np.ndarray:
        """Transform float32 rows of shape (n, n_features) into values within ±clip.

        >>> t = Transform(mean=np.zeros(1), scale=np.ones(1))
        >>> t.apply(np.array([[0.0], [np.nan], [np.inf]], dtype=np.float32)).ravel().tolist()
        [0.0, 0.0, 8.0]
        """
        return transform_rows(X, self.mean, self.scale, self.clip)


def fit_transform_parameters(X: np.ndarray) -> Transform:
    """Fit on training rows X (n, n_features) float32; a feature that never varies gets scale 0.

    Column by column, so that half a million rows do not need a second copy of the table.

    Raises
    ------
    InvalidInput
        There is no row.
    """
    if len(X) == 0:
        raise InvalidInput("no training rows; the transform needs at least one")
    mean = np.zeros(X.shape[1])
    scale = np.zeros(X.shape[1])
    for j in range(X.shape[1]):
        column = X[:, j].astype(np.float64)
        column = column[np.isfinite(column)]
        if column.size:
            column = np.copysign(np.log1p(np.abs(column)), column)
            mean[j] = column.mean()
            spread = column.std()
            scale[j] = 1.0 / spread if spread > 1e-9 else 0.0
    return Transform(mean, scale)
