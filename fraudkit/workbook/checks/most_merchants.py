"""The most different merchants in a sliding window, in linear time, and when they were reached first."""

from __future__ import annotations

from collections import Counter, deque

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import rows


def each_window_anew(event_time, merchant, window):
    """The oracle: brute force, the set of merchants of every window."""
    times = [int(moment) for moment in event_time]
    merchants = list(np.asarray(merchant).tolist())
    most, end = 0, None
    for now in times:
        inside = {name for moment, name in zip(times, merchants, strict=True) if now - window < moment <= now}
        if len(inside) > most:
            most, end = len(inside), now
    return most, end


def cases(rng: np.random.Generator) -> list[Case]:
    """The borders, merchants that come again, many that leave at once, then random ones."""
    found = [
        Case("six payments, as lists", ([0, 20, 30, 50, 70, 300], ["a", "b", "a", "c", "d", "e"], 60)),
        Case("one payment", (np.array([1000]), np.array([7]), 60)),
        Case("no payment", (np.array([], dtype=int), np.array([], dtype=int), 60), why="(0, None) without payments"),
        Case(
            "one merchant again and again",
            (np.array([0, 1, 2, 3]), np.array([5, 5, 5, 5]), 60),
            why="merchants are counted, not payments",
        ),
        Case(
            "exactly a window apart",
            (np.array([0, 60, 110]), np.array([1, 2, 1]), 60),
            why="a payment 60 seconds before the end is outside a window of 60 seconds",
        ),
        Case(
            "the merchant of the payment that leaves has another inside",
            (np.array([0, 50, 70, 80]), np.array([1, 1, 2, 3]), 60),
            why="when an old payment leaves, its merchant stays as long as a newer payment there is inside",
        ),
        Case(
            "a quiet hour empties the window",
            (np.array([0, 1, 2, 100, 160]), np.array([1, 1, 1, 2, 3]), 50),
            why="all that is too old leaves, not just one payment for each that comes",
        ),
        Case(
            "across a full minute",
            (np.array([50, 55, 62, 68]), np.array([1, 2, 3, 4]), 60),
            why="the window slides; it does not begin anew at full minutes",
        ),
        Case(
            "the same number twice",
            (np.array([0, 1, 500, 501]), np.array([1, 2, 3, 4]), 60),
            why="the end is of the first window that has the most",
        ),
        Case("payments of one second", (np.array([9, 9, 9]), np.array([3, 4, 3]), 1)),
        Case(
            "the clock goes back",
            (np.array([10, 20, 15]), np.array([1, 2, 3]), 60),
            raises="ValueError",
            why="the old end may move forward only because the stream is in order",
        ),
        Case("no window", ([1, 2], [1, 1], 0), raises="ValueError"),
        Case("lengths differ", ([1, 2, 3], [1, 1], 60), raises="ValueError"),
    ]
    for size, merchants, window in ((30, 6, 20), (80, 12, 30), (150, 40, 90)):
        times = np.sort(rng.integers(0, 3 * size, size))
        found.append(
            Case(f"{size} payments at {merchants} merchants", (times, rng.integers(0, merchants, size), window))
        )
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of size n in which half of all payments are inside, to see how time grows."""
    return Case(f"{n} payments", (np.sort(rng.integers(0, 10 * n, n)), rng.integers(0, n // 4, n), 5 * n))


def last_seen(event_time, merchant, window):
    """Accepted: a queue of times, and for every merchant when it was seen last; it leaves with its last payment."""
    if len(event_time) != len(merchant):
        raise ValueError("lengths differ")
    if window <= 0:
        raise ValueError("the window must be above 0")
    best: tuple = (0, None)
    newest, inside, previous = {}, deque(), None
    for moment, who in zip(list(event_time), list(merchant), strict=True):
        if previous is not None and previous > moment:
            raise ValueError("times must not decrease")
        previous = moment
        newest[who] = moment
        inside.append((moment, who))
        while moment - inside[0][0] >= window:
            gone, shop = inside.popleft()
            if newest.get(shop) == gone:
                newest.pop(shop)
        if best[0] < len(newest):
            best = (len(newest), int(moment))
    return best


def by_index(event_time, merchant, window):
    """Accepted: starts of all windows by one binary search, then additions and removals of a Counter."""
    moments, shops = np.asarray(event_time), np.asarray(merchant)
    if moments.shape != shops.shape or window <= 0 or (np.diff(moments) < 0).any():
        raise ValueError("lengths or window do not fit, or the times are not in order")
    firsts = np.searchsorted(moments, moments - window, side="right")
    tally, distinct, begin, found = Counter(), 0, 0, []
    for place, first in enumerate(firsts.tolist()):
        distinct += tally[shops[place]] == 0
        tally[shops[place]] += 1
        for old in shops[begin:first]:
            tally[old] -= 1
            distinct -= tally[old] == 0
        begin = first
        found.append(int(distinct))
    if not found:
        return 0, None
    top = int(np.argmax(found))
    return found[top], int(moments[top])


EXERCISE = Exercise(
    id="most_merchants",
    title="Most merchants within an hour",
    minutes=15,
    difficulty="medium",
    feeds="05",
    week="1-2",
    hints=(
        "Let a window slide over the payments: one comes in at the new end, those that are too old go at the other.",
        "When a payment leaves, may its merchant be forgotten? What do you have to know of a merchant to tell?",
        "A dictionary from merchant to the number of its payments inside; a merchant whose number is 0 is deleted, "
        "and the length of the dictionary is the count.",
    ),
    cases=cases,
    expect=each_window_anew,
    agree=exact,
    mutants=(
        Mutant(
            "payments-counted",
            "Payments inside the window were counted. Several at one merchant count once.",
            swaps=(
                ("if len(counts) > most:", "if sum(counts.values()) > most:"),
                ("most, end = len(counts), now", "most, end = sum(counts.values()), now"),
            ),
        ),
        Mutant(
            "set-of-merchants",
            "A merchant was forgotten with the first of its payments that left, although a newer one was still "
            "inside. Count how many payments each merchant has in the window.",
            swaps=(
                (
                    "counts[left] -= 1\n            if counts[left] == 0:\n                del counts[left]",
                    "counts.pop(left, None)",
                ),
            ),
        ),
        Mutant(
            "zeros-stay",
            "Merchants whose count fell to 0 stayed in the dictionary and were counted for ever. Delete them.",
            swaps=(("if counts[left] == 0:", "if counts[left] < 0:"),),
        ),
        Mutant(
            "closed-old-end",
            "A payment exactly a window ago was taken for inside. The window is open at its old end.",
            swaps=(("while times[start] <= now - window:", "while times[start] < now - window:"),),
        ),
        Mutant(
            "one-leaves-for-each",
            "For each new payment at most one old one left. After a pause many have to: loop until the oldest fits.",
            swaps=(("while times[start] <= now - window:", "if times[start] <= now - window:"),),
        ),
        Mutant(
            "tumbling-windows",
            "Windows began anew at multiples of their length, so a burst across such a moment was cut in two. "
            "Look back from every payment.",
            swaps=(
                (
                    "while times[start] <= now - window:",
                    "while times[start] // window != now // window:",
                ),
            ),
        ),
        Mutant(
            "last-of-equals",
            "The end returned was that of the last window with so many merchants; asked for is the first.",
            swaps=(("if len(counts) > most:", "if len(counts) >= most:"),),
        ),
        Mutant(
            "order-not-checked",
            "Times that go back were taken. The old end then never returns, and the counts are wrong: raise ValueError.",
            swaps=(("if row and now < times[row - 1]:", "if False:"),),
        ),
    ),
    accepted=(last_seen, by_index),
    growth=Growth(
        case=large,
        n=3000,
        says="The merchants of every window are counted anew, n times the window's length. Change the count with each "
        "payment that comes or goes instead.",
    ),
    shrink=rows(0, 1, noun="payments"),
)
