"""The logistic function, compiled element by element so that a neighbour in the batch cannot change a bit."""

from __future__ import annotations

import math

import numba
import numpy as np


@numba.njit(cache=True, nogil=True)
def sigmoid(log_odds):  # type: ignore[no-untyped-def]
    """1 / (1 + exp(-x)) in float64, shape (n,), of float32 or float64 values."""
    out = np.empty(log_odds.shape[0], dtype=np.float64)
    for i in range(log_odds.shape[0]):
        x = np.float64(log_odds[i])
        if x >= 0.0:
            out[i] = 1.0 / (1.0 + math.exp(-x))
        else:  # exp of a large positive number would overflow
            e = math.exp(x)
            out[i] = e / (1.0 + e)
    return out
