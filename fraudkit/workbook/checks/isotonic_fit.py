"""Isotonic regression: pooled blocks with weights, ties pooled first, in the input's order, in n log n."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import rows


def by_sklearn(score, y, weight=None):
    """The oracle: scikit-learn's IsotonicRegression, fitted and asked at the same scores."""
    from sklearn.isotonic import IsotonicRegression

    x, y = np.asarray(score, dtype=float), np.asarray(y, dtype=float)
    return IsotonicRegression().fit(x, y, sample_weight=weight).predict(x)


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones with ties and weights."""
    found = [
        Case("one violation", ([0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1])),
        Case("falling all the way", ([1, 2, 3, 4], [8.0, 4.0, 2.0, 2.0]), why="all rows become one block: their mean"),
        Case(
            "a merge that makes another necessary",
            ([1, 2, 3, 4], [1.0, 5.0, 6.0, 0.0]),
            why="after the last two are pooled, the block before is higher still: look back again",
        ),
        Case("scores in any order", ([0.9, 0.1, 0.5], [1, 0, 0.5]), why="the values belong to the rows as they came"),
        Case(
            "two rows with the same score",
            ([0.2, 0.2, 0.7, 0.7], [1.0, 0.0, 0.0, 4.0]),
            why="equal scores get equal values, whatever the order of the rows",
        ),
        Case(
            "weights",
            ([1, 2, 3], [4.0, 1.0, 9.0], [1.0, 3.0, 2.0]),
            why="a row of weight 3 counts three times in its block's mean",
        ),
        Case("ties with weights", ([1, 1, 2], [0.0, 4.0, 1.0], [1, 3, 2])),
        Case("one row", ([0.3], [1]), why="one row fits itself"),
        Case("a weight of 0", ([1, 2], [0, 1], [1.0, 0.0]), raises="ValueError"),
        Case("no rows", ([], []), raises="ValueError"),
        Case("lengths differ", ([1, 2, 3], [0, 1]), raises="ValueError"),
    ]
    for n, levels in ((12, 8), (120, 60)):
        score = rng.integers(0, levels, n) / levels
        y = (rng.random(n) < 0.1 + 0.8 * score**2).astype(float)
        found.append(Case(f"{n} payments", (score, y)))
        found.append(Case(f"{n} weighted payments", (score, y + rng.normal(0, 0.2, n), rng.integers(1, 5, n))))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of size n: a curve that rises with noise, so that blocks merge everywhere and many remain."""
    score = rng.random(n)
    return Case(f"{n} payments", (score, score * n / 3 + rng.normal(size=n)))


def hull_of_sums(score, y, weight=None):
    """Accepted: slopes of the greatest convex curve below the running sums."""
    x, y = np.array(score, dtype=float), np.array(y, dtype=float)
    w = np.ones(y.shape) if weight is None else np.array(weight, dtype=float)
    if y.size == 0 or x.shape != y.shape or w.shape != y.shape or w.min() <= 0:
        raise ValueError("bad input")
    order = np.argsort(x)
    last = np.append(np.flatnonzero(np.diff(x[order])), len(x) - 1)
    across = np.concatenate([[0.0], np.cumsum(w[order])[last]]).tolist()
    up = np.concatenate([[0.0], np.cumsum((w * y)[order])[last]]).tolist()
    hull = []
    for k in range(len(across)):
        while len(hull) > 1:
            i, j = hull[-2], hull[-1]
            if (up[j] - up[i]) * (across[k] - across[j]) < (up[k] - up[j]) * (across[j] - across[i]):
                break
            hull.pop()
        hull.append(k)
    levels = np.empty(len(last))
    for i, j in pairwise(hull):
        levels[i:j] = (up[j] - up[i]) / (across[j] - across[i])
    sizes = np.diff(np.append(-1, last))
    out = np.empty(len(x))
    out[order] = np.repeat(levels, sizes)
    return out


def linked_blocks(score, y, weight=None):
    """Accepted: a dictionary of scores, blocks as lists of the scores in them."""
    weights = [1.0] * len(y) if weight is None else [float(value) for value in weight]
    if len(y) == 0 or len({len(score), len(y), len(weights)}) > 1 or min(weights) <= 0:
        raise ValueError("no rows, other lengths, or a weight that is not above 0")
    points = {}
    for s, value, w in zip(score, y, weights, strict=True):
        held = points.get(float(s), (0.0, 0.0))
        points[float(s)] = (held[0] + w * float(value), held[1] + w)
    stack = []
    for s in sorted(points):
        stack.append((points[s][0] / points[s][1], points[s][1], [s]))
        while len(stack) > 1 and stack[-2][0] >= stack[-1][0]:
            high, more, right = stack.pop()
            low, some, left = stack.pop()
            if len(left) < len(right):
                left, right = right, left
            left.extend(right)
            stack.append(((low * some + high * more) / (some + more), some + more, left))
    value_of = {s: mean for mean, _, members in stack for s in members}
    return np.array([value_of[float(s)] for s in score])


def fewer(case: Case) -> Iterable[Case]:
    """Smaller cases: the same payments left out of scores, labels and, where there are any, weights."""
    return rows(*range(len(case.args)), noun="payments")(case)


EXERCISE = Exercise(
    id="isotonic_fit",
    title="Isotonic regression by pooling neighbours",
    minutes=25,
    difficulty="hard",
    feeds="07",
    week="7-8",
    hints=(
        "Go through the rows by rising score. What is the best that two neighbours in the wrong order can do together?",
        "They take their common weighted mean and are one block from then on. That block may be lower than the one before.",
        "Keep a stack of (total, weight, size). While the block before is not lower than the new one, pop it and merge.",
    ),
    cases=cases,
    expect=by_sklearn,
    agree=close(rtol=1e-6, atol=1e-8),
    mutants=(
        Mutant(
            "running-maximum",
            "Each value is the largest so far. That rises, but is not the closest curve: violators take their mean.",
            swaps=(("return steps[group]", "return np.maximum.accumulate(total / mass)[group]"),),
        ),
        Mutant(
            "one-look-back",
            "Only the block before was compared, once. A merged block may be lower than the one before that: go on.",
            swaps=(("while blocks and blocks", "if blocks and blocks"),),
        ),
        Mutant(
            "ties-in-order",
            "Rows of equal score were pooled only where they fall, so they get different values, by their order.",
            swaps=(
                (
                    "_, group = np.unique(score, return_inverse=True)",
                    "group = np.argsort(np.argsort(score, kind='stable'), kind='stable')",
                ),
            ),
        ),
        Mutant(
            "weights-ignored",
            "The weights were not used.",
            swaps=(("np.bincount(group, weight)", "np.bincount(group) * 1.0"), ("weight * y", "y")),
        ),
        Mutant(
            "mean-of-means",
            "Blocks were merged with the plain mean of their means. A block of five rows counts five times.",
            swaps=(
                (
                    "block = [last[0] + block[0], last[1] + block[1], last[2] + block[2]]",
                    "middle = (last[0] / last[1] + block[0] / block[1]) / 2\n"
                    "            both = last[1] + block[1]\n"
                    "            block = [middle * both, both, last[2] + block[2]]",
                ),
            ),
        ),
        Mutant(
            "sorted-order",
            "The values were returned by rising score. Each belongs to its row as it came in.",
            swaps=(("return steps[group]", "return steps[np.sort(group)]"),),
        ),
        Mutant(
            "falling-curve",
            "The comparison is the wrong way round, so the curve falls.",
            swaps=(
                (
                    "blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]",
                    "blocks[-1][0] * block[1] <= block[0] * blocks[-1][1]",
                ),
            ),
        ),
        Mutant(
            "weights-not-checked",
            "A weight of 0 was taken. Raise ValueError.",
            swaps=((" or (weight <= 0).any()", ""),),
        ),
        Mutant(
            "starts-again",
            "The values are right, but after each merge the search begins at the left again: quadratic.",
            swaps=(
                (
                    "        block = [new_total, new_mass, 1]\n"
                    "        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:\n"
                    "            last = blocks.pop()\n"
                    "            block = [last[0] + block[0], last[1] + block[1], last[2] + block[2]]\n"
                    "        blocks.append(block)\n",
                    "        blocks.append([new_total, new_mass, 1])\n"
                    "    i = 0\n"
                    "    while i < len(blocks) - 1:\n"
                    "        one, two = blocks[i], blocks[i + 1]\n"
                    "        i += 1\n"
                    "        if one[0] * two[1] >= two[0] * one[1]:\n"
                    "            blocks[i - 1 : i + 1] = [[one[0] + two[0], one[1] + two[1], one[2] + two[2]]]\n"
                    "            i = 0\n",
                ),
            ),
        ),
    ),
    accepted=(hull_of_sums, linked_blocks),
    growth=Growth(
        large, n=1_000, says="Keep the blocks on a stack and look back only: each row is merged at most once."
    ),
    shrink=fewer,
)
