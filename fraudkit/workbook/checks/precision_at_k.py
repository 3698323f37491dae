"""Precision at k: ties at the boundary fill the last places in proportion, and k lies between 1 and n."""

from __future__ import annotations

from itertools import groupby

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_chance_of_a_place(y_true, y_score, k=1000):
    """The oracle: the chance of each payment to be among the k, counted for it alone, summed over frauds."""
    y_score = np.asarray(y_score, dtype=float)
    found = 0.0
    for label, score in zip(y_true, y_score, strict=True):
        free = k - np.count_nonzero(y_score > score)
        rivals = np.count_nonzero(y_score == score)
        found += int(label) * min(1.0, max(0.0, free / rivals))
    return found / k


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones with ties at the boundary."""
    labels = np.array([1, 0, 1, 0, 0])
    scores = np.array([0.9, 0.7, 0.6, 0.4, 0.1])
    found = [
        Case("five payments, the best three", (labels, scores, 3)),
        Case(
            "two payments tie for the last place",
            (np.array([1, 0, 1, 0]), np.array([0.9, 0.5, 0.5, 0.1]), 2),
            why="one place, two tied payments, one of them a fraud: half a fraud is expected there",
        ),
        Case(
            "all scores equal",
            (np.array([1, 1, 0, 0, 0, 0, 0, 0]), np.full(8, 0.5), 3),
            why="whoever ranks nothing finds the share of fraud, 0.25, in whatever order the rows come",
        ),
        Case("ties above and below the boundary only", ([0, 1, 1, 0, 1], [0.8, 0.8, 0.6, 0.3, 0.3], 3)),
        Case("a tie that fits in whole", ([0, 1, 1, 0, 1], [0.9, 0.4, 0.4, 0.3, 0.2], 3)),
        Case("k is n", (labels, scores, 5)),
        Case(
            "k is above n",
            (labels, scores, 6),
            raises="ValueError",
            why="a capacity that the data cannot fill is a mistake of the caller, not a reason to divide by less",
        ),
        Case("k is 0", (labels, scores, 0), raises="ValueError"),
        Case(
            "more frauds than places",
            ([1, 1, 1, 1, 0, 0], [0.9, 0.8, 0.7, 0.1, 0.3, 0.2], 2),
            why="precision is a share of the k places, however many frauds there are",
        ),
        Case("whole numbers as scores", (np.array([0, 1, 0, 1, 1]), np.array([-7, 3, 3, 12, 3]), 3)),
        Case(
            "scores in float32, labels as booleans",
            (np.array([True, False, True, False]), np.float32([0.3, 0.3, 0.7, 0.9]), 3),
        ),
    ]
    for size, k in ((40, 15), (300, 100)):
        y_true = (np.arange(size) % 4 == 0).astype(int)
        rng.shuffle(y_true)
        found.append(Case(f"{size} payments, k={k}", (y_true, np.round(rng.random(size) + 0.2 * y_true, 1), k)))
    y_true = (np.arange(1500) % 5 == 0).astype(int)
    rng.shuffle(y_true)
    found.append(Case("1500 payments, k left out", (y_true, np.round(rng.random(1500) + 0.2 * y_true, 2))))
    return found


def by_interpolation(y_true, y_score, k=1000):
    """Accepted: between two thresholds the hits grow in proportion to the payments taken."""
    y_true, y_score = np.asarray(y_true).astype(int), np.asarray(y_score, dtype=float)
    if k < 1 or k > y_score.size:
        raise ValueError(f"k={k} with {y_score.size} payments")
    order = np.argsort(y_score)[::-1]
    last_of_tie = np.append(np.diff(y_score[order]) != 0, True)
    taken = np.append(0, np.flatnonzero(last_of_tie) + 1)
    hits = np.append(0, np.cumsum(y_true[order])[last_of_tie])
    return np.interp(k, taken, hits) / k


def by_filling_places(y_true, y_score, k=1000):
    """Accepted: plain Python, the places are given to one group of equal scores after the other."""
    ranking = sorted(zip(map(float, y_score), map(int, y_true), strict=True), reverse=True)
    if not 0 < k <= len(ranking):
        raise ValueError("k must lie between 1 and the number of payments")
    free, found = k, 0.0
    for _, tied in groupby(ranking, key=lambda pair: pair[0]):
        labels = [label for _, label in tied]
        taken = min(free, len(labels))
        found += sum(labels) * taken / len(labels)
        free -= taken
        if free == 0:
            break
    return found / k


EXERCISE = Exercise(
    id="precision_at_k",
    title="Precision at k, ties at the boundary",
    minutes=10,
    difficulty="medium",
    feeds="02",
    week="7-8",
    hints=(
        "Only the payments that tie with the k-th highest score are in doubt. All above it are in, all below are out.",
        "The tied payments compete for the places that are left. On average over all orders, what share of their "
        "frauds gets one?",
        "`np.partition` finds the k-th highest score without a whole sort. Expected hits = frauds above it + places "
        "left × share of fraud among the tied.",
    ),
    cases=cases,
    expect=by_chance_of_a_place,
    agree=close(),
    mutants=(
        Mutant(
            "ties-by-row",
            "Of the payments that tie for the last places, those that come first in the data were taken. Another order "
            "of the rows gives another precision: let the tied payments share the places in proportion.",
            swaps=(
                (
                    "found = y_true[above].sum() + places * y_true[tied].mean()",
                    "found = y_true[above].sum() + y_true[tied][: int(places)].sum()",
                ),
            ),
        ),
        Mutant(
            "ties-all-taken",
            "All payments that tie for the last places were taken, which are more than k. The analysts have k places: "
            "the tied ones share what is left.",
            swaps=(("places * y_true[tied].mean()", "y_true[tied].sum()"),),
        ),
        Mutant(
            "threshold-not-k",
            "This is the precision of all payments that score at least as high as the k-th, and these may be more than "
            "k. The tied ones share the places that are left, and the denominator is k.",
            swaps=(
                ("places * y_true[tied].mean()", "y_true[tied].sum()"),
                ("return float(found / k)", "return float(found / (above.sum() + tied.sum()))"),
            ),
        ),
        Mutant(
            "ties-left-out",
            "The payments that tie with the k-th score were left out, though places are left for some of them. Count "
            "their frauds in proportion.",
            swaps=((" + places * y_true[tied].mean()", ""),),
        ),
        Mutant(
            "recall-at-k",
            "This is recall at k: the hits were divided by the number of frauds. Precision at k is a share of the k "
            "places.",
            swaps=(("return float(found / k)", "return float(found / y_true.sum())"),),
        ),
        Mutant(
            "lowest-first",
            "These are the k lowest scores. A higher score is more suspicious.",
            swaps=(
                ("np.partition(y_score, n - k)[n - k]", "np.partition(y_score, k - 1)[k - 1]"),
                ("y_score > boundary", "y_score < boundary"),
            ),
        ),
        Mutant(
            "k-cut-to-n",
            "k was silently cut to the number of payments. A k outside 1..n is a mistake that should be seen: raise "
            "ValueError.",
            swaps=(("if not 1 <= k <= n:", "k = min(k, n)\n    if k < 1:"),),
        ),
    ),
    accepted=(by_interpolation, by_filling_places),
    plug="metric",
)
