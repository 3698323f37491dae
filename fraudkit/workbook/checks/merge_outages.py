"""Merging intervals: contained ones, touching ones, a tolerated gap, and any order."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import rows


def joined_in_pairs(start, end, gap=0):
    """The oracle: labels spread over every pair of reports that belong together, until none changes."""
    begins, ends = np.asarray(start), np.asarray(end)
    near = (begins[:, None] <= ends[None, :] + gap) & (begins[None, :] <= ends[:, None] + gap)
    label = np.arange(len(begins))
    while len(begins):
        spread = np.where(near, label[None, :], len(begins)).min(axis=1)
        if np.array_equal(spread, label):
            break
        label = spread
    groups = [label == one for one in np.unique(label)]
    return sorted((begins[group].min().item(), ends[group].max().item()) for group in groups)


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same pairs; an empty array of any width stands for no outage."""
    if not expected:
        ok = isinstance(got, list | tuple | np.ndarray) and len(got) == 0
        return "" if ok else "there was no outage: the answer should be empty"
    return exact(got, expected, case)


def cases(rng: np.random.Generator) -> list[Case]:
    """Overlaps of every kind, the gap and its borders, then random ones."""
    found = [
        Case("four reports, as lists", ([10, 0, 40, 12], [20, 15, 45, 13])),
        Case("one report", (np.array([5]), np.array([9]))),
        Case("no report", (np.array([], dtype=int), np.array([], dtype=int)), why="nothing reported: an empty list"),
        Case(
            "a short one inside a long one",
            (np.array([0, 10, 50]), np.array([100, 20, 60])),
            why="an outage ends with the latest end, which need not be the end of the latest report",
        ),
        Case(
            "back to front",
            (np.array([30, 10, 20, 0]), np.array([35, 15, 25, 5])),
            why="the outages are asked for by rising start, and reports come in any order",
        ),
        Case(
            "two that touch",
            (np.array([0, 10]), np.array([10, 20])),
            why="where one ends and the next starts in the same second, nothing is free between them",
        ),
        Case(
            "exactly the gap", (np.array([0, 15]), np.array([10, 20]), 5), why="at most 5 seconds free: 5 are allowed"
        ),
        Case(
            "more than the gap",
            (np.array([0, 16]), np.array([10, 20]), 5),
            why="6 seconds free are more than 5; and the gap does not make an outage longer",
        ),
        Case(
            "a chain",
            (np.array([0, 8, 16, 24]), np.array([9, 17, 25, 30])),
            why="reports joined through others are one outage, though the first does not reach the last",
        ),
        Case(
            "one that starts first and ends last",
            (np.array([5, 7, 0]), np.array([6, 8, 50])),
            why="in order of their ends the long report comes too late to join what it contains",
        ),
        Case(
            "reports of no length",
            (np.array([3, 3, 8]), np.array([3, 3, 8])),
            why="a report whose start is its end counts",
        ),
        Case("times with fractions", (np.array([0.5, 2.25, 9.0]), np.array([2.25, 3.5, 9.75]), 0.5)),
        Case("an end before its start", (np.array([0, 9]), np.array([5, 7])), raises="ValueError"),
        Case("lengths differ", ([0, 9], [5]), raises="ValueError"),
        Case("a negative gap", ([0, 9], [5, 12], -1), raises="ValueError"),
    ]
    for size, gap in ((8, 0), (25, 3), (60, 0), (60, 12)):
        starts = rng.integers(0, 15 * size, size)
        lengths = rng.integers(0, 25, size)
        found.append(Case(f"{size} reports, gap {gap}", (starts, starts + lengths, gap)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """n reports that leave about n / 2 outages, to see how time grows."""
    starts = rng.permutation(np.arange(n) * 10)
    return Case(f"{n} reports", (starts, starts + rng.integers(1, 19, n)))


def by_running_end(start, end, gap=0):
    """Accepted: arrays; an outage begins where the start passes the running maximum of the ends before."""
    begins, ends = np.asarray(start), np.asarray(end)
    if begins.shape != ends.shape or gap < 0 or (ends < begins).any():
        raise ValueError("reports do not fit")
    if not begins.size:
        return []
    order = begins.argsort(kind="stable")
    begins, reach = begins[order], np.maximum.accumulate(ends[order])
    first = np.append(True, begins[1:] > reach[:-1] + gap)
    last = np.append(first[1:], True)
    return list(zip(begins[first].tolist(), reach[last].tolist(), strict=True))


def by_sweep(start, end, gap=0):
    """Accepted: a sweep over starts and ends that counts how many reports are open, ends moved back by the gap."""
    if gap < 0 or len(start) != len(end):
        raise ValueError("gap or lengths")
    marks = []
    for row in range(len(start)):
        if end[row] < start[row]:
            raise ValueError(f"report {row} ends before it starts")
        marks.append((start[row], 0))
        marks.append((end[row] + gap, 1))
    marks.sort()
    outages, open_now = [], 0
    for moment, closing in marks:
        if closing:
            open_now -= 1
            if open_now == 0:
                outages[-1].append(moment - gap)
        else:
            if open_now == 0:
                outages.append([moment])
            open_now += 1
    return [tuple(pair) for pair in outages]


EXERCISE = Exercise(
    id="merge_outages",
    title="Outages that are one",
    minutes=15,
    difficulty="medium",
    feeds="12",
    week="1-2",
    hints=(
        "In which order do you have to look at the reports so that only one outage can still grow?",
        "By rising start. A report joins the open outage when it starts no later than that one's end, plus the gap.",
        "When it joins, which of the two ends is the outage's? Think of a short report inside a long one.",
    ),
    cases=cases,
    expect=joined_in_pairs,
    agree=agree,
    mutants=(
        Mutant(
            "end-of-the-last-report",
            "The outage got the end of the report that joined last. A short report inside a long one must not shorten "
            "it: keep the later of both ends.",
            swaps=(("max(merged[-1][1], finish))", "finish)"),),
        ),
        Mutant(
            "reports-not-sorted",
            "The reports were taken as they come. Sort them by start, so that only the last outage can still grow.",
            swaps=(("in sorted(zip(starts, ends)):", "in zip(starts, ends):"),),
        ),
        Mutant(
            "sorted-by-end",
            "The reports were sorted by their end. A long report then comes after the outages that it contains.",
            swaps=(("sorted(zip(starts, ends))", "sorted(zip(starts, ends), key=lambda pair: pair[1])"),),
        ),
        Mutant(
            "touching-apart",
            "Reports that touch, or leave exactly the gap, were kept apart. At most `gap` seconds may be free.",
            swaps=(("begin <= merged[-1][1] + gap", "begin < merged[-1][1] + gap"),),
        ),
        Mutant(
            "gap-ignored",
            "Only overlapping and touching reports were joined. Up to `gap` seconds may lie between them.",
            swaps=(("begin <= merged[-1][1] + gap", "begin <= merged[-1][1]"),),
        ),
        Mutant(
            "gap-added-to-the-end",
            "The gap was added to the ends, so outages last longer than anybody reported. It only decides what joins.",
            swaps=(("return merged", "return [(begin, finish + gap) for begin, finish in merged]"),),
        ),
        Mutant(
            "gap-on-both-sides",
            "The gap was allowed twice, behind the end and before the start. It is the whole free time between two.",
            swaps=(("begin <= merged[-1][1] + gap", "begin - gap <= merged[-1][1] + gap"),),
        ),
        Mutant(
            "ends-not-checked",
            "A report that ends before it starts was taken. Raise ValueError.",
            swaps=(("if finish < begin:", "if False:"),),
        ),
    ),
    accepted=(by_running_end, by_sweep),
    growth=Growth(
        case=large,
        n=2000,
        says="Every report is compared with every outage so far. Sort by start: then only the last outage can be "
        "reached.",
    ),
    shrink=rows(0, 1, noun="reports"),
)
