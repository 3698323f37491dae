"""SMOTE from given draws: the row itself, its duplicates, ties, and which end the share counts from."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant
from fraudkit.workbook.shrink import rows as shorter


def by_sorting_lists(X, rows, ranks, shares, k=5):
    """The oracle: for each new row, plain lists sorted by (distance, position)."""
    points = [[float(value) for value in row] for row in np.asarray(X).tolist()]
    made = []
    for row, rank, share in zip(rows, ranks, shares, strict=True):
        others = sorted((math.dist(points[row], point), j) for j, point in enumerate(points) if j != row)
        end = points[others[rank][1]]
        made.append([(1 - share) * a + share * b for a, b in zip(points[row], end, strict=True)])
    return np.array(made).reshape(-1, len(points[0]))


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random points."""
    X = np.array([[0, 0], [4, 0], [0, 10], [5, 1]])
    found = [
        Case("one new row", (X, [0], [0], [0.25]), {"k": 2}, why="a share of 0.25 stays near the row it starts from"),
        Case("the second neighbour", (X, [2, 1], [1, 1], [0.5, 0.75]), {"k": 3}),
        Case(
            "two frauds with the same values",
            (np.array([[1, 1], [1, 1], [9, 5]]), [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0.5]),
            {"k": 2},
            why="a duplicate is another row: the nearest one, at distance 0",
        ),
        Case(
            "two neighbours equally far",
            (np.array([[0.0], [-2.0], [2.0], [7.0]]), [0, 0], [0, 1], [0.5, 0.5]),
            {"k": 3},
            why="of equally near rows the first comes first",
        ),
        Case(
            "near along the diagonal or along an axis",
            (np.array([[0.0, 0.0], [3.0, 3.0], [0.0, 5.0]]), [0], [0], [0.5]),
            {"k": 1},
            why="(3, 3) is 4.24 away, (0, 5) is 5: the distance is Euclidean",
        ),
        Case("no new rows", (X, [], [], []), {"k": 1}),
        Case("k too large", (X, [0], [0], [0.5]), {"k": 4}, raises="ValueError", why="4 rows have 3 neighbours each"),
        Case("k of nought", (X, [], [], []), {"k": 0}, raises="ValueError"),
        Case("a rank of k", (X, [0], [2], [0.5]), {"k": 2}, raises="ValueError", why="ranks count from 0 to k - 1"),
        Case("a negative rank", (X, [0], [-1], [0.5]), {"k": 2}, raises="ValueError"),
    ]
    for n, d, m in ((8, 2, 5), (40, 6, 30)):
        args = (rng.normal(size=(n, d)), rng.integers(0, n, m), rng.integers(0, 5, m), rng.random(m))
        found.append(Case(f"{m} new rows from {n}", args))
    return found


def one_row_at_a_time(X, rows, ranks, shares, k=5):
    """Accepted: distances of one row, itself deleted from the list before it is sorted."""
    X = np.array(X, dtype=float)
    n, d = X.shape
    if k < 1 or k > n - 1 or any(rank < 0 or rank >= k for rank in ranks):
        raise ValueError("k or a rank is out of range")
    made = np.empty((len(rows), d))
    for i, row in enumerate(rows):
        others = np.delete(np.arange(n), row)
        order = np.argsort(np.linalg.norm(X[others] - X[row], axis=1), kind="stable")
        neighbour = X[others[order[ranks[i]]]]
        made[i] = shares[i] * neighbour + (1 - shares[i]) * X[row]
    return made


def ranked_tuples(X, rows, ranks, shares, k=5):
    """Accepted: no arrays at all until the end."""
    points = [tuple(map(float, row)) for row in X]
    if k not in range(1, len(points)):
        raise ValueError(f"k={k} for {len(points)} rows")
    made = []
    for row, rank, share in zip(rows, ranks, shares, strict=True):
        if rank not in range(k):
            raise ValueError(f"rank {rank} is not below k={k}")
        here = points[row]
        candidates = [
            (sum((a - b) ** 2 for a, b in zip(point, here, strict=True)), j)
            for j, point in enumerate(points)
            if j != row
        ]
        there = points[sorted(candidates)[rank][1]]
        made.append([a + (b - a) * share for a, b in zip(here, there, strict=True)])
    return np.array(made) if made else np.empty((0, len(points[0])))


EXERCISE = Exercise(
    id="smote",
    title="SMOTE with given draws",
    minutes=20,
    difficulty="medium",
    feeds="07",
    week="7-8",
    hints=(
        "A new row lies on the line between a fraud and one of its neighbours. What do you need to know of each fraud?",
        "The row itself is at distance 0, and so is a duplicate. How do you leave out the one and keep the other?",
        "Squared distances (n, n), infinity on the diagonal, a stable argsort by rows; then "
        "start + share * (end - start) for all draws at once.",
    ),
    cases=cases,
    expect=by_sorting_lists,
    agree=close(),
    mutants=(
        Mutant(
            "itself-its-neighbour",
            "The row was found as its own nearest neighbour, so rank 0 makes copies. Leave the row itself out.",
            swaps=(("    np.fill_diagonal(distances, np.inf)\n", ""),),
        ),
        Mutant(
            "duplicates-left-out",
            "Every row at distance 0 was left out. A duplicate is another row; only the row itself goes.",
            swaps=(("np.fill_diagonal(distances, np.inf)", "distances[distances == 0] = np.inf"),),
        ),
        Mutant(
            "from-the-other-end",
            "The share was counted from the neighbour. A share of 0 is the fraud one starts from.",
            swaps=(("return start + ", "return end + "), ("(end - start)", "(start - end)")),
        ),
        Mutant(
            "not-between",
            "The neighbour itself was added, not the way to it, so the new row lies outside of the line.",
            swaps=(("* (end - start)", "* end"),),
        ),
        Mutant(
            "city-blocks",
            "The distance is the sum of absolute differences. Euclidean distance was asked for.",
            swaps=(("((X[:, None, :] - X[None, :, :]) ** 2)", "np.abs(X[:, None, :] - X[None, :, :])"),),
        ),
        Mutant(
            "k-not-checked",
            "More neighbours than there are other rows were taken. Raise ValueError.",
            swaps=(("if not 1 <= k <= len(X) - 1:", "if False:"),),
        ),
        Mutant(
            "rank-not-checked",
            "A rank beyond the k neighbours was taken, so k has no meaning. Raise ValueError.",
            swaps=(("if ((ranks < 0) | (ranks >= k)).any():", "if False:"),),
        ),
    ),
    accepted=(one_row_at_a_time, ranked_tuples),
    shrink=shorter(1, 2, 3, noun="new rows"),
)
