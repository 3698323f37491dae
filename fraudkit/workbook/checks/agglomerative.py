"""Agglomerative clustering with three linkages, in the table that scipy gives."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_scipy(X, linkage):
    """The oracle: scipy.cluster.hierarchy.linkage, which uses other algorithms (minimum tree, neighbour chains)."""
    found = import_module("scipy.cluster.hierarchy").linkage(np.asarray(X, dtype=float), method=linkage)
    return np.asarray(found)


def cases(rng: np.random.Generator) -> list[Case]:
    """Points on a line first, where distances can be done in the head, then random rows."""
    line = np.array([[0.0], [1.0], [2.5], [4.4], [10.0], [10.7]])
    corner = np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0], [9.0, 9.0], [8.0, 9.5]])
    lopsided = np.array([[0.0], [0.1], [0.35], [4.0], [8.5]])
    found = [
        Case("three rows, as lists", ([[0], [1], [5]], "single")),
        Case("a line, single", (line, "single"), why="single linkage goes by the nearest pair: it follows the chain"),
        Case("a line, complete", (line, "complete"), why="complete linkage goes by the farthest pair"),
        Case("a line, average", (line, "average")),
        Case(
            "clusters of unequal size, average",
            (lopsided, "average"),
            why="the average is over all pairs of rows: a cluster of three weighs more than one of one",
        ),
        Case("clusters of unequal size, complete", (lopsided, "complete")),
        Case("a plane, average", (corner, "average"), why="distances are Euclidean, not squared"),
        Case(
            "rows in another order",
            (line[::-1].copy(), "complete"),
            why="numbers follow the rows; of the two numbers in a merge the smaller comes first",
        ),
        Case("two rows", (np.array([[1.0, 1.0], [4.0, 5.0]]), "average")),
        Case("one row", (np.array([[1.0, 1.0]]), "single"), raises="ValueError"),
        Case("a linkage that does not exist", (line, "median"), raises="ValueError"),
    ]
    for n, d, linkage in ((12, 2, "single"), (15, 3, "complete"), (15, 2, "average")):
        found.append(Case(f"{n} payments, {linkage}", (rng.normal(size=(n, d)) * 3, linkage)))
    return found


def members_and_all_pairs(X, linkage):
    """Accepted: each cluster is its list of rows; the distance of two is taken over all their pairs, every time."""
    over: dict[str, Callable] = {"single": min, "complete": max, "average": lambda found: sum(found) / len(found)}
    if linkage not in over or len(X) < 2:
        raise ValueError("linkage or rows")
    rows = [np.array(row, dtype=float) for row in X]
    apart = [[float(np.linalg.norm(a - b)) for b in rows] for a in rows]
    clusters = {i: [i] for i in range(len(rows))}
    table = []
    while len(clusters) > 1:
        names = list(clusters)
        distance, a, b = min(
            (over[linkage]([apart[i][j] for i in clusters[a] for j in clusters[b]]), a, b)
            for k, a in enumerate(names)
            for b in names[k + 1 :]
        )
        both = clusters.pop(a) + clusters.pop(b)
        clusters[len(rows) + len(table)] = both
        table.append([a, b, distance, len(both)])
    return table


def membership_matrix(X, linkage):
    """Accepted: a table of distances that only ever grows at its end; used clusters are masked out."""
    X = np.asarray(X, dtype=np.float64)
    n = X.shape[0]
    if n < 2:
        raise ValueError(n)
    if linkage not in {"single", "complete", "average"}:
        raise ValueError(linkage)
    table = np.full((2 * n - 1, 2 * n - 1), np.inf)
    for i in range(n):
        table[i, :i] = np.sqrt(((X[i] - X[:i]) ** 2).sum(axis=1))
    size = np.zeros(2 * n - 1)
    size[:n] = 1
    out = np.empty((n - 1, 4))
    for new in range(n, 2 * n - 1):
        high, low = divmod(int(np.argmin(table)), 2 * n - 1)
        size[new] = size[low] + size[high]
        out[new - n] = low, high, table[high, low], size[new]
        to_low, to_high = np.minimum(table[low], table[:, low]), np.minimum(table[high], table[:, high])
        if linkage == "single":
            joined = np.where(to_low < to_high, to_low, to_high)
        elif linkage == "complete":
            joined = np.where(to_low > to_high, to_low, to_high)
        else:
            joined = (size[low] * to_low + size[high] * to_high) / size[new]
        table[new, :new] = joined[:new]
        for gone in (low, high):
            table[gone, :], table[:, gone] = np.inf, np.inf
    return out


EXERCISE = Exercise(
    id="agglomerative",
    title="Hierarchical clustering",
    minutes=30,
    difficulty="medium",
    feeds="12",
    week="3-4",
    hints=(
        "Keep a table of distances between clusters. A merge needs its smallest entry, and then one new row of the table.",
        "The distance of the merged cluster to another follows from the two old ones: their smaller, their larger, or their "
        "mean weighted by size. No row of X is needed again.",
        "Write the merged cluster into the place of one of the two, fill the place of the other with inf, and keep a list of "
        "each place's number and size. The diagonal is inf too.",
    ),
    cases=cases,
    expect=by_scipy,
    agree=close(1e-7, 1e-9),
    mutants=(
        Mutant(
            "average-not-weighted",
            "Both parts counted a half, whatever their size. The average is over all pairs of rows, so weigh by size.",
            swaps=(("(size[i] * D[i] + size[j] * D[j]) / (size[i] + size[j])", "(D[i] + D[j]) / 2"),),
        ),
        Mutant(
            "single-and-complete-confused",
            "Single linkage takes the nearest pair, complete linkage the farthest; they were exchanged.",
            swaps=(
                (
                    '{"single": np.minimum(D[i], D[j]), "complete": np.maximum(D[i], D[j])',
                    '{"complete": np.minimum(D[i], D[j]), "single": np.maximum(D[i], D[j])',
                ),
            ),
        ),
        Mutant(
            "squared-distances",
            "Distances were left squared. That changes heights, and with average linkage also who is merged.",
            swaps=(
                (
                    "np.sqrt(((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=2))",
                    "((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=2)",
                ),
            ),
        ),
        Mutant(
            "always-single",
            "Whatever the linkage, the nearest pair was used.",
            swaps=(("}[linkage]", "}['single']"),),
        ),
        Mutant(
            "old-number-kept",
            "A merged cluster kept the number of one of its parts. The merge in row t makes cluster n + t.",
            swaps=(("number[i] = n + step", "number[i] = number[i]"),),
        ),
        Mutant(
            "size-always-two",
            "The last column is the number of rows in the merged cluster, not of the parts that were merged.",
            swaps=(("D[i, j], size[i] + size[j]))", "D[i, j], 2))"),),
        ),
        Mutant(
            "numbers-as-found",
            "The two numbers of a merge were not put in order; the smaller comes first.",
            swaps=(("*sorted((number[i], number[j]))", "number[i], number[j]"),),
        ),
        Mutant(
            "any-linkage-taken",
            "An unknown linkage must be refused with ValueError, not treated as some other.",
            swaps=(
                ('if linkage not in ("single", "complete", "average") or len(X) < 2:', "if len(X) < 2:"),
                ("}[linkage]", "}.get(linkage, np.minimum(D[i], D[j]))"),
            ),
        ),
    ),
    accepted=(members_and_all_pairs, membership_matrix),
)
