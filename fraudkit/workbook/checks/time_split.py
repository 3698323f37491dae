"""A split by time that respects when labels became known: gap, half-open weeks, units of time."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from fraudkit.workbook.agree import brief
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def in_days(moment):
    """A moment as days since 1970, or as it is; None where it is open."""
    if isinstance(moment, np.datetime64):
        return None if np.isnat(moment) else moment.astype("datetime64[ns]").astype(np.int64).item() / 86_400e9
    return None if moment is None or moment != moment else float(moment)


def judged_one_by_one(event_time, label_time, cut, gap, weeks):
    """The oracle: every row by itself, all moments as days in Python floats."""
    cut = in_days(cut)
    train, tests = [], [[] for _ in range(weeks)]
    for row, (event, label) in enumerate(zip(event_time, label_time, strict=True)):
        happened, known = in_days(event), in_days(label)
        if happened >= cut:
            week = int((happened - cut) // 7)
            if week < weeks:
                tests[week].append(row)
        elif happened < cut - gap and known is not None and known <= cut:
            train.append(row)
    return train, tests


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same positions in the same order; the reason names a row and its place."""
    if not isinstance(got, list | tuple) or len(got) != 2:
        return f"the answer is {brief(got)}, expected the pair (train, tests)"
    if not isinstance(got[1], list | tuple | np.ndarray) or len(got[1]) != len(expected[1]):
        return f"tests is {brief(got[1])}, expected {len(expected[1])} arrays, one for each week"
    parts = [("train", got[0], expected[0])]
    parts += [(f"week {k}", mine, right) for k, (mine, right) in enumerate(zip(got[1], expected[1], strict=True))]
    for name, mine, right in parts:
        if reason := _part_difference(name, np.asarray(mine), right):
            return reason
    return ""


def _part_difference(name: str, mine: np.ndarray, right: list[int]) -> str:
    if mine.ndim != 1 or mine.dtype.kind not in "iuf" or (mine.dtype.kind == "f" and mine.size):
        return f"{name} is {brief(mine)}, expected positions as integers in one dimension"
    rows = mine.tolist()
    if extra := sorted(set(rows) - set(right)):
        return f"row {extra[0]} does not belong in {name}"
    if lacking := sorted(set(right) - set(rows)):
        return f"row {lacking[0]} is missing from {name}"
    return "" if rows == right else f"{name} holds the right rows, but not each once in ascending order"


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first: days as numbers, then datetime64 in several units, then random ones."""
    start = np.datetime64("2025-03-01T00:00:00")
    hours = np.array([0, 30, 24 * 6, 24 * 9, 24 * 10, 24 * 16 + 23, 24 * 17])
    delays = np.array([24, 24 * 40, 24 * 4, 12, 24 * 30, 24, 24])
    events = start + hours * np.timedelta64(3600, "s")
    labels = events + delays * np.timedelta64(3600, "s")
    cut = start + np.timedelta64(10, "D")
    nat = np.datetime64("NaT", "D")
    found = [
        Case("days as numbers", (np.array([1, 2, 8, 10, 12, 20]), np.array([3, 4, 9, 11, 15, 25]), 10, 3, 2)),
        Case(
            "a label that comes after the cut",
            ([1, 2, 3], [40, 9, 90], 10, 2, 1),
            why="on the day of the cut nobody knew this label yet; a model trained with it cannot be repeated in "
            "production",
        ),
        Case(
            "labels that are still open",
            (np.array([1.0, 2.0, 3.0]), np.array([np.nan, 5.0, np.nan]), 10.0, 2, 1),
            why="NaN is a label that nobody knows; it is not known by the cut",
        ),
        Case(
            "moments exactly on the edges",
            (np.array([6, 7, 9, 10, 16, 17, 23, 24]), np.array([10, 8, 10, 10, 17, 18, 24, 25]), 10, 3, 2),
            why="an event at cut minus gap is out, a label at the cut is known, a week holds its first moment and "
            "not its last",
        ),
        Case(
            "rows out of order, a week without events",
            ([25, 3, 11, 1, 26, 2], [30, 5, 12, 2, 40, 80], 10, 0, 3),
            why="rows come in any order, and an empty week is an empty array",
        ),
        Case(
            "a label known between the gap and the cut",
            ([1, 2, 3], [9, 6, 10], 10, 5, 1),
            why="the gap is about when the payment was made; its label may come until the cut",
        ),
        Case(
            "datetime64 in seconds",
            (events, labels, cut, 3, 2),
            why="7 added to a datetime64 in seconds is seven seconds: a day is a timedelta64",
        ),
        Case(
            "events in nanoseconds, open labels and the cut in days",
            (
                events.astype("datetime64[ns]"),
                np.array([labels[0], nat, labels[2], labels[3], nat, nat, nat], dtype="datetime64[D]"),
                np.datetime64("2025-03-11", "D"),
                2,
                3,
            ),
            why="the unit belongs to each array by itself; NaT is never known",
        ),
        Case("a negative gap", ([1, 2], [2, 3], 10, -1, 1), raises="ValueError"),
        Case("no week to test", ([1, 2], [2, 3], 10, 1, 0), raises="ValueError"),
        Case("lengths differ", (np.arange(3), np.arange(4), 10, 1, 1), raises="ValueError"),
    ]
    days = rng.integers(0, 60, 120)
    known = np.where(rng.random(120) < 0.2, np.nan, days + rng.integers(0, 40, 120))
    found.append(Case("120 payments", (days, known, 35, 7, 3)))
    moments = np.datetime64("2025-01-01T00:00", "m") + rng.integers(0, 60 * 24 * 60, 150)
    later = moments + rng.integers(0, 40 * 24 * 60, 150)
    found.append(Case("150 payments by the minute", (moments, later, np.datetime64("2025-02-05", "D"), 10, 2)))
    return found


def in_seconds(event_time, label_time, cut, gap, weeks):
    """Accepted: everything as seconds since the cut, open labels at infinity, weeks by floor division."""
    events, labels = np.asarray(event_time), np.asarray(label_time)
    if len(events) != len(labels) or gap < 0 or weeks < 1:
        raise ValueError("lengths differ, or gap or weeks is too small")

    def since_cut(times):
        if times.dtype.kind != "M":
            return (times - float(cut)) * 86_400.0
        return (times.astype("datetime64[s]") - np.datetime64(cut, "s")) / np.timedelta64(1, "s")

    happened, known = since_cut(events), since_cut(labels)
    known = np.where(np.isnan(known), np.inf, known)
    week = np.floor(happened / (7 * 86_400))
    train = np.where((happened < -gap * 86_400) & (known <= 0))[0]
    return train, [np.where(week == k)[0] for k in range(weeks)]


def sorted_and_searched(event_time, label_time, cut, gap, weeks):
    """Accepted: sort once, find the edges by binary search, sort positions back."""
    event_time, label_time = np.asarray(event_time), np.asarray(label_time)
    if gap < 0:
        raise ValueError("gap is negative")
    if weeks < 1:
        raise ValueError("no week to test")
    if event_time.size != label_time.size:
        raise ValueError("lengths differ")
    step = np.timedelta64(24, "h") if np.issubdtype(event_time.dtype, np.datetime64) else 1
    order = np.argsort(event_time, kind="stable")
    edges = np.array([cut - gap * step] + [cut + 7 * k * step for k in range(weeks + 1)])
    at = np.searchsorted(event_time[order], edges, side="left")
    train = [int(row) for row in np.sort(order[: at[0]]) if label_time[row] <= cut]
    return train, [sorted(order[a:b].tolist()) for a, b in pairwise(at[1:])]


EXERCISE = Exercise(
    id="time_split",
    title="Split by time with delayed labels",
    minutes=15,
    difficulty="medium",
    feeds="04",
    week="9-10",
    hints=(
        "Stand at the moment `cut` and ask of each row two things: had it happened by then, early enough, and did "
        "anybody know its label?",
        "Comparisons with NaN and NaT are false. Which way round does that help you?",
        "With datetime64 let `day = np.timedelta64(1, 'D')`, with numbers `day = 1`; then `cut - gap * day` is right "
        "for both.",
    ),
    cases=cases,
    expect=judged_one_by_one,
    agree=agree,
    mutants=(
        Mutant(
            "label-delay-ignored",
            "The training rows were chosen by the payment's time alone. Some of their labels came after the cut: "
            "nobody knew them then.",
            swaps=(("np.flatnonzero(early & known)", "np.flatnonzero(early)"),),
        ),
        Mutant(
            "open-labels-taken-as-known",
            "Labels that are still open were taken as known: 'not later than the cut' is true for NaN and NaT when "
            "it is written as the opposite of 'later'. Ask for label_time at or before the cut.",
            swaps=(("known = label_time <= cut", "known = ~(label_time > cut)"),),
        ),
        Mutant(
            "gap-ignored",
            "The gap was left out. Of the latest payments only the frauds found quickly have a label, and they bias "
            "the sample.",
            swaps=(("event_time < cut - gap * day", "event_time < cut"),),
        ),
        Mutant(
            "gap-on-the-label",
            "The gap was applied to the label's time as well. It is about when the payment was made; a label counts "
            "until the cut.",
            swaps=(("label_time <= cut", "label_time <= cut - gap * day"),),
        ),
        Mutant(
            "label-at-the-cut-left-out",
            "A label that became known exactly at the cut is known at the cut: at or before, not before.",
            swaps=(("label_time <= cut", "label_time < cut"),),
        ),
        Mutant(
            "edge-of-the-gap-taken",
            "An event exactly at cut minus gap was put into training. It has to be before that moment.",
            swaps=(("event_time < cut - gap * day", "event_time <= cut - gap * day"),),
        ),
        Mutant(
            "edge-in-two-weeks",
            "An event exactly between two weeks was put into both. A week holds its first moment and not its last.",
            swaps=(("(event_time < end)", "(event_time <= end)"),),
        ),
        Mutant(
            "first-moment-left-out",
            "An event exactly at the beginning of a week was left out. A week holds its first moment and not its last.",
            swaps=(
                ("(event_time >= start)", "(event_time > start)"),
                ("(event_time < end)", "(event_time <= end)"),
            ),
        ),
        Mutant(
            "days-in-the-units-of-the-array",
            "A plain number added to a datetime64 counts in the unit of that array: 7 are seven seconds where it "
            "holds seconds. Multiply by a timedelta64 of one day.",
            swaps=(('np.timedelta64(1, "D") if event_time.dtype.kind == "M" else 1', "1"),),
        ),
        Mutant(
            "weeks-add-up",
            "Every test week begins at the cut, so the later ones hold the earlier ones too. Week k begins 7k days "
            "after the cut.",
            swaps=(("start, end = cut + 7 * week * day,", "start, end = cut,"),),
        ),
        Mutant(
            "test-rows-need-a-label-by-the-cut",
            "Test rows were asked to have a label by the cut, which leaves none: their labels come later, and are "
            "needed only for the result.",
            swaps=(("np.flatnonzero((event_time >= start)", "np.flatnonzero(known & (event_time >= start)"),),
        ),
    ),
    accepted=(in_seconds, sorted_and_searched),
)
