"""Numerical Jacobian: outputs in rows, inputs in columns, central differences, a single output is one row."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant

MAPS = {
    "polar": lambda x: np.array([x[0] * np.cos(x[1]), x[0] * np.sin(x[1])]),
    "shares": lambda x: np.exp(x) / np.exp(x).sum(),
    "products": lambda x: np.array([x[0] * x[1], x[1] * x[2], x[0] ** 3, x[2]]),
    "total": lambda x: (x**2).sum(),
}


def derived_by_hand(name, x, h=1e-5):
    """The oracle: derivatives on paper; a cube's central difference is off by h² exactly."""
    x = np.asarray(x, dtype=float)
    if name == "polar":
        return np.array([[np.cos(x[1]), -x[0] * np.sin(x[1])], [np.sin(x[1]), x[0] * np.cos(x[1])]])
    if name == "shares":
        p = np.exp(x) / np.exp(x).sum()
        return np.diag(p) - np.outer(p, p)
    if name == "total":
        return 2 * x[None, :]
    a, b, c = x
    return np.array([[b, a, 0], [0, c, b], [3 * a**2 + h**2, 0, 0], [0, 0, 1]])


def cases(rng: np.random.Generator) -> list[Case]:
    """Square, tall, and one-row Jacobians, integers, a wide step, then random points."""
    found = [
        Case("east and north from radius and angle", ("polar", [2.0, 0.0])),
        Case(
            "off the axes",
            ("polar", np.array([2.0, 0.7])),
            why="the table is square and not symmetric: outputs belong in rows, inputs in columns",
        ),
        Case("four outputs of three inputs", ("products", np.array([1.5, -2.0, 0.5])), why="the shape is (m, d)"),
        Case("one output", ("total", np.array([1.0, 3.0, -2.0])), why="a single number counts as one row"),
        Case("whole numbers", ("products", np.array([2, 3, 1])), why="an integer array cannot hold 2.00001"),
        Case(
            "a wide step",
            ("products", np.array([1.0, 2.0, 3.0])),
            {"h": 0.5},
            why="a step up and a step down; the step is h for each coordinate, divided by 2h",
        ),
        Case("one input, as a list", ("total", [4.0])),
        Case("a matrix", ("total", np.ones((2, 2))), raises="ValueError"),
        Case("a number", ("total", 3.0), raises="ValueError"),
    ]
    found.append(Case("six shares", ("shares", rng.normal(size=6))))
    found.append(Case("a random point", ("products", rng.normal(size=3) * 3)))
    found.append(Case("a random place", ("polar", rng.normal(size=2))))
    return found


def filled_entry_by_entry(name, x, h=1e-5):
    """Accepted: an array made first, then filled column by column in place."""
    if np.ndim(x) != 1:
        raise ValueError("x is not a vector")
    centre = np.asarray(x, dtype=float)
    found = np.zeros((np.size(MAPS[name](centre)), centre.size))
    for j in range(centre.size):
        moved = centre.copy()
        moved[j] += h
        found[:, j] = MAPS[name](moved)
        moved[j] = centre[j] - h
        found[:, j] -= MAPS[name](moved)
    return found / h / 2


def by_outputs(name, x, h=1e-5):
    """Accepted: one gradient for each output, by loops."""
    x = [float(v) for v in np.array(x, ndmin=1)] if np.ndim(x) == 1 else None
    if x is None:
        raise ValueError("need shape (d,)")

    def output(i, j, sign):
        return np.ravel(MAPS[name](np.array([v + sign * h * (k == j) for k, v in enumerate(x)])))[i]

    many = len(np.ravel(MAPS[name](np.array(x))))
    return [[(output(i, j, 1) - output(i, j, -1)) / (2 * h) for j in range(len(x))] for i in range(many)]


EXERCISE = Exercise(
    id="numerical_jacobian",
    title="Numerical Jacobian",
    minutes=15,
    difficulty="easy",
    feeds="07",
    week="1-2",
    hints=(
        "Moving one input changes all outputs at once. Which part of the table does that fill?",
        "Rows of `h * np.eye(d)` are the steps. Each pair of calls gives one column.",
        "`np.stack(columns, axis=1)` sets columns side by side; `np.atleast_1d` makes a number a vector of one.",
    ),
    cases=cases,
    expect=derived_by_hand,
    agree=close(rtol=1e-6, atol=1e-8),
    mutants=(
        Mutant(
            "transposed",
            "Inputs are in the rows and outputs in the columns. Row i, column j is output i by input j.",
            swaps=(("axis=1", "axis=0"),),
        ),
        Mutant(
            "forward-difference",
            "The difference was taken on one side only; its error is of the first power of the step.",
            swaps=(("MAPS[name](x - step)", "MAPS[name](x)"), ("(2 * h)", "h")),
        ),
        Mutant(
            "divided-by-one-step",
            "The two points lie two steps apart, and the difference was divided by one.",
            swaps=(("(2 * h)", "h"),),
        ),
        Mutant(
            "all-inputs-moved",
            "All inputs were moved together, so each column holds the sum of the row. Move one at a time.",
            swaps=(("h * np.eye(len(x))", "h * np.ones((len(x), len(x)))"),),
        ),
        Mutant(
            "outputs-added-up",
            "The outputs were summed, which gives one gradient. The Jacobian keeps a row for each output.",
            swaps=(("(above - below)", "(above - below).sum(keepdims=True)"),),
        ),
        Mutant(
            "one-output-is-a-row-too",
            "A single output gave shape (d,) instead of (1, d).",
            swaps=(("np.stack(columns, axis=1)", "np.stack(columns, axis=1).squeeze()"),),
        ),
        Mutant(
            "any-shape-taken",
            "A matrix or a number was taken for x. Rows and columns of the answer would then mean nothing: raise "
            "ValueError.",
            swaps=(
                (
                    '    if x.ndim != 1:\n        raise ValueError(f"x must have shape (d,), got {x.shape}")\n',
                    "    x = x.ravel()\n",
                ),
            ),
        ),
    ),
    accepted=(filled_entry_by_entry, by_outputs),
)
