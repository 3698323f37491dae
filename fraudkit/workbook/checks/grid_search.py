"""Grid search with cross-validation: all combinations in order, held-out rows, folds by size, first of equals."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def held_out_loss(settings, X_train, y_train, X_test, y_test):
    """The loss that the notebook gives."""

    def shaped(X):
        return np.column_stack([np.clip(X, -settings["clip"], settings["clip"]), np.ones(len(X))])

    A, ridge = shaped(X_train), settings["l2"] * np.eye(X_train.shape[1] + 1)
    ridge[-1, -1] = 0.0
    weights = np.linalg.solve(A.T @ A + ridge, A.T @ y_train)
    return float(np.mean((shaped(X_test) @ weights - y_test) ** 2))


def counted_through(grid, X, y, fold):
    """The oracle: points by counting in mixed radix, the error of every row gathered on its own."""
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    total = 1
    for values in grid.values():
        total *= len(values)
    points, losses = [], []
    for number in range(total):
        settings: dict[str, Any] = {}
        for name in reversed(list(grid)):
            number, place = divmod(number, len(grid[name]))
            settings[name] = grid[name][place]
        points.append({name: settings[name] for name in grid})
        errors = []
        for row, held in enumerate(fold):
            rest = [i for i, other in enumerate(fold) if other != held]
            errors.append(held_out_loss(points[-1], X[rest], y[rest], X[[row]], y[[row]]))
        losses.append(float(np.mean(errors)))
    # Points with the same model differ in their last digit only; the first of them is the best.
    best = next(i for i, loss in enumerate(losses) if loss <= min(losses) + 1e-9)
    return points[best], np.array(losses)


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same losses, and the first point that reaches the lowest."""
    if not isinstance(got, tuple | list) or len(got) != 2:
        return "the answer should be a tuple of two: the best settings and the losses"
    if reason := difference(got[1], expected[1], 1e-7, 1e-9):
        return f"losses: {reason}"
    reason = difference(got[0], expected[0], 1e-12, 0.0)
    return f"best settings: {reason}" if reason else ""


def cases(rng: np.random.Generator) -> list[Case]:
    """By hand, order of points, uneven folds, ties, what cannot be, then random tables."""
    line = ([[0.0], [1.0], [2.0], [3.0]], [0.0, 1.0, 2.0, 3.0])
    bent = (np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [9.0]]), np.array([0.0, 1.2, 1.9, 3.1, 3.9, 4.2, 4.0]))
    found = [
        Case("two by two", ({"l2": [100.0, 0.0], "clip": [2.0, 9.0]}, *line, [0, 1, 0, 1])),
        Case(
            "three by two, clip first",
            ({"clip": [1.5, 4.0, 9.0], "l2": [0.0, 2.0]}, *bent, np.array([0, 1, 2, 0, 1, 2, 0])),
            why="the last name changes fastest; crossing lists is not pairing them",
        ),
        Case(
            "folds of very different size",
            ({"l2": [0.5, 5.0], "clip": [9.0]}, *bent, np.array([0, 0, 0, 0, 0, 1, 1])),
            why="each row counts alike, so a fold of five counts more than one of two",
        ),
        Case(
            "more is less",
            ({"l2": [0.0, 0.1, 1.0, 10.0], "clip": [50.0]}, *bent, np.array([5, 7, 5, 7, 5, 7, 9])),
            why="folds have any numbers for names; each that occurs is held out",
        ),
        Case(
            "a tie",
            ({"l2": [1.0], "clip": [20.0, 30.0, 10.0]}, *bent, np.array([0, 1, 0, 1, 0, 1, 1])),
            why="nothing is cut at 10 or above: three equal points, the first is taken",
        ),
        Case("a single point", ({"l2": [1.0], "clip": [3.0]}, *line, [0, 0, 1, 1])),
        Case("a name without values", ({"l2": [], "clip": [1.0]}, *line, [0, 1, 0, 1]), raises="ValueError"),
        Case("no names", ({}, *line, [0, 1, 0, 1]), raises="ValueError"),
        Case(
            "one fold", ({"l2": [1.0], "clip": [1.0]}, *line, [2, 2, 2, 2]), raises="ValueError", why="nothing is left"
        ),
    ]
    for n, d in ((24, 2), (30, 3)):
        X = rng.normal(size=(n, d)) * 2
        y = np.clip(X, -1.5, 1.5) @ rng.normal(size=d) + rng.normal(size=n)
        fold = rng.permutation(np.arange(n) % 5 * (np.arange(n) % 3 > 0))
        grid = {"l2": [0.01, 1.0, 10.0], "clip": [0.7, 1.5, 3.0]}
        found.append(Case(f"{n} rows, nine points", (grid, X, y, fold)))
    return found


def points_by_recursion(grid, X, y, fold):
    """Accepted: points by recursion, squared errors summed over all folds."""

    def combinations(names):
        if not names:
            return [{}]
        return [{names[0]: value, **rest} for value in grid[names[0]] for rest in combinations(names[1:])]

    points = combinations(list(grid))
    if points in ([], [{}]) or len(set(np.ravel(fold).tolist())) == 1:
        raise ValueError("nothing to try, or nothing to hold out")
    X, y, fold = np.array(X, dtype=float), np.array(y, dtype=float), np.array(fold)
    found = []
    for point in points:
        total = 0.0
        for held in sorted(set(fold.tolist())):
            test, train = np.flatnonzero(fold == held), np.flatnonzero(fold != held)
            total += len(test) * held_out_loss(point, X[train], y[train], X[test], y[test])
        found.append(total / len(y))
    return points[found.index(min(found))], found


def fold_by_fold(grid, X, y, fold):
    """Accepted: folds outside, points inside, a table of losses weighed at the end."""
    if not all(len(values) for values in grid.values()) or len(grid) == 0:
        raise ValueError("grid")
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    held, counts = np.unique(fold, return_counts=True)
    if held.size < 2:
        raise ValueError("folds")
    every = list(product(*grid.values()))
    table = np.empty((held.size, len(every)))
    for f, value in enumerate(held):
        mask = np.equal(fold, value)
        for p, combination in enumerate(every):
            chosen = {name: combination[k] for k, name in enumerate(grid)}
            table[f, p] = held_out_loss(chosen, X[~mask], y[~mask], X[mask], y[mask])
    losses = np.average(table, axis=0, weights=counts)
    return {name: every[losses.argmin()][k] for k, name in enumerate(grid)}, losses


EXERCISE = Exercise(
    id="grid_search",
    title="Grid search with cross-validation",
    minutes=20,
    difficulty="easy",
    feeds="08",
    week="9-10",
    hints=(
        "Three loops: points, folds, and inside them one training. Make the list of points first.",
        "`itertools.product(*grid.values())` crosses the lists; `dict(zip(grid, values))` names them again.",
        "For a fold, `fold == name` are the test rows and the rest the training rows; weigh by the share of test rows.",
    ),
    cases=cases,
    expect=counted_through,
    agree=agree,
    mutants=(
        Mutant(
            "training-loss",
            "Each point was measured on the rows it was trained on. That favours the most flexible point always.",
            swaps=(("X[~out], y[~out], X[out], y[out])", "X[~out], y[~out], X[~out], y[~out])"),),
        ),
        Mutant(
            "trained-on-everything",
            "The held-out rows were in the training data as well.",
            swaps=(("X[~out], y[~out], X[out], y[out])", "X, y, X[out], y[out])"),),
        ),
        Mutant(
            "train-and-test-swapped",
            "The model was trained on the fold and tested on the rest.",
            swaps=(("X[~out], y[~out], X[out], y[out])", "X[out], y[out], X[~out], y[~out])"),),
        ),
        Mutant(
            "folds-alike",
            "The folds' losses were averaged as they are. Rows count alike, so a fold counts by its size.",
            swaps=(
                ("out.mean() * held_out_loss", "held_out_loss"),
                ("np.argmin(losses))], losses", "np.argmin(losses))], losses / len(names)"),
            ),
        ),
        Mutant(
            "first-fold-only",
            "Only one fold was held out. Each is held out once.",
            swaps=(("for name in names:", "for name in names[:1]:"), ("out.mean() * held_out_loss", "held_out_loss")),
        ),
        Mutant(
            "first-name-fastest",
            "The first name changes fastest. Nested loops in the dict's order change the last one fastest.",
            swaps=(
                (
                    "[dict(zip(grid, values, strict=True)) for values in product(*grid.values())]",
                    "[dict(zip(grid, values[::-1], strict=True)) for values in product(*list(grid.values())[::-1])]",
                ),
            ),
        ),
        Mutant(
            "paired-not-crossed",
            "The lists were paired, first with first. A grid is all combinations.",
            swaps=(("product(*grid.values())", "zip(*grid.values())"),),
        ),
        Mutant(
            "highest-loss",
            "The point of highest loss was taken.",
            swaps=(("np.argmin(losses)", "np.argmax(losses)"),),
        ),
        Mutant(
            "last-of-equals",
            "Of equal points the last was taken; the question takes the first.",
            swaps=(
                ("int(np.argmin(losses))", "max(i for i in range(len(points)) if losses[i] <= losses.min() + 1e-12)"),
            ),
        ),
        Mutant(
            "one-fold-taken",
            "With one fold nothing is left to train on. Raise ValueError.",
            swaps=(
                (" or len(names) < 2", ""),
                ("X[~out], y[~out], X[out]", "X[~out | (len(names) < 2)], y[~out | (len(names) < 2)], X[out]"),
            ),
        ),
    ),
    accepted=(points_by_recursion, fold_by_fold),
)
