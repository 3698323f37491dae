"""Standardising by the training statistics: constant columns, large means, float32, one new row."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step


def exactly_summed(steps=()):
    """The oracle: mean and deviation of each column from sums without rounding, each cell on its own."""
    answers, learned = [], []
    for step in steps:
        rows = [[float(value) for value in row] for row in step.args[0]]
        if step.method == "fit":
            learned = []
            for column in zip(*rows, strict=True):
                mean = math.fsum(column) / len(column)
                variance = math.fsum((value - mean) ** 2 for value in column) / len(column)
                learned.append((mean, 1.0 if len(set(column)) == 1 else math.sqrt(variance)))
            answers.append(None)
        else:
            scaled = [
                [(value - mean) / deviation for value, (mean, deviation) in zip(row, learned, strict=True)]
                for row in rows
            ]
            answers.append(np.array(scaled).reshape(len(rows), len(learned)))
    return answers


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first; the columns of the random ones differ in mean and deviation."""
    amounts = np.array([[1.0, 100.0], [2.0, 300.0], [6.0, 500.0]])
    seconds = 1e8 + 3.0 * rng.normal(size=(40, 1))
    narrow = (1000 + rng.normal(size=(60, 2))).astype(np.float32)
    wide = rng.normal(size=(200, 4)) * [1, 20, 0.01, 5] + [0, 50, 3, -7]

    def used(name: str, train: object, *new: object, why: str = "", raises: str = "") -> Case:
        steps = (Step("fit", (train,)), *(Step("transform", (rows,)) for rows in new))
        return Case(name, steps=steps, why=why, raises=raises)

    return [
        used("two columns", amounts, amounts),
        used(
            "one new row",
            amounts,
            np.array([[4.0, 100.0]]),
            np.array([[9.0, 900.0]]),
            why="a single row has no mean of its own worth using: transform works with what fit has learned",
        ),
        used(
            "a constant column",
            np.array([[1.0, 7.0], [3.0, 7.0]]),
            np.array([[2.0, 7.0], [5.0, 8.0]]),
            why="a constant column has deviation 0; it is divided by 1 instead",
        ),
        used(
            "three times 0.1",
            np.array([[0.1, 0.7], [0.1, 0.7], [0.1, 0.7]]),
            np.array([[0.1, 0.7], [1.1, 0.2]]),
            why="rounding makes the computed deviation of this constant column about 1e-17 instead of 0; "
            "compare the smallest value with the largest",
        ),
        used(
            "tiny values that differ",
            np.array([[1e-12], [2e-12], [6e-12]]),
            np.array([[3e-12], [9e-12]]),
            why="small is not constant: rates per million payments are tiny and still differ",
        ),
        used("lists of integers", [[1, 2], [3, 2], [8, 5]], [[0, 0]]),
        used(
            "a mean of a hundred million, a deviation of 3",
            seconds,
            seconds[:5],
            why="the square of a large mean swallows the variance: subtract the mean before squaring",
        ),
        used(
            "float32 around 1000",
            narrow,
            narrow[:6],
            why="float32 keeps seven digits, and subtracting the mean loses three of them: convert to float64 first",
        ),
        Case(
            "fitted twice",
            steps=(Step("fit", (amounts,)), Step("fit", (amounts * 10,)), Step("transform", (amounts,))),
            why="a second fit forgets the first",
        ),
        Case(
            "transform before fit",
            steps=(Step("transform", (amounts,)),),
            raises="RuntimeError",
            why="an object that has learned nothing must say so",
        ),
        used(
            "one column where three were learned",
            np.arange(6.0).reshape(2, 3),
            np.array([[1.0], [2.0]]),
            raises="ValueError",
            why="NumPy stretches one column over three without a word; compare the numbers of columns",
        ),
        used("fit without rows", np.empty((0, 2)), raises="ValueError"),
        used("200 rows, four columns", wide[:150], wide[150:]),
    ]


class TakenApart:
    """Accepted: Welford's update, row by row, in NumPy."""

    def __init__(self):
        self.columns = None

    def fit(self, X):
        """Learn row by row."""
        rows = np.array(X, dtype=np.float64)
        if rows.shape[0] < 1:
            raise ValueError("no rows")
        mean, squares = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
        for seen, row in enumerate(rows, start=1):
            step = row - mean
            mean = mean + step / seen
            squares = squares + step * (row - mean)
        varies = (rows != rows[0]).any(axis=0)
        self.columns = rows.shape[1]
        self.centre = np.where(varies, mean, rows[0])
        self.factor = 1 / np.sqrt(np.where(varies, squares / len(rows), 1.0))
        return self

    def transform(self, X):
        """Scale by a factor."""
        if self.columns is None:
            raise RuntimeError("not fitted")
        rows = np.array(X, dtype=np.float64)
        if rows.shape[1] != self.columns:
            raise ValueError("another number of columns")
        return (rows - self.centre) * self.factor


class ColumnByColumn:
    """Accepted: one column at a time, the deviation as a root mean square, fit returning nothing."""

    learned = None

    def fit(self, X):
        """Keep (mean, deviation) of each column."""
        X = np.asarray(X).astype(float)
        if X.size == 0:
            raise ValueError("empty")
        self.learned = []
        for column in X.T:
            centred = column - column.mean()
            spread = np.sqrt(np.dot(centred, centred) / len(column))
            self.learned.append((column.mean(), spread if np.ptp(column) > 0 else 1.0))

    def transform(self, X):
        """Columns put side by side."""
        if self.learned is None:
            raise RuntimeError("fit first")
        X = np.asarray(X).astype(float)
        if X.shape[1] != len(self.learned):
            raise ValueError("columns differ")
        return np.column_stack([(column - m) / s for column, (m, s) in zip(X.T, self.learned, strict=True)])


EXERCISE = Exercise(
    id="normalise",
    title="Standardise with the training statistics",
    minutes=12,
    difficulty="easy",
    feeds="05",
    week="9-10",
    function="Standardiser",
    hints=(
        "Everything that transform needs from the data is learned in fit and kept on the object.",
        "Which column makes you divide by zero, and will rounding let you notice it by `== 0`?",
        "`X.min(axis=0) == X.max(axis=0)` finds the constant columns; set their scale to 1. `X.std(axis=0)` divides "
        "by m as it is.",
    ),
    cases=cases,
    expect=exactly_summed,
    agree=close(rtol=1e-6, atol=1e-6),
    mutants=(
        Mutant(
            "divides-by-m-minus-1",
            "The deviation was computed with m - 1. The question divides by m; `np.std` does so unless told "
            "otherwise, pandas does not.",
            swaps=(("X.std(axis=0)", "X.std(axis=0, ddof=1)"),),
        ),
        Mutant(
            "constant-column-nan",
            "A constant column was divided by its deviation of 0, which gives NaN or infinity. Divide it by 1.",
            swaps=(("self.scale[constant] = 1.0", "pass"),),
        ),
        Mutant(
            "constant-only-at-zero",
            "The constant column was looked for by a deviation of exactly 0. Rounding makes it 1e-17, and dividing "
            "by that turns noise into values of size one: compare smallest and largest value.",
            swaps=(("X.min(axis=0) == X.max(axis=0)", "self.scale == 0"),),
        ),
        Mutant(
            "small-taken-for-constant",
            "A column was called constant because its deviation is small. What is small depends on the unit: compare "
            "smallest and largest value.",
            swaps=(("X.min(axis=0) == X.max(axis=0)", "self.scale < 1e-8"),),
        ),
        Mutant(
            "own-mean",
            "transform used the mean of the rows it was given. It must use the mean that fit learned, or a single "
            "row is always zero.",
            swaps=(("(X - self.mean)", "(X - X.mean(axis=0))"),),
        ),
        Mutant(
            "own-statistics",
            "transform learned mean and deviation again from the rows it was given. Test rows must be scaled by the "
            "training statistics.",
            swaps=(
                (
                    "return (X - self.mean) / self.scale",
                    "spread = np.where(X.min(axis=0) == X.max(axis=0), 1.0, X.std(axis=0))\n"
                    "        return (X - X.mean(axis=0)) / spread",
                ),
            ),
        ),
        Mutant(
            "one-mean-for-all",
            "Mean and deviation were taken over the whole table. Each column has its own: axis=0.",
            swaps=(
                ("X.mean(axis=0)", "np.full(X.shape[1], X.mean())"),
                ("X.std(axis=0)", "np.full(X.shape[1], X.std())"),
            ),
        ),
        Mutant(
            "mean-of-squares",
            "The variance was computed as mean of squares minus square of the mean. With a large mean both are huge "
            "and nearly equal, and the digits that matter are gone: subtract the mean first.",
            swaps=(("X.std(axis=0)", "np.sqrt(np.abs((X**2).mean(axis=0) - X.mean(axis=0) ** 2))"),),
        ),
        Mutant(
            "float32-kept",
            "The computation was done in the type of the input. In float32 the difference from a mean of 1000 keeps "
            "four digits: convert to float64 first.",
            swaps=(
                ("X = np.asarray(X, dtype=float)\n        if len(X) == 0", "X = np.asarray(X)\n        if len(X) == 0"),
                ("X = np.asarray(X, dtype=float)\n        if X.shape", "X = np.asarray(X)\n        if X.shape"),
            ),
        ),
        Mutant(
            "smallest-to-largest",
            "The columns were brought to the range 0 to 1. Standardising subtracts the mean and divides by the "
            "standard deviation.",
            swaps=(("X.mean(axis=0)", "X.min(axis=0)"), ("X.std(axis=0)", "X.max(axis=0) - X.min(axis=0)")),
        ),
        Mutant(
            "columns-not-compared",
            "A table with another number of columns was accepted: NumPy stretched one column over all. Compare and "
            "raise ValueError.",
            swaps=(("if X.shape[1] != len(self.mean):", "if False:"),),
        ),
        Mutant(
            "input-changed",
            "The rows given to transform were changed in place. The caller still needs them: make a new array.",
            swaps=(
                ("return (X - self.mean) / self.scale", "X -= self.mean\n        X /= self.scale\n        return X"),
            ),
        ),
    ),
    accepted=(TakenApart, ColumnByColumn),
)
