"""A threshold for a review capacity: every day, ties together, and at or above."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import rows


def tried_one_by_one(y_score, day, capacity):
    """The oracle: every score as a threshold, every day counted."""
    scores, days = np.asarray(y_score, dtype=float), np.asarray(day)
    for threshold in sorted(set(scores.tolist())):
        if all((scores[days == one] >= threshold).sum() <= capacity for one in set(days.tolist())):
            return threshold
    return math.inf


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones with ties."""
    found = [
        Case("two days", ([0.9, 0.8, 0.3, 0.7, 0.2], [1, 1, 1, 2, 2], 2)),
        Case(
            "a tie at the limit",
            ([0.9, 0.5, 0.5, 0.4], [1, 1, 1, 1], 2),
            why="both payments of 0.5 or neither: only 0.9 is left",
        ),
        Case(
            "one busy day, two quiet ones",
            ([0.9, 0.8, 0.7, 0.6, 0.2, 0.1], [5, 5, 5, 5, 6, 7], 2),
            why="on every day, not on average: the busy one decides",
        ),
        Case("room for all", (np.array([0.4, 0.1, 0.3]), np.array([1, 1, 2]), 5), why="then the lowest score itself"),
        Case("exactly full", ([0.3, 0.6, 0.5], [1, 1, 1], 3), why="as many as the capacity are allowed"),
        Case("days out of order, negative and far apart", ([0.2, 0.9, 0.8, 0.4, 0.7], [40, -3, 40, -3, 40], 1)),
        Case("a tie above the limit", ([0.9, 0.9, 0.5], [1, 1, 1], 1)),
        Case("capacity 0", ([0.9, 0.5], [1, 2], 0)),
        Case("no payments", ([], [], 3)),
        Case("capacity below 0", ([0.5], [1], -1), raises="ValueError"),
        Case("a score is NaN", ([0.5, math.nan], [1, 1], 1), raises="ValueError", why="NaN would be sorted somewhere"),
        Case("lengths differ", ([0.5, 0.6], [1], 1), raises="ValueError"),
    ]
    for n, days, capacity in ((15, 3, 3), (80, 6, 5), (200, 9, 12)):
        found.append(Case(f"{n} payments", (np.round(rng.random(n), 2), rng.integers(0, days, n), capacity)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of size n, with n / 50 days."""
    return Case(f"{n} payments", (rng.random(n), rng.integers(0, max(1, n // 50), n), 20))


def walked_down(y_score, day, capacity):
    """Accepted: goes down the sorted scores and stops at the first day that overflows."""
    if capacity < 0 or len(y_score) != len(day) or any(value != value for value in y_score):
        raise ValueError("bad input")
    pairs = sorted(zip(y_score, day, strict=True), key=lambda pair: -pair[0])
    used = defaultdict(int)
    best, position = math.inf, 0
    while position < len(pairs):
        level = pairs[position][0]
        while position < len(pairs) and pairs[position][0] == level:
            used[pairs[position][1]] += 1
            if used[pairs[position][1]] > capacity:
                return float(best)
            position += 1
        best = level
    return float(best)


def day_lists(y_score, day, capacity):
    """Accepted: a sorted list a day, and the best of those that do not fit."""
    scores = np.array(y_score, dtype=float)
    if capacity < 0 or scores.shape != np.shape(day) or (scores != scores).any():
        raise ValueError(f"capacity {capacity}, {scores.shape} scores, {np.shape(day)} days")
    by_day = {}
    for value, when in zip(scores.tolist(), np.asarray(day).tolist(), strict=True):
        by_day.setdefault(when, []).append(value)
    floor = -math.inf
    for values in by_day.values():
        if len(values) > capacity:
            floor = max(floor, sorted(values, reverse=True)[capacity])
    return min((value for value in scores.tolist() if value > floor), default=math.inf)


EXERCISE = Exercise(
    id="capacity_threshold",
    title="A threshold for the reviewers' capacity",
    minutes=15,
    difficulty="medium",
    feeds="08",
    week="7-8",
    hints=(
        "Look at one day first: which of its payments must certainly not be reviewed?",
        "The payment in place capacity + 1 of a day. The threshold must lie above its score, for every day.",
        "Sort by day and falling score, number the places within a day, take the highest score from place `capacity` on; "
        "the answer is the least score above it.",
    ),
    cases=cases,
    expect=tried_one_by_one,
    agree=exact,
    mutants=(
        Mutant(
            "on-average",
            "The capacity was kept on average over the days. On the busiest day the queue overflows.",
            swaps=(
                (
                    "place = np.arange(len(days)) - starts",
                    "ranked = np.sort(y_score)[::-1]\n    place = np.arange(len(days)) // max(1, len(np.unique(days)))",
                ),
            ),
        ),
        Mutant(
            "one-too-many",
            "This is the score of the first payment that does not fit; at or above it there are too many.",
            swaps=(("y_score[y_score > highest]", "y_score[y_score >= highest]"),),
        ),
        Mutant(
            "one-too-few",
            "The capacity was not used up: as many payments as the capacity may be reviewed.",
            swaps=(("place >= capacity", "place >= capacity - 1"),),
        ),
        Mutant(
            "ties-split",
            "The last score that fits was returned, although its equals do not fit: at or above it there are too many.",
            swaps=(
                (
                    "highest = beyond.max(initial=-np.inf)\n    allowed = y_score[y_score > highest]",
                    "lowest = [ranked[days == one][:capacity].min(initial=np.inf) for one in set(days.tolist())]\n"
                    "    full = [ranked[days == one].size > capacity for one in set(days.tolist())]\n"
                    "    bound = max([low for low, f in zip(lowest, full) if f], default=-np.inf)\n"
                    "    allowed = y_score[y_score >= bound]",
                ),
            ),
        ),
        Mutant(
            "easiest-day",
            "The threshold fits the quietest of the days that overflow. It has to fit all of them.",
            swaps=(
                (
                    "beyond = ranked[place >= capacity]\n    highest = beyond.max(initial=-np.inf)",
                    "beyond = ranked[place == capacity]\n"
                    "    highest = beyond.min(initial=np.inf) if len(beyond) else -np.inf",
                ),
            ),
        ),
        Mutant(
            "whole-period",
            "All days were taken as one. The capacity is there anew each day.",
            swaps=(
                ("np.lexsort((-y_score, day))", "np.argsort(-y_score)"),
                ("np.arange(len(days)) - starts", "np.arange(len(days))"),
            ),
        ),
        Mutant(
            "nan-taken",
            "NaN was sorted somewhere and compares false with everything. Raise ValueError.",
            swaps=((" or np.isnan(y_score).any()", ""),),
        ),
        Mutant(
            "each-day-searched",
            "The value is right, but all payments are searched once for every day. Sort once instead.",
            swaps=(
                (
                    '    starts = np.searchsorted(days, days, side="left")\n',
                    "    starts = np.array([int((days < one).sum()) for one in days.tolist()], dtype=int)\n",
                ),
            ),
        ),
    ),
    accepted=(walked_down, day_lists),
    growth=Growth(
        large,
        n=10_000,
        limit=8.0,
        says="Sort once by day and score; the place within a day follows from where the day begins.",
    ),
    shrink=rows(0, 1, noun="payments"),
)
