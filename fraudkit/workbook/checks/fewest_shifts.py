"""Covering a stretch of time with as few intervals as possible: greedy by reach, and holes."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.agree import brief
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import rows


def fewest_by_steps(begin, end, first, last):
    """The oracle: breadth first over the moments that can be reached with 0, 1, 2 … shifts, whatever the choice."""
    begins, ends = np.asarray(begin), np.asarray(end)
    came_from: dict[int, tuple[int, int]] = {}
    layer = [int(first)]
    seen = {int(first)}
    while layer and not any(moment >= last for moment in layer):
        following = []
        for moment in layer:
            for row in np.flatnonzero((begins <= moment) & (ends > moment)).tolist():
                reached = int(ends[row])
                if reached not in seen:
                    seen.add(reached)
                    came_from[reached] = (moment, row)
                    following.append(reached)
        layer = following
    moment = next(moment for moment in layer if moment >= last)
    chosen = []
    while moment in came_from:
        moment, row = came_from[moment]
        chosen.append(row)
    return chosen


def agree(got: Any, expected: Any, case: Case) -> str:
    """Any choice that is as small and covers everything."""
    if not isinstance(got, list | tuple | np.ndarray):
        return f"the answer is {brief(got)}, expected a list of row numbers"
    begin, end, first, last = case.args
    rows_ = [int(row) for row in got]
    if any(not 0 <= row < len(begin) or row != given for row, given in zip(rows_, got, strict=True)):
        return f"{brief(got)} holds something that is no row of the shifts"
    covered = first
    for row in sorted(rows_, key=lambda row: begin[row]):
        if begin[row] > covered:
            break
        covered = max(covered, end[row])
    if covered < last:
        return f"with the shifts {brief(rows_)} nobody is there at minute {covered}"
    if len(rows_) > len(expected):
        return f"{len(rows_)} shifts cover it, but {len(expected)} suffice"
    return ""


def cases(rng: np.random.Generator) -> list[Case]:
    """Small traps of the wrong greedy rules, holes, then random rosters."""
    found = [
        Case("four shifts, as lists", ([0, 200, 100, 420], [240, 400, 480, 600], 0, 600)),
        Case("nothing to cover", (np.array([0, 5]), np.array([10, 15]), 7, 7), why="no shift is needed"),
        Case("one shift is enough", (np.array([50, 0, 20]), np.array([90, 100, 80]), 10, 95)),
        Case(
            "shifts that touch",
            (np.array([0, 100, 200]), np.array([100, 200, 300]), 0, 300),
            why="a shift may begin in the very minute in which the one before ends",
        ),
        Case(
            "a long one in the middle",
            (np.array([0, 100, 60, 200]), np.array([100, 200, 230, 300]), 0, 300),
            why="the longest shift is not always needed; what counts is how far a shift reaches",
        ),
        Case(
            "many that begin at once",
            (np.array([0, 0, 0, 20, 40, 60]), np.array([30, 50, 40, 45, 60, 100]), 0, 100),
            why="of all that have begun, the one that ends last",
        ),
        Case(
            "each begins a little later",
            (np.array([0, 10, 20, 30, 40]), np.array([50, 60, 70, 80, 90]), 0, 90),
            why="not every shift that reaches farther is worth taking: see first what else has begun by then",
        ),
        Case(
            "begun before the day",
            (np.array([-60, -30, 40]), np.array([50, 45, 120]), 0, 100),
            why="a shift may begin before the first minute and end after the last",
        ),
        Case(
            "over before the day",
            (np.array([-90, -60, 0, 5]), np.array([-50, 0, 30, 90]), 0, 60),
            why="a shift that is over by the first minute covers nothing",
        ),
        Case(
            "a hole in the middle",
            (np.array([0, 60]), np.array([50, 100]), 0, 100),
            raises="ValueError",
            why="where nobody is there, no choice helps; raise instead of returning half a day",
        ),
        Case("nobody at the start", (np.array([10, 40]), np.array([50, 100]), 0, 100), raises="ValueError"),
        Case("nobody at the end", (np.array([0, 40]), np.array([50, 99]), 0, 100), raises="ValueError"),
        Case("no shift at all", (np.array([], dtype=int), np.array([], dtype=int), 0, 10), raises="ValueError"),
    ]
    for size, day in ((8, 100), (30, 400), (60, 600)):
        begins = rng.permutation(np.linspace(0, day, size, endpoint=False).astype(int))
        ends = begins + rng.integers(day // size + 2, day // 4, size)
        found.append(Case(f"{size} shifts", (begins, ends, 0, day)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """n shifts, of which about a half is needed, to see how time grows."""
    begins = rng.permutation(np.arange(n) * 10)
    return Case(f"{n} shifts", ((begins).tolist(), (begins + 15).tolist(), 0, 10 * n))


def farthest_from_each(begin, end, first, last):
    """Accepted: for each begin the farthest reach so far, found by binary search."""
    begins, ends = np.asarray(begin), np.asarray(end)
    order = np.argsort(begins, kind="stable")
    reach = np.maximum.accumulate(ends[order]) if len(order) else ends
    winner: list = []
    for place, row in enumerate(order.tolist()):
        winner.append(row if not winner or ends[row] >= reach[place - 1] else winner[-1])
    sorted_begins, answer, moment = begins[order], [], first
    while moment < last:
        place = int(np.searchsorted(sorted_begins, moment, side="right")) - 1
        if place < 0 or reach[place] <= moment:
            raise ValueError("the shifts leave a hole")
        answer.append(winner[place])
        moment = reach[place]
    return answer


def from_the_evening(begin, end, first, last):
    """Accepted: backwards, from the last minute to the first, always the shift that began earliest."""
    shifts = sorted(zip(end, begin, range(len(begin)), strict=True), reverse=True)
    picked, open_until = [], last
    queue = iter(shifts)
    candidate, earliest = None, None
    shift = next(queue, None)
    while open_until > first:
        while shift is not None and shift[0] >= open_until:
            if earliest is None or shift[1] < earliest:
                earliest, candidate = shift[1], shift[2]
            shift = next(queue, None)
        if earliest is None or earliest >= open_until:
            raise ValueError(f"a hole before minute {open_until}")
        picked.append(candidate)
        open_until = earliest
    return picked


EXERCISE = Exercise(
    id="fewest_shifts",
    title="The fewest shifts that cover a day",
    minutes=20,
    difficulty="medium",
    feeds="11",
    week="1-2",
    hints=(
        "Think of the first moment that nobody covers yet. Which shifts can cover it, and which of them is best?",
        "Of all shifts that have begun by then, the one that ends last; then stand at its end and ask again.",
        "Sort by begin and go through once: a shift that was passed over is never needed again.",
    ),
    cases=cases,
    expect=fewest_by_steps,
    agree=agree,
    mutants=(
        Mutant(
            "whatever-reaches-farther",
            "Each shift that reached a little farther was taken. Look at all that have begun by the uncovered moment "
            "and take only the one that ends last.",
            swaps=(
                (
                    "best, reach = order[place], end[order[place]]\n            place += 1",
                    "best, reach = order[place], end[order[place]]\n                place += 1\n"
                    "                break\n            place += 1",
                ),
            ),
        ),
        Mutant(
            "longest-first",
            "Of the shifts that have begun the longest was taken. What counts is where it ends, not how long it is.",
            swaps=(
                (
                    "if end[order[place]] > reach:\n                best, reach",
                    "if end[order[place]] > covered and (best is None or end[order[place]] - begin[order[place]]"
                    " > end[best] - begin[best]):\n                best, reach",
                ),
            ),
        ),
        Mutant(
            "must-overlap",
            "A shift had to begin before the one in front of it ends. Touching is enough: ends are open.",
            swaps=(
                ("begin[order[place]] <= covered:", "begin[order[place]] < covered or begin[order[place]] <= first:"),
            ),
        ),
        Mutant(
            "hole-passed-over",
            "At a hole the search just stopped, and half a day was returned as if it were covered. Raise ValueError.",
            swaps=(('raise ValueError(f"nobody is there at minute {covered}")', "break"),),
        ),
        Mutant(
            "rows-not-sorted",
            "The shifts were taken in the order of the rows. Sort them by begin first.",
            swaps=(("sorted(range(len(begin)), key=lambda row: begin[row])", "list(range(len(begin)))"),),
        ),
        Mutant(
            "starts-with-the-first-shift",
            "The cover was built from the earliest begin on. It has to begin with the first minute of the day; shifts "
            "that are over by then are not needed.",
            swaps=(
                (
                    "chosen, covered, place = [], first, 0",
                    "chosen, covered, place = [], begin[order[0]] if order and first < last else first, 0",
                ),
            ),
        ),
        Mutant(
            "places-of-the-sorted-list",
            "The places among the sorted shifts were returned in the place of their row numbers.",
            swaps=(("chosen.append(best)", "chosen.append(order.index(best) if best is not None else best)"),),
        ),
        Mutant(
            "number-returned",
            "Only the number of shifts was returned. Asked for are their rows.",
            swaps=(("return chosen", "return len(chosen)"),),
        ),
    ),
    accepted=(farthest_from_each, from_the_evening),
    growth=Growth(
        case=large,
        n=4000,
        says="At every uncovered moment all shifts are searched. After sorting by begin, one pass is enough.",
    ),
    shrink=rows(0, 1, noun="shifts"),
)
