"""The tree walk and the Shapley values against XGBoost itself."""

from __future__ import annotations

import numpy as np
import pytest
import xgboost as xgb

from fraudkit.core.errors import CorruptArtefact, InvalidInput
from fraudkit.models.explain import Explainer
from fraudkit.models.trees import Trees, trees_from_booster_json, trees_from_tensors


def boost(rng, depth: int, rounds: int, n_features: int, **settings):
    """A booster on noise: few columns make features repeat on a path."""
    X = rng.normal(size=(3_000, n_features)).astype(np.float32)
    X[rng.random(X.shape) < 0.1] = np.nan
    y = np.nan_to_num(X[:, 0] * X[:, 1]) + rng.normal(size=len(X)) > 0.5
    parameters = {"objective": "binary:logistic", "max_depth": depth, "nthread": 1, "min_child_weight": 0, **settings}
    return xgb.train(parameters, xgb.QuantileDMatrix(X, y), rounds)


def flat(booster, n_features: int):
    return trees_from_booster_json(bytes(booster.save_raw("json")), n_features)


def probe(rng, n: int, n_features: int) -> np.ndarray:
    """Random rows with missing values."""
    X = (2.0 * rng.normal(size=(n, n_features))).astype(np.float32)
    X[rng.random(X.shape) < 0.2] = np.nan
    return X


@pytest.mark.parametrize("rounds", [1, 4, 30])
def test_walk_equals_xgboost_with_missing_infinite_and_boundary_values(rng, rounds):
    booster = boost(rng, 7, rounds, 8)
    trees = flat(booster, 8)
    X = probe(rng, 400, 8)
    X[:20], X[20:40] = np.inf, -np.inf
    thresholds = trees.threshold[~trees.is_leaf]
    X[40:140] = rng.choice(thresholds, size=(100, 8))  # x < split must stay strict on the split itself
    assert np.abs(trees.predict_score(X) - booster.inplace_predict(X)).max() < 1e-6


def test_rows_alone_and_in_any_batch_give_the_same_bits(rng):
    trees = flat(boost(rng, 7, 30, 8), 8)
    X = probe(rng, 131, 8)
    whole = trees.margin(X)
    for size in (1, 2, 3, 4, 5, 64):
        parts = np.concatenate([trees.margin(X[i : i + size]) for i in range(0, len(X), size)])
        assert parts.tobytes() == whole.tobytes()


@pytest.mark.parametrize("depth", range(1, 9))
def test_shapley_values_equal_pred_contribs(rng, depth):
    booster = boost(rng, depth, 12, 5)  # five columns at depth eight: every path repeats features
    explainer = Explainer.of(flat(booster, 5))
    X = probe(rng, 40, 5)
    ours = np.array([explainer.contributions(row) for row in X])
    theirs = booster.predict(xgb.DMatrix(X), pred_contribs=True)
    assert np.abs(ours - theirs[:, :-1]).max() < 1e-4
    assert abs(explainer.base - theirs[0, -1]) < 1e-4


@pytest.mark.parametrize("depth", [8, 12])
def test_shapley_values_of_deep_trees_with_many_features(rng, depth):
    booster = boost(rng, depth, 6, 40, colsample_bynode=0.5)
    trees = flat(booster, 40)
    explainer = Explainer.of(trees)
    X = probe(rng, 20, 40)
    ours = np.array([explainer.contributions(row) for row in X])
    theirs = booster.predict(xgb.DMatrix(X), pred_contribs=True)
    assert np.abs(ours - theirs[:, :-1]).max() < 1e-4
    assert np.abs(ours.sum(axis=1) + explainer.base - trees.margin(X)).max() < 1e-4


def test_a_path_of_twenty_features_takes_enough_quadrature_nodes():
    """A chain where the row takes every split: by symmetry all features share the leaf's surplus equally."""
    depth = 20
    splits = np.arange(0, 2 * depth, 2)  # node 2k splits on feature k; its children are 2k + 1, a leaf, and 2k + 2
    threshold = np.full(2 * depth + 1, np.nan, dtype=np.float32)
    threshold[splits] = 0.0
    left = np.arange(2 * depth + 1, dtype=np.uint32)
    left[splits] = splits + 1
    split = np.zeros(2 * depth + 1, dtype=np.uint32)
    split[splits] = splits  # feature k times two
    cover = np.repeat(0.5 ** np.arange(depth + 1), 2)[1:].astype(np.float32)
    value = np.zeros(2 * depth + 1, dtype=np.float32)
    value[-1] = 1000.0
    ends = (np.zeros(1, np.uint32), np.full(1, depth, np.uint32))
    trees = Trees(0.0, depth, *ends, threshold, left, split, value, cover)
    shares = Explainer.of(trees).contributions(np.ones(depth, dtype=np.float32))
    assert shares == pytest.approx(np.full(depth, 1000.0 * (1.0 - 0.5**depth) / depth), rel=1e-9)


def test_shapley_values_agree_with_the_definition_on_every_coalition(rng):
    """Against a sum over all coalitions, so that XGBoost is not the only witness."""
    from itertools import combinations
    from math import factorial

    trees = flat(boost(rng, 4, 1, 4), 4)
    row = probe(rng, 1, 4)[0]

    def worth(known: frozenset[int], node: int = 0) -> float:
        if trees.is_leaf[node]:
            return float(trees.value[node])
        a = int(trees.left[node])
        feature, missing_right = divmod(int(trees.split[node]), 2)
        if feature in known:
            right = missing_right if np.isnan(row[feature]) else int(row[feature] >= trees.threshold[node])
            return worth(known, a + right)
        u = trees.cover[a] / (trees.cover[a] + trees.cover[a + 1])
        return u * worth(known, a) + (1 - u) * worth(known, a + 1)

    shares = Explainer.of(trees).contributions(row)
    for i in range(4):
        others = [j for j in range(4) if j != i]
        expected = sum(
            factorial(size) * factorial(3 - size) / factorial(4) * (worth(frozenset(s) | {i}) - worth(frozenset(s)))
            for size in range(4)
            for s in combinations(others, size)
        )
        assert shares[i] == pytest.approx(expected, abs=1e-6)


def test_a_tree_without_a_split_is_walked_and_explained(rng):
    trees = flat(boost(rng, 3, 2, 4, gamma=1e9), 4)
    assert trees.is_leaf.all()
    assert np.ptp(trees.margin(probe(rng, 9, 4))) == 0.0
    explainer = Explainer.of(trees)
    assert not explainer.contributions(probe(rng, 1, 4)[0]).any()
    assert explainer.base == pytest.approx(float(trees.margin(probe(rng, 1, 4))[0]), abs=1e-6)


def test_tensors_restore_the_same_trees(rng):
    trees = flat(boost(rng, 5, 5, 6), 6)
    X = probe(rng, 50, 6)
    assert trees_from_tensors(trees.tensors()).margin(X).tobytes() == trees.margin(X).tobytes()


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("left", lambda a: np.full_like(a, 10_000)),
        ("split", lambda a: np.full_like(a, 99)),
        ("roots", lambda a: a + np.uint32(10_000)),
        ("value", lambda a: a[:-1]),
        ("cover", lambda a: a.astype(np.float64)),
    ],
)
def test_arrays_that_point_outside_are_refused(rng, name, change):
    tensors = flat(boost(rng, 3, 2, 4), 4).tensors()
    tensors[name] = change(tensors[name])
    with pytest.raises(CorruptArtefact):
        trees_from_tensors(tensors)


def test_other_objectives_are_refused(rng):
    booster = boost(rng, 3, 2, 4, objective="reg:squarederror")
    with pytest.raises(InvalidInput, match="binary:logistic"):
        flat(booster, 4)
