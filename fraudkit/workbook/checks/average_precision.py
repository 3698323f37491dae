"""Average precision: steps and no trapezoids, tied scores in one step, and it takes n log n."""

from __future__ import annotations

from itertools import groupby

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant


def mean_precision_at_frauds(y_true, y_score):
    """The oracle: for each fraud the precision of flagging all that score as high, averaged over frauds."""
    labels, scores = [int(label) for label in y_true], [float(score) for score in y_score]
    total = 0.0
    for label, least in zip(labels, scores, strict=True):
        if label:
            flagged = [other for other, score in zip(labels, scores, strict=True) if score >= least]
            total += sum(flagged) / len(flagged)
    return total / sum(labels)


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones with ties."""
    found = [
        Case("four payments", (np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8]))),
        Case(
            "all scores equal",
            (np.array([1, 0, 1, 0, 0]), np.full(5, 0.5)),
            why="whoever ranks nothing gets the share of fraud, 0.4, in whatever order the rows come",
        ),
        Case(
            "a tie in the middle",
            (np.array([1, 0, 1, 1, 0, 0]), np.array([0.9, 0.5, 0.5, 0.5, 0.5, 0.1])),
            why="the tied payments are flagged together: their frauds share one precision",
        ),
        Case(
            "one fraud, ranked last",
            (np.array([0, 0, 0, 1]), np.array([0.9, 0.8, 0.7, 0.1])),
            why="recall rises in one step, at precision 1/4; a line drawn to that point gives credit for nothing",
        ),
        Case(
            "precision falls and rises again",
            (np.array([1, 0, 0, 1, 1, 0]), np.array([6.0, 5.0, 4.0, 3.0, 2.0, 1.0])),
            why="each step of recall counts with the precision it has, not with a better one from further down",
        ),
        Case("lists, the best first", ([1, 1, 0], [0.9, 0.8, 0.1])),
        Case("frauds only", (np.ones(3, dtype=int), np.array([0.3, 0.2, 0.2]))),
        Case(
            "no fraud",
            (np.zeros(4, dtype=int), np.array([0.1, 0.2, 0.3, 0.4])),
            raises="ValueError",
            why="without a fraud there is no recall to average over; a number would hide a broken data set",
        ),
        Case("whole numbers as scores", (np.array([0, 1, 0, 1, 0]), np.array([-7, 3, 3, 12, 20]))),
        Case(
            "scores in float32, labels as booleans",
            (np.array([True, False, True, False]), np.float32([0.3, 0.3, 0.7, 0.9])),
        ),
    ]
    for size in (12, 200):
        y_true = (np.arange(size) % 4 == 0).astype(int)
        rng.shuffle(y_true)
        found.append(Case(f"{size} payments with ties", (y_true, np.round(rng.random(size) + 0.2 * y_true, 1))))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of size n, one fraud in forty, to see how time grows."""
    y_true = (np.arange(n) % 40 == 0).astype(int)
    return Case(f"{n} payments", (y_true, rng.random(n) + 0.3 * y_true))


def by_groups(y_true, y_score):
    """Accepted: plain Python, down the ranking one group of equal scores at a time."""
    ranking = sorted(zip(map(float, y_score), map(int, y_true), strict=True), reverse=True)
    frauds = sum(label for _, label in ranking)
    if frauds == 0:
        raise ValueError("there is no fraud")
    hits, seen, area = 0, 0, 0.0
    for _, tied in groupby(ranking, key=lambda pair: pair[0]):
        labels = [label for _, label in tied]
        hits, seen = hits + sum(labels), seen + len(labels)
        area += sum(labels) / frauds * hits / seen
    return area


def searched_precisions(y_true, y_score):
    """Accepted: for each fraud, how many frauds and how many payments score as high, by binary search."""
    y_true, y_score = np.asarray(y_true) == 1, np.asarray(y_score, dtype=float)
    fraud, everybody = np.sort(y_score[y_true]), np.sort(y_score)
    if fraud.size == 0:
        raise ValueError(f"no fraud among {everybody.size} payments")
    as_high = len(everybody) - np.searchsorted(everybody, fraud, side="left")
    frauds_as_high = len(fraud) - np.searchsorted(fraud, fraud, side="left")
    return np.mean(frauds_as_high / as_high)


EXERCISE = Exercise(
    id="average_precision",
    title="Average precision with ties",
    minutes=15,
    difficulty="medium",
    feeds="07",
    week="7-8",
    hints=(
        "Go down the ranking. At each threshold you have a recall and a precision; which rows make recall rise?",
        "Average precision is the precision at each threshold, weighted by how much recall rises there. It is a sum of "
        "steps, without lines between the points.",
        "A threshold cannot stand between equal scores: keep the last row of each group of ties. After one descending "
        "sort, `np.cumsum` gives the hits, and `ranked[1:] != ranked[:-1]` shows where groups end.",
    ),
    cases=cases,
    expect=mean_precision_at_frauds,
    agree=close(),
    mutants=(
        Mutant(
            "ties-ordered",
            "Equal scores were taken one after the other, so the result depends on the order of the rows. No threshold "
            "lies between them: take the recall and precision after the whole group.",
            swaps=(("np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))", "np.arange(len(ranked))"),),
        ),
        Mutant(
            "trapezoid",
            "The points were joined by straight lines. Between two thresholds precision does not move on a line, and "
            "the area by trapezoids is too kind; average precision is a sum of steps.",
            swaps=(
                (
                    "np.sum(np.diff(recall, prepend=0.0) * precision)",
                    "np.trapezoid(np.append(1.0, precision), np.append(0.0, recall))",
                ),
            ),
        ),
        Mutant(
            "precision-before-the-step",
            "Each rise of recall was counted with the precision before it. It counts with the precision that is "
            "reached together with it.",
            swaps=(("prepend=0.0) * precision", "prepend=0.0) * np.append(1.0, precision[:-1])"),),
        ),
        Mutant(
            "interpolated",
            "Precision was replaced by the best precision at any higher recall. That is the interpolated variant of "
            "older benchmarks; here each step counts with the precision it has.",
            swaps=(
                (
                    "precision = hits[ends] / (ends + 1)",
                    "precision = np.maximum.accumulate((hits[ends] / (ends + 1))[::-1])[::-1]",
                ),
            ),
        ),
        Mutant(
            "unweighted-mean",
            "Precision was averaged over all thresholds alike. Only those where recall rises count, by how much it "
            "rises.",
            swaps=(("np.sum(np.diff(recall, prepend=0.0) * precision)", "np.mean(precision)"),),
        ),
        Mutant(
            "lowest-first",
            "The ranking starts with the lowest score. A higher score is more suspicious: sort in descending order.",
            swaps=(("np.argsort(-y_score", "np.argsort(y_score"),),
        ),
        Mutant(
            "no-fraud-zero",
            "Without a fraud there is no recall and nothing to average. Raise ValueError; 0 looks like a bad model "
            "where the data are broken.",
            swaps=(('raise ValueError("average precision needs at least one fraud")', "return 0.0"),),
        ),
        Mutant(
            "each-fraud-counted",
            "The value is right, but for every fraud all payments are compared: time grows with the square.",
            swaps=(
                (
                    "return float(np.sum(np.diff(recall, prepend=0.0) * precision))",
                    "return float(np.mean([np.mean(y_true[y_score >= least]) for least in y_score[y_true]]))",
                ),
            ),
        ),
    ),
    accepted=(by_groups, searched_precisions),
    growth=Growth(
        large, n=20_000, says="Sort once and count the hits on the way down instead of anew for every fraud."
    ),
    plug="metric",
)
