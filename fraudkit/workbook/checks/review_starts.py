"""One analyst, a bounded waiting room: who begins when, and who is turned away."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import rows


def minute_by_minute(arrivals, minutes, room):
    """The oracle: a clock that ticks through every minute."""
    starts = [None] * len(arrivals)
    line, left, case = [], 0, 0
    for minute in range(int(max(arrivals, default=0) + sum(minutes)) + 1):
        if left:
            left -= 1  # the minute that ends now was worked on
        if not left and line:
            first = line.pop(0)
            starts[first], left = minute, minutes[first]
        while case < len(arrivals) and arrivals[case] == minute:
            if not left and not line:
                starts[case], left = minute, minutes[case]
            elif len(line) < room:
                line.append(case)
            case += 1
    return starts


def _drawn(rng: np.random.Generator, n: int, gap: int, length: int) -> tuple[list[int], list[int]]:
    return np.cumsum(rng.integers(0, gap, n)).tolist(), rng.integers(1, length, n).tolist()


def cases(rng: np.random.Generator) -> list[Case]:
    """Borders of waiting and being turned away first, then drawn days."""
    found = [
        Case("one waits, one is turned away", ([0, 1, 2, 30], [10, 5, 5, 5], 1)),
        Case("no cases", ([], [], 2)),
        Case("nobody has to wait", ([0, 10, 25], [5, 5, 5], 0), why="a case that begins at once needs no room"),
        Case(
            "at the minute the analyst becomes free", ([0, 10], [10, 5], 0), why="the review before is over: it begins"
        ),
        Case(
            "no room at all",
            ([0, 5, 10], [10, 5, 5], 0),
            why="the second is turned away and takes no time of the analyst",
        ),
        Case(
            "turned away and forgotten",
            ([0, 1, 2, 3, 14], [10, 4, 50, 50, 2], 1),
            why="a case that was turned away changes nothing for those after it",
        ),
        Case(
            "one begins as another arrives",
            ([0, 1, 10, 11], [10, 5, 5, 5], 1),
            why="the one that begins at this minute no longer waits: there is room again",
        ),
        Case(
            "the one under review does not wait",
            ([0, 1, 2], [9, 9, 9], 2),
            why="two may wait besides the one under review",
        ),
        Case("all at once", ([5, 5, 5, 5, 5], [3, 3, 3, 3, 3], 2), why="one begins, two wait, two are turned away"),
        Case("idle in between", ([0, 50, 51], [5, 5, 5], 1), why="after a pause a case begins when it arrives"),
        Case("late in the day", ([600, 601], [5, 5], 1)),
        Case("a missing duration", ([0, 1], [5], 1), raises="ValueError"),
    ]
    for n, gap, length, room in ((20, 6, 8, 2), (40, 4, 9, 3), (80, 7, 7, 1)):
        found.append(Case(f"{n} cases, room for {room}", (*_drawn(rng, n, gap, length), room)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A long queue that no case is turned away from."""
    return Case(f"{n} cases", (*_drawn(rng, n, 2, 9), n))


def counted_by_search(arrivals, minutes, room):
    """Accepted: all starts in one list; who has begun is found by binary search, not by a queue."""
    from bisect import bisect_right

    if len(arrivals) != len(minutes):
        raise ValueError("lengths")
    begun, out, over = [], [], float("-inf")
    for k, now in enumerate(arrivals):
        in_line = len(begun) - bisect_right(begun, now)
        if over <= now:
            begin = now
        elif in_line < room:
            begin = over
        else:
            out.append(None)
            continue
        over = begin + minutes[k]
        begun.append(begin)
        out.append(begin)
    return out


def events_of_the_day(arrivals, minutes, room):
    """Accepted: the waiting cases themselves in a list with a moving front; reviews are begun as time passes."""
    if not len(arrivals) == len(minutes):
        raise ValueError(f"{len(arrivals)} and {len(minutes)}")
    line, front, end = [], 0, None
    answer = {}
    for case, now in enumerate([*arrivals, float("inf")]):
        while front < len(line) and end <= now:
            answer[line[front]] = end
            end += minutes[line[front]]
            front += 1
        if case == len(arrivals):
            break
        if end is None or (end <= now and front == len(line)):
            answer[case], end = now, now + minutes[case]
        elif len(line) - front < room:
            line.append(case)
    return [answer.get(case) for case in range(len(arrivals))]


EXERCISE = Exercise(
    id="review_starts",
    title="One analyst and a waiting room",
    minutes=15,
    difficulty="easy",
    feeds="12",
    week="1-2",
    hints=(
        "Do not tick through minutes: when a case arrives, you know already when the analyst will be free for it.",
        "Keep that minute, and a queue with the starts of those who wait. Who has begun by now leaves the queue first.",
        "It begins at the later of its arrival and that minute. If it has to wait and the queue is full, write None and "
        "change nothing else.",
    ),
    cases=cases,
    expect=minute_by_minute,
    agree=exact,
    mutants=(
        Mutant(
            "turned-away-takes-time",
            "A case that was turned away kept the analyst busy all the same. It changes nothing for those after it.",
            swaps=(
                (
                    "            starts.append(None)\n",
                    "            starts.append(None)\n            free_at += length\n",
                ),
            ),
        ),
        Mutant(
            "beginning-still-waits",
            "A case whose review begins at this very minute was counted as waiting. It has left the room.",
            swaps=(("waiting[0] <= moment", "waiting[0] < moment"),),
        ),
        Mutant(
            "review-counts-as-waiting",
            "The case under review was counted among those who wait.",
            swaps=(("len(waiting) >= room", "len(waiting) + 1 >= room"),),
        ),
        Mutant(
            "nobody-leaves-the-room",
            "Those whose review has begun were never taken out of the room, so it stays full.",
            swaps=(("            waiting.popleft()", "            break"),),
        ),
        Mutant(
            "no-room-nobody-begins",
            "With a full room a case was turned away although the analyst was free. One that begins at once needs no room.",
            swaps=(("if start > moment and len(waiting) >= room:", "if len(waiting) >= room:"),),
        ),
        Mutant(
            "one-too-many",
            "One case more than `room` was let in. It is turned away where `room` cases are waiting already.",
            swaps=(("len(waiting) >= room", "len(waiting) > room"),),
        ),
        Mutant(
            "never-idle",
            "Each review began when the one before was over, even if its case had not arrived yet.",
            swaps=(("max(moment, free_at)", "free_at if starts else moment"),),
        ),
        Mutant(
            "lengths-cut",
            "Lists of different length were cut to the shorter one, and a case was lost in silence. Raise ValueError.",
            swaps=(("len(arrivals) != len(minutes)", "False"),),
        ),
    ),
    accepted=(counted_by_search, events_of_the_day),
    growth=Growth(
        large,
        n=2_000,
        says="All cases so far are looked at for each new one. Those who have begun leave a queue for good.",
    ),
    shrink=rows(0, 1, noun="cases"),
)
