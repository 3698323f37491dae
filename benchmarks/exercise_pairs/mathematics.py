"""Pairs of the mathematics, the statistics of experiments, explanation and search."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.optimize
import scipy.sparse.linalg
import scipy.stats
import torch
import xgboost
from sklearn import (
    decomposition,
    gaussian_process,
    linear_model,
    model_selection,
    naive_bayes,
    pipeline,
    preprocessing,
)
from sklearn.gaussian_process import kernels

from benchmarks.exercise_pairs.pair import Calls, Rng, pair


@pair("torch.autograd", 50, tolerance=1e-6, note="two calls of the function a coordinate against one backward pass")
def numerical_gradient(ours: Any, rng: Rng, n: int) -> Calls:
    x = rng.normal(size=n)

    def theirs() -> np.ndarray:
        point = torch.tensor(x, requires_grad=True)
        torch.logsumexp(point, 0).backward()
        return point.grad.numpy()

    return lambda: ours("soft maximum", x), theirs


@pair("torch.autograd.functional.jacobian", 50, tolerance=1e-6)
def numerical_jacobian(ours: Any, rng: Rng, n: int) -> Calls:
    x = rng.normal(size=n)
    point = torch.from_numpy(x)
    return (
        lambda: ours("shares", x),
        lambda: torch.autograd.functional.jacobian(lambda v: torch.softmax(v, 0), point).numpy(),
    )


def design(rng: Rng, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, rows that end in a one, and labels."""
    X = np.column_stack([rng.normal(size=(n, 5)), np.ones(n)])
    w = rng.normal(size=6)
    return w, X, (rng.random(n) < 1 / (1 + np.exp(-X @ w))).astype(float)


@pair("torch.autograd.functional.hessian", 20_000)
def logistic_hessian(ours: Any, rng: Rng, n: int) -> Calls:
    w, X, y = design(rng, n)
    rows, labels = torch.from_numpy(X), torch.from_numpy(y)

    def loss(v: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.binary_cross_entropy_with_logits(rows @ v, labels, reduction="sum")

    return lambda: ours(w, X), lambda: torch.autograd.functional.hessian(loss, torch.from_numpy(w)).numpy()


@pair("torch autograd of binary_cross_entropy_with_logits", 20_000)
def loss_gradient(ours: Any, rng: Rng, n: int) -> Calls:
    w, X, y = design(rng, n)
    rows, labels = torch.from_numpy(X), torch.from_numpy(y)

    def theirs() -> np.ndarray:
        v = torch.tensor(w, requires_grad=True)
        torch.nn.functional.binary_cross_entropy_with_logits(rows @ v, labels).backward()
        return v.grad.numpy()

    return lambda: ours("logistic", w, X, y), theirs


@pair("torch autograd of cross_entropy with weights", 20_000)
def softmax_gradient(ours: Any, rng: Rng, n: int) -> Calls:
    logits, labels, weight = rng.normal(size=(n, 7)), rng.integers(0, 7, n), rng.random(7) + 0.5

    def theirs() -> tuple[float, np.ndarray]:
        z = torch.tensor(logits, requires_grad=True)
        loss = torch.nn.functional.cross_entropy(z, torch.from_numpy(labels), torch.from_numpy(weight))
        loss.backward()
        return loss.item(), z.grad.numpy()

    return lambda: ours(logits, labels, weight), theirs


@pair("scipy.sparse.linalg.eigsh", 500, tolerance=1e-6)
def power_iteration(ours: Any, rng: Rng, n: int) -> Calls:
    basis = np.linalg.qr(rng.normal(size=(n, n)))[0]
    A, start = (basis * np.r_[5.0, rng.uniform(-3, 3, n - 1)]) @ basis.T, rng.normal(size=n)

    def theirs() -> tuple[float, np.ndarray]:
        values, vectors = scipy.sparse.linalg.eigsh(A, k=1, v0=start)
        return values[0], np.abs(vectors[:, 0])

    def mine() -> tuple[float, np.ndarray]:
        value, vector = ours(A, start)
        return value, np.abs(vector)

    return mine, theirs


@pair("numpy.linalg.svd", 5_000)
def svd_from_eigen(ours: Any, rng: Rng, n: int) -> Calls:
    A = rng.normal(size=(n, 20)) * np.arange(1, 21)

    def theirs() -> tuple[np.ndarray, np.ndarray]:
        _, s, vt = np.linalg.svd(A, full_matrices=False)
        return s, np.abs(vt)

    def mine() -> tuple[np.ndarray, np.ndarray]:
        _, s, vt = ours(A)
        return s, np.abs(vt)

    return mine, theirs


@pair("sklearn PCA, full SVD", 100, note="100 rows of 2,000 columns")
def pca_smaller_matrix(ours: Any, rng: Rng, n: int) -> Calls:
    X = rng.normal(size=(n, 20 * n))

    def theirs() -> tuple[np.ndarray, np.ndarray]:
        found = decomposition.PCA(3, svd_solver="full").fit(X)
        return found.explained_variance_, np.abs(found.components_)

    def mine() -> tuple[np.ndarray, np.ndarray]:
        variance, directions = ours(X, 3)
        return variance, np.abs(directions)

    return mine, theirs


@pair("scipy.stats.bernoulli.logpmf and sem", 20_000, tolerance=1e-6, note="ours from counts by group")
def bernoulli_mle(ours: Any, rng: Rng, n: int) -> Calls:
    y = (rng.random(n) < 0.2).astype(int)
    frauds, payments = y.reshape(20, -1).sum(axis=1), np.full(20, n // 20)

    def theirs() -> tuple[float, float, float]:
        return y.mean(), scipy.stats.bernoulli.logpmf(y, y.mean()).sum(), scipy.stats.sem(y, ddof=0)

    return lambda: ours(frauds, payments), theirs


@pair("scipy.stats.norm.fit and logpdf", 20_000, tolerance=1e-6)
def normal_mle(ours: Any, rng: Rng, n: int) -> Calls:
    x = rng.normal(3, 2, n)

    def theirs() -> tuple[float, float, float]:
        mean, spread = scipy.stats.norm.fit(x)
        return mean, spread**2, scipy.stats.norm.logpdf(x, mean, spread).sum()

    return lambda: ours(x), theirs


@pair("scipy.stats.beta.mean", 20_000, note="the mean; SciPy names no mode")
def bernoulli_map(ours: Any, rng: Rng, n: int) -> Calls:
    payments = rng.integers(1, 500, n)
    frauds = rng.binomial(payments, 0.02)
    return (
        lambda: ours(frauds, payments, 2.0, 50.0)[1],
        lambda: scipy.stats.beta.mean(2.0 + frauds, 50.0 + payments - frauds),
    )


@pair("sklearn GaussianProcessRegressor, constant kernel", 300, tolerance=1e-6, note="a closed form against a solve")
def normal_mean_map(ours: Any, rng: Rng, n: int) -> Calls:
    x = rng.normal(5, 2, n)

    def theirs() -> tuple[float, float]:
        kernel = kernels.ConstantKernel(1.5**2, "fixed")
        process = gaussian_process.GaussianProcessRegressor(kernel, alpha=2.0**2, optimizer=None)
        mean, spread = process.fit(np.zeros((n, 1)), x - 4.0).predict(np.zeros((1, 1)), return_std=True)
        return mean[0] + 4.0, spread[0]

    return lambda: ours(x, 2.0, 4.0, 1.5)[:2], theirs


@pair("sklearn BernoulliNB with given rates", 50)
def fraud_posterior(ours: Any, rng: Rng, n: int) -> Calls:
    recall, false_alarm, fired = rng.uniform(0.3, 0.6, n), rng.uniform(0.2, 0.5, n), rng.random(n) < 0.4
    model = naive_bayes.BernoulliNB()
    model.classes_, model.n_features_in_ = np.array([0, 1]), n
    model.class_log_prior_ = np.log([0.99, 0.01])
    model.feature_log_prob_ = np.log([false_alarm, recall])
    return lambda: ours(0.01, recall, false_alarm, fired), lambda: model.predict_proba(fired[None])[0, 1]


@pair("scipy.stats.permutation_test", 500, note="1,000 shuffles, ours given, SciPy's drawn inside its time")
def permutation_test(ours: Any, rng: Rng, n: int) -> Calls:
    values, treated = rng.normal(size=n), np.arange(n) < n // 3
    source = np.random.default_rng(1)
    orders = np.array([source.permutation(n) for _ in range(1000)])

    def apart(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.abs(a.mean(axis=axis) - b.mean(axis=axis))

    def theirs() -> tuple[float, float]:
        found = scipy.stats.permutation_test(
            (values[treated], values[~treated]),
            apart,
            vectorized=True,
            n_resamples=1000,
            alternative="greater",
            rng=np.random.default_rng(1),
        )
        return found.statistic, found.pvalue

    def mine() -> tuple[float, float]:
        gap, p = ours(values, treated, orders)
        return abs(gap), p

    return mine, theirs


@pair("scipy.stats.bootstrap", 500, note="1,000 resamples, ours given, SciPy's drawn inside its time")
def bootstrap_median(ours: Any, rng: Rng, n: int) -> Calls:
    values = rng.lognormal(3, 1, n)
    resamples = np.random.default_rng(1).integers(0, n, (1000, n))

    def theirs() -> tuple[float, float, float]:
        found = scipy.stats.bootstrap(
            (values,), np.median, n_resamples=1000, method="percentile", rng=np.random.default_rng(1)
        )
        median = np.median(values)
        return median, found.standard_error, found.bootstrap_distribution.mean() - median

    return lambda: ours(values, resamples), theirs


@pair("scipy.optimize.brentq on the test's power", 1)
def sample_size_two_rates(ours: Any, rng: Rng, n: int) -> Calls:
    control, treatment = 0.010, 0.012

    def lacking(units: float) -> float:
        error = np.sqrt((control * (1 - control) + treatment * (1 - treatment)) / units)
        return scipy.stats.norm.sf(scipy.stats.norm.isf(0.025) - abs(control - treatment) / error) - 0.8

    return (
        lambda: ours(control, treatment)[0],
        lambda: int(np.ceil(scipy.optimize.brentq(lacking, 10, 1e8, xtol=1e-6))),
    )


@pair("scipy.stats.chi2_contingency", 20_000, note="z² and p of one test")
def two_rate_test(ours: Any, rng: Rng, n: int) -> Calls:
    a, b = rng.binomial(n, [0.010, 0.012]).tolist()
    b += 1

    def theirs() -> tuple[float, float]:
        found = scipy.stats.chi2_contingency([[a, n - a], [b, n - b]], correction=False)
        return found.statistic, found.pvalue

    def mine() -> tuple[float, float]:
        _, z, p, *_ = ours(a, n, b, n)
        return z**2, p

    return mine, theirs


@pair("scipy.stats.linregress and ttest_ind", 20_000)
def cuped(ours: Any, rng: Rng, n: int) -> Calls:
    before, treated = rng.lognormal(3, 1, n), rng.random(n) < 0.5
    metric = 0.8 * before + treated + rng.normal(size=n)

    def theirs() -> tuple[float, float]:
        theta = scipy.stats.linregress(before, metric).slope
        rest = metric - theta * before
        return theta, scipy.stats.ttest_ind(rest[treated], rest[~treated], equal_var=False).statistic

    def mine() -> tuple[float, float]:
        theta, effect, error = ours(metric, before, treated)
        return theta, effect / error

    return mine, theirs


@pair("xgboost pred_contribs", 1_000, tolerance=1e-4, note="one row of a tree of depth 5; XGBoost in 32 bits, compiled")
def tree_shap(ours: Any, rng: Rng, n: int) -> Calls:
    X = rng.normal(size=(n, 8)).astype(np.float32)
    y = X[:, 0] * X[:, 1] + X[:, 2] + rng.normal(0, 0.1, n)
    booster = xgboost.train(
        {"max_depth": 5, "eta": 1.0, "base_score": 0.0, "nthread": 1}, xgboost.DMatrix(X, y), num_boost_round=1
    )
    table = booster.trees_to_dataframe().set_index("ID")
    place = {name: i for i, name in enumerate(table.index)}
    leaf = (table["Feature"] == "Leaf").to_numpy()
    feature = np.array([-1 if name == "Leaf" else int(name[1:]) for name in table["Feature"]])
    left, right = (np.array([place.get(name, -1) for name in table[side]]) for side in ("Yes", "No"))
    threshold, value = table["Split"].fillna(0.0).to_numpy(), np.where(leaf, table["Gain"], 0.0)
    row, one = X[0].astype(float), xgboost.DMatrix(X[:1])
    cover = table["Cover"].to_numpy()

    def mine() -> np.ndarray:
        base, phi = ours(feature, threshold, left, right, value, cover, row)
        return np.append(phi, base)

    return mine, lambda: booster.predict(one, pred_contribs=True)[0]


@pair("sklearn GridSearchCV", 5_000, tolerance=1e-8, note="twelve points, five folds")
def grid_search(ours: Any, rng: Rng, n: int) -> Calls:
    X = rng.standard_t(3, size=(n, 5))
    y, fold = np.clip(X, -2, 2).sum(axis=1) + rng.normal(size=n), np.arange(n) % 5
    grid = {"clip": [1.0, 2.0, 4.0], "l2": [0.1, 1.0, 10.0, 100.0]}

    def theirs() -> np.ndarray:
        model = pipeline.make_pipeline(preprocessing.FunctionTransformer(np.clip), linear_model.Ridge())
        points = {
            "functiontransformer__kw_args": [{"a_min": -c, "a_max": c} for c in grid["clip"]],
            "ridge__alpha": grid["l2"],
        }
        search = model_selection.GridSearchCV(
            model, points, scoring="neg_mean_squared_error", cv=model_selection.PredefinedSplit(fold), refit=False
        )
        return -search.fit(X, y).cv_results_["mean_test_score"]

    return lambda: ours(grid, X, y, fold)[1], theirs


@pair("scipy.stats.loguniform.ppf", 1_000, note="SciPy only places the draws; ours also runs the trials")
def random_search(ours: Any, rng: Rng, n: int) -> Calls:
    draws = rng.random((n, 1))
    return (
        lambda: [trial["rate"] for trial in ours({"rate": ("log", 1e-4, 1.0)}, draws)[0]],
        lambda: scipy.stats.loguniform(1e-4, 1.0).ppf(draws[:, 0]),
    )


@pair("sklearn GaussianProcessRegressor and scipy.stats.norm", 2_000, tolerance=1e-7, note="after 30 trials")
def expected_improvement(ours: Any, rng: Rng, n: int) -> Calls:
    tried, candidates = rng.normal(size=(30, 3)), rng.normal(size=(n, 3))
    losses = (tried**2).sum(axis=1)

    def theirs() -> np.ndarray:
        kernel = kernels.RBF(1.0, "fixed")
        process = gaussian_process.GaussianProcessRegressor(kernel, alpha=0.1**2, optimizer=None)
        mean, sigma = process.fit(tried, losses - losses.mean()).predict(candidates, return_std=True)
        gain = losses.min() - losses.mean() - mean
        u = gain / sigma
        return gain * scipy.stats.norm.cdf(u) + sigma * scipy.stats.norm.pdf(u)

    return lambda: ours(tried, losses, candidates, noise=0.1)[0], theirs
