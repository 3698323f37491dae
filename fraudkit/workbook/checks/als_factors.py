"""Matrix factorisation by alternating least squares: only what was observed counts, newest factors at once."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant

NAN = np.nan


def with_rows_for_the_penalty(R, V, penalty, sweeps):
    """The oracle: each card and each merchant by ordinary least squares, with √penalty·I as further rows."""
    R, V = np.asarray(R, dtype=float), np.asarray(V, dtype=float)
    k = V.shape[1]
    U = np.zeros((len(R), k))

    def best(answers, factors):
        seen = [j for j, value in enumerate(answers) if value == value]
        design = np.vstack([factors[seen].reshape(-1, k), np.sqrt(penalty) * np.eye(k)])
        return np.linalg.lstsq(design, np.concatenate([answers[seen], np.zeros(k)]), rcond=None)[0]

    for _ in range(sweeps):
        U = np.array([best(row, V) for row in R])
        V = np.array([best(column, U) for column in R.T])
    return U, V


def table(rng: np.random.Generator, cards: int, merchants: int, k: int, share: float) -> np.ndarray:
    """A noisy product with gaps."""
    R = rng.normal(size=(cards, k)) @ rng.normal(size=(k, merchants)) + 0.1 * rng.normal(size=(cards, merchants))
    return np.where(rng.random(R.shape) < share, R, NAN)


def cases(rng: np.random.Generator) -> list[Case]:
    """One factor by hand first, then each point, then random tables."""
    small = np.array([[4.0, NAN, 1.0], [3.0, 1.0, NAN], [NAN, 2.0, 5.0], [1.0, 1.0, 4.0]])
    start = np.array([[1.0, 0.2], [0.5, 1.0], [0.1, 0.8]])
    found = [
        Case("one factor, as lists", ([[2, 4], [3, 6]], [[1], [2]], 1, 1)),
        Case(
            "gaps",
            (small, start, 0.5, 1),
            why="a gap says nothing; taken for 0 it says the card dislikes every merchant it has not been to",
        ),
        Case(
            "three sweeps",
            (small, start, 0.5, 3),
            why="in a sweep the merchants are solved with the cards' new factors",
        ),
        Case(
            "few and many payments",
            (np.array([[5.0, NAN, NAN], [5.0, 5.0, 5.0]]), np.array([[1.0], [1.0], [1.0]]), 2.0, 1),
            why="the penalty is the same for all: a card with one payment is drawn to 0 more than one with three",
        ),
        Case(
            "a card without payments",
            (np.array([[1.0, 2.0], [NAN, NAN], [2.0, 1.0]]), start[:2], 0.3, 2),
            why="with nothing observed only the penalty speaks: zeros",
        ),
        Case("a merchant without payments", (np.array([[1.0, NAN], [2.0, NAN], [4.0, NAN]]), start[:2], 0.3, 2)),
        Case(
            "more factors than payments",
            (np.array([[3.0, NAN], [NAN, 1.0]]), np.array([[1.0, 2.0, 0.5], [0.3, -1.0, 2.0]]), 0.1, 2),
            why="without the penalty there would be no single answer",
        ),
        Case("no sweep", (small, start, 0.5, 0), why="the cards begin at zero, the merchants as handed in"),
        Case("a penalty of zero", (small, start, 0.0, 1), raises="ValueError"),
        Case("factors that do not fit", (small, start[:2], 0.5, 1), raises="ValueError"),
    ]
    for cards, merchants, k, sweeps in ((8, 6, 2, 2), (15, 10, 3, 5)):
        R = table(rng, cards, merchants, k, 0.5)
        found.append(Case(f"{cards} cards, {merchants} merchants", (R, rng.normal(size=(merchants, k)), 0.2, sweeps)))
    return found


def masked_grams(R, V, penalty, sweeps):
    """Accepted: all systems of one side at once, with the mask in an einsum."""
    R, V = np.array(R, dtype=np.float64), np.array(V, dtype=np.float64)
    if R.shape[1] != V.shape[0] or not penalty > 0:
        raise ValueError("shapes or penalty")
    seen = np.isfinite(R).astype(float)
    filled = np.where(seen > 0, R, 0.0)
    eye = penalty * np.eye(V.shape[1])

    def side(mask, values, other):
        grams = np.einsum("ij,jk,jl->ikl", mask, other, other) + eye
        return np.linalg.solve(grams, (values @ other)[:, :, None])[:, :, 0]

    U = np.zeros((len(R), V.shape[1]))
    for _ in range(sweeps):
        U = side(seen, filled, V)
        V = side(seen.T, filled.T, U)
    return U, V


def payment_by_payment(R, V, penalty, sweeps):
    """Accepted: a list of payments; sums gathered payment by payment."""
    if penalty <= 0:
        raise ValueError(f"penalty {penalty}")
    if len(V) != len(R[0]):
        raise ValueError("merchants")
    payments = [((u, i), float(r)) for u, row in enumerate(R) for i, r in enumerate(row) if not np.isnan(r)]
    k = len(V[0])
    factors = [np.zeros((len(R), k)), np.array(V, dtype=float)]
    for turn in range(2 * sweeps):
        mine, other = turn % 2, 1 - turn % 2
        A = np.tile(penalty * np.identity(k), (len(factors[mine]), 1, 1))
        b = np.zeros((len(factors[mine]), k))
        for parties, value in payments:
            x = factors[other][parties[other]]
            A[parties[mine]] += np.outer(x, x)
            b[parties[mine]] += value * x
        factors[mine] = np.array([np.linalg.inv(a) @ c for a, c in zip(A, b, strict=True)])
    return factors


EXERCISE = Exercise(
    id="als_factors",
    title="Matrix factorisation by alternating least squares",
    minutes=25,
    difficulty="medium",
    feeds="05",
    week="9-10",
    hints=(
        "With the merchants' factors fixed, what kind of problem is one card's row?",
        "A ridge regression without intercept: the observed values on the factors of exactly those merchants.",
        "For each row: seen = not NaN, A = V[seen]; solve (AᵀA + penalty·I) u = Aᵀ r[seen]. Then the same with R.T and the new U.",
    ),
    cases=cases,
    expect=with_rows_for_the_penalty,
    agree=close(1e-6, 1e-8),
    mutants=(
        Mutant(
            "gaps-are-zeros",
            "A gap was taken for a 0. What was not observed must take no part: use the observed entries of the row only.",
            swaps=(("seen = ~np.isnan(values)", "values, seen = np.nan_to_num(values), np.full(len(values), True)"),),
        ),
        Mutant(
            "penalty-times-count",
            "The penalty was multiplied by the number of observations. Some libraries do that; the loss of the question does not.",
            swaps=(("penalty * np.eye(A.shape[1])", "max(len(A), 1) * penalty * np.eye(A.shape[1])"),),
        ),
        Mutant(
            "both-from-the-old",
            "Merchants were solved with the cards' factors of the sweep before. Alternating means using the new ones at once.",
            swaps=(
                (
                    "        V = ridge_rows(R.T, U, penalty)\n",
                    "        V, before = ridge_rows(R.T, before, penalty), U\n",
                ),
                ("    for _ in range(sweeps):\n", "    before = U\n    for _ in range(sweeps):\n"),
            ),
        ),
        Mutant(
            "merchants-first",
            "A sweep begins with the cards, from the merchants' factors that are handed in.",
            swaps=(
                (
                    "        U = ridge_rows(R, V, penalty)\n        V = ridge_rows(R.T, U, penalty)\n",
                    "        V = ridge_rows(R.T, U, penalty)\n        U = ridge_rows(R, V, penalty)\n",
                ),
            ),
        ),
        Mutant(
            "merchants-never-solved",
            "Only the cards were solved. The merchants' factors are learnt as well, in the second half of each sweep.",
            swaps=(("        V = ridge_rows(R.T, U, penalty)\n", ""),),
        ),
        Mutant(
            "penalty-halved",
            "The sum of squares gives 2AᵀA and the penalty 2·penalty·I: the twos cancel.",
            swaps=(("penalty * np.eye(A.shape[1])", "penalty / 2 * np.eye(A.shape[1])"),),
        ),
        Mutant(
            "penalty-on-every-entry",
            "The penalty belongs on the diagonal only.",
            swaps=(("penalty * np.eye(A.shape[1])", "penalty * (np.eye(A.shape[1]) + 0.1)"),),
        ),
        Mutant(
            "any-penalty-taken",
            "A penalty of 0 must be refused: a card with fewer payments than factors then has no single answer.",
            swaps=(("if penalty <= 0 or ", "if "),),
        ),
    ),
    accepted=(masked_grams, payment_by_payment),
)
