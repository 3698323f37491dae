"""A card's payments in the last w seconds before each event of a stream, in constant time an event on average."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from itertools import pairwise

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant


def looked_back(event_time, card, window):
    """The oracle: from each event look back over all events before it in the stream."""
    times, cards = np.asarray(event_time), np.asarray(card)
    counts = []
    for now in range(len(times)):
        earlier_of_card = times[:now][cards[:now] == cards[now]]
        counts.append(int(np.count_nonzero(times[now] - earlier_of_card < window)))
    return np.array(counts, dtype=int)


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first: the event itself, the old end, ties, other cards; then random ones."""
    found = [
        Case("one payment", ([1000], [7], 60), why="the payment itself is not counted: nothing came before it"),
        Case("five payments of one card", (np.array([0, 10, 30, 65, 300]), np.ones(5, dtype=int), 60)),
        Case(
            "exactly a window ago",
            (np.array([0, 59, 60, 119, 120]), np.zeros(5, dtype=int), 60),
            why="the window is open at its old end: an event 60 seconds ago is outside a window of 60 seconds",
        ),
        Case(
            "payments of the same second",
            (np.array([5, 5, 5, 6]), np.ones(4, dtype=int), 10),
            why="of one second those that stand earlier in the stream had arrived, and count",
        ),
        Case(
            "two cards in turn, as text",
            ([0, 1, 2, 3, 4, 5], ["a", "b", "a", "b", "b", "a"], 3),
            why="the count is of this card, however many other cards pay in between",
        ),
        Case(
            "many payments leave the window at once",
            (np.array([0, 1, 2, 3, 4, 100, 101, 130]), np.ones(8, dtype=int), 20),
            why="after a quiet hour every old payment has left the window, not just the first",
        ),
        Case(
            "a steady trickle",
            (np.arange(0, 200, 20), np.ones(10, dtype=int), 50),
            why="a sliding window looks back from every payment, not to the last full minute or the last pause",
        ),
        Case("times as floats, from 2025", (1.7356e9 + np.array([0.0, 30.0, 90.0, 91.0]), [3, 3, 3, 4], 90)),
        Case("an empty stream", (np.array([], dtype=int), np.array([], dtype=int), 60)),
        Case(
            "the clock goes back",
            (np.array([10, 20, 15]), np.array([1, 2, 3]), 60),
            raises="ValueError",
            why="a queue holds its oldest event in front only while the stream is in order; of all cards together",
        ),
        Case("no window", ([1, 2], [1, 1], 0), raises="ValueError"),
        Case("lengths differ", ([1, 2, 3], [1, 1], 60), raises="ValueError"),
    ]
    for size, cards, window in ((60, 3, 40), (300, 12, 100)):
        times = np.sort(rng.integers(0, 2 * size, size))
        found.append(Case(f"{size} payments of {cards} cards", (times, rng.integers(0, cards, size), window)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of size n, with everything inside the window, to see how time grows."""
    return Case(f"{n} payments", (np.sort(rng.integers(0, 10 * n, n)), rng.integers(0, 4, n), 100 * n))


def two_pointers(event_time, card, window):
    """Accepted: all times of a card in a list, and where its window begins."""
    if not len(event_time) == len(card) or not window > 0:
        raise ValueError("lengths differ, or the window is not above 0")
    history, begins = defaultdict(list), defaultdict(int)
    counts = np.zeros(len(event_time), dtype=int)
    last = None
    for row in range(len(event_time)):
        now, who = int(event_time[row]), card[row]
        if last is not None and now < last:
            raise ValueError(f"row {row} is earlier than the row before it")
        last = now
        begin = begins[who]
        while begin < len(history[who]) and now - history[who][begin] >= window:
            begin += 1
        begins[who] = begin
        counts[row] = len(history[who]) - begin
        history[who].append(now)
    return counts


def searched(event_time, card, window):
    """Accepted: a binary search in the card's own history, n log n in all."""
    times = [float(moment) for moment in event_time]
    cards = list(card)
    if len(times) != len(cards):
        raise ValueError("event_time and card differ in length")
    if window <= 0:
        raise ValueError("the window must be above 0")
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ValueError("the stream is not in order of time")
    history: dict = {}
    counts = []
    for now, who in zip(times, cards, strict=True):
        own = history.setdefault(who, [])
        counts.append(len(own) - bisect_right(own, now - window))
        own.append(now)
    return counts


EXERCISE = Exercise(
    id="window_count",
    title="Sliding-window count",
    minutes=15,
    difficulty="medium",
    feeds="05",
    week="1-2",
    hints=(
        "What has to be remembered of a card between two of its payments, and what may be forgotten?",
        "Times come in order, so the oldest remembered time is always at the same end. Which structure gives and takes "
        "at both ends in constant time?",
        "One deque a card: drop from the left while the oldest is at or before now - window, count, then append now.",
    ),
    cases=cases,
    expect=looked_back,
    agree=exact,
    mutants=(
        Mutant(
            "counts-itself",
            "The payment was added before the window was counted, so every count is one too high. Count first, then "
            "remember.",
            swaps=(
                ("        counts.append(len(times))\n", ""),
                ("times.append(moment)", "times.append(moment)\n        counts.append(len(times))"),
            ),
        ),
        Mutant(
            "old-end-closed",
            "An event exactly a window ago was counted. The window is open at its old end, or neighbouring windows "
            "would count that event twice.",
            swaps=(("times[0] <= moment - window", "times[0] < moment - window"),),
        ),
        Mutant(
            "same-second-left-out",
            "Earlier payments of the same second were left out. They had arrived, and card testing comes in just such "
            "volleys.",
            swaps=(("counts.append(len(times))", "counts.append(len(times) - times.count(moment))"),),
        ),
        Mutant(
            "all-cards-together",
            "The payments of all cards were counted together. Each card needs a queue of its own.",
            swaps=(("recent[who]", "recent[None]"),),
        ),
        Mutant(
            "nothing-forgotten",
            "All earlier payments of the card were counted, however old. Those that left the window have to go.",
            swaps=(
                (
                    "        while times and times[0] <= moment - window:\n            times.popleft()\n",
                    "",
                ),
            ),
        ),
        Mutant(
            "one-leaves-at-a-time",
            "At most one old payment was dropped at each event. After a pause several have left the window: go on "
            "while the oldest is outside.",
            swaps=(("while times and", "if times and"),),
        ),
        Mutant(
            "tumbling-window",
            "Time was cut into fixed blocks, and the count begins anew at each. A burst across a boundary is seen as "
            "two small ones; look back from each payment.",
            swaps=(("times[0] <= moment - window", "times[0] < moment - moment % window"),),
        ),
        Mutant(
            "session-window",
            "The count was cleared after a pause only, so it grows as long as payments keep coming. Compare the oldest "
            "with now, not the newest.",
            swaps=(
                (
                    "while times and times[0] <= moment - window:\n            times.popleft()",
                    "if times and times[-1] <= moment - window:\n            times.clear()",
                ),
            ),
        ),
        Mutant(
            "disorder-taken",
            "A stream whose clock goes back was taken. The queues are then out of order and the counts silently wrong.",
            swaps=(("if moment < latest:", "if False:"),),
        ),
        Mutant(
            "window-not-checked",
            "A window of nought was taken; it counts nothing for ever, which nobody wants. Raise ValueError.",
            swaps=((" or window <= 0", ""),),
        ),
        Mutant(
            "rescans-the-history",
            "The counts are right, but each event looks at all that the window holds. Under an attack the window is "
            "full exactly when speed matters.",
            swaps=(
                (
                    "        while times and times[0] <= moment - window:\n            times.popleft()\n",
                    "",
                ),
                ("counts.append(len(times))", "counts.append(sum(past > moment - window for past in times))"),
            ),
        ),
    ),
    accepted=(two_pointers, searched),
    growth=Growth(
        large,
        n=3_000,
        says="Keep each card's times in a queue: every time goes in once and out once, and the length is the count.",
    ),
    plug="feature",
)
