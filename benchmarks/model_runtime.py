"""Scoring one row and batches of 128: the run-time models against XGBoost and torch, in one run.

python -m benchmarks.model_runtime
"""

from __future__ import annotations

import numpy as np
import torch

from benchmarks.full_trees import N_FEATURES, full_booster, rows
from benchmarks.record import Figure, new_record, table, write_record
from benchmarks.timing import medians_us
from fraudkit.models.network import Network
from fraudkit.models.train_network import build_network
from fraudkit.models.transform import fit_transform_parameters
from fraudkit.models.trees import trees_from_booster_json

PROBES, BATCH = 300, 128


def main() -> None:
    """Measure, check that the pairs agree, print and write the record."""
    rng = np.random.default_rng(1)
    booster = full_booster(rng)
    booster.set_param({"nthread": 1})  # one row is one thread's work; a waiting second thread only slows it
    trees = trees_from_booster_json(bytes(booster.save_raw("json")), N_FEATURES)
    X = rows(rng, PROBES + BATCH)
    torch.manual_seed(1)
    model = build_network(N_FEATURES, 0.3).eval()
    transform = fit_transform_parameters(X)
    state = [parameter.detach().numpy() for parameter in model.parameters()]
    network = Network(transform, tuple(np.ascontiguousarray(w.T) for w in state[0::2]), tuple(state[1::2]))

    def eager(batch: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return torch.sigmoid(model(torch.from_numpy(transform.apply(batch)))).squeeze(1).numpy()

    figures = []
    for size in (1, BATCH):
        us = medians_us(
            {
                "trees": lambda i, n=size: trees.predict_score(X[i : i + n]),
                "xgboost": lambda i, n=size: booster.inplace_predict(X[i : i + n]),
                "network": lambda i, n=size: network.predict_score(X[i : i + n]),
                "torch": lambda i, n=size: eager(X[i : i + n]),
            },
            PROBES,
        )
        label = "one row" if size == 1 else f"batch of {size}, a row"
        limit = 60.0 if size == 1 else 30.0
        figures += [
            Figure(f"XGBoost's inplace_predict, {label}", us["xgboost"] / size, "µs"),
            Figure(f"our walk, {label}", us["trees"] / size, "µs", at_most=limit),
            Figure(f"XGBoost's time over ours, {label}", us["xgboost"] / us["trees"], "times"),
            Figure(f"torch eager, {label}", us["torch"] / size, "µs"),
            Figure(f"our network, {label}", us["network"] / size, "µs"),
        ]
    tree_gap = float(np.abs(trees.predict_score(X) - booster.inplace_predict(X)).max())
    network_gap = float(np.abs(network.predict_score(X) - eager(X)).max())
    figures += [
        Figure("greatest difference to XGBoost", tree_gap, "of score", at_most=1e-6),
        Figure("greatest difference to torch", network_gap, "of score", at_most=1e-5),
    ]
    notes = [
        f"{len(trees.roots)} trees of depth {trees.depths.max()}, {int(trees.is_leaf.sum()):,} leaves; network "
        f"{N_FEATURES} to 256, 128, 64, 1; medians of {PROBES} calls, the four taking turns; torch's time includes "
        "the input transform, as ours does"
    ]
    packages = ("xgboost-cpu", "torch", "numba", "numpy")
    record = new_record(
        "model_runtime",
        "Scoring without XGBoost and torch",
        "python -m benchmarks.model_runtime",
        figures,
        notes,
        packages,
    )
    print(table(record))
    print(*notes, write_record(record), sep="\n")


if __name__ == "__main__":
    main()
