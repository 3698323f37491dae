"""Totals of many ranges by running totals: half-open, with a leading zero, exact in cents."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import first_of, lists, rows


def one_by_one(amounts, starts, stops):
    """The oracle: Python's integers, added up for each range."""
    values = [int(amount) for amount in amounts]
    return [sum(values[start:stop]) for start, stop in zip(starts, stops, strict=True)]


def _ranges(rng: np.random.Generator, n: int, q: int) -> tuple[np.ndarray, np.ndarray]:
    ends = np.sort(rng.integers(0, n + 1, (q, 2)), axis=1)
    return ends[:, 0].copy(), ends[:, 1].copy()


def cases(rng: np.random.Generator) -> list[Case]:
    """Borders first, then what needs 64 bits, then drawn ranges."""
    small = [500, 250, -100, 900, 40]
    found = [
        Case("two ranges", (small, [1, 2], [3, 5])),
        Case(
            "from the first amount on", (small, [0, 0], [1, 5]), why="a range may begin at 0, before any running total"
        ),
        Case("empty ranges", (small, [0, 3, 5], [0, 3, 5]), why="no amounts add up to 0, at the very end too"),
        Case("no amounts, one empty range", ([], [0], [0])),
        Case("no ranges", (small, [], [])),
        Case(
            "totals beyond 32 bits",
            (np.full(6, 2_000_000_000, dtype=np.int32), [0, 1, 5], [6, 3, 6]),
            why="12 billion cents do not fit into 32 bits: add in 64, whatever the amounts came in",
        ),
        Case(
            "a cent beside a large total",
            ([9_007_199_254_740_993, 1, 1, 1], [1, 2, 0], [2, 4, 1]),
            why="floats hold 53 bits: beyond them a cent is lost, integers keep it",
        ),
        Case("start behind stop", (small, [3], [2]), raises="ValueError"),
        Case("start below 0", (small, [-2], [4]), raises="ValueError", why="-2 is no position from the end here"),
        Case("stop behind the end", (small, [2], [6]), raises="ValueError", why="a slice would cut it in silence"),
        Case("a missing stop", (small, [1, 2], [3]), raises="ValueError"),
    ]
    for n, q in ((20, 8), (60, 20), (200, 30)):
        found.append(Case(f"{q} ranges of {n} amounts", (rng.integers(-500, 5_000, n), *_ranges(rng, n, q))))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """As many ranges as amounts."""
    return Case(f"{n} ranges of {n} amounts", (rng.integers(0, 5_000, n), *_ranges(rng, n, n)))


def list_of_totals(amounts, starts, stops):
    """Accepted: a plain list of running totals and Python's integers."""
    totals = [0]
    for amount in amounts:
        totals.append(totals[-1] + int(amount))
    answers = []
    if len(starts) != len(stops):
        raise ValueError("starts and stops do not fit")
    for a, b in zip(starts, stops, strict=True):
        if not 0 <= a <= b < len(totals):
            raise ValueError(f"range {a}..{b} is not within the list")
        answers.append(totals[b] - totals[a])
    return answers


def swept(amounts, starts, stops):
    """Accepted: one walk over the list that adds and takes off the total where ranges end and begin."""
    if len(starts) != len(stops):
        raise ValueError("one stop for each start, please")
    events = {}
    for i, (a, b) in enumerate(zip(starts, stops, strict=True)):
        if a < 0 or b < a or b > len(amounts):
            raise ValueError(f"no such range: {(a, b)}")
        events.setdefault(int(a), []).append((i, -1))
        events.setdefault(int(b), []).append((i, 1))
    out, so_far = [0] * len(starts), 0
    for position in range(len(amounts) + 1):
        for i, sign in events.get(position, ()):
            out[i] += sign * so_far
        so_far += int(amounts[position]) if position < len(amounts) else 0
    return out


EXERCISE = Exercise(
    id="range_totals",
    title="Totals of many ranges",
    minutes=10,
    difficulty="easy",
    feeds="05",
    week="1-2",
    hints=(
        "Two ranges that overlap add the same amounts twice. What could be computed once for all of them?",
        "Let entry i be the total of the first i amounts. Which two entries give a range?",
        "Begin the running totals with a 0, so that there are n + 1 of them: `np.cumsum`, and a 0 in front. Mind the dtype.",
    ),
    cases=cases,
    expect=one_by_one,
    agree=exact,
    mutants=(
        Mutant(
            "stop-included",
            "The amount at `stop` was added too. The range ends before it.",
            swaps=(("running[stops]", "running[np.minimum(stops + 1, len(amounts))]"),),
        ),
        Mutant(
            "no-leading-zero",
            "Without a 0 in front the running totals are off by one: the first amount of the range is lost. "
            "Entry i should be the total of the first i amounts.",
            swaps=(
                ("np.concatenate([[0], np.cumsum(amounts, dtype=np.int64)])", "np.cumsum(amounts, dtype=np.int64)"),
                ("running[stops] - running[starts]", "running[stops - 1] - running[starts] if len(amounts) else stops"),
            ),
        ),
        Mutant(
            "added-in-32-bits",
            "The totals were kept in 32 bits and overflowed. Add in 64 bits, whatever type the amounts have.",
            swaps=(("np.cumsum(amounts, dtype=np.int64)", "np.cumsum(amounts, dtype=np.int64).astype(np.int32)"),),
        ),
        Mutant(
            "added-in-floats",
            "The totals were added as floats, which lose a cent beside 90 trillion dollars. Whole cents are exact.",
            swaps=(("np.cumsum(amounts, dtype=np.int64)", "np.cumsum(amounts, dtype=float)"),),
        ),
        Mutant(
            "borders-not-checked",
            "A range outside the list was answered: a negative start counts from the end, a start behind its stop gives "
            "the negative total. Raise ValueError.",
            swaps=(
                ("(starts < 0).any() or (starts > stops).any() or (stops > len(amounts)).any()", "False"),
                ("running[stops]", "running[np.minimum(stops, len(amounts))]"),
            ),
        ),
        Mutant(
            "each-range-added-up",
            "The totals are right, but every range is added up anew, which takes n times q steps.",
            swaps=(
                (
                    "return running[stops] - running[starts]",
                    "plain = [int(amount) for amount in amounts]\n"
                    "    return [sum(plain[a:b]) for a, b in zip(starts, stops)]",
                ),
            ),
        ),
    ),
    accepted=(list_of_totals, swept),
    growth=Growth(
        large, n=3_000, says="Every range is added up anew. Compute running totals once and subtract two of them."
    ),
    shrink=first_of(rows(1, 2, noun="ranges"), lists(0, noun="amounts")),
)
