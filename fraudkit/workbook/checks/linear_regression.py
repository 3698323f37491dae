"""Linear regression by gradient descent from zero: every number on the way is determined and compared."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def path_in_closed_form(X, y, learning_rate=0.1, steps=1000):
    """The oracle: the loss is quadratic, so the k-th iterate has a formula along each eigenvector of the Hessian."""
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float).ravel()
    Z = np.column_stack([X, np.ones(len(X))])
    curvature, directions = np.linalg.eigh(2 * Z.T @ Z / len(y))
    pull = directions.T @ (2 * Z.T @ y / len(y))
    flat = curvature < 1e-12 * curvature.max()  # along these the gradient is zero: the path never leaves zero
    k = np.arange(steps + 1)[:, None]
    reached = (1 - (1 - learning_rate * curvature) ** k) * np.where(flat, 0.0, pull / np.where(flat, 1.0, curvature))
    path = reached @ directions.T
    losses = ((path @ Z.T - y) ** 2).mean(axis=1)
    return path[-1, :-1], path[-1, -1], losses


def cases(rng: np.random.Generator) -> list[Case]:
    """One step by hand first, then what the intercept, the mean and the start decide, then random ones."""
    amounts = rng.normal(size=(6, 2))
    delays = amounts @ [1.5, -0.5] + 0.1 * rng.normal(size=6)
    found = [
        Case("one step", ([[1.0], [2.0]], [2.0, 4.0]), {"learning_rate": 0.1, "steps": 1}),
        Case(
            "no step at all",
            (np.array([[1.0], [3.0]]), np.array([1.0, 2.0])),
            {"steps": 0},
            why="before the first step the weights are zero, and losses holds the one loss of that start",
        ),
        Case(
            "two steps",
            (np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), np.array([1.0, 2.0, 4.0])),
            {"learning_rate": 0.25, "steps": 2},
            why="w and b move together: both gradients belong to the same residuals",
        ),
        Case(
            "y as a column",
            (np.array([[0.0], [1.0], [2.0]]), np.array([[1.0], [2.0], [3.0]])),
            {"learning_rate": 0.1, "steps": 5},
            why="(n,) minus (n, 1) is an n by n table in NumPy, without a warning",
        ),
        Case(
            "y far from zero",
            (rng.normal(size=(20, 1)), 50.0 + rng.normal(size=20)),
            {"steps": 200},
            why="what X does not explain belongs to the intercept",
        ),
        Case("six payments", (amounts, delays), {"learning_rate": 0.05, "steps": 20}),
        Case(
            "the same six payments, each twice",
            (np.vstack([amounts, amounts]), np.concatenate([delays, delays])),
            {"learning_rate": 0.05, "steps": 20},
            why="the loss is a mean: the same data twice is the same loss and the same path",
        ),
        Case("integers, all defaults", (np.array([[0, 1], [1, 0], [1, 1], [2, 1]]), np.array([1, 3, 4, 7]))),
        Case("float32", (np.float32([[0.5], [1.5], [-1.0]]), np.float32([1.0, 2.0, 0.25])), {"steps": 10}),
        Case(
            "a learning rate that is too large",
            (np.array([[10.0], [20.0], [30.0]]), np.array([1.0, 2.0, 4.0])),
            {"learning_rate": 1.0},
            raises="ValueError",
            why="each step overshoots by more than the last; NaN weights handed on would be found much later",
        ),
        Case("more rows than labels", (np.ones((3, 1)), np.ones(2)), raises="ValueError"),
    ]
    for size, features in ((30, 2), (80, 4)):
        X = rng.normal(size=(size, features)) + 0.5
        y = X @ rng.normal(size=features) + 2.0 + 0.3 * rng.normal(size=size)
        found.append(Case(f"{size} payments, run to the end", (X, y), {"learning_rate": 0.1, "steps": 600}))
    return found


def one_matrix(X, y, learning_rate=0.1, steps=1000):
    """Accepted: a column of ones for the intercept, and one vector for everything."""
    Z = np.c_[np.array(X, dtype=np.float64), np.ones(len(X))]
    target = np.ravel(np.array(y, dtype=np.float64))
    if not len(target) or Z.shape[0] != target.shape[0]:
        raise ValueError(f"{Z.shape[0]} rows against {target.shape[0]} labels")
    theta, history = np.zeros(Z.shape[1]), np.empty(steps + 1)
    for k in range(steps + 1):
        error = target - Z.dot(theta)
        history[k] = error.dot(error) / len(target)
        if not np.isfinite(history[k]):
            raise ValueError("diverged")
        if k < steps:
            theta += learning_rate * 2 / len(target) * Z.T.dot(error)
    return theta[:-1], float(theta[-1]), history


def moments_only(X, y, learning_rate=0.1, steps=1000):
    """Accepted: the sums over rows taken once, then every step costs nothing but d squared."""
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float).reshape(-1)
    n = len(y)
    if n == 0 or n != len(X):
        raise ValueError("X and y differ in length, or are empty")
    if not (np.isfinite(X).all() and np.isfinite(y).all()):
        raise ValueError("X and y must be finite")
    Z = np.hstack([X, np.ones((n, 1))])
    second, cross, square = Z.T @ Z / n, Z.T @ y / n, y @ y / n
    theta = np.zeros(Z.shape[1])
    losses = [square]
    for _ in range(steps):
        theta = theta - 2 * learning_rate * (second @ theta - cross)
        losses.append(theta @ second @ theta - 2 * cross @ theta + square)
        if not np.isfinite(losses[-1]):
            raise ValueError("the steps are too long")
    return theta[:-1], theta[-1], losses


EXERCISE = Exercise(
    id="linear_regression",
    title="Linear regression by gradient descent",
    minutes=15,
    difficulty="easy",
    feeds="07",
    week="3-4",
    hints=(
        "Write the loss first, as a mean over the rows. Everything else is its derivative with respect to w and to b.",
        "With r = Xw + b - y: the derivative with respect to w is 2·mean of r times each column, with respect to b "
        "2·mean(r).",
        "Both derivatives belong to the same r: compute them before you change w or b. "
        "Record the loss at the top of the loop, and leave the loop one loss after the last step.",
    ),
    cases=cases,
    expect=path_in_closed_form,
    agree=close(rtol=1e-5, atol=1e-6),
    mutants=(
        Mutant(
            "intercept-forgotten",
            "The intercept never moved from zero, so the line is forced through the origin. b has a gradient of its "
            "own: the derivative of the loss with respect to a constant added to every prediction.",
            swaps=(("b = b - learning_rate * 2 * residual.mean()", "b = 0.0"),),
        ),
        Mutant(
            "sum-for-mean",
            "The gradient was summed over the rows. The loss is a mean: without 1/n the step grows with the data set, "
            "and a learning rate that worked on a sample diverges on all of it.",
            swaps=(
                ("X.T @ residual / len(y)", "X.T @ residual"),
                ("2 * residual.mean()", "2 * residual.sum()"),
            ),
        ),
        Mutant(
            "factor-two-lost",
            "The steps are half as long as they should be: the derivative of a square has a factor 2, which only "
            "cancels when the loss is defined with one half.",
            swaps=(
                ("w = w - learning_rate * 2 *", "w = w - learning_rate *"),
                ("b = b - learning_rate * 2 *", "b = b - learning_rate *"),
            ),
        ),
        Mutant(
            "updated-in-turn",
            "b was moved with residuals computed after w had moved. Gradient descent takes both gradients at the same "
            "point, then moves.",
            swaps=(("* 2 * residual.mean()", "* 2 * (X @ w + b - y).mean()"),),
        ),
        Mutant(
            "uphill",
            "The gradient points to where the loss grows; it was added instead of taken off.",
            swaps=(
                ("w = w - learning_rate", "w = w + learning_rate"),
                ("b = b - learning_rate", "b = b + learning_rate"),
            ),
        ),
        Mutant(
            "first-loss-missing",
            "The history begins after the first step. It has one loss more than there are steps: the first is that of "
            "zero weights.",
            swaps=(("np.array(losses)", "np.array(losses[1:])"),),
        ),
        Mutant(
            "column-broadcast",
            "A label column of shape (n, 1) met predictions of shape (n,): NumPy makes an n by n table of the "
            "difference. Flatten y first.",
            swaps=(("np.asarray(y, dtype=float).reshape(-1)", "np.asarray(y, dtype=float)"),),
        ),
        Mutant(
            "divergence-returned",
            "The loss grew beyond all numbers and NaN was returned as if it were a fit. Look at each loss, and raise "
            "ValueError when it is not finite.",
            swaps=(("if not np.isfinite(losses[-1]):", "if False:"),),
        ),
    ),
    accepted=(one_matrix, moments_only),
)
