"""Exact Shapley values from the worth of all coalitions: weights by size, bits in order, no factorial time."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import combinations, permutations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant


def all_orders(worth):
    """The oracle: the definition itself, every order of arrival, in exact fractions."""
    exact = [Fraction(float(value)) for value in worth]
    m = len(exact).bit_length() - 1
    total = [Fraction(0)] * m
    for order in permutations(range(m)):
        there = 0
        for player in order:
            total[player] += exact[there | 1 << player] - exact[there]
            there |= 1 << player
    return np.array([float(value / math.factorial(m)) for value in total])


def cases(rng: np.random.Generator) -> list[Case]:
    """Two players, one, a dummy, a veto, weights by size, what cannot be, then random games."""
    three = np.array([0.0, 4.0, 2.0, 9.0, 1.0, 5.0, 3.0, 20.0])
    needs_both = np.array([0.0, 0.0, 0.0, 12.0, 0.0, 0.0, 0.0, 12.0])
    found = [
        Case("two players", ([10.0, 14.0, 11.0, 19.0],)),
        Case("one player", ([3.0, 5.0],), why="its value is what it adds to nobody"),
        Case(
            "three players",
            (three,),
            why="a coalition of one stands for one order in six, the empty one and the pair for two each",
        ),
        Case(
            "two are needed, the third is not",
            (needs_both,),
            why="a player who never adds anything gets 0, players who add the same get the same",
        ),
        Case("four players, whole numbers", (np.arange(16) ** 2 // 3,)),
        Case("a game that loses", (-three,), why="values may be negative"),
        Case(
            "a player who does harm",
            (np.array([5.0, 1.0, 8.0, 2.0, 7.0, 3.0, 9.0, 4.0]),),
            why="the sign of what a player adds is kept",
        ),
        Case("three coalitions", ([1.0, 2.0, 3.0],), raises="ValueError"),
        Case("the empty coalition alone", ([1.0],), raises="ValueError", why="there is no player"),
        Case("no coalition", ([],), raises="ValueError"),
    ]
    found += [Case(f"{m} players at random", (rng.normal(size=2**m) * 10,)) for m in (3, 5)]
    return found


def game(rng: np.random.Generator, n: int) -> Case:
    """A random game of n coalitions."""
    return Case(f"{n} coalitions", (rng.normal(size=n),))


def means_by_size(worth):
    """Accepted: for each size the mean over its coalitions, then the mean over sizes."""
    worth = [float(v) for v in worth]
    m = round(math.log2(len(worth))) if worth else 0
    if m == 0 or 1 << m != len(worth):
        raise ValueError("no game")
    found = []
    for i in range(m):
        rest, means = [j for j in range(m) if j != i], []
        for s in range(m):
            codes = [sum(1 << j for j in group) for group in combinations(rest, s)]
            means.append(sum(worth[c + (1 << i)] - worth[c] for c in codes) / len(codes))
        found.append(sum(means) / m)
    return found


def signed_sum(worth):
    """Accepted: every coalition once, with a plus for its members and a minus for the others."""
    worth = np.array(worth, dtype=np.float64)
    n = worth.size
    if n < 2 or n & (n - 1):
        raise ValueError(f"{n} is no power of two")
    m = int(math.log2(n))
    inside = np.array([[c >> j & 1 for j in range(m)] for c in range(n)])
    members = inside.sum(1)
    plus = np.array([1 / (m * math.comb(m - 1, s - 1)) if s else 0 for s in members])
    minus = np.array([1 / (m * math.comb(m - 1, s)) if s < m else 0 for s in members])
    return (worth * plus) @ inside - (worth * minus) @ (1 - inside)


EXERCISE = Exercise(
    id="shapley_values",
    title="Exact Shapley values",
    minutes=25,
    difficulty="medium",
    feeds="07",
    week="3-4",
    hints=(
        "What a player adds depends on who is there, not on the order in which they came. How many orders share it?",
        "s players before i and m - s - 1 after: s! (m - s - 1)! of the m! orders.",
        "For each i go through the coalitions whose bit i is 0; `c | 1 << i` is the same with i.",
    ),
    cases=cases,
    expect=all_orders,
    agree=close(rtol=1e-8, atol=1e-9),
    mutants=(
        Mutant(
            "all-coalitions-alike",
            "All coalitions weigh the same (Banzhaf's value), and the values no longer add up to the whole.",
            swaps=(("weight[size[without]] @", "np.full(len(without), 2.0 / 2**m) @"),),
        ),
        Mutant(
            "last-arrival-only",
            "Only what a player adds to all the others was taken: together the values miss or exceed the whole.",
            swaps=(("values[i] = weight[size[without]] @", "values[i] = (without == without.max()) @"),),
        ),
        Mutant(
            "first-arrival-only",
            "Only what a player is worth alone was taken. What players do together is lost.",
            swaps=(("values[i] = weight[size[without]] @", "values[i] = (without == 0) @"),),
        ),
        Mutant(
            "orders-by-size-only",
            "The weight counts the orders of those who come before, but not of those who come after.",
            swaps=(("factorial(s) * factorial(m - s - 1) /", "factorial(s) /"),),
        ),
        Mutant(
            "player-counted-in-the-size",
            "The weight belongs to the size of the coalition without the player; here the player was counted too.",
            swaps=(("weight[size[without]]", "weight[np.minimum(size[without] + 1, m - 1)]"),),
        ),
        Mutant(
            "bits-reversed",
            "Player 0 was read from the highest bit. Bit i of the coalition's number is player i.",
            swaps=(("    return values", "    return values[::-1]"),),
        ),
        Mutant(
            "empty-is-zero",
            "The empty coalition was taken to be worth 0. The values divide worth(all) less worth(none).",
            swaps=(
                (
                    "    coalition = np.arange(2**m)\n",
                    "    coalition = np.arange(2**m)\n    worth = worth * (coalition > 0)\n",
                ),
            ),
        ),
        Mutant(
            "size-not-checked",
            "Three coalitions are no game of players: the missing one was passed over in silence.",
            swaps=(("if m < 1 or len(worth) != 2**m:", "if m < 1:"),),
        ),
        Mutant(
            "all-orders",
            "The values are right, but all m! orders were gone through: ten players make 3.6 million.",
            swaps=(
                (
                    "    return values",
                    "    from itertools import permutations\n\n"
                    "    values = np.zeros(m)\n"
                    "    for order in permutations(range(m)):\n"
                    "        there = 0\n"
                    "        for i in order:\n"
                    "            values[i] += (worth[there | 1 << i] - worth[there]) / factorial(m)\n"
                    "            there |= 1 << i\n"
                    "    return values",
                ),
            ),
        ),
    ),
    accepted=(means_by_size, signed_sum),
    growth=Growth(game, n=64, limit=16.0, says="Weigh coalitions by their size instead of going through all orders."),
)
