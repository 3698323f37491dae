"""PCA by covariance or by products of rows, whichever is smaller: linear in d for wide tables."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant


def by_svd(X, k):
    """The oracle: the singular values of the centred rows, which need neither matrix."""
    X = np.asarray(X, dtype=float)
    _, singular, rows = np.linalg.svd(X - X.mean(axis=0), full_matrices=False)
    return singular[:k] ** 2 / (len(X) - 1), rows[:k]


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same variances and directions, but for their signs."""
    if not isinstance(got, tuple | list) or len(got) != 2:
        return "the answer should be a tuple of two: variances and directions"
    if reason := difference(got[0], expected[0], 1e-7, 1e-9):
        return f"variances: {reason}"
    mine, right = np.asarray(got[1], dtype=float), np.asarray(expected[1])
    if mine.shape != right.shape:
        return f"the directions have shape {mine.shape}, expected {right.shape}"
    sign = np.where((mine * right).sum(axis=1, keepdims=True) < 0, -1.0, 1.0)
    return f"directions, up to signs: {reason}" if (reason := difference(mine * sign, right, 1e-5, 1e-6)) else ""


def _table(rng: np.random.Generator, n: int, d: int, k: int) -> np.ndarray:
    """Rows whose first k variances lie well apart, so that directions are certain."""
    left = np.linalg.qr(rng.normal(size=(n, k)))[0] - 0.0
    right = np.linalg.qr(rng.normal(size=(d, k)))[0]
    return left @ np.diag(3.0 ** np.arange(k, 0, -1)) @ right.T * 4 + 0.01 * rng.normal(size=(n, d)) + 5.0


def cases(rng: np.random.Generator) -> list[Case]:
    """On a line, tall, wide, one component too many, then random tables."""
    found = [
        Case("on the diagonal", ([[0, 0], [2, 2], [4, 4]], 1)),
        Case(
            "four columns, three rows",
            (np.array([[1, 0, 0, 0], [0, 3, 0, 0], [0, 0, 0, 0]]), 2),
            why="an eigenvector of the rows' products has n entries; a direction has d",
        ),
        Case(
            "far from zero",
            (np.array([[100.0, 1.0], [101.0, 3.0], [102.0, 2.0], [103.0, 6.0]]), 2),
            why="without centring, the first direction is the way to the mean",
        ),
        Case(
            "wide and far from zero",
            (np.array([[9.0, 1.0, 5.0, 2.0], [8.0, 4.0, 5.0, 0.0], [9.0, 2.0, 7.0, 1.0]]), 2),
            why="columns are centred in the wide case too, not rows",
        ),
        Case("as many columns as rows", (np.array([[1.0, 0.0, 2.0], [4.0, 1.0, 0.0], [0.0, 3.0, 1.0]]), 2)),
        Case(
            "as many components as rows",
            (np.array([[1.0, 0.0, 0.0, 5.0], [0.0, 3.0, 0.0, 1.0], [0.0, 1.0, 2.0, 0.0]]), 3),
            raises="ValueError",
            why="centring costs one rank: three rows have two directions at most",
        ),
        Case("no component", (np.ones((3, 2)), 0), raises="ValueError"),
        Case("more components than columns", (np.arange(8.0).reshape(4, 2), 3), raises="ValueError"),
    ]
    found.append(Case("30 rows, 4 columns", (_table(rng, 30, 4, 3), 3)))
    found.append(Case("6 rows, 40 columns", (_table(rng, 6, 40, 3), 3)))
    return found


def wide(rng: np.random.Generator, n: int) -> Case:
    """Twelve rows of n columns."""
    return Case(f"12 rows, {n} columns", (_table(rng, 12, n, 2), 2))


def mapped_by_roots(X, k):
    """Accepted: one decomposition; wide tables are mapped back by the roots of the eigenvalues."""
    C = np.array(X, dtype=np.float64)
    C = C - C.mean(0)
    if k < 1 or k > len(C) - 1 or k > C.shape[1]:
        raise ValueError(f"there are not {k} components")
    turned = C.shape[1] > C.shape[0]
    small = C.T if turned else C
    eigenvalues, E = np.linalg.eigh(small.T.dot(small) / (len(C) - 1))
    top = np.argsort(eigenvalues)[::-1][:k]
    if turned:
        return eigenvalues[top], (C.T.dot(E[:, top]) / np.sqrt(eigenvalues[top] * (len(C) - 1))).T
    return eigenvalues[top], E[:, top].T


def orthogonalised_first(X, k):
    """Accepted: a QR of the longer side leaves a small square matrix to decompose."""
    X = np.asarray(X, dtype=float)
    rows, columns = X.shape
    if k not in range(1, min(rows - 1, columns) + 1):
        raise ValueError("k")
    C = X - np.ones((rows, 1)) @ X.mean(axis=0)[None, :]
    Q, R = np.linalg.qr(C.T)
    spread, axes = np.linalg.eigh(R @ R.T)
    order = spread.argsort()[: -k - 1 : -1]
    return [spread[order] / (rows - 1), (Q @ axes[:, order]).T]


EXERCISE = Exercise(
    id="pca_smaller_matrix",
    title="Principal components by the smaller matrix",
    minutes=25,
    difficulty="medium",
    feeds="12",
    week="1-2",
    hints=(
        "C'C is (d, d) and CC' is (n, n). Which eigenvalues do they share?",
        "Multiply CC'u = λu by C' from the left: which vector is an eigenvector of C'C?",
        "C'u has the length √λ. Normalise it. `eigh` gives rising order; variances are λ / (n - 1).",
    ),
    cases=cases,
    expect=by_svd,
    agree=agree,
    mutants=(
        Mutant(
            "not-centred",
            "The columns were not centred, so the first direction points from zero to the mean.",
            swaps=(("X - X.mean(axis=0)", "X"),),
        ),
        Mutant(
            "rows-centred",
            "Each row was centred by its own mean. Variance is about the columns' means.",
            swaps=(("X - X.mean(axis=0)", "X - X.mean(axis=1, keepdims=True)"),),
        ),
        Mutant(
            "smallest-first",
            "eigh gives rising order, so these are the components of least variance.",
            swaps=(
                ("directions = vectors.T[::-1][:k]\n", "directions = vectors.T[:k]\n"),
                ("directions = vectors.T[::-1][:k] @ centred", "directions = vectors.T[:k] @ centred"),
                ("values[::-1][:k] /", "values[:k] /"),
            ),
        ),
        Mutant(
            "divisor-n",
            "The variances were divided by n; the question asks for n - 1.",
            swaps=(("/ (n - 1), directions", "/ n, directions"),),
        ),
        Mutant(
            "not-normalised",
            "C'u has the length of the root of its eigenvalue. A direction has length 1.",
            swaps=(("        directions /= np.linalg.norm(directions, axis=1, keepdims=True)\n", ""),),
        ),
        Mutant(
            "not-mapped-back",
            "The eigenvectors of CC' have one entry for each row; they were returned as directions.",
            swaps=(("directions = vectors.T[::-1][:k] @ centred", "directions = vectors.T[::-1][:k]"),),
        ),
        Mutant(
            "columns-for-rows",
            "eigh gives eigenvectors as columns; its rows were taken.",
            swaps=(("directions = vectors.T[::-1][:k]\n", "directions = vectors[::-1][:k]\n"),),
        ),
        Mutant(
            "n-components-taken",
            "Centred rows have at most n - 1 directions; the n-th has no variance and its direction is noise.",
            swaps=(("if not 1 <= k <= min(n - 1, d):", "if not 1 <= k <= min(n, d):"),),
        ),
        Mutant(
            "covariance-always",
            "The values are right, but the (d, d) covariance was decomposed even where d is far above n.",
            swaps=(("if d <= n:", "if d:"),),
        ),
    ),
    accepted=(mapped_by_roots, orthogonalised_first),
    growth=Growth(wide, n=250, says="With more columns than rows, decompose the matrix of the rows' products."),
)
