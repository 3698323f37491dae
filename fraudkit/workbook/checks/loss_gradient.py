"""Gradients of the mean squared, logistic and hinge loss: labels of 0 and 1, large margins, the kink."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_differences(loss, w, X, y):
    """The oracle: central differences of the loss itself, row by row, where a row on the kink adds nothing."""
    w, total = np.asarray(w, dtype=float), np.zeros(len(w))
    for row, label in zip(np.asarray(X, dtype=float), y, strict=True):
        z = float(row @ w)
        if not (loss == "hinge" and (2 * label - 1) * z == 1):
            s = 1e-4
            total += row * (_value(loss, z + s, label) - _value(loss, z - s, label)) / (2 * s)
    return total / len(y)


def _value(loss, z, label):
    if loss == "squared":
        return (z - label) ** 2 / 2
    if loss == "logistic":
        return np.logaddexp(0, -z if label else z)
    return max(0.0, 1 - z if label else 1 + z)


LOSSES = ("squared", "logistic", "hinge")


def cases(rng: np.random.Generator) -> list[Case]:
    """The examples, large margins, the kink, an unknown name, then random rows far from the kink."""
    X, y = np.array([[1.0, 2.0], [1.0, 0.0]]), np.array([1, 0])
    found = [Case(f"two rows, {loss}", (loss, [1.0, 1.0], X.tolist(), y.tolist())) for loss in LOSSES]
    found += [
        Case("logistic at zero", ("logistic", np.zeros(2), X, y), why="p is 1/2 there, the slope p - y"),
        Case(
            "logistic at a thousand",
            ("logistic", np.array([1000.0, -1000.0]), X, y),
            why="exp(1000) is infinite; the slope is 0 or 1 in size, never NaN",
        ),
        Case(
            "hinge, genuine payments only",
            ("hinge", np.array([0.5, 0.25]), np.array([[1, 2], [2, -8], [0, 3]]), np.array([0, 0, 0])),
            why="a genuine payment wants z below -1: its label counts as -1, not as 0",
        ),
        Case(
            "hinge on the kink",
            ("hinge", np.array([1.0, 0.0]), np.array([[1.0, 5.0], [-1.0, 3.0], [0.5, 1.0]]), np.array([1, 0, 1])),
            why="where s·z is exactly 1 the question sets the derivative to 0",
        ),
        Case(
            "squared, whole numbers",
            ("squared", np.array([2, 1]), np.array([[1, 1], [2, 0], [3, 1]], dtype=np.int8), np.array([1, 0, 1])),
            why="half a square has the slope z - y; the mean divides by the number of rows",
        ),
        Case("a loss that is not known", ("absolute", np.zeros(2), X, y), raises="ValueError"),
    ]
    for loss in LOSSES:
        rows, w, labels = rng.normal(size=(40, 3)), rng.normal(size=3), np.arange(40) % 4 == 0
        near = np.abs((2 * labels - 1) * (rows @ w) - 1) < 1e-2  # no row may sit on the kink by accident
        found.append(Case(f"40 rows, {loss}", (loss, w, rows[~near], labels[~near].astype(int))))
    return found


def one_row_at_a_time(loss, w, X, y):
    """Accepted: loops, with math on single numbers."""
    gradient = np.zeros(len(w))
    for row, label in zip(X, y, strict=True):
        z = float(np.dot(row, w))
        if loss == "squared":
            pull = z - label
        elif loss == "logistic":
            pull = (np.tanh(z / 2) + 1) / 2 - label
        elif loss == "hinge":
            pull = 0
            if label == 1 and z < 1:
                pull = -1
            if label == 0 and z > -1:
                pull = 1
        else:
            raise ValueError(loss)
        gradient = gradient + pull * np.array(row, dtype=float)
    return gradient / len(X)


def table_of_slopes(loss, w, X, y):
    """Accepted: a table of functions of the margin."""
    slopes = {
        "squared": lambda z, s: z - (s + 1) / 2,
        "logistic": lambda z, s: -s * np.exp(-np.logaddexp(0, s * z)),
        "hinge": lambda z, s: -s * (1 - s * z > 0),
    }
    if loss not in slopes:
        raise ValueError(f"unknown loss {loss}")
    X = np.array(X, dtype=float)
    sign = np.where(np.array(y) > 0, 1.0, -1.0)
    return (slopes[loss](X.dot(w), sign)[:, None] * X).mean(axis=0)


EXERCISE = Exercise(
    id="loss_gradient",
    title="Gradients of three losses",
    minutes=15,
    difficulty="easy",
    feeds="07",
    week="1-2",
    hints=(
        "Derive each loss by z alone. What does z = Xw add, whichever the loss?",
        "Slopes by z: z - y; p - y; and -s where s·z is below 1, else 0.",
        "With e = exp(-|z|), p is 1/(1 + e) for z at or above 0 and e/(1 + e) below.",
    ),
    cases=cases,
    expect=by_differences,
    agree=close(rtol=1e-6, atol=1e-7),
    mutants=(
        Mutant(
            "square-doubled",
            "The loss is half a square, so its slope is z - y without a 2.",
            swaps=(("slope = z - y\n", "slope = 2 * (z - y)\n"),),
        ),
        Mutant(
            "sum-not-mean",
            "The rows' gradients were added up. The mean divides by n, so that a learning rate fits any number of rows.",
            swaps=((" / len(y)", ""),),
        ),
        Mutant(
            "hinge-with-zero-labels",
            "The hinge loss took the labels 0 and 1 as they are, so genuine payments have no margin. Map them to -1 "
            "and +1.",
            swaps=(("side = 2 * y - 1", "side = y"),),
        ),
        Mutant(
            "kink-counted",
            "A row exactly on the margin was counted. The question takes the derivative 0 there.",
            swaps=(("side * z < 1", "side * z <= 1"),),
        ),
        Mutant(
            "hinge-reversed",
            "The hinge's gradient points up the wrong way: the loss falls as s·z grows, so the slope by z is -s.",
            swaps=(("-side, 0.0", "side, 0.0"),),
        ),
        Mutant(
            "hinge-everywhere",
            "Rows beyond the margin pull too. Their loss is 0 and stays so nearby: no gradient.",
            swaps=(("np.where(side * z < 1, -side, 0.0)", "-side"),),
        ),
        Mutant(
            "logistic-with-signs",
            "The residual p - y was taken with labels of -1 and +1; it belongs to labels of 0 and 1.",
            swaps=(("/ (1 + small) - y", "/ (1 + small) - (2 * y - 1)"),),
        ),
        Mutant(
            "overflow-is-nan",
            "exp(z) / (1 + exp(z)) is infinity by infinity at z = 1000. Take exp of -|z|.",
            swaps=(
                ("np.exp(-np.abs(z))", "np.exp(z)"),
                ("np.where(z >= 0, 1.0, small) / (1 + small)", "small / (1 + small)"),
            ),
        ),
        Mutant(
            "any-name-taken",
            "An unknown loss was taken for the hinge loss. A misspelt name has to be an error.",
            swaps=(
                ('    elif loss == "hinge":', "    else:"),
                ('    else:\n        raise ValueError(f"loss must be squared, logistic or hinge, got {loss!r}")\n', ""),
            ),
        ),
    ),
    accepted=(one_row_at_a_time, table_of_slopes),
)
