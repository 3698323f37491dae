"""Following replacements to the end: long chains, and circles that need not hold the start."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_shrinking_the_table(replaced_by, card):
    """The oracle: each replacement is used once and taken out of a copy; a chain that ends uses none twice."""
    left, path = dict(replaced_by), [card]
    while path[-1] in left:
        path.append(left.pop(path[-1]))
    return path[-1], len(path) - 1


def _chain(names: list[str]) -> dict[str, str]:
    return dict(pairwise(names))


def _drawn(rng: np.random.Generator, n: int, length: int) -> tuple[dict[str, str], str]:
    """Chains of this length, their entries in random order; the start stands somewhere in one of them."""
    names = [f"t{number}" for number in rng.permutation(n)]
    chains = [names[start : start + length] for start in range(0, n, length)]
    pairs = [pair for chain in chains for pair in _chain(chain).items()]
    table = dict(pairs[place] for place in rng.permutation(len(pairs)))
    return table, str(names[int(rng.integers(0, length // 2))])


def cases(rng: np.random.Generator) -> list[Case]:
    """Short chains, circles of each kind, a long chain; then drawn tables."""
    long_chain = _chain([f"t{number}" for number in range(3_000)])
    into_circle = {"t1": "t2", "t2": "t3", "t3": "t4", "t4": "t2"}
    found = [
        Case("two replacements", ({"t1": "t4", "t4": "t9"}, "t1")),
        Case("never replaced", ({"t1": "t4"}, "t4"), why="no replacement: the card itself, after 0 steps"),
        Case("a card nobody knows", ({}, "t1"), why="it was not replaced either"),
        Case(
            "every entry is used",
            ({"t1": "t2", "t2": "t3", "t3": "t4"}, "t1"),
            why="as many steps as entries are no circle yet: each replacement is used once",
        ),
        Case(
            "from the middle", ({"t1": "t2", "t2": "t3", "t3": "t4"}, "t2"), why="the steps count from the given card"
        ),
        Case("a circle elsewhere", ({"t1": "t2", "t8": "t9", "t9": "t8"}, "t1"), why="circles elsewhere do not matter"),
        Case("back to the start", ({"t1": "t2", "t2": "t3", "t3": "t1"}, "t1"), raises="ValueError"),
        Case("replaced by itself", ({"t1": "t1"}, "t1"), raises="ValueError", why="a circle of one card"),
        Case(
            "into a circle without the start",
            (into_circle, "t1"),
            raises="ValueError",
            why="the chain never comes back to its start, and still has no end",
        ),
        Case("3000 replacements", (long_chain, "t0"), why="recursion ends at a thousand calls"),
    ]
    for n, length in ((20, 5), (60, 12), (120, 40)):
        found.append(Case(f"{n} cards in chains of {length}", _drawn(rng, n, length)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """One chain through all cards."""
    names = [f"t{number}" for number in rng.permutation(n)]
    return Case(f"{n} replacements", (_chain(names), names[0]))


def with_a_set(replaced_by, card):
    """Accepted: a set of the cards that were passed."""
    passed = {card}
    end = replaced_by.get(card)
    last = card
    while end is not None:
        if end in passed:
            raise ValueError("circle")
        passed.add(end)
        last, end = end, replaced_by.get(end)
    return [last, len(passed) - 1]


def two_walkers(replaced_by, card):
    """Accepted: a slow walker and one of twice its speed; if they meet, there is a circle."""
    slow = fast = card
    while fast in replaced_by and replaced_by[fast] in replaced_by:
        slow, fast = replaced_by[slow], replaced_by[replaced_by[fast]]
        if slow == fast:
            raise ValueError(f"{card} leads into a circle")
    count = 0
    while card in replaced_by:
        card, count = replaced_by[card], count + 1
    return card, count


EXERCISE = Exercise(
    id="current_card",
    title="The card that replaced the card",
    minutes=8,
    difficulty="easy",
    feeds="06",
    week="1-2",
    hints=(
        "A loop suffices: as long as the card was replaced, go on to its successor and count.",
        "How many steps can a chain have at most that never passes a card twice? Each entry of the dict is used once.",
        "After `len(replaced_by)` steps the chain must be at its end; if it still goes on, there is a circle.",
    ),
    cases=cases,
    expect=by_shrinking_the_table,
    agree=exact,
    mutants=(
        Mutant(
            "full-chain-is-a-circle",
            "A chain that uses every entry was taken for a circle. It may have exactly as many steps as there are entries.",
            swaps=(("if steps == len(replaced_by):", "if steps == len(replaced_by) - 1 and len(replaced_by) > 1:"),),
        ),
        Mutant(
            "circle-returned",
            "A chain without an end gave some card of the circle. Nobody holds that card: raise ValueError.",
            swaps=(('raise ValueError(f"the replacements of {card} go round in a circle")', "return current, steps"),),
        ),
        Mutant(
            "one-replacement-only",
            "Only the first replacement was followed. The new card may have been replaced as well.",
            swaps=(("        steps += 1", "        steps += 1\n        break"),),
        ),
        Mutant(
            "cards-counted",
            "The cards of the chain were counted. The replacements are asked for, one fewer.",
            swaps=(("return current, steps", "return current, steps + 1"),),
        ),
        Mutant(
            "recursive",
            "The function calls itself for each replacement, and a chain of thousands exceeds Python's limit. Use a loop.",
            swaps=(
                (
                    "    current, steps = card, 0\n",
                    "    def walk(token, depth):\n"
                    "        if token not in replaced_by:\n"
                    "            return token, depth\n"
                    "        if depth == len(replaced_by):\n"
                    "            raise ValueError('circle')\n"
                    "        return walk(replaced_by[token], depth + 1)\n\n"
                    "    return walk(card, 0)\n"
                    "    current, steps = card, 0\n",
                ),
            ),
        ),
        Mutant(
            "any-circle-in-the-table",
            "A circle that this card does not lead into was reported. Only its own chain matters.",
            swaps=(
                (
                    "    current, steps = card, 0\n",
                    "    for token in replaced_by:\n"
                    "        for _ in range(len(replaced_by) + 1):\n"
                    "            if token not in replaced_by:\n"
                    "                break\n"
                    "            token = replaced_by[token]\n"
                    "        else:\n"
                    "            raise ValueError('circle')\n"
                    "        if len(replaced_by) > 200:\n"
                    "            break\n"
                    "    current, steps = card, 0\n",
                ),
            ),
        ),
        Mutant(
            "unknown-card-fails",
            "A card that is no key of the dict raised KeyError. It was not replaced: return it, with 0 steps.",
            swaps=(("    current, steps = card, 0\n", "    replaced_by[card]\n    current, steps = card, 0\n"),),
        ),
    ),
    accepted=(with_a_set, two_walkers),
    growth=Growth(
        large,
        n=3_000,
        limit=10.0,
        says="The cards passed are searched in a list at every step. Count steps, or ask a set.",
    ),
    shrink=lists(0, noun="replacements"),
)
