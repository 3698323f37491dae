"""Counts over event time in order of arrival: late events fall into the middle, the window's ends, n log n."""

from __future__ import annotations

from bisect import bisect_right, insort

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def all_pairs(event_time, window):
    """The oracle: a table of all pairs of arrivals, below its diagonal."""
    times = np.asarray(event_time, dtype=np.int64)
    older_by = times[:, None] - times[None, :]
    return np.tril((older_by >= 0) & (older_by < window), k=-1).sum(axis=1).tolist()


def cases(rng: np.random.Generator) -> list[Case]:
    """In order, late, at the window's ends, equal seconds; then random delays."""
    found = [
        Case("in order", ([0, 10, 20, 30], 25)),
        Case(
            "a late payment",
            ([100, 200, 110, 205], 50),
            why="the late payment of second 110 asks about the seconds up to 110, and what had been counted stays as "
            "it was",
        ),
        Case(
            "younger ones had arrived",
            ([50, 60, 70, 10], 100),
            why="payments with a younger event time are not in (T - window, T], though they arrived before",
        ),
        Case(
            "exactly a window ago",
            ([0, 60, 120, 59], 60),
            why="(T - window, T] leaves out the payment that is exactly a window older",
        ),
        Case("the same second", ([5, 5, 5], 1), why="payments of the same second that arrived before are counted"),
        Case(
            "later arrivals change nothing",
            ([100, 99, 98, 97], 10),
            why="each answer was given when the payment arrived; who comes later is not in it",
        ),
        Case(
            "an old one remembered",
            ([10, 500, 12, 505, 14], 20),
            why="payments of long ago are still needed when more late ones arrive",
        ),
        Case("as an array, before 1970", (np.array([-5, -70, -6, 3]), 60)),
        Case("one payment", ([7], 10)),
        Case("no payments", ([], 10)),
        Case("a window of nought", ([1, 2], 0), raises="ValueError"),
    ]
    for size, window in ((25, 40), (120, 60), (300, 1_000)):
        happened = np.sort(rng.integers(0, 5 * size, size))
        delay = np.where(rng.random(size) < 0.3, rng.integers(0, 2 * size, size), 0)
        found.append(
            Case(f"{size} payments, a third late", (happened[np.argsort(happened + delay, kind="stable")], window))
        )
    return found


def shuffled(rng: np.random.Generator, n: int) -> Case:
    """No order at all, and a window that holds half of everything."""
    return Case(f"{n} payments", (rng.permutation(n), n // 2))


def sorted_so_far(event_time, window):
    """Accepted: a sorted list of what has arrived, and two binary searches."""
    if not window > 0:
        raise ValueError("window")
    arrived, found = [], []
    for moment in map(int, event_time):
        found.append(bisect_right(arrived, moment) - bisect_right(arrived, moment - window))
        insort(arrived, moment)
    return found


def merged_halves(event_time, window):
    """Accepted: divide and conquer over arrival: the first half's sorted times answer for the second half."""
    if window < 1:
        raise ValueError(window)
    times = np.array(event_time, dtype=np.int64)
    result = np.zeros(len(times), dtype=np.int64)
    size = 1
    while size < len(times):
        for start in range(0, len(times) - size, 2 * size):
            first = np.sort(times[start : start + size])
            second = times[start + size : start + 2 * size]
            inside = np.searchsorted(first, second, "right") - np.searchsorted(first, second - window, "right")
            result[start + size : start + 2 * size] += inside
        size *= 2
    return result


EXERCISE = Exercise(
    id="late_counts",
    title="Counting while events arrive late",
    minutes=35,
    difficulty="hard",
    feeds="05",
    week="1-2",
    hints=(
        "Two orders are mixed here. Let the loop go by arrival, and count over event time with something that can be "
        "asked in between.",
        "A range is a difference: how many up to T, less how many up to T - window.",
        "Replace the times by their ranks, from 1. In a Fenwick tree, cell i holds the count of as many ranks up to "
        "i as i's lowest "
        "set bit, `i & -i`, says.",
    ),
    cases=cases,
    expect=all_pairs,
    agree=exact,
    mutants=(
        Mutant(
            "younger-counted",
            "Payments younger than T were counted because they had arrived. The window ends at T in event time.",
            swaps=(("count, place = 0, last\n", "count, place = 0, len(moments)\n"),),
        ),
        Mutant(
            "window-closed",
            "A payment exactly a window older was counted. (T - window, T] leaves it out.",
            swaps=(('event_time - window, side="right")', 'event_time - window, side="left")'),),
        ),
        Mutant(
            "same-second-lost",
            "Payments of the same second that arrived before were not counted. T belongs to the window.",
            swaps=(("count, place = 0, last\n", "count, place = 0, last - 1\n"),),
        ),
        Mutant(
            "itself-counted",
            "The payment counted itself: it was put in before it was asked about.",
            swaps=(("count, place = 0, last\n", "count, place = 1, last\n"),),
        ),
        Mutant(
            "order-of-events",
            "The payments were sorted by event time first. Then late ones are counted by those that were answered "
            "before them.",
            swaps=(
                (
                    "    moments = np.unique(event_time)\n",
                    "    order = np.argsort(event_time, kind='stable')\n"
                    "    found = np.arange(len(order)) - np.searchsorted(event_time[order], event_time[order] - "
                    "window, side='right')\n"
                    "    return found[np.argsort(order)].tolist()\n"
                    "    moments = np.unique(event_time)\n",
                ),
            ),
        ),
        Mutant(
            "old-ones-dropped",
            "What is older than a window was dropped, as with a queue. A late payment asks about just that.",
            swaps=(
                (
                    "        place = before\n",
                    "        tree_of_dropped = set(range(1, before + 1))\n"
                    "        for gone in tree_of_dropped & inserted.keys():\n"
                    "            amount, spot = inserted.pop(gone), gone\n"
                    "            count -= amount\n"
                    "            while spot < len(tree):\n"
                    "                tree[spot] -= amount\n"
                    "                spot += spot & -spot\n"
                    "        inserted[last] = inserted.get(last, 0) + 1\n"
                    "        place = 0\n",
                ),
                ("    counts = []\n", "    counts, inserted = [], {}\n"),
            ),
        ),
        Mutant(
            "window-unchecked",
            "A window of nought was taken. It holds nothing, which nobody wants: raise ValueError.",
            swaps=(("if window <= 0:", "if window < 0:"),),
        ),
        Mutant(
            "history-read-through",
            "The counts are right, but each arrival reads all that came before. Keep a structure that answers in a "
            "logarithm.",
            swaps=(
                (
                    "    moments = np.unique(event_time)\n",
                    "    times = event_time.tolist()\n"
                    "    return [sum(t - window < s <= t for s in times[:i]) for i, t in enumerate(times)]\n"
                    "    moments = np.unique(event_time)\n",
                ),
            ),
        ),
    ),
    accepted=(sorted_so_far, merged_halves),
    growth=Growth(
        shuffled,
        n=800,
        limit=10.0,
        says="Keep what has arrived in a structure that counts up to a time in a logarithm.",
    ),
    shrink=lists(0, noun="payments"),
)
