"""The longest common run: unbroken, at different places, the first of equals, in the product of the lengths."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists

EVENTS = ["login", "browse", "basket", "pay"]


def by_length(left, right):
    """The oracle: from the longest possible length downwards, the first slice of `left` that is a slice of `right`."""
    for length in range(min(len(left), len(right)), 0, -1):
        there = {tuple(right[j : j + length]) for j in range(len(right) - length + 1)}
        for i in range(len(left) - length + 1):
            if tuple(left[i : i + length]) in there:
                return left[i : i + length]
    return []


def agree(got, expected, case):
    """The same events; told in lengths where the length is wrong."""
    if isinstance(got, list | tuple) and len(got) != len(expected):
        return f"the run has {len(got)} events, the longest has {len(expected)}"
    return difference(got, expected, 0.0, 0.0)


def cases(rng: np.random.Generator) -> list[Case]:
    """Shifted, interrupted, tied, repeated; then random ones."""
    found = [
        Case("a common middle", (["a", "b", "c", "d"], ["x", "b", "c", "y"])),
        Case(
            "at different places",
            (["a", "b", "c"], ["c", "z", "a", "b"]),
            why="the run may begin anywhere in either list",
        ),
        Case(
            "interrupted",
            (["pay", "view", "pay", "view", "pay"], ["pay", "pay", "pay"]),
            why="a run is unbroken; events may not be skipped",
        ),
        Case("two of the same length", ([1, 2, 9, 3, 4], [3, 4, 8, 1, 2]), why="of equals the first in `left` counts"),
        Case("the last events", (["x", "pay", "refund"], ["pay", "refund"])),
        Case(
            "begun again after a mismatch",
            ([1, 1, 1, 2, 1, 1], [2, 1, 1, 3, 1, 1, 1, 2]),
            why="a mismatch ends the run; it does not go on from the best so far",
        ),
        Case("nothing in common", (["a"], ["b", "c"])),
        Case("one list empty", ([], ["a"])),
        Case(
            "the same event all the time", (["pay"] * 7, ["pay"] * 5), why="the run is no longer than the shorter list"
        ),
        Case("the same lists", ([3, 1, 3, 1], [3, 1, 3, 1])),
    ]
    for n, m in ((15, 20), (50, 40), (90, 90)):
        left, right = (rng.choice(EVENTS, size).tolist() for size in (n, m))
        start, length = int(rng.integers(2, n - 10)), 8
        right[m // 2 : m // 2 + length] = left[start : start + length]
        found.append(Case(f"{n} and {len(right)} events", (left, right)))
    return found


def monotonous(rng: np.random.Generator, n: int) -> Case:
    """Two bots that do nearly the same all the time: runs are long everywhere."""
    left, right = ["pay"] * n, ["pay"] * n
    left[n // 2] = "login"
    return Case(f"two times {n} events", (left, right))


def along_diagonals(left, right):
    """Accepted: the lists are shifted against each other; along each shift the runs of equal events are counted."""
    best, where = 0, 0
    for shift in range(-len(right) + 1, len(left)):
        run = 0
        for i in range(max(shift, 0), min(len(left), len(right) + shift)):
            run = run + 1 if left[i] == right[i - shift] else 0
            if (run, -(i - run + 1)) > (best, -where):
                best, where = run, i - run + 1
    return left[where : where + best]


def bisected_length(left, right):
    """Accepted: if a run of k is common, so is one of k - 1; bisection over k, numbered pairs instead of slices."""

    def names(length):
        # Ranks of all windows of this length, doubled from shorter ones, so that equal windows have equal numbers.
        sequence, size = [*left, None, *right], 1
        code = {event: number for number, event in enumerate(dict.fromkeys(sequence))}
        rank = [code[event] for event in sequence]
        while size < length:
            step = min(size, length - size)
            pairs = [(rank[i], rank[i + step]) for i in range(len(rank) - step)]
            code = {pair: number for number, pair in enumerate(dict.fromkeys(pairs))}
            rank, size = [code[pair] for pair in pairs], size + step
        return rank[: len(left) - length + 1], rank[len(left) + 1 :]

    low, high, answer = 1, min(len(left), len(right)), []
    while low <= high:
        middle = (low + high) // 2
        mine, theirs = names(middle)
        common = set(theirs)
        at = next((i for i, number in enumerate(mine) if number in common), None)
        if at is None:
            high = middle - 1
        else:
            answer, low = left[at : at + middle], middle + 1
    return answer


EXERCISE = Exercise(
    id="common_run",
    title="The longest common run",
    minutes=15,
    difficulty="medium",
    feeds="05",
    week="1-2",
    hints=(
        "Ask for each pair of positions: how long is the common run that ends just here?",
        "Equal events make the run one longer than that which ends one earlier in both lists; different ones make it "
        "nought.",
        "Write down the greatest length and where it ends in `left`. A row needs only the row above.",
    ),
    cases=cases,
    expect=by_length,
    agree=agree,
    mutants=(
        Mutant(
            "events-skipped",
            "The run goes on after a mismatch. Skipping is allowed in a subsequence; a run is unbroken.",
            swaps=(("                row[j] = above[j - 1] + 1\n", "                row[j] = max(above[: j]) + 1\n"),),
        ),
        Mutant(
            "not-reset",
            "After a mismatch the count went on from where it was. It begins again at nought.",
            swaps=(
                (
                    "                if row[j] > length:\n                    length, end = row[j], i",
                    "                if row[j] > length:\n                    length, end = row[j], i\n"
                    "            else:\n                row[j] = above[j - 1]",
                ),
            ),
        ),
        Mutant(
            "same-place-only",
            "The lists were compared position by position. The run may lie at different places.",
            swaps=(("if event == other:", "if event == other and i == j:"),),
        ),
        Mutant(
            "last-of-equals",
            "Of several longest runs the last one was given. Asked is the one that begins first in `left`.",
            swaps=(("if row[j] > length:", "if row[j] >= length:"),),
        ),
        Mutant(
            "last-event-lost",
            "The run ends one event early. A slice leaves its end out already.",
            swaps=(("left[end - length : end]", "left[end - length : max(end - 1, 0)]"),),
        ),
        Mutant(
            "one-row-forwards",
            "The row was written over from left to right, so the value one earlier is already the new one and the "
            "same event "
            "of `left` counts several times.",
            swaps=(("        row = [0] * (len(right) + 1)\n", "        row = above\n"),),
        ),
        Mutant(
            "compared-from-everywhere",
            "The run is right, but from each pair of positions the lists are compared as far as they agree. When "
            "events "
            "repeat themselves, that is the product of the lengths once more.",
            swaps=(
                (
                    "                row[j] = above[j - 1] + 1\n",
                    "                while row[j] < min(i, j) and left[i - 1 - row[j]] == right[j - 1 - row[j]]:\n"
                    "                    row[j] += 1\n",
                ),
            ),
        ),
    ),
    accepted=(along_diagonals, bisected_length),
    growth=Growth(
        monotonous,
        n=70,
        limit=26.0,
        says="A run that ends here is one longer than that which ends one earlier in both lists: do not compare it "
        "again.",
    ),
    shrink=lists(0, 1, noun="events"),
)
