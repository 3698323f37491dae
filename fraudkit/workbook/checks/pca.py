"""Principal components: centred by the training mean, greatest variance first, and free in sign."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.agree import close, difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step

NEAR = close(rtol=1e-6, atol=1e-7)


def by_rotations(k, steps=()):
    """The oracle: the symmetric covariance turned by Jacobi rotations until it is diagonal."""
    answers: list[Any] = []
    mean, axes, variance = np.zeros(0), np.zeros((0, 0)), np.zeros(0)
    for step in steps:
        if step.method == "explained_variance":
            answers.append(variance[:k])
            continue
        values = np.asarray(step.args[0], dtype=float)
        if step.method == "fit":
            mean = np.array([sum(column) / len(values) for column in values.T])
            variance, axes = _turned((values - mean).T @ (values - mean) / (len(values) - 1))
            answers.append(None)
        elif step.method == "transform":
            answers.append((values - mean) @ axes[:, :k])
        else:
            answers.append(mean + values @ axes[:, :k].T)
    return answers


def _turned(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues, falling, and eigenvectors as columns, by cyclic Jacobi rotations."""
    a, vectors = matrix.copy(), np.eye(len(matrix))
    for _ in range(30):
        for p in range(len(a)):
            for q in range(p + 1, len(a)):
                if abs(a[p, q]) > 1e-18 * np.abs(matrix).max():
                    angle = 0.5 * np.arctan2(2 * a[p, q], a[q, q] - a[p, p])
                    turn = np.eye(len(a))
                    turn[p, p] = turn[q, q] = np.cos(angle)
                    turn[p, q], turn[q, p] = np.sin(angle), -np.sin(angle)
                    a, vectors = turn.T @ a @ turn, vectors @ turn
        if np.abs(a - np.diag(np.diag(a))).max() < 1e-15 * max(np.abs(matrix).max(), 1e-300):
            break
    order = np.argsort(-np.diag(a))
    return np.diag(a)[order], vectors[:, order]


def agree(got: Any, expected: Any, case: Case) -> str:
    """Each column up to its sign; where two variances are equal, the products of the rows."""
    if not isinstance(got, list | tuple) or len(got) != len(expected):
        return difference(got, expected, 0.0, 0.0)
    for step, mine, right in zip(case.steps, got, expected, strict=True):
        if step.method == "fit":
            continue
        reason = _projection(mine, right, case) if step.method == "transform" else NEAR(mine, right, case)
        if reason:
            return f"{step.method}: {reason}"
    return ""


def _projection(mine: Any, right: np.ndarray, case: Case) -> str:
    """Why coordinates are not ours in any sign."""
    try:
        mine = np.asarray(mine, dtype=float)
    except (ValueError, TypeError):
        return "the answer is not one array of numbers"
    if mine.shape != right.shape:
        return f"the answer has shape {mine.shape}, expected {right.shape}"
    if case.name == SQUARE:
        reason = NEAR(mine @ mine.T, right @ right.T, case)
        return f"the products of the projected rows: {reason}" if reason else ""
    sign = np.where((mine * right).sum(axis=0) < 0, -1.0, 1.0)
    reason = NEAR(mine * sign, right, case)
    return f"whatever the signs, {reason}" if reason else ""


SQUARE = "two directions of equal variance"


def _case(name: str, k: int, X: Any, new: Any = None, why: str = "", back: Any = None) -> Case:
    steps = [Step("fit", (X,)), Step("explained_variance"), Step("transform", (X if new is None else new,))]
    if back is not None:
        steps.append(Step("inverse_transform", (back,)))
    return Case(name, (k,), steps=tuple(steps), why=why)


def cases(rng: np.random.Generator) -> list[Case]:
    """A line, the mean, the order, the shapes, then random ones."""
    cross = np.array([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    turned = cross @ np.array([[0.8, 0.6], [-0.6, 0.8]])
    wide = np.array([[1.0, 0, 0, 2, 0, 7], [0, 1, 0, 3, 1, 5], [2, 0, 1, 0, 9, 1]])
    origin = np.zeros((1, 1))
    found = [
        _case("points on a line, as lists", 1, [[0, 0], [2, 2], [4, 4]], why="the variance has the divisor n - 1"),
        _case("a cross", 2, cross, why="the direction with the greatest variance comes first"),
        _case("a turned cross", 2, turned, why="directions are the rows of Vt, or the columns of what eigh returns"),
        _case(
            "far from zero",
            1,
            turned + 100.0,
            why="without centring, the first direction points at the mean",
        ),
        _case(
            "one new row",
            2,
            turned + np.array([5.0, -3.0]),
            new=np.array([[6.0, 1.0]]),
            why="new rows are centred by the training mean; a single row less its own mean is zero",
        ),
        _case(
            "back from the origin",
            1,
            turned + 7.0,
            back=origin,
            why="the origin of the coordinates is the training mean",
        ),
        _case("more columns than rows", 2, wide, new=wide[:1] * 2),
        _case(SQUARE, 2, np.array([[1.0, 1, 0], [1, -1, 0], [-1, 1, 0], [-1, -1, 0]]) + 2.0),
        _case("whole numbers", 2, np.array([[1, 2, 3], [4, 5, 9], [7, 1, 2], [2, 2, 6]])),
        _case("float32, far from zero", 2, np.float32([[1, 2], [4, 5], [7, 1], [2, 9]]) + np.float32(4096)),
        _case("more components than columns", 3, cross),
        _case("no components", 0, cross),
    ]
    found[-2:] = [
        Case(case.name, case.args, steps=case.steps[:1], raises="ValueError", why="k lies between 1 and min(n, d)")
        for case in found[-2:]
    ]
    for n, d, k in ((12, 4, 2), (60, 5, 5)):
        widths = 3.0 ** -np.arange(d)
        rotation, _ = np.linalg.qr(rng.normal(size=(d, d)))
        base = rng.uniform(-1.7, 1.7, size=(n, d))
        base -= base.mean(axis=0)
        base, _ = np.linalg.qr(base)  # uncorrelated, so that no two variances come near each other
        X = base * np.sqrt(n) * widths @ rotation + rng.normal(size=d) * 10
        found.append(
            _case(f"{n} payments, {k} of {d} directions", k, X, X[:3] + rng.normal(size=d), back=np.eye(k)[:1] * 0)
        )
    return found


class ByEigenvectors:
    """Accepted: eigenvectors of the covariance matrix, turned round."""

    def __init__(self, k):
        self.k = k

    def fit(self, X):
        X = np.array(X, dtype=np.float64)
        if len(X) < 2:
            raise ValueError("two rows are the least")
        if self.k < 1 or self.k > min(X.shape):
            raise ValueError(f"{self.k} components of {X.shape} cannot be had")
        self.centre = X.mean(0)
        values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(X, rowvar=False, ddof=1)))
        order = np.argsort(values)[::-1][: self.k]
        self.values, self.vectors = values[order], vectors[:, order]
        return self

    def transform(self, X):
        return np.einsum("nd,dk->nk", np.array(X, dtype=np.float64) - self.centre, self.vectors)

    def inverse_transform(self, Z):
        return self.centre + np.einsum("nk,dk->nd", np.asarray(Z, dtype=np.float64), self.vectors)

    def explained_variance(self):
        return self.values.tolist()


class ByScores:
    """Accepted: SVD of the transposed matrix, variances from the projected rows, signs made positive."""

    def __init__(self, k):
        self.k = k

    def fit(self, X):
        X = np.asarray(X, dtype=float)
        if not (len(X) >= 2 and 1 <= self.k <= min(X.shape)):
            raise ValueError(f"k={self.k} does not suit {X.shape}")
        self.mu = np.mean(X, axis=0)
        left, _, _ = np.linalg.svd((X - self.mu).T, full_matrices=False)
        self.basis = left[:, : self.k] * np.where(left[:, : self.k].sum(axis=0) < 0, -1, 1)
        self.spread = (X - self.mu) @ self.basis

    def transform(self, X):
        return np.array([(np.asarray(row, dtype=float) - self.mu) @ self.basis for row in X])

    def inverse_transform(self, Z):
        return np.array([self.mu + self.basis @ np.asarray(row, dtype=float) for row in Z])

    def explained_variance(self):
        return self.spread.var(axis=0, ddof=1)


EXERCISE = Exercise(
    id="pca",
    title="Principal components",
    function="Pca",
    minutes=25,
    difficulty="medium",
    feeds="05",
    week="3-4",
    hints=(
        "Centre first, and keep the mean: every later row is centred by it.",
        "`np.linalg.svd(centred, full_matrices=False)` returns the directions as the rows of its third result, "
        "in falling order.",
        "The variance along a direction is its singular value squared over n - 1. "
        "With `np.linalg.eigh` the order rises and the directions are columns.",
    ),
    cases=cases,
    expect=by_rotations,
    agree=agree,
    mutants=(
        Mutant(
            "not-centred",
            "The rows were not centred: the first direction then points at the mean, not along the greatest variance.",
            swaps=(("self.mean = X.mean(axis=0)", "self.mean = np.zeros(d)"),),
        ),
        Mutant(
            "rising-order",
            "The directions with the smallest variance came first. `eigh` sorts upwards; turn its order round.",
            swaps=(
                (
                    "_, singular, rows = np.linalg.svd(centred, full_matrices=False)",
                    "_, singular, rows = np.linalg.svd(centred, full_matrices=False)\n"
                    "        singular, rows = singular[::-1], rows[::-1]",
                ),
            ),
        ),
        Mutant(
            "centred-by-new-rows",
            "New rows were centred by their own mean. Keep the training mean: one row alone is its own mean.",
            swaps=(("np.asarray(X, dtype=float) - self.mean", "np.asarray(X, dtype=float) - np.mean(X, axis=0)"),),
        ),
        Mutant(
            "new-rows-not-centred",
            "`transform` forgot to take the training mean off before it projects.",
            swaps=(("np.asarray(X, dtype=float) - self.mean", "np.asarray(X, dtype=float)"),),
        ),
        Mutant(
            "mean-not-given-back",
            "`inverse_transform` forgot to add the training mean.",
            swaps=(("return back + self.mean", "return back"),),
        ),
        Mutant(
            "divisor-n",
            "The variance was divided by n. The question asks for the sample variance, divisor n - 1.",
            swaps=(("** 2 / (n - 1)", "** 2 / n"),),
        ),
        Mutant(
            "singular-values",
            "Singular values were returned as variances: square them and divide by n - 1.",
            swaps=(("singular[: self.k] ** 2 / (n - 1)", "singular[: self.k]"),),
        ),
        Mutant(
            "columns-of-vt",
            "The directions are the rows of Vt as NumPy returns it; columns of it were taken.",
            swaps=(("rows[: self.k]", "rows.T[: self.k]"),),
        ),
        Mutant(
            "columns-scaled",
            "The columns were divided by their standard deviations first. That is another analysis."
            " The question does not scale.",
            swaps=(("centred = X - self.mean", "centred = (X - self.mean) / np.maximum(X.std(axis=0), 1e-12)"),),
        ),
        Mutant(
            "centred-in-place",
            "`X -= mean` changed the caller's array. Make a new one: X = X - mean.",
            swaps=(("centred = X - self.mean", "X -= self.mean\n        centred = X"),),
        ),
    ),
    accepted=(ByEigenvectors, ByScores),
)
