"""Ways to split an amount: below the limit, order without meaning, sums again and again, at most so many payments."""

from __future__ import annotations

from collections import Counter
from itertools import combinations_with_replacement

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_listing(amount, sums, limit, most):
    """The oracle: every choice of up to `most` sums is listed and added up."""
    usable = sorted({one for one in sums if one < limit})
    choices = (choice for k in range(most + 1) for choice in combinations_with_replacement(usable, k))
    return sum(sum(choice) == amount for choice in choices)


def cases(rng: np.random.Generator) -> list[Case]:
    """The limit, order, repetition, nothing to pay, wrong input; then random ones."""
    found = [
        Case("one way", (30, [10], 50, 3)),
        Case("order does not matter", (30, [10, 20], 50, 2), why="10 + 20 and 20 + 10 are the same way"),
        Case("exactly at the limit", (50, [25, 50], 50, 2), why="a payment of the limit itself is reported"),
        Case("the same sum several times", (40, [20, 10], 100, 4)),
        Case(
            "too few payments allowed", (100, [10, 50], 100, 4), why="10 times 10 takes more payments than are allowed"
        ),
        Case("nothing to pay", (0, [10, 20], 100, 5), why="one way: no payment at all"),
        Case("nothing may be paid", (10, [10], 100, 0)),
        Case("no payment allowed and none needed", (0, [], 100, 0)),
        Case("cannot be made of these sums", (35, [10, 20], 100, 9)),
        Case("a sum listed twice", (40, [20, 10, 20], 100, 4), why="a sum that is listed twice is the same sum"),
        Case("no sum is below the limit", (100, [50, 100], 50, 9)),
        Case("sums as an array, small last", (60, np.array([30, 20, 10]), 31, 6)),
        Case("a negative amount", (-10, [10], 100, 2), raises="ValueError"),
        Case("a negative number of payments", (0, [10], 100, -1), raises="ValueError"),
        Case("a sum of nought", (10, [0, 10], 100, 2), raises="ValueError", why="nought can be paid for ever"),
    ]
    for amount, most in ((60, 5), (90, 7), (120, 8)):
        sums = (rng.choice(np.arange(1, 12), 5, replace=False) * 5).tolist()
        found.append(
            Case(f"{amount} dollars by at most {most} payments", (amount, sums, int(rng.integers(40, 56)), most))
        )
    return found


def many_sums(rng: np.random.Generator, n: int) -> Case:
    """The sums 1 to n, four payments at most."""
    return Case(f"{n} sums", (100, (rng.permutation(n) + 1).tolist(), n + 1, 4))


def shifted_tables(amount, sums, limit, most):
    """Accepted: an array of payments by dollars, moved one payment down and one sum to the right, once for each use."""
    if min([amount, most, *(int(one) - 1 for one in sums)]) < 0:
        raise ValueError("negative")
    table = np.zeros((most + 1, amount + 1), dtype=np.int64)
    table[0, 0] = 1
    for one in np.unique(np.asarray(sums, dtype=int)):
        if one >= limit:
            break
        moved = table.copy()
        for _ in range(most):
            step = np.zeros_like(table)
            if one <= amount:
                step[1:, one:] = moved[:-1, : amount + 1 - one]
            if not step.any():
                break
            table += step
            moved = step
    return int(table[:, amount].sum())


def counted_states(amount, sums, limit, most):
    """Accepted: for each sum how often it is used; a counter of (paid, payments), grown sum by sum."""
    if amount < 0 or most < 0 or [one for one in sums if one < 1]:
        raise ValueError(amount, most)
    states = Counter({(0, 0): 1})
    for one in sorted(set(sums)):
        if one < limit:
            grown = Counter()
            for (paid, used), ways in states.items():
                while paid <= amount and used <= most:
                    grown[paid, used] += ways
                    paid, used = paid + one, used + 1
            states = grown
    return sum(ways for (paid, _), ways in states.items() if paid == amount)


EXERCISE = Exercise(
    id="structurings",
    title="Ways to stay below the limit",
    minutes=20,
    difficulty="medium",
    feeds="06",
    week="1-2",
    hints=(
        "Count ways for smaller amounts and fewer payments first. What was there before the last payment?",
        "Let ways[k][a] count the ways to pay a dollars by exactly k payments with the sums so far. What does one "
        "more sum add?",
        "The loop over the sums is the outer one: then 10 + 20 and 20 + 10 are not counted apart.",
    ),
    cases=cases,
    expect=by_listing,
    agree=exact,
    mutants=(
        Mutant(
            "order-counts",
            "10 + 20 and 20 + 10 were counted as two ways. With the loop over the sums outside, each way is counted "
            "once.",
            swaps=(
                (
                    "    for one in usable:\n        for payments in range(1, most + 1):\n",
                    "    for payments in range(1, most + 1):\n        for one in usable:\n",
                ),
            ),
        ),
        Mutant(
            "limit-allowed",
            "A payment of exactly the limit was allowed. Payments of the limit and more are reported.",
            swaps=(("if one < limit}", "if one <= limit}"),),
        ),
        Mutant(
            "each-sum-once",
            "Each sum was used once at most. The same sum may be paid several times.",
            swaps=(("for payments in range(1, most + 1):", "for payments in range(most, 0, -1):"),),
        ),
        Mutant(
            "exactly-most",
            "Only ways with exactly the greatest number of payments were counted. Fewer are allowed.",
            swaps=(("sum(row[amount] for row in ways)", "ways[most][amount]"),),
        ),
        Mutant(
            "one-payment-more",
            "One payment more than allowed was counted.",
            swaps=(
                ("for _ in range(most + 1)]", "for _ in range(most + 2)]"),
                ("range(1, most + 1)", "range(1, most + 2)"),
            ),
        ),
        Mutant(
            "nothing-has-no-way",
            "An amount of 0 is paid in one way: by no payment. Everything else is built on that one.",
            swaps=(
                ("return sum(row[amount] for row in ways)", "return sum(row[amount] for row in ways) if amount else 0"),
            ),
        ),
        Mutant(
            "listed-twice-counted-twice",
            "A sum that is listed twice was taken for two different sums. Ways that look the same are the same.",
            swaps=(("{one for one in sums if one < limit}", "[one for one in sums if one < limit]"),),
        ),
        Mutant(
            "input-unchecked",
            "A sum of nought or a negative amount was taken. Raise ValueError.",
            swaps=(("if amount < 0 or most < 0 or any(one < 1 for one in sums):", "if False:"),),
        ),
        Mutant(
            "listed-one-by-one",
            "The number is right, but the ways are listed and added up. With four times as many sums there are "
            "hundreds of "
            "times as many choices of four; counts for smaller amounts are enough.",
            swaps=(
                (
                    "    ways = [[0] * (amount + 1) for _ in range(most + 1)]\n",
                    "    lists = [(0, 0)]\n"
                    "    found = int(amount == 0)\n"
                    "    for _ in range(most):\n"
                    "        lists = [(paid + one, one) for paid, last in lists for one in usable if one >= last]\n"
                    "        found += sum(paid == amount for paid, _ in lists)\n"
                    "    return found\n"
                    "    ways = [[0] * (amount + 1) for _ in range(most + 1)]\n",
                ),
            ),
        ),
    ),
    accepted=(shifted_tables, counted_states),
    growth=Growth(
        many_sums,
        n=25,
        limit=24.0,
        says="Fill a table of amounts and payments once, and do not list the ways one by one.",
    ),
    shrink=lists(1, noun="sums"),
)
