"""Permutation test of a difference in means: two-sided, the data count as one draw, ties by tolerance."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def exact_deals(values, treated, orders):
    """The oracle: every shuffle dealt out in exact fractions, by loops."""
    exact, flags = [Fraction(float(value)) for value in values], [bool(flag) for flag in treated]

    def gap(dealt):
        ones = [value for value, flag in zip(dealt, flags, strict=True) if flag]
        others = [value for value, flag in zip(dealt, flags, strict=True) if not flag]
        return sum(ones) / len(ones) - sum(others) / len(others)

    seen = gap(exact)
    near = Fraction(1, 10**9)
    hits = sum(abs(gap([exact[int(i)] for i in order])) >= abs(seen) - near for order in orders)
    return float(seen), (1 + hits) / (len(orders) + 1)


def _orders(rng: np.random.Generator, b: int, n: int) -> np.ndarray:
    return rng.permuted(np.tile(np.arange(n), (b, 1)), axis=1)


def cases(rng: np.random.Generator) -> list[Case]:
    """By hand, both sides, ties by rounding, uneven groups, what cannot be, then random data."""
    cents = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    found = [
        Case(
            "four values",
            ([1.0, 2.0, 9.0, 8.0], [False, False, True, True], [[0, 1, 2, 3], [2, 1, 0, 3], [3, 2, 1, 0]]),
        ),
        Case(
            "the treated are lower",
            (np.array([9.0, 8.0, 7.0, 1.0, 2.0]), np.array([0, 0, 0, 1, 1]), _orders(rng, 20, 5)),
            why="two-sided: what counts is the size of the difference",
        ),
        Case(
            "the same values in another order",
            (
                cents,
                np.array([1, 0, 1, 0, 1, 0, 1], dtype=bool),
                np.array([[2, 1, 0, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1, 0], [4, 3, 2, 1, 6, 5, 0], [0, 1, 2, 3, 4, 5, 6]]),
            ),
            why="sums in another order differ in their last bit; the question's 1e-9 makes them equal",
        ),
        Case(
            "no shuffle reaches it",
            (
                np.array([0.0, 1.0, 2.0, 50.0, 60.0, 70.0]),
                np.array([0, 0, 0, 1, 1, 1]),
                np.array([[0, 3, 1, 4, 2, 5], [3, 0, 1, 4, 2, 5]]),
            ),
            why="the data are one draw too, so p is 1/3 and never 0",
        ),
        Case("no shuffles at all", (np.array([1.0, 5.0]), np.array([0, 1]), np.empty((0, 2), dtype=int))),
        Case(
            "groups of one and five",
            (np.array([10.0, 1.0, 2.0, 3.0, 4.0, 2.0]), np.array([1, 0, 0, 0, 0, 0]), _orders(rng, 30, 6)),
            why="each group's mean has a divisor of its own",
        ),
        Case("one group is empty", (np.ones(3), np.zeros(3), _orders(rng, 2, 3)), raises="ValueError"),
        Case("all are treated", (np.ones(3), np.ones(3), _orders(rng, 2, 3)), raises="ValueError"),
        Case("shuffles of other length", (np.ones(3), np.array([1, 0, 1]), _orders(rng, 4, 2)), raises="ValueError"),
    ]
    for n, b in ((12, 60), (25, 99)):
        treated = np.arange(n) < n // 3
        values = np.round(rng.gamma(1.0, 40.0, n) - 25.0 * treated, 2)
        found.append(Case(f"{n} values, {b} shuffles", (values, treated, _orders(rng, b, n))))
    return found


def sums_of_treated(values, treated, orders):
    """Accepted: only the treated sum is followed; the others' is the rest."""
    values = np.array(values, dtype=np.float64)
    inside = np.flatnonzero(treated)
    n, m = values.size, inside.size
    if m in (0, n) or np.shape(orders)[1:] != (n,):
        raise ValueError("groups or shuffles")

    def gap(total):
        return total / m - (values.sum() - total) / (n - m)

    seen = gap(values[inside].sum())
    dealt = gap(values[np.array(orders, dtype=int)[:, inside]].sum(axis=1))
    return seen, (1 + np.count_nonzero(np.abs(dealt) + 1e-9 >= np.abs(seen))) / (1 + len(dealt))


def dealt_in_a_loop(values, treated, orders):
    """Accepted: one shuffle after the other."""
    values, mask = np.asarray(values, dtype=float), np.asarray(treated) == 1
    if mask.sum() == 0 or mask.sum() == mask.size:
        raise ValueError("an empty group")
    observed = values[mask].mean() - values[~mask].mean()
    extreme = 1
    for order in orders:
        if len(order) != len(values):
            raise ValueError("a shuffle of another length")
        shuffled = values[np.asarray(order)]
        extreme += bool(abs(shuffled[mask].mean() - shuffled[~mask].mean()) > abs(observed) - 1e-9)
    return [observed, extreme / (len(orders) + 1)]


EXERCISE = Exercise(
    id="permutation_test",
    title="Permutation test of two groups",
    minutes=20,
    difficulty="medium",
    feeds="11",
    week="1-2",
    hints=(
        "If the treatment did nothing, which other assignments of the labels would have been as likely?",
        "`values[orders]` deals all shuffles at once; a vector of 1/m and -1/(n - m) makes each a difference of means.",
        "Compare sizes, with the tolerance of the question. Then add one above and one below.",
    ),
    cases=cases,
    expect=exact_deals,
    agree=close(rtol=1e-9, atol=1e-10),
    mutants=(
        Mutant(
            "one-sided",
            "Only differences in the data's own sign were counted. Two-sided means: by size.",
            swaps=(("np.abs(shuffled) >= abs(difference)", "shuffled * np.sign(difference) >= abs(difference)"),),
        ),
        Mutant(
            "larger-only",
            "Only shuffles above the data were counted, so a negative difference always looks ordinary.",
            swaps=(("np.abs(shuffled) >= abs(difference) - 1e-9", "shuffled >= difference - 1e-9"),),
        ),
        Mutant(
            "data-not-counted",
            "The share of shuffles alone can be 0. The data are one draw among B + 1: add one above and below.",
            swaps=(("(1 + reached) / (len(orders) + 1)", "reached / max(len(orders), 1)"),),
        ),
        Mutant(
            "ties-not-counted",
            "Shuffles that just reach the data's difference were left out. At least as large includes equal.",
            swaps=((">= abs(difference) - 1e-9", "> abs(difference) + 1e-9"),),
        ),
        Mutant(
            "complement",
            "The share of shuffles that stay below was returned: one minus the p-value.",
            swaps=((">= abs(difference) - 1e-9", "< abs(difference) - 1e-9"),),
        ),
        Mutant(
            "sums-not-means",
            "Sums were compared. With groups of different size each needs its own divisor.",
            swaps=(("1 / treated.sum(), -1 / (~treated).sum()", "1.0, -1.0"),),
        ),
        Mutant(
            "common-divisor",
            "Both groups were divided by n, not each by its own size.",
            swaps=(("1 / treated.sum(), -1 / (~treated).sum()", "1 / len(values), -1 / len(values)"),),
        ),
        Mutant(
            "sign-lost",
            "The difference was returned without its sign: the treated may be lower.",
            swaps=(("return float(difference)", "return float(abs(difference))"),),
        ),
        Mutant(
            "empty-group-taken",
            "A group without members has no mean. Raise ValueError.",
            swaps=(
                ("treated.all() or not treated.any() or ", ""),
                (
                    "1 / treated.sum(), -1 / (~treated).sum()",
                    "1 / max(treated.sum(), 1), -1 / max((~treated).sum(), 1)",
                ),
            ),
        ),
    ),
    accepted=(sums_of_treated, dealt_in_a_loop),
)
