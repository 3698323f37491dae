"""The nearest of a sorted list for each of another: ties to the earlier, equal times to the first."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_all_distances(payment_time, login_time):
    """The oracle: the first position of the smallest of all distances."""
    if not len(login_time):
        return [-1] * len(payment_time)
    distances = np.abs(np.subtract.outer(np.asarray(payment_time, dtype=int), np.asarray(login_time, dtype=int)))
    return distances.argmin(axis=1).tolist()  # the first of equals is the earlier one, for the list is sorted


def _times(rng: np.random.Generator, n: int, span: int) -> list[int]:
    return np.sort(rng.integers(0, span, n)).tolist()


def cases(rng: np.random.Generator) -> list[Case]:
    """Ties and equal times first, then drawn streams."""
    found = [
        Case("three payments", ([10, 24, 60], [0, 21, 31])),
        Case("nearer behind than before", ([19], [0, 20]), why="the nearest login may come after the payment"),
        Case(
            "in the middle between two", ([10, 30], [0, 20, 40]), why="at equal distance, the login before the payment"
        ),
        Case("no logins", ([1, 2], [])),
        Case("no payments", ([], [1, 2])),
        Case("one login", ([1, 5, 9], [5])),
        Case(
            "logins at the same moment",
            ([6, 7, 30], [5, 5, 5, 8, 29, 29]),
            why="the first of equal times, and the search has to get past them",
        ),
        Case("payments at the same moment", ([7, 7, 7], [0, 6, 9]), why="equal payments have the same answer"),
        Case("all payments before the logins", ([1, 2, 3], [10, 10, 12]), why="the first of the first"),
        Case("all payments after the logins", ([50, 60], [10, 12, 12]), why="the first of the last"),
        Case("many logins between two payments", ([0, 100], [1, 20, 40, 60, 98])),
    ]
    for n, m, span in ((25, 12, 80), (20, 60, 150), (90, 40, 120)):
        found.append(Case(f"{n} payments, {m} logins", (_times(rng, n, span), _times(rng, m, span))))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """As many logins as payments."""
    return Case(f"{n} payments, {n} logins", (_times(rng, n, 5 * n), _times(rng, n, 5 * n)))


def both_sides_searched(payment_time, login_time):
    """Accepted: binary search for the neighbours on both sides, then once more for the first of equals."""
    out = []
    for t in payment_time:
        right = bisect_left(login_time, t)
        candidates = [login_time[k] for k in (right - 1, right) if 0 <= k < len(login_time)]
        if not candidates:
            out.append(-1)
            continue
        best = min(candidates, key=lambda when: (abs(when - t), when))
        out.append(bisect_left(login_time, best))
    return out


def borders_between_logins(payment_time, login_time):
    """Accepted: a distinct login owns all moments up to the middle to the next one."""
    if len(login_time) == 0:
        return np.full(len(payment_time), -1)
    moments, where = np.unique(login_time, return_index=True)
    middles = (moments[1:] + moments[:-1]) / 2
    return where[np.searchsorted(middles, payment_time, side="left")]


EXERCISE = Exercise(
    id="nearest_login",
    title="The login nearest to each payment",
    minutes=12,
    difficulty="easy",
    feeds="05",
    week="1-2",
    hints=(
        "Both lists are sorted: can the answer for a later payment lie before that of an earlier one?",
        "One pointer into the logins: move it on while the next login is strictly nearer, then note it.",
        "Logins at the same moment are equally near, and the pointer would stop there for ever. "
        "Keep the first position of each distinct moment.",
    ),
    cases=cases,
    expect=by_all_distances,
    agree=exact,
    mutants=(
        Mutant(
            "stuck-at-equal-times",
            "The pointer stops at several logins of the same moment, because the next one is not nearer. Skip equal times.",
            swaps=(
                (
                    "[i for i in range(len(login_time)) if i == 0 or login_time[i] != login_time[i - 1]]",
                    "list(range(len(login_time)))",
                ),
            ),
        ),
        Mutant(
            "ties-to-the-later",
            "At equal distance the login after the payment was taken. The one before it is asked for.",
            swaps=(("- moment) < abs(", "- moment) <= abs("),),
        ),
        Mutant(
            "last-of-equals",
            "Of several logins at the same moment the last was taken. The first is asked for.",
            swaps=(
                (
                    "if i == 0 or login_time[i] != login_time[i - 1]]",
                    "if i + 1 == len(login_time) or login_time[i] != login_time[i + 1]]",
                ),
            ),
        ),
        Mutant(
            "backwards-only",
            "Only logins up to the payment were considered. The nearest one may come after it.",
            swaps=(
                (
                    "abs(login_time[first[j + 1]] - moment) < abs(login_time[first[j]] - moment)",
                    "login_time[first[j + 1]] <= moment",
                ),
            ),
        ),
        Mutant(
            "one-step-a-payment",
            "The pointer moves on by one login at most for each payment. Several may lie between two payments.",
            swaps=(("while j + 1 < len(first) and", "if j + 1 < len(first) and"),),
        ),
        Mutant(
            "login-used-once",
            "After each payment the pointer moved on, as if a login belonged to one payment. "
            "Several payments may share the nearest login.",
            swaps=(
                (
                    "nearest.append(first[j] if first else -1)",
                    "nearest.append(first[j] if first else -1)\n        j = min(j + 1, max(len(first) - 1, 0))",
                ),
            ),
        ),
    ),
    accepted=(both_sides_searched, borders_between_logins),
    growth=Growth(
        large, n=4_000, says="Every login is compared with every payment. Both lists are sorted: walk them together."
    ),
    shrink=lists(0, 1, noun="times"),
)
