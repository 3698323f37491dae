"""Pairs of the metrics, the data work, validation, recommenders, imbalance and calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import scipy.special
import scipy.stats
import torch
from sklearn import calibration, impute, isotonic, linear_model, metrics, model_selection, neighbors, preprocessing
from sklearn.utils.class_weight import compute_sample_weight

from benchmarks.exercise_pairs.pair import Calls, Rng, pair


def scored(rng: Rng, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels with one fraud in twenty, and scores with ties."""
    y = (rng.random(n) < 0.05).astype(int)
    y[:2] = 0, 1
    return y, np.round(np.clip(rng.beta(1, 8, n) + 0.3 * y * rng.random(n), 0, 1), 3)


@pair("sklearn precision_recall_fscore_support", 20_000)
def confusion_rates(ours: Any, rng: Rng, n: int) -> Calls:
    y, s = scored(rng, n)
    return (
        lambda: [ours(y, s, 0.3)[name] for name in ("precision", "recall", "f1")],
        lambda: metrics.precision_recall_fscore_support(y, s > 0.3, average="binary")[:3],
    )


@pair("sklearn roc_auc_score", 20_000)
def roc_auc(ours: Any, rng: Rng, n: int) -> Calls:
    y, s = scored(rng, n)
    return lambda: ours(y, s), lambda: metrics.roc_auc_score(y, s)


@pair("sklearn average_precision_score", 20_000)
def average_precision(ours: Any, rng: Rng, n: int) -> Calls:
    y, s = scored(rng, n)
    return lambda: ours(y, s), lambda: metrics.average_precision_score(y, s)


@pair("torch.topk", 20_000, note="no ties; torch breaks them by chance")
def precision_at_k(ours: Any, rng: Rng, n: int) -> Calls:
    y, s = scored(rng, n)[0], rng.random(n)
    labels, scores = torch.from_numpy(y).double(), torch.from_numpy(s)
    return lambda: ours(y, s, n // 20), lambda: labels[torch.topk(scores, n // 20).indices].mean().item()


@pair("sklearn log_loss", 20_000)
def log_loss(ours: Any, rng: Rng, n: int) -> Calls:
    y, s = scored(rng, n)
    clipped = np.clip(s, 1e-15, 1 - 1e-15)
    return lambda: ours(y, s), lambda: metrics.log_loss(y, clipped)


@pair("sklearn ndcg_score", 20_000)
def ndcg(ours: Any, rng: Rng, n: int) -> Calls:
    y, s = scored(rng, n)
    relevance = y * rng.lognormal(4, 1, n)
    return lambda: ours(relevance, s, 100), lambda: metrics.ndcg_score([relevance], [s], k=100)


@pair("sklearn SimpleImputer and MissingIndicator", 20_000)
def impute_with_indicator(ours: Any, rng: Rng, n: int) -> Calls:
    X = rng.normal(size=(n, 8))
    gaps = np.where(rng.random(X.shape) < 0.1, np.nan, X)

    def filled() -> np.ndarray:
        median = impute.SimpleImputer(strategy="median", keep_empty_features=True).fit(gaps)
        return np.hstack([median.transform(gaps), impute.MissingIndicator(features="all").fit(gaps).transform(gaps)])

    return lambda: ours(gaps, gaps), filled


@pair("sklearn OneHotEncoder", 20_000)
def one_hot(ours: Any, rng: Rng, n: int) -> Calls:
    words = rng.choice(np.array(["grocery", "fuel", "travel", "online"]), n)
    encoder = preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return lambda: ours(words, words)[1], lambda: encoder.fit(words[:, None]).transform(words[:, None])


@pair("sklearn StandardScaler", 20_000)
def normalise(ours: Any, rng: Rng, n: int) -> Calls:
    X = rng.normal(size=(n, 8))
    return lambda: ours().fit(X).transform(X), lambda: preprocessing.StandardScaler().fit(X).transform(X)


@pair("sklearn TargetEncoder, one a fold", 20_000)
def target_encode_oof(ours: Any, rng: Rng, n: int) -> Calls:
    words = rng.choice(np.array(["grocery", "fuel", "travel", "online"]), n)
    folds, y = np.arange(n) % 5, (rng.random(n) < 0.1).astype(int)

    def by_fold() -> np.ndarray:
        out = np.empty(n)
        for k in range(5):
            encoder = preprocessing.TargetEncoder(smooth=10.0, target_type="binary")
            encoder.fit(words[folds != k, None], y[folds != k])
            out[folds == k] = encoder.transform(words[folds == k, None])[:, 0]
        return out

    return lambda: ours(words, y, folds, 10.0), by_fold


@pair("sklearn StratifiedKFold", 20_000, note="frauds and rows of each fold; which row goes where is free")
def stratified_kfold(ours: Any, rng: Rng, n: int) -> Calls:
    y = scored(rng, n)[0]

    def counted(fold: np.ndarray) -> list[tuple[int, int]]:
        return sorted(zip(np.bincount(fold[y == 1]).tolist(), np.bincount(fold).tolist(), strict=True))

    def theirs() -> np.ndarray:
        fold = np.empty(n, dtype=int)
        for k, (_, test) in enumerate(model_selection.StratifiedKFold(5).split(y, y)):
            fold[test] = k
        return fold

    return lambda: counted(ours(y, 5)), lambda: counted(theirs())


@pair("scipy.stats.bootstrap", 365, note="1,000 resamples, ours given, SciPy's drawn inside its time")
def bootstrap_interval(ours: Any, rng: Rng, n: int) -> Calls:
    fraud = rng.lognormal(5, 1, n)
    stopped = fraud * rng.random(n)
    resamples = np.random.default_rng(1).integers(0, n, (1000, n))

    def share(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
        return a.sum(axis=axis) / b.sum(axis=axis)

    def theirs() -> tuple[float, float]:
        found = scipy.stats.bootstrap(
            (stopped, fraud), share, paired=True, n_resamples=1000, method="percentile", rng=np.random.default_rng(1)
        )
        return found.confidence_interval.low, found.confidence_interval.high

    return lambda: ours(stopped, fraud, resamples)[1:], theirs


@pair("sklearn Ridge, one a row", 200, small=40)
def als_factors(ours: Any, rng: Rng, n: int) -> Calls:
    R = np.where(rng.random((n, n // 2)) < 0.5, rng.poisson(3, (n, n // 2)), np.nan)
    V = rng.normal(size=(n // 2, 4))

    def rows(table: np.ndarray, factors: np.ndarray) -> np.ndarray:
        found = []
        for values in table:
            seen = ~np.isnan(values)
            ridge = linear_model.Ridge(alpha=0.5, fit_intercept=False).fit(factors[seen], values[seen])
            found.append(ridge.coef_)
        return np.array(found)

    def theirs() -> tuple[np.ndarray, np.ndarray]:
        merchants = V
        for _ in range(3):
            cards = rows(R, merchants)
            merchants = rows(R.T, cards)
        return cards, merchants

    return lambda: ours(R, V, 0.5, 3), theirs


@pair("torch autograd and optim.SGD", 500, note="a step at a time, both")
def sgd_factors(ours: Any, rng: Rng, n: int) -> Calls:
    U, V = rng.normal(0, 0.3, (30, 4)), rng.normal(0, 0.3, (20, 4))
    visits = np.column_stack([rng.integers(0, 30, n), rng.integers(0, 20, n), rng.poisson(2, n)])
    order = rng.permutation(n)

    def theirs() -> tuple[np.ndarray, np.ndarray]:
        cards, merchants = (torch.tensor(part, requires_grad=True) for part in (U, V))
        optimiser = torch.optim.SGD([cards, merchants], lr=0.02)
        for card, merchant, value in visits[order].tolist():
            optimiser.zero_grad()
            u, v = cards[card], merchants[merchant]
            (((value - u @ v) ** 2 + 0.1 * (u @ u + v @ v)) / 2).backward()
            optimiser.step()
        return cards.detach().numpy(), merchants.detach().numpy()

    return lambda: ours(visits, order, U, V, 0.02, 0.1), theirs


@pair("sklearn KNeighborsRegressor, metric cosine", 2_000, tolerance=1e-7)
def item_neighbours(ours: Any, rng: Rng, n: int) -> Calls:
    visits = rng.poisson(0.5, (n, 100)) * rng.lognormal(0, 0.1, (n, 100))

    def alike(distance: np.ndarray) -> np.ndarray:
        weight = 1 - distance
        weight[:, 0] = 0.0  # the item itself
        return weight

    def theirs() -> np.ndarray:
        model = neighbors.KNeighborsRegressor(11, weights=alike, metric="cosine", algorithm="brute")
        return model.fit(visits.T, visits.T).predict(visits.T).T

    return lambda: ours(visits, 10), theirs


@pair("sklearn label_ranking_average_precision_score", 20_000, note="queues of 20 with one fraud each")
def mean_reciprocal_rank(ours: Any, rng: Rng, n: int) -> Calls:
    queues = n // 20
    y = np.zeros((queues, 20), dtype=int)
    y[np.arange(queues), rng.integers(0, 20, queues)] = 1
    s, groups = rng.random(y.shape), np.repeat(np.arange(queues), 20)
    return (
        lambda: ours(y.ravel(), s.ravel(), groups),
        lambda: metrics.label_ranking_average_precision_score(y, s),
    )


@pair("sklearn label_ranking_average_precision_score", 2_000, note="ours a loop over lists, in hash sets")
def mean_average_precision(ours: Any, rng: Rng, n: int) -> Calls:
    ranked = np.array([rng.permutation(20) for _ in range(n)])
    wanted = rng.random((n, 20)) < 0.2
    wanted[:, 0] = True
    score = -np.argsort(ranked, axis=1)
    lists, sets = ranked.tolist(), [np.flatnonzero(row).tolist() for row in wanted]
    return lambda: ours(lists, sets, 20), lambda: metrics.label_ranking_average_precision_score(wanted, score)


@pair("sklearn NearestNeighbors", 1_000, note="all n² distances fully sorted, so that ties go to the first row")
def smote(ours: Any, rng: Rng, n: int) -> Calls:
    X = rng.normal(size=(n, 6))
    rows, ranks, shares = rng.integers(0, n, n), rng.integers(0, 5, n), rng.random(n)

    def theirs() -> np.ndarray:
        nearest = neighbors.NearestNeighbors(n_neighbors=6).fit(X).kneighbors(X, return_distance=False)[:, 1:]
        return X[rows] + shares[:, None] * (X[nearest[rows, ranks]] - X[rows])

    return lambda: ours(X, rows, ranks, shares), theirs


@pair("sklearn compute_sample_weight", 20_000)
def balanced_weights(ours: Any, rng: Rng, n: int) -> Calls:
    y = scored(rng, n)[0]
    return lambda: ours(y), lambda: compute_sample_weight("balanced", y)


@pair("scipy.special.expit and logit", 20_000)
def undo_undersampling(ours: Any, rng: Rng, n: int) -> Calls:
    p = rng.random(n)
    return lambda: ours(p, 0.1), lambda: scipy.special.expit(scipy.special.logit(p) + np.log(0.1))


@pair("torch autograd, twice", 20_000)
def focal_loss(ours: Any, rng: Rng, n: int) -> Calls:
    y, z = scored(rng, n)[0], rng.normal(0, 2, n)
    labels = torch.from_numpy(y)

    def theirs() -> tuple[np.ndarray, np.ndarray]:
        score = torch.tensor(z, requires_grad=True)
        log_right = torch.nn.functional.logsigmoid(torch.where(labels == 1, score, -score))
        weight = torch.where(labels == 1, 0.25, 0.75)
        loss = -(weight * (1 - log_right.exp()) ** 2 * log_right).sum()
        (gradient,) = torch.autograd.grad(loss, score, create_graph=True)
        (curvature,) = torch.autograd.grad(gradient.sum(), score)
        return gradient.detach().numpy(), curvature.numpy()

    return lambda: ours(y, z, 2.0, 0.25), theirs


@pair("sklearn sigmoid calibration", 20_000, tolerance=1e-4, note="scikit-learn stops its search early")
def platt_scaling(ours: Any, rng: Rng, n: int) -> Calls:
    z = rng.normal(size=n)
    y = (rng.random(n) < scipy.special.expit(2 * z - 1)).astype(int)
    return lambda: ours(z, y), lambda: -np.array(calibration._sigmoid_calibration(z, y))


@pair("sklearn IsotonicRegression", 20_000)
def isotonic_fit(ours: Any, rng: Rng, n: int) -> Calls:
    y, s = scored(rng, n)
    return lambda: ours(s, y), lambda: isotonic.IsotonicRegression().fit(s, y).predict(s)


@pair("pandas groupby.rank", 20_000)
def capacity_threshold(ours: Any, rng: Rng, n: int) -> Calls:
    s, day = rng.random(n), rng.integers(0, 30, n)

    def theirs() -> float:
        scores = pd.Series(s)
        place = scores.groupby(day).rank(ascending=False)
        return scores[scores > scores[place > 3].max()].min()

    return lambda: ours(s, day, 3), theirs
