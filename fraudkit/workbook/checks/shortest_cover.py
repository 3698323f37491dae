"""The shortest covering stretch of a stream: numbers of each type, seconds and not events, the earliest of equals."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import rows

KINDS = ["view", "test", "pay", "refund", "login"]


def all_stretches(times, kinds, needed):
    """The oracle: every pair of seconds, from the shortest stretch to the longest, is counted through."""
    times = np.asarray(times, dtype=np.int64)
    of_kind = {kind: times[[k == kind for k in kinds]] if len(kinds) else times for kind in needed}
    moments = sorted(set(times.tolist()))
    pairs = sorted((b - a, a, b) for i, a in enumerate(moments) for b in moments[i:])
    for _, a, b in pairs:
        if all(((when >= a) & (when <= b)).sum() >= needed[kind] for kind, when in of_kind.items()):
            return (a, b)
    return None


def cases(rng: np.random.Generator) -> list[Case]:
    """Numbers, seconds, surplus, equals, wrong input; then random streams."""
    found = [
        Case("the example in small", ([0, 5, 9], ["test", "pay", "test"], {"test": 1, "pay": 1})),
        Case(
            "two of a type are needed",
            ([0, 3, 60, 61, 90], ["test", "pay", "pay", "test", "test"], {"test": 2, "pay": 1}),
            why="two tests are needed; one of them is not enough",
        ),
        Case(
            "many events in a short time",
            ([0, 100, 200, 201, 202, 203, 204], ["a", "b", "a", "x", "x", "x", "b"], {"a": 1, "b": 1}),
            why="four seconds with five events are shorter than a hundred seconds with two: time counts",
        ),
        Case(
            "surplus at the front",
            ([0, 1, 2, 3, 50, 51], ["a", "a", "a", "a", "b", "x"], {"a": 2, "b": 1}),
            why="while there are more than needed, the left end can go on, over several events at once",
        ),
        Case(
            "two equally short ones",
            ([0, 5, 100, 105], ["a", "b", "b", "a"], {"a": 1, "b": 1}),
            why="of several equally short stretches the earliest counts",
        ),
        Case("everything in one second", ([7, 7, 7], ["b", "x", "a"], {"a": 1, "b": 1})),
        Case("the shortest at the very end", ([0, 50, 70, 75], ["a", "b", "a", "b"], {"a": 1, "b": 1})),
        Case("the whole stream", ([3, 4, 9], ["a", "x", "b"], {"b": 1, "a": 1})),
        Case("one event is enough", ([3, 4, 9], ["x", "a", "a"], {"a": 1})),
        Case("not enough of a type", ([0, 1, 2], ["a", "b", "b"], {"a": 2, "b": 1})),
        Case("a type that never comes", ([0, 1], ["a", "b"], {"a": 1, "z": 1})),
        Case("no events", ([], [], {"a": 1})),
        Case("nothing needed", ([0], ["a"], {}), raises="ValueError"),
        Case("nought of a type needed", ([0], ["a"], {"a": 1, "b": 0}), raises="ValueError"),
        Case("a stream out of order", ([5, 3], ["a", "a"], {"a": 1}), raises="ValueError"),
        Case("lengths that differ", ([1, 2], ["a"], {"a": 1}), raises="ValueError"),
    ]
    for size in (20, 60, 60):
        times = np.sort(rng.integers(0, 4 * size, size)).tolist()
        kinds = rng.choice(KINDS, size, p=[0.35, 0.25, 0.2, 0.1, 0.1]).tolist()
        needed = {kind: int(rng.integers(1, 4)) for kind in rng.permutation(KINDS)[:3].tolist()}
        found.append(
            Case(f"{size} events, {sum(needed.values())} needed, {rng.integers(1000)}", (times, kinds, needed))
        )
    return found


def rare_at_the_end(rng: np.random.Generator, n: int) -> Case:
    """One needed type comes only at the very end, so that every stretch is long."""
    return Case(f"{n} events", (list(range(n)), ["a"] * (n - 1) + ["b"], {"a": n // 3, "b": 1}))


def positions_by_kind(times, kinds, needed):
    """Accepted: only needed events are kept, each type's times in a list; a left end needs the k-th time from it on."""
    if not needed or any(count < 1 for count in needed.values()):
        raise ValueError("needed")
    if len(times) != len(kinds) or any(b < a for a, b in pairwise(times)):
        raise ValueError("times")
    when = {kind: [] for kind in needed}
    for moment, kind in zip(times, kinds, strict=True):
        if kind in when:
            when[kind].append(moment)
    found, at = [], dict.fromkeys(needed, 0)
    for left in sorted(set().union(*when.values())):
        right = left
        for kind, moments in when.items():
            while at[kind] < len(moments) and moments[at[kind]] < left:
                at[kind] += 1
            if at[kind] + needed[kind] > len(moments):
                return min(found)[1:] if found else None
            right = max(right, moments[at[kind] + needed[kind] - 1])
        found.append((right - left, left, right))
    return min(found)[1:] if found else None


def newest_times(times, kinds, needed):
    """Accepted: for each event as the last one, each type's k-th newest time; the earliest of them is the left end."""
    if len(kinds) != len(times) or len(needed) == 0 or sorted(needed.values())[0] <= 0:
        raise ValueError(needed)
    newest = {kind: [] for kind in needed}
    shortest, answer, previous = None, None, None
    for moment, kind in zip(times, kinds, strict=True):
        if previous is not None and moment < previous:
            raise ValueError("order")
        previous = moment
        if kind not in newest:
            continue
        newest[kind].append(moment)
        if all(len(newest[k]) >= count for k, count in needed.items()):
            start = min(newest[k][-count] for k, count in needed.items())
            if shortest is None or moment - start < shortest:
                shortest, answer = moment - start, (start, moment)
    return answer


EXERCISE = Exercise(
    id="shortest_cover",
    title="The shortest stretch that holds everything",
    minutes=30,
    difficulty="hard",
    feeds="05",
    week="1-2",
    hints=(
        "If a stretch covers the pattern, so does every longer one. What does that say about the two ends?",
        "Move the right end event by event. Whenever the stretch covers, move the left end as far as it still does.",
        "Keep for each type how many are lacking, below nought for a surplus, and in one number how many types lack "
        "anything.",
    ),
    cases=cases,
    expect=all_stretches,
    agree=exact,
    mutants=(
        Mutant(
            "one-of-each",
            "One event of each type was taken as enough. The pattern says how many it takes.",
            swaps=(("lacking = dict(needed)", "lacking = dict.fromkeys(needed, 1)"),),
        ),
        Mutant(
            "fewest-events",
            "The stretch with the fewest events was found. Asked is the shortest in seconds.",
            swaps=(
                ("best, first = None, 0", "best, first, fewest = None, 0, 0"),
                (
                    "if best is None or times[last] - times[first] < best[1] - best[0]:",
                    "if best is None or last - first < fewest:\n                fewest = last - first",
                ),
            ),
        ),
        Mutant(
            "left-end-moved-once",
            "The left end was moved by one event for each new one. It may have to pass several surplus events at once.",
            swaps=(("while kinds_lacking == 0:", "if kinds_lacking == 0:"),),
        ),
        Mutant(
            "last-of-equals",
            "Of equally short stretches the last one was given. Asked is the earliest.",
            swaps=(("times[last] - times[first] < best", "times[last] - times[first] <= best"),),
        ),
        Mutant(
            "first-found",
            "The first stretch that covers was given. A shorter one can come later.",
            swaps=(("if best is None or times[last] - times[first] < best[1] - best[0]:", "if best is None:"),),
        ),
        Mutant(
            "surplus-forgotten",
            "Counts stopped at nought, so that a surplus was forgotten, and the type seemed to fall short when a "
            "spare event left.",
            swaps=(
                (
                    "            lacking[kind] -= 1\n            kinds_lacking -= lacking[kind] == 0",
                    "            kinds_lacking -= lacking[kind] == 1\n            lacking[kind] = max(lacking[kind] "
                    "- 1, 0)",
                ),
            ),
        ),
        Mutant(
            "input-unchecked",
            "A stream out of order was taken. Two pointers rely on the order: raise ValueError.",
            swaps=(("if last and times[last] < times[last - 1]:", "if False:"),),
        ),
        Mutant(
            "from-every-start",
            "The stretch is right, but it was searched for from every event anew. The right end never has to go back.",
            swaps=(
                (
                    "        if kind in lacking:\n            lacking[kind] -= 1\n"
                    "            kinds_lacking -= lacking[kind] == 0\n",
                    "        lacking = dict(needed)\n"
                    "        for seen in kinds[first : last + 1]:\n"
                    "            if seen in lacking:\n"
                    "                lacking[seen] -= 1\n"
                    "        kinds_lacking = sum(count > 0 for count in lacking.values())\n",
                ),
            ),
        ),
    ),
    accepted=(positions_by_kind, newest_times),
    growth=Growth(
        rare_at_the_end,
        n=1_000,
        says="Both ends only move forward: take in one event, let go of those that are not needed.",
    ),
    shrink=rows(0, 1, noun="events"),
)
