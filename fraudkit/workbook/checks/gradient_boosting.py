"""Gradient boosting with stumps on the logistic loss: start, residual, leaf value and tie rule are stated."""

from __future__ import annotations

from itertools import pairwise
from math import exp, log
from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step


def every_stump(n_rounds=50, learning_rate=0.1, l2=1.0, steps=()):
    """The oracle: in every round every stump is made, and judged by how far its two steps lower the bounded loss."""
    answers: list[Any] = []
    for step in steps:
        X = np.asarray(step.args[0], dtype=float)
        if step.method == "fit":
            start, stumps, _ = _boosted(X, np.asarray(step.args[1], dtype=float), n_rounds, learning_rate, l2)
            answers.append(None)
            continue
        raw = [
            start + sum(learning_rate * (low if row[feature] <= cut else high) for feature, cut, low, high in stumps)
            for row in X
        ]
        answers.append([1 / (1 + exp(-score)) for score in raw])
    return answers


def _boosted(
    X: np.ndarray, y: np.ndarray, n_rounds: int, learning_rate: float, l2: float = 1.0
) -> tuple[float, list[Any], float]:
    """Start, stumps, and by how much the nearest choice of a stump was won (in score)."""
    start, stumps, margin = log(y.sum() / (1 - y).sum()), [], 1.0
    raw = np.full(len(y), start)
    cuts = []
    for feature in range(X.shape[1]):
        values = sorted(set(X[:, feature].tolist()))
        cuts += [(feature, (low + high) / 2) for low, high in pairwise(values)]
    sides = [X[:, feature] <= cut for feature, cut in cuts]
    for _ in range(n_rounds if cuts else 0):
        p = 1 / (1 + np.exp(-raw))
        residual, weight = y - p, p * (1 - p)
        errors, values = [], []
        for left in sides:
            steps = [residual[side].sum() / (weight[side].sum() + l2) for side in (left, ~left)]
            move = np.where(left, *steps)
            # Twice the loss after the step, to second order, with the penalty l2/2 for each side's squared step.
            errors.append((weight * move**2 - 2 * residual * move).sum() + l2 * (steps[0] ** 2 + steps[1] ** 2))
            values.append(steps)
        least = min(errors)
        best = next(i for i, error in enumerate(errors) if error < least + 1e-9)
        margin = min(margin, *(error - least for i, error in enumerate(errors) if i != best), 1.0)
        stumps.append((*cuts[best], *values[best]))
        raw = raw + learning_rate * np.where(sides[best], *values[best])
    return start, stumps, margin


def agree(got: Any, expected: Any, case: Case) -> str:
    """Equal probabilities; what `fit` returns does not matter."""
    if not isinstance(got, list | tuple) or len(got) != len(expected):
        return difference(got, expected, 0.0, 0.0)
    pairs = zip(got, expected, strict=True)
    return next(
        (why for mine, right in pairs if right is not None and (why := difference(mine, right, 1e-6, 1e-8))), ""
    )


def _case(name: str, X: Any, y: Any, X_new: Any, why: str = "", **kwargs: Any) -> Case:
    return Case(name, kwargs=kwargs, steps=(Step("fit", (X, y)), Step("predict_proba", (X_new,))), why=why)


def _drawn(rng: np.random.Generator, n: int, d: int, **kwargs: Any) -> Case:
    """A random case in which no stump is chosen narrowly, so that the last digit of an error decides nothing."""
    margin = 0.0
    while margin < 1e-6:
        X = np.round(rng.normal(size=(n, d)), 1)
        score = X[:, 0] ** 2 + X[:, 1] + 0.5 * rng.normal(size=n)
        y = (score > np.quantile(score, 0.7)).astype(int)
        margin = _boosted(X, y, kwargs["n_rounds"], kwargs["learning_rate"])[2]
    X_new = np.vstack([X[:8], rng.normal(size=(12, d))])
    return _case(f"{n} payments, {d} features, {kwargs['n_rounds']} rounds", X, y, X_new, **kwargs)


def cases(rng: np.random.Generator) -> list[Case]:
    """No round, one round, two rounds, then the rules, then random ones."""
    ladder, labels = np.array([[1.0], [2.0], [4.0], [7.0], [8.0]]), np.array([0, 0, 1, 0, 1])
    new = np.array([[0.0], [3.0], [3.5], [5.5], [9.0]])
    one = {"n_rounds": 1, "learning_rate": 0.5}
    found = [
        _case("no round", ladder, labels, new, n_rounds=0, why="before the first round everybody gets the base rate"),
        _case("one round", ladder, labels, new, **one),
        _case(
            "two rounds",
            ladder,
            labels,
            new,
            n_rounds=2,
            learning_rate=0.5,
            why="the second stump is fitted to what the first has left over, not to the labels again",
        ),
        _case(
            "one fraud in ten, one round",
            np.arange(10.0)[:, None],
            np.arange(10) == 8,
            np.array([[0.0], [7.4], [9.5]]),
            **one,
            why="the start is the log odds of the base rate, and a leaf divides by the sum of p(1 - p), plus l2",
        ),
        _case(
            "a payment exactly on a threshold",
            ladder,
            labels,
            np.array([[3.0], [3.000001]]),
            **one,
            why="the threshold is a midpoint, and what equals it goes left",
        ),
        _case(
            "the same column twice",
            np.hstack([ladder, ladder]),
            labels,
            np.array([[1.0, 8.0], [8.0, 1.0]]),
            **one,
            why="equal errors: the lowest feature wins",
        ),
        _case(
            "two thresholds as good as each other",
            np.array([[1], [2], [3], [4]]),
            [0, 1, 1, 0],
            [[1], [2], [4]],
            **one,
            why="equal errors: the lowest threshold wins",
        ),
        _case(
            "nothing to split on",
            np.ones((4, 2)),
            np.array([0, 1, 0, 0]),
            np.array([[1.0, 1.0], [5.0, 0.0]]),
            why="without two different values there is no stump, and the base rate remains",
        ),
        _case(
            "one column constant, values that repeat",
            np.array([[5, 1], [5, 1], [5, 1], [5, 2], [5, 2], [5, 3], [5, 3]]),
            np.array([0, 0, 1, 1, 0, 1, 1]),
            np.float32([[5, 1], [5, 2], [5, 3]]),
            n_rounds=3,
            learning_rate=1.0,
            why="a threshold lies between two different values, never inside a run of equal ones",
        ),
        _case("all defaults", np.array([[1.0], [2.0], [3.0], [6.0]]), np.array([0, 0, 1, 1]), new),
        _case(
            "a lone fraud against two of four",
            np.array([[0, 0], [0, 1], [0, 1], [0, 1], [0, 1], [0, 0], [0, 0], [0, 0], [0, 0], [1, 0], [0, 0], [0, 0]]),
            np.array([0, 1, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0]),
            np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0]]),
            n_rounds=2,
            learning_rate=0.5,
            l2=0.8,
            why="l2 belongs to both: the score that chooses the stump, and the value of its sides",
        ),
        Case(
            "fitted twice",
            kwargs=one,
            steps=(
                Step("fit", (ladder, labels)),
                Step("fit", (ladder + 1.0, np.array([0, 1, 1, 1, 1]))),
                Step("predict_proba", (new,)),
            ),
            why="a second fit starts anew: the stumps of the first belong to other data",
        ),
        Case(
            "one class only",
            steps=(Step("fit", (ladder, np.zeros(5, dtype=int))), Step("predict_proba", (new,))),
            raises="ValueError",
        ),
    ]
    found.append(_drawn(rng, 25, 2, n_rounds=6, learning_rate=0.3))
    found.append(_drawn(rng, 40, 3, n_rounds=12, learning_rate=0.1))
    return found


class MaskTable:
    """Accepted: all thresholds as rows of one table of zeros and ones, all sums as one product."""

    def __init__(self, n_rounds=50, learning_rate=0.1, l2=1.0):
        """Rounds, rate and penalty."""
        self.n_rounds, self.rate, self.l2 = n_rounds, learning_rate, l2

    def fit(self, X, y):
        """A round is one matrix product."""
        X, y = np.asarray(X, dtype=float), np.asarray(y).astype(float)
        base = y.mean()
        if base in (0.0, 1.0):
            raise ValueError(f"only class {base:.0f} in y")
        self.start, self.chosen = np.log(base) - np.log1p(-base), []
        columns = [np.unique(column) for column in X.T]
        cuts = [(j, cut) for j, values in enumerate(columns) for cut in (values[1:] + values[:-1]) / 2]
        if not cuts:
            return self
        below = np.array([X[:, j] <= cut for j, cut in cuts]).astype(float)
        table, raw = np.array([below, 1 - below]), np.full(len(y), self.start)
        for _ in range(self.n_rounds):
            p = 0.5 + 0.5 * np.tanh(raw / 2)
            gradient, curvature = table @ (y - p), table @ (p * (1 - p))
            value = gradient / (curvature + self.l2)
            score = (value * gradient).sum(axis=0)
            i = int(np.argmax(score >= score.max() - 1e-9))
            raw = raw + self.rate * (value[:, i] @ table[:, i])
            self.chosen.append((*cuts[i], *(self.rate * value[:, i])))
        return self

    def predict_proba(self, X):
        """Sum of the chosen stumps."""
        X = np.asarray(X, dtype=float)
        raw = np.full(len(X), self.start)
        for j, cut, low, high in self.chosen:
            raw += np.where(X[:, j] > cut, high, low)
        return 0.5 + 0.5 * np.tanh(raw / 2)


class PlainLoops:
    """Accepted: lists and running sums, in the order of each feature's values."""

    def __init__(self, n_rounds=50, learning_rate=0.1, l2=1.0):
        """Rounds, rate and penalty."""
        self.n_rounds, self.learning_rate, self.l2, self.trees = n_rounds, learning_rate, l2, []

    def fit(self, X, y):
        """One pass over every sorted feature in each round."""
        from math import log as ln

        rows, labels = np.asarray(X, dtype=float).tolist(), [float(label) for label in y]
        frauds = sum(labels)
        if frauds == 0 or frauds == len(labels):
            raise ValueError("y needs both classes")
        self.base, self.trees = ln(frauds / (len(labels) - frauds)), []
        orders = [sorted(range(len(rows)), key=lambda i: rows[i][j]) for j in range(len(rows[0]))]
        for _ in range(self.n_rounds):
            p = self.predict_proba(rows)
            split = self.split(rows, [(label - q, q * (1 - q)) for label, q in zip(labels, p, strict=True)], orders)
            if split is None:
                break
            self.trees.append(split)

    def split(self, rows, sums, orders):
        """(feature, threshold, left value, right value) of the greatest score."""
        all_g, all_h = sum(g for g, _ in sums), sum(h for _, h in sums)
        best, found = None, None
        for j, order in enumerate(orders):
            g, h = 0.0, 0.0
            for i, after in pairwise(order):
                g, h = g + sums[i][0], h + sums[i][1]
                if rows[i][j] == rows[after][j]:
                    continue
                low, high = g / (h + self.l2), (all_g - g) / (all_h - h + self.l2)
                score = g * low + (all_g - g) * high
                if best is None or score > best + 1e-9:
                    best, found = score, (j, (rows[i][j] + rows[after][j]) / 2, low, high)
        return found

    def predict_proba(self, X):
        """Row by row."""
        from math import exp as e

        answers = []
        for row in np.asarray(X, dtype=float).tolist():
            raw = self.base + self.learning_rate * sum(low if row[j] <= c else high for j, c, low, high in self.trees)
            answers.append(1 / (1 + e(-raw)))
        return answers


EXERCISE = Exercise(
    id="gradient_boosting",
    title="Gradient boosting on the logistic loss",
    minutes=35,
    difficulty="hard",
    feeds="07",
    week="3-4",
    function="GradientBoosting",
    hints=(
        "Keep one raw score F for each training row, in log odds. A round looks at what F gets wrong, fits one stump "
        "to that, and moves F a little.",
        "What F gets wrong is y - p with p = sigmoid(F): the negative gradient of the log loss with respect to F. "
        "Compute it anew in every round.",
        "Walking up a sorted feature, G and H of the left side are cumulative sums, and the right side is the total "
        "minus the left: all scores of a feature come out together.",
        "A leaf's value G/(H + l2) is a Newton step on the log loss with a penalty. The sort orders never change: "
        "compute them before the first round.",
    ),
    cases=cases,
    expect=every_stump,
    agree=agree,
    mutants=(
        Mutant(
            "labels-fitted-again",
            "Every round fits the same thing: what the base rate gets wrong. The residual has to be computed from "
            "the current F, so that a round mends what the rounds before left over.",
            swaps=(("residual, weight = y - p", "residual, weight = y - y.mean()"),),
        ),
        Mutant(
            "residual-of-the-raw-score",
            "The residual was taken against F, which is in log odds. It is y minus the probability sigmoid(F).",
            swaps=(("residual, weight = y - p", "residual, weight = y - F"),),
        ),
        Mutant(
            "uphill",
            "The stumps push the scores away from the labels: the residual is y - p, the negative gradient.",
            swaps=(("residual, weight = y - p", "residual, weight = p - y"),),
        ),
        Mutant(
            "mean-in-the-leaf",
            "p(1 - p) was left out: sides were weighed by their number of rows, as for squared error. On the "
            "logistic loss the curvature p(1 - p) stands there, and makes the leaves of rare frauds move faster.",
            swaps=(("y - p, p * (1 - p)", "y - p, np.ones(n)"),),
        ),
        Mutant(
            "penalty-forgotten",
            "l2 was not used. Without it the step of a leaf with a few frauds is as large as the odds against them.",
            swaps=(
                ("(h[:-1] + self.l2)", "np.maximum(h[:-1], 1e-12)"),
                ("(h[-1] - h[:-1] + self.l2)", "np.maximum(h[-1] - h[:-1], 1e-12)"),
            ),
        ),
        Mutant(
            "penalty-in-the-leaf-only",
            "The value of a leaf has l2, the score that chose the stump has not. Both come from the same penalised "
            "loss.",
            swaps=(
                (
                    "g[:-1] * low + (g[-1] - g[:-1]) * high",
                    "g[:-1] ** 2 / np.maximum(h[:-1], 1e-12) + (g[-1] - g[:-1]) ** 2 / np.maximum(h[-1] - h[:-1], "
                    "1e-12)",
                ),
            ),
        ),
        Mutant(
            "smallest-score",
            "The stump with the smallest score was taken. The score is what its two steps gain: the greatest wins.",
            swaps=(("g[:-1] * low + (g[-1] - g[:-1]) * high", "-(g[:-1] * low + (g[-1] - g[:-1]) * high)"),),
        ),
        Mutant(
            "learning-rate-forgotten",
            "The learning rate was not used: every stump counts in full, and a few rounds overfit.",
            swaps=(
                ("F = F + self.learning_rate * np.where(X[:, stump", "F = F + np.where(X[:, stump"),
                ("F = F + self.learning_rate * np.where(X[:, feature", "F = F + np.where(X[:, feature"),
            ),
        ),
        Mutant(
            "rate-missing-in-prediction",
            "In training each stump is scaled by the learning rate, in prediction it is not. Both must add up the "
            "same F.",
            swaps=(("F = F + self.learning_rate * np.where(X[:, feature", "F = F + np.where(X[:, feature"),),
        ),
        Mutant(
            "starts-at-zero",
            "F starts at 0, a probability of one half. At 0.3 % fraud many rounds are wasted on coming down: start "
            "at the log odds of the base rate.",
            swaps=(("np.log(y.mean() / (1 - y.mean()))", "0.0"),),
        ),
        Mutant(
            "starts-at-the-rate",
            "F starts at the base rate itself. F is in log odds: start at log(rate / (1 - rate)).",
            swaps=(("np.log(y.mean() / (1 - y.mean()))", "y.mean()"),),
        ),
        Mutant(
            "raw-score-returned",
            "The raw score came back. predict_proba answers with sigmoid(F).",
            swaps=(("return 1 / (1 + np.exp(-F))", "return F"),),
        ),
        Mutant(
            "equal-goes-right",
            "A payment that equals the threshold went right. x <= threshold goes left, in prediction as in training.",
            swaps=(("np.where(X[:, feature] <= threshold", "np.where(X[:, feature] < threshold"),),
        ),
        Mutant(
            "equal-values-split",
            "A stump was placed inside a run of equal values, where the two sides cannot be told apart. A threshold "
            "needs two different neighbouring values.",
            swaps=(("np.where(x[:-1] < x[1:], g[:-1] * low", "np.where(x[:-1] <= x[1:], g[:-1] * low"),),
        ),
        Mutant(
            "last-feature-wins",
            "Of two features with the same error the later one was taken. The lowest index wins a tie.",
            swaps=(("if score.max() > best + 1e-9", "if score.max() > best - 1e-9"),),
        ),
        Mutant(
            "last-threshold-wins",
            "Of two thresholds with the same error the higher one was taken. The lowest wins a tie.",
            swaps=(("np.flatnonzero(score > best - 1e-9)[0]", "np.flatnonzero(score > best - 1e-9)[-1]"),),
        ),
        Mutant(
            "stumps-kept",
            "A second fit added its stumps to those of the first. fit starts anew: make the list there, not once and "
            "for all.",
            swaps=(("n, self.stumps = len(y), []", 'n, self.stumps = len(y), getattr(self, "stumps", [])'),),
        ),
        Mutant(
            "one-class-fitted",
            "With one class the log odds are infinite, and NaN or a constant comes out. Raise ValueError.",
            swaps=(("if y.min() == y.max():", "if False:"),),
        ),
    ),
    accepted=(MaskTable, PlainLoops),
    plug="model",
)
