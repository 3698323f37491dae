"""Nearest neighbours: columns scaled by the training rows, constant columns left out, equal distances in row order."""

from __future__ import annotations

import heapq
import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def one_query_at_a_time(X_train, y_train, X, k):
    """The oracle: plain loops; a heap of (distance, row) keeps the k smallest pairs."""
    columns = list(zip(*np.asarray(X_train, dtype=float).tolist(), strict=True))
    spread = []
    for column in columns:
        mean = math.fsum(column) / len(column)
        spread.append(0.0 if min(column) == max(column) else math.fsum((v - mean) ** 2 for v in column) ** 0.5)
    known = list(zip(*columns, strict=True))
    shares = []
    for row in np.asarray(X, dtype=float).tolist():
        pairs = []
        for i, other in enumerate(known):
            parts = (((a - b) / s) ** 2 for a, b, s in zip(row, other, spread, strict=True) if s)
            pairs.append((math.fsum(parts), i))
        shares.append(sum(int(y_train[i]) for _, i in heapq.nsmallest(k, pairs)) / k)
    return np.array(shares)


def cases(rng: np.random.Generator) -> list[Case]:
    """Each hard point small, then random rows."""
    amounts = np.array([[10.0, 1.0], [12.0, 9.0], [900.0, 1.5], [850.0, 8.0], [400.0, 2.0], [30.0, 8.5]])
    y = np.array([0, 1, 0, 1, 0, 1])
    twins = np.array([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [4.0, 3.0], [7.0, 9.0]])
    found = [
        Case("one column, as lists", ([[1], [2], [10], [11]], [0, 0, 1, 1], [[3], [9]], 3)),
        Case(
            "an amount beside a count",
            (amounts, y, np.array([[880.0, 1.2], [15.0, 8.7], [500.0, 8.0]]), 1),
            why="unscaled, hundreds of dollars drown a count below ten: each column is divided by its training spread",
        ),
        Case(
            "a single query",
            (amounts, y, np.array([[700.0, 7.0]]), 2),
            why="the spread is that of the training rows; a single query has none",
        ),
        Case(
            "queries from a narrow range",
            (amounts, y, np.array([[400.0, 1.0], [401.0, 9.0], [402.0, 5.0]]), 2),
            why="scaling by the queries' own spread changes what near means with every batch",
        ),
        Case(
            "a constant column",
            (np.column_stack([amounts, np.full(6, 2.0)]), y, np.array([[880.0, 1.2, 2.0], [15.0, 8.7, 50.0]]), 3),
            why="a spread of 0 cannot be divided by; the column tells no training row from another and is left out",
        ),
        Case(
            "rows that are equal but for the label",
            (twins, np.array([1, 0, 0, 1, 0]), np.array([[1.0, 2.0], [0.0, 2.0]]), 1),
            why="of rows at the same distance the one that comes first counts",
        ),
        Case("two of three equal rows", (twins, np.array([1, 0, 0, 1, 0]), np.array([[2.0, 2.0]]), 2)),
        Case("all rows are neighbours", (amounts, y, np.array([[0.0, 0.0]]), 6)),
        Case(
            "whole numbers and boolean labels", (np.array([[1, 9], [2, 7], [8, 1]]), y[:3] == 1, np.array([[3, 3]]), 2)
        ),
        Case("no neighbours", (amounts, y, amounts, 0), raises="ValueError"),
        Case("more neighbours than rows", (amounts, y, amounts, 7), raises="ValueError"),
    ]
    for n, m, d, k in ((30, 6, 3, 5), (80, 10, 4, 7)):
        labels = (rng.random(n) < 0.4).astype(int)
        scale = 10.0 ** rng.integers(-1, 4, d)
        rows = (rng.normal(size=(n, d)) + labels[:, None]) * scale + 5
        found.append(Case(f"{n} payments, {k} neighbours", (rows, labels, rng.normal(size=(m, d)) * scale + 5, k)))
    return found


def sorted_pairs(X_train, y_train, X, k):
    """Accepted: one query after the other, rows sorted by distance with a stable sort."""
    if k < 1 or k > len(y_train):
        raise ValueError(f"k={k}")
    rows = np.array(X_train, dtype=np.float64)
    variance = rows.var(0)
    weight = np.zeros_like(variance)
    weight[variance > 0] = 1 / variance[variance > 0]
    answer = []
    for query in np.array(X, dtype=np.float64):
        gaps = np.sum((rows - query) ** 2 * weight, axis=1)
        order = sorted(range(len(rows)), key=gaps.__getitem__)
        answer.append(float(np.mean([y_train[i] for i in order[:k]])))
    return answer


def votes_by_rank(X_train, y_train, X, k):
    """Accepted: column after column, so that no (m, n, d) table is made; the k-th place is found by lexsort."""
    known, asked = np.asarray(X_train, float).T, np.asarray(X, float).T
    n = known.shape[1]
    if not 0 < k <= n:
        raise ValueError("k must lie between 1 and the number of training rows")
    total = np.zeros((asked.shape[1], n))
    for column, new in zip(known, asked, strict=True):
        if np.ptp(column):
            total += np.subtract.outer(new, column) ** 2 / np.var(column)
    labels = np.asarray(y_train).astype(float)
    places = np.arange(n)
    return np.array([labels[np.lexsort((places, gaps))[:k]].sum() / k for gaps in total])


EXERCISE = Exercise(
    id="nearest_neighbours",
    title="k nearest neighbours on scaled columns",
    minutes=15,
    difficulty="easy",
    feeds="07",
    week="3-4",
    hints=(
        "What decides who is near? Before any distance, bring the columns to one scale; whose scale may you use?",
        "Divide by the standard deviation of the training column. Shifting is not needed: differences do not see it.",
        "`((new[:, None, :] - train[None, :, :]) ** 2).sum(axis=2)` is the (m, n) table; a stable argsort keeps row order in ties.",
    ),
    cases=cases,
    expect=one_query_at_a_time,
    agree=close(),
    mutants=(
        Mutant(
            "columns-not-scaled",
            "Distances were taken in dollars and counts as they are, so the column with the largest unit decides alone.",
            swaps=(
                ("X_train[:, used] / spread[used]", "X_train[:, used]"),
                ("X[:, used] / spread[used]", "X[:, used]"),
            ),
        ),
        Mutant(
            "scaled-by-the-queries",
            "Columns were scaled by the rows that are asked about. What was learnt must not depend on who is asked together.",
            swaps=(("spread = X_train.std(axis=0)", "spread = X.std(axis=0)"),),
        ),
        Mutant(
            "divided-by-zero",
            "A constant column has spread 0, and 0 / 0 is NaN: it swallows every distance. Leave such a column out.",
            swaps=(("used = spread > 0", "used = spread >= 0\n    np.seterr(all='ignore')"),),
        ),
        Mutant(
            "ties-from-the-end",
            "Of rows at the same distance the later ones were taken. Sort with `kind='stable'`, which keeps the row order.",
            swaps=(
                (
                    'nearest = np.argsort(distances, axis=1, kind="stable")[:, :k]',
                    'nearest = len(X_train) - 1 - np.argsort(distances[:, ::-1], axis=1, kind="stable")[:, :k]',
                ),
            ),
        ),
        Mutant(
            "majority-instead-of-share",
            "A vote of 0 or 1 was returned. The share is asked for: a score that can be ranked and cut anywhere.",
            swaps=(("y_train[nearest].mean(axis=1)", "(y_train[nearest].mean(axis=1) > 0.5).astype(float)"),),
        ),
        Mutant(
            "nearest-left-out",
            "The nearest row was skipped, as one does when a row is compared with its own table. These queries are new rows.",
            swaps=(("[:, :k]", "[:, 1 : k + 1]"),),
        ),
        Mutant(
            "city-block",
            "Absolute differences were summed. The Euclidean distance sums their squares.",
            swaps=(("A[None, :, :]) ** 2).sum(axis=2)", "A[None, :, :]).__abs__()).sum(axis=2)"),),
        ),
    ),
    accepted=(sorted_pairs, votes_by_rank),
)
