"""Area under the ROC curve: ties count a half, one class raises, and it takes n log n."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant


def pairs_won(y_true, y_score):
    """The oracle: the share of (fraud, genuine) pairs in which the fraud scores higher, by counting."""
    y_true, y_score = np.asarray(y_true), np.asarray(y_score, dtype=float)
    fraud, genuine = y_score[y_true == 1], y_score[y_true == 0]
    wins = (fraud[:, None] > genuine).sum() + 0.5 * (fraud[:, None] == genuine).sum()
    return wins / (len(fraud) * len(genuine))


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones with ties."""
    found = [
        Case("four payments", (np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))),
        Case(
            "all scores equal",
            (np.array([1, 0, 1, 0, 0]), np.full(5, 0.5)),
            why="a model that says the same of everybody ranks nothing: 0.5, in whatever order the rows come",
        ),
        Case("lists instead of arrays", ([1, 0, 0, 1], [0.9, 0.8, 0.1, 0.8])),
        Case("one class only", (np.zeros(4, dtype=int), np.array([0.1, 0.2, 0.3, 0.4])), raises="ValueError"),
        Case("scores in float32, labels as booleans", (np.array([True, False, True]), np.float32([0.3, 0.3, 0.7]))),
    ]
    for size in (12, 200):
        y_true = (np.arange(size) % 3 == 0).astype(int)
        rng.shuffle(y_true)
        found.append(Case(f"{size} payments with ties", (y_true, np.round(rng.random(size) + 0.2 * y_true, 1))))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of size n, to see how time grows."""
    y_true = (np.arange(n) % 10 == 0).astype(int)
    return Case(f"{n} payments", (y_true, rng.random(n) + 0.3 * y_true))


def trapezoid_under_curve(y_true, y_score):
    """Accepted: the curve itself, one point for each distinct score, summed by trapezoids."""
    y_true, y_score = np.asarray(y_true).astype(int), np.asarray(y_score)
    if y_true.min() == y_true.max():
        raise ValueError("ROC AUC needs both classes")
    order = np.argsort(-y_score, kind="stable")
    last_of_tie = np.append(np.diff(y_score[order]) != 0, True)
    hits = np.cumsum(y_true[order])[last_of_tie]
    seen = np.flatnonzero(last_of_tie) + 1
    tpr = np.concatenate([[0.0], hits / y_true.sum()])
    fpr = np.concatenate([[0.0], (seen - hits) / (len(y_true) - y_true.sum())])
    return float(np.trapezoid(tpr, fpr))


def searched_pairs(y_true, y_score):
    """Accepted: for each fraud, how many genuine payments lie below and how many beside, by binary search."""
    y_true, y_score = np.asarray(y_true, dtype=bool), np.asarray(y_score, dtype=float)
    fraud, genuine = y_score[y_true], np.sort(y_score[~y_true])
    if not len(fraud) or not len(genuine):
        raise ValueError(f"both classes are needed, got {len(fraud)} frauds and {len(genuine)} genuine payments")
    below = np.searchsorted(genuine, fraud, side="left").sum()
    up_to = np.searchsorted(genuine, fraud, side="right").sum()
    return (below + up_to) / 2 / len(fraud) / len(genuine)


EXERCISE = Exercise(
    id="roc_auc",
    title="ROC AUC with ties",
    minutes=15,
    difficulty="medium",
    feeds="07",
    week="7-8",
    hints=(
        "Think of pairs: one fraud, one genuine payment. In which share of pairs does the fraud score higher?",
        "Counting pairs takes n squared. Rank all scores once: the frauds' rank sum knows how many pairs they won.",
        "With average ranks for ties: AUC = (sum of fraud ranks - P(P+1)/2) / (P·N). "
        "`np.unique(..., return_inverse=True, return_counts=True)` gives the groups of equal scores.",
    ),
    cases=cases,
    expect=pairs_won,
    agree=close(),
    mutants=(
        Mutant(
            "ties-ordered",
            "Equal scores were ranked one after the other, so the result depends on the order of the rows. "
            "A tie between a fraud and a genuine payment counts a half: give tied scores their average rank.",
            swaps=(
                (
                    "average_rank = np.cumsum(counts) - (counts - 1) / 2\n    ranks = average_rank[group]",
                    "ranks = np.argsort(np.argsort(y_score, kind='stable'), kind='stable') + 1.0",
                ),
            ),
        ),
        Mutant(
            "ties-lost",
            "A tie between a fraud and a genuine payment was counted as a loss. It counts a half.",
            swaps=(("np.cumsum(counts) - (counts - 1) / 2", "np.cumsum(counts) - counts + 1.0"),),
        ),
        Mutant(
            "labels-reversed",
            "This is one minus the AUC: the genuine payments' ranks were summed instead of the frauds'.",
            swaps=(
                (
                    "ranks[y_true].sum() - positives * (positives + 1) / 2",
                    "ranks[~y_true].sum() - negatives * (negatives + 1) / 2",
                ),
            ),
        ),
        Mutant(
            "one-class-half",
            "With one class only there are no pairs and no AUC: a number hides a broken data set. Raise ValueError.",
            swaps=(('raise ValueError("ROC AUC needs both classes, got one")', "return 0.5"),),
        ),
        Mutant(
            "rank-sum-not-corrected",
            "The smallest rank sum that P frauds can have, P(P+1)/2, was not taken off.",
            swaps=((" - positives * (positives + 1) / 2", ""),),
        ),
        Mutant(
            "all-pairs",
            "The value is right, but every pair is compared: ten thousand payments make a hundred million comparisons.",
            swaps=(
                (
                    "return float((ranks[y_true].sum() - positives * (positives + 1) / 2) / (positives * negatives))",
                    "f, g = y_score[y_true], y_score[~y_true]\n"
                    "    return float(np.mean([np.mean((x > g) + 0.5 * (x == g)) for x in f]))",
                ),
            ),
        ),
    ),
    accepted=(trapezoid_under_curve, searched_pairs),
    growth=Growth(large, n=20_000, says="Compare ranks, which one sort gives, instead of every pair."),
    plug="metric",
)
