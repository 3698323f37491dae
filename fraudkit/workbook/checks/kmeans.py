"""k-means with k-means++ seeding from given draws: emptied clusters, integer rows, and when it stops."""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_loops(X, k, uniforms, max_iter=100):
    """The oracle: one row and one centre at a time."""
    centres, labels, _ = _lloyd([[float(value) for value in row] for row in X], k, list(uniforms), max_iter)
    return np.array(centres), np.array(labels)


def _lloyd(rows: list[list[float]], k: int, uniforms: list[float], max_iter: int) -> tuple[Any, list[int], float]:
    """Centres, labels, and by how much the nearest decision was won, relative to the distances."""
    centres, margin = [rows[int(uniforms[0] * len(rows))]], 1.0
    for u in uniforms[1:k]:
        totals = list(accumulate(min(_squared(row, centre) for centre in centres) for row in rows))
        chosen = next(i for i, total in enumerate(totals) if total > u * totals[-1])
        margin = min(margin, *(abs(total / totals[-1] - u) for total in totals if 0 < total < totals[-1]), 1.0)
        centres.append(rows[chosen])
    labels, gaps, won = _nearest(rows, centres)
    margin = min(margin, won)
    for _ in range(max_iter):
        order = sorted(range(len(rows)), key=lambda i: (-gaps[i], i))
        moved = []
        for j in range(k):
            own = [row for row, label in zip(rows, labels, strict=True) if label == j]
            if own:
                moved.append([math.fsum(column) / len(own) for column in zip(*own, strict=True)])
            else:
                moved.append(rows[order.pop(0)])
        centres, before = moved, labels
        labels, gaps, won = _nearest(rows, centres)
        margin = min(margin, won)
        if labels == before:
            break
    return centres, labels, margin


def _squared(one: list[float], other: list[float]) -> float:
    return math.fsum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _nearest(rows: list[list[float]], centres: Any) -> tuple[list[int], list[float], float]:
    labels, gaps, margin = [], [], 1.0
    for row in rows:
        distances = sorted((_squared(row, centre), j) for j, centre in enumerate(centres))
        labels.append(distances[0][1])
        gaps.append(distances[0][0])
        if len(distances) > 1:
            margin = min(margin, (distances[1][0] - distances[0][0]) / (distances[1][0] or 1.0))
    return labels, gaps, margin


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same clusters in whatever order."""
    if not isinstance(got, tuple | list) or len(got) != 2:
        return "the answer should be a tuple of two: the centres and the labels"
    centres, labels = (np.asarray(part) for part in expected)
    try:
        mine, own = np.asarray(got[0], dtype=float), np.asarray(got[1], dtype=float)
    except (ValueError, TypeError):
        return "the answer should hold two arrays of numbers: the centres and the labels"
    if mine.shape != centres.shape:
        return f"the centres have shape {mine.shape}, expected {centres.shape}"
    if own.shape != labels.shape:
        return f"the labels have shape {own.shape}, expected {labels.shape}"
    if np.isnan(mine).any():
        return "a centre is NaN: the mean of no rows"
    gaps = ((mine[None, :, :] - centres[:, None, :]) ** 2).sum(axis=2)
    place = gaps.argmin(axis=1)  # of each right centre among the learner's
    if reason := difference(mine[place], centres, 1e-6, 1e-7):
        return f"centres, in the order of ours: {reason}"
    if len(set(place.tolist())) < len(place):
        return "two centres are the same"
    wrong = int((own != place[labels]).sum())
    return f"the centres are right, but {wrong} of {len(labels)} rows carry another cluster's label" if wrong else ""


# Found by search: on the way one of the three clusters loses all its rows.
LOSES = np.array([[2, 5], [3, 1], [0, 1], [10, 1], [9, 12], [10, 9], [11, 12]])
LOSES_DRAWS = np.array([0.41, 0.05, 0.01])


def _clear(rng: np.random.Generator, n: int, d: int, k: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows in groups and draws for which no decision is narrow, so that the last digit decides nothing."""
    margin = 0.0
    while margin < 1e-6:
        home = rng.normal(size=(k, d)) * 4
        X = home[rng.integers(0, k, n)] + spread * rng.normal(size=(n, d))
        uniforms = rng.random(k)
        margin = _lloyd(X.tolist(), k, uniforms.tolist(), 100)[2]
    return X, uniforms


def cases(rng: np.random.Generator) -> list[Case]:
    """The seeding, the iterations, an emptied cluster, then random groups."""
    line = np.array([[0.0], [1.0], [5.0], [7.0], [20.0]])
    whole = np.array([[0, 0], [1, 0], [0, 1], [10, 10], [11, 10], [10, 12]])
    chain = np.array([[0.0], [1.0], [2.1], [3.3], [4.6], [6.0], [7.5], [9.1], [10.8], [30.0]])
    found = [
        Case("two groups on a line, as lists", ([[1], [2], [9], [10]], 2, [0.0, 0.5])),
        Case(
            "the seeds alone",
            (line, 2, np.array([0.1, 0.15])),
            {"max_iter": 0},
            why="weights are squared distances: 0, 1, 25, 49, 400; 0.15 of their sum, 71, is passed at the fourth row",
        ),
        Case(
            "three seeds",
            (line, 3, np.array([0.99, 0.9, 0.5])),
            {"max_iter": 0},
            why="the third seed is far from both seeds so far, not from the last one only",
        ),
        Case(
            "a draw of zero",
            (line, 3, np.array([0.0, 0.0, 0.0])),
            {"max_iter": 0},
            why="rows that are centres already have weight 0 and are never drawn again",
        ),
        Case(
            "whole numbers",
            (whole, 2, np.array([0.0, 0.9])),
            why="the mean of integers is a fraction; an integer array cuts it off",
        ),
        Case(
            "as many clusters as rows", (line, 5, np.array([0.3, 0.9, 0.1, 0.5, 0.7])), why="each row is its own centre"
        ),
        Case("a single cluster", (whole, 1, np.array([0.4]))),
        Case(
            "a long chain",
            (chain, 2, np.array([0.0, 0.02])),
            why="rows change sides for several iterations: go on until none does",
        ),
        Case(
            "two iterations and no more",
            (chain, 2, np.array([0.0, 0.02])),
            {"max_iter": 2},
            why="stopped early, the labels still belong to the centres that are returned",
        ),
        Case(
            "a cluster that loses all its rows",
            (LOSES, len(LOSES_DRAWS), LOSES_DRAWS),
            why="the mean of no rows is NaN; the stated rule gives the cluster the row farthest from its centre",
        ),
        Case(
            "more clusters than distinct rows",
            (np.array([[1.0], [1.0], [2.0]]), 3, np.array([0.1, 0.5, 0.5])),
            raises="ValueError",
            why="equal rows cannot be the centres of different clusters",
        ),
        Case("no clusters", (line, 0, np.array([])), raises="ValueError"),
    ]
    X, uniforms = _clear(rng, 40, 2, 3, 2.0)
    found.append(Case("40 payments, 3 clusters", (X, 3, uniforms)))
    X, uniforms = _clear(rng, 60, 3, 4, 3.0)
    found.append(Case("60 payments far from zero", (X + 1000.0, 4, uniforms)))
    return found


def sums_by_label(X, k, uniforms, max_iter=100):
    """Accepted: expanded distances, sums gathered with np.add.at."""
    X = np.array(X, dtype=np.float64)
    if k < 1 or len({tuple(row) for row in X.tolist()}) < k:
        raise ValueError(f"{k} clusters cannot be made of {len(X)} rows")
    shift = X.mean(axis=0)
    X = X - shift

    def apart(centres):
        return np.maximum((X**2).sum(1)[:, None] - 2 * X @ centres.T + (centres**2).sum(1)[None, :], 0)

    centres = X[[int(uniforms[0] * len(X))]]
    nearest = ((X - centres[0]) ** 2).sum(1)
    for u in uniforms[1:]:
        running = nearest.cumsum()
        row = np.argmax(running > u * running[-1])
        centres = np.vstack([centres, X[row]])
        nearest = np.minimum(nearest, ((X - X[row]) ** 2).sum(1))
    gaps = apart(centres)
    labels = gaps.argmin(1)
    for _ in range(max_iter):
        counts, sums = np.bincount(labels, minlength=k), np.zeros((k, X.shape[1]))
        np.add.at(sums, labels, X)
        far = list(np.lexsort((np.arange(len(X)), -gaps.min(1))))
        centres = sums / np.maximum(counts, 1)[:, None]
        for empty in np.flatnonzero(counts == 0):
            centres[empty] = X[far.pop(0)]
        gaps = apart(centres)
        old, labels = labels, gaps.argmin(1)
        if not (old != labels).any():
            break
    return centres + shift, labels


def clusters_reversed(X, k, uniforms, max_iter=100):
    """Accepted: plain loops over the rows, clusters returned in the opposite order."""
    rows = [tuple(map(float, row)) for row in X]
    if k < 1 or k > len(set(rows)):
        raise ValueError("k must lie between 1 and the number of distinct rows")

    def gap(row, centre):
        return sum((a - b) ** 2 for a, b in zip(row, centre, strict=True))

    def nearest(row, centres):
        gaps = [gap(row, centre) for centre in centres]
        return gaps.index(min(gaps))

    centres = [rows[int(len(rows) * uniforms[0])]]
    for u in uniforms[1:]:
        weights = [min(gap(row, centre) for centre in centres) for row in rows]
        target, running = u * sum(weights), 0.0
        for row, weight in zip(rows, weights, strict=True):
            running += weight
            if running > target:
                centres.append(row)
                break
    labels = [nearest(row, centres) for row in rows]
    for _ in range(max_iter):
        distance = [gap(row, centres[label]) for row, label in zip(rows, labels, strict=True)]
        far = sorted(range(len(rows)), key=lambda i: -distance[i])
        groups = [[row for row, label in zip(rows, labels, strict=True) if label == j] for j in range(k)]
        centres = [
            tuple(sum(column) / len(group) for column in zip(*group, strict=True)) if group else rows[far.pop(0)]
            for group in groups
        ]
        new = [nearest(row, centres) for row in rows]
        if new == labels:
            break
        labels = new
    return [list(centre) for centre in centres[::-1]], [k - 1 - label for label in labels]


EXERCISE = Exercise(
    id="kmeans",
    title="k-means with k-means++ seeding",
    minutes=35,
    difficulty="hard",
    feeds="12",
    week="3-4",
    hints=(
        "Write three parts: distances of all rows to all centres, the seeding, the loop. Each is a few lines.",
        "A draw u with weights w picks the first row where the running total of w exceeds u times the sum: "
        "`np.cumsum` and `np.searchsorted(..., side='right')`.",
        "Keep the distances of the last assignment: they say which row is farthest when a cluster has emptied.",
        "Compare new labels with old ones to know when to stop; the labels returned belong to the last centres.",
    ),
    cases=cases,
    expect=by_loops,
    agree=agree,
    mutants=(
        Mutant(
            "centres-cut-to-integers",
            "Rows of integers made the centres integers too, and their means were cut off. Convert X to float first.",
            swaps=(
                ("X = np.asarray(X, dtype=float)\n    distinct", "X = np.asarray(X)\n    distinct"),
                ("for rows in members])", "for rows in members]).astype(X.dtype)"),
            ),
        ),
        Mutant(
            "one-iteration",
            "The loop ends after its first iteration. Go on until no row changes its cluster.",
            swaps=(("if np.array_equal(labels, previous):", "if len(previous):"),),
        ),
        Mutant(
            "emptied-is-nan",
            "A cluster lost all its rows, and the mean of no rows is NaN. Give it the row farthest from its centre.",
            swaps=(
                ("rows.mean(axis=0) if len(rows) else X[next(farthest)]", "rows.sum(axis=0) / np.float64(len(rows))"),
            ),
        ),
        Mutant(
            "emptied-stays",
            "An emptied cluster kept its old centre, where it may stay empty for ever. "
            "The rule of the question moves it to the row farthest from its centre.",
            swaps=(
                (
                    "rows.mean(axis=0) if len(rows) else X[next(farthest)] for rows in members",
                    "members[j].mean(axis=0) if len(members[j]) else centres[j] for j in range(k)",
                ),
            ),
        ),
        Mutant(
            "weights-not-squared",
            "The seeding weighs rows by their distance; k-means++ weighs them by the squared distance.",
            swaps=(("X[chosen]).min(axis=1)", "X[chosen]).min(axis=1) ** 0.5"),),
        ),
        Mutant(
            "last-seed-only",
            "The weight of a row is its distance to the nearest of all seeds so far, not to the last seed alone.",
            swaps=(("X[chosen]).min(axis=1)", "X[chosen[-1:]]).min(axis=1)"),),
        ),
        Mutant(
            "seeds-drawn-uniformly",
            "All seeds were drawn with equal chances, so the same row can be drawn twice and far groups are missed. "
            "After the first seed, the chance of a row grows with its squared distance to the seeds.",
            swaps=(
                (
                    'int(np.searchsorted(total, uniforms[len(chosen)] * total[-1], side="right"))',
                    "int(uniforms[len(chosen)] * len(total))",
                ),
            ),
        ),
        Mutant(
            "seed-drawn-again",
            "A row that is a seed already has weight 0 and must not be drawn again: the running total has to exceed "
            "the target, reaching it is not enough.",
            swaps=(('side="right"', 'side="left"'),),
        ),
        Mutant(
            "labels-of-old-centres",
            "Stopped by max_iter, the labels returned were those of the centres before the last move.",
            swaps=(("return centres, labels", "return centres, previous if max_iter else labels"),),
        ),
    ),
    accepted=(sums_by_label, clusters_reversed),
)
