"""NDCG: the ideal ranking over all payments, ties share their places, 0 where there is nothing to find."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def place_by_place(relevance, y_score, k=None):
    """The oracle: each place holds the mean relevance of those who tie for it; loops over places."""
    gains, scores = [float(gain) for gain in relevance], [float(score) for score in y_score]
    places = len(gains) if k is None else min(k, len(gains))
    ranked = sorted(scores, reverse=True)
    best = sorted(gains, reverse=True)
    reached = ideal = 0.0
    for place in range(places):
        tied = [gain for gain, score in zip(gains, scores, strict=True) if score == ranked[place]]
        reached += sum(tied) / len(tied) / math.log2(place + 2)
        ideal += best[place] / math.log2(place + 2)
    return reached / ideal if ideal else 0.0


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones with ties."""
    gains = np.array([3.0, 2.0, 0.0, 1.0])
    found = [
        Case("four payments", (gains, np.array([0.9, 0.2, 0.7, 0.4]))),
        Case("in the ideal order", (gains, np.array([0.9, 0.8, 0.1, 0.4]))),
        Case(
            "the best was not retrieved",
            (np.array([0.0, 1.0, 5.0, 0.0]), np.array([0.9, 0.8, 0.1, 0.2]), 2),
            why="the ideal ranking is over all payments: whoever leaves the largest fraud out of the k is not perfect",
        ),
        Case(
            "the first k of five",
            ([4, 3, 2, 1, 5], [0.9, 0.8, 0.7, 0.6, 0.95], 2),
            why="both rankings are cut at k; the ideal one collects nothing beyond it either",
        ),
        Case(
            "all scores equal",
            (np.array([0.0, 6.0, 0.0]), np.full(3, 0.5)),
            why="tied payments share their places, so the order of the rows does not matter",
        ),
        Case("a tie across the k-th place", (np.array([1.0, 0.0, 2.0, 4.0]), np.array([0.9, 0.5, 0.5, 0.1]), 2)),
        Case(
            "nothing to find",
            (np.zeros(3), np.array([0.3, 0.2, 0.1])),
            why="with no relevance at all the ideal is 0, and the answer is 0 by agreement, not nan",
        ),
        Case("k above n", (gains, np.array([0.1, 0.2, 0.7, 0.4]), 10)),
        Case(
            "amounts as relevance",
            (np.array([0, 120, 0, 15, 900]), np.array([0.4, 0.9, 0.8, 0.7, 0.6])),
            why="the gain is the relevance itself; two to its power is another measure, and overflows here",
        ),
        Case("scores in float32, whole negative numbers too", (np.array([1, 0, 2]), np.float32([-3, 2, -1]))),
        Case("a negative relevance", ([1.0, -2.0, 0.0], [0.3, 0.2, 0.1]), raises="ValueError"),
        Case("k is 0", (gains, np.array([0.9, 0.2, 0.7, 0.4]), 0), raises="ValueError"),
        Case("one score for three payments", ([1.0, 2.0, 0.0], [0.3]), raises="ValueError"),
    ]
    for size, k in ((25, None), (200, 50)):
        relevance = rng.integers(0, 4, size)
        y_score = np.round(relevance / 10 + rng.random(size), 1)
        found.append(Case(f"{size} payments with ties, k={k}", (relevance, y_score, k)))
    return found


def by_sorted_groups(relevance, y_score, k=None):
    """Accepted: sorts, then replaces each relevance by the mean of its group; natural logarithms, which cancel."""
    relevance, y_score = np.asarray(relevance, dtype=float), np.asarray(y_score, dtype=float)
    n = len(relevance)
    if relevance.shape != y_score.shape or np.any(relevance < 0) or (k is not None and k < 1):
        raise ValueError("relevance, y_score or k is not as it should be")
    k = n if k is None else min(n, k)
    order = np.argsort(y_score)[::-1]
    starts = np.flatnonzero(np.append(True, np.diff(y_score[order]) != 0))
    sizes = np.diff(np.append(starts, n))
    ranked = np.repeat(np.add.reduceat(relevance[order], starts) / sizes, sizes)
    weight = 1 / np.log(np.arange(k) + 2.0)
    ideal = np.sum(-np.sort(-relevance)[:k] * weight)
    return 0.0 if ideal == 0 else np.sum(ranked[:k] * weight) / ideal


def by_a_dictionary(relevance, y_score, k=None):
    """Accepted: plain Python, the places of each score gathered in a dictionary."""
    if np.shape(relevance) != np.shape(y_score):
        raise ValueError("as many scores as relevances are needed")
    if min(relevance) < 0 or (k is not None and k < 1):
        raise ValueError("relevance and k must not be negative, nor k zero")
    worth = [1 / math.log2(place + 1) if k is None or place <= k else 0.0 for place in range(1, len(relevance) + 1)]
    of_score: dict[float, list[float]] = {}
    for weight, score in zip(worth, sorted(map(float, y_score), reverse=True), strict=True):
        of_score.setdefault(score, []).append(weight)
    dcg = sum(
        float(gain) * sum(of_score[float(score)]) / len(of_score[float(score)])
        for gain, score in zip(relevance, y_score, strict=True)
    )
    ideal = sum(float(gain) * weight for gain, weight in zip(sorted(relevance, reverse=True), worth, strict=True))
    return dcg / ideal if ideal > 0 else 0.0


EXERCISE = Exercise(
    id="ndcg",
    title="NDCG of a review queue",
    minutes=15,
    difficulty="medium",
    feeds="10",
    week="7-8",
    hints=(
        "First one number for each place: what a payment there is worth. Then the sum of relevance times worth, once "
        "in the order of the scores and once in the best order there is.",
        "The best order is over all payments, also those that your ranking leaves out of the first k. Both sums run "
        "over k places.",
        "Place r is worth 1/log2(r + 1) up to k and 0 beyond. Payments of equal score get the mean worth of their "
        "places together: `np.unique(-y_score, return_inverse=True, return_counts=True)` gives the groups in ranking "
        "order.",
    ),
    cases=cases,
    expect=place_by_place,
    agree=close(),
    mutants=(
        Mutant(
            "ideal-of-retrieved",
            "The ideal ranking was made of the k retrieved payments only, so a ranking that leaves the largest fraud "
            "out can be perfect. The ideal is the best order of all payments.",
            swaps=(
                (
                    "np.sort(relevance)[::-1] @ worth",
                    "np.sort(relevance[np.argsort(-y_score, kind='stable')[:k]])[::-1] @ worth[:k]",
                ),
            ),
        ),
        Mutant(
            "ideal-not-cut",
            "The ideal ranking was summed over all n places, the other one over k. Cut both at k, or the best ranking "
            "there is does not reach 1.",
            swaps=(
                ("np.sort(relevance)[::-1] @ worth", "np.sort(relevance)[::-1] @ (1 / np.log2(np.arange(2, n + 2)))"),
            ),
        ),
        Mutant(
            "ties-by-row",
            "Payments of equal score were placed in the order of the rows. Let them share the mean worth of their "
            "places.",
            swaps=(
                (
                    "dcg = relevance @ shared[group]",
                    "dcg = relevance[np.argsort(-y_score, kind='stable')] @ worth",
                ),
            ),
        ),
        Mutant(
            "nan-for-nothing",
            "With no relevance at all this divides 0 by 0. By agreement the answer is then 0.",
            swaps=(("dcg / ideal if ideal > 0 else 0.0", "dcg / ideal"),),
        ),
        Mutant(
            "one-for-nothing",
            "With no relevance at all the answer was 1. By agreement it is 0: a queue in which nothing can be found "
            "must not lift the mean over days.",
            swaps=(("if ideal > 0 else 0.0", "if ideal > 0 else 1.0"),),
        ),
        Mutant(
            "exponential-gain",
            "The gain was two to the relevance minus one, as web search does with grades of 0 to 4. Here the gain is "
            "the relevance itself, which may be an amount.",
            swaps=(("dcg = relevance @", "relevance = 2.0**relevance - 1\n    dcg = relevance @"),),
        ),
        Mutant(
            "first-two-places-equal",
            "Place r was divided by log2(r), with the first left alone, so the first two places are worth the same. "
            "The discount of place r is log2(r + 1).",
            swaps=(("np.log2(np.arange(2, k + 2))", "np.log2(np.maximum(np.arange(1, k + 1), 2))"),),
        ),
        Mutant(
            "reciprocal-rank",
            "Place r was worth 1/r. The discount is logarithmic: 1/log2(r + 1).",
            swaps=(("np.log2(np.arange(2, k + 2))", "np.arange(1, k + 1)"),),
        ),
        Mutant(
            "lowest-first",
            "The ranking starts with the lowest score. A higher score comes first.",
            swaps=(("np.unique(-y_score", "np.unique(y_score"),),
        ),
    ),
    accepted=(by_sorted_groups, by_a_dictionary),
)
