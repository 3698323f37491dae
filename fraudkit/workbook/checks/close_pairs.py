"""Counting pairs close in time and amount without listing them: a window in time, kept in order of amount."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import rows


def all_against_all(event_time, amount, seconds, cents):
    """The oracle: brute force, the table of all pairs."""
    times, amounts = np.asarray(event_time), np.asarray(amount)
    apart = np.abs(times[:, None] - times[None, :])
    differ = np.abs(amounts[:, None] - amounts[None, :])
    return int(np.triu((apart <= seconds) & (differ <= cents), k=1).sum())


def cases(rng: np.random.Generator) -> list[Case]:
    """Both borders, equal times and amounts, unsorted rows, then random ones."""
    found = [
        Case("four payments, as lists", ([0, 5, 30, 31], [1000, 1001, 1000, 5000], 10, 5)),
        Case("no payment", (np.array([], dtype=int), np.array([], dtype=int), 10, 5)),
        Case("one payment", (np.array([7]), np.array([100]), 10, 5), why="a payment is no pair with itself"),
        Case(
            "three times the same",
            (np.array([9, 9, 9]), np.array([250, 250, 250]), 0, 0),
            why="three equal payments are three pairs, and a difference of 0 is at most 0",
        ),
        Case(
            "exactly at both borders",
            (np.array([0, 10, 40]), np.array([1000, 1050, 1100]), 10, 50),
            why="at most 10 seconds and at most 50 cents: both borders are inside",
        ),
        Case(
            "cheaper and dearer",
            (np.array([0, 1, 2]), np.array([1000, 990, 1010]), 5, 10),
            why="the later payment may be the smaller or the larger one",
        ),
        Case(
            "rows out of order",
            (np.array([50, 0, 52, 2]), np.array([300, 700, 300, 700]), 5, 0),
            why="rows come in any order; close in time need not be close in the table",
        ),
        Case(
            "not next to each other",
            (np.array([0, 1, 2, 3, 4]), np.array([500, 9000, 501, 8000, 502]), 10, 5),
            why="other payments may lie between the two of a pair",
        ),
        Case(
            "old ones leave",
            (np.array([0, 1, 2, 100, 101]), np.array([500, 600, 500, 500, 600]), 10, 0),
            why="what is too old is out of reach, whatever its amount",
        ),
        Case(
            "equal amounts, one of them too old",
            (np.array([0, 8, 15, 16]), np.array([400, 400, 400, 400]), 10, 3),
            why="of equal amounts only as many leave as are too old",
        ),
        Case("a negative tolerance", ([0, 1], [5, 5], 10, -1), raises="ValueError"),
        Case("lengths differ", ([0, 1, 2], [5, 5], 10, 1), raises="ValueError"),
    ]
    for size, span, top, seconds, cents in ((20, 60, 40, 10, 4), (60, 200, 300, 40, 25), (120, 150, 1_000, 30, 60)):
        times, amounts = rng.integers(0, span, size), rng.integers(1, top, size)
        found.append(Case(f"{size} payments within {span} seconds", (times, amounts, seconds, cents)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """n payments that are all near in time, to see how time grows."""
    return Case(f"{n} payments", (rng.integers(0, n, n), rng.integers(1, 10 * n, n), n, 2 * n))


def fenwick(event_time, amount, seconds, cents):
    """Accepted: a tree of partial sums over the ranks of the amounts; log n for every step."""
    moments, values = np.asarray(event_time), np.asarray(amount)
    if moments.shape != values.shape or min(seconds, cents) < 0:
        raise ValueError("shapes or tolerances")
    by_time = np.argsort(moments, kind="stable")
    moments, values = moments[by_time], values[by_time]
    levels = np.unique(values)
    rank = np.searchsorted(levels, values).tolist()
    upto = np.searchsorted(levels, values + cents, side="right").tolist()
    below = np.searchsorted(levels, values - cents, side="left").tolist()
    first = np.searchsorted(moments, moments - seconds, side="left").tolist()
    sums = [0] * (len(levels) + 1)

    def change(place, by):
        place += 1
        while place < len(sums):
            sums[place] += by
            place += place & -place

    def total(place):
        found = 0
        while place > 0:
            found += sums[place]
            place &= place - 1
        return found

    answer, gone = 0, 0
    for now in range(len(rank)):
        for old in range(gone, first[now]):
            change(rank[old], -1)
        gone = first[now]
        answer += total(upto[now]) - total(below[now])
        change(rank[now], 1)
    return answer


def sorted_blocks(event_time, amount, seconds, cents):
    """Accepted: arrays; a prefix in time is cut into blocks of 1, 2, 4 … payments, each sorted by amount."""
    moments, costs = np.asarray(event_time, dtype=np.int64), np.asarray(amount, dtype=np.int64)
    if len(moments) != len(costs) or seconds < 0 or cents < 0:
        raise ValueError("the arguments do not fit")
    by_time = np.lexsort((costs, moments))
    moments, costs = moments[by_time], costs[by_time]
    stride = 4 * (int(costs.max(initial=0)) + cents + 1)

    def among_first(prefix, limit):
        found, width = np.zeros(len(costs), dtype=np.int64), 1
        while width <= len(costs):
            blocks = len(costs) // width
            ordered = np.sort(costs[: blocks * width].reshape(blocks, width), axis=1)
            keys = (ordered + stride * np.arange(blocks)[:, None]).ravel()
            uses = (prefix & width) > 0
            block = (prefix[uses] - prefix[uses] % (2 * width)) // width
            found[uses] += np.searchsorted(keys, limit[uses] + stride * block, side="right") - block * width
            width *= 2
        return found

    now = np.arange(len(costs))
    first = np.searchsorted(moments, moments - seconds)
    upper, lower = costs + cents, costs - cents - 1
    within = among_first(now, upper) - among_first(first, upper) - among_first(now, lower) + among_first(first, lower)
    return int(within.sum())


EXERCISE = Exercise(
    id="close_pairs",
    title="Pairs close in time and amount",
    minutes=25,
    difficulty="medium",
    feeds="04",
    week="1-2",
    hints=(
        "Sort by time and look back only: each pair is then met once, at its later payment.",
        "A window slides over the times. In which order must its payments be kept so that the near amounts can be "
        "counted without looking at them?",
        "Keep the window's amounts sorted (`bisect.insort`); two binary searches give how many lie within the "
        "tolerance. Delete an amount when its payment becomes too old.",
    ),
    cases=cases,
    expect=all_against_all,
    agree=exact,
    mutants=(
        Mutant(
            "neighbours-only",
            "Only payments next to each other in time were compared. Others may lie between the two of a pair.",
            swaps=(("insort(inside, amounts[row])", "inside, oldest = [amounts[row]], order.index(row)"),),
        ),
        Mutant(
            "open-in-time",
            "A pair exactly `seconds` apart was left out. At most includes the border.",
            swaps=(
                (
                    "while times[order[oldest]] < times[row] - seconds:",
                    "while times[order[oldest]] <= times[row] - max(seconds, 1):",
                ),
            ),
        ),
        Mutant(
            "open-in-amount",
            "Pairs whose amounts differ by exactly `cents` were left out. At most includes the border.",
            swaps=(
                ("low = bisect_left(inside, amounts[row] - cents)", "low = bisect_right(inside, amounts[row] - cents)"),
                (
                    "high = bisect_right(inside, amounts[row] + cents)",
                    "high = max(bisect_left(inside, amounts[row] + cents), low)",
                ),
            ),
        ),
        Mutant(
            "later-must-cost-more",
            "Only earlier payments of a smaller or equal amount were counted. The difference counts in both directions.",
            swaps=(
                (
                    "high = bisect_right(inside, amounts[row] + cents)",
                    "high = bisect_right(inside, amounts[row])",
                ),
            ),
        ),
        Mutant(
            "rows-not-sorted",
            "The rows were taken to be in order of time. They come in any order.",
            swaps=(("sorted(range(len(times)), key=lambda row: times[row])", "list(range(len(times)))"),),
        ),
        Mutant(
            "old-ones-stay",
            "Payments that are too old stayed within reach, so time did not matter at all.",
            swaps=(("while times[order[oldest]] < times[row] - seconds:", "while False:"),),
        ),
        Mutant(
            "each-pair-twice",
            "Each pair was counted from both sides. It is one pair.",
            swaps=(("return pairs", "return 2 * pairs"),),
        ),
        Mutant(
            "paired-with-itself",
            "A payment was counted as its own partner. Count before it joins the window.",
            swaps=(("pairs += high - low", "pairs += high - low + 1"),),
        ),
        Mutant(
            "one-partner-is-enough",
            "Payments that have a partner were counted, not the pairs. Three equal payments are three pairs.",
            swaps=(("pairs += high - low", "pairs += high > low"),),
        ),
    ),
    accepted=(fenwick, sorted_blocks),
    growth=Growth(
        case=large,
        n=1500,
        says="Every payment of the window is looked at. Keep the window's amounts in order and count by binary search.",
    ),
    shrink=rows(0, 1, noun="payments"),
)
