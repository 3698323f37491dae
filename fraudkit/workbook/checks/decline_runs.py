"""Runs of declines: each once, as long as it is, the one at the end included."""

from __future__ import annotations

from itertools import groupby

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_groups(declined, least=2):
    """The oracle: itertools.groupby."""
    runs, position = [], 0
    for flag, group in groupby(declined, key=bool):
        length = len(list(group))
        if flag and length >= least:
            runs.append((position, length))
        position += length
    return runs


def _flags(rng: np.random.Generator, n: int) -> list[int]:
    """Long runs of either kind."""
    flags = (np.cumsum(rng.random(n) < 0.35) % 2).tolist()
    return [int(flag) for flag in flags]


def cases(rng: np.random.Generator) -> list[Case]:
    """Ends and lengths first, then drawn runs."""
    found = [
        Case("two runs and a single decline", ([1, 1, 0, 1, 0, 1, 1, 1, 0],)),
        Case("no payments", ([],)),
        Case("a run up to the end", ([0, 1, 1],), why="no approval closes it, and it counts all the same"),
        Case("exactly the least length", ([0, 1, 1, 1, 0], 3), why="from this length on: three are enough for three"),
        Case("longer than the least", ([1, 1, 1, 1, 1, 0], 2), why="one run of five, not four of two, nor one of two"),
        Case("single declines", ([1, 0, 1, 0, 1], 1), why="least=1: every decline is in a run"),
        Case("approvals in a row", ([0, 0, 0, 0],), why="approvals in a row are no run of declines"),
        Case("an approval in between", ([1, 1, 0, 1, 1], 3), why="an approval ends a run; the next one begins at 0"),
        Case("booleans in an array", (np.array([True, True, False, True]),)),
        Case("all declined", ([1, 1, 1, 1],)),
        Case("a least length of 0", ([1, 1], 0), raises="ValueError"),
    ]
    for n, least in ((30, 2), (60, 3), (150, 4)):
        found.append(Case(f"{n} payments, runs from {least} on", (_flags(rng, n),), {"least": least}))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """One run, as long as the list, behind a drawn beginning."""
    return Case(f"{n} payments", ([*_flags(rng, 20), *[1] * (n - 20)],))


def by_differences(declined, least=2):
    """Accepted: where the padded flags rise and fall."""
    if not least > 0:
        raise ValueError("least must be positive")
    flags = np.concatenate([[0], np.asarray(declined, dtype=int), [0]])
    steps = np.diff(flags)
    begin, end = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return [(a, n) for a, n in zip(begin.tolist(), (end - begin).tolist(), strict=True) if n >= least]


def counting_backwards(declined, least=2):
    """Accepted: from the end, how many declines follow from here; a run begins where the one before is none."""
    if least <= 0:
        raise ValueError(least)
    n, ahead, out = len(declined), 0, []
    for i in range(n - 1, -1, -1):
        ahead = ahead + 1 if declined[i] else 0
        if ahead >= least and not (i and declined[i - 1]):
            out.append([i, ahead])
    return out[::-1]


EXERCISE = Exercise(
    id="decline_runs",
    title="Runs of declines",
    minutes=10,
    difficulty="easy",
    feeds="10",
    week="1-2",
    hints=(
        "One thing has to be remembered while you walk: where the current run began, if there is one.",
        "A run is complete when an approval comes, or the list ends. One approval appended as a sentinel makes that one case.",
        "Its length is the position of that approval minus the start; compare it with `least` only then.",
    ),
    cases=cases,
    expect=by_groups,
    agree=exact,
    mutants=(
        Mutant(
            "last-run-lost",
            "A run that lasts to the end of the list was lost, because no approval closes it.",
            swaps=(("enumerate([*declined, False])", "enumerate(declined)"),),
        ),
        Mutant(
            "longer-than-least",
            "A run of exactly `least` declines was left out. It counts.",
            swaps=((">= least:", "> least:"),),
        ),
        Mutant(
            "end-for-start",
            "The first number of each pair is where the run ends. The position of its first decline is asked for.",
            swaps=(("runs.append((start, position - start))", "runs.append((position - 1, position - start))"),),
        ),
        Mutant(
            "end-for-length",
            "The second number is the last position of the run, not how many declines it has.",
            swaps=(("runs.append((start, position - start))", "runs.append((start, position - 1))"),),
        ),
        Mutant(
            "approvals-do-not-end-it",
            "The declines were counted on after an approval. It ends the run, and the next one begins anew.",
            swaps=(
                (
                    "                runs.append((start, position - start))\n            start = None",
                    "                runs.append((start, position - start))\n                start = None",
                ),
            ),
        ),
        Mutant(
            "cut-to-least",
            "Every run was reported with the length `least`. A run is as long as it is.",
            swaps=(("runs.append((start, position - start))", "runs.append((start, least))"),),
        ),
        Mutant(
            "both-kinds",
            "Approvals in a row were reported as well. Only declines make a run.",
            swaps=(
                (
                    "    return runs",
                    "    flags, out, begin = [bool(flag) for flag in declined], [], 0\n"
                    "    for i in range(1, len(flags) + 1):\n"
                    "        if i == len(flags) or flags[i] != flags[begin]:\n"
                    "            out += [(begin, i - begin)] if i - begin >= least else []\n"
                    "            begin = i\n"
                    "    return out",
                ),
            ),
        ),
    ),
    accepted=(by_differences, counting_backwards),
    growth=Growth(
        large, n=6_000, says="From every decline the run is followed to its end again. Remember where it began."
    ),
    shrink=lists(0, noun="payments"),
)
