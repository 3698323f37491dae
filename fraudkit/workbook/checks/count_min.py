"""A count-min sketch: every row its own hash, the smallest counter, and tables that add up."""

from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step
from fraudkit.workbook.shrink import calls


def _place(item, row, width):
    digest = hashlib.blake2b(f"{row}:{item}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % width


def from_exact_counts(depth, width, steps=()):
    """The oracle: keeps exact counts, and makes the counters of them anew at each question."""
    counts: Counter[str] = Counter()
    merged = np.zeros((depth, width), dtype=int)
    answers = []
    for step in steps:
        answer = None
        if step.method == "add":
            counts[step.args[0]] += step.args[1] if len(step.args) > 1 else 1
        elif step.method == "merge":
            merged = merged + np.asarray(step.args[0])
        elif step.method == "table":
            answer = np.array([[_sum(counts, merged, row, column) for column in range(width)] for row in range(depth)])
        else:
            answer = min(_sum(counts, merged, row, _place(step.args[0], row, width)) for row in range(depth))
        answers.append(answer)
    return answers


def _sum(counts, merged, row, column):
    width = merged.shape[1]
    return int(merged[row, column]) + sum(c for item, c in counts.items() if _place(item, row, width) == column)


def agree(got, expected, case):
    """What add and merge return does not matter."""
    if isinstance(got, list | tuple) and len(got) == len(expected):
        got = [None if right is None else mine for mine, right in zip(got, expected, strict=True)]
    return exact(got, expected, case)


def _adds(*items) -> tuple[Step, ...]:
    return tuple(Step("add", (item,)) for item in items)


def _asks(*items) -> tuple[Step, ...]:
    return tuple(Step("estimate", (item,)) for item in items)


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones."""
    four = [f"device-{i}" for i in range(4)]
    some = rng.integers(0, 9, (3, 4))
    found = [
        Case(
            "three payments of two devices",
            (3, 50),
            steps=(*_adds("phone-1", "phone-1", "web-7"), *_asks("phone-1", "web-7", "tab-3")),
        ),
        Case(
            "one row, one counter",
            (1, 1),
            steps=(*_adds("a", "b", "c"), *_asks("a", "z"), Step("table")),
            why="everything shares one counter: the estimate is the total",
        ),
        Case(
            "counters shared in some rows",
            (3, 4),
            steps=(*_adds(*four, "device-0", "device-0"), *_asks(*four), Step("table")),
            why="another item can only make a counter larger, so the smallest is nearest to the truth",
        ),
        Case(
            "several at once",
            (2, 8),
            steps=(
                Step("add", ("a", 5)),
                Step("add", ("a", 2)),
                Step("add", ("b", 0)),
                *_asks("a", "b"),
                Step("table"),
            ),
        ),
        Case(
            "another machine's table",
            (3, 4),
            steps=(*_adds("a", "b"), Step("merge", (some,)), *_asks("a", "b", "c"), Step("table")),
            why="counters are sums, so merging adds them",
        ),
        Case(
            "merged, then counted on",
            (3, 4),
            steps=(Step("merge", (some,)), *_adds("a", "a"), Step("merge", (some,)), *_asks("a"), Step("table")),
        ),
        Case("nothing yet", (2, 3), steps=(*_asks("a"), Step("table"))),
        Case(
            "a count below 0",
            (2, 3),
            steps=(Step("add", ("a", -1)),),
            raises="ValueError",
            why="the estimate could then be below the truth",
        ),
        Case(
            "a table of another shape",
            (2, 3),
            steps=(Step("merge", ([[1], [2]],)),),
            raises="ValueError",
            why="NumPy would spread one column over all without a word",
        ),
        Case("no rows", (0, 3), steps=_asks("a"), raises="ValueError"),
        Case("no counters", (2, 0), steps=_asks("a"), raises="ValueError"),
    ]
    for n, depth, width in ((30, 3, 7), (150, 4, 20)):
        items = [f"d{i}" for i in (rng.zipf(1.5, n) % 40).tolist()]
        found.append(
            Case(
                f"{n} payments", (depth, width), steps=(*_adds(*items), *_asks(*sorted(set(items))[:12]), Step("table"))
            )
        )
    return found


class CountersInADict:
    """Accepted: only counters that are not 0 are kept, in a dictionary."""

    def __init__(self, depth, width):
        """No counter yet."""
        if min(depth, width) <= 0:
            raise ValueError("a sketch needs rows and counters")
        self.shape, self.cells = (depth, width), Counter()

    def _cells_of(self, item):
        depth, width = self.shape
        for row in range(depth):
            number = int(hashlib.blake2b(f"{row}:{item}".encode(), digest_size=8).hexdigest(), 16)
            yield row, number % width

    def add(self, item, count=1):
        """To all cells."""
        if count < 0:
            raise ValueError(count)
        for cell in self._cells_of(item):
            self.cells[cell] += count
        return self

    def estimate(self, item):
        """The smallest."""
        return min(self.cells[cell] for cell in self._cells_of(item))

    def table(self):
        """Laid out."""
        return [[self.cells[row, column] for column in range(self.shape[1])] for row in range(self.shape[0])]

    def merge(self, table):
        """Cell by cell."""
        if np.shape(table) != self.shape:
            raise ValueError(f"{np.shape(table)} is not {self.shape}")
        for row, counters in enumerate(table):
            for column, count in enumerate(counters):
                self.cells[row, column] += int(count)


class FancyIndex:
    """Accepted: all places of an item as one index."""

    def __init__(self, depth, width):
        """A flat array."""
        if depth < 1:
            raise ValueError("depth")
        if width < 1:
            raise ValueError("width")
        self.depth, self.width = depth, width
        self.flat = [0] * (depth * width)

    def _where(self, item):
        found = []
        for row in range(self.depth):
            digest = hashlib.blake2b(f"{row}:{item}".encode(), digest_size=8).digest()
            found.append(row * self.width + int.from_bytes(digest, "big") % self.width)
        return found

    def add(self, item, count=1):
        """Raise the item's counters."""
        if count < 0:
            raise ValueError("only upwards")
        for place in self._where(item):
            self.flat[place] += count

    def estimate(self, item):
        """Sorted, the first."""
        return sorted(self.flat[place] for place in self._where(item))[0]

    def table(self):
        """As an array."""
        return np.array(self.flat).reshape(self.depth, self.width)

    def merge(self, table):
        """Flat sums."""
        other = np.array(table)
        if other.shape != (self.depth, self.width):
            raise ValueError("another shape")
        self.flat = (np.array(self.flat) + other.ravel()).tolist()


EXERCISE = Exercise(
    id="count_min",
    title="Counts in a fixed memory",
    minutes=15,
    difficulty="medium",
    feeds="05",
    week="9-10",
    hints=(
        "Other items in the same counter can only make it larger. Which of several counters is then nearest to the truth?",
        "The row goes into the hash: items that share a counter in one row seldom share one in the next.",
        "Add to depth counters, take the minimum of depth counters; merging is adding tables, after a look at their shape.",
    ),
    cases=cases,
    expect=from_exact_counts,
    agree=agree,
    mutants=(
        Mutant(
            "largest-counter",
            "The largest counter was taken: that is the one with the most strangers in it. Take the smallest.",
            swaps=(("int(min(", "int(max("),),
        ),
        Mutant(
            "mean-counter",
            "The mean of the counters was taken. Errors only go upwards, so they do not cancel.",
            swaps=(
                (
                    "int(min(self.counters[row, counter_of(item, row, self.width)] for row in range(self.depth)))",
                    "float(np.mean([self.counters[row, counter_of(item, row, self.width)] for row in range(self.depth)]))",
                ),
            ),
        ),
        Mutant(
            "one-hash",
            "All rows use the same hash, so who shares a counter in one row does in all, and the minimum gains nothing.",
            swaps=(
                (
                    "self.counters[row, counter_of(item, row, self.width)] += count",
                    "self.counters[row, counter_of(item, 0, self.width)] += count",
                ),
                (
                    "min(self.counters[row, counter_of(item, row, self.width)]",
                    "min(self.counters[row, counter_of(item, 0, self.width)]",
                ),
            ),
        ),
        Mutant(
            "conservative-update",
            "Only counters below the new estimate were raised. That is tighter, but such tables do not add up.",
            swaps=(
                (
                    "        for row in range(self.depth):\n            self.counters[row, counter_of(item, row, self.width)] += count",
                    "        goal = self.estimate(item) + count\n"
                    "        for row in range(self.depth):\n"
                    "            place = counter_of(item, row, self.width)\n"
                    "            self.counters[row, place] = max(self.counters[row, place], goal)",
                ),
            ),
        ),
        Mutant(
            "count-ignored",
            "One was added, whatever `count` said.",
            swaps=(("+= count", "+= 1"),),
        ),
        Mutant(
            "merged-by-maximum",
            "The larger counter was kept when merging. Both machines counted different payments: add.",
            swaps=(("self.counters += table", "self.counters = np.maximum(self.counters, table)"),),
        ),
        Mutant(
            "replaced-when-merged",
            "The other table took the place of this one. Merging adds.",
            swaps=(("self.counters += table", "self.counters = table.copy()"),),
        ),
        Mutant(
            "shape-not-checked",
            "A table of another shape was taken; broadcasting spread it over all counters.",
            swaps=(("if table.shape != self.counters.shape:", "if False:"),),
        ),
        Mutant(
            "counts-down",
            "A negative count was taken. Then an estimate may be below the truth, which a count-min sketch never is.",
            swaps=(("if count < 0:", "if False:"),),
        ),
    ),
    accepted=(CountersInADict, FancyIndex),
    shrink=calls(),
    preload=("numpy", "hashlib"),
    function="CountMin",
)
