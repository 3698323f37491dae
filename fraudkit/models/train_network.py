"""Training of the network with torch: dropout, Adam, early stopping on a later week.

The same seed gives the same weights with the same number of threads, on any x86-64 processor with
AVX2 (`PINNED_KERNELS`). torch's global generator and thread count are put back afterwards. A GPU is
used where there is one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from fraudkit.models.network import HIDDEN, Network
from fraudkit.models.params import TrainingParams
from fraudkit.models.transform import Transform

EVALUATION_BLOCK = 65_536

# torch and its BLAS choose wider kernels on newer processors, whose sums differ in the last bits, and
# early stopping makes other weights of that. Read when torch loads; a user's own setting wins.
PINNED_KERNELS = {"ATEN_CPU_CAPABILITY": "avx2", "MKL_CBWR": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2"}


def train_network(
    X_train: np.ndarray,
    y_train: np.ndarray,
    X_valid: np.ndarray,
    y_valid: np.ndarray,
    transform: Transform,
    rng: np.random.Generator,
    params: TrainingParams,
    progress: Callable[[float, str], None] | None = None,
) -> Network:
    """Train on raw float32 rows (n, n_features); labels are 0 and 1; `transform` fitted on the training rows."""
    for name, value in PINNED_KERNELS.items():
        os.environ.setdefault(name, value)
    import torch

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    with _private_torch_state(int(rng.integers(2**31)), params.n_jobs):
        model = build_network(X_train.shape[1], params.dropout).to(device)
        data = [
            torch.from_numpy(transform.apply(X_train)).to(device),
            torch.from_numpy(np.asarray(y_train, np.float32)).to(device),
            torch.from_numpy(transform.apply(X_valid)).to(device),
            torch.from_numpy(np.asarray(y_valid, np.float32)).to(device),
        ]
        state = _fit(model, data, rng, params, progress)
    linear = [state[f"{3 * i}.{kind}"].cpu().numpy() for i in range(4) for kind in ("weight", "bias")]
    weights = tuple(np.ascontiguousarray(w.T) for w in linear[0::2])
    return Network(transform, weights, tuple(linear[1::2]))


def build_network(n_features: int, dropout: float) -> Any:
    """The torch module: linear, ReLU and dropout three times, then one linear output (log-odds)."""
    from torch import nn

    layers: list[nn.Module] = []
    for n_in, n_out in zip((n_features, *HIDDEN[:-1]), HIDDEN, strict=True):
        layers += [nn.Linear(n_in, n_out), nn.ReLU(), nn.Dropout(dropout)]
    return nn.Sequential(*layers, nn.Linear(HIDDEN[-1], 1))


@contextmanager
def _private_torch_state(seed: int, threads: int) -> Iterator[None]:
    """Seed torch inside only; generator states and thread count are put back at the end."""
    import torch

    before = torch.get_num_threads()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def _fit(
    model: Any,
    data: list[Any],
    rng: np.random.Generator,
    params: TrainingParams,
    progress: Callable[[float, str], None] | None,
) -> dict[str, Any]:
    """Epochs until `patience` of them bring no better loss; the best epoch's weights are returned."""
    import torch

    X_train, y_train, X_valid, y_valid = data
    loss = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(params.positive_weight, device=X_train.device))
    optimiser = torch.optim.Adam(model.parameters(), lr=params.network_rate, weight_decay=params.weight_decay)
    best_loss, best_epoch, best = math.inf, 0, {}
    for epoch in range(params.max_epochs):
        model.train()
        order = torch.from_numpy(rng.permutation(len(X_train))).to(X_train.device)
        for batch in order.split(params.batch_size):
            optimiser.zero_grad(set_to_none=True)
            loss(model(X_train[batch]).squeeze(1), y_train[batch]).backward()
            optimiser.step()
        current = _evaluate(model, loss, X_valid, y_valid)
        if progress is not None:
            progress((epoch + 1) / params.max_epochs, f"epoch {epoch + 1}, loss {current:.4f}")
        if current < best_loss:
            best_loss, best_epoch = current, epoch
            best = {name: value.clone() for name, value in model.state_dict().items()}
        if epoch - best_epoch >= params.patience:
            break
    return best


def _evaluate(model: Any, loss: Any, X: Any, y: Any) -> float:
    """Mean weighted loss without dropout."""
    import torch

    model.eval()
    total = 0.0
    with torch.no_grad():
        for i in range(0, len(X), EVALUATION_BLOCK):
            rows, labels = X[i : i + EVALUATION_BLOCK], y[i : i + EVALUATION_BLOCK]
            total += float(loss(model(rows).squeeze(1), labels)) * len(rows)
    return total / len(X)
