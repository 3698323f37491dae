"""Ridge regression in closed form: a sum of squares, a penalty that spares the intercept, any shape of X."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def with_rows_for_the_penalty(X, y, penalty):
    """The oracle: ordinary least squares with d more rows, √penalty times the identity, which pull weights to 0."""
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    d = X.shape[1]
    design = np.block([[X, np.ones((len(X), 1))], [np.sqrt(penalty) * np.eye(d), np.zeros((d, 1))]])
    found = np.linalg.lstsq(design, np.concatenate([y, np.zeros(d)]), rcond=None)[0]
    return found[:-1], found[-1]


def cases(rng: np.random.Generator) -> list[Case]:
    """By hand first, then each hard point, then random tables."""
    found = [
        Case("three amounts, as lists", ([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], 2.0)),
        Case(
            "y far from zero",
            (np.array([[1.0], [2.0], [3.0], [6.0]]), np.array([101.0, 102.5, 103.0, 106.0]), 5.0),
            why="the penalty is on the weights alone; shrinking the intercept as well drags every prediction to 0",
        ),
        Case(
            "columns far from zero",
            (np.array([[1000.0, 2.0], [1001.0, 5.0], [1003.0, 1.0]]), np.array([1.0, 0.0, 2.0]), 0.5),
            why="b makes up for the columns' means too: the line passes through the mean row and the mean answer",
        ),
        Case(
            "the same column twice",
            (np.array([[1.0, 1.0], [2.0, 2.0], [4.0, 4.0]]), np.array([1.0, 2.0, 3.0]), 1.0),
            why="XᵀX has no inverse here; with the penalty on its diagonal it has one, and both columns share the weight",
        ),
        Case("more columns than rows", (rng.normal(size=(4, 9)), rng.normal(size=4), 0.3)),
        Case(
            "whole numbers in both",
            (np.array([[1, 0], [0, 3], [2, 2], [5, 1]]), np.array([1, 0, 0, 1]), 3),
            why="a penalty of 3 is 3, whatever the number of rows: the loss is a sum, not a mean",
        ),
        Case("a heavy penalty", (rng.normal(size=(10, 3)), rng.normal(size=10) + 7, 1e6)),
        Case("a penalty of zero", (np.eye(3), np.ones(3), 0.0), raises="ValueError"),
        Case("a negative penalty", (np.eye(3), np.ones(3), -1.0), raises="ValueError"),
        Case("rows that do not fit", (np.ones((3, 2)), np.ones(4), 1.0), raises="ValueError"),
    ]
    for n, d, penalty in ((30, 4, 2.0), (50, 6, 20.0)):
        X = rng.normal(size=(n, d)) * rng.uniform(0.5, 3.0, d) + rng.normal(size=d)
        y = X @ rng.normal(size=d) + rng.normal(size=n) + 3.0
        found.append(Case(f"{n} payments, {d} columns", (X, y, penalty)))
    return found


def by_singular_values(X, y, penalty):
    """Accepted: each direction of the centred rows is shrunk by s² / (s² + penalty)."""
    if penalty <= 0:
        raise ValueError(f"penalty must be positive: {penalty}")
    if len(X) != len(y):
        raise ValueError("X and y differ in length")
    X = np.array(X, dtype=np.float64)
    mean = X.mean(0)
    left, s, right = np.linalg.svd(X - mean, full_matrices=False)
    w = right.T @ (s / (s * s + penalty) * (left.T @ np.array(y, dtype=np.float64)))
    return w.tolist(), np.mean(y) - float(np.dot(mean, w))


def one_weight_per_row(X, y, penalty):
    """Accepted: the dual form, an n by n system: w is a mixture of the rows."""
    rows, target = np.atleast_2d(np.asarray(X, float)), np.asarray(y, float).reshape(-1)
    n = rows.shape[0]
    if n != target.size or not penalty > 0:
        raise ValueError
    away = np.eye(n) - 1.0 / n
    gram = away @ rows @ rows.T @ away
    share = np.linalg.solve(gram + np.diag(np.full(n, penalty)), away @ target)
    weights = (away @ rows).T @ share
    return weights, (target - rows @ weights).mean()


EXERCISE = Exercise(
    id="ridge_regression",
    title="Ridge regression in closed form",
    minutes=15,
    difficulty="easy",
    feeds="07",
    week="3-4",
    hints=(
        "Set the gradient of the loss to zero. First get rid of the intercept: which b is best for a given w?",
        "The best b makes the residuals sum to zero, so centre X and y by their means and solve for w without b.",
        "(ZᵀZ + penalty·I) w = Zᵀ(y − ȳ), with Z the centred rows; `np.linalg.solve`, no inverse. Then b = ȳ − x̄·w.",
    ),
    cases=cases,
    expect=with_rows_for_the_penalty,
    agree=close(1e-6, 1e-7),
    mutants=(
        Mutant(
            "intercept-penalised",
            "The intercept was shrunk like a weight. It only says where zero is: centre X and y, or leave it unpenalised.",
            swaps=(
                ("centre, level = X.mean(axis=0), y.mean()", "centre, level = 0.0, 0.0"),
                ("w = np.linalg.solve(", "Z = np.column_stack([Z, np.ones(len(Z))])\n    w = np.linalg.solve("),
                ("return w, float(level - centre @ w)", "return w[:-1], float(w[-1])"),
            ),
        ),
        Mutant(
            "no-intercept",
            "There is no intercept in this answer: rows and answers were not centred and b is 0.",
            swaps=(("centre, level = X.mean(axis=0), y.mean()", "centre, level = np.zeros(X.shape[1]), 0.0"),),
        ),
        Mutant(
            "intercept-is-the-mean-answer",
            "b is the mean of y less what the mean row already gives. The mean alone is right for centred columns only.",
            swaps=(("float(level - centre @ w)", "float(level)"),),
        ),
        Mutant(
            "loss-is-a-mean",
            "The penalty was multiplied by the number of rows, as if the loss were a mean. Here it is a sum of squares.",
            swaps=(("penalty * np.eye(", "len(X) * penalty * np.eye("),),
        ),
        Mutant(
            "penalty-halved",
            "Derive both terms: the squares give 2ZᵀZ and the penalty 2·penalty, and both twos cancel.",
            swaps=(("penalty * np.eye(", "penalty / 2 * np.eye("),),
        ),
        Mutant(
            "penalty-on-every-entry",
            "The penalty belongs on the diagonal only; added to the whole matrix it penalises the sum of the weights.",
            swaps=(("penalty * np.eye(Z.shape[1])", "penalty"),),
        ),
        Mutant(
            "any-penalty-taken",
            "A penalty of 0 or less was accepted. A negative one rewards large weights; the question asks for ValueError.",
            swaps=(("if penalty <= 0 or len(X) != len(y):", "if len(X) != len(y):"),),
        ),
    ),
    accepted=(by_singular_values, one_weight_per_row),
)
