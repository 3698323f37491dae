"""t-SNE's affinities: a width per row found by its perplexity, whatever the scale, then made symmetric."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_root_finding(X, perplexity):
    """The oracle: scipy's brentq on the logarithm of each row's precision; entropies by scipy.special.entr."""
    brentq, entr = import_module("scipy.optimize").brentq, import_module("scipy.special").entr
    X = np.asarray(X, dtype=float)
    n = len(X)
    P = np.zeros((n, n))
    for i in range(n):
        others = np.delete(np.arange(n), i)
        squares = ((X[others] - X[i]) ** 2).sum(axis=1)
        squares = (squares - squares.min()) / squares.mean()

        def chances(log_precision, squares=squares):
            p = np.exp(-squares * np.exp(log_precision))
            return p / p.sum()

        found = brentq(lambda u, chances=chances: np.exp(entr(chances(u)).sum()) - perplexity, -30, 30, xtol=1e-13)
        P[i, others] = chances(found)
    return (P + P.T) / (2 * n)


def cases(rng: np.random.Generator) -> list[Case]:
    """A few points on a line, then each hard point, then random rows."""
    line = np.array([[0.0], [1.0], [2.5], [4.5], [9.0]])
    plane = rng.normal(size=(8, 2))
    found = [
        Case("four rows, as lists", ([[0], [1], [3], [7]], 2)),
        Case(
            "a line",
            (line, 2.5),
            why="each row has a width of its own: in thin regions a wider one reaches as many neighbours",
        ),
        Case(
            "an outlier",
            (np.array([[0.0], [1.0], [2.2], [3.1], [500.0]]), 2.0),
            why="exp(−d²·β) is 0 for all others of an outlier; subtract the smallest squared distance first",
        ),
        Case(
            "rows a thousandth apart",
            (line * 1e-3, 2.5),
            why="the precision may be a million; double the upper end until it is high enough",
        ),
        Case("rows ten thousand apart", (line * 1e4, 2.5), why="and it may be 1e-9: the lower end of the search is 0"),
        Case("two columns", (plane, 3.0), why="distances are squared Euclidean"),
        Case(
            "nearly all are neighbours",
            (plane, 6.5),
            why="perplexity is 2 to the entropy in bits, or e to the entropy in nats; not a mixture",
        ),
        Case("few neighbours", (plane, 1.5)),
        Case("whole numbers", (np.array([[0, 3], [1, 1], [5, 2], [7, 9], [4, 4]]), 2)),
        Case(
            "perplexity of one",
            (line, 1.0),
            raises="ValueError",
            why="a perplexity of 1 is reached only with an infinite precision",
        ),
        Case("perplexity of all others", (line, 4.0), raises="ValueError"),
    ]
    for n, d, perplexity in ((12, 2, 4.0), (20, 5, 6.0)):
        X = rng.normal(size=(n, d))
        X[: n // 3] *= 4.0
        found.append(Case(f"{n} payments, perplexity {perplexity:g}", (X, perplexity)))
    return found


def all_rows_at_once(X, perplexity):
    """Accepted: the bisection runs for all rows together, on the logarithm of the precision."""
    X = np.array(X, dtype=np.float64)
    n = X.shape[0]
    if not 1 < perplexity < n - 1:
        raise ValueError("perplexity")
    D = np.square(X[:, None] - X[None]).sum(-1)
    away = ~np.eye(n, dtype=bool)
    D = D[away].reshape(n, n - 1)
    D -= D.min(axis=1, keepdims=True)
    D /= D.max(axis=1, keepdims=True)
    low, high = np.full((n, 1), -40.0), np.full((n, 1), 40.0)
    for _ in range(70):
        middle = (low + high) / 2
        W = np.exp(-D * np.exp(middle))
        Z = W.sum(axis=1, keepdims=True)
        nats = np.log(Z) + np.exp(middle) * (D * W).sum(axis=1, keepdims=True) / Z
        wide = nats > np.log(perplexity)
        low, high = np.where(wide, middle, low), np.where(wide, high, middle)
    P = np.zeros((n, n))
    P[away] = (W / Z).ravel()
    return (P + P.T) / P.sum() / 2


def newton_steps(X, perplexity):
    """Accepted: row by row, Newton steps for the entropy held inside a bracket; plain loops."""
    rows = [[float(v) for v in row] for row in X]
    n = len(rows)
    if perplexity <= 1 or perplexity >= n - 1:
        raise ValueError(f"perplexity {perplexity} for {n} rows")
    target, P = np.log(float(perplexity)), np.zeros((n, n))
    for i, row in enumerate(rows):
        d = np.array(
            [sum((a - b) ** 2 for a, b in zip(row, other, strict=True)) for j, other in enumerate(rows) if j != i]
        )
        d = d - min(d)
        beta, low, high = 1.0 / np.mean(d), 0.0, np.inf
        for _ in range(200):
            w = np.exp(-beta * d)
            p = w / np.sum(w)
            mean = p @ d
            gap = np.log(np.sum(w)) + beta * mean - target
            if abs(gap) < 1e-13:
                break
            low, high = (beta, high) if gap > 0 else (low, beta)
            slope = -beta * (p @ d**2 - mean**2)
            step = beta - gap / slope if slope < 0 else -1.0
            beta = step if low < step < high else (2 * beta if np.isinf(high) else (low + high) / 2)
        P[i, [j for j in range(n) if j != i]] = p
    return 0.5 * (P + P.T) / n


EXERCISE = Exercise(
    id="tsne_affinities",
    title="t-SNE: affinities of given perplexity",
    minutes=30,
    difficulty="hard",
    feeds="12",
    week="3-4",
    hints=(
        "One row at a time: which precision β makes its neighbours as many as the perplexity says? More precision, fewer neighbours.",
        "Entropy falls as β rises, so halve an interval. Find its upper end first by doubling until the entropy is too low.",
        "With squared distances d to the others, less their minimum, p = exp(−βd) / Σ. The perplexity is exp of −Σ p·log p.",
        "At the end (P + Pᵀ) / (2n), so that all entries sum to 1.",
    ),
    cases=cases,
    expect=by_root_finding,
    agree=close(1e-4, 1e-7),
    mutants=(
        Mutant(
            "not-symmetric",
            "The conditional chances were divided by n, but row and column were not brought together: (P + Pᵀ) / (2n).",
            swaps=(("return (P + P.T) / (2 * n)", "return P / n"),),
        ),
        Mutant(
            "does-not-sum-to-one",
            "The affinities of all pairs together must sum to 1: divide by 2n, not by 2.",
            swaps=(("/ (2 * n)", "/ 2"),),
        ),
        Mutant(
            "bits-against-nats",
            "The entropy was measured in nats and compared with log2 of the perplexity, or the other way round.",
            swaps=(("target = np.log(perplexity)", "target = np.log2(perplexity)"),),
        ),
        Mutant(
            "one-width-for-all",
            "All rows used the width of the first. Each row has its own, so that outliers too have neighbours.",
            swaps=(("return np.exp(-high * squares)", "return np.exp(-high[0] * squares)"),),
        ),
        Mutant(
            "distances-not-squared",
            "The Gaussian kernel takes squared distances.",
            swaps=(
                (
                    "squares = ((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=2)",
                    "squares = np.sqrt(((X[:, None, :] - X[None, :, :]) ** 2).sum(axis=2))",
                ),
            ),
        ),
        Mutant(
            "search-that-does-not-reach",
            "The precision was searched between 0 and 1 only. Its size depends on the unit of the columns: widen the interval first.",
            swaps=(("    while (wide := entropy(high) > target).any():\n        high[wide] *= 2\n", ""),),
        ),
        Mutant(
            "ten-halvings",
            "The search was stopped too early; each halving gives one binary digit, fifty are cheap.",
            swaps=(("range(100)", "range(8)"),),
        ),
        Mutant(
            "itself-a-neighbour",
            "A row was counted among its own neighbours. Its affinity with itself is 0 and it takes no part in the perplexity.",
            swaps=(("    np.fill_diagonal(squares, np.inf)  # no row is its own neighbour\n", ""),),
        ),
    ),
    accepted=(all_rows_at_once, newton_steps),
)
