"""Filling with the training median and keeping an indicator: all-missing columns, zeros, one new row."""

from __future__ import annotations

import statistics

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant

NAN = float("nan")


def cell_by_cell(X_train, X):
    """The oracle: each cell on its own, with the median of the standard library."""

    def number(value):
        return NAN if value is None else float(value)

    medians = []
    for column in range(len(X_train[0])):
        known = [number(row[column]) for row in X_train]
        known = [value for value in known if value == value]
        medians.append(statistics.median(known) if known else 0.0)
    answer = []
    for row in X:
        numbers = [number(value) for value in row]
        filled = [value if value == value else median for value, median in zip(numbers, medians, strict=True)]
        answer.append(filled + [float(value != value) for value in numbers])
    return np.array(answer)


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones with holes."""
    train = np.array([[1.0, 10.0], [2.0, NAN], [9.0, 30.0]])
    found = [
        Case("one hole", (train, np.array([[NAN, 5.0], [4.0, 6.0]]))),
        Case(
            "an even number of known values",
            (np.array([[1.0], [2.0], [4.0], [40.0]]), np.array([[NAN]])),
            why="the median of four values is the mean of the middle two",
        ),
        Case(
            "X has other values than X_train",
            (train, np.array([[100.0, NAN], [200.0, 50.0], [NAN, 70.0]])),
            why="the fill is learned on the training rows; the rows to be filled must not change it",
        ),
        Case(
            "a column that training never saw filled",
            (np.array([[NAN, 1.0], [NAN, 3.0]]), np.array([[NAN, NAN], [8.0, 2.0]])),
            why="there is no median to learn; the question says 0.0, and a NaN would go into the model",
        ),
        Case(
            "a column that is never missing in training",
            (np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[NAN, 7.0]])),
            why="every column has its indicator, or the shape of the table depends on the luck of the training rows",
        ),
        Case(
            "zero is a value",
            (np.array([[0.0], [0.0], [6.0]]), np.array([[0.0], [NAN]])),
            why="only NaN is missing: an amount of zero is a card check, not a hole",
        ),
        Case("lists with None", ([[1, None], [2, 8], [6, 4]], [[None, None], [3, 1]])),
        Case("integers, nothing missing", (np.array([[1, 2], [3, 4]]), np.array([[5, 6]]))),
        Case("float32", (train.astype(np.float32), np.array([[NAN, 0.5]], dtype=np.float32))),
        Case(
            "one column against three",
            (np.array([[1.0], [2.0]]), np.array([[NAN, 5.0, NAN]])),
            raises="ValueError",
            why="NumPy stretches one median over three columns without a word; compare the numbers of columns",
        ),
    ]
    before, after = rng.lognormal(3, 1, (75, 4)), rng.lognormal(4, 1, (40, 4))
    before[rng.random(before.shape) < 0.3] = NAN
    after[rng.random(after.shape) < 0.3] = NAN
    found.append(Case("skewed amounts, a third missing", (before, after)))
    return found


def column_by_column(X_train, X):
    """Accepted: sorted known values of each column, written into a table of the final shape."""
    before, after = np.asarray(X_train).astype(float), np.asarray(X).astype(float)
    rows, columns = after.shape
    if before.shape[1] != columns:
        raise ValueError("another number of columns")
    answer = np.zeros((rows, 2 * columns))
    for index in range(columns):
        known = np.sort(before[:, index])
        known = known[: len(known) - int(np.isnan(known).sum())]  # NaN is sorted to the end
        middle = len(known) // 2
        fill = 0.0
        if len(known):
            fill = known[middle] if len(known) % 2 else 0.5 * (known[middle - 1] + known[middle])
        hole = np.isnan(after[:, index])
        answer[:, index] = after[:, index]
        answer[hole, index] = fill
        answer[:, columns + index] = hole
    return answer


def masked(X_train, X):
    """Accepted: NumPy's masked arrays do the median."""
    before = np.ma.masked_invalid(np.array(X_train, dtype=float))
    after = np.ma.masked_invalid(np.array(X, dtype=float))
    if before.shape[1] != after.shape[1]:
        raise ValueError(f"{before.shape[1]} columns in training, {after.shape[1]} now")
    fills = np.ma.filled(np.ma.median(before, axis=0).astype(float), 0.0)
    holes = np.ma.getmaskarray(after)
    filled = after.data * 1.0
    filled[holes] = np.broadcast_to(fills, filled.shape)[holes]
    return np.concatenate((filled, holes.astype(float)), axis=1)


EXERCISE = Exercise(
    id="impute_with_indicator",
    title="Impute with the training median",
    minutes=10,
    difficulty="easy",
    feeds="05",
    week="9-10",
    hints=(
        "Take note of what is missing before anything is filled.",
        "The median of each column comes from the known values of `X_train` alone. What if there are none?",
        "`np.where(missing, medians, X)` fills all columns at once; `np.hstack` puts the indicators beside them.",
    ),
    cases=cases,
    expect=cell_by_cell,
    agree=close(),
    mutants=(
        Mutant(
            "median-of-the-new-rows",
            "The median was taken of the rows to be filled. It has to be learned on `X_train`: a single payment has "
            "no median.",
            swaps=(("for column in X_train.T]", "for column in X.T]"),),
        ),
        Mutant(
            "median-of-both",
            "The rows to be filled took part in the median, so test data leaks into the preparation. Learn on "
            "`X_train` alone.",
            swaps=(("for column in X_train.T]", "for column in np.vstack([X_train, X]).T]"),),
        ),
        Mutant(
            "mean-for-median",
            "The fill is the mean. Amounts have a long tail, and a few large ones drag it; the question asks for the "
            "median.",
            swaps=(("np.median(values)", "np.mean(values)"),),
        ),
        Mutant(
            "all-missing-stays-nan",
            "A column without a known value in training was filled with NaN, which is no fill at all. The question "
            "says 0.0.",
            swaps=(("if len(values) else 0.0", "if len(values) else np.nan"),),
        ),
        Mutant(
            "indicator-after-filling",
            "The indicators were computed after filling, when nothing is missing any more: they are all zero.",
            swaps=(("np.hstack([filled, missing])", "np.hstack([filled, np.isnan(filled)])"),),
        ),
        Mutant(
            "indicator-only-where-training-had-holes",
            "There are indicators only for columns with holes in training. A field can go missing later: give every "
            "column its indicator.",
            swaps=(("np.hstack([filled, missing])", "np.hstack([filled, missing[:, np.isnan(X_train).any(axis=0)]])"),),
        ),
        Mutant(
            "indicator-reversed",
            "The indicator is 1 where the value is known. It should be 1 where it was missing.",
            swaps=(("np.hstack([filled, missing])", "np.hstack([filled, ~missing])"),),
        ),
        Mutant(
            "nan-poisons-the-median",
            "The median of a column with a NaN in it is NaN. Leave the missing values out before taking the median.",
            swaps=(("column[~np.isnan(column)] for", "column for"),),
        ),
        Mutant(
            "zero-is-missing",
            "Zero was treated as missing. It is a value: only NaN, or None in a list, is missing.",
            swaps=(
                ("column[~np.isnan(column)]", "column[~np.isnan(column) & (column != 0)]"),
                ("missing = np.isnan(X)", "missing = np.isnan(X) | (X == 0)"),
            ),
        ),
        Mutant(
            "lower-middle-value",
            "With an even number of known values the lower of the middle two was taken. The median is their mean.",
            swaps=(("np.median(values)", "np.sort(values)[(len(values) - 1) // 2]"),),
        ),
        Mutant(
            "columns-not-compared",
            "A table with another number of columns was accepted: NumPy stretched one median over all. Compare and "
            "raise ValueError.",
            swaps=(("if X_train.shape[1] != X.shape[1]:", "if False:"),),
        ),
        Mutant(
            "input-changed",
            "The holes were filled in the caller's own table. Work on a copy.",
            swaps=(
                (
                    "np.array(X_train, dtype=float), np.array(X, dtype=float)",
                    "np.array(X_train, dtype=float), np.asarray(X, dtype=float)",
                ),
                ("filled = np.where(missing, medians, X)", "filled = X\n    X[:] = np.where(missing, medians, X)"),
            ),
        ),
    ),
    accepted=(column_by_column, masked),
)
