"""More than half of a burst: a candidate by cancelling, confirmed by a count."""

from __future__ import annotations

from collections import Counter

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_counting(merchants):
    """The oracle: count every merchant."""
    return next((name for name, count in Counter(merchants).items() if count > len(merchants) / 2), None)


def _burst(rng: np.random.Generator, n: int, share: float) -> list[str]:
    """One merchant with this share of n payments, in any places, and twenty others."""
    mine = round(share * n)
    names = ["weak"] * mine + [f"m{number}" for number in rng.integers(0, 20, n - mine)]
    return [names[place] for place in rng.permutation(n)]


def cases(rng: np.random.Generator) -> list[Case]:
    """Halves and lucky candidates first, then drawn bursts."""
    found = [
        Case("three of four", (["m1", "m2", "m1", "m1"],)),
        Case("no payments", ([],)),
        Case("one payment", (["m9"],)),
        Case("exactly half", (["m1", "m2", "m1", "m2"],), why="half is not more than half"),
        Case("exactly half, in a row", (["m1", "m1", "m2", "m3"],), why="half is not more than half"),
        Case(
            "the most frequent has no majority",
            (["a", "b", "a", "c", "a", "d", "e"],),
            why="three of seven is the largest group, and less than half",
        ),
        Case("the last one is no majority", (["a", "a", "b", "b", "c"],), why="a candidate is left over: count it"),
        Case("behind the others", (["a", "b", "c", "x", "x", "x", "x"],), why="the majority may come last"),
        Case("before the others", (["x", "x", "x", "x", "a", "b", "c"],), why="a lead that was built early must hold"),
        Case("an odd number, just enough", (["x", "a", "x", "b", "x"],), why="three of five: 2 * 3 > 5"),
    ]
    for n, share in ((40, 0.55), (41, 0.45), (150, 0.52)):
        found.append(Case(f"{n} payments", (_burst(rng, n, share),)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """Many merchants, one with a majority."""
    names = ["weak"] * (n // 2 + 1) + [f"m{number}" for number in range(n - n // 2 - 1)]
    return Case(f"{n} payments", ([names[place] for place in rng.permutation(n)],))


def by_the_middle(merchants):
    """Accepted: in sorted order a majority covers the middle."""
    ranked = sorted(merchants)
    if not ranked:
        return None
    middle = ranked[len(ranked) // 2]
    return middle if sum(name == middle for name in ranked) * 2 > len(ranked) else None


def counted_as_they_come(merchants):
    """Accepted: a map of counts, stopped as soon as one has more than half of the whole."""
    needed, seen = len(merchants) // 2 + 1, {}
    for name in merchants:
        seen[name] = seen.get(name, 0) + 1
        if seen[name] >= needed:
            return name
    return None


EXERCISE = Exercise(
    id="majority_merchant",
    title="The merchant of most of a burst",
    minutes=10,
    difficulty="easy",
    feeds="05",
    week="1-2",
    hints=(
        "Take out two payments at different merchants. Does a merchant that had more than half still have it?",
        "Keep a candidate and its lead: up at the same merchant, down at another, a new candidate when the lead is 0.",
        "What is left over may be an accident: count it once more, and compare twice the count with n.",
    ),
    cases=cases,
    expect=by_counting,
    agree=exact,
    mutants=(
        Mutant(
            "candidate-not-counted",
            "The candidate was returned without being counted. Where no merchant has a majority, it means nothing.",
            swaps=(("candidate if 2 * merchants.count(candidate) > len(merchants) else None", "candidate"),),
        ),
        Mutant(
            "half-is-enough",
            "A merchant with exactly half of the payments was returned. More than half is asked for.",
            swaps=(("> len(merchants)", ">= len(merchants) > 0"),),
        ),
        Mutant(
            "the-most-frequent",
            "The most frequent merchant was returned, although it may have less than half.",
            swaps=(
                (
                    "return candidate if 2 * merchants.count(candidate) > len(merchants) else None",
                    "return max(sorted(set(merchants)), key=merchants.count) if merchants else None",
                ),
            ),
        ),
        Mutant(
            "lead-never-falls",
            "Payments elsewhere did not lower the candidate's lead, so the first merchant stays the candidate for ever.",
            swaps=(("else -1", "else 0"),),
        ),
        Mutant(
            "only-runs",
            "The lead fell to 0 at the first payment elsewhere, so only runs of the same merchant were compared.",
            swaps=(("lead += 1 if merchant == candidate else -1", "lead = lead + 1 if merchant == candidate else 0"),),
        ),
        Mutant(
            "each-is-counted",
            "The answer is right, but every merchant's payments are counted by a scan of the whole list.",
            swaps=(
                (
                    "return candidate if 2 * merchants.count(candidate) > len(merchants) else None",
                    "found = [m for m in merchants if merchants.count(m) * 2 > len(merchants)]\n"
                    "    return found[0] if found else None",
                ),
            ),
        ),
    ),
    accepted=(by_the_middle, counted_as_they_come),
    growth=Growth(
        large, n=6_000, limit=10.0, says="The list is scanned for every payment. Keep one candidate and its lead."
    ),
    shrink=lists(0, noun="payments"),
)
