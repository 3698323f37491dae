"""The neural network at run time: n → 256 → 128 → 64 → 1 with ReLU, without torch.

The forward pass is a compiled loop over one row at a time. It needs no BLAS, so one row wakes no
thread pool, and every sum runs in the same order whatever the batch: a decision can be replayed bit
for bit. Dropout only exists in training (fraudkit.models.train_network).
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from fraudkit.core.errors import CorruptArtefact
from fraudkit.models.sigmoid import sigmoid
from fraudkit.models.transform import Transform, transform_row

HIDDEN = (256, 128, 64)


@numba.njit(cache=True, nogil=True)
def dense(x, weight, bias, out):  # type: ignore[no-untyped-def]
    """out = bias + x @ weight for one row; inputs that are 0 (half of a ReLU's) are skipped."""
    n_out = out.shape[0]
    for j in range(n_out):
        out[j] = bias[j]
    for i in range(x.shape[0]):
        xi = x[i]
        if xi != np.float32(0.0):
            w = weight[i]
            for j in range(n_out):
                out[j] += xi * w[j]


@numba.njit(cache=True, nogil=True)
def relu(x):  # type: ignore[no-untyped-def]
    """Clip at 0 in place."""
    for j in range(x.shape[0]):
        x[j] = max(x[j], np.float32(0.0))


@numba.njit(cache=True, nogil=True)
def network_logits(X, mean, scale, clip, w1, b1, w2, b2, w3, b3, w4, b4):  # type: ignore[no-untyped-def]
    """Log-odds, float64 (n,), of raw rows X (n, n_features) float32."""
    logits = np.empty(X.shape[0], dtype=np.float64)
    z = np.empty(X.shape[1], dtype=np.float32)
    h1 = np.empty(b1.shape[0], dtype=np.float32)
    h2 = np.empty(b2.shape[0], dtype=np.float32)
    h3 = np.empty(b3.shape[0], dtype=np.float32)
    last = np.empty(1, dtype=np.float32)
    for r in range(X.shape[0]):
        transform_row(X[r], mean, scale, clip, z)
        dense(z, w1, b1, h1)
        relu(h1)
        dense(h1, w2, b2, h2)
        relu(h2)
        dense(h2, w3, b3, h3)
        relu(h3)
        dense(h3, w4, b4, last)
        logits[r] = last[0]
    return logits


@dataclass(frozen=True, slots=True)
class Network:
    """Trained network.

    Attributes
    ----------
    transform : what the inputs pass through first
    weights : four float32 arrays of shape (inputs, outputs)
    biases : four float32 arrays of shape (outputs,)
    """

    transform: Transform
    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    def logit(self, X: np.ndarray) -> np.ndarray:
        """Log-odds, float64 (n,), of float32 rows X (n, n_features); NaN is missing."""
        w1, w2, w3, w4 = self.weights
        b1, b2, b3, b4 = self.biases
        t = self.transform
        return network_logits(X, t.mean, t.scale, t.clip, w1, b1, w2, b2, w3, b3, w4, b4)

    def predict_score(self, X: np.ndarray) -> np.ndarray:
        """Score in 0..1, float64 (n,), of float32 rows X (n, n_features)."""
        return sigmoid(self.logit(X))

    def tensors(self) -> dict[str, np.ndarray]:
        """The layers by name, to be stored; the transform is stored apart."""
        layers = enumerate(zip(self.weights, self.biases, strict=True), start=1)
        return {f"{kind}{i}": array for i, pair in layers for kind, array in zip(("w", "b"), pair, strict=True)}


def network_from_tensors(tensors: dict[str, np.ndarray], transform: Transform) -> Network:
    """Rebuild from stored layers.

    Raises
    ------
    CorruptArtefact
        A layer is missing or its shape does not follow from the one before.
    """
    try:
        weights = tuple(tensors[f"w{i}"] for i in range(1, 5))
        biases = tuple(tensors[f"b{i}"] for i in range(1, 5))
    except KeyError as error:
        raise CorruptArtefact(f"network.safetensors lacks layer {error}; train again") from error
    sizes = (len(transform.mean), *HIDDEN, 1)
    for i, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if weight.shape != (sizes[i], sizes[i + 1]) or bias.shape != (sizes[i + 1],):
            raise CorruptArtefact(
                f"network.safetensors: layer {i + 1} has shape {weight.shape}, expected {sizes[i : i + 2]}; train again"
            )
    return Network(transform, weights, biases)
