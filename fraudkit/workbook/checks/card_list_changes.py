"""Added, removed and kept tokens of two lists: without repeats, in order, not quadratic."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_numpy(old, new):
    """The oracle: NumPy's set operations, which return sorted unique values."""
    before, after = np.asarray(old, dtype=str), np.asarray(new, dtype=str)
    parts = np.setdiff1d(after, before), np.setdiff1d(before, after), np.intersect1d(before, after)
    return tuple(part.tolist() for part in parts)


def _tokens(rng: np.random.Generator, n: int, pool: int) -> list[str]:
    return [f"t{number}" for number in rng.integers(0, pool, n)]


def cases(rng: np.random.Generator) -> list[Case]:
    """Repeats and empty lists first, then drawn ones."""
    found = [
        Case("one of each", (["t2", "t9"], ["t5", "t2"])),
        Case(
            "repeats in both lists", (["b", "a", "a"], ["b", "b", "c", "c"]), why="a token counts once, however often"
        ),
        Case("a token listed once less", (["a", "a", "b"], ["a", "b"]), why="it is still there: nothing was removed"),
        Case(
            "out of order",
            (["z", "m", "k", "b"], ["y", "x", "m", "k"]),
            why="all three lists are in alphabetical order",
        ),
        Case("nothing before", ([], ["b", "a"])),
        Case("nothing left", (["b", "a"], []), why="all are removed"),
        Case("two empty lists", ([], [])),
        Case(
            "the same tokens in another order",
            (["a", "b", "c"], ["c", "a", "b"]),
            why="a place in the list is no change",
        ),
        Case("capital letters", (["a", "B"], ["A", "B"]), why='"a" and "A" are two tokens, capitals come first'),
    ]
    for n, pool in ((20, 25), (60, 60), (120, 400)):
        found.append(Case(f"{2 * n} tokens", (_tokens(rng, n, pool), _tokens(rng, n, pool))))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """Two lists of n tokens that share half."""
    return Case(
        f"twice {n} tokens", ([f"t{i}" for i in rng.permutation(n)], [f"t{i}" for i in rng.permutation(n) + n // 2])
    )


def walked_together(old, new):
    """Accepted: both lists sorted, then walked like a merge."""
    a, b = sorted(old), sorted(new)
    added, removed, kept = [], [], []
    i = j = 0
    while i < len(a) or j < len(b):
        if j == len(b) or (i < len(a) and a[i] < b[j]):
            token, target = a[i], removed
        elif i == len(a) or b[j] < a[i]:
            token, target = b[j], added
        else:
            token, target = a[i], kept
        target.append(token)
        while i < len(a) and a[i] == token:
            i += 1
        while j < len(b) and b[j] == token:
            j += 1
    return added, removed, kept


def marked_in_a_map(old, new):
    """Accepted: one map from token to the lists that hold it."""
    where = {}
    for token in old:
        where[token] = 1
    for token in new:
        where[token] = where.get(token, 0) | 2
    groups = {1: [], 2: [], 3: []}
    for token in sorted(where):
        groups[where[token]].append(token)
    return groups[2], groups[1], groups[3]


EXERCISE = Exercise(
    id="card_list_changes",
    title="What changed in a card list",
    minutes=7,
    difficulty="easy",
    feeds="04",
    week="1-2",
    hints=(
        "Which container answers 'is this token in it?' without looking at all of them?",
        "Two sets: their differences, one way and the other, and their intersection. Sort what comes out.",
    ),
    cases=cases,
    expect=by_numpy,
    agree=exact,
    mutants=(
        Mutant(
            "added-and-removed-swapped",
            "Added and removed are the wrong way round: added is what only `new` holds.",
            swaps=(("before, after = set(old), set(new)", "before, after = set(new), set(old)"),),
        ),
        Mutant(
            "repeats-kept",
            "A token that is listed twice came out twice. It counts once.",
            swaps=(
                (
                    "return sorted(after - before), sorted(before - after), sorted(before & after)",
                    "return (sorted(t for t in new if t not in before), sorted(t for t in old if t not in after),\n"
                    "            sorted(t for t in new if t in before))",
                ),
            ),
        ),
        Mutant(
            "counted",
            "The counts were compared, so a token listed once less was removed. Only whether it is listed matters.",
            swaps=(
                (
                    "return sorted(after - before), sorted(before - after), sorted(before & after)",
                    "less, more = Counter(old), Counter(new)\n"
                    "    return sorted(more - less), sorted(less - more), sorted(more & less)",
                ),
            ),
        ),
        Mutant(
            "all-changes-together",
            "Added and removed were put together. Who writes the changes must know which is which.",
            swaps=(("sorted(after - before)", "sorted(after ^ before)"),),
        ),
        Mutant(
            "in-the-order-of-the-list",
            "The tokens came out in the order of the lists. Alphabetical order is asked for.",
            swaps=(
                (
                    "return sorted(after - before), sorted(before - after), sorted(before & after)",
                    "return ([t for t in dict.fromkeys(new) if t not in before],\n"
                    "            [t for t in dict.fromkeys(old) if t not in after],\n"
                    "            [t for t in dict.fromkeys(new) if t in before])",
                ),
            ),
        ),
        Mutant(
            "small-letters",
            'Capital letters were made small, so that "a" and "A" became one token.',
            swaps=(("set(old), set(new)", "{t.lower() for t in old}, {t.lower() for t in new}"),),
        ),
    ),
    accepted=(walked_together, marked_in_a_map),
    growth=Growth(large, n=1_500, limit=10.0, says="`in` scans a list for every token. Ask a set."),
    shrink=lists(0, 1, noun="tokens"),
)
