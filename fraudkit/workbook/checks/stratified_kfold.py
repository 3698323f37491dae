"""Stratified folds dealt like cards: frauds first, then the genuine payments from where the frauds stopped."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def dealt_one_by_one(y, k, order=None):
    """The oracle: walk along the rows twice, once for each class, and deal with one counter."""
    n = len(y)
    fold, hand = np.full(n, -1), 0
    for wanted in (1, 0):
        for row in range(n) if order is None else order:
            if y[row] == wanted:
                fold[row] = hand
                hand = 0 if hand == k - 1 else hand + 1
    return fold


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first: remainders, rare frauds, a shuffle; then random ones."""
    late = np.zeros(30, dtype=int)
    late[[2, 27, 28, 29]] = 1
    rare = np.zeros(300, dtype=int)
    rare[rng.choice(300, 3, replace=False)] = 1
    found = [
        Case("six payments, two frauds", (np.array([0, 1, 0, 0, 1, 0]), 2)),
        Case(
            "eleven payments in three folds",
            (np.array([0, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0]), 3),
            why="eleven does not divide by three: every row belongs to a fold, and sizes differ by one at most",
        ),
        Case(
            "sorted by label, as lists",
            ([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1], 3),
            why="rows often come sorted by label; blocks of rows would then hold one class each",
        ),
        Case(
            "the rows in another order",
            (np.array([1, 0, 0, 1, 0, 1, 0]), 2, np.array([3, 5, 6, 0, 2, 4, 1])),
            why="order names rows: order[0] is the row that is dealt first, not the place where row 0 stands",
        ),
        Case("labels as booleans", (late == 1, 4)),
        Case(
            "three frauds in 300 payments",
            (rare, 3, rng.permutation(300)),
            why="at one per cent of fraud a fold without fraud has no recall at all; each fold must get one",
        ),
        Case(
            "fewer frauds than folds",
            (np.array([0, 1, 0, 0, 1, 0, 0, 0]), 3),
            raises="ValueError",
            why="some fold would hold no fraud, and its metrics would be undefined",
        ),
        Case(
            "fewer genuine payments than folds",
            (np.array([1, 1, 1, 0, 1, 1, 0]), 3),
            raises="ValueError",
            why="a fold without a genuine payment has no false-positive rate; both classes are to be counted",
        ),
        Case("one fold", (np.array([0, 1, 0, 1]), 1), raises="ValueError", why="one fold leaves nothing to train on"),
    ]
    for size, k, share in ((23, 4, 0.4), (157, 5, 0.1)):
        y = (np.arange(size) < round(share * size)).astype(int)
        found.append(Case(f"{size} payments in {k} folds", (rng.permutation(y), k, rng.permutation(size))))
    return found


def class_by_class(y, k, order=None):
    """Accepted: each class by itself, the second begun where the first stopped."""
    y = np.asarray(y).astype(bool)
    frauds = int(y.sum())
    if k < 2 or min(frauds, y.size - frauds) < k:
        raise ValueError(f"k={k} folds need k frauds and k genuine payments")
    order = np.arange(y.size) if order is None else np.asarray(order)
    fold = np.full(y.size, -1)
    first = order[y[order]]
    second = order[~y[order]]
    fold[first] = np.arange(frauds) % k
    fold[second] = (frauds + np.arange(len(second))) % k
    return fold


def ranks_not_rows(y, k, order=None):
    """Accepted: a row's fold from its rank, which running counts along the order give; then back to the rows."""
    order = range(len(y)) if order is None else list(order)
    labels = [int(y[row]) for row in order]
    frauds = sum(labels)
    if k < 2:
        raise ValueError("at least two folds")
    for count, what in ((frauds, "frauds"), (len(labels) - frauds, "genuine payments")):
        if count < k:
            raise ValueError(f"{count} {what} for {k} folds")
    fold = [0] * len(labels)
    seen = 0
    for place, row in enumerate(order):
        rank = seen if labels[place] else frauds + place - seen
        fold[row] = rank % k
        seen += labels[place]
    return fold


EXERCISE = Exercise(
    id="stratified_kfold",
    title="Stratified k-fold",
    minutes=10,
    difficulty="easy",
    feeds="08",
    week="7-8",
    hints=(
        "Think of dealing cards round the table. What has to be true of the pile before you deal, so that everybody "
        "gets frauds and genuine payments alike?",
        "Put the frauds on top without disturbing the order inside each class, then deal once, without starting again "
        "at fold 0 for the second class.",
        "A stable `np.argsort` of the labels taken in the given order gives the pile; row pile[j] goes to fold j % k.",
    ),
    cases=cases,
    expect=dealt_one_by_one,
    agree=exact,
    mutants=(
        Mutant(
            "not-stratified",
            "The rows were dealt without regard to their class, so a fold may get no fraud. Deal the frauds first, "
            "then the genuine payments.",
            swaps=(('order[np.argsort(-y[order], kind="stable")]', "order"),),
        ),
        Mutant(
            "blocks-instead-of-dealing",
            "The pile, sorted by class, was cut into blocks: one fold gets all the frauds. Deal in turn instead.",
            swaps=(("np.arange(n) % k", "np.arange(n) * k // n"),),
        ),
        Mutant(
            "second-class-starts-again",
            "The genuine payments were dealt from fold 0 again. Fold 0 then gets the remainder of both classes; go on "
            "from the fold where the frauds stopped.",
            swaps=(
                (
                    "fold[pile] = np.arange(n) % k",
                    "fold[pile] = np.concatenate([np.arange(frauds), np.arange(n - frauds)]) % k",
                ),
            ),
        ),
        Mutant(
            "remainder-dropped",
            "The rows that are left over when n does not divide by k got no fold. Every row has to be tested once.",
            swaps=(
                ("fold = np.empty(n, dtype=int)", "fold = np.full(n, -1)"),
                ("fold[pile] = np.arange(n) % k", "fold[pile[: n // k * k]] = np.arange(n // k * k) % k"),
            ),
        ),
        Mutant(
            "remainder-in-the-last-fold",
            "The rows that are left over all went to the last fold. Dealing on gives them to different folds.",
            swaps=(("np.arange(n) % k", "np.where(np.arange(n) < n // k * k, np.arange(n) % k, k - 1)"),),
        ),
        Mutant(
            "answers-in-dealing-order",
            "The fold numbers were returned in the order of dealing. The answer has one number for each row of y, in "
            "the order of y: assign to the rows that the pile names.",
            swaps=(("fold[pile] = np.arange(n) % k", "fold = (np.arange(n) % k)[pile]"),),
        ),
        Mutant(
            "order-ignored",
            "The order that was handed in was not used: the rows were dealt as they come.",
            swaps=(("np.arange(n) if order is None else np.asarray(order)", "np.arange(n)"),),
        ),
        Mutant(
            "genuine-first",
            "The genuine payments were dealt before the frauds. The question says which class comes first.",
            swaps=(("-y[order]", "y[order]"),),
        ),
        Mutant(
            "too-few-frauds-taken",
            "With fewer frauds than folds some fold has none, and nothing was raised. Refuse it before dealing.",
            swaps=(("min(frauds, n - frauds) < k", "n - frauds < k"),),
        ),
        Mutant(
            "only-frauds-counted",
            "Frauds were counted before dealing, genuine payments were not. Both classes need k rows.",
            swaps=(("min(frauds, n - frauds) < k", "frauds < k"),),
        ),
    ),
    accepted=(class_by_class, ranks_not_rows),
)
