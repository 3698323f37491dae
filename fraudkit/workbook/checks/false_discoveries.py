"""Benjamini-Hochberg: step up, not down; adjusted values that keep the order; the input's order."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close, exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_scipy(p, q):
    """The oracle: SciPy's adjusted values, and the discoveries by the largest place that passes."""
    from scipy.stats import false_discovery_control

    p = np.asarray(p, dtype=float)
    if not len(p):
        return np.zeros(0, dtype=bool), np.zeros(0)
    passing = [j for j, value in enumerate(np.sort(p), start=1) if value * len(p) / j <= q]
    limit = np.sort(p)[max(passing) - 1] if passing else -1.0
    return p <= limit, false_discovery_control(p)


def agree(got, expected, case):
    """Discoveries exactly, adjusted values within rounding."""
    if not isinstance(got, list | tuple) or len(got) != 2:
        return "the answer should be a tuple of two arrays: discoveries and adjusted p"
    return exact(got[0], expected[0], case) or close()(got[1], expected[1], case)


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones: a few small p among uniform ones."""
    found = [
        Case("four features", ([0.01, 0.8, 0.03, 0.035], 0.05)),
        Case(
            "a later one passes",
            ([0.021, 0.022, 0.023, 0.9], 0.04),
            why="0.021 · 4 / 1 is too much, but 0.023 · 4 / 3 is not, and it takes the smaller ones with it",
        ),
        Case(
            "not in order",
            (np.array([0.9, 0.002, 0.4, 0.011]), 0.05),
            why="the answers belong to the tests as they came",
        ),
        Case("equal p", ([0.03, 0.03, 0.6, 0.03], 0.05), why="equal p have equal answers"),
        Case("one test", ([0.04], 0.05), why="one test needs no correction"),
        Case("nothing found", ([0.3, 0.9, 0.5], 0.1)),
        Case("ones and noughts", ([1.0, 0.0, 1.0, 0.0], 0.05)),
        Case("four small p", ([0.015, 0.02, 0.04, 0.07], 0.1), why="Bonferroni would find one of these"),
        Case("no tests", ([], 0.05)),
        Case("q of 1", ([0.5], 1.0), raises="ValueError"),
        Case("q of 0", ([0.5], 0.0), raises="ValueError"),
        Case("a p above 1", ([0.5, 1.2], 0.05), raises="ValueError"),
        Case(
            "NaN", ([0.01, math.nan], 0.05), raises="ValueError", why="NaN would be sorted last and pull nothing down"
        ),
    ]
    for m, drifted, q in ((12, 5, 0.1), (143, 20, 0.01), (60, 40, 0.2)):
        p = np.append(rng.random(drifted) ** 3 * 0.05, rng.random(m - drifted))
        found.append(Case(f"{m} features", (rng.permutation(p), q)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of n tests."""
    return Case(f"{n} tests", (rng.random(n) ** 2, 0.05))


def from_the_largest(p, q):
    """Accepted: a walk from the largest p down with a running minimum."""
    values = [float(value) for value in p]
    if q <= 0 or q >= 1 or any(not 0 <= value <= 1 for value in values):
        raise ValueError("out of range")
    m, least = len(values), 1.0
    adjusted = [0.0] * m
    ordered = sorted(range(m), key=values.__getitem__)
    for place in range(m, 0, -1):
        i = ordered[place - 1]
        least = min(least, m * values[i] / place)
        adjusted[i] = least
    return [value <= q for value in adjusted], adjusted


def by_ranks(p, q):
    """Accepted: each p with its highest rank, and a table of the least from each value upwards."""
    p = np.array(p, dtype=float)
    if np.isnan(p).any() or (p < 0).any() or (p > 1).any() or not 0 < q < 1:
        raise ValueError((p, q))
    if p.size == 0:
        return p.astype(bool), p
    values, place = np.unique(p, return_inverse=True)
    rank = np.searchsorted(np.sort(p), values, side="right")
    ratio = p.size * values / rank
    table = np.fmin.accumulate(ratio[::-1])[::-1]
    return table[place] <= q, table[place]


EXERCISE = Exercise(
    id="false_discoveries",
    title="Many tests at once: Benjamini-Hochberg",
    minutes=15,
    difficulty="medium",
    feeds="11",
    week="7-8",
    hints=(
        "If nothing has drifted, how large is the j-th smallest of m p-values, about? Compare each with its own place.",
        "A test that fails its own comparison is a discovery all the same if one with a larger p passes.",
        "Sort, multiply by m / place, run a minimum from the largest p down, and put the values back where they came from.",
    ),
    cases=cases,
    expect=by_scipy,
    agree=agree,
    mutants=(
        Mutant(
            "bonferroni",
            "Every p was multiplied by m. That holds the chance of even one false alarm and misses most of what drifted.",
            swaps=(("p[order] * len(p) / np.arange(1, len(p) + 1)", "np.minimum(p[order] * len(p), 1.0)"),),
        ),
        Mutant(
            "not-adjusted",
            "Each p was compared with q by itself: 143 tests bring false alarms every day.",
            swaps=(("p[order] * len(p) / np.arange(1, len(p) + 1)", "p[order]"),),
        ),
        Mutant(
            "steps-down",
            "It stops at the first test that fails. A later one that passes takes the smaller ones with it.",
            swaps=(("np.minimum.accumulate(scaled[::-1])[::-1]", "np.minimum(np.maximum.accumulate(scaled), 1.0)"),),
        ),
        Mutant(
            "each-by-itself",
            "The running minimum is missing, so a smaller p may have a larger adjusted value than its neighbour.",
            swaps=(("np.minimum.accumulate(scaled[::-1])[::-1]", "scaled"),),
        ),
        Mutant(
            "minimum-from-the-left",
            "The minimum runs from the smallest p upwards, so everything gets the smallest value.",
            swaps=(("np.minimum.accumulate(scaled[::-1])[::-1]", "np.minimum.accumulate(scaled)"),),
        ),
        Mutant(
            "sorted-order",
            "The answers are in the order of the sorted p. Each belongs to its feature.",
            swaps=(("adjusted[order] = rising", "adjusted[:] = rising"),),
        ),
        Mutant(
            "any-dependence",
            "This is the stricter procedure for arbitrary dependence, with the harmonic sum as a factor.",
            swaps=(
                (
                    "return adjusted <= q, adjusted",
                    "adjusted = np.minimum(adjusted * (1 / np.arange(1, len(p) + 1)).sum(), 1.0)\n    return adjusted <= q, adjusted",
                ),
            ),
        ),
        Mutant(
            "places-from-0",
            "The places were counted from 0, and the division by it was dodged. The smallest p is in place 1 of m.",
            swaps=(("np.arange(1, len(p) + 1)", "np.maximum(np.arange(len(p)), 1)"),),
        ),
        Mutant(
            "range-not-checked",
            "A p outside of [0, 1], or a q of 0 or 1, was taken. Raise ValueError.",
            swaps=(("if not 0 < q < 1 or not ((p >= 0) & (p <= 1)).all():", "if False:"),),
        ),
        Mutant(
            "every-pair",
            "The values are right, but for each test all others are looked through: quadratic.",
            swaps=(
                (
                    "rising = np.minimum.accumulate(scaled[::-1])[::-1]",
                    "rising = np.array([min(scaled.tolist()[i:]) for i in range(len(p))])",
                ),
            ),
        ),
    ),
    accepted=(from_the_largest, by_ranks),
    growth=Growth(large, n=1_000, says="One sort and one running minimum from the largest p down are enough."),
    shrink=lists(0, noun="tests"),
)
