"""Who may look at whom: own card, no padding, positions and not times for the order, the window's edge included."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def pair_by_pair(cards, times, window=None):
    """The oracle: every pair asked in plain Python."""
    cards, times = [int(card) for card in cards], [float(time) for time in times]
    n = len(cards)
    return np.array(
        [
            [
                cards[i] == cards[j] and cards[i] != -1 and j <= i and (window is None or times[i] - times[j] <= window)
                for j in range(n)
            ]
            for i in range(n)
        ],
        dtype=bool,
    ).reshape(n, n)


def cases(rng: np.random.Generator) -> list[Case]:
    """One card, two cards, padding, the same second, the window's edge, bad order, then random packs."""
    nan = float("nan")
    found = [
        Case(
            "one card",
            (np.array([3, 3, 3]), np.array([0, 10, 25])),
            why="itself and what came before: a lower triangle",
        ),
        Case(
            "two cards",
            (np.array([3, 3, 5, 5]), np.array([0, 10, 5, 20])),
            why="a payment looks at its own card only, wherever the others stand in the row",
        ),
        Case("mixed cards", (np.array([3, 5, 3, 5, 3]), np.array([0, 1, 2, 3, 4]))),
        Case(
            "padding",
            (np.array([3, 3, -1, -1]), np.array([0.0, 10.0, nan, nan])),
            why="padding looks at nothing, itself included, and nothing looks at it",
        ),
        Case(
            "the same second",
            (np.array([3, 3, 3]), np.array([50, 50, 50])),
            why="the position decides: of two payments in a second only the later one sees the other",
        ),
        Case(
            "a window",
            (np.array([3, 3, 3, 3]), np.array([0, 60, 61, 300]), 60),
            why="the edge belongs to the window, and a payment always sees itself",
        ),
        Case(
            "a window over two cards",
            (np.array([3, 5, 3, 5]), np.array([0, 100, 90, 130]), 50),
            why="the window counts seconds, not positions",
        ),
        Case(
            "a window of 0", (np.array([3, 3, 3]), np.array([10, 10, 20]), 0), why="0 is a window, not the lack of one"
        ),
        Case("lists", ([0, 0, -1], [1.5, 2.5, 0.0], 0.5), why="0 is a card like any other"),
        Case("nothing at all", (np.array([], dtype=int), np.array([]))),
        Case(
            "a card's times fall",
            (np.array([3, 5, 3]), np.array([10, 20, 5])),
            raises="ValueError",
            why="then position and time contradict each other, and one of them leaks the future",
        ),
        Case("a time too few", (np.array([3, 3]), np.array([1])), raises="ValueError"),
    ]
    for n, window in ((12, None), (30, 40)):
        cards = rng.integers(-1, 3, n)
        found.append(Case(f"{n} packed payments", (cards, np.cumsum(rng.integers(0, 15, n)), window)))
    return found


def history_by_history(cards, times, window=None):
    """Accepted: each card's positions taken out, its window found by binary search."""
    cards, times = np.array(cards), np.array(times, dtype=float)
    if cards.shape != times.shape:
        raise ValueError("one time for each payment")
    table = np.zeros((cards.size, cards.size), dtype=bool)
    for card in set(cards.tolist()) - {-1}:
        places = np.flatnonzero(cards == card)
        own = times[places]
        if np.any(np.diff(own) < 0):
            raise ValueError(f"card {card} goes back in time")
        starts = np.zeros(len(own), dtype=int) if window is None else np.searchsorted(own, own - window)
        for order, (place, start) in enumerate(zip(places, starts, strict=True)):
            table[place, places[start : order + 1]] = True
    return table


def triangle_cut_down(cards, times, window=None):
    """Accepted: starts from np.tri and takes away what is forbidden."""
    n = len(times)
    if n != len(cards):
        raise ValueError(f"{len(cards)} is not {n}")
    card = np.tile(np.asarray(cards, dtype=int), (n, 1)).reshape(n, n)
    clock = np.tile(np.asarray(times, dtype=np.float64), (n, 1)).reshape(n, n)
    mask = np.tri(n, dtype=bool)
    mask[card != card.T] = False
    mask[card == -1] = False
    late = clock.T - clock
    if np.any(late[mask] < 0):
        raise ValueError("not in order")
    mask[late > (np.inf if window is None else window)] = False
    return mask


EXERCISE = Exercise(
    id="causal_mask",
    title="Causal mask of packed histories",
    minutes=15,
    difficulty="easy",
    feeds="07",
    week="3-4",
    hints=(
        "Each condition is a table of n by n by broadcasting: `values[:, None]` against `values`. Combine them with &.",
        "Rows are those who look, columns those looked at: position[:, None] >= position is the lower triangle.",
        "The times decide about the window only; the order is that of the positions.",
    ),
    cases=cases,
    expect=pair_by_pair,
    agree=exact,
    mutants=(
        Mutant(
            "triangle-upside-down",
            "The payments look at what comes after them. Rows look, columns are looked at: the lower triangle.",
            swaps=(("position[:, None] >= position", "position[:, None] <= position"), ("gap < 0", "gap > 0")),
        ),
        Mutant(
            "not-at-itself",
            "A payment may look at itself; the diagonal belongs to the mask.",
            swaps=(("position[:, None] >= position", "position[:, None] > position"),),
        ),
        Mutant(
            "across-cards",
            "A payment looks at the histories of other cards that happen to share its row.",
            swaps=(
                ("(cards[:, None] == cards) & (cards >= 0)", "(cards[:, None] >= 0) & (cards >= 0)"),
                ("(may & (gap < 0)).any()", "(may & (gap < 0) & (cards[:, None] == cards)).any()"),
            ),
        ),
        Mutant(
            "padding-sees-padding",
            "Padding looks at padding, as if it were one more card. It looks at nothing.",
            swaps=((" & (cards >= 0)", ""),),
        ),
        Mutant(
            "times-decide",
            "The order was taken from the times, so two payments of the same second see each other. Positions decide.",
            swaps=(("same & (position[:, None] >= position)", "same & (times[:, None] >= times)"),),
        ),
        Mutant(
            "edge-left-out",
            "A payment exactly one window ago still belongs to it: 'at most'.",
            swaps=(("gap <= window", "(gap < window) | (position[:, None] == position)"),),
        ),
        Mutant(
            "window-of-positions",
            "The window was counted in positions. It is a span of time.",
            swaps=(("may &= gap <= window", "may &= position[:, None] - position <= window"),),
        ),
        Mutant(
            "no-window-at-zero",
            "A window of 0 was taken as none. Ask whether it is None.",
            swaps=(("if window is not None:", "if window:"),),
        ),
        Mutant(
            "falling-times-accepted",
            "Times that fall within a card went unnoticed. Somebody's order is wrong, and the mask would leak: raise.",
            swaps=(("if (may & (gap < 0)).any():", "if False:"),),
        ),
    ),
    accepted=(history_by_history, triangle_cut_down),
)
