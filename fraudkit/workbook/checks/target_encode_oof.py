"""Target encoding out of fold: own label never used, unseen categories get the prior, folds of any number."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant


def row_by_row(categories, y, folds, smoothing=10.0):
    """The oracle: for each row, walk over all rows of other folds."""
    encoded = []
    for category, fold in zip(categories, folds, strict=True):
        others = [(c, label) for c, label, f in zip(categories, y, folds, strict=True) if f != fold]
        prior = sum(float(label) for _, label in others) / len(others)
        own = [float(label) for c, label in others if c == category]
        encoded.append((sum(own) + smoothing * prior) / (len(own) + smoothing) if own else prior)
    return np.array(encoded)


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones with rare categories."""
    found = [
        Case(
            "two folds",
            (["a", "a", "b", "a", "b", "b"], [1, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 1]),
            {"smoothing": 1.0},
        ),
        Case(
            "every card once",
            (["c1", "c2", "c3", "c4", "c5", "c6"], [1, 0, 0, 0, 1, 1], [0, 1, 2, 0, 1, 2]),
            {"smoothing": 1.0},
            why="a category that the other folds do not have knows nothing but the prior; more would be the row's "
            "own label",
        ),
        Case(
            "no smoothing, an unseen category",
            (["a", "b", "a", "c"], [1, 0, 0, 1], [0, 0, 1, 1]),
            {"smoothing": 0.0},
            why="0 divided by 0: a category without rows in the other folds gets the prior",
        ),
        Case(
            "folds of different fraud rates",
            (["a", "b", "a", "b", "a", "b"], [1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]),
            {"smoothing": 4.0},
            why="the prior leaves out the fold as well: the mean of all labels holds the row's own",
        ),
        Case(
            "folds numbered 3, 7 and 40",
            (["a", "a", "b", "a", "b", "a"], [1, 0, 1, 0, 1, 1], [3, 7, 40, 40, 3, 7]),
            {"smoothing": 2.0},
            why="a fold may be a week number: it need not start at 0 nor be without gaps",
        ),
        Case(
            "smoothing left at 10, arrays of integers",
            (np.array([5, 9, 5, 9, 5]), np.array([0, 1, 1, 0, 1]), np.array([0, 1, 1, 0, 0])),
        ),
        Case(
            "one fold only",
            (["a", "b"], [0, 1], [2, 2]),
            raises="ValueError",
            why="with one fold there is no other to learn from",
        ),
        Case("lengths differ", (["a", "b", "a"], [0, 1], [0, 1, 0]), raises="ValueError"),
        Case("smoothing below zero", (["a", "b", "a"], [0, 1, 1], [0, 1, 1]), {"smoothing": -1.0}, raises="ValueError"),
    ]
    for size, smoothing in ((40, 3.0), (150, 20.0)):
        merchants = np.array([f"m{number:02d}" for number in rng.integers(0, size // 5, size)])
        y = (rng.random(size) < 0.3).astype(int)
        folds = np.arange(size) % 4
        rng.shuffle(folds)
        found.append(Case(f"{size} payments, rare merchants", (merchants, y, folds), {"smoothing": smoothing}))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of n payments by n/4 cards, to see how time grows."""
    cards = np.char.add("card_", rng.integers(10**7, 10**7 + n // 4, n).astype(str))
    return Case(f"{n} payments", (cards, (rng.random(n) < 0.1).astype(int), np.arange(n) % 20))


def all_minus_own_fold(categories, y, folds, smoothing=10.0):
    """Accepted: sums over everything, less the sums of the row's own fold."""
    categories, y, folds = np.asarray(categories), np.asarray(y).astype(float), np.asarray(folds)
    if len(categories) != len(y) or len(y) != len(folds):
        raise ValueError("lengths differ")
    kinds, c = np.unique(categories, return_inverse=True)
    parts, f = np.unique(folds, return_inverse=True)
    if len(parts) < 2 or smoothing < 0:
        raise ValueError("needs two folds and a smoothing of at least 0")
    count, total = np.zeros((len(parts), len(kinds))), np.zeros((len(parts), len(kinds)))
    np.add.at(count, (f, c), 1.0)
    np.add.at(total, (f, c), y)
    prior = ((total.sum() - total.sum(axis=1)) / (len(y) - count.sum(axis=1)))[f]
    rows = (count.sum(axis=0) - count)[f, c]
    frauds = (total.sum(axis=0) - total)[f, c]
    return np.where(rows > 0, (frauds + smoothing * prior) / np.maximum(rows + smoothing, 1e-300), prior)


def with_dicts(categories, y, folds, smoothing=10.0):
    """Accepted: plain Python, dicts of [rows, frauds], one for all and one for each fold."""
    categories, y, folds = list(categories), [int(label) for label in y], list(folds)
    if len({len(categories), len(y), len(folds)}) > 1 or len(set(folds)) == 1 or smoothing < 0:
        raise ValueError("bad input")
    everywhere, within, sizes = {}, {}, {}
    for category, label, fold in zip(categories, y, folds, strict=True):
        for table, key in ((everywhere, category), (within, (fold, category)), (sizes, fold)):
            entry = table.setdefault(key, [0, 0])
            entry[0] += 1
            entry[1] += label
    encoded, frauds_in_all = [], sum(frauds for _, frauds in sizes.values())
    for category, fold in zip(categories, folds, strict=True):
        prior = (frauds_in_all - sizes[fold][1]) / (len(y) - sizes[fold][0])
        rows = everywhere[category][0] - within[fold, category][0]
        frauds = everywhere[category][1] - within[fold, category][1]
        encoded.append(prior if rows == 0 else (frauds + smoothing * prior) / (rows + smoothing))
    return encoded


EXERCISE = Exercise(
    id="target_encode_oof",
    title="Target encoding out of fold",
    minutes=20,
    difficulty="hard",
    feeds="05",
    week="7-8",
    hints=(
        "Ask for each number that goes into a row's code: would it change if this row's own label changed?",
        "Work fold by fold: learn prior, counts and frauds on the rows outside, then look up the rows inside.",
        "`np.unique(..., return_inverse=True)` numbers the categories, `np.bincount(code, weights=y, minlength=k)` "
        "sums the labels of each in one pass.",
    ),
    cases=cases,
    expect=row_by_row,
    agree=close(),
    mutants=(
        Mutant(
            "own-label-used",
            "The row's own fold took part in its code, so the label leaks into the feature: on pure noise a model "
            "would look good. Learn on the other folds only.",
            swaps=(("outside = ~inside", "outside = np.ones(len(y), dtype=bool)"),),
        ),
        Mutant(
            "own-fold-instead-of-others",
            "The code was learned on the row's own fold, the one part of the data that must not be used.",
            swaps=(("outside = ~inside", "outside = inside"),),
        ),
        Mutant(
            "prior-of-all-rows",
            "The prior is the mean of all labels, and so holds the row's own. Take the mean over the other folds.",
            swaps=(("y[outside].mean()", "y.mean()"),),
        ),
        Mutant(
            "leave-one-out",
            "Only the row itself was left out, not its fold. Within a category the code is then lower where the "
            "label is 1, and a tree reads the label off it.",
            swaps=(
                (
                    "encoded[inside] = means[code[inside]]",
                    "rest = np.bincount(code)[code] - 1\n"
                    "        sums = np.bincount(code, weights=y)[code] - y\n"
                    "        mine = (y.sum() - y) / (len(y) - 1)\n"
                    "        safe = np.maximum(rest + smoothing, 1e-300)\n"
                    "        encoded[inside] = np.where(rest > 0, (sums + smoothing * mine) / safe, mine)[inside]",
                ),
            ),
        ),
        Mutant(
            "unseen-is-nan",
            "A category without rows in the other folds became NaN when smoothing is 0: zero divided by zero. It "
            "gets the prior.",
            swaps=((", where=count > 0", ""),),
        ),
        Mutant(
            "unseen-is-zero",
            "A category without rows in the other folds got 0, which says that it is the safest of all. It gets the "
            "prior.",
            swaps=(("np.full(len(names), prior)", "np.zeros(len(names))"),),
        ),
        Mutant(
            "not-smoothed",
            "The plain mean of the category was used: one payment makes a rare merchant look certain. Add "
            "`smoothing` rows of the prior.",
            swaps=(("frauds + smoothing * prior, count + smoothing", "frauds, count"),),
        ),
        Mutant(
            "smoothed-toward-a-half",
            "The code was pulled toward 0.5. With a fraud in a thousand that is far too high: pull it toward the "
            "prior.",
            swaps=(("smoothing * prior", "smoothing * 0.5"),),
        ),
        Mutant(
            "smoothing-without-prior",
            "Smoothing was added below the line only, which pulls every code toward 0. Above the line belongs "
            "smoothing times the prior.",
            swaps=(("frauds + smoothing * prior", "frauds"),),
        ),
        Mutant(
            "folds-counted-from-0",
            "The folds were taken to be 0, 1, 2 and so on. They may have any number, such as a week's: use the "
            "values that are there.",
            swaps=(("for fold in np.unique(folds):", "for fold in range(len(np.unique(folds))):"),),
        ),
        Mutant(
            "every-card-scanned",
            "The values are right, but all rows are scanned for each row. With a card for every few payments that "
            "grows with the square of the rows: count all categories of a fold in one pass.",
            swaps=(
                (
                    "encoded[inside] = means[code[inside]]",
                    "for row in np.flatnonzero(inside):\n"
                    "            same = (categories == categories[row]) & outside\n"
                    "            c = same.sum()\n"
                    "            encoded[row] = (y[same].sum() + smoothing * prior) / (c + smoothing) if c else prior",
                ),
            ),
        ),
    ),
    accepted=(all_minus_own_fold, with_dicts),
    growth=Growth(
        large,
        n=2_000,
        says="Count rows and frauds of all categories in one pass for each fold, instead of a scan for each.",
    ),
)
