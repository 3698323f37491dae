"""Islands in a table of days and hours: midnight joins, corners do not, cells count once, recursion is too deep."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_labels(frauds, least):
    """The oracle: every hot cell takes the smallest label among itself and its neighbours until no label changes."""
    table = np.asarray(frauds)
    hot, hours = table.ravel() >= least, table.shape[-1]
    label = np.where(hot, np.arange(hot.size), hot.size)
    while True:
        before = label.copy()
        for step in {1, hours}:
            if step < label.size:
                label[step:] = np.minimum(label[step:], label[:-step])
                label[:-step] = np.minimum(label[:-step], label[step:])
                label[~hot] = hot.size
        if np.array_equal(before, label):
            return np.sort(np.unique(label[hot], return_counts=True)[1])[::-1].tolist()


def cases(rng: np.random.Generator) -> list[Case]:
    """Midnight, corners, the threshold itself, a full table; then random ones."""
    full = np.full((60, 24), 2)
    found = [
        Case("two islands", ([[2, 2, 0, 0], [0, 2, 0, 2], [0, 0, 0, 2]], 2)),
        Case(
            "across midnight",
            ([[0, 0, 0, 5], [5, 5, 0, 0]], 3),
            why="after the last hour of a day comes the first hour of the next day",
        ),
        Case(
            "evening and morning of the same day",
            ([[5, 0, 0, 5], [0, 0, 0, 0]], 3),
            why="the first and the last hour of the same day are a day apart",
        ),
        Case("corners", ([[0, 4, 0], [0, 0, 4], [0, 4, 0]], 1), why="neighbours share an hour or a day, not a corner"),
        Case("just at the threshold", ([[3, 2, 3], [0, 3, 0]], 3), why="hot is at least the threshold, not above it"),
        Case("nothing is hot", ([[0, 1], [1, 0]], 2)),
        Case("a round island", ([[0, 1, 1, 1, 0], [0, 1, 0, 1, 0], [0, 1, 1, 1, 0]], 1)),
        Case("one column", ([[1], [1], [0], [7]], 1)),
        Case("a threshold of nought", ([[0, 1]], 0), raises="ValueError"),
        Case("a full table", (full, 2), why="1,440 cells in one island: recursion is too deep here"),
    ]
    comb = np.zeros((21, 24), dtype=np.int64)
    comb[:, 1:-1:2] = 1
    comb[rng.integers(0, 21), 1:-1] = 1
    found.append(Case("a comb", (comb, 1)))
    for days, hours in ((5, 6), (30, 24), (12, 24)):
        found.append(Case(f"{days} days of {hours} hours", (rng.poisson(2.1, (days, hours)), 3)))
    return found


def long_rows(rng: np.random.Generator, n: int) -> Case:
    """Everything is hot."""
    return Case(f"{n} days", (np.ones((n, 24), dtype=np.int64), 1))


def union_of_hours(frauds, least):
    """Accepted: cells in order of time are joined with the hour before and the day before."""
    if least < 1:
        raise ValueError(least)
    width = len(frauds[0])
    flat = [count >= least for row in frauds for count in row]
    head = list(range(len(flat)))

    def find(i):
        while head[i] != i:
            head[i] = head[head[i]]
            i = head[i]
        return i

    for i, is_hot in enumerate(flat):
        for back in (1, width):
            if is_hot and i >= back and flat[i - back]:
                head[find(i)] = find(i - back)
    counts = {}
    for i, is_hot in enumerate(flat):
        if is_hot:
            counts[find(i)] = counts.get(find(i), 0) + 1
    return sorted(counts.values())[::-1]


def waves_on_grid(frauds, least):
    """Accepted: day and hour kept apart, a wave of cells at a time, a table of what was visited."""
    if not least >= 1:
        raise ValueError("least")
    grid = np.array(frauds)
    days, hours = grid.shape
    fresh = grid >= least
    out = []
    for day, hour in np.argwhere(fresh):
        if not fresh[day, hour]:
            continue
        fresh[day, hour] = False
        wave, total = [(day, hour)], 0
        while wave:
            total += len(wave)
            following = []
            for d, h in wave:
                ends = [(d - 1, h), (d + 1, h)]
                ends.append((d, h + 1) if h + 1 < hours else (d + 1, 0))
                ends.append((d, h - 1) if h else (d - 1, hours - 1))
                for a, b in ends:
                    if 0 <= a < days and fresh[a, b]:
                        fresh[a, b] = False
                        following.append((a, b))
            wave = following
        out.append(total)
    return -np.sort(-np.array(out, dtype=int))


EXERCISE = Exercise(
    id="risk_islands",
    title="Islands of bad hours",
    minutes=15,
    difficulty="medium",
    feeds="10",
    week="1-2",
    hints=(
        "Take any hot cell and spread to its neighbours until nothing new comes: that is one island. Then the next.",
        "Mark a cell when it is put on the stack, not when it is taken off. Do not recurse.",
        "Number the hours of all days through. Which numbers are next to number i?",
    ),
    cases=cases,
    expect=by_labels,
    agree=exact,
    mutants=(
        Mutant(
            "midnight-ignored",
            "The day's last hour was not joined with the next day's first. A night's burst is cut in two.",
            swaps=(
                (
                    "                if near in hot:",
                    "                if near in hot and not (abs(near - cell) == 1 and near // hours != cell // "
                    "hours):",
                ),
            ),
        ),
        Mutant(
            "same-day-joined",
            "The last hour was joined with the first hour of the same day. They are a day apart; the next is "
            "tomorrow's.",
            swaps=(
                (
                    "(cell - 1, cell + 1, cell - hours, cell + hours)",
                    "(cell // hours * hours + (cell - 1) % hours, cell // hours * hours + (cell + 1) % hours, "
                    "cell - hours, cell + hours)",
                ),
            ),
        ),
        Mutant(
            "corners-count",
            "Cells that touch at a corner were joined. Neighbours have the hour or the day in common.",
            swaps=(
                (
                    "cell - hours, cell + hours)",
                    "*range(cell - hours - 1, cell - hours + 2), *range(cell + hours - 1, cell + hours + 2))",
                ),
            ),
        ),
        Mutant(
            "above-the-threshold",
            "A cell with exactly `least` frauds is hot: at least, not above.",
            swaps=(("frauds >= least", "frauds > least"),),
        ),
        Mutant(
            "marked-too-late",
            "A cell is marked when it is taken from the stack. Until then its neighbours put it there again, and it "
            "is counted "
            "more than once.",
            swaps=(
                ("                    hot.remove(near)\n", ""),
                ("            size += 1\n", "            size += 1\n            hot.discard(cell)\n"),
            ),
        ),
        Mutant(
            "smallest-first",
            "The islands come smallest first; the largest is what somebody should look at.",
            swaps=(("sorted(sizes, reverse=True)", "sorted(sizes)"),),
        ),
        Mutant(
            "only-forward",
            "The search goes only to later hours and days. An island can go back in time from the cell it is entered "
            "at.",
            swaps=(("(cell - 1, cell + 1, cell - hours, cell + hours)", "(cell + 1, cell + hours)"),),
        ),
        Mutant(
            "marks-in-a-list",
            "The sizes are right, but the hot cells lie in a list, and each look-up reads it from the front. Use a "
            "set or a table.",
            swaps=(
                (
                    "hot = set(np.flatnonzero(frauds >= least).tolist())",
                    "hot = np.flatnonzero(frauds >= least).tolist()",
                ),
            ),
        ),
    ),
    accepted=(union_of_hours, waves_on_grid),
    growth=Growth(
        long_rows,
        n=25,
        says="Keep the hot cells in a set, or the marks in a table: a look-up must not take longer in a large one.",
    ),
    shrink=lists(0, noun="days"),
)
