"""Pairs of the linear and classical models, trees, clustering and density."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import scipy.cluster.hierarchy
import torch
from sklearn import (
    cluster,
    decomposition,
    ensemble,
    inspection,
    linear_model,
    metrics,
    mixture,
    naive_bayes,
    neighbors,
    preprocessing,
    tree,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.manifold import _t_sne
from xgboost import XGBClassifier

from benchmarks.exercise_pairs.pair import Calls, Rng, namespace, pair


def classified(rng: Rng, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of six columns, a noisy score, and the fifth of the highest as frauds."""
    X = rng.normal(size=(n, 6)).astype(np.float32).astype(float)
    score = X[:, 0] + 0.5 * X[:, 1] ** 2 + rng.normal(size=n)
    return X, score, (score > np.quantile(score, 0.8)).astype(int)


def grouped(rng: Rng, n: int, columns: int = 6) -> np.ndarray:
    """Rows around four centres."""
    return rng.normal(size=(n, columns)) + rng.integers(0, 4, (n, 1)) * 4.0


@pair("sklearn LinearRegression", 20_000, tolerance=1e-6, note="1,000 steps of gradient descent against one solve")
def linear_regression(ours: Any, rng: Rng, n: int) -> Calls:
    X, score, _ = classified(rng, n)
    return lambda: ours(X, score, 0.1, 1000)[0], lambda: linear_model.LinearRegression().fit(X, score).coef_


@pair("sklearn LogisticRegression", 20_000, tolerance=1e-5)
def logistic_regression(ours: Any, rng: Rng, n: int) -> Calls:
    X, _, y = classified(rng, n)
    theirs = linear_model.LogisticRegression(C=1 / (0.01 * n), tol=1e-10, max_iter=1000)
    return lambda: ours(l2=0.01).fit(X, y).predict_proba(X), lambda: theirs.fit(X, y).predict_proba(X)[:, 1]


@pair("sklearn mutual_info_score", 20_000)
def information_gain(ours: Any, rng: Rng, n: int) -> Calls:
    X, _, y = classified(rng, n)
    left = X[:, 0] > 0.5
    return lambda: ours(y, left), lambda: metrics.mutual_info_score(y, left) / np.log(2)


@pair("sklearn DecisionTreeClassifier", 20_000)
def decision_tree(ours: Any, rng: Rng, n: int) -> Calls:
    X, _, y = classified(rng, n)
    theirs = tree.DecisionTreeClassifier(max_depth=4, min_samples_leaf=20, random_state=0)
    return lambda: ours(4, 20).fit(X, y).predict_proba(X), lambda: theirs.fit(X, y).predict_proba(X)[:, 1]


@pair("sklearn DecisionTreeClassifier, twenty stumps", 20_000)
def random_forest(ours: Any, rng: Rng, n: int) -> Calls:
    X, _, y = classified(rng, n)
    rows = rng.integers(0, n, (20, n))
    columns = np.array([rng.choice(6, 2, replace=False) for _ in range(20)])

    def bagged() -> np.ndarray:
        stumps = [
            (c, tree.DecisionTreeClassifier(max_depth=1).fit(X[r][:, c], y[r]))
            for r, c in zip(rows, columns, strict=True)
        ]
        return np.mean([stump.predict_proba(X[:, c])[:, 1] for c, stump in stumps], axis=0)

    return lambda: ours(rows, columns).fit(X, y).predict_proba(X), bagged


@pair("xgboost XGBClassifier, fifty stumps", 20_000, tolerance=1e-5)
def gradient_boosting(ours: Any, rng: Rng, n: int) -> Calls:
    X, _, y = classified(rng, n)
    stumps = XGBClassifier(
        n_estimators=50,
        learning_rate=0.1,
        max_depth=1,
        reg_lambda=1.0,
        min_child_weight=0,
        base_score=float(y.mean()),
        tree_method="exact",
        n_jobs=1,
    )
    return lambda: ours(50, 0.1, 1.0).fit(X, y).predict_proba(X), lambda: stumps.fit(X, y).predict_proba(X)[:, 1]


@pair(
    "sklearn KMeans, Lloyd",
    20_000,
    tolerance=1e-7,
    note="from the same seeds; scikit-learn keeps to blocks that fit the processor's cache",
)
def kmeans(ours: Any, rng: Rng, n: int) -> Calls:
    X, uniforms = grouped(rng, n) / 4 + rng.normal(size=(n, 6)), rng.random(4)  # groups that overlap: many rounds
    seeds = ours(X, 4, uniforms, max_iter=0)[0]
    theirs = cluster.KMeans(4, init=seeds, n_init=1, algorithm="lloyd", tol=0)
    return (
        lambda: np.sort(ours(X, 4, uniforms)[0], axis=0),
        lambda: np.sort(theirs.fit(X).cluster_centers_, axis=0),
    )


@pair("sklearn PCA, full SVD", 20_000, tolerance=1e-7)
def pca(ours: Any, rng: Rng, n: int) -> Calls:
    X = grouped(rng, n)
    theirs = decomposition.PCA(3, svd_solver="full")
    return lambda: np.abs(ours(3).fit(X).transform(X)), lambda: np.abs(theirs.fit(X).transform(X))


@pair("sklearn Ridge", 20_000)
def ridge_regression(ours: Any, rng: Rng, n: int) -> Calls:
    X, score, _ = classified(rng, n)

    def theirs() -> tuple[np.ndarray, float]:
        model = linear_model.Ridge(alpha=3.0).fit(X, score)
        return model.coef_, model.intercept_

    return lambda: ours(X, score, 3.0), theirs


@pair("sklearn Lasso", 20_000, tolerance=1e-7, note="ten sweeps; scikit-learn stops when nothing moves")
def lasso_coordinate_descent(ours: Any, rng: Rng, n: int) -> Calls:
    X, score, _ = classified(rng, n)
    theirs = linear_model.Lasso(alpha=0.1, fit_intercept=False, tol=1e-10)
    return lambda: ours(X, score, 0.1, 10), lambda: theirs.fit(X, score).coef_


@pair("sklearn GaussianNB", 20_000)
def gaussian_naive_bayes(ours: Any, rng: Rng, n: int) -> Calls:
    X, _, y = classified(rng, n)
    return (
        lambda: ours().fit(X, y).predict_proba(X),
        lambda: naive_bayes.GaussianNB().fit(X, y).predict_proba(X)[:, 1],
    )


@pair(
    "sklearn KNeighborsClassifier, brute", 1_000, note="all n² distances fully sorted, so that ties go to the first row"
)
def nearest_neighbours(ours: Any, rng: Rng, n: int) -> Calls:
    X, _, y = classified(rng, n)
    new = rng.normal(size=(n, 6))

    def theirs() -> np.ndarray:
        scaler = preprocessing.StandardScaler(with_mean=False).fit(X)
        model = neighbors.KNeighborsClassifier(5, algorithm="brute").fit(scaler.transform(X), y)
        return model.predict_proba(scaler.transform(new))[:, 1]

    return lambda: ours(X, y, new, 5), theirs


@pair("torch autograd and optim.SGD", 1_000, note="a step at a time, both")
def linear_svm(ours: Any, rng: Rng, n: int) -> Calls:
    X, _, y = classified(rng, n)
    order, penalty = rng.permutation(n), 0.1

    def theirs() -> tuple[np.ndarray, float]:
        w, b = torch.zeros(6, dtype=torch.float64, requires_grad=True), torch.zeros((), dtype=torch.float64)
        b.requires_grad_()
        optimiser = torch.optim.SGD([w, b], lr=1.0)
        rows, sides = torch.from_numpy(X), torch.from_numpy(2.0 * y - 1)
        for t, i in enumerate(order.tolist(), start=1):
            optimiser.param_groups[0]["lr"] = 1 / (penalty * t)
            optimiser.zero_grad()
            (penalty / 2 * w @ w + torch.relu(1 - sides[i] * (rows[i] @ w + b))).backward()
            optimiser.step()
        return w.detach().numpy(), b.item()

    return lambda: ours(X, y, order, penalty), theirs


@pair("sklearn Perceptron on PolynomialFeatures", 500, tolerance=1e-6, note="the kernel's features written out")
def kernel_perceptron(ours: Any, rng: Rng, n: int) -> Calls:
    X = rng.normal(size=(n, 4))
    y = ((X**2).sum(axis=1) > 4).astype(int)
    features = preprocessing.PolynomialFeatures(2)
    features.fit(X)
    scale = np.where((features.powers_ == 2).any(axis=1) | (features.powers_ == 0).all(axis=1), 1.0, np.sqrt(2))

    def theirs() -> np.ndarray:
        model = linear_model.Perceptron(max_iter=3, tol=None, shuffle=False, fit_intercept=False)
        mapped = features.transform(X) * scale
        return model.fit(mapped, y).decision_function(mapped)

    return lambda: ours(X, y, 3, X)[1], theirs


@pair("sklearn permutation_importance", 5_000, tolerance=1e-8, note="five shuffles of each of six columns")
def permutation_importance(ours: Any, rng: Rng, n: int) -> Calls:
    X, _, y = classified(rng, n)
    model = linear_model.LogisticRegression().fit(X, y)
    loss = namespace("permutation_importance")["mean_log_loss"]
    shuffled = np.empty((5, n), dtype=int)
    # scikit-learn shuffles one list of row numbers again and again, and the column with it.
    source = np.random.RandomState(np.random.RandomState(3).randint(np.iinfo(np.int32).max + 1))
    index, place = np.arange(n), np.arange(n)
    for repeat in range(5):
        source.shuffle(index)
        place = place[index]
        shuffled[repeat] = place

    def scorer(fitted: Any, rows: np.ndarray, labels: np.ndarray) -> float:
        return -loss(rows @ fitted.coef_[0] + fitted.intercept_[0], labels)

    return (
        lambda: ours(model.coef_[0], model.intercept_[0], X, y, [[j] for j in range(6)], shuffled),
        lambda: (
            inspection.permutation_importance(model, X, y, scoring=scorer, n_repeats=5, random_state=3).importances_mean
        ),
    )


@pair("sklearn cost_complexity_pruning_path", 2_000, note="scikit-learn grows the tree again first, compiled")
def pruning_path(ours: Any, rng: Rng, n: int) -> Calls:
    X, score, _ = classified(rng, n)
    model = tree.DecisionTreeRegressor(min_samples_leaf=20, random_state=0)
    grown = model.fit(X, score).tree_
    risk = grown.impurity * grown.n_node_samples / n
    left, right = grown.children_left.tolist(), grown.children_right.tolist()
    return (
        lambda: [price for price, _ in ours(left, right, risk.tolist())],
        lambda: model.cost_complexity_pruning_path(X, score).ccp_alphas,
    )


@pair("sklearn DecisionTreeRegressor and GradientBoostingRegressor", 2_000, note="twenty stumps each")
def bagging_and_boosting(ours: Any, rng: Rng, n: int) -> Calls:
    x = rng.normal(size=n).astype(np.float32).astype(float)
    y, draws = np.sin(2 * x) + rng.normal(0, 0.3, n), rng.integers(0, n, (20, n))
    column = x[:, None]

    def theirs() -> tuple[np.ndarray, np.ndarray]:
        stumps = [tree.DecisionTreeRegressor(max_depth=1).fit(column[rows], y[rows]) for rows in draws]
        boosted = ensemble.GradientBoostingRegressor(n_estimators=20, learning_rate=0.3, max_depth=1)
        return np.mean([stump.predict(column) for stump in stumps], axis=0), boosted.fit(column, y).predict(column)

    return lambda: ours(x, y, x, draws, 0.3), theirs


@pair("scipy.cluster.hierarchy.linkage", 300, note="ours is n³ and to be read, SciPy's n² and compiled")
def agglomerative(ours: Any, rng: Rng, n: int) -> Calls:
    X = grouped(rng, n, 3)
    return lambda: ours(X, "average"), lambda: scipy.cluster.hierarchy.linkage(X, "average")


@pair("sklearn DBSCAN", 1_000, note="all n² distances, to be read, against a tree")
def dbscan(ours: Any, rng: Rng, n: int) -> Calls:
    X = grouped(rng, n, 2)
    return lambda: ours(X, 0.5, 8), lambda: cluster.DBSCAN(eps=0.5, min_samples=8).fit(X).labels_


@pair("sklearn silhouette_samples", 1_000, note="all n² differences, to be read")
def silhouette(ours: Any, rng: Rng, n: int) -> Calls:
    X, labels = grouped(rng, n), rng.integers(0, 4, n)
    return lambda: ours(X, labels), lambda: metrics.silhouette_samples(X, labels)


@pair("sklearn GaussianMixture", 5_000, tolerance=1e-6, note="ten steps from the same start")
def gaussian_mixture(ours: Any, rng: Rng, n: int) -> Calls:
    X = grouped(rng, n, 3)
    weights, means, covariances = np.full(3, 1 / 3), X[:3].copy(), np.array([np.eye(3) * 4.0] * 3)

    def theirs() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        model = mixture.GaussianMixture(
            3,
            tol=0.0,
            reg_covar=1e-6,
            max_iter=10,
            weights_init=weights,
            means_init=means,
            precisions_init=np.linalg.inv(covariances),
            init_params="random",
            random_state=0,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # ten steps are meant
            model.fit(X)
        return model.weights_, model.means_, model.covariances_

    return lambda: ours(X, weights, means, covariances, 10)[:3], theirs


@pair(
    "sklearn's t-SNE, its joint probabilities",
    200,
    tolerance=1e-3,
    note="times n; scikit-learn stops sooner, in 32 bits",
)
def tsne_affinities(ours: Any, rng: Rng, n: int) -> Calls:
    X = grouped(rng, n)

    def theirs() -> np.ndarray:
        squares = metrics.pairwise_distances(X, metric="sqeuclidean")
        upper = _t_sne._joint_probabilities(squares, 20.0, verbose=0)
        square = np.zeros((n, n))
        square[np.triu_indices(n, 1)] = upper
        return n * (square + square.T)

    return lambda: n * ours(X, 20.0), theirs


@pair("torch autograd of kl_div", 300)
def tsne_gradient(ours: Any, rng: Rng, n: int) -> Calls:
    P, Y = rng.random((n, n)), rng.normal(size=(n, 2))
    P = P + P.T
    np.fill_diagonal(P, 0.0)
    P /= P.sum()
    wanted, outside = torch.from_numpy(P), ~torch.eye(n, dtype=torch.bool)

    def theirs() -> np.ndarray:
        picture = torch.tensor(Y, requires_grad=True)
        squares = ((picture[:, None] - picture[None]) ** 2).sum(dim=2)
        closeness = (1 / (1 + squares))[outside]
        torch.nn.functional.kl_div((closeness / closeness.sum()).log(), wanted[outside], reduction="sum").backward()
        return picture.grad.numpy()

    return lambda: ours(P, Y), theirs


@pair("sklearn IsolationForest", 2_000, tolerance=0.05, note="other random splits: 200 trees, the same in the mean")
def isolation_scores(ours: Any, rng: Rng, n: int) -> Calls:
    X = rng.normal(size=(n, 4))
    rows = np.array([rng.choice(n, 64, replace=False) for _ in range(200)])
    draws = rng.random((200, 63, 2))
    theirs = ensemble.IsolationForest(n_estimators=200, max_samples=64, random_state=0)
    return lambda: ours(X, rows, draws, 6, X[:200]), lambda: -theirs.fit(X).score_samples(X[:200])
