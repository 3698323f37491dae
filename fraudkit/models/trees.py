"""The boosted trees at run time: flat arrays and a walk over them, without XGBoost.

The arrays are read out of the booster's own JSON when it is trained, so the walk repeats the
library's float32 comparisons and sums and agrees with it. Numeric splits of one binary objective
are all it knows: no categorical splits, no dart, no multi-output trees.

A row's margin is added up in tree order whatever the batch, so a single row and a batch give the
same bits.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from fraudkit.core.errors import CorruptArtefact, InvalidInput
from fraudkit.models.sigmoid import sigmoid

LANES = 4  # rows (or trees) walked side by side, which hides the latency of each node's loads


@numba.njit(cache=True, nogil=True, inline="always")
def step(node, row, threshold, left, split):  # type: ignore[no-untyped-def]
    """The child of `node`; a leaf (threshold NaN, left = itself) stays where it is."""
    code = split[node]
    x = row[code >> np.uint32(1)]
    right = np.uint32(x >= threshold[node]) | (np.uint32(x != x) & (code & np.uint32(1)))
    return left[node] + right


@numba.njit(cache=True, nogil=True)
def row_margin(row, base, roots, depths, threshold, left, split, value):  # type: ignore[no-untyped-def]
    """Margin (log-odds, float32) of one row; four trees are walked at a time."""
    total = np.float32(base)
    n_trees = roots.shape[0]
    whole = n_trees - n_trees % LANES
    for t in range(0, whole, LANES):
        a, b, c, d = roots[t], roots[t + 1], roots[t + 2], roots[t + 3]
        depth = max(max(depths[t], depths[t + 1]), max(depths[t + 2], depths[t + 3]))
        for _ in range(depth):
            a = step(a, row, threshold, left, split)
            b = step(b, row, threshold, left, split)
            c = step(c, row, threshold, left, split)
            d = step(d, row, threshold, left, split)
        total += value[a]
        total += value[b]
        total += value[c]
        total += value[d]
    for t in range(whole, n_trees):
        a = roots[t]
        for _ in range(depths[t]):
            a = step(a, row, threshold, left, split)
        total += value[a]
    return total


@numba.njit(cache=True, nogil=True)
def row_margins(X, base, roots, depths, threshold, left, split, value):  # type: ignore[no-untyped-def]
    """Margins of X (n, n_features): a tree at a time over all rows, so that its nodes stay in cache."""
    n = X.shape[0]
    out = np.full(n, np.float32(base), dtype=np.float32)
    whole = n - n % LANES
    if whole:
        for t in range(roots.shape[0]):
            for r in range(0, whole, LANES):
                a = b = c = d = roots[t]
                for _ in range(depths[t]):
                    a = step(a, X[r], threshold, left, split)
                    b = step(b, X[r + 1], threshold, left, split)
                    c = step(c, X[r + 2], threshold, left, split)
                    d = step(d, X[r + 3], threshold, left, split)
                out[r] += value[a]
                out[r + 1] += value[b]
                out[r + 2] += value[c]
                out[r + 3] += value[d]
    for r in range(whole, n):
        out[r] = row_margin(X[r], base, roots, depths, threshold, left, split, value)
    return out


@dataclass(frozen=True, slots=True)
class Trees:
    """All trees of one booster, nodes in breadth-first order tree by tree, siblings adjacent.

    Attributes
    ----------
    base : log-odds that every row starts from
    roots, depths : (n_trees,) uint32: first node, and number of steps to the deepest leaf
    threshold : (n_nodes,) float32: a row goes left where x < threshold; NaN marks a leaf
    left : (n_nodes,) uint32: left child (the right one is the next node); a leaf names itself
    split : (n_nodes,) uint32: feature index times two, plus 1 where missing values go right
    value : (n_nodes,) float32: leaf value in log-odds, 0 elsewhere
    cover : (n_nodes,) float32: sum of training hessians, the weight that Shapley values use
    """

    base: float
    n_features: int
    roots: np.ndarray
    depths: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    split: np.ndarray
    value: np.ndarray
    cover: np.ndarray

    @property
    def is_leaf(self) -> np.ndarray:
        """Boolean (n_nodes,)."""
        return np.isnan(self.threshold)

    def margin(self, X: np.ndarray) -> np.ndarray:
        """Log-odds, float32 (n,), of float32 rows X (n, n_features); NaN is missing."""
        return row_margins(X, self.base, self.roots, self.depths, self.threshold, self.left, self.split, self.value)

    def predict_score(self, X: np.ndarray) -> np.ndarray:
        """Score in 0..1, float64 (n,), of float32 rows X (n, n_features)."""
        return sigmoid(self.margin(X))

    def tensors(self) -> dict[str, np.ndarray]:
        """The arrays by name, to be stored."""
        return {
            "base": np.array([self.base], dtype=np.float64),
            "n_features": np.array([self.n_features], dtype=np.int64),
            **{name: getattr(self, name) for name in ARRAYS},
        }


ARRAYS = {
    "roots": np.uint32,
    "depths": np.uint32,
    "threshold": np.float32,
    "left": np.uint32,
    "split": np.uint32,
    "value": np.float32,
    "cover": np.float32,
}


def trees_from_tensors(tensors: dict[str, np.ndarray]) -> Trees:
    """Rebuild from stored arrays; checked so that no index can leave them.

    Raises
    ------
    CorruptArtefact
        An array is missing, has another type or length, or points outside.
    """
    try:
        trees = Trees(
            base=float(tensors["base"][0]),
            n_features=int(tensors["n_features"][0]),
            **{name: tensors[name] for name in ARRAYS},
        )
    except (KeyError, IndexError) as error:
        raise CorruptArtefact(f"trees.safetensors lacks {error}; train again") from error
    wrong = [name for name, dtype in ARRAYS.items() if getattr(trees, name).dtype != dtype]
    n = len(trees.threshold)
    if wrong or any(len(getattr(trees, name)) != n for name in ("left", "split", "value", "cover")):
        raise CorruptArtefact(f"trees.safetensors has arrays of the wrong type or length {wrong}; train again")
    inner = ~trees.is_leaf
    right = trees.left + inner
    if np.any(trees.roots >= n) or np.any(right >= n) or np.any(trees.split >> 1 >= trees.n_features):
        raise CorruptArtefact("trees.safetensors points outside its own nodes or features; train again")
    return trees


def trees_from_booster_json(document: bytes, n_features: int) -> Trees:
    """Read the trees out of `Booster.save_raw("json")`.

    Raises
    ------
    InvalidInput
        The booster is not a plain binary-logistic one with numeric splits.
    """
    learner = json.loads(document)["learner"]
    objective = learner["objective"]["name"]
    booster = learner["gradient_booster"]
    if objective != "binary:logistic" or booster["name"] != "gbtree":
        raise InvalidInput(f"booster is {booster['name']} with {objective}; train gbtree with binary:logistic")
    parts = [_flatten(tree) for tree in booster["model"]["trees"]]
    if not parts:
        raise InvalidInput("booster has no tree; train at least one round")
    sizes = np.array([len(part["value"]) for part in parts])
    roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.uint32)
    arrays = {name: np.concatenate([part[name] for part in parts]) for name in ("threshold", "split", "value", "cover")}
    left = np.concatenate([part["left"] + root for part, root in zip(parts, roots, strict=True)])
    base_score = float(np.float32(learner["learner_model_param"]["base_score"].strip("[]")))
    return Trees(
        base=math.log(base_score / (1.0 - base_score)),
        n_features=n_features,
        roots=roots,
        depths=np.array([part["depth"] for part in parts], dtype=np.uint32),
        left=left.astype(np.uint32),
        **arrays,
    )


def _flatten(tree: dict[str, Any]) -> dict[str, Any]:
    """One tree of the JSON in breadth-first order with adjacent siblings; unused node slots drop out."""
    if any(tree["split_type"]):
        raise InvalidInput("booster has categorical splits; train with numeric features only")
    lefts, rights = tree["left_children"], tree["right_children"]
    order, level, left = [0], [0], [0]
    position = 0
    while position < len(order):
        node = order[position]
        if lefts[node] >= 0:
            left[position] = len(order)
            order += [lefts[node], rights[node]]
            level += [level[position] + 1] * 2
            left += [0, 0]
        else:
            left[position] = position
        position += 1
    nodes = np.array(order)
    leaf = np.array([lefts[node] < 0 for node in order])
    condition = np.array(tree["split_conditions"], dtype=np.float32)[nodes]
    missing_right = 1 - np.array(tree["default_left"], dtype=np.uint32)[nodes]
    feature = np.array(tree["split_indices"], dtype=np.uint32)[nodes]
    return {
        "threshold": np.where(leaf, np.float32(np.nan), condition),
        "split": np.where(leaf, 0, feature * 2 + missing_right).astype(np.uint32),
        "left": np.array(left, dtype=np.uint32),
        "value": np.where(leaf, condition, np.float32(0.0)),
        "cover": np.array(tree["sum_hessian"], dtype=np.float32)[nodes],
        "depth": max(level),
    }
