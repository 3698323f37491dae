"""Bagging with the draws handed in: which rows and columns each stump sees, and what the left-out rows say."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step

Stump = tuple[int, float, float, float]


def row_by_row(rows, features, steps=()):
    """The oracle: every stump by trying everything on a list of drawn payments, every average by a loop over rows."""
    answers: list[Any] = []
    stumps: list[Stump] = []
    for step in steps:
        if step.method == "fit":
            X, y = np.asarray(step.args[0], dtype=float).tolist(), [int(label) for label in step.args[1]]
            stumps = []
            for drawn, columns in zip(rows, features, strict=True):
                table = [([X[i][j] for j in columns], y[i]) for i in drawn]
                best, _ = _best_stump(table)
                stumps.append((int(columns[best[0]]), *best[1:]))
            outside = [[t for t, drawn in enumerate(rows) if i not in list(drawn)] for i in range(len(X))]
            answers.append(None)
        elif step.method == "oob_proba":
            answers.append([_mean_of([stumps[t] for t in trees], row) for trees, row in zip(outside, X, strict=True)])
        else:
            answers.append([_mean_of(stumps, row) for row in np.asarray(step.args[0], dtype=float).tolist()])
    return answers


def _mean_of(stumps: list[Stump], row: list[float]) -> float:
    said = [low if row[column] <= threshold else high for column, threshold, low, high in stumps]
    return sum(said) / len(said) if said else float("nan")


def _best_stump(table: list[tuple[list[float], int]]) -> tuple[Stump, float]:
    """The stump of the greatest gain, and by how much it beats the next."""
    labels = [label for _, label in table]
    share = sum(labels) / len(labels)
    found = [(0.0, 0, -np.inf, share, share)]
    for column in range(len(table[0][0])):
        values = sorted({row[column] for row, _ in table})
        for low, high in pairwise(values):
            below = [label for row, label in table if row[column] <= low]
            above = [label for row, label in table if row[column] > low]
            p, q = sum(below) / len(below), sum(above) / len(above)
            gini = 2 * (len(below) * p * (1 - p) + len(above) * q * (1 - q)) / len(labels)
            found.append((round(2 * share * (1 - share) - gini, 12), -column, -(low + high) / 2, p, q))
    found.sort(reverse=True)
    _, column, threshold, low_share, high_share = found[0]
    if found[0][0] <= 0:
        return (0, np.inf, share, share), 1.0
    return (-column, -threshold, low_share, high_share), found[0][0] - found[1][0]


def agree(got: Any, expected: Any, case: Case) -> str:
    """Equal probabilities, NaN where NaN is due; what `fit` returns does not matter."""
    if not isinstance(got, list | tuple) or len(got) != len(expected):
        return difference(got, expected, 0.0, 0.0)
    for step, mine, right in zip(case.steps, got, expected, strict=True):
        if right is not None and (reason := difference(mine, right, 1e-6, 1e-9, step.method)):
            return reason
    return ""


def _case(name: str, rows: Any, features: Any, X: Any, y: Any, X_new: Any, why: str = "") -> Case:
    steps = (Step("fit", (X, y)), Step("predict_proba", (X_new,)), Step("oob_proba"))
    return Case(name, (rows, features), steps=steps, why=why)


def _drawn(rng: np.random.Generator, n: int, d: int, trees: int, k: int) -> Case:
    """A random forest in which no stump is chosen narrowly, so that the last digit of a gain decides nothing."""
    X = rng.normal(size=(n, d))
    y = (X[:, 0] + X[:, 1] + 0.5 * rng.normal(size=n) > 0.5).astype(int)
    rows, features = np.zeros((trees, n), dtype=int), np.zeros((trees, k), dtype=int)
    for tree in range(trees):
        margin = 0.0
        while margin < 1e-7:
            rows[tree] = rng.integers(0, n, size=n)
            features[tree] = rng.permutation(d)[:k]
            table = [(X[i, features[tree]].tolist(), int(y[i])) for i in rows[tree]]
            _, margin = _best_stump(table)
    return _case(f"{n} payments, {trees} stumps on {k} of {d} features", rows, features, X, y, rng.normal(size=(10, d)))


def cases(rng: np.random.Generator) -> list[Case]:
    """One stump, then what a draw, a subset and an average mean, then random forests."""
    ladder, labels = np.array([[1.0], [2.0], [5.0], [6.0]]), np.array([0, 0, 1, 1])
    # Column 0 is noise, column 1 says it in part, column 2 says it all.
    X = np.array(
        [[5.0, 1.0, 10.0], [1.0, 2.0, 20.0], [4.0, 3.0, 30.0], [2.0, 4.0, 60.0], [3.0, 5.0, 50.0], [6.0, 0.0, 70.0]]
    )
    y = np.array([0, 0, 0, 1, 1, 1])
    everybody = np.arange(6)
    new = np.array([[3.0, 0.0, 65.0], [3.0, 9.0, 5.0], [0.0, 3.6, 41.0]])
    return [
        _case("one stump on every payment once", [[0, 1, 2, 3]], [[0]], ladder, labels, np.array([[3.0], [4.0]])),
        _case(
            "a payment drawn three times",
            np.array([[0, 1, 1, 1, 2, 3]]),
            np.array([[0]]),
            ladder,
            np.array([1, 0, 0, 1]),
            ladder,
            why="a bootstrap sample is drawn with replacement: a row drawn three times counts three times",
        ),
        _case(
            "a stump that sees the last columns only",
            np.array([everybody]),
            np.array([[2, 1]]),
            X,
            y,
            new,
            why="the stump counts columns within its subset; in the payment they have other places",
        ),
        _case(
            "three stumps of different confidence",
            np.array([[0, 1, 2, 3, 4, 5], [0, 2, 3, 3, 4, 5], [1, 1, 2, 4, 5, 5]]),
            np.array([[1], [2], [1]]),
            X,
            y,
            new,
            why="the forest's answer is the mean of the probabilities, not a count of votes",
        ),
        _case(
            "rows out of the bag",
            np.array([[0, 1, 4, 5, 5, 5], [0, 2, 3, 4, 4, 0], [0, 0, 1, 2, 3, 4]]),
            np.array([[2], [2], [1]]),
            X,
            y,
            new,
            why="a row may be judged only by stumps that did not see it; row 0 was seen by all: NaN",
        ),
        _case(
            "a draw that holds no fraud",
            np.array([[0, 1, 0, 2], [1, 2, 4, 5]]),
            np.array([[0, 1], [1, 2]]),
            X,
            y,
            new,
            why="with nothing to split the stump answers with the share in its sample, which is 0",
        ),
        _case(
            "lists, fewer rows drawn than there are",
            [[0, 3, 4], [5, 1, 2]],
            [[2], [2]],
            X.tolist(),
            y.tolist(),
            new.tolist(),
        ),
        Case(
            "rows for two stumps, features for three",
            (np.zeros((2, 6), dtype=int), np.zeros((3, 1), dtype=int)),
            steps=(Step("fit", (X, y)), Step("predict_proba", (new,))),
            raises="ValueError",
            why="zip stops at the shorter one without a word",
        ),
        _drawn(rng, 24, 4, trees=5, k=2),
        _drawn(rng, 30, 5, trees=9, k=3),
    ]


class SampleWeights:
    """Accepted: a draw is a weight for each row, and the stumps are weighted."""

    def __init__(self, rows, features):
        """The draws."""
        self.rows, self.features = rows, features

    def fit(self, X, y):
        """One weighted stump a tree, kept with the payment's own column."""
        X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
        if len(self.rows) != len(self.features):
            raise ValueError("one row of features for each row of rows")
        self.trees = []
        judged, total = np.zeros(len(y)), np.zeros(len(y))
        for drawn, columns in zip(self.rows, self.features, strict=True):
            weight = np.bincount(drawn, minlength=len(y))
            self.trees.append(self.stump(X, y, weight, columns))
            judged += weight == 0
            total += np.where(weight == 0, self.say(self.trees[-1], X), 0.0)
        self.outside = np.full(len(y), np.nan)
        self.outside[judged > 0] = total[judged > 0] / judged[judged > 0]
        return self

    def stump(self, X, y, weight, columns):
        """Column, threshold and two shares."""
        n, frauds = weight.sum(), (weight * y).sum()
        best, found = frauds * (n - frauds) / n - 1e-9, (0, np.inf, frauds / n, 0.0)
        for column in columns:
            values = np.unique(X[weight > 0, column])
            for threshold in (values[1:] + values[:-1]) / 2:
                left = weight * (X[:, column] <= threshold)
                size, hits = left.sum(), (left * y).sum()
                rest = hits * (size - hits) / size + (frauds - hits) * (n - size - frauds + hits) / (n - size)
                if rest < best:
                    best, found = rest - 1e-9, (column, threshold, hits / size, (frauds - hits) / (n - size))
        return found

    def say(self, tree, X):
        """What one tree says of each row."""
        return np.where(X[:, tree[0]] <= tree[1], tree[2], tree[3])

    def predict_proba(self, X):
        """Running mean."""
        X = np.asarray(X, dtype=float)
        return sum(self.say(tree, X) for tree in self.trees) / len(self.trees)

    def oob_proba(self):
        """Kept from fit."""
        return self.outside


class ListOfTrees:
    """Accepted: plain loops, sorted passes, nothing kept but the trees and the training rows."""

    def __init__(self, rows, features):
        """The draws, as lists."""
        self.draws = [[int(i) for i in row] for row in rows], [[int(j) for j in row] for row in features]

    def fit(self, X, y):
        """Train each tree on its own table."""
        drawn, columns = self.draws
        if len(drawn) != len(columns):
            raise ValueError(f"{len(drawn)} samples, {len(columns)} subsets")
        self.X = np.array(X, dtype=float)
        self.trees = [self.grow(self.X[r], np.array(y, dtype=int)[r], c) for r, c in zip(drawn, columns, strict=True)]

    def grow(self, X, y, columns):
        """Best cut over sorted columns."""
        n, total = len(y), y.sum()
        top, tree = total**2 / n, (columns[0], float("inf"), total / n, total / n)
        for j in columns:
            ranked = sorted(range(n), key=lambda i: X[i, j])
            hits = 0
            for size in range(1, n):
                hits += y[ranked[size - 1]]
                low, high = X[ranked[size - 1], j], X[ranked[size], j]
                value = hits**2 / size + (total - hits) ** 2 / (n - size)
                if low < high and value > top + 1e-9:
                    top, tree = value, (j, (low + high) / 2, hits / size, (total - hits) / (n - size))
        return tree

    def ask(self, trees, row):
        """Mean over some of the trees."""
        return np.mean([low if row[j] <= cut else high for j, cut, low, high in trees]) if trees else np.nan

    def predict_proba(self, X):
        """All trees for each row."""
        return [self.ask(self.trees, row) for row in np.asarray(X)]

    def oob_proba(self):
        """Only the trees that did not see the row."""
        unseen = [
            [tree for tree, drawn in zip(self.trees, self.draws[0], strict=True) if i not in drawn]
            for i in range(len(self.X))
        ]
        return np.array([self.ask(trees, row) for trees, row in zip(unseen, self.X, strict=True)])


EXERCISE = Exercise(
    id="random_forest",
    title="A random forest of stumps",
    minutes=20,
    difficulty="medium",
    feeds="07",
    week="3-4",
    function="RandomForest",
    hints=(
        "Each stump gets a table of its own: the drawn rows, repeated as often as they were drawn, and its columns "
        "only.",
        "`X[drawn][:, columns]` and `y[drawn]` are that table. Its column c is column `columns[c]` of a payment.",
        "Keep what every stump says as an array of shape (stumps, n). The forest's answer is its mean over the "
        "stumps; for the out-of-bag answer mask it with `~np.isin(np.arange(n), drawn)` first.",
    ),
    cases=cases,
    expect=row_by_row,
    agree=agree,
    mutants=(
        Mutant(
            "draw-ignored",
            "Every stump was trained on all rows. Averaging helps only because each sees another sample: take the "
            "drawn rows.",
            swaps=(("X[drawn][:, columns], y[drawn]", "X[:, columns], y"),),
        ),
        Mutant(
            "draw-made-unique",
            "Rows that were drawn several times were used once. Repeats belong to a bootstrap sample and count each "
            "time.",
            swaps=(("X[drawn][:, columns], y[drawn]", "X[np.unique(drawn)][:, columns], y[np.unique(drawn)]"),),
        ),
        Mutant(
            "labels-not-drawn",
            "The rows of X were drawn, the labels were not: each row now carries another row's label.",
            swaps=(("X[drawn][:, columns], y[drawn]", "X[drawn][:, columns], y[: len(drawn)]"),),
        ),
        Mutant(
            "columns-not-mapped",
            "The stump's column was looked up in the whole payment. It counts within the stump's subset: column c of "
            "the stump is column columns[c] of X.",
            swaps=(("X[:, columns][:, column]", "X[:, column]"),),
        ),
        Mutant(
            "all-columns",
            "Every stump saw all features, so all choose the same strong one. Give each only its subset.",
            swaps=(
                ("X[drawn][:, columns], y[drawn]", "X[drawn], y[drawn]"),
                ("X[:, columns][:, column]", "X[:, column]"),
            ),
        ),
        Mutant(
            "votes-counted",
            "Each stump cast a vote of 0 or 1. The mean of the probabilities keeps how sure each one is.",
            swaps=(
                (
                    "self._each(np.asarray(X, dtype=float)).mean(axis=0)",
                    "(self._each(np.asarray(X, dtype=float)) > 0.5).mean(axis=0)",
                ),
            ),
        ),
        Mutant(
            "judged-in-the-bag",
            "The out-of-bag answer came from the stumps that did see the row: that is a training score. Use the "
            "others.",
            swaps=(("~np.isin", "np.isin"),),
        ),
        Mutant(
            "judged-by-all",
            "The out-of-bag answer is the mean over all stumps. Leave out those whose sample holds the row.",
            swaps=(("~np.isin(np.arange(len(X)), drawn)", "np.ones(len(X), dtype=bool)"),),
        ),
        Mutant(
            "divided-by-all",
            "The out-of-bag sum was divided by the number of all stumps instead of those that judged the row.",
            swaps=(("/ np.maximum(count, 1)", "/ len(outside)"),),
        ),
        Mutant(
            "unjudged-is-zero",
            "A row that every stump saw got 0, as if it were surely genuine. Nobody can judge it: NaN.",
            swaps=(("np.nan)", "0.0)"),),
        ),
        Mutant(
            "shorter-one-wins",
            "With more subsets than samples some were silently dropped, as zip does. Raise ValueError when the "
            "numbers differ.",
            swaps=(("if len(self.rows) != len(self.features):", "if False:"),),
        ),
    ),
    accepted=(SampleWeights, ListOfTrees),
)
