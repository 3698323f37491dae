"""Hessian of the weighted logistic loss: no labels, no ridge on the intercept, no NaN at large margins."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_differences(w, X, sample_weight=None, l2=0.0):
    """The oracle: central differences of the gradient, which a complex step takes from the loss itself."""
    w, X = np.asarray(w, dtype=float), np.asarray(X, dtype=float)
    weight = np.ones(len(X)) if sample_weight is None else np.asarray(sample_weight, dtype=float)

    def loss(v):
        z = X @ v
        away = np.where(z.real > 0, z, 0) + np.log(1 + np.exp(np.where(z.real > 0, -z, z)))
        return (weight * away).sum() + l2 / 2 * (v[:-1] ** 2).sum()

    def gradient(v):
        return np.array([loss(v + 1e-30j * row).imag / 1e-30 for row in np.eye(len(v))])

    return np.array([(gradient(w + 1e-5 * row) - gradient(w - 1e-5 * row)) / 2e-5 for row in np.eye(len(w))])


def cases(rng: np.random.Generator) -> list[Case]:
    """By hand, weights, the ridge, large margins, then random rows."""
    two = np.array([[1.0, 1.0], [-1.0, 1.0]])
    found = [
        Case("two rows at zero", ([0.0, 0.0], two.tolist())),
        Case("away from zero", (np.array([2.0, -1.0]), two), why="the curvature is p(1 - p), 1/4 only where p is 1/2"),
        Case("weights, as lists", ([0.0, 0.5], [[1, 1], [-2, 1], [3, 1]], [1, 0, 10])),
        Case(
            "a ridge",
            (np.array([0.3, -0.2, 0.1]), np.array([[1.0, 2.0, 1.0], [0.0, 1.0, 1.0]])),
            {"l2": 0.5},
            why="l2/2 times a square has the second derivative l2, and the intercept is not penalised",
        ),
        Case(
            "margins of a thousand",
            (np.array([1000.0, 0.0]), two),
            why="exp(1000) is infinite, and infinity by infinity is NaN; the curvature there is 0",
        ),
        Case(
            "integers in float32",
            (np.array([1, -1]), np.array([[2, 1], [0, 1], [1, 1]], dtype=np.float32)),
            {"sample_weight": np.array([2, 1, 1])},
        ),
        Case("w too long", (np.zeros(3), two), raises="ValueError"),
        Case("a weight for a row that is not there", (np.zeros(2), two, np.ones(3)), raises="ValueError"),
    ]
    for n, d, ridge in ((30, 3, 0.0), (60, 5, 2.0)):
        X = np.column_stack([rng.normal(size=(n, d - 1)), np.ones(n)])
        found.append(Case(f"{n} rows", (rng.normal(size=d), X, rng.random(n) * 10), {"l2": ridge}))
    return found


def products_of_rows(w, X, sample_weight=None, l2=0.0):
    """Accepted: p by tanh, which saturates quietly, and one einsum."""
    X = np.array(X, dtype=np.float64)
    if len(w) != X.shape[1] or (sample_weight is not None and len(sample_weight) != len(X)):
        raise ValueError("lengths do not fit")
    half = np.tanh(X.dot(np.array(w, dtype=float)) / 2)
    bend = (1 - half**2) / 4
    if sample_weight is not None:
        bend = bend * np.array(sample_weight)
    total = np.einsum("i,ij,ik->jk", bend, X, X)
    for j in range(len(w) - 1):
        total[j, j] += l2
    return total


def row_by_row(w, X, sample_weight=None, l2=0.0):
    """Accepted: an outer product for each row, the sigmoid by its sign."""
    d = len(w)
    if any(len(row) != d for row in X):
        raise ValueError("w and X do not fit")
    if sample_weight is None:
        sample_weight = [1.0] * len(X)
    if len(sample_weight) != len(X):
        raise ValueError("weights and rows differ")
    H = l2 * np.eye(d)
    H[d - 1, d - 1] = 0
    for row, how_much in zip(X, sample_weight, strict=True):
        z = sum(float(a) * float(b) for a, b in zip(row, w, strict=True))
        p = 1 / (1 + np.exp(-z)) if z > 0 else np.exp(z) / (1 + np.exp(z))
        H = H + float(how_much) * p * (1 - p) * np.outer(row, row)
    return H


EXERCISE = Exercise(
    id="logistic_hessian",
    title="Hessian of the logistic loss",
    minutes=20,
    difficulty="medium",
    feeds="07",
    week="1-2",
    hints=(
        "Derive one row's loss by z twice. What became of y?",
        "The chain rule through z = Xw brings a row of X on both sides: a weighted sum of outer products.",
        "With e = exp(-|z|), p(1 - p) = e / (1 + e)². Scale the rows of X by it; no n x n matrix is needed.",
        "The ridge adds to the diagonal, but not at the last place.",
    ),
    cases=cases,
    expect=by_differences,
    agree=close(rtol=1e-6, atol=1e-7),
    mutants=(
        Mutant(
            "curvature-is-p",
            "p was used in place of p(1 - p): that is the derivative of the loss, not of the gradient.",
            swaps=(("weight * small / (1 + small) ** 2", "weight * np.where(X @ w > 0, 1.0, small) / (1 + small)"),),
        ),
        Mutant(
            "weights-ignored",
            "The sample weights are checked but do not multiply the rows' curvature.",
            swaps=(("weight * small /", "small /"),),
        ),
        Mutant(
            "weights-squared",
            "The weights entered twice, on the left and on the right. A row's loss is multiplied by its weight once.",
            swaps=(("weight * small /", "weight**2 * small /"),),
        ),
        Mutant(
            "mean-not-sum",
            "The Hessian was divided by the number of rows. The question sums over rows, so the ridge would weigh n "
            "times too much.",
            swaps=(("(X * curvature[:, None]).T @ X", "(X * curvature[:, None]).T @ X / n"),),
        ),
        Mutant(
            "intercept-penalised",
            "The ridge was put on the intercept too, which pulls the fraud rate towards a half.",
            swaps=(("    ridge[-1] = 0.0\n", ""),),
        ),
        Mutant(
            "ridge-doubled",
            "l2/2 times w² has the second derivative l2, not twice that.",
            swaps=(("np.full(d, float(l2))", "np.full(d, 2.0 * l2)"),),
        ),
        Mutant(
            "overflow-is-nan",
            "exp(z) / (1 + exp(z)) is infinity by infinity at z = 1000. Take exp of -|z|.",
            swaps=(("np.exp(-np.abs(X @ w))", "np.exp(X @ w)"),),
        ),
        Mutant(
            "diagonal-only",
            "Only the diagonal was kept: mixed second derivatives are there wherever two features go together.",
            swaps=(("(X * curvature[:, None]).T @ X", "np.diag(curvature @ X**2)"),),
        ),
    ),
    accepted=(products_of_rows, row_by_row),
)
