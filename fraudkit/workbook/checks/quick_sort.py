"""Quick sort in three parts around the middle element; its depth shows that it is one."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def level_by_level(amounts):
    """The oracle: NumPy's sort, and the depth by splitting all parts of a level at once until none has two amounts."""
    level, depth = [np.asarray(amounts)], 0
    while level := [part for part in level if len(part) > 1]:
        depth += 1
        pivots = [part[len(part) // 2] for part in level]
        level = [part[side] for part, p in zip(level, pivots, strict=True) for side in (part < p, part > p)]
    return np.sort(np.asarray(amounts)).tolist(), depth


def cases(rng: np.random.Generator) -> list[Case]:
    """Equal and sorted amounts first, then drawn ones."""
    rising = list(range(1, 32))
    found = [
        Case("five amounts", ([30, 10, 20, 20, 40],)),
        Case("no amounts", ([],), why="nothing to split: depth 0"),
        Case("one amount", ([7],), why="nothing to split: depth 0"),
        Case("two amounts", ([9, 4],)),
        Case("all equal", ([9.99] * 12,), why="the equal ones are done after one partition, and none of them is lost"),
        Case("in order already", (rising,), why="around the middle element 31 sorted amounts need 5 levels, not 31"),
        Case("in falling order", (rising[::-1],), why="a falling list is split in the middle, too"),
        Case("two prices", ([4.99, 9.99] * 8,), why="equal amounts stay together; each price is done at once"),
        Case("refunds among them", ([12.5, -3.0, 0.0, 99.9, -3.0, 12.5, 7.25],)),
        Case("the greater side goes deeper", ([5, 1, 6, 3, 9, 8, 7, 4, 2, 20, 30, 25],), why="the deeper side counts"),
    ]
    found.append(Case("40 whole amounts", (rng.integers(1, 30, 40).tolist(),)))
    found.append(Case("80 amounts", (np.round(rng.gamma(1.0, 40.0, 80), 2).tolist(),)))
    found.append(Case("150 subscriptions", (rng.choice([4.99, 9.99, 12.99, 19.99], 150).tolist(),)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """Half of all amounts are the same price."""
    return Case(f"{n} amounts", (np.where(rng.random(n) < 0.5, n, rng.integers(0, 2 * n, n)).tolist(),))


def with_a_stack(amounts):
    """Accepted: open parts on a stack, with their places in the answer, and no recursion."""
    out, deepest = list(amounts), 0
    open_parts = [(0, list(amounts), 1)]
    while open_parts:
        place, part, level = open_parts.pop()
        if len(part) <= 1:
            out[place : place + len(part)] = part
            continue
        deepest = max(deepest, level)
        small, same, big = [], [], []
        middle = part[len(part) // 2]
        for x in part:
            (small if x < middle else big if x > middle else same).append(x)
        out[place + len(small) : place + len(small) + len(same)] = same
        open_parts += [(place, small, level + 1), (place + len(small) + len(same), big, level + 1)]
    return out, deepest


def by_masks(amounts):
    """Accepted: boolean masks on an array, the depth carried by an inner function."""
    values = np.array(amounts)
    seen = [0]

    def ordered(part, level):
        seen[0] = max(seen[0], level)
        if part.size < 2:
            return part
        sign = np.sign(part - part[part.size >> 1])
        sides = [ordered(part[sign == s], level + (part[sign == s].size > 1)) for s in (-1, 1)]
        return np.concatenate([sides[0], part[sign == 0], sides[1]])

    result = ordered(values, int(values.size > 1))
    return result.tolist(), seen[0]


EXERCISE = Exercise(
    id="quick_sort",
    title="Quick sort of amounts",
    minutes=12,
    difficulty="easy",
    feeds="05",
    week="1-2",
    hints=(
        "The smallest lists need no work. A longer one falls into three lists around its pivot; two of them are still open.",
        "The function calls itself on the less and on the greater, and gets a list and a depth from each.",
        "Less, equal, greater one after the other; the depth is `1 + max(…)` of the two sides.",
    ),
    cases=cases,
    expect=level_by_level,
    agree=exact,
    mutants=(
        Mutant(
            "first-as-pivot",
            "The first element was the pivot. On a list in order already every partition takes off one element; "
            "the question takes the one in the middle.",
            swaps=(("amounts[len(amounts) // 2]", "amounts[0]"),),
        ),
        Mutant(
            "equal-ones-lost",
            "Amounts equal to the pivot were lost, all but the pivot itself. Keep them all, between the two sides.",
            swaps=(("[amount for amount in amounts if amount == pivot]", "[pivot]"),),
        ),
        Mutant(
            "equal-ones-split-again",
            "Equal amounts went to the greater side and were split again and again: a list of equal prices takes "
            "quadratic time. They are done after one partition.",
            swaps=(
                (
                    "[amount for amount in amounts if amount > pivot]",
                    "[amount for i, amount in enumerate(amounts) if amount >= pivot and i != len(amounts) // 2]",
                ),
                ("[amount for amount in amounts if amount == pivot]", "[pivot]"),
            ),
        ),
        Mutant(
            "a-single-amount-is-a-level",
            "A list of one amount was counted as a partition. There is nothing to split in it: depth 0.",
            swaps=(("return list(amounts), 0", "return list(amounts), len(amounts)"),),
        ),
        Mutant(
            "partitions-counted",
            "All partitions were counted. The depth is how many of them lie within each other: the deeper side, plus 1.",
            swaps=(("1 + max(less_depth, greater_depth)", "1 + less_depth + greater_depth"),),
        ),
        Mutant(
            "falling-order",
            "The sides were joined the wrong way round. Rising order is asked for.",
            swaps=(("less + equal + greater", "greater + equal + less"),),
        ),
        Mutant(
            "one-side-deep",
            "The depth was taken from the less side only. The deeper of the two counts.",
            swaps=(("max(less_depth, greater_depth)", "less_depth"),),
        ),
    ),
    accepted=(with_a_stack, by_masks),
    growth=Growth(
        large, n=2_000, says="Equal amounts are split again and again. A partition is done with those equal to it."
    ),
    shrink=lists(0, noun="amounts"),
)
