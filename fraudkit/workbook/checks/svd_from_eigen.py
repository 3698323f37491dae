"""Thin SVD from an eigen-decomposition: falling order, rank, vectors whose signs fit together."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def lapack(A):
    """The oracle: `numpy.linalg.svd`, cut to the rank, and the matrix itself to be met by the product."""
    A = np.asarray(A, dtype=float)
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    rank = int((s > 1e-6 * s[0]).sum())
    return U[:, :rank], s[:rank], Vt[:rank]


def agree(got: Any, expected: Any, case: Case) -> str:
    """Right singular values, orthonormal vectors, and a product that is the matrix."""
    if not isinstance(got, tuple | list) or len(got) != 3:
        return "the answer should be a tuple of three: U, s and Vt"
    U, s, Vt = (np.asarray(part, dtype=float) for part in got)
    for name, mine, right in zip(("U", "s", "Vt"), (U, s, Vt), expected, strict=True):
        if mine.shape != np.shape(right):
            return f"{name} has shape {mine.shape}, expected {np.shape(right)}"
    if reason := difference(s, expected[1], 1e-6, 1e-7):
        return f"singular values: {reason}"
    unit = np.eye(len(s))
    if reason := difference(U.T @ U, unit, 0.0, 1e-6):
        return f"the columns of U are not orthonormal: U'U against the identity: {reason}"
    if reason := difference(Vt @ Vt.T, unit, 0.0, 1e-6):
        return f"the rows of Vt are not orthonormal: {reason}"
    matrix = np.asarray(case.args[0], dtype=float)
    reason = difference(U * s @ Vt, matrix, 1e-6, 1e-6 * max(1.0, float(np.abs(matrix).max())))
    return f"U · diag(s) · Vt is not A: {reason}" if reason else ""


def cases(rng: np.random.Generator) -> list[Case]:
    """By hand, missing rank, wide and square ones, then random ones."""
    copied = np.array([[1.0, 2.0, 3.0], [0.0, 1.0, 1.0], [2.0, 0.0, 2.0], [1.0, 1.0, 2.0]])
    found = [
        Case("stretched axes", ([[3, 0], [0, 4], [0, 0]],), why="eigh gives rising order; s falls"),
        Case("rank one", ([[1, 2], [2, 4]],), why="a singular value of 0 has no u: A v / 0 is NaN"),
        Case(
            "a column that is the sum of two",
            (copied,),
            why="the eigenvalue that should be 0 may be -1e-17, whose root is NaN; r is 2",
        ),
        Case(
            "symmetric with a negative eigenvalue",
            (np.array([[0.0, 2.0], [2.0, 3.0]]),),
            why="singular values are positive; the minus sign belongs to u or v",
        ),
        Case("wide", (np.array([[1.0, 0.0, 2.0, -1.0], [0.0, 3.0, 1.0, 1.0]]),), why="r is at most min(n, d)"),
        Case("one column", (np.array([[3], [4]]),)),
        Case("all zeros", (np.zeros((3, 2)),), why="rank 0: empty parts, not NaN"),
        Case("a small scale", (np.array([[3.0, 1.0], [1.0, 2.0], [0.0, 1.0]]) * 1e-9,), why="rank is relative to s[0]"),
        Case("a vector", (np.ones(3),), raises="ValueError"),
    ]
    found.append(Case("8 by 4", (rng.normal(size=(8, 4)),)))
    found.append(Case("5 by 7 of rank 3", (rng.normal(size=(5, 3)) @ rng.normal(size=(3, 7)),)))
    return found


def left_first(A):
    """Accepted: U from AA', then Vt from U."""
    A = np.array(A, dtype=np.float64)
    if len(A.shape) != 2:
        raise ValueError("not a matrix")
    squares, U = np.linalg.eigh(A.dot(A.T))
    order = np.argsort(-squares)
    s = np.sqrt(np.abs(squares[order]))
    keep = s > s.max() * 1e-6
    s, U = s[keep], U[:, order[keep]]
    return U, s, (U / s).T.dot(A)


def doubled_matrix(A):
    """Accepted: the symmetric matrix of zeros, A and A', whose positive eigenvalues are the singular values."""
    try:
        n, d = np.shape(A)
    except ValueError as error:
        raise ValueError("A is not two-dimensional") from error
    both = np.block([[np.zeros((n, n)), np.array(A, dtype=float)], [np.transpose(A), np.zeros((d, d))]])
    eigenvalues, eigenvectors = np.linalg.eigh(both)
    chosen = [j for j in range(n + d - 1, -1, -1) if eigenvalues[j] > 1e-6 * eigenvalues[-1]]
    halves = eigenvectors[:, chosen] * np.sqrt(2)
    return [halves[:n], eigenvalues[chosen], halves[n:].T]


EXERCISE = Exercise(
    id="svd_from_eigen",
    title="Singular values from eigenvalues",
    minutes=25,
    difficulty="medium",
    feeds="12",
    week="1-2",
    hints=(
        "Write A = U S Vt and multiply A'A out. What drops away, because U's columns are orthonormal?",
        "`np.linalg.eigh` gives eigenvalues in rising order, and small ones may come out a little below 0.",
        "With V and s known, A V = U S. Only divide by singular values that count.",
    ),
    cases=cases,
    expect=lapack,
    agree=agree,
    mutants=(
        Mutant(
            "rising-order",
            "The singular values rise, as eigh gives them. The greatest comes first.",
            swaps=(
                ("np.maximum(values[::-1], 0.0)", "np.maximum(values, 0.0)"),
                ("(s > 1e-6 * s[0]).sum()", "(s > 1e-6 * s[-1]).sum()"),
                ("s[:rank], vectors[:, ::-1][:, :rank]", "s[len(s) - rank :], vectors[:, len(s) - rank :]"),
            ),
        ),
        Mutant(
            "eigenvalues-as-they-are",
            "The eigenvalues of A'A are the squares of the singular values.",
            swaps=(("np.sqrt(np.maximum(values[::-1], 0.0))", "np.maximum(values[::-1], 0.0)"), ("1e-6 *", "1e-12 *")),
        ),
        Mutant(
            "no-rank",
            "Singular values of 0 were kept, and dividing by them gives NaN or noise for u. Keep r of them.",
            swaps=(("int((s > 1e-6 * s[0]).sum())", "min(A.shape)"),),
        ),
        Mutant(
            "absolute-threshold",
            "The threshold was absolute, so a matrix in small units has no rank left. Compare with the greatest.",
            swaps=(("1e-6 * s[0]", "1e-6"),),
        ),
        Mutant(
            "signs-of-their-own",
            "U was taken from an eigen-decomposition of its own. Its signs then do not fit those of V, and the product "
            "is not A.",
            swaps=(("return A @ V / s,", "return np.linalg.eigh(A @ A.T)[1][:, ::-1][:, :rank],"),),
        ),
        Mutant(
            "u-not-scaled",
            "A V was returned for U without dividing by s: its columns have lengths s, not 1.",
            swaps=(("return A @ V / s,", "return A @ V,"),),
        ),
        Mutant(
            "v-not-turned",
            "V has the singular vectors in its columns; the third part has them in its rows.",
            swaps=(("/ s, s, V.T", "/ s, s, V"),),
        ),
        Mutant(
            "vectors-not-reversed",
            "The values were put in falling order, but the vectors stayed in rising order. Sort both alike.",
            swaps=(("vectors[:, ::-1][:, :rank]", "vectors[:, :rank]"),),
        ),
        Mutant(
            "any-shape-taken",
            "A vector was taken for a matrix. Raise ValueError.",
            swaps=(
                (
                    '    if A.ndim != 2:\n        raise ValueError(f"A must have two dimensions, got shape {A.shape}")\n',
                    "    A = np.atleast_2d(A)\n",
                ),
            ),
        ),
    ),
    accepted=(left_first, doubled_matrix),
)
