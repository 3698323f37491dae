"""Exact explanation of one row: ours against XGBoost's own contributions, in one run.

python -m benchmarks.explain
"""

from __future__ import annotations

import numpy as np
import xgboost as xgb

from benchmarks.full_trees import N_FEATURES, full_booster, rows
from benchmarks.record import Figure, new_record, table, write_record
from benchmarks.timing import medians_us
from fraudkit.models.explain import Explainer
from fraudkit.models.trees import trees_from_booster_json

PROBES = 100


def main() -> None:
    """Measure, check that both agree, print and write the record."""
    rng = np.random.default_rng(1)
    booster = full_booster(rng)
    booster.set_param({"nthread": 1})  # one row is one thread's work; a waiting second thread only slows it
    trees = trees_from_booster_json(bytes(booster.save_raw("json")), N_FEATURES)
    explainer = Explainer.of(trees)
    X = rows(rng, PROBES)
    ours = np.array([explainer.contributions(row) for row in X])
    theirs = booster.predict(xgb.DMatrix(X), pred_contribs=True)
    us = medians_us(
        {
            "ours": lambda i: explainer.contributions(X[i]),
            "xgboost": lambda i: booster.predict(xgb.DMatrix(X[i : i + 1]), pred_contribs=True),
        },
        PROBES,
    )
    figures = [
        Figure("XGBoost's pred_contribs, one row", us["xgboost"] / 1000, "ms"),
        Figure("ours, one row", us["ours"] / 1000, "ms", at_most=1.0),
        Figure("ratio", us["xgboost"] / us["ours"], "times", at_least=20.0),
        Figure("greatest difference", float(np.abs(ours - theirs[:, :-1]).max()), "log-odds", at_most=1e-4),
        Figure("distance of the sum from the margin",
               float(np.abs(ours.sum(axis=1) + explainer.base - trees.margin(X)).max()), "log-odds", at_most=1e-4),
    ]  # fmt: skip
    notes = [
        f"{len(trees.roots)} trees of depth {trees.depths.max()}, {int(trees.is_leaf.sum()):,} leaves, "
        f"{N_FEATURES} columns; median of {PROBES} rows, the two taking turns"
    ]
    packages = ("xgboost-cpu", "numba", "numpy")
    record = new_record(
        "explain", "Exact Shapley values of one row", "python -m benchmarks.explain", figures, notes, packages
    )
    print(table(record))
    print(*notes, write_record(record), sep="\n")


if __name__ == "__main__":
    main()
