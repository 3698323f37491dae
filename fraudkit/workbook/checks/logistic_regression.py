"""Logistic regression with an L2 penalty: the optimum is unique, so any way of reaching it is accepted."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step

PROBABILITY_TOLERANCE = 0.005
OBJECTIVE_TOLERANCE = 0.02


def bounded_curvature(l2=0.01, steps=()):
    """The oracle: p(1-p) <= 1/4 bounds the curvature once and for all, and steps on that bound never overshoot."""
    answers = []
    for step in steps:
        X = np.asarray(step.args[0], dtype=float)
        if step.method == "fit":
            y = np.asarray(step.args[1], dtype=float)
            theta = _minimum(X, y, l2)
            answers.append(None)
            continue
        z = X @ theta[1:] + theta[0]
        if step.method == "predict_proba":
            answers.append(np.exp(-np.logaddexp(0.0, -z)))
        else:
            wrong_by = np.where(np.asarray(step.args[1]) == 1, -z, z)  # log(1 + e^this) is the loss of a row
            losses = np.maximum(wrong_by, 0.0) + np.log1p(np.exp(-np.abs(wrong_by)))
            answers.append(losses.mean() + l2 / 2 * float(theta[1:] @ theta[1:]))
    return answers


def _minimum(X: np.ndarray, y: np.ndarray, l2: float) -> np.ndarray:
    """(intercept, weights) at the minimum."""
    Z = np.column_stack([np.ones(len(X)), X])
    penalty = np.full(Z.shape[1], float(l2))
    penalty[0] = 0.0
    inverse = np.linalg.inv(Z.T @ Z / (4 * len(y)) + np.diag(penalty))
    theta = np.zeros(Z.shape[1])
    for _ in range(5000):
        with np.errstate(over="ignore"):
            gradient = Z.T @ (1 / (1 + np.exp(-Z @ theta)) - y) / len(y) + penalty * theta
        if np.abs(gradient).max() < 1e-7:
            break
        theta -= inverse @ gradient
    return theta


def agree(got: Any, expected: Any, case: Case) -> str:
    """Probabilities within 0.005, the objective within 2 %: near enough to tell the optimum from a neighbour's."""
    if not isinstance(got, list | tuple) or len(got) != len(expected):
        return difference(got, expected, 0.0, 0.0)
    for step, mine, right in zip(case.steps, got, expected, strict=True):
        if right is None:
            continue
        rtol, atol = (0.0, PROBABILITY_TOLERANCE) if step.method == "predict_proba" else (OBJECTIVE_TOLERANCE, 1e-3)
        if reason := difference(mine, right, rtol, atol, step.method):
            return reason
    return ""


def _case(name: str, l2: float, X: Any, y: Any, X_new: Any, why: str = "") -> Case:
    """Fit, then what the model says of its own rows and of new ones."""
    steps = (Step("fit", (X, y)), Step("predict_proba", (X_new,)), Step("objective", (X, y)))
    return Case(name, (l2,), steps=steps, why=why)


def cases(rng: np.random.Generator) -> list[Case]:
    """Each decides one line: intercept, mean, penalty, sigmoid, loss; then random ones."""
    line = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    labels = np.array([0, 1, 0, 1])
    ends = np.array([[-3.0], [0.0], [3.0]])
    four, mixed = np.tile(line, (4, 1)), np.array([0, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 1])
    apart = np.array([[-1.0], [-0.8], [-0.6], [0.6], [0.8], [1.0]])
    sides = np.array([0, 0, 0, 1, 1, 1])
    found = [
        _case("four payments", 0.1, line, labels, ends),
        _case(
            "columns far from zero",
            0.1,
            four + 2.0,
            mixed,
            ends + 2.0,
            why="without an intercept the model says one half at x = 0, wherever the data lie",
        ),
        _case(
            "the same four payments, 25 times",
            0.1,
            np.tile(line, (25, 1)),
            np.tile(labels, 25),
            ends,
            why="the log loss is a mean: the same data repeated has the same optimum, the penalty does not lose weight",
        ),
        _case(
            "a heavy penalty and one fraud in ten",
            1.5,
            np.tile(np.linspace(-1.0, 1.0, 10)[:, None], (3, 1)),
            np.arange(30) % 10 == 3,
            np.array([[-1.0], [0.0], [1.0]]),
            why="the penalty shrinks the weights to almost nothing; what remains must be the base rate, not one half",
        ),
        _case(
            "frauds and genuine payments lie apart",
            0.01,
            apart,
            sides,
            np.array([[-1.0], [0.0], [0.1], [1.0]]),
            why="on separable data only the penalty keeps the weights finite, and a descent that stops early falls "
            "short of them",
        ),
        Case(
            "amounts a thousand times as large as in training",
            (0.1,),
            steps=(Step("fit", (four, mixed)), Step("predict_proba", (np.array([[-1e5], [-1e3], [1e3], [1e5]]),))),
            why="e to the 1000 is infinite, and infinity over infinity is NaN",
        ),
        Case(
            "the objective of rows that are badly wrong",
            (0.1,),
            steps=(Step("fit", (four, mixed)), Step("objective", (np.array([[-1e3], [1e3]]), np.array([1, 0])))),
            why="a probability that rounds to 0 has log(0); computed from Xw + b the loss stays finite and exact",
        ),
        Case(
            "all defaults, lists",
            steps=(Step("fit", ([[0.0], [1.0], [2.0]], [0, 1, 1])), Step("predict_proba", ([[1.0]],))),
            why="l2 is 0.01 unless given; such weights are large, and a descent that stops early falls short",
        ),
        Case(
            "one class only",
            (0.1,),
            steps=(Step("fit", (line, np.zeros(4, dtype=int))), Step("predict_proba", (line,))),
            raises="ValueError",
            why="with one class the best intercept is infinite",
        ),
        Case("no penalty", (0.0,), steps=(Step("fit", (line, labels)),), raises="ValueError"),
    ]
    for size, features, l2 in ((60, 2, 0.1), (200, 4, 0.02)):
        X = rng.normal(size=(size, features)) * 1.5 + 0.5
        score = X @ np.linspace(1.0, -1.0, features) + rng.logistic(size=size)
        y = (score > np.quantile(score, 0.8)).astype(int)
        found.append(
            _case(f"{size} payments, {features} features", l2, X, y, np.float32(rng.normal(size=(9, features))))
        )
    return found


class GradientDescent:
    """Accepted: plain gradient descent with the step that the largest curvature allows."""

    def __init__(self, l2=0.01):
        """Strength of the penalty."""
        if not l2 > 0:
            raise ValueError("l2 must be positive")
        self.l2 = l2

    def fit(self, X, y):
        """A few thousand steps of 1/L."""
        X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
        if y.min() == y.max():
            raise ValueError("both classes are needed")
        n, d = X.shape
        spread = np.linalg.norm(np.column_stack([X, np.ones(n)]), 2) ** 2 / n
        rate = 1 / (spread / 4 + self.l2)
        self.w, self.b = np.zeros(d), 0.0
        for _ in range(4000):
            z = X @ self.w + self.b
            error = np.exp(np.minimum(z, 0)) / (1 + np.exp(-np.abs(z))) - y
            self.w = self.w - rate * (X.T @ error / n + self.l2 * self.w)
            self.b = self.b - rate * error.mean()

    def predict_proba(self, X):
        """Probabilities by the hyperbolic tangent, which never overflows."""
        return 0.5 * (1 + np.tanh((np.asarray(X, dtype=float) @ self.w + self.b) / 2))

    def objective(self, X, y):
        """Row by row, from the margin."""
        margin = (np.asarray(X) @ self.w + self.b) * (2 * np.asarray(y, dtype=float) - 1)
        return np.logaddexp(0, -margin).mean() + self.l2 * np.sum(self.w**2) / 2


class CoordinateNewton:
    """Accepted: one weight at a time, each by a Newton step on its own bounded curvature."""

    def __init__(self, l2=0.01):
        """Strength of the penalty."""
        self.l2 = l2

    def fit(self, X, y):
        """Sweeps over the columns until nothing moves."""
        if self.l2 <= 0:
            raise ValueError(f"l2 is {self.l2}; it must be above zero")
        if len(set(np.asarray(y).tolist())) < 2:
            raise ValueError("one class only")
        columns = [np.ones(len(X)), *np.asarray(X, dtype=float).T]
        target = np.asarray(y, dtype=float)
        self.theta = [0.0] * len(columns)
        z = np.zeros(len(target))
        for _ in range(1000):
            moved = 0.0
            for j, column in enumerate(columns):
                l2 = self.l2 if j else 0.0
                slope = np.mean((_logistic(z) - target) * column) + l2 * self.theta[j]
                delta = slope / (np.mean(column**2) / 4 + l2)
                self.theta[j] -= delta
                z -= delta * column
                moved = max(moved, abs(delta))
            if moved < 1e-6:
                break
        return self

    def predict_proba(self, X):
        """Probabilities."""
        return _logistic(np.asarray(X, dtype=float) @ np.array(self.theta[1:]) + self.theta[0])

    def objective(self, X, y):
        """What fit made small."""
        z = np.asarray(X, dtype=float) @ np.array(self.theta[1:]) + self.theta[0]
        loss = np.maximum(z, 0) - z * np.asarray(y) + np.log1p(np.exp(-np.abs(z)))
        return float(loss.mean()) + self.l2 / 2 * sum(weight**2 for weight in self.theta[1:])


def _logistic(z):
    """The sigmoid, each sign with the exponential that stays small."""
    p = np.empty_like(z)
    above = z >= 0
    p[above] = 1 / (1 + np.exp(-z[above]))
    p[~above] = np.exp(z[~above]) / (1 + np.exp(z[~above]))
    return p


EXERCISE = Exercise(
    id="logistic_regression",
    title="Logistic regression with an L2 penalty",
    minutes=30,
    difficulty="medium",
    feeds="07",
    week="3-4",
    function="LogisticRegression",
    hints=(
        "The objective is convex with one minimum: any descent that you let run to the end gives the same answer. "
        "Write the objective and its gradient first.",
        "With z = Xw + b and p = sigmoid(z), the gradient is Xᵀ(p - y)/n + l2·w for the weights and mean(p - y) for "
        "the intercept, which carries no penalty.",
        "The log loss of a row is log(1 + e^z) - y·z, and np.logaddexp(0, z) gives its first part without overflow. "
        "For the sigmoid only ever take the exponential of -|z|.",
        "A step length that never overshoots is 1/(s/4 + l2), s the largest eigenvalue of [X 1]ᵀ[X 1]/n. Newton's "
        "method, with the Hessian [X 1]ᵀ diag(p(1-p)) [X 1]/n plus the penalty, needs ten steps instead of thousands.",
    ),
    cases=cases,
    expect=bounded_curvature,
    agree=agree,
    mutants=(
        Mutant(
            "no-intercept",
            "The model has no intercept that moves: it says one half wherever Xw is zero, which fits only data that "
            "lie around the origin with as many frauds as genuine payments.",
            swaps=(("gradient = Z.T @ (p - y) / n", "gradient = np.append(X.T @ (p - y), 0.0) / n"),),
        ),
        Mutant(
            "intercept-penalised",
            "The intercept is penalised as well. It sets the base rate; pulling it to zero pulls every probability "
            "towards one half, the more so the rarer fraud is.",
            swaps=(
                ("penalty[-1] = 0.0", "penalty[-1] = self.l2"),
                ("self.l2 / 2 * self.w @ self.w", "self.l2 / 2 * (self.w @ self.w + self.b**2)"),
            ),
        ),
        Mutant(
            "sum-for-mean",
            "The log loss was summed over the rows, so the penalty loses weight as the data grow. The objective is a "
            "mean: divide the gradient by n.",
            swaps=(
                ("gradient = Z.T @ (p - y) / n", "gradient = Z.T @ (p - y)"),
                ("hessian = (Z.T * (p * (1 - p))) @ Z / n", "hessian = (Z.T * (p * (1 - p))) @ Z"),
                ("np.mean(np.logaddexp(0.0, z) - y * z)", "np.sum(np.logaddexp(0.0, z) - y * z)"),
            ),
        ),
        Mutant(
            "penalty-halved",
            "The penalty's gradient is wrong by a factor: the derivative of l2/2·w² is l2·w, the one half is there to "
            "cancel the 2.",
            swaps=(("penalty = np.full(Z.shape[1], float(self.l2))", "penalty = np.full(Z.shape[1], self.l2 / 2)"),),
        ),
        Mutant(
            "penalty-sign",
            "The penalty pushes the weights away from zero: its gradient was taken off where it should be added. "
            "Compare your gradient with finite differences of the objective.",
            swaps=(
                ("/ n + penalty * theta", "/ n - penalty * theta"),
                ("self.objective(X, y) > before", "not np.isfinite(self.objective(X, y))"),
            ),
        ),
        Mutant(
            "penalty-forgotten",
            "The fit ignores l2: without the penalty, separable data send the weights to infinity.",
            swaps=(("penalty = np.full(Z.shape[1], float(self.l2))", "penalty = np.full(Z.shape[1], 1e-9)"),),
        ),
        Mutant(
            "sigmoid-overflows",
            "e^z / (1 + e^z) is infinity over infinity for large z, which is NaN. Use the exponential of -|z|, which "
            "cannot overflow.",
            swaps=(("return np.where(z >= 0, 1.0, e) / (1.0 + e)", "return np.exp(z) / (1.0 + np.exp(z))"),),
        ),
        Mutant(
            "log-of-zero",
            "The loss was taken as the logarithm of a probability that had rounded to 0: infinite or NaN. Compute it "
            "from z = Xw + b: log(1 + e^z) - y·z.",
            swaps=(
                (
                    "np.mean(np.logaddexp(0.0, z) - y * z)",
                    "np.mean(-y * np.log(sigmoid(z)) - (1 - y) * np.log(1 - sigmoid(z)))",
                ),
            ),
        ),
        Mutant(
            "log-clipped",
            "The probability was clipped before the logarithm, so a row that is wrong by a thousand costs as little "
            "as one that is wrong by 35. Compute the loss from z = Xw + b, where nothing rounds.",
            swaps=(
                (
                    "np.mean(np.logaddexp(0.0, z) - y * z)",
                    "np.mean(-np.log(np.clip(np.where(y == 1, sigmoid(z), sigmoid(-z)), 1e-15, 1.0)))",
                ),
            ),
        ),
        Mutant(
            "classes-for-probabilities",
            "The answer holds classes, 0 or 1. Probabilities are needed: thresholds, costs and calibration come "
            "after the model.",
            swaps=(
                (
                    "return sigmoid(np.asarray(X, dtype=float) @ self.w + self.b)",
                    "return (np.asarray(X, dtype=float) @ self.w + self.b > 0) * 1.0",
                ),
            ),
        ),
        Mutant(
            "one-class-fitted",
            "With one class in y no finite intercept is the best, and a model that says the same of everybody hides "
            "a broken data set. Raise ValueError.",
            swaps=(("if y.min() == y.max():", "if False:"),),
        ),
    ),
    accepted=(GradientDescent, CoordinateNewton),
    plug="model",
)
