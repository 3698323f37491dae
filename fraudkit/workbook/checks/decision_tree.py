"""A decision tree with every rule stated: which splits count, which wins a tie, when a node stays a leaf."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant, Step


def exact_tree(max_depth=3, min_samples_leaf=1, steps=()):
    """The oracle: every threshold of every feature tried with fractions, so that a tie is a tie."""
    answers: list[Any] = []
    for step in steps:
        X = np.asarray(step.args[0], dtype=float)
        if step.method == "fit":
            root, _ = _exact_node(X, np.asarray(step.args[1]).astype(int), max_depth, min_samples_leaf)
            answers.append(None)
        else:
            answers.append([_walk(root, row) for row in X])
    return answers


def _purity(frauds: int, n: int) -> Fraction:
    """n times the sum of squared shares: the larger the sum over both sides, the smaller their weighted Gini."""
    return Fraction(frauds * frauds + (n - frauds) * (n - frauds), n)


def _exact_node(X: np.ndarray, y: np.ndarray, levels: int, smallest: int) -> tuple[Any, float]:
    """A node, and by how much its nearest decision below was won (in Gini gain)."""
    n, frauds = len(y), int(y.sum())
    leaf, before = frauds / n, _purity(frauds, n)
    found: list[tuple[Fraction, int, float]] = []
    for feature in range(X.shape[1] if levels > 0 else 0):
        values = sorted(set(X[:, feature].tolist()))
        for low, high in pairwise(values):
            left = X[:, feature] <= low
            size, hits = int(left.sum()), int(y[left].sum())
            if min(size, n - size) >= smallest:
                gain = (_purity(hits, size) + _purity(frauds - hits, n - size) - before) / n
                found.append((gain, -feature, -(low + high) / 2))
    found.sort(reverse=True)
    gains = [gain for gain, _, _ in found[:2]] + [Fraction(0)]
    margin = float(gains[0] - gains[1]) if len(gains) > 1 and 0 < frauds < n else 1.0
    if gains[0] <= 0:
        return leaf, margin
    _, feature, threshold = found[0]
    left = X[:, -feature] <= -threshold
    low_side, low_margin = _exact_node(X[left], y[left], levels - 1, smallest)
    high_side, high_margin = _exact_node(X[~left], y[~left], levels - 1, smallest)
    return (-feature, -threshold, low_side, high_side), min(margin, low_margin, high_margin)


def _walk(node: Any, row: np.ndarray) -> float:
    while isinstance(node, tuple):
        node = node[2] if row[node[0]] <= node[1] else node[3]
    return float(node)


def agree(got: Any, expected: Any, case: Case) -> str:
    """Equal probabilities; what `fit` returns does not matter."""
    if not isinstance(got, list | tuple) or len(got) != len(expected):
        return difference(got, expected, 0.0, 0.0)
    pairs = zip(got, expected, strict=True)
    return next(
        (why for mine, right in pairs if right is not None and (why := difference(mine, right, 1e-6, 1e-9))), ""
    )


def _case(name: str, X: Any, y: Any, X_new: Any, why: str = "", **kwargs: int) -> Case:
    return Case(name, kwargs=kwargs, steps=(Step("fit", (X, y)), Step("predict_proba", (X_new,))), why=why)


def _drawn(rng: np.random.Generator, n: int, features: int, max_depth: int, min_samples_leaf: int, whole: bool) -> Case:
    """A random case in which no split is won narrowly, so that the last digit of a gain decides nothing."""
    margin = 0.0
    while margin < 1e-7:
        X = rng.normal(size=(n, features))
        if whole:
            X = np.round(X * 2)
        score = np.abs(X[:, 0]) + 0.7 * X[:, 1] + 0.5 * rng.normal(size=n)
        y = (score > np.quantile(score, 0.7)).astype(int)
        _, margin = _exact_node(X, y, max_depth, min_samples_leaf)
    kind = "whole numbers" if whole else "amounts"
    name = f"{n} payments, {features} features of {kind}, depth {max_depth}"
    X_new = np.vstack([X[:10], rng.normal(size=(20, features)) * 2])
    return _case(name, X, y, X_new, max_depth=max_depth, min_samples_leaf=min_samples_leaf)


def cases(rng: np.random.Generator) -> list[Case]:
    """The rules one by one, the nodes that cannot be split, then random trees."""
    ladder, top = np.array([[1.0], [2.0], [5.0], [6.0]]), np.array([0, 0, 1, 1])
    two_kinds = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    tail = np.array([1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1])
    found = [
        _case("one clean split", ladder, top, np.array([[0.0], [3.0], [4.0], [9.0]])),
        _case(
            "a payment exactly on the threshold",
            ladder,
            top,
            np.array([[3.5], [3.500001]]),
            why="the threshold is the midpoint, and what equals it goes left",
        ),
        _case(
            "identical payments with different labels",
            np.ones((5, 2)),
            np.array([0, 1, 0, 1, 1]),
            np.array([[1.0, 1.0], [7.0, 7.0]]),
            why="rows that are equal cannot be told apart: the node is a leaf, however much depth is left",
            max_depth=5000,
        ),
        _case(
            "twins with different labels among others",
            np.array([[1.0], [1.0], [1.0], [4.0], [4.0], [6.0]]),
            np.array([0, 0, 1, 1, 0, 1]),
            np.array([[1.0], [4.0], [6.0]]),
            why="a threshold lies between two different values, never inside a run of equal ones",
            max_depth=4,
        ),
        _case(
            "X is constant in its first column",
            np.array([[3, 1], [3, 2], [3, 3]]),
            [0, 0, 1],
            np.array([[3, 1], [3, 3]]),
        ),
        _case(
            "no split gains anything",
            two_kinds,
            np.array([0, 1, 1, 0]),
            two_kinds,
            why="either split leaves both sides as mixed as before: a gain of zero is no reason to split",
            max_depth=2,
        ),
        _case(
            "the same column twice",
            np.column_stack([ladder, ladder, ladder]),
            top,
            np.array([[1.0, 6.0, 6.0], [6.0, 1.0, 1.0]]),
            why="equal gains: the lowest feature wins",
        ),
        _case(
            "two thresholds as good as each other",
            np.array([[1.0], [2.0], [3.0], [4.0]]),
            np.array([0, 1, 1, 0]),
            np.array([[1.0], [2.0], [4.0]]),
            why="equal gains: the lowest threshold wins",
            max_depth=1,
        ),
        _case(
            "a single payment at the edge",
            np.arange(20.0)[:, None],
            tail,
            np.arange(20.0)[:, None],
            why="a leaf of one payment is pure, but it is one twentieth of the node",
            max_depth=1,
        ),
        _case(
            "at least three payments in a leaf",
            np.arange(8)[:, None],
            np.array([1, 1, 0, 0, 0, 0, 0, 1]),
            np.arange(8)[:, None],
            why="both sides of every split need min_samples_leaf rows; splits that break this are not considered",
            max_depth=1,
            min_samples_leaf=3,
        ),
        _case(
            "no depth at all",
            ladder,
            [0, 0, 0, 1],
            ladder,
            max_depth=0,
            why="the root is at depth 0: the share of frauds",
        ),
        _case("depth two", np.arange(6)[:, None], [0, 1, 0, 1, 1, 1], np.float32([[0], [1], [2], [3]]), max_depth=2),
        Case("sizes differ", steps=(Step("fit", (np.ones((3, 1)), np.ones(2))),), raises="ValueError"),
        Case("no payments", steps=(Step("fit", (np.ones((0, 2)), np.ones(0))),), raises="ValueError"),
    ]
    found.append(_drawn(rng, 60, 2, max_depth=2, min_samples_leaf=1, whole=False))
    found.append(_drawn(rng, 90, 3, max_depth=3, min_samples_leaf=6, whole=True))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """n payments, to see how time grows."""
    X = rng.normal(size=(n, 2))
    y = (np.abs(X).sum(axis=1) + rng.normal(size=n) > 2).astype(int)
    return _case(f"{n} payments", X, y, X[:10], max_depth=2)


class CountedValues:
    """Accepted: frauds counted for each distinct value, nodes as dictionaries, rows walked one by one."""

    def __init__(self, max_depth=3, min_samples_leaf=1):
        """The two limits."""
        self.limits = max_depth, min_samples_leaf

    def fit(self, X, y):
        """Grow from the root."""
        table, labels = np.array(X, dtype=float), np.array(y, dtype=int)
        if not labels.size or labels.shape[0] != table.shape[0]:
            raise ValueError("X and y must have as many rows as each other, and some")
        self.tree = self.node(table, labels, 0)
        return self

    def node(self, table, labels, depth):
        """A leaf, or the best split and its two nodes."""
        proba = labels.mean()
        here = {"proba": proba}
        if depth >= self.limits[0] or proba in (0.0, 1.0):
            return here
        options = []
        for feature, column in enumerate(table.T):
            values, index = np.unique(column, return_inverse=True)
            rows = np.cumsum(np.bincount(index))[:-1]
            hits = np.cumsum(np.bincount(index, weights=labels))[:-1]
            others = len(labels) - rows
            for i in np.flatnonzero((rows >= self.limits[1]) & (others >= self.limits[1])):
                p, q = hits[i] / rows[i], (labels.sum() - hits[i]) / others[i]
                remaining = (rows[i] * p * (1 - p) + others[i] * q * (1 - q)) * 2 / len(labels)
                gain = round(2 * proba * (1 - proba) - remaining, 9)
                options.append((-gain, feature, (values[i] + values[i + 1]) / 2))
        if not options or min(options)[0] >= 0:
            return here
        _, here["feature"], here["threshold"] = min(options)
        mask = table[:, here["feature"]] <= here["threshold"]
        here["low"] = self.node(table[mask], labels[mask], depth + 1)
        here["high"] = self.node(table[~mask], labels[~mask], depth + 1)
        return here

    def predict_proba(self, X):
        """One row after the other."""
        found = []
        for row in np.asarray(X, dtype=float):
            node = self.tree
            while "feature" in node:
                node = node["low"] if row[node["feature"]] <= node["threshold"] else node["high"]
            found.append(node["proba"])
        return np.array(found)


class RunningCounts:
    """Accepted: plain Python, one pass over each sorted feature, a list of nodes instead of recursion."""

    def __init__(self, max_depth=3, min_samples_leaf=1):
        """The two limits."""
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf

    def fit(self, X, y):
        """Nodes are numbered; a split names the numbers of its two sides."""
        rows, self.labels = np.asarray(X).tolist(), [int(label) for label in y]
        if not rows or len(rows) != len(self.labels):
            raise ValueError(f"{len(rows)} rows, {len(self.labels)} labels")
        self.nodes: list = [None]
        waiting = [(0, list(range(len(rows))), 0)]
        while waiting:
            number, members, depth = waiting.pop()
            split = self.best(rows, members) if depth < self.max_depth else None
            if split is None:
                self.nodes[number] = sum(self.labels[i] for i in members) / len(members)
                continue
            sides = (
                [i for i in members if rows[i][split[0]] <= split[1]],
                [i for i in members if rows[i][split[0]] > split[1]],
            )
            self.nodes[number] = (*split, len(self.nodes))
            self.nodes += [None, None]
            waiting += [(len(self.nodes) - 2 + side, sides[side], depth + 1) for side in (0, 1)]

    def best(self, rows, members):
        """(feature, threshold) or None; the gain is compared as impurity left over."""
        n, total = len(members), sum(self.labels[i] for i in members)
        lowest, found = total * (n - total) / n - 1e-9 * n, None
        for feature in range(len(rows[0])):
            ranked = sorted(members, key=lambda i: rows[i][feature])
            hits = 0
            for size, (i, after) in enumerate(pairwise(ranked), start=1):
                hits += self.labels[i]
                if rows[i][feature] == rows[after][feature] or min(size, n - size) < self.min_samples_leaf:
                    continue
                left = hits * (size - hits) / size + (total - hits) * (n - size - total + hits) / (n - size)
                if left < lowest:
                    lowest, found = left - 1e-9 * n, (feature, (rows[i][feature] + rows[after][feature]) / 2)
        return found

    def predict_proba(self, X):
        """Follow the numbers."""
        answer = []
        for row in np.asarray(X).tolist():
            number = 0
            while isinstance(self.nodes[number], tuple):
                feature, threshold, first = self.nodes[number]
                number = first if row[feature] <= threshold else first + 1
            answer.append(self.nodes[number])
        return answer


EXERCISE = Exercise(
    id="decision_tree",
    title="A decision tree with the Gini impurity",
    minutes=35,
    difficulty="hard",
    feeds="07",
    week="3-4",
    function="DecisionTree",
    hints=(
        "Write a method that grows one node from its rows and calls itself for the two sides. First decide when it "
        "returns a leaf: no depth left, or no split that gains.",
        "Sort one feature. Walking up the sorted values, the frauds on the left are a cumulative sum, so the gains "
        "of all thresholds come out of one sort.",
        "With p the share of frauds, Gini is 2p(1 - p). The gain is that of the node minus (n_left·gini_left + "
        "n_right·gini_right)/n. Mask the places where neighbouring values are equal and those that leave a side too "
        "small.",
        "Float gains that should tie may differ in the last digit: take a later split only when it gains 1e-9 more.",
    ),
    cases=cases,
    expect=exact_tree,
    agree=agree,
    mutants=(
        Mutant(
            "children-unweighted",
            "Both sides count alike in the impurity, so cutting off one pure payment beats every useful split. "
            "Weight each side by its number of rows.",
            swaps=(("(size * 2 * p * (1 - p) + (n - size) * 2 * q * (1 - q)) / n", "(p * (1 - p) + q * (1 - q))"),),
        ),
        Mutant(
            "zero-gain-taken",
            "A split that gains nothing was made. It only uses up depth and rows: without a gain above zero the node "
            "is a leaf.",
            swaps=(
                ("best, best_gain = None, 0.0", "best, best_gain = None, -0.5"),
                ("impurity - after, 0.0)", "impurity - after, -1.0)"),
                ("initial=0.0", "initial=-1.0"),
            ),
        ),
        Mutant(
            "equal-values-split",
            "A threshold was placed inside a run of equal values: one side is then empty and the other is the node "
            "again, until the recursion ends in an error. A split needs two different neighbouring values.",
            swaps=(("enough & (x[:-1] < x[1:])", "enough"),),
        ),
        Mutant(
            "threshold-at-a-value",
            "The threshold is a value of the training set. It should be halfway to the next larger one, so that a "
            "new payment goes to the nearer side.",
            swaps=(("(x[i] + x[i + 1]) / 2", "x[i]"),),
        ),
        Mutant(
            "equal-goes-right",
            "A payment that equals the threshold went right. x <= threshold goes left, in prediction as in training.",
            swaps=(("X[rows, feature] <= threshold", "X[rows, feature] < threshold"),),
        ),
        Mutant(
            "classes-for-probabilities",
            "The leaves answer with their majority class. They hold the share of frauds, from which thresholds are "
            "chosen later.",
            swaps=(("return y.mean()", "return float(y.mean() >= 0.5)"),),
        ),
        Mutant(
            "depth-off-by-one",
            "The tree is one level too shallow. The root is at depth 0, and a node at depth max_depth - 1 may still "
            "be split.",
            swaps=(("if levels > 0", "if levels > 1"),),
        ),
        Mutant(
            "small-leaves",
            "Leaves came out smaller than min_samples_leaf. Leave out the splits with too few rows on either side "
            "before the best one is chosen.",
            swaps=(("np.minimum(size, n - size) >= self.min_samples_leaf", "size > 0"),),
        ),
        Mutant(
            "one-side-checked",
            "min_samples_leaf was held on the left side only. Both sides of a split need that many rows.",
            swaps=(("np.minimum(size, n - size) >= self.min_samples_leaf", "size >= self.min_samples_leaf"),),
        ),
        Mutant(
            "last-feature-wins",
            "Of two features with the same gain the later one was taken. The lowest index wins a tie.",
            swaps=(
                ("gain.max(initial=0.0) > best_gain + 1e-9", "gain.max(initial=0.0) > max(best_gain - 1e-9, 1e-9)"),
            ),
        ),
        Mutant(
            "last-threshold-wins",
            "Of two thresholds with the same gain the higher one was taken. The lowest wins a tie.",
            swaps=(("np.flatnonzero(gain > best_gain - 1e-9)[0]", "np.flatnonzero(gain > best_gain - 1e-9)[-1]"),),
        ),
        Mutant(
            "rows-counted-again",
            "The tree is right, but the rows on the left are counted anew for each threshold: n squared for every "
            "feature.",
            swaps=(
                (
                    "x, frauds = X[order, feature], np.cumsum(y[order])",
                    "x = X[order, feature]\n            frauds = np.array([y[X[:, feature] <= value].sum() for value "
                    "in x])",
                ),
            ),
        ),
    ),
    accepted=(CountedValues, RunningCounts),
    growth=Growth(
        large,
        n=3_500,
        says="Sort each feature once in a node: cumulative sums give the frauds on the left of every threshold "
        "together, where counting them for each threshold takes n squared.",
    ),
    plug="model",
)
