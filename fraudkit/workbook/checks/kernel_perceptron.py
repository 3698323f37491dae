"""Kernel perceptron: mistakes counted per row, signed sums of kernels, updates at once."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def in_the_large_space(X, y, epochs, X_new):
    """The oracle: the ordinary perceptron on all products of up to two columns; no kernel is evaluated.

    (1 + x·z)² is the dot product of these products with weights 1 (constants and squares) and 2 (the others),
    which keeps whole numbers whole.
    """

    def expand(rows):
        rows = np.asarray(rows, dtype=float)
        pairs = [rows[:, i] * rows[:, j] for i, j in combinations(range(rows.shape[1]), 2)]
        return np.column_stack([np.ones(len(rows)), rows, rows**2, *pairs])

    d = np.shape(X)[1]
    metric = np.array([1.0] + [2.0] * d + [1.0] * d + [2.0] * (d * (d - 1) // 2))
    features, mistakes, w = expand(X), np.zeros(len(X), dtype=int), np.zeros(len(metric))
    for _ in range(epochs):
        for i, row in enumerate(features):
            s = 1 if y[i] == 1 else -1
            if s * (w * metric * row).sum() <= 0:
                mistakes[i] += 1
                w = w + s * row
    return mistakes, expand(X_new) @ (metric * w)


def cases(rng: np.random.Generator) -> list[Case]:
    """The four corners first, then each point of the rule, then random rows."""
    corners = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]])
    either = np.array([1, 0, 0, 1])
    found = [
        Case("one column, as lists", ([[1.0], [2.0]], [1, 0], 1, [[0.0], [3.0]])),
        Case(
            "opposite corners, once",
            (corners, either, 1, corners),
            why="a score of exactly 0 is a mistake too; otherwise nothing is ever learnt from the start at 0",
        ),
        Case(
            "opposite corners, five times",
            (corners, either, 5, corners),
            why="no straight line parts them; the square in the kernel holds the product of the two columns",
        ),
        Case(
            "the same row repeatedly wrong",
            (np.array([[1.0], [1.2], [0.9]]), np.array([1, 0, 1]), 4, np.array([[1.0], [2.0]])),
            why="a row counts once for each of its mistakes, in every epoch anew",
        ),
        Case(
            "a genuine payment first",
            (np.array([[2.0, 1.0], [0.5, 3.0]]), np.array([0, 1]), 1, np.array([[1.0, 1.0]])),
            why="a mistake on a genuine payment adds its kernel with a minus",
        ),
        Case(
            "already right in the second epoch",
            (np.array([[3.0], [0.1], [-0.2]]), np.array([1, 0, 0]), 6, np.array([[0.0], [2.5]])),
            why="a row that is right changes nothing",
        ),
        Case(
            "around the origin",
            (np.array([[0.0], [4.0], [-4.0]]), np.array([0, 1, 1]), 3, np.array([[0.5], [-5.0]])),
            why="without the 1 in the kernel a row of zeros has no similarity even to itself",
        ),
        Case("no epoch", (corners, either, 0, corners)),
        Case("rows that do not fit", (corners, either[:3], 1, corners), raises="ValueError"),
    ]
    for n, d, epochs in ((10, 2, 3), (25, 3, 4)):
        rows = rng.normal(size=(n, d))
        labels = ((rows**2).sum(axis=1) > d).astype(int)
        labels[rng.integers(0, n)] ^= 1
        found.append(Case(f"{epochs} epochs over {n} payments", (rows, labels, epochs, rng.normal(size=(5, d)))))
    return found


def scores_kept(X, y, epochs, X_new):
    """Accepted: the scores of all rows, old and new, are kept and corrected by one column of kernels per mistake."""
    X, asked = np.array(X, dtype=np.float64), np.array(X_new, dtype=np.float64)
    if len(X) != len(y):
        raise ValueError("one label for each row")
    everything = np.vstack([X, asked])
    scores, mistakes = np.zeros(len(everything)), np.zeros(len(X), dtype=int)
    signs = 2 * np.asarray(y).astype(int) - 1
    for i in list(range(len(X))) * epochs:
        if signs[i] * scores[i] <= 0:
            scores += signs[i] * (1 + everything @ X[i]) ** 2
            mistakes[i] += 1
    return mistakes, scores[len(X) :]


def support_list(X, y, epochs, X_new):
    """Accepted: a list of the rows that were mistaken; the score is a sum over that list."""
    if len(list(y)) != len(list(X)):
        raise ValueError
    support, mistakes = [], [0] * len(X)

    def score(x):
        total = 0.0
        for s, z in support:
            total += s * (1 + sum(a * b for a, b in zip(x, z, strict=True))) ** 2
        return total

    for _ in range(epochs):
        for i, x in enumerate(X):
            found = score(x)
            if (found <= 0) if y[i] else (found >= 0):
                mistakes[i] += 1
                support.append((1 if y[i] else -1, [float(v) for v in x]))
    return mistakes, [score(x) for x in X_new]


EXERCISE = Exercise(
    id="kernel_perceptron",
    title="Kernel perceptron",
    minutes=20,
    difficulty="medium",
    feeds="07",
    week="3-4",
    hints=(
        "The ordinary perceptron adds s·x to w at each mistake. So what is w, in terms of the rows that were mistaken?",
        "w is a sum over rows of (number of mistakes)·s·x. A score needs only dot products of rows; put the kernel in their place.",
        "Make the matrix K = (1 + X·Xᵀ)² once. The score of row i is K[i] · (mistakes · s); count one up where s·score ≤ 0.",
    ),
    cases=cases,
    expect=in_the_large_space,
    agree=close(1e-6, 1e-8),
    mutants=(
        Mutant(
            "zero-is-right",
            "A score of exactly 0 was taken as right. All scores begin at 0, so nothing is ever learnt.",
            swaps=(("K[i] <= 0", "K[i] < 0"),),
        ),
        Mutant(
            "linear-kernel",
            "The kernel was not squared. 1 + x·z is the ordinary perceptron with an intercept, a straight line.",
            swaps=(("(1 + A @ B.T) ** 2", "1 + A @ B.T"),),
        ),
        Mutant(
            "kernel-without-the-one",
            "The kernel is (1 + x·z)²; without the 1 the single columns and the constant are missing from the large space.",
            swaps=(("(1 + A @ B.T) ** 2", "(A @ B.T) ** 2"),),
        ),
        Mutant(
            "labels-zero-and-one",
            "Labels were used as 0 and 1; mistakes on genuine payments then add nothing. Make them −1 and +1.",
            swaps=(("np.where(np.asarray(y) == 1, 1, -1)", "np.asarray(y).astype(int)"),),
        ),
        Mutant(
            "sign-forgotten-in-the-score",
            "The counts were summed without the sign of their rows, so that every mistake pushes towards fraud.",
            swaps=(("s[i] * (mistakes * s) @ K[i]", "s[i] * mistakes @ K[i]"), ("@ (mistakes * s)", "@ mistakes")),
        ),
        Mutant(
            "once-an-epoch",
            "All rows of an epoch were judged by the counts of its start. The perceptron uses each mistake at once.",
            swaps=(
                ("    for _ in range(epochs):\n", "    for _ in range(epochs):\n        before = mistakes.copy()\n"),
                ("(mistakes * s) @ K[i]", "(before * s) @ K[i]"),
            ),
        ),
        Mutant(
            "counted-once",
            "A row was counted once however often it was mistaken. Each mistake adds its kernel again.",
            swaps=(("mistakes[i] += 1", "mistakes[i] = 1"),),
        ),
        Mutant(
            "every-row-added",
            "Every row was added, right or wrong. A perceptron learns from its mistakes alone.",
            swaps=(("if s[i] * (mistakes * s) @ K[i] <= 0:", "if True:"),),
        ),
    ),
    accepted=(scores_kept, support_list),
)
