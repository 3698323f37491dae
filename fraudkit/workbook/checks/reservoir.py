"""Reservoir sampling from given draws: who gets in, whose place, and which draw belongs to whom."""

from __future__ import annotations

from itertools import islice

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def last_in_each_place(stream, k, uniforms):
    """The oracle: for each place, backwards, the last item that chose it."""
    items = list(stream)
    sample = []
    for place in range(min(k, len(items))):
        takers = [i for i in range(len(items) - 1, k - 1, -1) if int(uniforms[i - k] * (i + 1)) == place]
        sample.append(items[takers[0] if takers else place])
    return sample


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones."""
    found = [
        Case("two of four", (["a", "b", "c", "d"], 2, [0.1, 0.9])),
        Case("fewer than k", (["a", "b"], 5, []), why="then the sample is the stream"),
        Case("exactly k", ([7, 8, 9], 3, []), why="the first k need no draw"),
        Case(
            "the newest at the edge",
            (["a", "b", "c"], 2, [0.67]),
            why="int(0.67 * 3) is 2: dropped. Item 2 is the third, so it draws from three",
        ),
        Case(
            "a place replaced twice",
            ([1, 2, 3, 4, 5], 2, [0.0, 0.0, 0.3]),
            why="each later item takes the place that it draws",
        ),
        Case(
            "all dropped", ([1, 2, 3, 4, 5], 1, [0.5, 0.4, 0.25, 0.2]), why="int(0.5 * 2) is 1, and so on: none below 1"
        ),
        Case("one place", (["a", "b", "c", "d"], 1, [0.6, 0.1, 0.9])),
        Case("more draws than needed", ([1, 2, 3], 2, [0.2, 0.9, 0.9])),
        Case("an empty stream", ([], 3, [])),
        Case(
            "too few draws",
            ([1, 2, 3, 4], 2, [0.9]),
            raises="ValueError",
            why="an item without a draw has no fair chance",
        ),
        Case("k of nought", ([1, 2], 0, [0.5, 0.5]), raises="ValueError"),
    ]
    for n, k in ((12, 3), (200, 20), (300, 150)):
        found.append(Case(f"{k} of {n} payments", (rng.integers(0, 10**6, n).tolist(), k, rng.random(n - k).tolist())))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of size n, half of which is kept."""
    return Case(f"{n} payments", (list(range(n)), n // 2, rng.random(n - n // 2).tolist()))


def by_dictionary(stream, k, uniforms):
    """Accepted: places as keys of a dictionary."""
    if k <= 0:
        raise ValueError("a sample of at least one")
    held, used = {}, 0
    for seen, item in enumerate(stream, start=1):
        if seen <= k:
            held[seen - 1] = item
        else:
            if used == len(uniforms):
                raise ValueError("the draws are used up")
            slot = int(uniforms[used] * seen)
            used += 1
            if slot in held:
                held[slot] = item
    return [held[slot] for slot in sorted(held)]


def all_places_at_once(stream, k, uniforms):
    """Accepted: all places by NumPy; of an index that repeats the last assignment counts."""
    if k < 1:
        raise ValueError(k)
    source = iter(stream)
    sample, later = list(islice(source, k)), list(source)
    if len(uniforms) < len(later):
        raise ValueError(f"{len(later)} draws are needed")
    places = (np.array(uniforms[: len(later)], dtype=float) * (np.arange(len(later)) + k + 1)).astype(int)
    for j in np.flatnonzero(places < k).tolist():
        sample[places[j]] = later[j]
    return sample


EXERCISE = Exercise(
    id="reservoir",
    title="A fair sample of a stream",
    minutes=12,
    difficulty="easy",
    feeds="09",
    week="9-10",
    hints=(
        "After i payments each should be in the sample with probability k / i. With which chance must the next one get in?",
        "One whole number below i + 1 decides whether it gets in, and where.",
    ),
    cases=cases,
    expect=last_in_each_place,
    agree=exact,
    mutants=(
        Mutant(
            "always-replaces",
            "Every later item replaces somebody. Old payments die out, and the sample holds the recent past.",
            swaps=(("place = int(u * (i + 1))", "place = int(u * k)"),),
        ),
        Mutant(
            "one-too-few",
            "The draw is from i numbers, not i + 1: the newest gets in too often. Item number i is the (i + 1)-th.",
            swaps=(("int(u * (i + 1))", "int(u * i)"),),
        ),
        Mutant(
            "first-k-draw",
            "The first k items used up draws. They fill the places without one.",
            swaps=(("        if i < k:\n", "        if i < k:\n            next(draws, None)\n"),),
        ),
        Mutant(
            "appended",
            "The item was appended and the old one taken out, so the places moved up. Overwrite the place.",
            swaps=(("sample[place] = item", "del sample[place]\n            sample.append(item)"),),
        ),
        Mutant(
            "oldest-out",
            "The oldest item was replaced, whatever was drawn: the draw says which place.",
            swaps=(("sample[place] = item", "sample[i % k] = item"),),
        ),
        Mutant(
            "fair-coin",
            "Each later item gets in with the same chance, one half. The chance has to fall as k / (i + 1).",
            swaps=(("int(u * (i + 1))", "int(u * 2 * k)"),),
        ),
        Mutant(
            "missing-draw-drops",
            "An item without a draw was dropped without a word. Raise ValueError.",
            swaps=(('raise ValueError(f"item {i} has no draw")', "break"),),
        ),
        Mutant(
            "nought-taken",
            "A sample of nought was taken. Raise ValueError.",
            swaps=(("if k < 1:", "if k < 0:"),),
        ),
        Mutant(
            "sample-copied",
            "The sample is right, but all of it is copied for every item: O(n·k).",
            swaps=(("sample[place] = item", "sample = [item if j == place else old for j, old in enumerate(sample)]"),),
        ),
    ),
    accepted=(by_dictionary, all_places_at_once),
    growth=Growth(large, n=1_000, says="Overwrite one place; do not build the sample anew for each item."),
    shrink=lists(0, noun="payments"),
)
