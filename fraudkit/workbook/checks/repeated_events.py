"""Events delivered again: measured from the latest delivery of the same id, the border included."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import rows


def by_looking_back(event_time, event_id, window):
    """The oracle: for each event, all earlier ones of the same id."""
    return [
        any(event_id[j] == event_id[i] and event_time[i] - event_time[j] <= window for j in range(i))
        for i in range(len(event_time))
    ]


def _drawn(rng: np.random.Generator, n: int, ids: int, span: int) -> tuple[list[int], list[str]]:
    times = np.sort(rng.integers(0, span, n)).tolist()
    return times, [f"e{number}" for number in rng.integers(0, ids, n)]


def cases(rng: np.random.Generator) -> list[Case]:
    """Borders and chains of retries first, then drawn streams."""
    found = [
        Case("sent again after four seconds", ([0, 2, 4], ["a", "b", "a"], 10)),
        Case("no events", ([], [], 10)),
        Case(
            "exactly a window later", ([0, 10, 20, 31], ["a", "a", "a", "a"], 10), why="at most the window: it counts"
        ),
        Case(
            "retries in a chain",
            ([0, 8, 16, 24, 32], ["a", "a", "a", "a", "a"], 10),
            why="the window is measured from the latest delivery, which may be a repeat itself",
        ),
        Case("the same second", ([5, 5, 5], ["a", "a", "b"], 0), why="no time between them is within any window"),
        Case("long ago", ([0, 100], ["a", "a"], 10), why="an id may come again after the window: that is a new event"),
        Case(
            "others in between",
            ([0, 1, 2, 3], ["a", "b", "c", "a"], 5),
            why="the earlier event of the same id need not be the one just before",
        ),
        Case("a missing id", ([0, 1], ["a"], 5), raises="ValueError"),
    ]
    for n, ids, span in ((40, 8, 200), (60, 15, 300), (150, 20, 900)):
        found.append(Case(f"{n} events", (*_drawn(rng, n, ids, span), 20)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """Every id twice, far apart in the list and within the window."""
    ids = [f"e{number}" for number in [*rng.permutation(n // 2), *rng.permutation(n // 2)]]
    return Case(f"{n} events", (list(range(len(ids))), ids, 2 * n))


def grouped_by_id(event_time, event_id, window):
    """Accepted: gather each id's positions, then compare neighbours within a group."""
    if not len(event_time) == len(event_id):
        raise ValueError("lengths differ")
    places = {}
    for i, who in enumerate(event_id):
        places.setdefault(who, []).append(i)
    answer = [False] * len(event_id)
    for group in places.values():
        for before, after in pairwise(group):
            answer[after] = event_time[after] <= event_time[before] + window
    return answer


def sorted_arrays(event_time, event_id, window):
    """Accepted: a stable sort by id puts the deliveries of an event beside each other."""
    moments, names = np.asarray(event_time, dtype=np.int64), np.asarray(event_id, dtype=str)
    if moments.shape != names.shape:
        raise ValueError(f"{moments.shape} against {names.shape}")
    result = np.zeros(len(names), dtype=bool)
    order = np.argsort(names, kind="stable")
    same = names[order][1:] == names[order][:-1]
    result[order[1:]] = same & (np.diff(moments[order]) <= window)
    return result


EXERCISE = Exercise(
    id="repeated_events",
    title="Events delivered again",
    minutes=10,
    difficulty="easy",
    feeds="09",
    week="1-2",
    hints=(
        "What is the least you must remember of the past to judge the next event?",
        "Of each id only its latest moment matters: an earlier one can only be further away.",
        "A dictionary id -> latest moment: look up and compare with `<=`, then overwrite, whether it was a repeat or not.",
    ),
    cases=cases,
    expect=by_looking_back,
    agree=exact,
    mutants=(
        Mutant(
            "border-outside",
            "An event exactly a window later was not counted. At most `window` seconds includes the border.",
            swaps=(("<= window", "< window"),),
        ),
        Mutant(
            "from-the-first",
            "The window was measured from the first delivery of an id. It is measured from the latest one.",
            swaps=(("latest[name] = moment", "latest.setdefault(name, moment)"),),
        ),
        Mutant(
            "from-the-last-accepted",
            "Repeats did not renew the moment, so the third event of a chain was measured from one that is too old. "
            "Write the moment down for repeats too.",
            swaps=(
                ("        latest[name] = moment", "        if not repeats[-1]:\n            latest[name] = moment"),
            ),
        ),
        Mutant(
            "ever-before",
            "Every id that came before was marked. Only one of the last `window` seconds makes an event a repeat.",
            swaps=((" and moment - latest[name] <= window", ""),),
        ),
        Mutant(
            "the-one-just-before",
            "Each event was compared with the one just before it. Other ids may lie in between.",
            swaps=(("latest[name] = moment", "latest = {name: moment}"),),
        ),
        Mutant(
            "lengths-cut",
            "Lists of different length were cut to the shorter one, and an event was lost in silence. Raise ValueError.",
            swaps=(("len(event_time) != len(event_id)", "False"),),
        ),
    ),
    accepted=(grouped_by_id, sorted_arrays),
    growth=Growth(
        large,
        n=1_500,
        limit=10.0,
        says="Each event looks back through the stream. Remember each id's latest moment in a map.",
    ),
    shrink=rows(0, 1, noun="events"),
)
