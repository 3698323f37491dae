"""Medians over spans of two sorted shards: by rank, even counts, empty sides, equal amounts, a logarithm for each."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def together(left, right, spans):
    """The oracle: both parts are put together, and NumPy says the median."""
    parts = [np.concatenate([left[a:b], right[c:d]]) for a, b, c, d in spans]
    return np.array([np.median(part) if len(part) else np.nan for part in parts])


def _shard(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def cases(rng: np.random.Generator) -> list[Case]:
    """Odd and even, one side only, no overlap, equal amounts; then random spans."""
    one, other = _shard([1, 3, 5, 7]), _shard([2, 4, 6])
    far = _shard([100, 200, 300])
    found = [
        Case("an odd number", (one, other, np.array([[0, 4, 0, 3]]))),
        Case("an even number", (one, other, np.array([[0, 4, 0, 2]])), why="the mean of the two middle amounts"),
        Case(
            "not the mean of two medians",
            (_shard([1, 2, 3]), _shard([10, 20, 30, 40]), np.array([[0, 3, 0, 4]])),
            why="a median is a question about the rank in both parts together",
        ),
        Case("one part empty", (one, other, np.array([[1, 4, 2, 2], [2, 2, 0, 2], [3, 4, 0, 0]]))),
        Case(
            "both parts empty",
            (one, other, np.array([[2, 2, 3, 3], [0, 1, 0, 0]])),
            why="there is no median of nothing: NaN",
        ),
        Case("one shard empty", (_shard([]), other, np.array([[0, 0, 0, 3], [0, 0, 1, 3]]))),
        Case(
            "all of one side below the other",
            (one, far, np.array([[0, 4, 0, 3], [0, 4, 0, 1], [0, 1, 0, 3], [2, 4, 1, 3]])),
            why="the middle lies at the end of one part or at the beginning of the other",
        ),
        Case(
            "a part within a shard",
            (_shard([0, 0, 50, 60, 999, 999]), _shard([0, 55, 70, 999]), np.array([[2, 4, 1, 3]])),
            why="amounts outside the part must not be looked at",
        ),
        Case(
            "equal amounts",
            (_shard([5, 5, 5, 8]), _shard([5, 5, 9]), np.array([[0, 4, 0, 3], [0, 3, 0, 2], [2, 4, 1, 3]])),
        ),
        Case("no rows", (one, other, np.zeros((0, 4), dtype=np.int64))),
        Case("large amounts", (_shard([2**40, 2**40 + 1]), _shard([3]), np.array([[0, 2, 0, 0], [0, 2, 0, 1]]))),
    ]
    for n, m, top in ((12, 9, 30), (40, 60, 10_000), (300, 3, 500)):
        left, right = np.sort(rng.integers(0, top, n)), np.sort(rng.integers(0, top, m))
        spans = np.column_stack([np.sort(rng.integers(0, n + 1, (25, 2))), np.sort(rng.integers(0, m + 1, (25, 2)))])
        found.append(Case(f"shards of {n} and {m}", (left, right, spans)))
    return found


def many_rows(rng: np.random.Generator, n: int) -> Case:
    """A fixed number of rows over nearly the whole of ever larger shards."""
    left, right = np.sort(rng.integers(0, 10**9, n)), np.sort(rng.integers(0, 10**9, n))
    ends = rng.integers(0, n // 10, (60, 4))
    return Case(f"shards of {n:,}", (left, right, ends * [1, -1, 1, -1] + [0, n, 0, n]))


def halves_dropped(left, right, spans):
    """Accepted: of what is left, drop the part of k/2 whose end is smaller, until one element is asked for."""

    def kth(k, a, b, c, d):
        while True:
            if a == b:
                return int(right[c + k])
            if c == d:
                return int(left[a + k])
            if k == 0:
                return min(int(left[a]), int(right[c]))
            half = (k + 1) // 2
            i, j = min(half, b - a), min(half, d - c)
            if left[a + i - 1] <= right[c + j - 1]:
                a, k = a + i, k - i
            else:
                c, k = c + j, k - j

    answers = []
    for a, b, c, d in spans:
        total = (b - a) + (d - c)
        if total == 0:
            answers.append(float("nan"))
        else:
            answers.append((kth((total - 1) // 2, a, b, c, d) + kth(total // 2, a, b, c, d)) / 2)
    return np.array(answers, dtype=float)


def bisected_amounts(left, right, spans):
    """Accepted: bisection over the amounts; how many are not above a guess is a binary search in each part."""

    def at_rank(rank, a, b, c, d):
        heads = [int(shard[start]) for shard, start, end in ((left, a, b), (right, c, d)) if start < end]
        tails = [int(shard[end - 1]) for shard, start, end in ((left, a, b), (right, c, d)) if start < end]
        low, high = min(heads), max(tails)
        while low < high:
            guess = (low + high) // 2
            if bisect_right(left, guess, a, b) - a + bisect_right(right, guess, c, d) - c > rank:
                high = guess
            else:
                low = guess + 1
        return low

    result = []
    for a, b, c, d in np.asarray(spans).tolist():
        size = b + d - a - c
        ranks = [size // 2] if size % 2 else [size // 2 - 1, size // 2]
        result.append(np.nan if not size else sum(at_rank(rank, a, b, c, d) for rank in ranks) / len(ranks))
    return result


EXERCISE = Exercise(
    id="shard_median",
    title="The median of two shards",
    minutes=40,
    difficulty="hard",
    feeds="04",
    week="1-2",
    hints=(
        "Solve another question first: which amount has exactly k smaller ones before it?",
        "Of the k smallest, i come from the left part and k - i from the right one. What does it look like when i is "
        "too small?",
        "i is at least k minus the length of the right part, and at most k and the length of the left one. "
        "Bisect within these bounds; the answer is the smaller of the two amounts that come next.",
    ),
    cases=cases,
    expect=together,
    agree=close(),
    mutants=(
        Mutant(
            "mean-of-two-medians",
            "The two parts' medians were averaged. A median cannot be put together from medians; ask for a rank.",
            swaps=(
                (
                    "            upper = smallest(count // 2, a, b, c, d)\n",
                    "            middles = [np.median(part) for part in (left[a:b], right[c:d]) if len(part)]\n"
                    "            medians[row] = np.mean(middles)\n"
                    "            continue\n"
                    "            upper = smallest(count // 2, a, b, c, d)\n",
                ),
            ),
        ),
        Mutant(
            "upper-of-two",
            "With an even number the upper of the two middle amounts was given. Take the mean of both.",
            swaps=(("upper if count % 2 else (smallest(count // 2 - 1, a, b, c, d) + upper) / 2", "upper"),),
        ),
        Mutant(
            "lower-of-two",
            "With an even number the lower of the two middle amounts was given. Take the mean of both.",
            swaps=(("(smallest(count // 2 - 1, a, b, c, d) + upper) / 2", "smallest(count // 2 - 1, a, b, c, d)"),),
        ),
        Mutant(
            "nothing-is-nought",
            "The median of nothing is not 0: an amount of nought would be a fact. NaN says that there is none.",
            swaps=(("np.full(len(spans), np.nan)", "np.zeros(len(spans))"),),
        ),
        Mutant(
            "whole-shards",
            "The whole shards were taken instead of their parts.",
            swaps=(
                (
                    "        count = b - a + d - c\n",
                    "        a, b, c, d = 0, len(left), 0, len(right)\n        count = b + d\n",
                ),
            ),
        ),
        Mutant(
            "end-included",
            "The end of a part was counted in. left[a:b] ends before b.",
            swaps=(
                (
                    "        count = b - a + d - c\n",
                    "        b, d = min(b + 1, len(left)), min(d + 1, len(right))\n        count = b - a + d - c\n",
                ),
            ),
        ),
        Mutant(
            "left-first",
            "The first amounts were all taken from the left part, as if it held the smaller ones. How many come from "
            "each "
            "side has to be searched.",
            swaps=(("        while low < high:\n", "        low = high\n        while low < high:\n"),),
        ),
        Mutant(
            "parts-read-through",
            "The medians are right, but both parts are copied and sorted for each row. The shards are sorted "
            "already: look at "
            "a logarithm of them.",
            swaps=(
                (
                    "            upper = smallest(count // 2, a, b, c, d)\n",
                    "            medians[row] = np.median(np.concatenate([left[a:b], right[c:d]]))\n"
                    "            continue\n"
                    "            upper = smallest(count // 2, a, b, c, d)\n",
                ),
            ),
        ),
    ),
    accepted=(halves_dropped, bisected_amounts),
    growth=Growth(
        many_rows,
        n=60_000,
        limit=2.2,
        says="Do not copy, merge or read a part: bisect how many of the smallest come from each side.",
    ),
    shrink=lists(2, noun="rows"),
)
