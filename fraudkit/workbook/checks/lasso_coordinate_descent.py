"""Lasso by coordinate descent: soft threshold, columns of any length, newest weights at every step."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant


def best_of_three(X, y, penalty, sweeps):
    """The oracle: along one weight the loss is two half parabolas that meet at 0; tries both bottoms and 0.

    It evaluates the whole loss at each, with everything else fixed, and knows no soft threshold.
    """
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    n, d = X.shape
    w = np.zeros(d)

    def loss(j, value):
        trial = w.copy()
        trial[j] = value
        return ((y - X @ trial) ** 2).sum() / (2 * n) + penalty * np.abs(trial).sum()

    for _ in range(sweeps):
        for j in range(d):
            bend = (X[:, j] ** 2).sum() / n
            others = y - X @ np.where(np.arange(d) == j, 0.0, w)
            pull = (X[:, j] * others).sum() / n
            if bend == 0:
                w[j] = 0.0
                continue
            above, below = max((pull - penalty) / bend, 0.0), min((pull + penalty) / bend, 0.0)
            w[j] = min((0.0, above, below), key=lambda value: loss(j, value))
    return w


def cases(rng: np.random.Generator) -> list[Case]:
    """One weight by hand, then each hard point, then random tables."""
    found = [
        Case("one column, as lists", ([[1.0], [-1.0], [2.0], [-2.0]], [2.0, -2.0, 4.0, -4.0], 0.5, 1)),
        Case("one column that is not worth its penalty", (np.array([[1.0], [-1.0]]), np.array([0.3, -0.3]), 0.4, 3)),
        Case(
            "a negative weight",
            (np.array([[1.0], [-1.0], [3.0]]), np.array([-2.0, 2.0, -7.0]), 0.5, 1),
            why="the threshold moves towards 0 from either side: −a becomes −(a − penalty), not −(a + penalty)",
        ),
        Case(
            "columns of different length",
            (np.array([[1.0, 10.0], [2.0, -5.0], [-3.0, 5.0], [0.0, -10.0]]), np.array([3.0, 1.0, -4.0, 2.0]), 0.2, 2),
            why="the pull is divided by the column's own mean square; it is 1 only after standardising",
        ),
        Case(
            "two columns alike, one sweep",
            (np.array([[1.0, 1.0], [-1.0, -1.0], [2.0, 2.5]]), np.array([2.0, -1.0, 5.0]), 0.1, 1),
            why="the second weight is set when the first has already been moved in the same sweep",
        ),
        Case(
            "two columns alike, five sweeps",
            (np.array([[1.0, 1.0], [-1.0, -1.0], [2.0, 2.5]]), np.array([2.0, -1.0, 5.0]), 0.1, 5),
        ),
        Case(
            "a column of zeros",
            (np.array([[1.0, 0.0], [2.0, 0.0], [-1.0, 0.0]]), np.array([2.0, 3.0, -2.0]), 0.1, 2),
            why="nothing can be divided by the mean square of an empty column; its weight is 0, not NaN",
        ),
        Case("whole numbers", (np.array([[1, 0], [0, 2], [3, 1]]), np.array([4, 1, 9]), 1, 3)),
        Case("no sweep", (np.eye(2), np.ones(2), 0.1, 0)),
        Case("no penalty is least squares, in time", (rng.normal(size=(12, 2)), rng.normal(size=12), 0.0, 200)),
        Case("a negative penalty", (np.eye(2), np.ones(2), -0.1, 1), raises="ValueError"),
    ]
    for n, d, penalty, sweeps in ((20, 5, 0.2, 1), (30, 8, 0.3, 20), (6, 10, 0.1, 7)):
        X = rng.normal(size=(n, d)) * rng.uniform(0.5, 2.0, d)
        X[:, 1] = X[:, 0] + 0.3 * X[:, 1]
        w = rng.normal(size=d) * (rng.random(d) < 0.5) * 2
        found.append(
            Case(f"{n} payments, {d} columns, {sweeps} sweeps", (X, X @ w + rng.normal(size=n), penalty, sweeps))
        )
    return found


def large(rng: np.random.Generator, d: int) -> Case:
    """d columns of 4,000 rows, to see how the time of one sweep grows with d."""
    X = rng.normal(size=(4000, d))
    return Case(f"{d} columns", (X, X[:, 0] + rng.normal(size=4000), 0.1, 1))


def columns_of_length_one(X, y, penalty, sweeps):
    """Accepted: columns are brought to mean square 1, where the pull is the weight, and weights are put back at the end."""
    X = np.array(X, dtype=np.float64)
    if penalty < 0:
        raise ValueError("negative penalty")
    scale = np.sqrt((X * X).sum(0) / len(X))
    scale = np.where(scale > 0, scale, np.inf)
    X = np.asfortranarray(X / scale)
    left = np.array(y, dtype=np.float64)
    u = np.zeros(X.shape[1])
    for _ in range(sweeps):
        for j, cut in enumerate(penalty / scale):
            old, target = u[j], u[j] + X[:, j].dot(left) / len(X)
            u[j] = max(target - cut, 0.0) - max(-target - cut, 0.0)
            if u[j] != old:
                left = left - (u[j] - old) * X[:, j]
    return u / scale


def clipped_pull(X, y, penalty, sweeps):
    """Accepted: what the threshold takes away is the pull cut to ±penalty; predictions are kept up to date."""
    columns = np.ascontiguousarray(np.asarray(X, dtype=float).T)
    if not penalty >= 0:
        raise ValueError(penalty)
    answers, predicted = np.asarray(y, dtype=float), np.zeros(columns.shape[1])
    weights = {j: 0.0 for j in range(len(columns)) if np.any(columns[j])}
    for j in list(weights) * sweeps:
        column = columns[j]
        scale = np.mean(np.square(column))
        pull = np.mean(column * (answers - predicted)) + scale * weights[j]
        new = (pull - np.clip(pull, -penalty, penalty)) / scale
        predicted = predicted + column * (new - weights[j])
        weights[j] = new
    return [weights.get(j, 0.0) for j in range(len(columns))]


EXERCISE = Exercise(
    id="lasso_coordinate_descent",
    title="Lasso by coordinate descent",
    minutes=25,
    difficulty="medium",
    feeds="07",
    week="3-4",
    hints=(
        "Fix all weights but one. The loss is then a parabola plus a V at zero: where is the lowest point?",
        "Take the column's own part out of the prediction: ρ is the mean of its entries times what the others leave over.",
        "The bottom is at sign(ρ)·max(|ρ| − penalty, 0), divided by the mean square of the column.",
        "Keep the residual y − Xw and correct it by one column whenever a weight moves: n steps for a weight, not n·d.",
    ),
    cases=cases,
    expect=best_of_three,
    agree=close(1e-6, 1e-8),
    mutants=(
        Mutant(
            "ridge-instead",
            "This shrinks the weight by a factor, as a squared penalty does; it never becomes exactly zero. "
            "The penalty on |w| takes a fixed amount off the pull.",
            swaps=(("np.sign(pull) * max(abs(pull) - penalty, 0.0) / length[j]", "pull / (length[j] + penalty)"),),
        ),
        Mutant(
            "threshold-of-one-sign",
            "The penalty was subtracted whatever the sign. A negative weight has to move up towards zero.",
            swaps=(
                ("np.sign(pull) * max(abs(pull) - penalty, 0.0)", "(pull - penalty if abs(pull) > penalty else 0.0)"),
            ),
        ),
        Mutant(
            "kept-whole-above-the-threshold",
            "Weights above the threshold were left as they are. Soft thresholding also takes the penalty off those.",
            swaps=(("np.sign(pull) * max(abs(pull) - penalty, 0.0)", "(pull if abs(pull) > penalty else 0.0)"),),
        ),
        Mutant(
            "weights-of-the-last-sweep",
            "All weights were computed from the residual at the start of the sweep. Coordinate descent uses each new "
            "weight at once; with columns alike, moving all at the same time goes too far.",
            swaps=(
                ("    for _ in range(sweeps):\n", "    for _ in range(sweeps):\n        start = residual.copy()\n"),
                ("X[:, j] @ residual / n", "X[:, j] @ start / n"),
            ),
        ),
        Mutant(
            "own-part-left-in",
            "The column's own contribution was still in the residual. The pull must come from what the other columns leave.",
            swaps=((" + length[j] * w[j]", ""),),
        ),
        Mutant(
            "columns-of-length-one",
            "The pull was not divided by the column's mean square. That is only right when every column is standardised.",
            swaps=(("max(abs(pull) - penalty, 0.0) / length[j]", "max(abs(pull) - penalty, 0.0)"),),
        ),
        Mutant(
            "penalty-against-a-sum",
            "The loss is the squares over 2n: the pull is a mean over the rows, and only then compared with the penalty.",
            swaps=(("abs(pull) - penalty", "abs(pull) - penalty / n"),),
        ),
        Mutant(
            "whole-prediction-each-time",
            "Right, but the whole prediction Xw is computed anew for each weight. Correct the residual by one column instead.",
            swaps=(
                (
                    "residual += X[:, j] * (w[j] - new)\n            w[j] = new",
                    "w[j] = new\n            residual = y - X @ w",
                ),
            ),
        ),
    ),
    accepted=(columns_of_length_one, clipped_pull),
    growth=Growth(
        large, n=100, says="Keep the residual and correct it by the one column whose weight has moved.", limit=9.0
    ),
)
