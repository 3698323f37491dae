"""Mean reciprocal rank over groups: cautious with ties, groups with nothing to find left out, one sort for all."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant


def group_by_group(y_true, y_score, groups):
    """The oracle: counts, for the best fraud of each group, how many payments score at least as much."""
    by_group: dict = {}
    for label, score, group in zip(y_true, y_score, groups, strict=True):
        by_group.setdefault(str(group), []).append((float(score), bool(label)))
    values = []
    for rows in by_group.values():
        frauds = [score for score, label in rows if label]
        if frauds:
            before = sum(score > max(frauds) for score, _ in rows)
            beside = sum(score == max(frauds) and not label for score, label in rows)
            values.append(1 / (1 + before + beside))
    return sum(values) / len(values)


def cases(rng: np.random.Generator) -> list[Case]:
    """Small lists for each point, then random ones with ties."""
    y = np.array([0, 1, 0, 1, 0, 0])
    score = np.array([0.9, 0.8, 0.3, 0.7, 0.2, 0.1])
    days = np.array([1, 1, 1, 2, 2, 2])
    found = [
        Case("two days, as lists", ([0, 1, 1, 0], [0.9, 0.4, 0.7, 0.2], [1, 1, 2, 2])),
        Case("six payments", (y, score, days)),
        Case(
            "several frauds in a day",
            (np.array([0, 1, 1, 0]), np.array([0.9, 0.8, 0.7, 0.95]), np.ones(4, dtype=int)),
            why="only the first fraud of the list counts; the others neither help nor hurt",
        ),
        Case(
            "a fraud ties with genuine payments",
            (np.array([1, 0, 0, 0]), np.array([0.5, 0.5, 0.5, 0.1]), np.ones(4, dtype=int)),
            why="of equal scores the genuine ones are taken to come first, so that the order of the rows decides nothing",
        ),
        Case(
            "all scores equal",
            (np.array([1, 0, 0, 0, 0, 1]), np.zeros(6), days),
            why="a score that says the same of everybody must earn no first places",
        ),
        Case("two frauds tie", (np.array([1, 1, 0]), np.array([0.5, 0.5, 0.2]), np.ones(3, dtype=int))),
        Case(
            "a day without fraud",
            (np.array([0, 0, 1, 0]), np.array([0.9, 0.1, 0.3, 0.6]), np.array([1, 1, 2, 2])),
            why="a list in which there is nothing to find says nothing about the ranking: it is left out, not counted as 0",
        ),
        Case(
            "days of different size",
            (
                np.array([1, 0, 0, 0, 0, 0, 1]),
                np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3]),
                np.array([1, 1, 2, 2, 2, 2, 2]),
            ),
            why="each day counts the same, however many payments it has",
        ),
        Case(
            "rows in no order, queues by name",
            (y[[3, 0, 5, 1, 4, 2]], score[[3, 0, 5, 1, 4, 2]], ["b", "a", "b", "a", "b", "a"]),
        ),
        Case(
            "negative scores and booleans",
            (np.array([False, True, True]), np.float32([-1.5, -2.0, -9.0]), np.array([5, 5, -3])),
        ),
        Case("no fraud at all", (np.zeros(6, dtype=int), score, days), raises="ValueError"),
        Case("lengths that differ", (y, score[:5], days), raises="ValueError"),
    ]
    for n, queues in ((30, 6), (200, 25)):
        labels = (rng.random(n) < 0.2).astype(int)
        labels[0] = 1
        found.append(
            Case(f"{n} payments in {queues} queues", (labels, np.round(rng.random(n), 1), rng.integers(0, queues, n)))
        )
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """n payments in n / 2 queues."""
    labels = (rng.random(n) < 0.3).astype(int)
    labels[0] = 1
    return Case(f"{n} payments", (labels, rng.random(n), rng.integers(0, n // 2, n)))


def one_dictionary(y_true, y_score, groups):
    """Accepted: sorted once, best score and label last; a dictionary counts what came before in each group."""
    n = len(y_true)
    if n != len(y_score) or n != len(groups):
        raise ValueError("lengths differ")
    rows = sorted(
        zip((-float(s) for s in y_score), map(bool, y_true), np.asarray(groups).tolist(), strict=True),
        key=lambda row: row[:2],
    )
    seen, found = {}, {}
    for _, fraud, group in rows:
        seen[group] = seen.get(group, 0) + 1
        if fraud and group not in found:
            found[group] = 1.0 / seen[group]
    if not found:
        raise ValueError("nothing to find")
    return sum(found.values()) / len(found)


def best_fraud_against_the_rest(y_true, y_score, groups):
    """Accepted: the best fraud's score of each group, then how many genuine payments reach it; no sorting by score."""
    y, s = np.asarray(y_true).astype(bool), np.asarray(y_score, dtype=np.float64)
    if not len(y) == len(s) == len(groups):
        raise ValueError(f"{len(y)}, {len(s)}, {len(groups)}")
    _, g = np.unique(np.asarray(groups), return_inverse=True)
    best = np.full(g.max() + 1, -np.inf)
    np.maximum.at(best, g[y], s[y])
    reach = np.bincount(g, weights=~y & (s >= best[g]), minlength=len(best))
    usable = np.isfinite(best)
    if not usable.any():
        raise ValueError("no group holds a fraud")
    return (1 / (1 + reach[usable])).mean()


EXERCISE = Exercise(
    id="mean_reciprocal_rank",
    title="Mean reciprocal rank of many queues",
    minutes=15,
    difficulty="easy",
    feeds="06",
    week="7-8",
    hints=(
        "In each queue one payment decides: which? And what is its place when others have the same score?",
        "Sort once by queue, then score falling, then genuine before fraud: `np.lexsort`, whose last key is the first to count.",
        "In sorted order, place = position − start of the queue + 1. The first fraud of each queue: `np.unique(..., return_index=True)`.",
    ),
    cases=cases,
    expect=group_by_group,
    agree=close(),
    mutants=(
        Mutant(
            "ties-in-favour",
            "Frauds were put before genuine payments of the same score, so that a constant score looks perfect.",
            swaps=(("np.lexsort((y, -s, g))", "np.lexsort((~y, -s, g))"),),
        ),
        Mutant(
            "ties-as-they-stand",
            "Equal scores were left in the order of the rows, on which a measure must not depend. Genuine ones come first.",
            swaps=(("np.lexsort((y, -s, g))", "np.lexsort((-s, g))"),),
        ),
        Mutant(
            "smallest-first",
            "The queue was sorted from the smallest score. The most suspicious payment has rank 1.",
            swaps=(("(y, -s, g)", "(y, s, g)"),),
        ),
        Mutant(
            "every-fraud-counted",
            "The mean was taken over all frauds. Only the first one of each queue counts.",
            swaps=(("_, first = np.unique(g[found], return_index=True)", "first = np.arange(len(found))"),),
        ),
        Mutant(
            "empty-queues-are-zero",
            "A queue without fraud was counted as 0. There is nothing to find in it: leave it out of the mean.",
            swaps=(("return float((1 / ranks).mean())", "return float((1 / ranks).sum() / (g.max() + 1))"),),
        ),
        Mutant(
            "reciprocal-of-the-mean",
            "The ranks were averaged first and then inverted. The mean is over the reciprocals.",
            swaps=(("(1 / ranks).mean()", "1 / ranks.mean()"),),
        ),
        Mutant(
            "rank-from-zero",
            "Ranks begin at 1; this answer added one too many, or began at 0 and avoided dividing by it.",
            swaps=((" + 1\n", " + 2\n"),),
        ),
        Mutant(
            "one-queue-at-a-time",
            "The value is right, but for each queue the whole table is searched: n payments times the number of queues.",
            swaps=(
                (
                    "    return float((1 / ranks).mean())",
                    "    picked = [[i for i, own in enumerate(g.tolist()) if own == q] for q in range(g.max() + 1)]\n"
                    "    ranks = [np.argmax(y[rows]) + 1 for rows in picked if y[rows].any()]\n"
                    "    return float(np.mean(1 / np.array(ranks)))",
                ),
            ),
        ),
    ),
    accepted=(one_dictionary, best_fraud_against_the_rest),
    growth=Growth(large, n=800, says="Sort once by queue and score instead of searching the table for each queue."),
)
