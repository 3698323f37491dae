"""Expanding time folds with a gap for the label delay, in which no card stands on both sides."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from fraudkit.workbook.agree import brief
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def judged_one_by_one(day, card, cuts, gap):
    """The oracle: for every fold, each row by itself; the cards of the test are a set."""
    folds = []
    for start, end in pairwise(cuts):
        test = [row for row, moment in enumerate(day) if start <= moment < end]
        tested = {card[row] for row in test}
        train = [row for row, moment in enumerate(day) if moment < start - gap and card[row] not in tested]
        folds.append((train, test))
    return folds


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same positions in the same order; the reason names fold, side and row."""
    if not isinstance(got, list | tuple | np.ndarray) or len(got) != len(expected):
        return f"the answer is {brief(got)}, expected {len(expected)} pairs (train, test)"
    for number, (mine, right) in enumerate(zip(got, expected, strict=True)):
        if not isinstance(mine, list | tuple | np.ndarray) or len(mine) != 2:
            return f"fold {number} is {brief(mine)}, expected the pair (train, test)"
        for side, rows, right_rows in zip(("train", "test"), mine, right, strict=True):
            if reason := _side_difference(f"{side} of fold {number}", np.asarray(rows), right_rows):
                return reason
    return ""


def _side_difference(name: str, mine: np.ndarray, right: list[int]) -> str:
    if mine.ndim != 1 or mine.dtype.kind not in "iuf" or (mine.dtype.kind == "f" and mine.size):
        return f"{name} is {brief(mine)}, expected positions as integers in one dimension"
    rows = mine.tolist()
    if extra := sorted(set(rows) - set(right)):
        return f"row {extra[0]} does not belong in {name}"
    if lacking := sorted(set(right) - set(rows)):
        return f"row {lacking[0]} is missing from {name}"
    return "" if rows == right else f"{name} holds the right rows, but not each once in ascending order"


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first: a card on both sides, the gap, the edges; then random ones."""
    found = [
        Case("five payments, one fold", (np.array([1, 2, 9, 11, 12]), np.array([7, 8, 9, 7, 5]), [10, 20], 2)),
        Case(
            "a card on both sides",
            (np.array([1, 2, 3, 12, 13]), np.array([1, 2, 1, 1, 3]), [10, 20], 0),
            why="the model has seen card 1 and its habits; its payments in the test say nothing about new cards",
        ),
        Case(
            "two folds",
            (np.array([1, 4, 12, 15, 22, 25]), np.array([1, 2, 3, 4, 2, 5]), [10, 20, 30], 0),
            why="the second fold trains on everything before its start, the first fold's test included",
        ),
        Case(
            "a card that comes back in a later fold",
            (np.array([1, 2, 11, 21]), np.array([1, 2, 3, 1]), [10, 20, 30], 0),
            why="at the first cut nobody knows who will pay in the third period: only the fold's own test counts",
        ),
        Case(
            "moments exactly on the edges",
            (np.array([6, 7, 8, 10, 20, 30]), np.array([1, 2, 3, 4, 5, 6]), [10, 20, 30], 3),
            why="a payment at start minus gap is out, one at the start is tested, one at the last cut is not",
        ),
        Case(
            "a card that pays in the gap only",
            (np.array([1, 8, 9, 11]), np.array([1, 1, 2, 3]), [10, 20], 3),
            why="rows in the gap are on no side, and keep nobody out of the training set",
        ),
        Case(
            "rows out of order, cards as text, an empty period",
            ([25, 3, 11, 1, 26, 2.5], ["a", "b", "c", "d", "b", "c"], [10, 15, 20, 30], 1),
            why="rows come in any order; a period without payments has an empty test, and a training set",
        ),
        Case("float32 days", (np.float32([0.5, 1.5, 10.25, 4.0]), [1, 2, 1, 2], np.array([5.0, 10.0, 12.5]), 0.5)),
        Case("cuts not ascending", ([1, 2], [1, 2], [10, 20, 20], 1), raises="ValueError"),
        Case("one cut", ([1, 2], [1, 2], [10], 1), raises="ValueError", why="one cut has no end: two make a fold"),
        Case(
            "a negative gap",
            ([1, 2], [1, 2], [10, 20], -1),
            raises="ValueError",
            why="a gap below zero would put payments of the test period into training",
        ),
        Case("lengths differ", (np.arange(3), np.arange(4), [10, 20], 1), raises="ValueError"),
    ]
    days = rng.integers(0, 60, 200)
    found.append(Case("200 payments of 80 cards", (days, rng.integers(0, 80, 200), [20, 30, 40, 60], 7)))
    moments = np.round(rng.random(150) * 50, 2)
    found.append(Case("150 payments of 100 cards", (moments, rng.integers(0, 100, 150), [15, 25, 50], 3.5)))
    return found


def masks_and_sets(day, card, cuts, gap):
    """Accepted: masks, and membership by a list of the cards' own tests."""
    day, cuts = np.asarray(day, dtype=float), np.asarray(cuts, dtype=float)
    card = list(card)
    if len(day) != len(card):
        raise ValueError("day and card differ in length")
    if gap < 0:
        raise ValueError("gap is negative")
    if len(cuts) < 2 or (cuts[1:] <= cuts[:-1]).any():
        raise ValueError("cuts must ascend, and be two at least")
    folds = []
    for k in range(len(cuts) - 1):
        tested = np.where((day >= cuts[k]) & (day < cuts[k + 1]))[0]
        faces = {card[row] for row in tested}
        clean = np.array([face not in faces for face in card], dtype=bool)
        folds.append((np.where(clean & (day < cuts[k] - gap))[0], tested))
    return folds


def numbered_cards(day, card, cuts, gap):
    """Accepted: cards numbered by `np.unique`, who is tested counted, positions sorted by time and cut by search."""
    day, codes = np.asarray(day), np.unique(np.asarray(card), return_inverse=True)[1]
    if len(cuts) < 2 or not all(a < b for a, b in pairwise(cuts)) or gap < 0 or day.size != codes.size:
        raise ValueError("cuts, gap or lengths are wrong")
    by_time = np.argsort(day, kind="stable")
    sorted_days = day[by_time].astype(float)
    folds = []
    for start, end in pairwise(cuts):
        first, last, known = np.searchsorted(sorted_days, [start, end, start - gap], side="left")
        test = np.sort(by_time[first:last])
        times_tested = np.bincount(codes[test], minlength=codes.size)
        past = np.sort(by_time[:known])
        folds.append((past[times_tested[codes[past]] == 0].tolist(), test.tolist()))
    return folds


EXERCISE = Exercise(
    id="grouped_time_folds",
    title="Time folds without shared cards",
    minutes=15,
    difficulty="medium",
    feeds="08",
    week="7-8",
    hints=(
        "Choose the test of a fold first, by time alone. Who is in it decides who may not train.",
        "Three conditions on a training row: early enough, early enough for its label, and of a card that the test "
        "does not hold.",
        "`np.isin(card, card[test])` marks the rows of tested cards; do it anew for each fold.",
    ),
    cases=cases,
    expect=judged_one_by_one,
    agree=agree,
    mutants=(
        Mutant(
            "cards-on-both-sides",
            "A card that is tested is also trained on: the model recognises its habits and the result is too good. "
            "Leave the tested cards' earlier payments out of training.",
            swaps=((" & ~np.isin(card, card[test])", ""),),
        ),
        Mutant(
            "cards-left-out-of-the-test",
            "The shared cards were taken out of the test. The test keeps all its rows; the training set gives way.",
            swaps=((" & ~np.isin(card, card[test]))", ")\n        test = test[~np.isin(card[test], card[train])]"),),
        ),
        Mutant(
            "gap-ignored",
            "The gap was left out. The labels of the last days before the cut have not arrived when the "
            "model is trained.",
            swaps=(("day < start - gap", "day < start"),),
        ),
        Mutant(
            "gap-on-the-test",
            "The gap was cut from the beginning of the test. It lies before the cut: training ends early, testing "
            "begins at the cut.",
            swaps=(
                ("(day >= start) & (day < end)", "(day >= start + gap) & (day < end)"),
                ("day < start - gap", "day < start"),
            ),
        ),
        Mutant(
            "edge-of-the-gap-taken",
            "A payment exactly at start minus gap was trained on. It has to be before that moment.",
            swaps=(("day < start - gap", "day <= start - gap"),),
        ),
        Mutant(
            "edge-in-two-folds",
            "A payment exactly at the end of a fold was tested there and again in the next. A fold holds its first "
            "moment and not its last.",
            swaps=(("(day < end)", "(day <= end)"),),
        ),
        Mutant(
            "window-slides",
            "Training began at the previous cut. The folds expand: everything before the cut, less the gap, may train.",
            swaps=(
                ("folds = []", "folds, previous = [], -np.inf"),
                ("(day < start - gap)", "(day >= previous) & (day < start - gap)"),
                ("folds.append((train, test))", "folds.append((train, test))\n        previous = start"),
            ),
        ),
        Mutant(
            "cards-of-the-future-left-out",
            "Cards of all tests were left out of every training set, those of later folds too. At the cut nobody "
            "knows who will pay in a later period.",
            swaps=(("np.isin(card, card[test])", "np.isin(card, card[(day >= start) & (day < cuts[-1])])"),),
        ),
        Mutant(
            "test-without-end",
            "Each test ran on to the last row. It ends at the next cut.",
            swaps=((" & (day < end)", ""),),
        ),
        Mutant(
            "cards-in-the-gap-left-out",
            "Cards that pay in the gap were left out of training. Only the cards of the test are shared; a row in the "
            "gap is on no side.",
            swaps=(("card[test])", "card[(day >= start - gap) & (day < end)])"),),
        ),
        Mutant(
            "cuts-not-checked",
            "Cuts that do not ascend make folds with no time in them, and nothing was raised.",
            swaps=((" or (np.diff(cuts) <= 0).any()", ""),),
        ),
        Mutant(
            "negative-gap-taken",
            "A negative gap lets payments of the test period into training, and nothing was raised.",
            swaps=(("gap < 0 or ", ""),),
        ),
    ),
    accepted=(masks_and_sets, numbered_cards),
)
