"""Reversals paired with the latest open authorisation over the same amount; those that find none are told."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import lists


def by_looking_back(amounts):
    """The oracle: for each reversal, look back for the nearest authorisation that is not crossed out."""
    crossed, unmatched = set(), []
    for i, amount in enumerate(amounts):
        if amount < 0:
            partner = next((j for j in range(i - 1, -1, -1) if amounts[j] == -amount and j not in crossed), None)
            if partner is None:
                unmatched.append(i)
            else:
                crossed.add(partner)
    return [i for i, amount in enumerate(amounts) if amount > 0 and i not in crossed], unmatched


def _drawn(rng: np.random.Generator, n: int, prices: int) -> list[int]:
    signs = np.where(rng.random(n) < 0.6, 1, -1)
    return (signs * 100 * rng.integers(1, prices + 1, n)).tolist()


def cases(rng: np.random.Generator) -> list[Case]:
    """One rule each first, then drawn histories."""
    found = [
        Case("one reversal", ([500, 900, -500],)),
        Case("nothing happened", ([],)),
        Case("the latest of two", ([500, 500, 900, -500],), why="the latest of equal authorisations is taken back"),
        Case(
            "both taken back",
            ([500, 500, -500, -500],),
            why="the first reversal took the later one, the next the other",
        ),
        Case(
            "others in between",
            ([500, 900, 300, -500],),
            why="a later authorisation over another amount is not in its way",
        ),
        Case("a reversal too many", ([500, -500, -500],), why="each authorisation is taken back once"),
        Case(
            "before its authorisation",
            ([-500, 500],),
            why="a reversal takes back what came before it, not what follows",
        ),
        Case("no such amount", ([500, -300],), why="only the same amount counts"),
        Case("authorised again", ([500, -500, 500],)),
        Case("order of the answer", ([900, 300, 500, 300, -100, 900],), why="positions rise, whatever the amounts are"),
        Case("an amount of 0", ([500, 0],), raises="ValueError"),
    ]
    for n, prices in ((20, 3), (50, 5), (150, 8)):
        found.append(Case(f"{n} events", (_drawn(rng, n, prices),)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """Many amounts, each authorised and, much later, reversed."""
    values = (rng.permutation(n // 2) + 1).tolist()
    return Case(f"{n} events", (values + [-value for value in values],))


def grouped_by_amount(amounts):
    """Accepted: the history of each amount on its own, with a list used as a stack."""
    if not all(amounts):
        raise ValueError("zero")
    places = {}
    for i, a in enumerate(amounts):
        places.setdefault(abs(a), []).append(i)
    answer = [], []
    for group in places.values():
        waiting = []
        for i in group:
            if amounts[i] > 0:
                waiting += [i]
            elif waiting:
                del waiting[-1]
            else:
                answer[1].append(i)
        answer[0].extend(waiting)
    return tuple(sorted(part) for part in answer)


def linked_by_arrays(amounts):
    """Accepted: each open authorisation remembers the one below it; a map holds the top of each amount."""
    top, below, stands, lost = {}, {}, [False] * len(amounts), []
    for place, cents in enumerate(amounts):
        if not cents:
            raise ValueError(f"nothing at {place}")
        size = abs(cents)
        if cents > 0:
            below[place] = top.get(size, -1)
            top[size], stands[place] = place, True
            continue
        upper = top.get(size, -1)
        if upper < 0:
            lost.append(place)
        else:
            stands[upper], top[size] = False, below[upper]
    return np.flatnonzero(stands).tolist(), lost


EXERCISE = Exercise(
    id="open_authorisations",
    title="Authorisations and their reversals",
    minutes=10,
    difficulty="easy",
    feeds="05",
    week="1-2",
    hints=(
        "'The latest that still stands': which structure gives the last one in first?",
        "Other amounts must not be in the way: one stack for each amount, in a dictionary.",
        "An authorisation appends its position to the stack of its amount, a reversal pops; on an empty stack it is unmatched.",
    ),
    cases=cases,
    expect=by_looking_back,
    agree=exact,
    mutants=(
        Mutant(
            "oldest-first",
            "The oldest open authorisation was taken back. The latest one is, so it is a stack, not a queue.",
            swaps=(("standing[-amount].pop()", "standing[-amount].pop(0)"),),
        ),
        Mutant(
            "all-of-the-amount",
            "One reversal took back all authorisations over its amount. It takes back one.",
            swaps=(("standing[-amount].pop()", "standing[-amount].clear()"),),
        ),
        Mutant(
            "unmatched-lost",
            "Reversals that found no authorisation are missing. They are a finding of their own.",
            swaps=(("unmatched.append(position)", "pass"),),
        ),
        Mutant(
            "waits-for-the-future",
            "A reversal took back an authorisation that came after it. It answers what has happened already.",
            swaps=(
                (
                    "            standing[amount].append(position)\n",
                    "            waiting = [i for i in unmatched if amounts[i] == -amount]\n"
                    "            if waiting:\n"
                    "                unmatched.remove(waiting[0])\n"
                    "            else:\n"
                    "                standing[amount].append(position)\n",
                ),
            ),
        ),
        Mutant(
            "only-the-one-before",
            "Only the event just before the reversal was looked at. Others may lie in between.",
            swaps=(("elif standing[-amount]:", "elif standing[-amount] and standing[-amount][-1] == position - 1:"),),
        ),
        Mutant(
            "by-amount-not-by-position",
            "The standing authorisations came out amount by amount. Their positions rise.",
            swaps=(
                (
                    "sorted(position for stack in standing.values() for position in stack)",
                    "[position for stack in standing.values() for position in stack]",
                ),
            ),
        ),
        Mutant(
            "zero-let-in",
            "A 0 was taken for a reversal. It is neither, and raises ValueError.",
            swaps=(("if amount == 0:", "if False:"),),
        ),
    ),
    accepted=(grouped_by_amount, linked_by_arrays),
    growth=Growth(
        large,
        n=2_500,
        limit=10.0,
        says="Each reversal looks back through the list. Keep a stack of positions for each amount.",
    ),
    shrink=lists(0, noun="events"),
)
