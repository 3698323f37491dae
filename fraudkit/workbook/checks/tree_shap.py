"""Exact Shapley values of one tree: repeated features, uneven cover, unused features, polynomial time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant


def all_coalitions(feature, threshold, left, right, value, cover, row):
    """The oracle: the tree's conditional expectation for each coalition, and Shapley's weights by size."""
    d = len(row)

    def worth(known, node=0):
        if left[node] < 0:
            return float(value[node])
        if known >> int(feature[node]) & 1:
            return worth(known, left[node] if row[feature[node]] < threshold[node] else right[node])
        parts = [float(cover[child]) * worth(known, child) for child in (left[node], right[node])]
        return math.fsum(parts) / float(cover[node])

    worths = [worth(known) for known in range(2**d)]
    phi = np.zeros(d)
    for i in range(d):
        for c in range(2**d):
            if not c >> i & 1:
                phi[i] += (worths[c | 1 << i] - worths[c]) / (d * math.comb(d - 1, c.bit_count()))
    return worths[0], phi


def _grown(rng: np.random.Generator, d: int, depth: int) -> dict[str, Any]:
    """A random tree of this depth, with uneven cover."""
    tree: dict[str, list[Any]] = {name: [] for name in ("feature", "threshold", "left", "right", "value", "cover")}

    def grow(weight: float, levels: int) -> int:
        node = len(tree["cover"])
        for name, entry in zip(tree, (-1, 0.0, -1, -1, 0.0, weight), strict=True):
            tree[name].append(entry)
        if levels == 0:
            tree["value"][node] = float(rng.normal())
            return node
        share = float(0.15 + 0.7 * rng.random())
        tree["feature"][node], tree["threshold"][node] = int(rng.integers(0, d)), float(rng.normal())
        tree["left"][node] = grow(weight * share, levels - 1)
        tree["right"][node] = grow(weight * (1 - share), levels - 1 - int(rng.random() < 0.2) * (levels > 1))
        return node

    grow(100.0, depth)
    return {name: np.array(entries) for name, entries in tree.items()}


def _tree(*nodes: tuple[int, float, int, int, float, float]) -> dict[str, Any]:
    names = ("feature", "threshold", "left", "right", "value", "cover")
    return {name: list(column) for name, column in zip(names, zip(*nodes, strict=True), strict=True)}


def cases(rng: np.random.Generator) -> list[Case]:
    """Small trees by hand, repeated and unused features, thresholds, then random trees."""
    leaf = (-1, 0.0, -1, -1)
    two = _tree(
        (0, 5.0, 1, 2, 0.0, 8.0), (1, 2.0, 3, 4, 0.0, 4.0), (*leaf, 8.0, 4.0), (*leaf, 0.0, 2.0), (*leaf, 4.0, 2.0)
    )
    one = _tree((1, 0.5, 1, 2, 0.0, 10.0), (*leaf, -1.0, 9.0), (*leaf, 3.0, 1.0))
    both = _tree(
        (0, 0.5, 1, 2, 0.0, 10.0), (*leaf, 0.0, 6.0), (1, 0.5, 3, 4, 0.0, 4.0), (*leaf, 0.0, 1.0), (*leaf, 6.0, 3.0)
    )
    again = _tree(
        (0, 10.0, 1, 2, 0.0, 10.0),
        (1, 1.0, 3, 4, 0.0, 6.0),
        (*leaf, 5.0, 4.0),
        (0, 3.0, 5, 6, 0.0, 4.0),
        (*leaf, -2.0, 2.0),
        (*leaf, 1.0, 1.0),
        (*leaf, 9.0, 3.0),
    )
    found = [
        Case("two features", kwargs={**two, "row": [3.0, 7.0, 1.0]}),
        Case(
            "one split, uneven cover",
            kwargs={**one, "row": [0.0, 1.0]},
            why="the mean is weighed by cover: 9 rows of 10 go left",
        ),
        Case(
            "a row on the threshold",
            kwargs={**one, "row": [0.0, 0.5]},
            why="it is not below the threshold, so it goes right",
        ),
        Case(
            "both features are needed",
            kwargs={**both, "row": [1.0, 1.0]},
            why="what two features do together is divided between them, whichever is nearer the root",
        ),
        Case("off the path at the root", kwargs={**both, "row": [0.0, 1.0]}),
        Case(
            "a feature twice on a path",
            kwargs={**again, "row": [5.0, 0.0]},
            why="both its splits belong to one feature: known or unknown, they go together",
        ),
        Case("a feature twice, left at its first split", kwargs={**again, "row": [12.0, 0.0]}),
        Case("a feature twice, left at its second split", kwargs={**again, "row": [1.0, 0.0]}),
        Case("a leaf alone", kwargs={**_tree((*leaf, 2.5, 7.0)), "row": [1.0, 2.0]}, why="no split, no reason"),
    ]
    for d, depth in ((3, 4), (6, 4), (5, 5)):
        found.append(Case(f"{d} features, depth {depth}", kwargs={**_grown(rng, d, depth), "row": rng.normal(size=d)}))
    return found


def chain(rng: np.random.Generator, n: int) -> Case:
    """One long path: each of n features is asked once."""
    leaf = (-1, 0.0, -1, -1)
    nodes: list[tuple[int, float, int, int, float, float]] = []
    for i in range(n):
        nodes += [(i, 0.0, 2 * i + 1, 2 * i + 2, 0.0, float(n + 1 - i)), (*leaf, float(rng.normal()), 1.0)]
    nodes.append((*leaf, float(rng.normal()), 1.0))
    return Case(f"a path of {n} features", kwargs={**_tree(*nodes), "row": rng.normal(size=n)})


def counted_by_size(feature, threshold, left, right, value, cover, row):
    """Accepted: for each leaf, the coalitions' products added up by size, with factorial weights."""
    d = len(row)
    phi, mean = [0.0] * d, 0.0

    def leaf(node, z, o):
        nonlocal mean
        names = sorted(z)
        share = 1.0
        for k in names:
            share *= z[k]
        mean += share * value[node]
        for i in names:
            by_size = [1.0]
            for k in names:
                if k != i:
                    longer = [*(z[k] * v for v in by_size), 0.0]
                    for s, v in enumerate(by_size):
                        longer[s + 1] += o[k] * v
                    by_size = longer
            m = len(names)
            total = sum(v / (m * math.comb(m - 1, s)) for s, v in enumerate(by_size))
            phi[i] += value[node] * (o[i] - z[i]) * total

    def walk(node, z, o):
        if left[node] == -1:
            return leaf(node, z, o)
        k = int(feature[node])
        right_way = right[node] if row[k] >= threshold[node] else left[node]
        for child in (left[node], right[node]):
            below_z = {**z, k: z.get(k, 1.0) * cover[child] / cover[node]}
            walk(child, below_z, {**o, k: o.get(k, 1) * int(child == right_way)})
        return None

    walk(0, {}, {})
    return mean, phi


def coefficients_of_t(feature, threshold, left, right, value, cover, row):
    """Accepted: going up, each subtree's worth as a polynomial in t, for each feature left out in turn."""
    feature, left, right = (np.asarray(values, dtype=int) for values in (feature, left, right))
    used = sorted({int(j) for j, child in zip(feature, left, strict=True) if child >= 0})

    def subtree(node, apart, known, shares):
        if left[node] < 0:
            product = np.array([1.0])
            for j, (z, o) in shares.items():
                if j != apart:
                    product = np.polynomial.polynomial.polymul(product, [z, o - z])
            z, o = shares.get(apart, (1.0, 1.0))
            return value[node] * (o if known else z) * product
        j, parts = int(feature[node]), [np.zeros(1)]
        z, o = shares.get(j, (1.0, 1.0))
        below = row[j] < threshold[node]
        for child, on in ((left[node], below), (right[node], not below)):
            share = cover[child] / cover[node]
            parts.append(subtree(child, apart, known, {**shares, j: (z * share, o if on else 0.0)}))
        longest = max(map(len, parts))
        return sum(np.pad(part, (0, longest - len(part))) for part in parts)

    phi = np.zeros(len(row))
    for j in used:
        for sign in (1, -1):
            powers = subtree(0, j, sign > 0, {})
            phi[j] += sign * (powers / np.arange(1, len(powers) + 1)).sum()
    return subtree(0, -1, False, {})[0], phi


EXERCISE = Exercise(
    id="tree_shap",
    title="Shapley values of one tree",
    minutes=45,
    difficulty="hard",
    feeds="07",
    week="3-4",
    hints=(
        "Go down all branches with a stack and keep, for each feature on the path, its z and its o. Leaves add up.",
        "A feature that comes again multiplies its z by the new share; its o stays 1 only while the row follows.",
        "The integrand is a polynomial in t of degree below d: Gauss-Legendre on d // 2 + 1 points is exact.",
        "`np.polynomial.legendre.leggauss(k)` gives points and weights on -1 to 1; move them to 0 to 1.",
    ),
    cases=cases,
    expect=all_coalitions,
    agree=close(rtol=1e-7, atol=1e-9),
    mutants=(
        Mutant(
            "along-the-path",
            "Each split on the row's way got the change of the mean there. That depends on which split comes first.",
            swaps=(
                (
                    "    waiting = [(0, {})]\n",
                    "    means = [float(v) for v in value]\n"
                    "    for i in range(len(left) - 1, -1, -1):\n"
                    "        if left[i] >= 0:\n"
                    "            means[i] = sum(cover[c] * means[c] for c in (left[i], right[i])) / cover[i]\n"
                    "    at = 0\n"
                    "    while left[at] >= 0:\n"
                    "        then = left[at] if row[feature[at]] < threshold[at] else right[at]\n"
                    "        phi[feature[at]] += means[then] - means[at]\n"
                    "        at = then\n"
                    "    return means[0], phi\n"
                    "    waiting = []\n",
                ),
            ),
        ),
        Mutant(
            "others-all-known",
            "Each feature got what it adds when all others are known. Shapley averages over coalitions of every size.",
            swaps=(("(nodes + 1) / 2, weights / 2", "np.array([1.0 - 1e-12]), np.array([1.0])"),),
        ),
        Mutant(
            "others-all-unknown",
            "Each feature got what it adds when nothing else is known, so what features do together is lost.",
            swaps=(("(nodes + 1) / 2, weights / 2", "np.array([0.0]), np.array([1.0])"),),
        ),
        Mutant(
            "half-of-the-others",
            "The integrand was taken at t = 1/2 only: every coalition the same weight. Integrate over t.",
            swaps=(("(nodes + 1) / 2, weights / 2", "np.array([0.5]), np.array([1.0])"),),
        ),
        Mutant(
            "cover-ignored",
            "Both branches of an unknown feature got one half. They are weighed by cover.",
            swaps=(("cover[child] / cover[node]", "0.5"),),
        ),
        Mutant(
            "repeated-split-overwrites",
            "When a feature came again, its new share replaced the old. They multiply along the path.",
            swaps=(("(z * share, o * follows)", "(share, follows)"),),
        ),
        Mutant(
            "back-on-the-path",
            "A row that left the path at a feature's first split counted as following again at the second.",
            swaps=(("(z * share, o * follows)", "(z * share, 1.0 * follows)"),),
        ),
        Mutant(
            "left-at-the-threshold",
            "A row that equals the threshold goes right: left is for below.",
            swaps=(("row[j] < threshold[node]", "row[j] <= threshold[node]"),),
        ),
        Mutant(
            "base-is-plain-mean",
            "The base is the mean over leaves, each counted alike. It is weighed by cover.",
            swaps=(
                (
                    "value[node] * np.prod([z for z, _ in path.values()])",
                    "value[node] / sum(child < 0 for child in left)",
                ),
            ),
        ),
        Mutant(
            "signs-turned",
            "A feature gets what it adds when it becomes known: o less z, not z less o.",
            swaps=(("(o - z) * (weights", "(z - o) * (weights"),),
        ),
        Mutant(
            "all-coalitions",
            "The values are right, but each leaf goes through all coalitions of its features.",
            swaps=(
                (
                    "(weights @ (product / factors[j]))",
                    "sum(\n"
                    "                    weights @ (t ** c.bit_count() * (1 - t) ** (len(path) - 1 - c.bit_count()))\n"
                    "                    * np.prod([q[c >> b & 1] for b, q in enumerate(q for k, q in path.items() if k != j)])\n"
                    "                    for c in range(2 ** (len(path) - 1))\n"
                    "                )",
                ),
            ),
        ),
    ),
    accepted=(counted_by_size, coefficients_of_t),
    growth=Growth(chain, n=3, limit=120.0, says="Integrate a product over t for each leaf; do not list coalitions."),
)
