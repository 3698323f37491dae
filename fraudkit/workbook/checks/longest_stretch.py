"""The longest run of payments with at most k declines: two pointers, and the borders of k."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def longest_first(declined, k):
    """The oracle: brute force, every start of every length, from the longest length down."""
    flags = [int(flag) for flag in declined]
    for length in range(len(flags), 0, -1):
        for start in range(len(flags) - length + 1):
            if sum(flags[start : start + length]) <= k:
                return start, length
    return 0, 0


def cases(rng: np.random.Generator) -> list[Case]:
    """The example, the borders of k, equals, then random ones."""
    found = [
        Case("eight payments, as a list", ([0, 1, 0, 0, 1, 0, 0, 0], 1)),
        Case("no payment", (np.array([], dtype=int), 2), why="(0, 0) where there is nothing"),
        Case(
            "none may be declined, all are", (np.array([1, 1, 1]), 0), why="(0, 0) when no stretch has even one payment"
        ),
        Case("none may be declined", (np.array([0, 1, 0, 0, 1]), 0)),
        Case(
            "all are declined",
            (np.array([1, 1, 1, 1, 1]), 2),
            why="two declines are allowed, so two declined payments are a stretch",
        ),
        Case(
            "fewer declines than are allowed",
            (np.array([0, 1, 0, 0]), 3),
            why="at most k: a stretch with fewer declines is fine, and here it is everything",
        ),
        Case(
            "equally long ones",
            (np.array([0, 0, 1, 0, 0, 1, 0, 0]), 0),
            why="of equally long stretches the first is asked for",
        ),
        Case(
            "declines close together",
            (np.array([0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 0]), 2),
            why="at the third decline only the payments up to the first have to go, not all",
        ),
        Case("as booleans", (np.array([True, False, False, True, False]), 1)),
        Case("the best stands at the very end", (np.array([1, 1, 0, 1, 0, 0, 0, 0]), 0)),
        Case("a negative k", (np.array([0, 0, 1]), -1), raises="ValueError"),
    ]
    for size, share, k in ((20, 0.4, 2), (40, 0.2, 3), (80, 0.5, 9), (90, 0.1, 4)):
        declined = (rng.random(size) < share).astype(int)
        found.append(Case(f"{size} payments, at most {k} declines", (declined, k)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of size n whose stretches have half its length, to see how time grows."""
    return Case(f"{n} payments", ((rng.random(n) < 0.5).astype(int), n // 4))


def between_declines(declined, k):
    """Accepted: the positions of the declines; a stretch lies strictly between two that are k + 1 apart."""
    if k < 0:
        raise ValueError("k must be 0 or more")
    flags = np.asarray(declined)
    walls = np.concatenate(([-1], np.flatnonzero(flags), [len(flags)]))
    if len(walls) - 2 <= k:
        return 0, len(flags)
    lengths = walls[k + 1 :] - walls[: len(walls) - k - 1] - 1
    longest = int(np.argmax(lengths))
    return (int(walls[longest]) + 1, int(lengths[longest])) if lengths[longest] else (0, 0)


def never_shrinks(declined, k):
    """Accepted: a window that grows when it is valid and is pushed on otherwise; it never becomes shorter."""
    if k < 0:
        raise ValueError(f"{k} declines cannot be")
    tail, found = 0, (0, 0)
    left = k
    for head in range(len(declined)):
        left -= int(declined[head])
        if left < 0:
            left += int(declined[tail])
            tail += 1
        elif head - tail + 1 > found[1]:
            found = (tail, head - tail + 1)
    return found


EXERCISE = Exercise(
    id="longest_stretch",
    title="The longest stretch with few declines",
    minutes=12,
    difficulty="medium",
    feeds="06",
    week="1-2",
    hints=(
        "If a stretch has at most k declines, so has every part of it. What follows for the start when the end moves on?",
        "Two positions that only move forward, and the number of declines between them.",
        "Take in one payment; while more than k declines are inside, drop the oldest; then compare with the best so far.",
    ),
    cases=cases,
    expect=longest_first,
    agree=exact,
    mutants=(
        Mutant(
            "fewer-than-k",
            "Stretches with exactly k declines were refused. At most k includes k itself.",
            swaps=(("while inside > k:", "while inside >= max(k, 1):"),),
        ),
        Mutant(
            "starts-from-nothing",
            "At the decline too many the stretch was begun anew behind it. Only the payments up to the oldest decline "
            "inside have to go.",
            swaps=(
                (
                    "inside -= flags[start]\n            start += 1",
                    "start, inside = row + 1, 0",
                ),
            ),
        ),
        Mutant(
            "last-of-equals",
            "Of equally long stretches the last was returned; the first is asked for: replace only by a longer one.",
            swaps=(("if row + 1 - start > length:", "if row + 1 - start >= length:"),),
        ),
        Mutant(
            "end-returned",
            "The row with which the stretch ends was returned in the place of the one with which it begins.",
            swaps=(("return best_start, length", "return best_start + max(length - 1, 0), length"),),
        ),
        Mutant(
            "one-too-short",
            "The length is one too small: rows from start to end, both included, are end − start + 1.",
            swaps=(
                ("if row + 1 - start > length:", "if row - start > length:"),
                ("best_start, length = start, row + 1 - start", "best_start, length = start, row - start"),
            ),
        ),
        Mutant(
            "declines-not-counted-in-length",
            "Only approved payments were counted in the length. The declined ones inside belong to the stretch.",
            swaps=(
                ("if row + 1 - start > length:", "if row + 1 - start - inside > length:"),
                ("best_start, length = start, row + 1 - start", "best_start, length = start, row + 1 - start - inside"),
            ),
        ),
        Mutant(
            "exactly-k",
            "Only stretches with exactly k declines were considered. Fewer are allowed.",
            swaps=(("if row + 1 - start > length:", "if inside == k and row + 1 - start > length:"),),
        ),
        Mutant(
            "negative-k-taken",
            "A negative k was taken. No stretch can have fewer than 0 declines: raise ValueError.",
            swaps=(("if k < 0:", "if False:"),),
        ),
    ),
    accepted=(between_declines, never_shrinks),
    growth=Growth(
        case=large,
        n=4000,
        says="From every start the payments are walked through again, n times the length of a stretch. Move the start "
        "forward instead, and keep the number of declines inside.",
    ),
    shrink=lists(0, noun="payments"),
)
