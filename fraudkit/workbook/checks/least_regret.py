"""Scheduling reviews of one hour by deadline and loss: greedy with a heap that takes back the cheapest."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import rows


def best_by_number(deadline, loss, analysts=1):
    """The oracle: dynamic programming over how many are done, no greedy choice: done[j] is the best sum of j reviews."""
    order = np.argsort(np.asarray(deadline), kind="stable")
    done = [0] + [-1] * len(order)
    for row in order.tolist():
        places = min(int(deadline[row]) * analysts, len(order))
        for count in range(places, 0, -1):
            if done[count - 1] >= 0:
                done[count] = max(done[count], done[count - 1] + int(loss[row]))
    return max(done)


def cases(rng: np.random.Generator) -> list[Case]:
    """Traps of the simple orders, several analysts, far deadlines, then random ones."""
    found = [
        Case("three reviews, as lists", ([1, 1, 2], [500, 900, 300])),
        Case("no review", (np.array([], dtype=int), np.array([], dtype=int))),
        Case("one review", (np.array([3]), np.array([700]))),
        Case(
            "late and dear",
            (np.array([1, 2, 2]), np.array([100, 900, 500])),
            why="the urgent review is worth little; the two later ones need both hours",
        ),
        Case(
            "one gives way",
            (np.array([2, 2, 3, 3]), np.array([300, 400, 800, 900])),
            why="four reviews for three hours: the one that saves least gives way, and only that one",
        ),
        Case(
            "dear but not urgent",
            (np.array([1, 2, 3]), np.array([100, 200, 900])),
            why="the dearest is not due before hour 3; done in hour 1 it pushes out the urgent ones",
        ),
        Case(
            "too late already",
            (np.array([0, 0, 1]), np.array([5_000, 800, 10])),
            why="a deadline of 0 is over, whatever it would have saved",
        ),
        Case(
            "several analysts",
            (np.array([1, 1, 1, 1, 2, 2]), np.array([10, 40, 20, 30, 50, 60])),
            {"analysts": 2},
            why="in one hour two analysts do two reviews",
        ),
        Case("nobody is there", (np.array([5, 6]), np.array([100, 200])), {"analysts": 0}),
        Case(
            "far deadlines",
            (np.array([1_000_000_000, 1_000_000_000, 1]), np.array([70, 80, 90])),
            why="deadlines may be far away: make no list of all hours until then",
        ),
        Case("equal losses", (np.array([2, 1, 2, 1]), np.array([50, 50, 50, 50]))),
        Case("a negative loss", ([1, 2], [50, -1]), raises="ValueError"),
        Case("a negative deadline", ([1, -2], [50, 1]), raises="ValueError"),
        Case("lengths differ", ([1, 2, 3], [50, 1]), raises="ValueError"),
    ]
    for size, last, analysts in ((10, 6, 1), (30, 20, 1), (60, 15, 3), (60, 70, 1)):
        deadlines = rng.integers(0, last + 1, size)
        losses = rng.permutation(np.arange(1, size + 1)) * 100 + rng.integers(0, 99, size)
        found.append(
            Case(
                f"{size} reviews due within {last} hours, analysts: {analysts}",
                (deadlines, losses),
                {"analysts": analysts},
            )
        )
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """n reviews for n / 2 hours, to see how time grows."""
    return Case(f"{n} reviews", (rng.integers(1, n // 2, n), rng.integers(1, 100 * n, n)))


def latest_free_hour(deadline, loss, analysts=1):
    """Accepted: by falling loss, each into the latest free hour before its deadline, found by union-find."""
    if len(deadline) != len(loss) or analysts < 0:
        raise ValueError("lengths or analysts")
    if len(loss) and (min(deadline) < 0 or min(loss) < 0):
        raise ValueError("negative")
    most = -(-len(loss) // analysts) if analysts else 0
    room = [analysts] * (most + 1)
    before = list(range(most + 1))

    def free(hour):
        path = []
        while before[hour] != hour:
            path.append(hour)
            hour = before[hour]
        for step in path:
            before[step] = hour
        return hour

    total = 0
    for row in sorted(range(len(loss)), key=lambda row: -loss[row]):
        hour = free(min(int(deadline[row]), most))
        if hour == 0:
            continue
        total += int(loss[row])
        room[hour] -= 1
        if room[hour] == 0:
            before[hour] = hour - 1
    return total


def from_the_last_hour(deadline, loss, analysts=1):
    """Accepted: hours from the last to the first; in each the dearest of those still in time."""
    from heapq import heappop, heappush

    dues, sums = [int(due) for due in deadline], [int(money) for money in loss]
    if len(dues) != len(sums) or min([analysts, *dues, *sums]) < 0:
        raise ValueError("something is negative, or the lengths differ")
    waiting = sorted(zip(dues, sums, strict=True))
    ready: list = []
    total, hour = 0, waiting[-1][0] if waiting else 0
    while hour > 0 and analysts and (waiting or ready):
        while waiting and waiting[-1][0] >= hour:
            heappush(ready, -waiting.pop()[1])
        for _ in range(min(analysts, len(ready))):
            total -= heappop(ready)
        hour -= 1
        if not ready and waiting:
            hour = min(hour, waiting[-1][0])
    return total


EXERCISE = Exercise(
    id="least_regret",
    title="Reviews by deadline and loss",
    minutes=20,
    difficulty="medium",
    feeds="06",
    week="1-2",
    hints=(
        "Take the reviews by rising deadline and plan each. When do the planned ones no longer fit?",
        "By hour d at most d · analysts reviews can be done. If there are more, which of all planned ones do you give up?",
        "The cheapest, wherever it stands: every review takes the same hour, so the others move up. A heap of the "
        "planned losses has it on top.",
    ),
    cases=cases,
    expect=best_by_number,
    agree=exact,
    mutants=(
        Mutant(
            "by-deadline-alone",
            "Reviews were taken by deadline while there was room, and a dear one that came later found none. Give up "
            "the cheapest of the planned ones instead of the newcomer.",
            swaps=(("saved -= heapq.heappop(planned)", "planned.remove(money)\n            saved -= money"),),
        ),
        Mutant(
            "largest-on-top",
            "The dearest of the planned reviews was given up. `heapq` keeps the smallest on top; no sign is to be turned.",
            swaps=(
                ("heapq.heappush(planned, money)", "heapq.heappush(planned, -money)"),
                ("saved -= heapq.heappop(planned)", "saved += heapq.heappop(planned)"),
            ),
        ),
        Mutant(
            "analysts-forgotten",
            "One review an hour was planned, however many analysts there are.",
            swaps=(("if len(planned) > due * analysts:", "if len(planned) > due * min(analysts, 1):"),),
        ),
        Mutant(
            "deadlines-ignored",
            "The dearest reviews were added up as if all had time until the last deadline.",
            swaps=(("if len(planned) > due * analysts:", "if len(planned) > max(deadlines) * analysts:"),),
        ),
        Mutant(
            "hours-counted-from-0",
            "A review due in hour d was given d + 1 hours. With a deadline of 0 it is too late.",
            swaps=(("if len(planned) > due * analysts:", "if len(planned) > (due + 1) * analysts:"),),
        ),
        Mutant(
            "loss-first",
            "Reviews were sorted by loss, so the number that fits was compared with the wrong deadline. Go by deadline.",
            swaps=(
                (
                    "in sorted(zip(deadlines, losses)):",
                    "in sorted(zip(deadlines, losses), key=lambda pair: -pair[1]):",
                ),
            ),
        ),
        Mutant(
            "one-review-a-deadline",
            "Of the reviews with the same deadline only the dearest was taken. Several fit when there are hours before.",
            swaps=(
                (
                    "in sorted(zip(deadlines, losses)):",
                    "in sorted(dict(sorted(zip(deadlines, losses))).items()):",
                ),
            ),
        ),
        Mutant(
            "negative-taken",
            "Negative deadlines or losses were taken. Raise ValueError.",
            swaps=((" or any(value < 0 for value in deadlines + losses):", ":"),),
        ),
    ),
    accepted=(latest_free_hour, from_the_last_hour),
    growth=Growth(
        case=large,
        n=3000,
        says="For every review the hours, or the planned reviews, are searched one by one. Let a heap give the cheapest "
        "planned one.",
    ),
    shrink=rows(0, 1, noun="reviews"),
)
