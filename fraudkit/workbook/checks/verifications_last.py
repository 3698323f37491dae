"""Zero amounts to the end: stable, linear, and None is no zero."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_stable_sort(amounts):
    """The oracle: NumPy's stable sort of a flag."""
    flags = np.array([amount is not None and float(amount) == 0.0 for amount in amounts], dtype=bool)
    return np.argsort(flags, kind="stable").tolist()


def _drawn(rng: np.random.Generator, n: int, zero_share: float) -> list[float | int | None]:
    values: list[float | int | None] = np.round(rng.gamma(1.0, 30.0, n) + 0.01, 2).tolist()
    for position in range(n):
        draw = rng.random()
        if draw < zero_share:
            values[position] = [0, 0.0, -0.0][int(rng.integers(3))]
        elif draw < zero_share + 0.1:
            values[position] = None
    return values


def cases(rng: np.random.Generator) -> list[Case]:
    """Neighbouring zeros, unknown amounts and order first, then drawn lists."""
    found = [
        Case("a zero between two payments", ([12.5, 0, 3.0],)),
        Case("no payments", ([],)),
        Case(
            "zeros beside each other", ([0, 0, 5, 0, 0, 0, 7],), why="a loop that removes as it walks skips the second"
        ),
        Case("unknown amounts", ([None, 0, None, 4],), why="None is an amount that is not known, not a zero amount"),
        Case("the order of the others", ([9, 0, 2, 0, 5, 1],), why="the other payments stay in their old order"),
        Case("floating zeros", ([0.0, 1.5, -0.0, 2.5],)),
        Case("refunds", ([-5, 0, 3, -2, 0],), why="a negative amount is no zero and stays where it is"),
        Case("nothing but zeros", ([0, 0, 0],)),
        Case("no zeros", ([3, 1, 2],)),
    ]
    for n, share in ((25, 0.3), (60, 0.6), (120, 0.1)):
        found.append(Case(f"{n} payments", (_drawn(rng, n, share),)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """Every second amount is zero."""
    return Case(f"{n} payments", ((rng.integers(1, 9_000, n) * (np.arange(n) % 2)).tolist(),))


def by_key(amounts):
    """Accepted: a stable sort of the positions by whether the amount is zero."""
    return sorted(range(len(amounts)), key=lambda i: amounts[i] is not None and not amounts[i])


def filled_from_both_counts(amounts):
    """Accepted: count the others first, then write each position straight to its place."""
    is_zero = [a == 0.0 for a in amounts]
    out, front, back = [0] * len(amounts), 0, is_zero.count(False)
    for i, zero in enumerate(is_zero):
        if zero:
            out[back] = i
            back += 1
        else:
            out[front] = i
            front += 1
    return out


EXERCISE = Exercise(
    id="verifications_last",
    title="Zero amounts to the end",
    minutes=7,
    difficulty="easy",
    feeds="04",
    week="1-2",
    hints=(
        "Nothing has to be removed or shifted: each position belongs to one of two groups.",
        "Walk once, append each position to its group, and join the groups. Both keep their order by themselves.",
        "Compare with 0; `not amount` is true for None as well.",
    ),
    cases=cases,
    expect=by_stable_sort,
    agree=exact,
    mutants=(
        Mutant(
            "unknown-is-zero",
            "None was taken for a zero amount, because `not None` is true as well. Compare with 0.",
            swaps=(("amount == 0", "not amount"),),
        ),
        Mutant(
            "zeros-dropped",
            "The zero amounts are missing from the answer. They go to the end, nothing is lost.",
            swaps=(("return others + zeros", "return others"),),
        ),
        Mutant(
            "sorted-by-amount",
            "The others were put in the order of their amounts. They stay in their old order.",
            swaps=(
                (
                    "return others + zeros",
                    "return sorted(others, key=lambda i: (amounts[i] is None, amounts[i] or 0)) + zeros",
                ),
            ),
        ),
        Mutant(
            "removed-while-walking",
            "Elements were taken out of the list that the loop walks over, so the one behind each zero was skipped.",
            swaps=(
                (
                    "for position, amount in enumerate(amounts):\n        (zeros if amount == 0 else others).append(position)",
                    "others = list(range(len(amounts)))\n    for position in others:\n"
                    "        if amounts[position] == 0:\n"
                    "            others.remove(position)\n            zeros.append(position)",
                ),
            ),
        ),
        Mutant(
            "refunds-too",
            "Negative amounts went to the end as well. Only a zero amount does.",
            swaps=(("amount == 0", "amount is not None and amount <= 0"),),
        ),
        Mutant(
            "swapped-from-both-ends",
            "Zeros were swapped with payments from the end, which breaks the order of the others.",
            swaps=(
                (
                    "return others + zeros",
                    "order, end = list(range(len(amounts))), len(amounts) - 1\n"
                    "    for i in range(len(order)):\n"
                    "        while end > i and amounts[order[end]] == 0:\n"
                    "            end -= 1\n"
                    "        if amounts[order[i]] == 0 and end > i:\n"
                    "            order[i], order[end] = order[end], order[i]\n"
                    "    return order",
                ),
            ),
        ),
    ),
    accepted=(by_key, filled_from_both_counts),
    growth=Growth(
        large,
        n=16_000,
        limit=10.0,
        says="Taking elements out of a list shifts all behind them. Append to two lists instead.",
    ),
    shrink=lists(0, noun="payments"),
)
