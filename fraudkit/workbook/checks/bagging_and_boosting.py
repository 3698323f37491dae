"""Bagging against boosting with stumps: independent trees on drawn rows, averaged; trees on residuals, added."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def every_threshold(x, y, x_new, draws, rate):
    """The oracle: each threshold is tried and its squared error summed row by row; predictions one at a time."""
    bagged, boosted, _ = _both(x, y, x_new, draws, rate)
    return bagged, boosted


def _both(x, y, x_new, draws, rate):
    """Both predictions, and by how much the nearest choice of a threshold was won, relative to the error."""
    x, y, new = ([float(value) for value in part] for part in (x, y, x_new))
    margins = [1.0]

    def stump(xs, ys):
        values = sorted(set(xs))
        tried = []
        for low, high in pairwise(values):
            cut = (low + high) / 2
            sides = [[b for a, b in zip(xs, ys, strict=True) if (a <= cut) == side] for side in (True, False)]
            means = [sum(side) / len(side) for side in sides]
            error = sum((b - m) ** 2 for side, m in zip(sides, means, strict=True) for b in side)
            tried.append((error, cut, *means))
        tried.sort()
        if len(tried) > 1:
            margins.append((tried[1][0] - tried[0][0]) / (tried[1][0] + 1e-12))
        mean = sum(ys) / len(ys)
        return tried[0][1:] if tried else (float("inf"), mean, mean)

    def at(value, tree):
        return tree[1] if value <= tree[0] else tree[2]

    trees = [stump([x[i] for i in rows], [y[i] for i in rows]) for rows in np.asarray(draws).tolist()]
    bagged = [sum(at(value, tree) for tree in trees) / len(trees) for value in new]
    start = sum(y) / len(y)
    chain: list[tuple[float, ...]] = []
    for _ in trees:
        left = [b - start - rate * sum(at(a, tree) for tree in chain) for a, b in zip(x, y, strict=True)]
        chain.append(stump(x, left))
    boosted = [start + rate * sum(at(value, tree) for tree in chain) for value in new]
    return np.array(bagged), np.array(boosted), min(margins)


def _clear(rng: np.random.Generator, n: int, rounds: int, rate: float, whole: bool) -> tuple:
    """Rows and draws for which no threshold wins narrowly, so that the last digit decides nothing."""
    margin = 0.0
    while margin < 1e-5:
        x = rng.integers(0, 12, n).astype(float) if whole else rng.uniform(0, 10, n)
        y = np.round(np.sin(x) + 0.3 * rng.normal(size=n), 3)
        draws = rng.integers(0, n, (rounds, n))
        new = np.arange(0.0, 12.0, 0.5)
        margin = _both(x, y, new, draws, rate)[2]
    return x, y, new, draws, rate


def cases(rng: np.random.Generator) -> list[Case]:
    """By hand first, then each point, then random rows."""
    x = np.array([1.0, 2.0, 4.0, 7.0])
    y = np.array([0.0, 1.0, 5.0, 6.5])
    new = np.array([0.0, 1.5, 2.0, 3.0, 3.5, 5.5, 9.0])
    found = [
        Case("one round, as lists", ([1, 2, 4], [0, 0, 3], [0, 3, 5], [[0, 1, 2]], 0.5)),
        Case(
            "one round with all rows",
            (x, y, new, np.array([[0, 1, 2, 3]]), 1.0),
            why="with every row drawn once and rate 1, the first tree of both is the same",
        ),
        Case(
            "two different draws",
            (x, y, new, np.array([[0, 0, 1, 1], [3, 3, 2, 3]]), 0.5),
            why="a bagged tree sees its drawn rows only, repeated ones with double weight",
        ),
        Case(
            "four rounds of boosting",
            (x, y, new, np.array([[0, 1, 2, 3]] * 4), 0.3),
            why="each tree is fitted to what the sum so far leaves over",
        ),
        Case(
            "a draw of one row alone",
            (x, y, new, np.array([[2, 2, 2, 2], [0, 1, 2, 3]]), 0.5),
            why="with a single value there is nothing to split; the tree is the mean of its rows",
        ),
        Case(
            "y far from zero",
            (x, y + 100.0, new, np.array([[0, 1, 2, 3], [1, 1, 2, 3]]), 0.1),
            why="boosting starts at the mean of y, not at 0",
        ),
        Case(
            "exactly on a threshold",
            (
                np.array([0.0, 2.0, 4.0]),
                np.array([1.0, 1.5, 7.0]),
                np.array([1.0, 3.0]),
                np.array([[0, 1, 2], [0, 0, 1]]),
                1.0,
            ),
            why="x at the threshold goes to the left",
        ),
        Case("rows that do not fit", (x, y[:3], new, np.array([[0, 1, 2]]), 0.5), raises="ValueError"),
        Case("no round", (x, y, new, np.empty((0, 4), dtype=int), 0.5), raises="ValueError", why="a mean of no trees"),
    ]
    for n, rounds, rate, whole in ((12, 3, 0.5, True), (15, 6, 0.3, False), (20, 8, 0.2, True)):
        found.append(Case(f"{n} rows, {rounds} rounds", _clear(rng, n, rounds, rate, whole)))
    return found


def counts_as_weights(x, y, x_new, draws, rate):
    """Accepted: a weighted stump over the distinct values serves both; a draw is a vector of row weights."""
    x, y, x_new = (np.asarray(part, dtype=float) for part in (x, y, x_new))
    draws = np.asarray(draws, dtype=int)
    if x.shape != y.shape or draws.shape[0] < 1:
        raise ValueError("x and y, or draws")

    def fitted(target, weight, places):
        inside = weight > 0
        values = np.unique(x[inside])
        mean = np.average(target, weights=weight)
        best, found = np.inf, np.full(len(places), mean)
        for cut in (values[1:] + values[:-1]) / 2:
            low = weight * (x <= cut)
            high = weight - low
            a, b = low @ target / low.sum(), high @ target / high.sum()
            error = low @ (target - a) ** 2 + high @ (target - b) ** 2
            if error < best:
                best, found = error, np.where(places <= cut, a, b)
        return found

    n = len(x)
    bagged = np.mean([fitted(y, np.bincount(row, minlength=n).astype(float), x_new) for row in draws], axis=0)
    places = np.concatenate([x, x_new])
    total = np.full(len(places), y.mean())
    for _ in range(len(draws)):
        total = total + rate * fitted(y - total[:n], np.ones(n), places)
    return bagged, total[n:]


class Cut:
    """A stump, for `stumps_as_objects`."""

    def __init__(self, pairs):
        pairs = sorted(pairs)
        n, whole = len(pairs), sum(b for _, b in pairs)
        self.cut, self.low, self.high, best, running = None, whole / n, whole / n, whole * whole / n, 0.0
        for i in range(1, n):
            running += pairs[i - 1][1]
            if pairs[i - 1][0] == pairs[i][0]:
                continue
            gain = running**2 / i + (whole - running) ** 2 / (n - i)
            if gain > best or self.cut is None:
                best, self.cut = gain, (pairs[i - 1][0] + pairs[i][0]) / 2
                self.low, self.high = running / i, (whole - running) / (n - i)

    def __call__(self, value):
        return self.low if self.cut is None or value <= self.cut else self.high


def stumps_as_objects(x, y, x_new, draws, rate):
    """Accepted: plain Python, stumps as objects, by running sums."""
    if len(x) != len(y) or len(draws) == 0:
        raise ValueError("bad input")
    rows = [(float(a), float(b)) for a, b in zip(x, y, strict=True)]
    forest = [Cut([rows[i] for i in drawn]) for drawn in draws]
    base = sum(b for _, b in rows) / len(rows)
    left, sequence = [(a, b - base) for a, b in rows], []
    while len(sequence) < len(forest):
        tree = Cut(left)
        left = [(a, b - rate * tree(a)) for a, b in left]
        sequence.append(tree)
    return (
        [sum(tree(value) for tree in forest) / len(forest) for value in x_new],
        [base + sum(rate * tree(value) for tree in sequence) for value in x_new],
    )


EXERCISE = Exercise(
    id="bagging_and_boosting",
    title="Bagging against boosting with stumps",
    minutes=30,
    difficulty="medium",
    feeds="07",
    week="3-4",
    hints=(
        "Write the stump first, as a function of any x and y; both ensembles are then three lines each.",
        "Least squared error means largest Σ²/n of the left plus Σ²/n of the right: sort, and one cumulative sum knows both.",
        "Bagging: fit on the drawn rows, average. Boosting: keep the residual, fit on it, take off rate times the tree.",
    ),
    cases=cases,
    expect=every_threshold,
    agree=close(1e-7, 1e-9),
    mutants=(
        Mutant(
            "boosting-on-the-answers",
            "Every boosted tree was fitted to y less the mean, so they are all the same. Each must see what is left over.",
            swaps=(("residual = residual - rate * stump_at(tree, x)", "residual = y - y.mean()"),),
        ),
        Mutant(
            "rate-in-the-prediction-only",
            "The prediction took rate times the tree, but the residual the whole tree. Both must know the same sum.",
            swaps=(("residual = residual - rate * stump_at(tree, x)", "residual = residual - stump_at(tree, x)"),),
        ),
        Mutant(
            "rate-forgotten",
            "Trees were added in full: the learning rate is missing.",
            swaps=(
                ("residual = residual - rate * stump_at(tree, x)", "residual = residual - stump_at(tree, x)"),
                ("boosted = boosted + rate * stump_at(tree, x_new)", "boosted = boosted + stump_at(tree, x_new)"),
            ),
        ),
        Mutant(
            "boosting-from-zero",
            "Boosting started at 0. It starts at the mean of y, so that the trees need not spend rounds on the level.",
            swaps=(
                (
                    "residual, boosted = y - y.mean(), np.full(len(x_new), y.mean())",
                    "residual, boosted = y, np.zeros(len(x_new))",
                ),
            ),
        ),
        Mutant(
            "bagging-without-draws",
            "Every bagged tree was fitted to all rows, so that their mean is one tree. The draws make them differ.",
            swaps=(("best_stump(x[rows], y[rows])", "best_stump(x, y)"),),
        ),
        Mutant(
            "distinct-drawn-rows",
            "Repeated rows of a draw were used once. A row that is drawn twice counts twice.",
            swaps=(("best_stump(x[rows], y[rows])", "best_stump(x[np.unique(rows)], y[np.unique(rows)])"),),
        ),
        Mutant(
            "threshold-at-a-value",
            "The threshold was put at the last value on the left instead of half way to the next.",
            swaps=(("(x[i] + x[i + 1]) / 2", "x[i]"),),
        ),
        Mutant(
            "threshold-goes-right",
            "A payment exactly at the threshold was sent to the right; x ≤ threshold is left.",
            swaps=(("np.where(x <= threshold, low, high)", "np.where(x < threshold, low, high)"),),
        ),
    ),
    accepted=(counts_as_weights, stumps_as_objects),
)
