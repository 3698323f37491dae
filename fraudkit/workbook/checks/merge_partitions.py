"""The union of k sorted streams in order, each event once, by a heap of their heads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import SHRUNK


def sorted_set(partitions):
    """The oracle: everything into a set, and the set sorted."""
    return sorted({(int(moment), int(name)) for events in partitions for moment, name in events})


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same events in the same order; an empty array of any width stands for none."""
    if not expected:
        ok = isinstance(got, list | tuple | np.ndarray) and len(got) == 0
        return "" if ok else "there was no event: the answer should be empty"
    return exact(got, expected, case)


def _partitions(rng: np.random.Generator, k: int, size: int, span: int, ids: int) -> list[list[tuple[int, int]]]:
    """k sorted partitions of about `size` events, some of them delivered several times."""
    found: list[list[tuple[int, int]]] = [[] for _ in range(k)]
    for _ in range(k * size):
        event = (int(rng.integers(0, span)), int(rng.integers(0, ids)))
        for which in rng.integers(0, k, 1 + int(rng.random() < 0.3)).tolist():
            found[which].append(event)
    return [sorted(events) for events in found]


def cases(rng: np.random.Generator) -> list[Case]:
    """Duplicates of every kind, ties, partitions without events, then random ones."""
    found = [
        Case("three partitions", ([[(1, 7), (4, 2)], [], [(1, 3), (4, 2), (9, 5)]],)),
        Case("no partition", ([],), why="nothing to merge: an empty list"),
        Case("partitions without events", ([[], [], []],), why="a partition without events has no first event"),
        Case("one partition", ([[(1, 1), (2, 9), (2, 10)]],)),
        Case(
            "one is over early",
            ([[(1, 1)], [(2, 2), (3, 3), (4, 4)], [(1, 5), (9, 9)]],),
            why="the merge goes on until all partitions are at their end",
        ),
        Case(
            "the same event in all of them",
            ([[(5, 1), (8, 2)], [(5, 1), (8, 2)], [(5, 1)]],),
            why="what several consumers delivered is one event",
        ),
        Case(
            "the same event twice in one partition",
            ([[(5, 1), (5, 1), (6, 1)], [(7, 3)]],),
            why="a consumer may deliver an event again itself",
        ),
        Case(
            "the same id at another time",
            ([[(5, 1), (9, 1)], [(5, 2), (7, 1)]],),
            why="events are the same when time and id are the same; here the times differ",
        ),
        Case(
            "many at the same time",
            ([[(5, 2), (5, 8)], [(5, 1), (5, 8), (5, 9)], [(5, 3)]],),
            why="at the same time the smaller id comes first, and equal ones become neighbours only then",
        ),
        Case("negative times", ([[(-5, 2), (0, 1)], [(-7, 3), (-5, 2)]],)),
        Case(
            "a partition that goes back in time",
            ([[(1, 1), (2, 2)], [(5, 1), (3, 2), (9, 9)]],),
            raises="ValueError",
            why="a merge relies on sorted partitions and gives a wrong order without any sign when one is not",
        ),
        Case("a partition that goes back in id", ([[(1, 5), (1, 4)]],), raises="ValueError"),
    ]
    for k, size, span, ids in ((3, 5, 12, 4), (6, 10, 60, 3), (12, 6, 30, 20)):
        found.append(Case(f"{k} partitions of about {size} events", (_partitions(rng, k, size, span, ids),)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """n partitions of four events, to see how time grows."""
    times = np.sort(rng.integers(0, 100 * n, (n, 4)), axis=1).tolist()
    return Case(f"{n} partitions", ([[(moment, which) for moment in row] for which, row in enumerate(times)],))


def smaller(case: Case) -> Iterable[Case]:
    """Without half of the partitions, without one, without one event."""
    parts = case.args[0]
    half = len(parts) // 2
    fewer = [parts[:half], parts[half:]] if len(parts) > 1 else []
    fewer += [parts[:which] + parts[which + 1 :] for which in range(len(parts))]
    for which, events in enumerate(parts):
        middle = len(events) // 2
        fewer += [[*parts[:which], half_of, *parts[which + 1 :]] for half_of in (events[:middle], events[middle:])]
        for place in range(len(events)):
            fewer.append([*parts[:which], [*events[:place], *events[place + 1 :]], *parts[which + 1 :]])
    for kept in fewer:
        count = sum(map(len, kept))
        yield replace(
            case, name=f"{case.name.partition(SHRUNK)[0]}{SHRUNK}{count} event{'s' * (count != 1)}", args=(kept,)
        )


def in_pairs(partitions):
    """Accepted: neighbours merged two by two with two pointers, until one is left."""
    layer = []
    for part in partitions:
        events = [(moment, name) for moment, name in part]
        if any(b < a for a, b in pairwise(events)):
            raise ValueError("not in order")
        layer.append(list(dict.fromkeys(events)))

    def union(one, other):
        i = j = 0
        both = []
        while i < len(one) and j < len(other):
            if one[i] == other[j]:
                j += 1
            elif one[i] < other[j]:
                both.append(one[i])
                i += 1
            else:
                both.append(other[j])
                j += 1
        return both + one[i:] + other[j:]

    while len(layer) > 1:
        odd = layer[-1:] if len(layer) % 2 else []
        layer = [union(layer[i], layer[i + 1]) for i in range(0, len(layer) - 1, 2)] + odd
    return layer[0] if layer else []


def lazily(partitions):
    """Accepted: heapq.merge over generators that check the order, and groupby for equal neighbours."""
    from heapq import merge
    from itertools import groupby

    def checked(events):
        before = None
        for event in map(tuple, events):
            if before is not None and event < before:
                raise ValueError(f"{event} after {before}")
            before = event
            yield event

    return [event for event, _ in groupby(merge(*map(checked, partitions)))]


EXERCISE = Exercise(
    id="merge_partitions",
    title="One stream out of many",
    minutes=20,
    difficulty="medium",
    feeds="09",
    week="1-2",
    hints=(
        "Which events can be the next of the merged stream? How many are these?",
        "A heap with one entry for each partition that still has events: the event, which partition, which place.",
        "In the merged order equal events are neighbours: compare with the last one that you put out.",
    ),
    cases=cases,
    expect=sorted_set,
    agree=agree,
    mutants=(
        Mutant(
            "duplicates-stay",
            "An event that was delivered several times came out several times.",
            swaps=(("if not merged or merged[-1] != event:", "if True:"),),
        ),
        Mutant(
            "same-id-dropped",
            "Events with the same id were taken for the same although their times differ. Both have to be equal.",
            swaps=(
                (
                    "if not merged or merged[-1] != event:",
                    "if event[1] not in {name for _, name in merged}:",
                ),
            ),
        ),
        Mutant(
            "same-time-dropped",
            "Events of the same time were taken for the same although their ids differ. Both have to be equal.",
            swaps=(("merged[-1] != event:", "merged[-1][0] != event[0]:"),),
        ),
        Mutant(
            "ties-by-partition",
            "At the same time events came in the order of the partitions. The smaller id comes first.",
            swaps=(
                (
                    "heap = [(tuple(events[0]), which, 0)",
                    "heap = [(_ByTime(events[0]), which, 0)",
                ),
                ("following = tuple(events[place + 1])", "following = _ByTime(events[place + 1])"),
                (
                    "def merge_partitions(partitions):",
                    "class _ByTime(tuple):\n"
                    "    def __lt__(self, other):\n"
                    "        return self[0] < other[0]\n"
                    "    def __eq__(self, other):\n"
                    "        return self[0] == other[0]\n"
                    "    def __hash__(self):\n"
                    "        return hash(self[0])\n\n\n"
                    "def merge_partitions(partitions):",
                ),
                ("merged[-1] != event:", "tuple(merged[-1]) != tuple(event):"),
                ("return merged", "return [tuple(event) for event in merged]"),
            ),
        ),
        Mutant(
            "ends-with-the-first",
            "The merge ended as soon as one partition was at its end. Go on until all are.",
            swaps=(("heapq.heappop(heap)\n            continue", "break"),),
        ),
        Mutant(
            "first-events-only",
            "Only the first event of each partition was merged. Put the next one of the same partition into the heap.",
            swaps=(("if place + 1 == len(events):", "if True:"),),
        ),
        Mutant(
            "put-behind-one-another",
            "The partitions were put one behind the other. Their times overlap; the smallest of all heads is next.",
            swaps=(
                (
                    "return merged",
                    "return list(dict.fromkeys(tuple(event) for events in partitions for event in events))",
                ),
            ),
        ),
        Mutant(
            "order-not-checked",
            "A partition out of order was merged without a word. Raise ValueError.",
            swaps=(("if following < event:", "if False:"),),
        ),
    ),
    accepted=(in_pairs, lazily),
    growth=Growth(
        case=large,
        n=600,
        says="For every event the heads of all partitions are looked at, or the result is merged with one partition after "
        "the other. Keep the heads in a heap.",
    ),
    shrink=smaller,
)
