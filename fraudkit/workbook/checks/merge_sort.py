"""Merge sort of positions: stable, and the number of comparisons shows that halves were merged."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def counted_by_formula(event_time):
    """The oracle: NumPy's stable argsort, and for each merge n less what follows without a comparison."""
    times = np.asarray(event_time, dtype=float)

    def comparisons(part):
        if len(part) < 2:
            return 0
        left, right = part[: len(part) // 2], part[len(part) // 2 :]
        rest = (right >= left.max()).sum() if left.max() <= right.max() else (left > right.max()).sum()
        return int(len(part) - rest) + comparisons(left) + comparisons(right)

    return np.argsort(times, kind="stable").tolist(), comparisons(times)


def cases(rng: np.random.Generator) -> list[Case]:
    """Ties, leftovers and odd lengths first, then drawn times."""
    found = [
        Case("four events", ([50, 20, 20, 10],)),
        Case("no events", ([],)),
        Case("one event", ([5],), why="nothing to compare"),
        Case("in order already", ([1, 2, 3, 4],), why="the right half follows without a comparison: 4 in all"),
        Case("in falling order", ([4, 3, 2, 1],), why="the left half follows without a comparison"),
        Case("all at the same time", ([7] * 6,), why="events of the same time keep their order of arrival"),
        Case("ties across the halves", ([3, 1, 2, 3, 1, 2],), why="on a tie the event of the left half comes first"),
        Case("three events", ([2, 3, 1],), why="split at 3 // 2: one on the left, two on the right"),
        Case("seven events", ([6, 5, 7, 3, 1, 2, 4],), why="odd lengths are split at len // 2, in all levels"),
    ]
    found.append(Case("33 events", (rng.integers(0, 20, 33).tolist(),)))
    found.append(Case("60 events with decimals", (np.round(rng.random(60) * 90, 1).tolist(),)))
    late = np.arange(100) + np.where(rng.random(100) < 0.1, -30, 0)
    found.append(Case("100 events, some late", (late.tolist(),)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """Times in random order."""
    return Case(f"{n} events", (rng.integers(0, 10 * n, n).tolist(),))


def into_two_buffers(event_time):
    """Accepted: indices instead of slices, merged from one buffer into the other."""
    n, count = len(event_time), 0
    work, spare = list(range(n)), list(range(n))

    def sort(low, high):
        nonlocal count
        if high - low <= 1:
            return
        cut = low + (high - low) // 2
        sort(low, cut)
        sort(cut, high)
        spare[low:high] = work[low:high]
        a, b = low, cut
        for k in range(low, high):
            if a < cut and b < high:
                count += 1
                take_left = event_time[spare[a]] <= event_time[spare[b]]
            else:
                take_left = a < cut
            work[k] = spare[a] if take_left else spare[b]
            a, b = (a + 1, b) if take_left else (a, b + 1)

    sort(0, n)
    return work, count


def with_queues(event_time):
    """Accepted: queues of (time, position), merged from the front; the spans of the splits on a stack."""
    from collections import deque

    todo, ready, total = [(0, len(event_time), False)], [], 0
    while todo:
        start, stop, split = todo.pop()
        if stop - start < 2:
            ready.append(deque((event_time[k], k) for k in range(start, stop)))
        elif not split:
            half = start + (stop - start) // 2
            todo += [(start, stop, True), (half, stop, False), (start, half, False)]
        else:
            second, first = ready.pop(), ready.pop()
            line = deque()
            while first and second:
                total += 1
                line.append(second.popleft() if first[0][0] > second[0][0] else first.popleft())
            ready.append(line + first + second)
    return [position for _, position in ready[0]], total


EXERCISE = Exercise(
    id="merge_sort",
    title="Merge sort of event times",
    minutes=15,
    difficulty="easy",
    feeds="05",
    week="1-2",
    hints=(
        "Sort positions instead of times: begin with 0, 1, … n - 1 and compare the times they point to.",
        "An inner function takes a list of positions and gives it back sorted, together with a count.",
        "The merge is a loop while both halves hold something; each turn is one comparison. Take from the right only if "
        "its event is strictly earlier.",
    ),
    cases=cases,
    expect=counted_by_formula,
    agree=exact,
    mutants=(
        Mutant(
            "ties-from-the-right",
            "On a tie the event of the right half came first, so events of the same time changed places. "
            "Take from the right only if it is strictly earlier.",
            swaps=(("event_time[right[j]] < event_time[left[i]]", "event_time[right[j]] <= event_time[left[i]]"),),
        ),
        Mutant(
            "times-returned",
            "The sorted times were returned. The positions of the events are asked for.",
            swaps=(
                (
                    "    return ordered(list(range(len(event_time))))",
                    "    order, count = ordered(list(range(len(event_time))))\n"
                    "    return [event_time[i] for i in order], count",
                ),
            ),
        ),
        Mutant(
            "leftovers-counted",
            "What was left of one half was counted too. It follows without a comparison.",
            swaps=(("left_count + right_count + len(merged)", "left_count + right_count + len(positions)"),),
        ),
        Mutant(
            "last-merge-only",
            "Only the comparisons of the last merge were counted. Those of the halves belong to them.",
            swaps=(("left_count + right_count + len(merged)", "len(merged)"),),
        ),
        Mutant(
            "leftovers-lost",
            "What was left of the left half when the right one was empty is missing.",
            swaps=(("merged + left[i:] + right[j:]", "merged + right[j:]"),),
        ),
        Mutant(
            "left-half-longer",
            "Odd lengths were split with the longer half on the left. The left half has `len // 2`.",
            swaps=(("middle = len(positions) // 2", "middle = (len(positions) + 1) // 2"),),
        ),
        Mutant(
            "falling-order",
            "The latest event came first. Rising order is asked for.",
            swaps=(("event_time[right[j]] < event_time[left[i]]", "event_time[right[j]] > event_time[left[i]]"),),
        ),
    ),
    accepted=(into_two_buffers, with_queues),
    growth=Growth(large, n=1_500, says="Events are inserted one by one. Merge halves: each level takes one pass."),
    shrink=lists(0, noun="events", numbers=True),
)
