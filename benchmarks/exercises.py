"""The reference solutions beside scikit-learn, SciPy, torch, XGBoost and pandas: same result, and the ratio of times.

python -m benchmarks.exercises             # 20,000 rows
python -m benchmarks.exercises --quick     # 500
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.stats
import torch
from sklearn import cluster, decomposition, impute, linear_model, metrics, preprocessing, tree
from sklearn.metrics.pairwise import haversine_distances
from xgboost import XGBClassifier

from benchmarks.record import Figure, Record, new_record, table, write_record
from benchmarks.timing import medians_us
from fraudkit.workbook.exercise import exercise
from fraudkit.workbook.notebooks import reference_source

SEED = 7


@dataclass(frozen=True)
class Pair:
    """Our solution and a library's call on the same data; `tolerance` is absolute, on what both return."""

    id: str
    library: str
    ours: Callable[[], Any]
    theirs: Callable[[], Any]
    tolerance: float = 1e-9


def solution(exercise_id: str) -> Any:
    """The function or class of a reference solution."""
    namespace: dict[str, Any] = {}
    name = exercise(exercise_id).name
    exec(reference_source(exercise_id, name), namespace)
    return namespace[name]


def metric_pairs(rng: np.random.Generator, n: int) -> Iterator[Pair]:
    """Scores of n payments with ties."""
    y = (rng.random(n) < 0.05).astype(int)
    s = np.round(np.clip(rng.beta(1, 8, n) + 0.3 * y * rng.random(n), 0, 1), 3)
    relevance = y * rng.lognormal(4, 1, n)
    auc, ap, loss, gain = map(solution, ("roc_auc", "average_precision", "log_loss", "ndcg"))
    rates = solution("confusion_rates")
    yield Pair("roc_auc", "scikit-learn", lambda: auc(y, s), lambda: metrics.roc_auc_score(y, s))
    yield Pair("average_precision", "scikit-learn", lambda: ap(y, s), lambda: metrics.average_precision_score(y, s))
    clipped = np.clip(s, 1e-15, 1 - 1e-15)
    yield Pair("log_loss", "scikit-learn", lambda: loss(y, s), lambda: metrics.log_loss(y, clipped))
    yield Pair(
        "ndcg", "scikit-learn", lambda: gain(relevance, s, 100), lambda: metrics.ndcg_score([relevance], [s], k=100)
    )
    yield Pair(
        "confusion_rates",
        "scikit-learn",
        lambda: [rates(y, s, 0.3)[name] for name in ("precision", "recall", "f1")],
        lambda: metrics.precision_recall_fscore_support(y, s > 0.3, average="binary")[:3],
    )


def data_pairs(rng: np.random.Generator, n: int) -> Iterator[Pair]:
    """Columns with gaps and categories."""
    X = rng.normal(size=(n, 8))
    gaps = np.where(rng.random(X.shape) < 0.1, np.nan, X)
    words = rng.choice(np.array(["grocery", "fuel", "travel", "online"]), n)
    folds, y = np.arange(n) % 5, (rng.random(n) < 0.1).astype(int)
    fill, hot, scale, encode = map(solution, ("impute_with_indicator", "one_hot", "normalise", "target_encode_oof"))

    def filled() -> np.ndarray:
        median = impute.SimpleImputer(strategy="median", keep_empty_features=True).fit(gaps)
        return np.hstack([median.transform(gaps), impute.MissingIndicator(features="all").fit(gaps).transform(gaps)])

    def by_fold() -> np.ndarray:
        out = np.empty(n)
        for k in range(5):
            encoder = preprocessing.TargetEncoder(smooth=10.0, target_type="binary")
            out[folds == k] = encoder.fit(words[folds != k, None], y[folds != k]).transform(words[folds == k, None])[
                :, 0
            ]
        return out

    encoder = preprocessing.OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    yield Pair("impute_with_indicator", "scikit-learn", lambda: fill(gaps, gaps), filled)
    yield Pair(
        "one_hot",
        "scikit-learn",
        lambda: _matrix(hot(words, words)),
        lambda: encoder.fit(words[:, None]).transform(words[:, None]),
    )
    yield Pair(
        "normalise",
        "scikit-learn",
        lambda: scale().fit(X).transform(X),
        lambda: preprocessing.StandardScaler().fit(X).transform(X),
    )
    yield Pair("target_encode_oof", "scikit-learn", lambda: encode(words, y, folds, 10.0), by_fold)


def _matrix(answer: Any) -> np.ndarray:
    """The matrix of an answer that may also name its columns."""
    parts = answer if isinstance(answer, tuple) else (answer,)
    return np.asarray(next(part for part in parts if np.ndim(part) == 2), dtype=float)


def model_pairs(rng: np.random.Generator, n: int) -> Iterator[Pair]:
    """Models on n rows of six columns."""
    X = rng.normal(size=(n, 6)).astype(np.float32).astype(float)
    score = X[:, 0] + 0.5 * X[:, 1] ** 2 + rng.normal(size=n)
    y = (score > np.quantile(score, 0.8)).astype(int)
    linear, logistic, grown, boosted = map(
        solution, ("linear_regression", "logistic_regression", "decision_tree", "gradient_boosting")
    )
    gain = solution("information_gain")
    left = X[:, 0] > 0.5
    yield Pair(
        "linear_regression",
        "scikit-learn",
        lambda: linear(X, score, 0.1, 1000)[0],
        lambda: linear_model.LinearRegression().fit(X, score).coef_,
        1e-6,
    )
    yield Pair(
        "logistic_regression",
        "scikit-learn",
        lambda: logistic(l2=0.01).fit(X, y).predict_proba(X),
        lambda: (
            linear_model.LogisticRegression(C=1 / (0.01 * n), tol=1e-10, max_iter=1000).fit(X, y).predict_proba(X)[:, 1]
        ),
        1e-5,
    )
    yield Pair(
        "information_gain",
        "scikit-learn",
        lambda: gain(y, left),
        lambda: metrics.mutual_info_score(y, left) / np.log(2),
    )
    yield Pair(
        "decision_tree",
        "scikit-learn",
        lambda: grown(4, 20).fit(X, y).predict_proba(X),
        lambda: (
            tree.DecisionTreeClassifier(max_depth=4, min_samples_leaf=20, random_state=0)
            .fit(X, y)
            .predict_proba(X)[:, 1]
        ),
    )
    yield Pair(
        "gradient_boosting",
        "XGBoost",
        lambda: boosted(50, 0.1, 1.0).fit(X, y).predict_proba(X),
        lambda: _stumps(y).fit(X, y).predict_proba(X)[:, 1],
        1e-5,
    )
    yield from forest_pair(rng, X, y)


def _stumps(y: np.ndarray) -> XGBClassifier:
    return XGBClassifier(
        n_estimators=50,
        learning_rate=0.1,
        max_depth=1,
        reg_lambda=1.0,
        min_child_weight=0,
        base_score=float(y.mean()),
        tree_method="exact",
        n_jobs=1,
    )


def forest_pair(rng: np.random.Generator, X: np.ndarray, y: np.ndarray) -> Iterator[Pair]:
    """Twenty stumps on the same bootstrap samples and columns."""
    rows = rng.integers(0, len(X), (20, len(X)))
    columns = np.array([rng.choice(X.shape[1], 2, replace=False) for _ in range(20)])
    forest = solution("random_forest")

    def bagged() -> np.ndarray:
        stumps = [
            (c, tree.DecisionTreeClassifier(max_depth=1).fit(X[r][:, c], y[r]))
            for r, c in zip(rows, columns, strict=True)
        ]
        return np.mean([stump.predict_proba(X[:, c])[:, 1] for c, stump in stumps], axis=0)

    yield Pair("random_forest", "scikit-learn", lambda: forest(rows, columns).fit(X, y).predict_proba(X), bagged)


def structure_pairs(rng: np.random.Generator, n: int) -> Iterator[Pair]:
    """Clusters, components and the network."""
    X = rng.normal(size=(n, 6)) + rng.integers(0, 4, (n, 1)) * 4.0
    means, components, network = map(solution, ("kmeans", "pca", "two_layer_network"))
    uniforms = rng.random(4)
    seeds = means(X, 4, uniforms, max_iter=0)[0]
    yield Pair(
        "kmeans",
        "scikit-learn",
        lambda: np.sort(means(X, 4, uniforms)[0], axis=0),
        lambda: np.sort(
            cluster.KMeans(4, init=seeds, n_init=1, algorithm="lloyd", tol=0).fit(X).cluster_centers_, axis=0
        ),
        1e-7,
    )
    yield Pair(
        "pca",
        "scikit-learn",
        lambda: np.abs(components(3).fit(X).transform(X)),
        lambda: np.abs(decomposition.PCA(3, svd_solver="full").fit(X).transform(X)),
        1e-7,
    )
    y = (X[:, 0] > 4).astype(float)
    start = {"W1": rng.normal(size=(6, 16)), "b1": np.zeros(16), "W2": rng.normal(size=(16, 1)), "b2": np.zeros(1)}
    yield Pair(
        "two_layer_network", "torch", lambda: network(start, X, y)[1]["W1"], lambda: _torch_gradient(start, X, y)
    )
    adam = solution("adam")
    gradients = [{"w": rng.normal(size=n)} for _ in range(5)]
    yield Pair("adam", "torch", lambda: _steps(adam(lr=0.01), gradients), lambda: _torch_steps(gradients))


def _torch_gradient(start: dict[str, np.ndarray], X: np.ndarray, y: np.ndarray) -> np.ndarray:
    params = {name: torch.tensor(value, requires_grad=True) for name, value in start.items()}
    hidden = torch.relu(torch.from_numpy(X) @ params["W1"] + params["b1"])
    logit = (hidden @ params["W2"] + params["b2"])[:, 0]
    torch.nn.functional.binary_cross_entropy_with_logits(logit, torch.from_numpy(y)).backward()
    return params["W1"].grad.numpy()


def _steps(adam: Any, gradients: list[dict[str, np.ndarray]]) -> np.ndarray:
    params = {"w": np.zeros_like(gradients[0]["w"])}
    for gradient in gradients:
        params = adam.step(params, gradient)
    return params["w"]


def _torch_steps(gradients: list[dict[str, np.ndarray]]) -> np.ndarray:
    w = torch.zeros(len(gradients[0]["w"]), dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([w], lr=0.01)
    for gradient in gradients:
        w.grad = torch.from_numpy(gradient["w"])
        optimiser.step()
    return w.detach().numpy()


def stream_pairs(rng: np.random.Generator, n: int) -> Iterator[Pair]:
    """Streams and drift."""
    count, travel, running, drift = map(solution, ("window_count", "impossible_travel", "welford", "ks_test"))
    times = np.cumsum(rng.integers(1, 5, n))
    card = rng.integers(0, 50, n)
    stream = pd.Series(1.0, index=pd.to_datetime(times, unit="s")).groupby(card)
    yield Pair(
        "window_count",
        "pandas",
        lambda: count(times, card, 600),
        lambda: stream.rolling("600s").count().swaplevel().sort_index().to_numpy() - 1,
    )
    latitude, longitude = rng.uniform(-80, 80, n), rng.uniform(-179, 179, n)
    hours = np.arange(n) * 3600.0
    places = np.radians(np.column_stack([latitude, longitude]))
    yield Pair(
        "impossible_travel",
        "scikit-learn",
        lambda: np.asarray(travel(hours, np.zeros(n, dtype=int), latitude, longitude)[0])[1:50],
        lambda: np.diag(haversine_distances(places[:50]), 1) * 6371.0,
        1e-6,
    )
    amounts = rng.lognormal(3, 1, n)

    def streamed() -> tuple[float, float]:
        summary = running()
        for amount in amounts.tolist():
            summary.update(amount)
        return summary.mean(), summary.variance()

    yield Pair("welford", "NumPy", streamed, lambda: (np.mean(amounts), np.var(amounts, ddof=1)), 1e-6)
    current = rng.lognormal(3.01, 1, n)
    size = np.sqrt(n / 2)

    def tested() -> tuple[float, float]:
        distance = scipy.stats.ks_2samp(amounts, current, method="asymp").statistic
        return distance, scipy.stats.kstwobign.sf(size * distance)

    yield Pair("ks_test", "SciPy", lambda: drift(amounts, current), tested)


def measure(n: int, rounds: int) -> Record:
    """Compare results, then times in turn."""
    figures = []
    worst = 0.0
    for make in (metric_pairs, data_pairs, model_pairs, structure_pairs, stream_pairs):
        for pair in make(np.random.default_rng(SEED), n):
            difference = float(np.nanmax(np.abs(_flat(pair.ours()) - _flat(pair.theirs()))))
            worst = max(worst, difference / pair.tolerance)
            print(f"{pair.id:<22} greatest difference {difference:.1e}, tolerance {pair.tolerance:.0e}", flush=True)
            times = medians_us({"ours": lambda _, p=pair: p.ours(), "theirs": lambda _, p=pair: p.theirs()}, rounds)
            what = (
                f"{pair.id}: {pair.library}'s time over ours (difference {difference:.0e}, within {pair.tolerance:.0e})"
            )
            figures.append(Figure(what, times["theirs"] / times["ours"], "×"))
    return new_record(
        "exercises",
        "Reference solutions of the exercises",
        "python -m benchmarks.exercises",
        [Figure("greatest difference over its tolerance, all exercises below", worst, "", at_most=1), *figures],
        [
            f"On {n:,} rows, both in turn in one process. Above 1 the solution is the faster one. The "
            "solutions are made to be explained in an interview; a library checks its input more, and where a loop in "
            "Python stands against compiled code, the ratio says so.",
        ],
        ["numpy", "scikit-learn", "scipy", "torch", "xgboost-cpu", "pandas"],
    )


def _flat(answer: Any) -> np.ndarray:
    return np.concatenate(
        [np.ravel(np.asarray(part, dtype=float)) for part in np.atleast_1d(np.asarray(answer, dtype=float))]
    )


def main(arguments: list[str] | None = None) -> None:
    """Measure, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="500 rows; nothing is written")
    quick = parser.parse_args(arguments).quick
    record = measure(500, rounds=1) if quick else measure(20_000, rounds=5)
    print(table(record))
    if not quick:
        write_record(record)


if __name__ == "__main__":
    main()
