"""The greatest number of intervals open at once: ties between ends and starts, and intervals that never end."""

from __future__ import annotations

import heapq
import math

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import rows


def counted_at_every_start(opened, closed):
    """The oracle: brute force, at every moment of opening all reviews are looked at."""
    ends = [math.inf if math.isnan(end) else end for end in closed]
    most, since = 0, None
    for moment in sorted(np.asarray(opened).tolist()):
        count = sum(start <= moment < end for start, end in zip(opened, ends, strict=True))
        if count > most:
            most, since = count, moment
    return most, since


def cases(rng: np.random.Generator) -> list[Case]:
    """Handovers, open ends, no length, then random ones."""
    nan = math.nan
    found = [
        Case("four reviews, as lists", ([0, 30, 60, 90], [60, 100, nan, 95])),
        Case("one review", (np.array([500]), np.array([700]))),
        Case("no review", (np.array([], dtype=int), np.array([])), why="(0, None) where nothing is ever open"),
        Case(
            "handed over in the same second",
            (np.array([0, 60, 120]), np.array([60, 120, 180])),
            why="a review no longer counts in the second in which it is closed",
        ),
        Case(
            "not closed yet",
            (np.array([0, 10, 20]), np.array([nan, nan, 30])),
            why="a review without an end stays open; NaN is not a moment in the past",
        ),
        Case(
            "opened and closed in the same second",
            (np.array([5, 5]), np.array([5, 5])),
            why="a review over [5, 5) is never open, so there is no moment either",
        ),
        Case(
            "several opened in the same second",
            (np.array([40, 40, 40, 10]), np.array([50, 60, 45, 41])),
            why="all that open in a second count from this second on",
        ),
        Case(
            "back to front",
            (np.array([300, 200, 100]), np.array([400, 310, 210])),
            why="rows come in any order",
        ),
        Case(
            "as many twice",
            (np.array([0, 5, 100, 105]), np.array([10, 12, 110, 112])),
            why="the earliest moment with so many is asked for",
        ),
        Case(
            "one long review among short ones",
            (np.array([0, 1, 3, 5, 7]), np.array([100, 2, 4, 6, 20])),
            why="a long review counts all the time, not only against its neighbours",
        ),
        Case("closed before it is opened", (np.array([10, 20]), np.array([15, 19])), raises="ValueError"),
        Case("lengths differ", ([1, 2, 3], [4, 5]), raises="ValueError"),
    ]
    for size, longest in ((12, 30), (40, 60), (100, 200)):
        starts = rng.integers(0, 4 * size, size)
        ends = (starts + rng.integers(0, longest, size)).astype(float)
        ends[rng.random(size) < 0.1] = nan
        found.append(Case(f"{size} reviews", (starts, ends)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """n reviews, a third of them open at a time, to see how time grows."""
    starts = rng.integers(0, 10 * n, n)
    return Case(f"{n} reviews", (starts, starts + rng.integers(1, 6 * n, n)))


def swept(opened, closed):
    """Accepted: one walk over all starts and ends in order, ends first where they meet."""
    if len(opened) != len(closed):
        raise ValueError("lengths differ")
    marks = []
    for start, end in zip(opened, closed, strict=True):
        if end < start:
            raise ValueError(f"closed at {end}, opened at {start}")
        if start != end:
            marks.append((start, 1))
            if end == end:
                marks.append((end, -1))
    running, best, since = 0, 0, None
    for moment, change in sorted(marks):
        running += change
        if running > best:
            best, since = running, int(moment)
    return best, since


def heap_of_ends(opened, closed):
    """Accepted: reviews by start; a heap holds the ends of those that are open."""
    pairs = sorted((float(a), math.inf if math.isnan(b) else float(b)) for a, b in zip(opened, closed, strict=True))
    if [pair for pair in pairs if pair[1] < pair[0]]:
        raise ValueError("a review ends before it begins")
    answer: tuple = (0, None)
    busy: list = []
    for begin, finish in pairs:
        heapq.heappush(busy, finish)
        while busy and busy[0] <= begin:
            heapq.heappop(busy)
        if len(busy) > answer[0]:
            answer = (len(busy), begin)
    return answer


EXERCISE = Exercise(
    id="most_under_review",
    title="Payments under review at once",
    minutes=15,
    difficulty="medium",
    feeds="11",
    week="1-2",
    hints=(
        "When can the number of open reviews rise? At how many moments do you have to look?",
        "Open at a moment are all that have begun, minus all that have ended. Which end belongs to which start?",
        "Sort starts and ends apart; for each start, two binary searches count the starts and the ends up to it.",
    ),
    cases=cases,
    expect=counted_at_every_start,
    agree=exact,
    mutants=(
        Mutant(
            "closed-still-counts",
            "A review was still counted in the second in which it is closed, so every handover counts twice. "
            "Ends at a moment are taken off too.",
            swaps=(('ended = np.searchsorted(closes, opens, side="right")', "ended = np.searchsorted(closes, opens)"),),
        ),
        Mutant(
            "never-closed-is-left-out",
            "Reviews without an end were left out. They are open from their start on.",
            swaps=(
                (
                    "closes = np.where(np.isnan(closes), np.inf, closes)",
                    "opens, closes = (opens[~np.isnan(closes)], closes[~np.isnan(closes)])"
                    " if opens.shape == closes.shape else (opens, closes)",
                ),
            ),
        ),
        Mutant(
            "never-closed-is-closed-at-once",
            "A review without an end was taken for one that ended long ago. NaN here means: still open.",
            swaps=(
                (
                    "opens, closes = np.sort(opens), np.sort(closes)",
                    "opens, closes = np.sort(opens), np.sort(np.where(np.isinf(closes), -1.0, closes))",
                ),
            ),
        ),
        Mutant(
            "same-second-one-by-one",
            "Of reviews opened in the same second the later ones were not counted at that moment, so the moment is "
            "wrong or a place is missing. Count all starts up to and with it.",
            swaps=(
                ('begun = np.searchsorted(opens, opens, side="right")', "begun = np.searchsorted(opens, opens) + 1"),
            ),
        ),
        Mutant(
            "rows-not-sorted",
            "The starts were taken in the order of the rows. A binary search needs them sorted.",
            swaps=(("opens, closes = np.sort(opens), np.sort(closes)", "closes = np.sort(closes)"),),
        ),
        Mutant(
            "last-of-equals",
            "The last moment with the greatest number was returned. The earliest is asked for.",
            swaps=(("busiest = open_now.argmax()", "busiest = len(open_now) - 1 - open_now[::-1].argmax()"),),
        ),
        Mutant(
            "row-number-returned",
            "The place among the sorted starts was returned in the place of the moment itself.",
            swaps=(("opens[busiest].item()", "busiest.item()"),),
        ),
        Mutant(
            "ends-not-checked",
            "A review that is closed before it is opened was taken. Raise ValueError.",
            swaps=((" or (closes < opens).any():", ":"),),
        ),
    ),
    accepted=(swept, heap_of_ends),
    growth=Growth(
        case=large,
        n=8000,
        says="At every start all reviews are looked at. Sort, and count by binary search or in one walk.",
    ),
    shrink=rows(0, 1, noun="reviews"),
)
