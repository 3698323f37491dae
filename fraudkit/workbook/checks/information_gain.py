"""Information gain of a split: impurities weighted by size, in bits or Gini, with nothing undefined on a pure node."""

from __future__ import annotations

from itertools import product
from math import log2

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_counting(y, left, criterion="entropy"):
    """The oracle: mutual information from the table of counts, or how often two rows drawn at random disagree."""
    labels, sides = [str(label) for label in y], [bool(side) for side in left]
    if criterion == "gini":
        groups = [
            [label for label, side in zip(labels, sides, strict=True) if side == wanted] for wanted in (True, False)
        ]
        return _disagreement(labels) - sum(len(group) / len(labels) * _disagreement(group) for group in groups)
    total, gain = len(labels), 0.0
    for label, side in product(set(labels), (True, False)):
        both = sum(mine == label and here == side for mine, here in zip(labels, sides, strict=True))
        if both:
            gain += both / total * log2(both * total / (labels.count(label) * sides.count(side)))
    return gain


def _disagreement(labels: list[str]) -> float:
    """The chance that two rows drawn with replacement carry different labels; 0 for no rows."""
    return sum(a != b for a, b in product(labels, labels)) / max(len(labels), 1) ** 2


def cases(rng: np.random.Generator) -> list[Case]:
    """Both criteria, then the nodes where formulas break, then what a call may look like."""
    hundred = np.repeat([1, 0, 1, 0], [1, 9, 45, 45])
    found = [
        Case("a perfect split, in bits", (np.array([0, 0, 1, 1]), np.array([True, True, False, False]))),
        Case("a perfect split, Gini", (np.array([0, 0, 1, 1]), np.array([True, True, False, False]), "gini")),
        Case(
            "1 payment against 99",
            (hundred, np.arange(100) == 0, "gini"),
            why="cutting off a single payment leaves a pure child, which is worth one hundredth of the node, not half",
        ),
        Case("10 payments against 90, in bits", (hundred, np.arange(100) < 10), {"criterion": "entropy"}),
        Case(
            "a node that is pure already",
            (np.zeros(4, dtype=int), np.array([True, False, True, False])),
            why="0 times log 0 counts as 0: a class that does not occur adds nothing",
        ),
        Case(
            "everything goes left",
            (np.array([0, 1, 1]), np.array([True, True, True])),
            why="an empty side has weight 0, so nothing is gained and nothing is undefined",
        ),
        Case("everything goes right, Gini", (np.array([0, 1, 1]), np.zeros(3, dtype=bool)), {"criterion": "gini"}),
        Case(
            "left given as 0 and 1",
            (np.array([0, 0, 1, 1, 1]), np.array([1, 1, 0, 0, 1])),
            why="an array of integers picks rows by number; only booleans pick them by yes and no",
        ),
        Case(
            "three labels, as words",
            (["genuine", "fraud", "review", "genuine", "fraud"], [True, False, False, True, True]),
            why="labels need not be 0 and 1, nor two",
        ),
        Case("labels 0, 2 and 5, Gini", (np.array([0, 2, 5, 5, 2, 0, 0]), np.arange(7) < 3), {"criterion": "gini"}),
        Case("unknown criterion", (np.array([0, 1]), np.array([True, False]), "variance"), raises="ValueError"),
        Case("no payments", (np.array([], dtype=int), np.array([], dtype=bool)), raises="ValueError"),
        Case("sizes differ", (np.array([0, 1, 1]), np.array([True, False])), raises="ValueError"),
    ]
    for criterion in ("entropy", "gini"):
        y = rng.permutation(np.arange(40) % 4 == 0).astype(int)
        found.append(
            Case(f"40 payments, {criterion}", (y, rng.permutation(np.arange(40) < 13)), {"criterion": criterion})
        )
    return found


def from_dictionaries(y, left, criterion="entropy"):
    """Accepted: counts in plain Python."""
    from collections import Counter
    from math import log2 as bits

    labels, mask = list(y), [bool(flag) for flag in left]
    if criterion not in {"entropy", "gini"} or not labels or len(labels) != len(mask):
        raise ValueError("bad criterion or sizes")

    def impurity(members):
        shares = [count / len(members) for count in Counter(members).values()]
        return sum(-p * bits(p) for p in shares) if criterion == "entropy" else sum(p * (1 - p) for p in shares)

    sides = [
        [label for label, flag in zip(labels, mask, strict=True) if flag],
        [label for label, flag in zip(labels, mask, strict=True) if not flag],
    ]
    return impurity(labels) - sum(impurity(side) * len(side) / len(labels) for side in sides if side)


def from_a_table(y, left, criterion="entropy"):
    """Accepted: a table of classes by sides, and both criteria as sums over it."""
    left = np.asarray(left).astype(bool)
    if np.size(y) == 0 or np.shape(y) != left.shape:
        raise ValueError("y and left must have the same length, above 0")
    if criterion not in ("gini", "entropy"):
        raise ValueError(f"criterion {criterion!r}")
    _, codes = np.unique(y, return_inverse=True)
    table = np.zeros((codes.max() + 1, 3))
    np.add.at(table, (codes, np.where(left, 0, 1)), 1.0)
    table[:, 2] = table[:, 0] + table[:, 1]
    size = table.sum(axis=0)
    p = np.divide(table, size, out=np.zeros_like(table), where=size > 0)
    logs = np.log(p, out=np.zeros_like(p), where=p > 0) / np.log(2.0)
    impurity = -(p * logs).sum(axis=0) if criterion == "entropy" else 1 - (p * p).sum(axis=0)
    return impurity[2] - impurity[:2] @ (size[:2] / size[2])


EXERCISE = Exercise(
    id="information_gain",
    title="Entropy, Gini and the gain of a split",
    minutes=12,
    difficulty="easy",
    feeds="07",
    week="3-4",
    hints=(
        "Write a helper that gives the impurity of one set of labels, and use it three times.",
        "With p the shares of the labels that occur: entropy is -Σ p·log2(p), Gini is 1 - Σ p². np.unique counts "
        "what occurs.",
        "A child's impurity counts by its share of the rows. With a share of 0 the impurity of the empty side must "
        "not matter.",
    ),
    cases=cases,
    expect=by_counting,
    agree=close(rtol=1e-6, atol=1e-9),
    mutants=(
        Mutant(
            "children-unweighted",
            "Both children counted alike, whatever their size: cutting off a single payment then looks like an "
            "excellent split. Weight each child by its share of the rows.",
            swaps=(("share = left.mean()", "share = 0.5"),),
        ),
        Mutant(
            "natural-logarithm",
            "The entropy is in nats. Bits are asked for: logarithm to base 2.",
            swaps=(("np.log2(p)", "np.log(p)"),),
        ),
        Mutant(
            "log-of-zero",
            "A class that does not occur has 0·log 0, which NumPy computes as NaN. It counts as 0: leave such "
            "classes out.",
            swaps=(
                ("p = counts / counts.sum()", "p = np.append(counts / counts.sum(), [0.0] if len(counts) < 2 else [])"),
            ),
        ),
        Mutant(
            "two-classes-only",
            "The labels were averaged as if they were 0 and 1. There may be more of them, and they may be words: "
            "count each.",
            swaps=(
                ("p = counts / counts.sum()", "p = np.array([np.mean(labels), 1 - np.mean(labels)])\n    p = p[p > 0]"),
            ),
        ),
        Mutant(
            "rows-picked-by-number",
            "The 0s and 1s of `left` were used as row numbers: rows 0 and 1 again and again. Turn `left` into "
            "booleans first.",
            swaps=(("np.asarray(left, dtype=bool)", "np.asarray(left)"), ("labels[~left]", "labels[left == 0]")),
        ),
        Mutant(
            "empty-side-undefined",
            "An empty side has no shares: 0/0 is NaN, and NaN times a weight of 0 is still NaN. Such a split gains 0.",
            swaps=(("p = counts / counts.sum()", "p = counts / counts.sum() if len(labels) else np.array([np.nan])"),),
        ),
        Mutant(
            "impurity-of-the-children",
            "This is the impurity that remains after the split. The gain is what it takes away from the impurity "
            "before.",
            swaps=(("impurity(labels, criterion) - share", "share"), (" - (1 - share)", " + (1 - share)")),
        ),
        Mutant(
            "gini-halved",
            "The Gini impurity is 1 - Σ p² over all classes; p·(1 - p) of one class is half of it, and only with two "
            "classes.",
            swaps=(("1.0 - np.sum(p**2)", "(1.0 - np.sum(p**2)) / 2"),),
        ),
        Mutant(
            "criterion-unchecked",
            "An unknown criterion was computed as if it were Gini. A misspelt name must raise ValueError.",
            swaps=(('criterion not in ("entropy", "gini") or ', ""),),
        ),
    ),
    accepted=(from_dictionaries, from_a_table),
)
