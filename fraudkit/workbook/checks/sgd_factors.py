"""Matrix factorisation by gradient steps in a given order: both factors from the same error, only the rows concerned."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_complex_step(visits, order, U, V, rate, penalty):
    """The oracle: the loss of one visit is differentiated numerically, Im L(x + ih) / h; no formula for the gradient."""
    U, V, h = np.array(U, dtype=float), np.array(V, dtype=float), 1e-30

    def loss(u, v, value):
        return (value - (u * v).sum()) ** 2 / 2 + penalty * ((u * u).sum() + (v * v).sum()) / 2

    for position in order:
        card, merchant, value = visits[int(position)]
        card, merchant = int(card), int(merchant)
        pair = np.stack([U[card], V[merchant]])
        gradient = np.empty_like(pair)
        for place in np.ndindex(*pair.shape):
            moved = pair.astype(complex)
            moved[place] += 1j * h
            gradient[place] = loss(moved[0], moved[1], value).imag / h
        U[card], V[merchant] = pair - rate * gradient
    return U, V


def cases(rng: np.random.Generator) -> list[Case]:
    """One step by hand, then each point, then random orders."""
    U, V = np.array([[1.0, 0.5], [0.2, -1.0], [0.3, 0.3]]), np.array([[0.5, 1.0], [2.0, 0.0]])
    visits = np.array([[0, 0, 3.0], [1, 1, -1.0], [0, 1, 2.5], [2, 0, 1.0]])
    found = [
        Case("one step, as lists", ([[0, 0, 2.0]], [0], [[1.0]], [[0.5]], 0.1, 0.0)),
        Case(
            "one step in two dimensions",
            (visits, np.array([0]), U, V, 0.2, 0.0),
            why="the merchant's step uses the card's factors from before the step, not those just changed",
        ),
        Case(
            "a penalty",
            (visits, np.array([2]), U, V, 0.1, 0.5),
            why="the gradient of the visit is −error times the other's factors plus penalty times one's own",
        ),
        Case(
            "others stay as they are",
            (visits, np.array([3, 3]), U, V, 0.3, 0.8),
            why="only the card and the merchant of the visit move; the penalty too acts on these two alone",
        ),
        Case("in the given order", (visits, np.array([3, 0, 2, 1]), U, V, 0.1, 0.1)),
        Case("a visit that comes again and again", (visits, np.array([1, 1, 1, 1]), U, V, 0.1, 0.05)),
        Case("two visits of one card", (visits, np.array([0, 2, 0, 2]), U, V, 0.2, 0.0)),
        Case("no step", (visits, np.array([], dtype=int), U, V, 0.1, 0.1)),
        Case(
            "whole numbers",
            ([[0, 1, 2], [1, 0, 4]], [1, 0], np.array([[1, 2], [2, 1]]), np.array([[1, 0], [0, 1]]), 0.25, 0.1),
            why="factors of whole numbers would cut off every step",
        ),
        Case(
            "an exploding rate",
            (visits, np.tile([0, 1, 2, 3], 200), U * 9, V * 9, 5.0, 0.0),
            raises="ValueError",
            why="factors that are no longer finite must not be returned",
        ),
    ]
    for cards, merchants, k, passes in ((5, 4, 2, 3), (8, 6, 3, 4)):
        table = rng.normal(size=(cards, merchants))
        known = [
            [u, i, round(float(table[u, i]), 2)] for u in range(cards) for i in range(merchants) if rng.random() < 0.5
        ]
        order = np.concatenate([rng.permutation(len(known)) for _ in range(passes)])
        start = 0.5 * rng.normal(size=(cards, k)), 0.5 * rng.normal(size=(merchants, k))
        found.append(Case(f"{passes} passes over {cards} cards", (known, order, *start, 0.1, 0.05)))
    return found


def plain_lists(visits, order, U, V, rate, penalty):
    """Accepted: plain Python, one factor after the other, errors from the old values."""
    U, V = [[float(a) for a in row] for row in U], [[float(a) for a in row] for row in V]
    for n in order:
        u, i, value = visits[n]
        mine, theirs = U[int(u)], V[int(i)]
        off = sum(a * b for a, b in zip(mine, theirs, strict=True)) - value
        U[int(u)] = [a - rate * (off * b + penalty * a) for a, b in zip(mine, theirs, strict=True)]
        V[int(i)] = [b - rate * (off * a + penalty * b) for a, b in zip(mine, theirs, strict=True)]
    if not all(abs(a) < float("inf") for row in U + V for a in row):
        raise ValueError("diverged")
    return U, V


def as_one_matrix(visits, order, U, V, rate, penalty):
    """Accepted: both tables in one; a step is a small matrix that mixes the two rows."""
    cards = len(U)
    both = np.concatenate([np.asarray(U, dtype=np.float64), np.asarray(V, dtype=np.float64)])
    with np.errstate(all="ignore"):
        for card, merchant, value in np.asarray(visits, dtype=np.float64)[np.asarray(order, dtype=int)]:
            rows = [int(card), cards + int(merchant)]
            error = value - np.prod(both[rows], axis=0).sum()
            keep = 1 - rate * penalty
            both[rows] = np.array([[keep, rate * error], [rate * error, keep]]) @ both[rows]
            if not np.isfinite(both[rows]).all():
                raise ValueError("the factors are no longer finite")
    return both[:cards], both[cards:]


EXERCISE = Exercise(
    id="sgd_factors",
    title="Matrix factorisation by gradient steps",
    minutes=20,
    difficulty="medium",
    feeds="05",
    week="9-10",
    hints=(
        "Write the loss of a single visit, with the penalty on its two rows, and derive it by the card's and by the merchant's factors.",
        "With e = value − u·v: u grows by rate·(e·v − penalty·u), v by rate·(e·u − penalty·v).",
        "Both steps belong to the same point: keep the old u, or assign both at once.",
    ),
    cases=cases,
    expect=by_complex_step,
    agree=close(1e-6, 1e-9),
    mutants=(
        Mutant(
            "new-card-for-the-merchant",
            "The merchant's step used the card's factors after their step. Both gradients belong to the point before it.",
            swaps=(
                (
                    "U[card], V[merchant] = u + rate * (error * v - penalty * u), v + rate * (error * u - penalty * v)",
                    "U[card] = u + rate * (error * v - penalty * u)\n        V[merchant] = v + rate * (error * U[card] - penalty * v)",
                ),
            ),
        ),
        Mutant(
            "input-overwritten",
            "The factors that were handed in were changed. Work on copies: the caller still needs the start.",
            swaps=(
                (
                    "np.array(U, dtype=float), np.array(V, dtype=float)",
                    "np.asarray(U, dtype=float), np.asarray(V, dtype=float)",
                ),
            ),
        ),
        Mutant(
            "no-penalty",
            "The penalty was left out of the steps.",
            swaps=(
                (
                    "u + rate * (error * v - penalty * u), v + rate * (error * u - penalty * v)",
                    "u + rate * error * v, v + rate * error * u",
                ),
            ),
        ),
        Mutant(
            "everybody-shrinks",
            "All factors were shrunk at every step. The penalty of a visit is on the two rows that it concerns.",
            swaps=(
                (
                    "U[card], V[merchant] = u + rate * (error * v - penalty * u), v + rate * (error * u - penalty * v)",
                    "u, v = u.copy(), v.copy()\n        U, V = U * (1 - rate * penalty), V * (1 - rate * penalty)\n"
                    "        U[card] += rate * error * v\n        V[merchant] += rate * error * u",
                ),
            ),
        ),
        Mutant(
            "factor-two",
            "The loss carries a half, so the derivative of the square has no factor 2.",
            swaps=(("error = value - u @ v", "error = 2 * (value - u @ v)"),),
        ),
        Mutant(
            "uphill",
            "The error has the wrong sign: the factors run away from the value.",
            swaps=(("error = value - u @ v", "error = u @ v - value"),),
        ),
        Mutant(
            "own-order",
            "The visits were taken as they stand in the list. The steps follow `order`, in which a visit may come often or never.",
            swaps=(("for position in order:", "for position in range(len(visits)):"),),
        ),
        Mutant(
            "infinite-factors-returned",
            "The steps diverged and NaN or infinity was returned. Raise ValueError: such factors must not go into a feature.",
            swaps=(("if not (np.isfinite(U).all() and np.isfinite(V).all()):", "if len(U) == 0:"),),
        ),
    ),
    accepted=(plain_lists, as_one_matrix),
)
