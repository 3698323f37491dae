"""DBSCAN: who is a core row, how clusters grow, and to which cluster a row at the border goes."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_scikit_learn(X, radius, min_points):
    """The oracle: sklearn.cluster.DBSCAN, which numbers clusters and settles borders as the question does.

    It is handed the distances: on rows it starts threads, which cost more than these few rows do.
    """
    X = np.asarray(X, dtype=float)
    apart = np.sqrt(((X[:, None] - X[None]) ** 2).sum(axis=2))
    model = import_module("sklearn.cluster").DBSCAN(eps=radius, min_samples=min_points, metric="precomputed")
    return model.fit(apart).labels_


def cases(rng: np.random.Generator) -> list[Case]:
    """Points on a line for each rule, then random groups with noise."""
    line = np.array([[0.0], [1.0], [2.0], [3.0], [10.0], [11.0], [12.0], [30.0]])
    shared = np.array([[0.0], [0.5], [1.0], [2.0], [3.0], [3.5], [4.0]])
    found = [
        Case("two groups and a stray, as lists", ([[1], [2], [3], [20], [21], [22], [50]], 1.5, 3)),
        Case(
            "a chain",
            (line, 1.0, 3),
            why="a core row's neighbours that are core rows go on: a cluster is as long as its chain of core rows",
        ),
        Case(
            "exactly at the radius",
            (np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0], [9.0, 12.0]]), 5.0, 3),
            why="a row at the distance of the radius is a neighbour",
        ),
        Case(
            "the row itself counts",
            (np.array([[0.0], [1.0], [5.0]]), 1.5, 2),
            why="a row is its own neighbour: with one other it has two",
        ),
        Case(
            "a border between two clusters",
            (shared, 1.0, 4),
            why="a border row reached from two clusters goes to the one of the smaller number, and does not join them",
        ),
        Case(
            "a border that comes first",
            (np.array([[0.0], [1.0], [1.5], [2.0]]), 1.0, 4),
            why="the first row is no core row, but it is near one: it is not noise for having been looked at early",
        ),
        Case(
            "numbers follow the first core row",
            (np.array([[50.0], [51.0], [0.0], [51.5], [0.5], [1.0], [50.5]]), 1.0, 3),
            why="clusters are numbered in the order of their first core row",
        ),
        Case("all noise", (np.array([[0.0], [10.0], [20.0]]), 1.0, 2)),
        Case("every row is core", (np.array([[0.0], [10.0], [0.5]]), 1.0, 1)),
        Case("equal rows", (np.array([[1.0, 1.0]] * 3 + [[4.0, 4.0]]), 0.5, 3)),
        Case("a radius of zero", (line, 0.0, 2), raises="ValueError"),
        Case("no points needed", (line, 1.0, 0), raises="ValueError"),
    ]
    for n, radius, need in ((40, 0.6, 4), (60, 0.5, 5), (50, 0.8, 6)):
        home = rng.normal(size=(3, 2)) * 3
        X = np.where(
            rng.random((n, 1)) < 0.8,
            home[rng.integers(0, 3, n)] + 0.5 * rng.normal(size=(n, 2)),
            rng.normal(size=(n, 2)) * 4,
        )
        found.append(Case(f"{n} payments, radius {radius}", (X, radius, need)))
    return found


def components_of_core_rows(X, radius, min_points):
    """Accepted: smallest core row within reach, spread until nothing changes; borders take the smallest label."""
    if radius <= 0 or min_points < 1:
        raise ValueError("radius and min_points must be positive")
    X = np.array(X, dtype=np.float64)
    gaps = sum((column[:, None] - column[None, :]) ** 2 for column in X.T)
    near = np.sqrt(gaps) <= radius
    core = near.sum(axis=0) >= min_points
    n = len(X)
    root = np.where(core, np.arange(n), n)
    linked = near & core[None, :]
    while True:
        spread = np.where(core, np.where(linked, root[None, :], n).min(axis=1), n)
        if (spread == root).all():
            break
        root = spread
    reach = np.where(linked, root[None, :], n).min(axis=1)
    heads = sorted(set(root[core].tolist()))
    return [heads.index(r) if r < n else -1 for r in reach.tolist()]


def union_find(X, radius, min_points):
    """Accepted: core rows within reach are united; then each row asks which cluster reaches it."""
    if not (radius > 0 and min_points > 0):
        raise ValueError
    rows = [tuple(float(v) for v in row) for row in X]
    reach = [
        [j for j, b in enumerate(rows) if sum((p - q) ** 2 for p, q in zip(a, b, strict=True)) ** 0.5 <= radius]
        for a in rows
    ]
    core = {i for i, found in enumerate(reach) if len(found) >= min_points}
    parent = {i: i for i in core}

    def head(i):
        while parent[i] != i:
            i = parent[i]
        return i

    for i in core:
        for j in reach[i]:
            if j in core:
                one, other = head(i), head(j)
                parent[max(one, other)] = min(one, other)
    number = {i: rank for rank, i in enumerate(sorted(i for i in core if parent[i] == i))}
    labels = []
    for i in range(len(rows)):
        if i in core:
            labels.append(number[head(i)])
        else:
            labels.append(min((number[head(j)] for j in reach[i] if j in core), default=-1))
    return labels


EXERCISE = Exercise(
    id="dbscan",
    title="Density clusters: DBSCAN",
    minutes=25,
    difficulty="medium",
    feeds="12",
    week="3-4",
    hints=(
        "First decide for each row, once and for all, whether it is a core row. Only then think of clusters.",
        "A cluster starts at a core row without a number and spreads over neighbours; who may spread it further?",
        "Keep a stack. Popping a core row gives its number to all neighbours that have none yet and pushes them; popping "
        "another row does nothing. Rows that never get a number are noise.",
    ),
    cases=cases,
    expect=by_scikit_learn,
    agree=exact,
    mutants=(
        Mutant(
            "itself-not-counted",
            "A row was not counted among its own neighbours, so that one more was needed than the question says.",
            swaps=(("near.sum(axis=1) >= min_points", "near.sum(axis=1) - 1 >= min_points"),),
        ),
        Mutant(
            "radius-not-included",
            "A row exactly at the radius is a neighbour: ≤, not <.",
            swaps=(("axis=2)) <= radius", "axis=2)) < radius"),),
        ),
        Mutant(
            "border-rows-spread",
            "Rows at the border handed the cluster on. Only core rows do; otherwise two clusters are joined through a thin row.",
            swaps=(("            if not core[row]:\n                continue\n", ""),),
        ),
        Mutant(
            "border-is-noise",
            "Rows that are near a core row without being one belong to its cluster; only the others are noise.",
            swaps=(("near[row] & (labels < 0)", "near[row] & core & (labels < 0)"),),
        ),
        Mutant(
            "one-step-only",
            "A cluster was its first core row and that row's neighbours. Core rows among these go on spreading it.",
            swaps=(("                stack.append(other)\n", ""),),
        ),
        Mutant(
            "border-to-the-last",
            "A border row that two clusters reach was given to the later one. The first keeps it.",
            swaps=(("near[row] & (labels < 0)", "near[row] & ((labels < 0) | (~core & (labels != cluster)))"),),
        ),
        Mutant(
            "squared-against-radius",
            "Squared distances were compared with the radius itself.",
            swaps=(
                (
                    "np.sqrt(((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=2))",
                    "((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=2)",
                ),
            ),
        ),
        Mutant(
            "starts-at-any-row",
            "A cluster was begun at any row without a number. Only a core row begins one; lonely rows are noise.",
            swaps=(("for start in np.flatnonzero(core):", "for start in range(len(X)):"),),
        ),
    ),
    accepted=(components_of_core_rows, union_find),
)
