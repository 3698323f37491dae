"""One-hot encoding: columns learned on the training rows in sorted order, unseen and unknown values all zeros."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant

NUMBERS = close()


def marked_cells(train, values):
    """The oracle: an array of zeros, one cell marked for each value that is found in the list of categories."""
    categories = []
    for value in train:
        if value is not None and str(value) not in categories:
            categories.append(str(value))
    categories.sort()
    encoded = np.zeros((len(values), len(categories)))
    for row, value in enumerate(values):
        if value is not None and value in categories:
            encoded[row, categories.index(value)] = 1.0
    return categories, encoded


def agree(got: Any, expected: Any, case: Case) -> str:
    """As `close`, and an array of text may stand for the list of categories."""
    if isinstance(got, list | tuple) and len(got) == 2 and isinstance(got[0], np.ndarray):
        got = (got[0].tolist(), got[1])
    return NUMBERS(got, expected, case)


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones with unseen values."""
    found = [
        Case("two categories", (["pos", "web", "pos"], ["web", "pos"])),
        Case(
            "categories come out of order",
            (["web", "app", "pos"], ["app", "web"]),
            why="the order of the columns must not depend on the order of the training rows: sort the categories",
        ),
        Case(
            "a value that training never saw",
            (["pos", "web"], ["app", "web", "zzz"]),
            why="a new category is a row of zeros; it makes no column and belongs to no other category",
        ),
        Case(
            "None on both sides",
            (["web", None, "pos"], [None, "web"]),
            why="None is not a category: it makes no column, and its row is all zeros",
        ),
        Case(
            "a value longer than every category",
            (["bar", "bus"], ["business", "bus", "Bar"]),
            why="an array of text has a fixed width: a longer value put into it is cut, and then looks like a known "
            "one",
        ),
        Case("arrays of text", (np.array(["10", "9", "10"]), np.array(["9", "100", "10"]))),
        Case("empty text is a category", (["b", "", "a"], ["", "c", "a"])),
        Case("nothing to encode", (["a", "b", "c"], []), why="the shape is (0, k) even when there are no rows"),
        Case(
            "no text to learn from",
            ([None, None], ["a"]),
            raises="ValueError",
            why="an encoder without a column is a broken data set; say so",
        ),
    ]
    names = np.array([f"mcc_{number}" for number in rng.permutation(40)])
    found.append(Case("200 payments, 30 of 40 categories seen", (rng.choice(names[:30], 300), rng.choice(names, 200))))
    return found


def searched(train, values):
    """Accepted: sorted by NumPy, each value looked up by binary search and compared with what was found."""
    texts = [value for value in train if value is not None]
    if not texts:
        raise ValueError("train holds no text")
    categories = np.unique(texts)
    given = np.array([value is not None for value in values], dtype=bool)
    wanted = np.array(["" if value is None else value for value in values], dtype=str)
    place = np.minimum(np.searchsorted(categories, wanted), len(categories) - 1)
    hit = given & (categories[place] == wanted)
    encoded = np.zeros((len(wanted), len(categories)))
    encoded[np.flatnonzero(hit), place[hit]] = 1
    return categories, encoded


def compared_all(train, values):
    """Accepted: every value against every category, as Python objects."""
    categories = sorted(set(train) - {None})
    if len(categories) == 0:
        raise ValueError("no category in train")
    left, right = np.array(list(values), dtype=object), np.array(categories, dtype=object)
    return [str(category) for category in categories], np.equal.outer(left, right).astype(int)


EXERCISE = Exercise(
    id="one_hot",
    title="One-hot encoding that meets new categories",
    minutes=10,
    difficulty="easy",
    feeds="05",
    week="9-10",
    hints=(
        "Two steps that must not mix: what is learned from `train`, and what is done to `values`.",
        "A dict from category to column answers quickly, and can say -1 for a value that it does not know.",
        "Compare the column of codes, shape (n, 1), with `np.arange(k)`: code -1 equals none of them.",
    ),
    cases=cases,
    expect=marked_cells,
    agree=agree,
    mutants=(
        Mutant(
            "learned-from-both",
            "The categories were taken from the values to be encoded as well. The model has no column for a category "
            "that training never saw: learn from `train` alone.",
            swaps=(("for value in train if", "for value in [*train, *values] if"),),
        ),
        Mutant(
            "order-of-appearance",
            "The columns stand in the order in which categories first appear, so the same data in another order "
            "gives other columns. Sort the categories.",
            swaps=(
                (
                    "sorted({value for value in train if value is not None})",
                    "list(dict.fromkeys(value for value in train if value is not None))",
                ),
            ),
        ),
        Mutant(
            "unseen-in-last-column",
            "An unseen value became the last category: index -1 counts from the end. It must be a row of zeros.",
            swaps=(("(codes[:, None] == np.arange(len(categories))).astype(float)", "np.eye(len(categories))[codes]"),),
        ),
        Mutant(
            "unseen-raises",
            "An unseen value raised an error. In production a new category arrives without notice; give it a row of "
            "zeros.",
            swaps=(("column.get(value, -1)", "column[value]"),),
        ),
        Mutant(
            "unseen-takes-neighbour",
            "A search in the sorted categories gives a place for every value, known or not. Check that what stands "
            "there is the value.",
            swaps=(
                (
                    "column.get(value, -1) for value in values",
                    "min(int(np.searchsorted(categories, str(value))), len(categories) - 1) for value in values",
                ),
            ),
        ),
        Mutant(
            "values-cut",
            "The values were put into an array as narrow as the longest category, which cut the longer ones: "
            "'business' became 'bus'.",
            swaps=(
                (
                    "-1) for value in values",
                    '-1) for value in np.array([v or "" for v in values], dtype=np.array(categories).dtype)',
                ),
            ),
        ),
        Mutant(
            "none-gets-a-column",
            "None became a category called 'None'. Unknown is the absence of a category: leave it out.",
            swaps=(
                ("{value for value in train if value is not None}", "{str(value) for value in train}"),
                ("column.get(value, -1)", "column.get(str(value), -1)"),
            ),
        ),
        Mutant(
            "first-column-dropped",
            "The first category has no column of its own, so that it cannot be told from an unseen value. Keep all k "
            "columns.",
            swaps=((".astype(float)", ".astype(float)[:, 1:]"),),
        ),
    ),
    accepted=(searched, compared_all),
)
