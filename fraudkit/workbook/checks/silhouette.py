"""Silhouette of each row: the own cluster without the row, the nearest other cluster, and rows that are alone."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_scikit_learn(X, labels):
    """The oracle: sklearn.metrics.silhouette_samples on the Euclidean distances."""
    X = np.asarray(X, dtype=float)
    apart = np.sqrt(((X[:, None] - X[None]) ** 2).sum(2))  # handed in: sklearn's expansion loses digits far from 0
    return import_module("sklearn.metrics").silhouette_samples(apart, np.asarray(labels), metric="precomputed")


def cases(rng: np.random.Generator) -> list[Case]:
    """By hand first, then each point, then random groups."""
    line = np.array([[0.0], [1.0], [4.0], [6.0], [20.0], [21.0], [25.0]])
    three = np.array([0, 0, 1, 1, 2, 2, 2])
    found = [
        Case("two pairs, as lists", ([[0], [2], [10], [12]], [0, 0, 1, 1])),
        Case(
            "three clusters", (line, three), why="of the other clusters the nearest on average counts, not all together"
        ),
        Case(
            "a row alone in its cluster",
            (line, np.array([0, 0, 1, 2, 2, 2, 2])),
            why="a row that is alone has no mean distance to its own cluster; its value is 0 by agreement, neither 1 nor NaN",
        ),
        Case(
            "a row in the wrong cluster",
            (line, np.array([0, 1, 1, 1, 2, 2, 0])),
            why="nearer to another cluster than to its own: negative",
        ),
        Case("labels that are no numbers from 0", (line, np.array([7, 7, -1, -1, 100, 100, 100]))),
        Case("names as labels", (line, ["a", "a", "b", "b", "c", "c", "c"])),
        Case(
            "a plane",
            (np.array([[0.0, 0.0], [3.0, 4.0], [10.0, 0.0], [10.0, 1.0]]), np.array([0, 0, 1, 1])),
            why="distances are Euclidean, not squared",
        ),
        Case(
            "equal rows in two clusters",
            (np.array([[1.0], [1.0], [1.0], [1.0], [5.0]]), np.array([0, 0, 1, 1, 2])),
            why="both distances are 0, and 0 / 0 is agreed to be 0",
        ),
        Case("unequal sizes", (line, np.array([0, 0, 0, 0, 0, 1, 1]))),
        Case("one cluster only", (line, np.zeros(7, dtype=int)), raises="ValueError"),
        Case("every row a cluster", (line, np.arange(7)), raises="ValueError"),
        Case("labels that do not fit", (line, three[:5]), raises="ValueError"),
    ]
    for n, k in ((20, 3), (40, 4)):
        labels = np.concatenate([np.arange(k), np.arange(k), rng.integers(0, k, n - 2 * k)])
        X = rng.normal(size=(k, 2))[labels] * 3 + rng.normal(size=(n, 2))
        found.append(Case(f"{n} payments in {k} clusters", (X + 500.0, labels)))
    return found


def row_by_row(X, labels):
    """Accepted: for each row the mean distance to every cluster, in a dictionary."""
    rows, names = [np.array(row, dtype=float) for row in X], list(np.asarray(labels).tolist())
    if len(rows) != len(names) or not 1 < len(set(names)) < len(rows):
        raise ValueError("labels")
    values = []
    for i, row in enumerate(rows):
        sums, counts = dict.fromkeys(names, 0.0), dict.fromkeys(names, 0)
        for j, other in enumerate(rows):
            if i != j:
                sums[names[j]] += float(np.linalg.norm(row - other))
                counts[names[j]] += 1
        if counts[names[i]] == 0:
            values.append(0.0)
            continue
        own = sums[names[i]] / counts[names[i]]
        nearest = min(sums[c] / counts[c] for c in sums if c != names[i])
        larger = max(own, nearest)
        values.append((nearest - own) / larger if larger else 0.0)
    return values


def one_cluster_after_the_other(X, labels):
    """Accepted: loops over clusters, blocks of the table, a running minimum for the other clusters."""
    X, labels = np.asarray(X, float), np.asarray(labels)
    n = len(X)
    if len(labels) != n:
        raise ValueError("lengths")
    clusters = [np.flatnonzero(labels == name) for name in np.unique(labels)]
    if len(clusters) == 1 or len(clusters) == n:
        raise ValueError("number of clusters")
    own, nearest = np.zeros(n), np.full(n, np.inf)
    for rows in clusters:
        block = np.linalg.norm(X[:, None, :] - X[rows][None, :, :], axis=-1).sum(axis=1)
        inside = np.isin(np.arange(n), rows)
        own[inside] = block[inside] / max(len(rows) - 1, 1)
        nearest[~inside] = np.minimum(nearest[~inside], block[~inside] / len(rows))
        if len(rows) == 1:
            own[inside] = np.inf
    with np.errstate(invalid="ignore"):
        ratio = np.where(own < nearest, 1 - own / nearest, nearest / own - 1)
    ratio[np.isinf(own)] = 0
    return np.nan_to_num(ratio, nan=0.0)


EXERCISE = Exercise(
    id="silhouette",
    title="Silhouette of a clustering",
    minutes=20,
    difficulty="medium",
    feeds="12",
    week="3-4",
    hints=(
        "For each row you need its mean distance to every cluster. How do you get all of them from the table of distances at once?",
        "The table times a 0/1 matrix (n, k) of membership sums distances by cluster. For the own cluster divide by one less: "
        "the row itself is no company.",
        "The others: divide by size, put inf in the place of the own cluster, take the minimum. Then (b − a) / max(a, b).",
    ),
    cases=cases,
    expect=by_scikit_learn,
    agree=close(1e-6, 1e-8),
    mutants=(
        Mutant(
            "itself-counted",
            "The row itself, at distance 0, was counted in its own cluster's mean, which makes every cluster look tighter.",
            swaps=(("np.maximum(size[own] - 1, 1)", "size[own]"),),
        ),
        Mutant(
            "alone-is-perfect",
            "A row alone in its cluster was given 1. With nobody to compare, the value is 0 by agreement.",
            swaps=(("(size[own] > 1) & (larger > 0)", "larger > 0"),),
        ),
        Mutant(
            "all-others-together",
            "The mean over all other rows was used. The nearest other cluster counts: that is where the row might belong.",
            swaps=(("others.min(axis=1)", "np.where(member, 0.0, sums).sum(axis=1) / (len(X) - size[own])"),),
        ),
        Mutant(
            "sign-reversed",
            "This is own minus other. A row near its own cluster and far from the others has a positive value.",
            swaps=(("(b - a)", "(a - b)"),),
        ),
        Mutant(
            "divided-by-the-other",
            "The difference is divided by the larger of the two, which keeps the value between −1 and 1.",
            swaps=(("larger = np.maximum(a, b)", "larger = b"),),
        ),
        Mutant(
            "squared-distances",
            "Distances were left squared.",
            swaps=(
                (
                    "np.sqrt(((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=2))",
                    "((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=2)",
                ),
            ),
        ),
        Mutant(
            "mean-of-all-rows",
            "One number was returned. The question asks for the value of every row, which shows which rows are badly placed.",
            swaps=(
                (
                    "return np.where((size[own] > 1) & (larger > 0), value, 0.0)",
                    "return float(np.where((size[own] > 1) & (larger > 0), value, 0.0).mean())",
                ),
            ),
        ),
    ),
    accepted=(row_by_row, one_cluster_after_the_other),
)
