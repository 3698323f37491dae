"""Mean average precision at k of ranked lists: repeats, short lists, the divisor, and cards with nothing to find."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def in_fractions(ranked, relevant, k):
    """The oracle: for each relevant item found within k, the share of relevant ones up to it, in exact fractions."""
    values = []
    for offered, wanted in zip(ranked, relevant, strict=True):
        wanted, places = set(wanted), list(dict.fromkeys(offered))[:k]
        if not wanted:
            continue
        shares = [
            Fraction(len(wanted.intersection(places[: i + 1])), i + 1)
            for i, item in enumerate(places)
            if item in wanted
        ]
        values.append(sum(shares, Fraction(0)) / min(k, len(wanted)))
    return float(sum(values, Fraction(0)) / len(values))


def cases(rng: np.random.Generator) -> list[Case]:
    """One list by hand, then each point, then random lists."""
    found = [
        Case("two cards", ([[7, 3, 5], [2, 9, 4]], [[7, 5], [4]], 3)),
        Case(
            "the order within the list",
            ([[1, 2, 3, 4]], [[2, 4]], 4),
            why="each hit counts with the precision at its own place: 1/2 and 2/4",
        ),
        Case(
            "hits beyond k",
            ([[1, 2, 3, 4, 5]], [[1, 4, 5]], 3),
            why="what stands after the k-th place is not seen",
        ),
        Case(
            "more to find than places",
            ([[1, 2]], [[1, 2, 3, 4, 5]], 2),
            why="two of two right is perfect at k = 2: divide by min(k, number relevant)",
        ),
        Case(
            "relevant ones that were not offered",
            ([[1, 2, 3]], [[1, 8, 9]], 3),
            why="a relevant item that is missing counts 0: divide by what was to be found, not by what was found",
        ),
        Case(
            "an item offered twice",
            ([[6, 6, 6, 2]], [[6, 2]], 4),
            why="a repeat is removed before places are counted, and is no second hit",
        ),
        Case(
            "repeats before the k-th place",
            ([[5, 5, 8, 8, 1]], [[1, 8]], 3),
            why="without its repeats the list is 5, 8, 1",
        ),
        Case(
            "a card with nothing to find",
            ([[1, 2], [3, 4]], [[], [4]], 2),
            why="it says nothing about the ranking and is left out of the mean",
        ),
        Case(
            "nothing offered", ([[], [3]], [[1], [3]], 2), why="something was to be found and was not: 0, and it counts"
        ),
        Case("a short list", ([[4, 1]], [[1, 2, 3]], 10)),
        Case(
            "names of merchants", ([["bakery", "garage"], ["garage", "cinema"]], [["garage"], ["garage", "cinema"]], 2)
        ),
        Case("relevant items listed twice", ([[1, 2, 3]], [[3, 3, 1]], 3)),
        Case("nothing to find at all", ([[1], [2]], [[], []], 1), raises="ValueError"),
        Case("no places", ([[1]], [[1]], 0), raises="ValueError"),
        Case("lists that do not fit", ([[1], [2]], [[1]], 1), raises="ValueError"),
    ]
    for cards, merchants, k in ((8, 12, 5), (25, 30, 10)):
        ranked = [rng.integers(0, merchants, int(rng.integers(1, merchants))).tolist() for _ in range(cards)]
        wanted = [rng.choice(merchants, int(rng.integers(0, 8)), replace=False).tolist() for _ in range(cards - 1)]
        found.append(Case(f"{cards} cards, k = {k}", (ranked, [[0, 1], *wanted], k)))
    return found


def with_cumulative_sums(ranked, relevant, k):
    """Accepted: hits as a 0/1 array, cumulative sums over places."""
    if k < 1 or len(ranked) != len(relevant):
        raise ValueError("k or lengths")
    scores = []
    for offered, wanted in zip(ranked, relevant, strict=True):
        distinct = set(wanted)
        if len(distinct) == 0:
            continue
        unique = [item for i, item in enumerate(offered) if item not in offered[:i]]
        hit = np.array([item in distinct for item in unique[:k]], dtype=float)
        precision = np.cumsum(hit) / np.arange(1, len(hit) + 1)
        scores.append(float((precision * hit).sum()) / min(len(distinct), k))
    if not scores:
        raise ValueError("nothing relevant")
    return np.mean(scores)


def from_places_of_hits(ranked, relevant, k):
    """Accepted: the places of the hits, sorted: the m-th hit at place p adds m / p."""
    if len(list(ranked)) != len(list(relevant)) or not k > 0:
        raise ValueError
    total, cards = 0.0, 0
    for i in range(len(ranked)):
        if not len(relevant[i]):
            continue
        cards += 1
        place = {}
        for item in ranked[i]:
            place.setdefault(item, len(place) + 1)
        wanted = frozenset(relevant[i])
        hits = sorted(place[item] for item in wanted if place.get(item, k + 1) <= k)
        total += sum((m + 1) / p for m, p in enumerate(hits)) / (k if k < len(wanted) else len(wanted))
    if cards == 0:
        raise ValueError("no card has anything relevant")
    return total / cards


EXERCISE = Exercise(
    id="mean_average_precision",
    title="Mean average precision at k",
    minutes=15,
    difficulty="easy",
    feeds="06",
    week="7-8",
    hints=(
        "Go down one list. Whenever you meet a hit, what share of what you have seen so far was right?",
        "Sum those shares and divide by how many hits were possible within k places. Repeats never count, not even as a place.",
        "Keep a set of what was seen: its size is the place. Divisor: min(k, number of distinct relevant items). Mean over cards that have any.",
    ),
    cases=cases,
    expect=in_fractions,
    agree=close(),
    mutants=(
        Mutant(
            "divided-by-hits",
            "The sum was divided by the hits that were found. A list that finds one of three and puts it first would be perfect.",
            swaps=(("total / min(k, len(wanted))", "total / max(hits, 1)"),),
        ),
        Mutant(
            "divided-by-all-relevant",
            "With more relevant items than places nobody could reach 1: divide by min(k, number relevant).",
            swaps=(("total / min(k, len(wanted))", "total / len(wanted)"),),
        ),
        Mutant(
            "divided-by-k",
            "A card with one relevant item can have one hit only: divide by min(k, number relevant), not by k.",
            swaps=(("total / min(k, len(wanted))", "total / k"),),
        ),
        Mutant(
            "precision-at-k",
            "Only the number of hits was counted. Average precision weighs each by the precision at its place.",
            swaps=(("total += hits / place", "total += 1"),),
        ),
        Mutant(
            "reciprocal-places",
            "Each hit added 1 / place. The precision at a place counts all hits up to it.",
            swaps=(("total += hits / place", "total += 1 / place"),),
        ),
        Mutant(
            "repeats-count-again",
            "A repeated item was counted as another hit.",
            swaps=(("list(dict.fromkeys(offered))[:k]", "list(offered)[:k]"),),
        ),
        Mutant(
            "cut-before-repeats",
            "The list was cut at k first and repeats removed afterwards, which gives places away.",
            swaps=(("list(dict.fromkeys(offered))[:k]", "list(dict.fromkeys(offered[:k]))"),),
        ),
        Mutant(
            "empty-counts-as-zero",
            "A card with nothing to find was counted as 0. Leave it out of the mean.",
            swaps=(
                (
                    "        if not wanted:\n            continue\n",
                    "        if not wanted:\n            values.append(0.0)\n            continue\n",
                ),
                ("if not values:", "if not any(map(len, relevant)):"),
            ),
        ),
        Mutant(
            "whole-list",
            "The list was not cut at k.",
            swaps=(("list(dict.fromkeys(offered))[:k]", "list(dict.fromkeys(offered))"),),
        ),
    ),
    accepted=(with_cumulative_sums, from_places_of_hits),
)
