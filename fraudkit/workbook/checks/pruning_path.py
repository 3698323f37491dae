"""Cost-complexity pruning: the weakest link again and again, all of equal price at once, useless splits first."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def lower_hull(left, right, risk):
    """The oracle: the least risk for every number of leaves, by dynamic programming, and the corners of its lower hull.

    It prunes nothing and knows no weakest link: the best tree at a price is a corner of the hull.
    """

    def least(node):
        best = {1: int(risk[node])}
        if left[node] >= 0:
            for a, one in least(left[node]).items():
                for b, other in least(right[node]).items():
                    best[a + b] = min(best.get(a + b, one + other), one + other)
        return best

    points = least(0)
    leaves = min(points, key=lambda k: (points[k], k))
    path = [(0.0, leaves)]
    while leaves > 1:
        prices = {k: Fraction(points[k] - points[leaves], leaves - k) for k in points if k < leaves}
        price = min(prices.values())
        leaves = min(k for k in prices if prices[k] == price)
        path.append((float(price), leaves))
    return path


def grown(rng: np.random.Generator, splits: int, most: int) -> tuple[list[int], list[int], list[int]]:
    """A random tree of so many splits, nodes numbered at random; a split lowers the risk by 0 to `most`."""
    left, right, leaves = [-1], [-1], [0]
    for _ in range(splits):
        node = leaves.pop(int(rng.integers(len(leaves))))
        left[node], right[node] = len(left), len(left) + 1
        leaves += [left[node], right[node]]
        left += [-1, -1]
        right += [-1, -1]
    risk = rng.integers(0, 6, len(left))
    for node in range(len(left) - 1, -1, -1):  # children have larger numbers so far
        if left[node] >= 0:
            risk[node] = risk[left[node]] + risk[right[node]] + rng.integers(0, most + 1)
    place = np.concatenate([[0], 1 + rng.permutation(len(left) - 1)])
    moved: list[list[int]] = [[0] * len(left) for _ in range(3)]
    for node, new in enumerate(place.tolist()):
        moved[0][new] = int(place[left[node]]) if left[node] >= 0 else -1
        moved[1][new] = int(place[right[node]]) if right[node] >= 0 else -1
        moved[2][new] = int(risk[node])
    return moved[0], moved[1], moved[2]


def cases(rng: np.random.Generator) -> list[Case]:
    """Small trees for each point, then random ones."""
    found = [
        Case("two splits", ([1, -1, 3, -1, -1], [2, -1, 4, -1, -1], [10, 2, 5, 1, 1])),
        Case("a leaf only", ([-1], [-1], [4])),
        Case("one split", (np.array([1, -1, -1]), np.array([2, -1, -1]), np.array([7, 1, 3]))),
        Case(
            "a large gain that takes many leaves",
            ([1, 3, 5, 7, -1, -1, -1, -1, -1], [2, 4, 6, 8, -1, -1, -1, -1, -1], [30, 12, 10, 7, 2, 1, 4, 2, 2]),
            why="a branch's price is its gain per leaf saved: leaves below less one",
        ),
        Case(
            "the parent is weaker than the child",
            ([1, -1, 3, -1, 5, -1, -1], [2, -1, 4, -1, 6, -1, -1], [40, 5, 12, 5, 6, 1, 1]),
            why="a whole branch may be the weakest link, though its own splits at the bottom are strong",
        ),
        Case(
            "a split that gains nothing",
            ([1, 3, -1, -1, -1], [2, 4, -1, -1, -1], [9, 3, 2, 1, 2]),
            why="at a price of 0 the smallest tree of the least risk counts: useless splits are gone already",
        ),
        Case(
            "two links of equal price",
            ([1, 3, 5, -1, -1, -1, -1], [2, 4, 6, -1, -1, -1, -1], [30, 6, 8, 1, 3, 2, 4]),
            why="both branches go at the same price; the tree in between is never the smallest at any price",
        ),
        Case(
            "parent and child of the same price",
            ([1, -1, 3, -1, -1], [2, -1, 4, -1, -1], [10, 2, 5, 2, 0]),
            why="both go at the same price and belong to one entry",
        ),
    ]
    for splits, most in ((5, 6), (7, 20), (9, 4), (12, 15), (12, 3)):
        found.append(Case(f"{splits} splits, gains up to {most}", grown(rng, splits, most)))
    return found


def by_price(left, right, risk):
    """Accepted: for a given price the best tree is found from the leaves up; the next price follows from its links."""

    def best(node, price):
        if left[node] < 0:
            return risk[node], 1, float("inf")
        one, other = best(left[node], price), best(right[node], price)
        errors, leaves = one[0] + other[0], one[1] + other[1]
        own = (risk[node] - errors) / (leaves - 1)
        if own <= price:
            return risk[node], 1, float("inf")
        return errors, leaves, min(own, one[2], other[2])

    price, path = 0.0, []
    while price < float("inf"):
        _, leaves, following = best(0, price)
        path.append((price, leaves))
        price = following
    return path


def with_parents(left, right, risk):
    """Accepted: arrays of leaves and risk below each node, corrected along the way up after a cut."""
    n = len(risk)
    parent, order = [-1] * n, [0]
    for node in order:
        if left[node] != -1:
            parent[left[node]] = parent[right[node]] = node
            order += [left[node], right[node]]
    count, below = np.ones(n, dtype=int), np.array(risk, dtype=float)
    alive = {node for node in order if left[node] != -1}
    for node in reversed(order):
        if node in alive:
            count[node] = count[left[node]] + count[right[node]]
            below[node] = below[left[node]] + below[right[node]]
    prices, sizes = [0.0], [int(count[0])]
    while alive:
        price, node = min(((risk[i] - below[i]) / (count[i] - 1), i) for i in alive)
        stack = [node]
        while stack:
            gone = stack.pop()
            if gone in alive:
                alive.discard(gone)
                stack += [left[gone], right[gone]]
        saved, lost = count[node] - 1, risk[node] - below[node]
        up = node
        while up != -1:
            count[up] -= saved
            below[up] += lost
            up = parent[up]
        if price > prices[-1]:
            prices.append(float(price))
            sizes.append(0)
        sizes[-1] = int(count[0])
    return list(zip(prices, sizes, strict=True))


EXERCISE = Exercise(
    id="pruning_path",
    title="Cost-complexity pruning of a tree",
    minutes=30,
    difficulty="hard",
    feeds="07",
    week="3-4",
    hints=(
        "At what price per leaf is a branch no longer worth keeping? Compare the node as a leaf with the branch below it.",
        "Branch: risk below + α·leaves below. Leaf: risk of the node + α. They are equal at (gain) / (leaves below − 1).",
        "Cut the branch with the smallest such price, compute anew for what is left, and go on to the root.",
        "Links of the same price go together. A cut at price 0 replaces the first entry: the smallest tree counts.",
    ),
    cases=cases,
    expect=lower_hull,
    agree=close(1e-9, 1e-12),
    mutants=(
        Mutant(
            "gain-not-per-leaf",
            "The gain of a branch was taken as its price. A branch of five leaves may gain more: divide by the leaves it costs.",
            swaps=(("(risk[node] - errors) / (leaves - 1)", "float(risk[node] - errors)"),),
        ),
        Mutant(
            "divided-by-all-leaves",
            "Cutting a branch of L leaves leaves one leaf: it saves L − 1, not L.",
            swaps=(("(risk[node] - errors) / (leaves - 1)", "(risk[node] - errors) / leaves"),),
        ),
        Mutant(
            "bottom-splits-only",
            "Only splits with two leaves below were considered. A larger branch may be weaker than any split inside it.",
            swaps=(("            links[node] = ", "            if leaves == 2:\n                links[node] = "),),
        ),
        Mutant(
            "equal-prices-apart",
            "Links of the same price were cut one by one and listed each. At a price there is one smallest best tree.",
            swaps=(
                (
                    "cut |= {node for node in links if links[node] == price}",
                    "cut |= {max(node for node in links if links[node] == price)}",
                ),
                (
                    "if price == path[-1][0]:\n            path.pop()\n",
                    "if price == path[-1][0] == 0:\n            path.pop()\n",
                ),
            ),
        ),
        Mutant(
            "starts-with-the-whole-tree",
            "Splits that gain nothing were kept at the start. At a price of 0 the smallest tree of the least risk is asked for.",
            swaps=(("if price == path[-1][0]:", "if price == path[-1][0] and len(path) > 1 or price < 0:"),),
        ),
        Mutant(
            "prices-of-the-whole-tree",
            "Prices were computed once, for the unpruned tree. After a cut those above it change.",
            swaps=(
                (
                    "        links = {}\n        below(0, links)\n        price = min(links.values())\n",
                    "        links = {}\n        below(0, links)\n        first = first or dict(links)\n"
                    "        links = {node: first[node] for node in links}\n        price = min(links.values())\n",
                ),
                ("    cut = set()\n", "    cut = set()\n    first = {}\n"),
            ),
        ),
    ),
    accepted=(by_price, with_parents),
)
