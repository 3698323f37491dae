"""Permutation importance: columns of a group move together, the rise of the loss is averaged, nothing stays moved."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_what_changes(weights, bias, X, y, groups, permutations):
    """The oracle: no table is shuffled; a row's margin changes by the difference of two rows' parts from the group."""
    w = [float(value) for value in weights]
    rows, labels = np.asarray(X, dtype=float).tolist(), [int(label) for label in y]

    def paid(margin, label):
        z = margin if label == 0 else -margin
        return max(z, 0.0) + math.log1p(math.exp(-abs(z)))

    margins = [bias + math.fsum(a * b for a, b in zip(row, w, strict=True)) for row in rows]
    rises = []
    for group in groups:
        part = [math.fsum(row[j] * w[j] for j in group) for row in rows]
        total = 0.0
        for order in permutations:
            for i, other in enumerate(order):
                total += paid(margins[i] - part[i] + part[int(other)], labels[i]) - paid(margins[i], labels[i])
        rises.append(total / len(permutations) / len(rows))
    return np.array(rises)


def cases(rng: np.random.Generator) -> list[Case]:
    """By hand first, then each point, then random models."""
    X = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0], [2.0, 1.5, 0.0], [-1.0, 0.5, 1.0]])
    y = np.array([1, 0, 1, 0])
    w = np.array([1.5, -0.5, 0.8])
    turns = np.array([[1, 2, 3, 0], [3, 2, 1, 0]])
    singles = [[0], [1], [2]]
    found = [
        Case("one column, as lists", ([2.0], 0.0, [[1.0], [-1.0]], [1, 0], [[0]], [[1, 0]])),
        Case("three columns", (w, -0.5, X, y, singles, turns), why="each column is measured with all others in place"),
        Case(
            "a weight of zero",
            (np.array([1.0, 0.0, 1.0]), 0.0, X, y, singles, turns),
            why="shuffling what the model does not look at changes nothing: exactly 0",
        ),
        Case(
            "two columns that are copies",
            (np.array([1.0, 1.0]), 0.0, np.column_stack([X[:, 0], X[:, 0]]), y, [[0], [1], [0, 1]], turns),
            why="the columns of a group come from the same other row; the group matters more than its columns one by one",
        ),
        Case(
            "a group whose parts cancel",
            (np.array([3.0, -3.0, 1.0]), 0.0, X[:, [0, 0, 2]], y, [[0, 1], [2]], turns),
            why="moved together the two copies still cancel; moved apart they would seem to matter",
        ),
        Case(
            "a column that misleads",
            (np.array([-2.0, 0.0, 0.0]), 0.3, X, y, singles, turns),
            why="shuffling can lower the loss; a negative importance is a finding and is not cut off at 0",
        ),
        Case(
            "margins of thousands",
            (np.array([900.0, 0.0, 0.0]), 0.0, X, 1 - y, singles[:1], turns),
            why="log(sigmoid) overflows at such margins; log(1 + e^m) − y·m, by logaddexp, does not",
        ),
        Case("nothing is moved", (w, 0.0, X, y, [[0, 2]], np.array([[0, 1, 2, 3]]))),
        Case(
            "whole numbers and booleans",
            (np.array([2, -1]), 1, np.array([[1, 3], [0, 2], [4, 4]]), y[:3] == 1, [[1], [0]], [[2, 0, 1]]),
        ),
        Case(
            "a row drawn twice",
            (w, 0.0, X, y, singles, np.array([[0, 0, 1, 2]])),
            raises="ValueError",
            why="drawing with replacement changes the column's distribution; a permutation does not",
        ),
    ]
    for n, d, repeats in ((12, 4, 3), (40, 5, 6)):
        weights = rng.normal(size=d)
        rows = rng.normal(size=(n, d))
        rows[:, 1] += rows[:, 0]
        labels = (rows @ weights + rng.normal(size=n) > 0).astype(int)
        orders = np.array([rng.permutation(n) for _ in range(repeats)])
        found.append(
            Case(f"{n} payments, {repeats} permutations", (weights, 0.2, rows, labels, [[0], [0, 1], [2, 3]], orders))
        )
    return found


def all_at_once(weights, bias, X, y, groups, permutations):
    """Accepted: one table of shuffled margins per group, (repeats, n), and the losses of all in one go."""
    X, weights = np.asarray(X, dtype=float), np.asarray(weights, dtype=float)
    permutations = np.asarray(permutations)
    n = len(X)
    if any(sorted(order) != list(range(n)) for order in permutations.tolist()):
        raise ValueError("not a permutation")
    sign = np.where(np.asarray(y) == 1, -1.0, 1.0)
    margins = X @ weights + bias
    answer = np.empty(len(groups))
    for g, group in enumerate(groups):
        part = X[:, list(group)] @ weights[list(group)]
        shuffled = (margins - part)[None, :] + part[permutations]
        answer[g] = (np.logaddexp(0, sign * shuffled) - np.logaddexp(0, sign * margins)).mean()
    return answer


def with_a_scorer(weights, bias, X, y, groups, permutations):
    """Accepted: a scorer for any table, and tables put together from their columns."""
    n = len(y)
    for order in permutations:
        if len(set(np.asarray(order).tolist())) < n:
            raise ValueError("a row comes twice")
    columns = list(np.array(X, dtype=np.float64).T)
    truth = np.array(y, dtype=np.float64)

    def loss(table):
        m = sum((w * column for w, column in zip(weights, table, strict=True)), np.full(n, float(bias)))
        return np.sum(np.maximum(m, 0) + np.log1p(np.exp(-np.abs(m))) - truth * m) / n

    start = loss(columns)
    result = []
    for group in groups:
        tables = ([c[list(order)] if j in group else c for j, c in enumerate(columns)] for order in permutations)
        rises = [loss(table) - start for table in tables]
        result.append(sum(rises) / len(rises))
    return result


EXERCISE = Exercise(
    id="permutation_importance",
    title="Permutation importance of groups of columns",
    minutes=15,
    difficulty="easy",
    feeds="07",
    week="3-4",
    hints=(
        "What does the model lose when a column keeps its values but no longer belongs to its rows?",
        "For each permutation: a fresh copy of X, the group's columns taken from the permuted rows, the loss again.",
        "`moved[:, group] = X[order][:, group]` moves the whole group alike; log loss of a margin m is logaddexp(0, m) − y·m.",
    ),
    cases=cases,
    expect=by_what_changes,
    agree=close(1e-6, 1e-10),
    mutants=(
        Mutant(
            "columns-moved-apart",
            "The columns of a group were moved by different permutations. A group comes from one other row, all columns alike.",
            swaps=(
                (
                    "moved[:, group] = X[order][:, group]",
                    "for step, j in enumerate(group):\n                moved[:, j] = np.roll(X[order][:, j], step)",
                ),
            ),
        ),
        Mutant(
            "stays-moved",
            "Columns were not put back: from the second group on, earlier ones were still shuffled. Start from a fresh copy.",
            swaps=(
                ("            moved = X.copy()\n", ""),
                ("    rises = []\n", "    rises = []\n    moved = X.copy()\n"),
            ),
        ),
        Mutant(
            "cut-off-at-zero",
            "Negative importances were set to 0. That the model does better without a column is what you want to know.",
            swaps=(("rises.append(np.mean(losses) - base)", "rises.append(max(np.mean(losses) - base, 0.0))"),),
        ),
        Mutant(
            "sign-reversed",
            "This is the loss before less the loss after. Importance is how much the loss rises.",
            swaps=(("np.mean(losses) - base", "base - np.mean(losses)"),),
        ),
        Mutant(
            "best-of-the-permutations",
            "The largest rise was returned. The mean over the permutations is asked for.",
            swaps=(("np.mean(losses) - base", "np.max(losses) - base"),),
        ),
        Mutant(
            "mean-in-place-of-values",
            "The columns were replaced by their mean instead of being permuted: such rows have another distribution.",
            swaps=(("X[order][:, group]", "X[:, group].mean(axis=0)"),),
        ),
        Mutant(
            "bare-logarithm",
            "log(sigmoid(m)) overflows to infinity at large margins. Use logaddexp(0, m) − y·m.",
            swaps=(
                (
                    "return np.mean(np.logaddexp(0, margins) - y * margins)",
                    "p = 1 / (1 + np.exp(-margins))\n    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))",
                ),
            ),
        ),
        Mutant(
            "any-draw-taken",
            "A list with a row twice is not a permutation and has to be refused with ValueError.",
            swaps=(("(np.sort(permutations, axis=1) != np.arange(len(X))).any()", "len(permutations) == 0"),),
        ),
    ),
    accepted=(all_at_once, with_a_scorer),
)
