"""Gaussian naive Bayes: logarithms, variances of their own per class, missing values left out, a prior that can be given."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step


def by_log_odds(prior=None, *, steps):
    """The oracle: one row at a time in plain floats, the log-odds of the two classes, and 1 / (1 + e^−log-odds)."""
    X, y = (np.asarray(part, dtype=float) for part in steps[0].args)
    floor = 1e-9 * max(np.var(column) for column in X.T)
    told = []
    for c in (0, 1):
        rows = X[y == c].tolist()
        means = [math.fsum(column) / len(rows) for column in zip(*rows, strict=True)]
        spread = [
            math.fsum((v - m) ** 2 for v in column) / len(rows) + floor
            for column, m in zip(zip(*rows, strict=True), means, strict=True)
        ]
        told.append((means, spread))
    share = float(y.mean()) if prior is None else prior
    replies = [None]
    for step in steps[1:]:
        answers = []
        for row in np.asarray(step.args[0], dtype=float).tolist():
            odds = math.log(share) - math.log(1 - share)
            for j, value in enumerate(row):
                if not math.isnan(value):
                    (m0, v0), (m1, v1) = ((means[j], spread[j]) for means, spread in told)
                    odds += ((value - m0) ** 2 / v0 - (value - m1) ** 2 / v1 - math.log(v1 / v0)) / 2
            answers.append(1 / (1 + math.exp(-odds)) if odds > -700 else 0.0)
        replies.append(np.array(answers))
    return replies


def used(name, X, y, new, why="", prior=None) -> Case:
    """Fit on X and y, then ask for the rows `new`."""
    args = () if prior is None else (prior,)
    return Case(name, args, steps=(Step("fit", (X, y)), Step("predict_proba", (new,))), why=why)


def cases(rng: np.random.Generator) -> list[Case]:
    """One column by hand, then each hard point, then random rows."""
    X = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 4.0], [2.0, 5.5], [6.0, 9.0], [9.0, 8.0]])
    y = np.array([0, 0, 0, 0, 1, 1])
    found = [
        used("one column, as lists", [[0], [2], [4], [6]], [0, 0, 1, 1], [[1], [3], [4]]),
        used("two frauds among six", X, y, np.array([[3.0, 6.0], [5.0, 7.0], [4.0, 6.5]])),
        used(
            "same mean, different spread",
            np.array([[-1.0], [1.0], [-0.5], [0.5], [-6.0], [6.0], [-4.0], [4.0]]),
            np.array([0, 0, 0, 0, 1, 1, 1, 1]),
            np.array([[0.0], [2.0], [-3.0]]),
            why="each class has variances of its own; with a common one both classes would look alike here",
        ),
        used(
            "a payment far from everything",
            X,
            y,
            np.array([[400.0, -300.0], [-500.0, 60.0]]),
            why="both densities are 0 in floating point and 0 / 0 is NaN; the logarithms are finite",
        ),
        used(
            "forty columns",
            np.repeat(X, 20, axis=1) + np.arange(40) % 3,
            y,
            np.full((1, 40), 6.0) + np.arange(40) % 3,
            why="a product of forty densities leaves the range of floats; a sum of logarithms does not",
        ),
        used(
            "a column that is constant within a class",
            np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [2.5, 1.0], [5.0, 0.0], [6.0, 3.0]]),
            np.array([0, 0, 0, 1, 1, 1]),
            np.array([[2.0, 0.0], [5.0, 0.0]]),
            why="its variance is 0; the stated floor keeps the density finite",
        ),
        used(
            "missing values in what is asked",
            X,
            y,
            np.array([[np.nan, 7.0], [4.5, np.nan], [np.nan, np.nan]]),
            why="a missing value says nothing: its column is left out for that row, and with nothing known the prior remains",
        ),
        used(
            "trained on a thinned sample",
            X,
            y,
            np.array([[5.0, 7.0], [4.5, 7.0], [np.nan, np.nan]]),
            why="after undersampling the shares in the training rows are not the truth; a prior that is given replaces them",
            prior=0.004,
        ),
        Case("one class only", steps=(Step("fit", (X, np.zeros(6))),), raises="ValueError"),
        Case("an impossible prior", (1.0,), steps=(Step("fit", (X, y)),), raises="ValueError"),
    ]
    for n, d, rate in ((40, 3, 0.3), (120, 5, 0.15)):
        labels = (rng.random(n) < rate).astype(int)
        labels[:4] = [0, 0, 1, 1]
        rows = rng.normal(size=(n, d)) * (1 + labels[:, None] * rng.random(d)) + labels[:, None] * rng.normal(size=d)
        new = rng.normal(size=(8, d)) * 1.5
        new[2, 0] = np.nan
        found.append(used(f"{n} payments, {d} columns", rows, labels, new))
    return found


class QuadraticScore:
    """Accepted: the log-odds as one quadratic form, a·x² + b·x + c, so that a row costs two products."""

    def __init__(self, prior=None):
        self.prior = prior

    def fit(self, X, y):
        X, fraud = np.asarray(X, float), np.asarray(y) == 1
        if fraud.all() or not fraud.any():
            raise ValueError("one class")
        share = fraud.mean() if self.prior is None else self.prior
        if share <= 0 or share >= 1:
            raise ValueError("prior")
        extra = X.var(0).max() * 1e-9
        self.centre = X.mean(0)
        a, b = X[~fraud] - self.centre, X[fraud] - self.centre
        v0, v1 = a.var(0) + extra, b.var(0) + extra
        m0, m1 = a.mean(0), b.mean(0)
        self.square, self.slope = (1 / v0 - 1 / v1) / 2, m1 / v1 - m0 / v0
        self.constant = (m0**2 / v0 - m1**2 / v1 + np.log(v0) - np.log(v1)) / 2
        self.start = np.log(share / (1 - share))
        return self

    def predict_proba(self, X):
        X = np.asarray(X, float) - self.centre
        terms = np.nan_to_num(self.square * X**2 + self.slope * X + self.constant, nan=0.0)
        odds = np.clip(self.start + terms.sum(1), -700, 700)
        return 1 / (1 + np.exp(-odds))


class TwoLogJoints:
    """Accepted: the joint log density of each class, normalised by log-sum-exp."""

    def __init__(self, prior=None):
        self.told = {} if prior is None else {1: prior, 0: 1 - prior}

    def fit(self, X, y):
        X = np.array(X, dtype=float)
        y = np.array(y)
        if len(np.unique(y)) < 2:
            raise ValueError("needs rows of both classes")
        shares = self.told or {c: float(np.mean(y == c)) for c in (0, 1)}
        if min(shares.values()) <= 0:
            raise ValueError("no such prior")
        self.classes = []
        for c in (0, 1):
            own = X[y == c]
            variance = np.mean((own - own.mean(axis=0)) ** 2, axis=0) + 1e-9 * np.max(np.var(X, axis=0))
            self.classes.append((np.log(shares[c]), own.mean(axis=0), np.sqrt(variance)))
        return self

    def predict_proba(self, X):
        out = []
        for row in np.array(X, dtype=float):
            known = ~np.isnan(row)
            joint = [
                start - np.log(sd[known]).sum() - (((row - mean) / sd)[known] ** 2).sum() / 2
                for start, mean, sd in self.classes
            ]
            out.append(np.exp(joint[1] - np.logaddexp(joint[0], joint[1])))
        return out


EXERCISE = Exercise(
    id="gaussian_naive_bayes",
    title="Gaussian naive Bayes",
    minutes=25,
    difficulty="medium",
    feeds="07",
    week="3-4",
    function="GaussianNaiveBayes",
    hints=(
        "Bayes: the chance of fraud given the row grows with prior times density. What does 'naive' do to the density of a row?",
        "It becomes a product over the columns. Take logarithms: for each class a sum of −(x − mean)²/(2·var) − log(var)/2.",
        "A missing value's term becomes 0 (`np.nansum`). The difference of the two sums, plus the log-odds of the prior, goes "
        "through a sigmoid.",
    ),
    cases=cases,
    expect=by_log_odds,
    agree=close(1e-6, 1e-9),
    mutants=(
        Mutant(
            "product-of-densities",
            "The densities were multiplied as they are. Far from everything both are 0 and the answer is NaN: add logarithms.",
            swaps=(
                (
                    "log_odds = np.log(self.prior / (1 - self.prior)) + joint[1] - joint[0]\n"
                    "        return 1 / (1 + np.exp(-np.clip(log_odds, -700, 700)))",
                    "fraud, genuine = self.prior * np.exp(joint[1]), (1 - self.prior) * np.exp(joint[0])\n"
                    "        with np.errstate(all='ignore'):\n            return fraud / (fraud + genuine)",
                ),
            ),
        ),
        Mutant(
            "common-variance",
            "One variance for both classes was used. That is linear discriminant analysis; here each class has its own.",
            swaps=(("X[y == c].var(axis=0) + floor", "X.var(axis=0) + floor"),),
        ),
        Mutant(
            "log-variance-forgotten",
            "The normal density is divided by its standard deviation: −log(var)/2 belongs to the sum. It cancels only when the "
            "variances are equal.",
            swaps=((" + np.log(var))", ")"),),
        ),
        Mutant(
            "divisor-n-minus-one",
            "The variance is that of maximum likelihood, divisor n; `ddof=1` was used.",
            swaps=(("X[y == c].var(axis=0)", "X[y == c].var(axis=0, ddof=1)"),),
        ),
        Mutant(
            "equal-priors",
            "Both classes were given the same chance. Without a prior that is given, the share of fraud in the training rows counts.",
            swaps=(("else y.mean()", "else 0.5"),),
        ),
        Mutant(
            "given-prior-ignored",
            "The prior handed to the class was not used; the shares of a thinned training sample say nothing of the truth.",
            swaps=(
                ("self.given if self.given is not None else y.mean()", "y.mean()"),
                ("if not 0 < self.prior < 1:", "if self.given is not None and not 0 < self.given < 1:"),
            ),
        ),
        Mutant(
            "missing-as-the-overall-mean",
            "A missing value was replaced by the column's mean, which is itself evidence for one class. Leave its term out.",
            swaps=(
                ("self.classes = []\n", "self.classes = []\n        self.centre = X.mean(axis=0)\n"),
                ("np.asarray(X, dtype=float)\n        joint", "np.where(np.isnan(X), self.centre, X)\n        joint"),
            ),
        ),
        Mutant(
            "no-floor",
            "A column that is constant within a class has variance 0, and its density is infinite or NaN. Add the stated floor.",
            swaps=(("floor = 1e-9 * X.var(axis=0).max()", "floor = 1e-300"),),
        ),
    ),
    accepted=(QuadraticScore, TwoLogJoints),
)
