"""Leaves of a tree that contradict the splits above them: intervals carried down and restored, without recursion."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import SHRUNK


def tables_of_bounds(feature, threshold, left, right):
    """The oracle: two tables, bounds of every feature at every node; a leaf with any empty interval is dead."""
    feature = np.asarray(feature)
    n, features = len(feature), int(max(feature.max(), 0)) + 1
    low, high = np.full((n, features), -np.inf), np.full((n, features), np.inf)
    waiting = [0]
    for node in waiting:
        if feature[node] == -1:
            continue
        asked, cut = feature[node], threshold[node]
        for child in (left[node], right[node]):
            low[child], high[child] = low[node], high[node]
            waiting.append(int(child))
        high[left[node], asked] = min(high[node, asked], cut)
        low[right[node], asked] = max(low[node, asked], cut)
    dead = (feature == -1) & (low >= high).any(axis=1)
    return np.flatnonzero(dead).tolist()


def _grown(rng: np.random.Generator, splits: int, features: int, levels: int) -> tuple[np.ndarray, ...]:
    """A random tree, its nodes numbered at random apart from the root."""
    n = 2 * splits + 1
    number = np.append(0, 1 + rng.permutation(n - 1))
    feature, threshold = np.full(n, -1), np.zeros(n, dtype=int)
    left, right = np.zeros(n, dtype=int), np.zeros(n, dtype=int)
    open_leaves, used = [0], 1
    for _ in range(splits):
        node = open_leaves.pop(int(rng.integers(0, len(open_leaves))))
        feature[node], threshold[node] = rng.integers(0, features), rng.integers(1, levels)
        left[node], right[node] = number[used], number[used + 1]
        open_leaves += [number[used], number[used + 1]]
        used += 2
    return feature, threshold, left, right


def _chain(depth: int, features: int, rng: np.random.Generator | None = None) -> tuple[np.ndarray, ...]:
    """A tree in which every split has a leaf on its right and the rest on its left."""
    splits = np.arange(depth)
    feature = np.concatenate([splits % features, np.full(depth + 1, -1)])
    cuts = (depth - splits) * 10 if rng is None else rng.integers(0, 10 * depth, depth)
    threshold = np.concatenate([cuts, np.zeros(depth + 1, dtype=int)])
    left = np.concatenate([splits + 1, np.zeros(depth + 1, dtype=int)])
    right = np.concatenate([2 * depth - splits, np.zeros(depth + 1, dtype=int)])
    return feature, threshold, left, right


def cases(rng: np.random.Generator) -> list[Case]:
    """Contradictions near and far, what must not leak, a deep chain, then random trees."""
    leaf = [0, 0, 0]
    found = [
        Case("one contradiction, as lists", ([0, 0, -1, -1, -1], [50, 80, 0, 0, 0], [1, 2, *leaf], [4, 3, *leaf])),
        Case("a single leaf", (np.array([-1]), np.array([0]), np.array([0]), np.array([0])), why="the root is reached"),
        Case(
            "another feature in between",
            (
                np.array([0, 1, 0, -1, -1, -1, -1]),
                np.array([50, 7, 80, 0, 0, 0, 0]),
                np.array([1, 2, 5, 0, 0, 0, 0]),
                np.array([3, 4, 6, 0, 0, 0, 0]),
            ),
            why="the contradiction is with a split farther up, not with the parent",
        ),
        Case(
            "the same threshold of another feature",
            (
                np.array([0, 1, -1, -1, -1]),
                np.array([50, 80, 0, 0, 0]),
                np.array([1, 2, 0, 0, 0]),
                np.array([4, 3, 0, 0, 0]),
            ),
            why="bounds of one feature say nothing about another",
        ),
        Case(
            "a weaker bound below a stronger one",
            (
                np.array([0, 0, 0, -1, -1, -1, -1]),
                np.array([20, 90, 30, 0, 0, 0, 0]),
                np.array([1, 2, 4, 0, 0, 0, 0]),
                np.array([3, 6, 5, 0, 0, 0, 0]),
            ),
            why="a weaker bound farther down does not lift the stronger one above",
        ),
        Case(
            "equal thresholds",
            (
                np.array([0, 0, -1, 0, -1, -1, -1]),
                np.array([50, 50, 0, 50, 0, 0, 0]),
                np.array([1, 2, 0, 5, 0, 0, 0]),
                np.array([3, 4, 0, 6, 0, 0, 0]),
            ),
            why="no value is below 50 and at least 50",
        ),
        Case(
            "splits below a dead node",
            (
                np.array([0, 0, 1, -1, -1, -1, -1]),
                np.array([50, 80, 5, 0, 0, 0, 0]),
                np.array([1, 4, 5, 0, 0, 0, 0]),
                np.array([3, 2, 6, 0, 0, 0, 0]),
            ),
            why="below a node that nobody reaches all leaves are dead, whatever is asked there",
        ),
        Case(
            "the left branch is over",
            (
                np.array([0, 1, 1, -1, -1, -1, -1]),
                np.array([50, 30, 60, 0, 0, 0, 0]),
                np.array([1, 3, 5, 0, 0, 0, 0]),
                np.array([2, 4, 6, 0, 0, 0, 0]),
            ),
            why="bounds met in the left branch do not hold in the right one",
        ),
        Case(
            "negative thresholds",
            (
                np.array([3, 3, 3, -1, -1, -1, -1]),
                np.array([-1.5, -2.5, 0.5, 0, 0, 0, 0]),
                np.array([1, 3, 5, 0, 0, 0, 0]),
                np.array([2, 4, 6, 0, 0, 0, 0]),
            ),
        ),
        Case("a chain of 1,500 splits", _chain(1_500, 3, rng), why="a recursive walk stops at about 1,000 levels"),
    ]
    for splits, features, levels in ((12, 2, 9), (40, 3, 20), (80, 6, 12)):
        found.append(Case(f"{splits} splits on {features} features", _grown(rng, splits, features, levels)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A chain of n splits, each on a feature of its own, to see how time grows."""
    return Case(f"{n} splits", tuple(part.tolist() for part in _chain(n, n)))


def smaller(case: Case) -> Iterable[Case]:
    """Trees of which one split has become a leaf; nodes that hang nowhere are left out."""
    feature, threshold, left, right = (np.asarray(part).tolist() for part in case.args)
    splits = [node for node, asked in enumerate(feature) if asked != -1]
    for cut in splits[:: max(1, len(splits) // 60)]:
        kept, stack = [], [0]
        while stack:
            node = stack.pop()
            kept.append(node)
            if feature[node] != -1 and node != cut:
                stack += [right[node], left[node]]
        place = {node: position for position, node in enumerate(kept)}
        table = np.array(
            [
                (-1, 0, 0, 0)
                if node == cut or feature[node] == -1
                else (feature[node], threshold[node], place[left[node]], place[right[node]])
                for node in kept
            ]
        )
        parts = (table[:, 0].astype(int), table[:, 1], table[:, 2].astype(int), table[:, 3].astype(int))
        yield replace(
            case, name=f"{case.name.partition(SHRUNK)[0]}{SHRUNK}{len(kept)} node{'s' * (len(kept) > 1)}", args=parts
        )


def enter_and_leave(feature, threshold, left, right):
    """Accepted: for each feature the path's lower and upper bounds on stacks of their own; a count of empty ones."""
    lows: dict = {}
    highs: dict = {}
    unreached = []
    todo: list = [("enter", 0, None)]
    empty = 0

    def is_empty(asked):
        return int(bool(lows.get(asked)) and bool(highs.get(asked)) and lows[asked][-1] >= highs[asked][-1])

    while todo:
        action, node, side = todo.pop()
        asked = feature[node]
        if action == "enter":
            if asked < 0:
                if empty:
                    unreached.append(int(node))
                continue
            todo.append(("down", node, highs))
            todo.append(("down", node, lows))
        elif action == "down":
            cut = threshold[node]
            before = is_empty(asked)
            pile = side.setdefault(asked, [])
            tighter = max if side is lows else min
            pile.append(tighter(pile[-1], cut) if pile else cut)
            empty += is_empty(asked) - before
            todo.append(("up", node, side))
            todo.append(("enter", left[node] if side is highs else right[node], None))
        else:
            before = is_empty(asked)
            side[asked].pop()
            empty += is_empty(asked) - before
    unreached.sort()
    return unreached


def level_by_level(feature, threshold, left, right):
    """Accepted: goes down level by level; a child takes its parent's intervals over where its sibling is a leaf."""
    known: dict = {0: {}}
    doomed = {0: False}
    order, dead = [0], []
    for node in order:
        if feature[node] == -1:
            if doomed[node]:
                dead.append(int(node))
            continue
        own, asked, cut = known.pop(node), feature[node], float(threshold[node])
        floor, ceiling = own.get(asked, (float("-inf"), float("inf")))
        one, other = int(left[node]), int(right[node])
        both_split = feature[one] != -1 and feature[other] != -1
        for child, interval in ((one, (floor, min(cut, ceiling))), (other, (max(cut, floor), ceiling))):
            doomed[child] = doomed[node] or interval[0] >= interval[1]
            if feature[child] != -1:
                known[child] = dict(own) if both_split else own
                known[child][asked] = interval
            order.append(child)
    return sorted(dead)


EXERCISE = Exercise(
    id="dead_leaves",
    title="Leaves that no payment reaches",
    minutes=30,
    difficulty="medium",
    feeds="07",
    week="1-2",
    hints=(
        "What do the splits from the root to a node say about one feature? When can no value satisfy them?",
        "For each feature an interval: left lowers its upper end, right raises its lower end. Empty means dead, and dead "
        "is everything below.",
        "Go down with one dictionary of intervals: change one before a branch, put the old one back behind it. An explicit "
        "stack can hold the putting back as a piece of work of its own.",
    ),
    cases=cases,
    expect=tables_of_bounds,
    agree=exact,
    mutants=(
        Mutant(
            "parent-only",
            "Only the last split above was compared. The contradiction may be with one farther up: keep the interval of "
            "every feature.",
            swaps=(("bounds[name] = interval", "bounds = {name: interval}"),),
        ),
        Mutant(
            "latest-threshold-only",
            "The latest threshold replaced the bound before it. A weaker bound farther down does not lift a stronger one: "
            "take the smaller of the upper and the larger of the lower bounds.",
            swaps=(
                (
                    "(low, min(high, threshold[node])), (max(low, threshold[node]), high)",
                    "(low, threshold[node]), (threshold[node], high)",
                ),
            ),
        ),
        Mutant(
            "one-interval-for-all",
            "Thresholds of different features were compared with each other. Each feature has an interval of its own.",
            swaps=(
                ("bounds[name] = interval", "bounds[0] = interval"),
                ("low, high = bounds.get(asked, (-math.inf, math.inf))", "low, high = bounds[0]"),
            ),
        ),
        Mutant(
            "bounds-leak",
            "Bounds met in one branch were still in force in the next. Put the old interval back behind a branch.",
            swaps=(("(asked, (low, high), None, alive),", ""),),
        ),
        Mutant(
            "touching-is-alive",
            "Equal bounds were taken for an interval with a value in it. Nothing is below 50 and at least 50.",
            swaps=(
                ("alive and above[0] < above[1]", "alive and above[0] <= above[1]"),
                ("alive and below[0] < below[1]", "alive and below[0] <= below[1]"),
            ),
        ),
        Mutant(
            "revived-below",
            "Below a dead node a split on another feature brought leaves back to life. Dead is everything below.",
            swaps=(
                ("alive and above[0] < above[1]", "above[0] < above[1]"),
                ("alive and below[0] < below[1]", "below[0] < below[1]"),
            ),
        ),
        Mutant(
            "in-order-of-the-walk",
            "The leaves were returned in the order in which they were met. Asked for are rising node numbers.",
            swaps=(("return sorted(dead)", "return dead"),),
        ),
        Mutant(
            "inner-nodes-too",
            "Splits that nobody reaches were listed too. Asked for are leaves.",
            swaps=(
                (
                    "asked = int(feature[node])\n",
                    "asked = int(feature[node])\n        if asked != -1 and not alive:\n            dead.append(int(node))\n",
                ),
            ),
        ),
        Mutant(
            "reached-instead",
            "The leaves that can be reached were returned. Asked for are the others.",
            swaps=(("if not alive:", "if alive:"),),
        ),
    ),
    accepted=(enter_and_leave, level_by_level),
    growth=Growth(
        case=large,
        n=1000,
        says="At every node all intervals are copied, or the whole path is walked again. Change one interval before a "
        "branch and restore it afterwards.",
    ),
    shrink=smaller,
)
