"""Item-based neighbours: cosine between merchants, the k most similar others, a weighted mean of the card's visits."""

from __future__ import annotations

import heapq
import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_dictionaries(visits, k):
    """The oracle: plain loops over merchants and the cards they share."""
    table = np.asarray(visits, dtype=float).tolist()
    cards, merchants = len(table), len(table[0])
    columns = [{u: table[u][i] for u in range(cards) if table[u][i]} for i in range(merchants)]
    length = [math.sqrt(math.fsum(value * value for value in column.values())) for column in columns]
    scores = np.zeros((cards, merchants))
    for i in range(merchants):
        alike = []
        for j in range(merchants):
            shared = columns[i].keys() & columns[j].keys()
            if j != i and shared:
                alike.append((math.fsum(columns[i][u] * columns[j][u] for u in shared) / length[i] / length[j], j))
        nearest = heapq.nlargest(k, alike)
        total = math.fsum(s for s, _ in nearest)
        for u in range(cards):
            scores[u, i] = math.fsum(s * table[u][j] for s, j in nearest) / total if nearest else 0.0
    return scores


def cases(rng: np.random.Generator) -> list[Case]:
    """Small tables for each point, then random ones."""
    visits = np.array(
        [[5.0, 3.0, 0.0, 1.0], [4.0, 0.0, 0.5, 1.0], [1.0, 1.5, 0.0, 5.0], [0.0, 1.0, 5.0, 4.0], [2.0, 0.7, 0.3, 0.0]]
    )
    busy = visits * np.array([1.0, 100.0, 1.0, 1.0])
    lonely = np.column_stack([visits, np.zeros(5)])
    found = [
        Case("three merchants, as lists", ([[1, 1, 0], [2, 1, 1], [0, 0, 3]], 1)),
        Case("four merchants, two neighbours", (visits, 2)),
        Case(
            "the nearest one",
            (visits, 1),
            why="a merchant is most like itself; it must not be its own neighbour, or the score is what is known already",
        ),
        Case(
            "a merchant that everybody visits often",
            (busy, 1),
            why="the cosine divides by both lengths; a bare product makes the busiest merchant everybody's neighbour",
        ),
        Case(
            "a merchant nobody has visited",
            (lonely, 2),
            why="it has length 0 and is like none: its scores are 0, and so is its similarity with others, not NaN",
        ),
        Case(
            "a card without visits",
            (np.vstack([visits, np.zeros(4)]), 2),
            why="nothing is known of the card; all its scores are 0",
        ),
        Case(
            "merchants of two worlds",
            (np.array([[1.0, 2.0, 0.0, 0.0], [3.0, 1.0, 0.0, 0.0], [0.0, 0.0, 2.0, 1.0], [0.0, 0.0, 1.0, 4.0]]), 3),
            why="neighbours of similarity 0 carry no weight; the mean is over the weights, not over k",
        ),
        Case("all others are neighbours", (visits, 3)),
        Case("more neighbours than there are", (visits, 10), why="then all others are taken"),
        Case("no neighbours", (visits, 0), raises="ValueError"),
        Case("a negative count", (visits - 1.0, 2), raises="ValueError"),
    ]
    for cards, merchants, k in ((12, 7, 2), (25, 12, 4)):
        table = rng.gamma(1.0, 2.0, (cards, merchants)) * (rng.random((cards, merchants)) < 0.5)
        found.append(Case(f"{cards} cards, {merchants} merchants", (table, k)))
    return found


def merchant_after_merchant(visits, k):
    """Accepted: unit columns, and for each merchant the chosen neighbours as a short weight vector."""
    table = np.array(visits, dtype=np.float64)
    if k < 1 or (table < 0).any():
        raise ValueError("k or visits")
    norms = np.sqrt((table**2).sum(0))
    units = table / np.where(norms > 0, norms, 1.0)
    scores = np.zeros_like(table)
    for i in range(table.shape[1]):
        alike = units.T @ units[:, i]
        alike[i] = -1.0
        chosen = np.argpartition(-alike, min(k, len(alike)) - 1)[:k]
        weights = np.maximum(alike[chosen], 0.0)
        if weights.sum() > 0:
            scores[:, i] = np.average(table[:, chosen], axis=1, weights=weights)
    return scores


def threshold_of_each_merchant(visits, k):
    """Accepted: the k-th largest similarity of each merchant is a threshold; the rest is set to 0."""
    V = np.asarray(visits, float)
    if not k >= 1:
        raise ValueError(f"k={k}")
    if V.min() < 0:
        raise ValueError("negative visits")
    gram = V.T @ V
    scale = np.sqrt(np.outer(np.diag(gram), np.diag(gram)))
    alike = np.divide(gram, scale, out=np.zeros_like(gram), where=scale > 0)
    alike -= np.diag(np.diag(alike))
    if k < len(alike):
        least_kept = np.sort(alike, axis=1)[:, [-k]]
        alike[alike < least_kept] = 0.0
    weight = alike.sum(axis=1)
    return np.nan_to_num(np.dot(V, alike.T) / np.where(weight > 0, weight, np.nan)[None, :], nan=0.0)


EXERCISE = Exercise(
    id="item_neighbours",
    title="Item-based neighbours",
    minutes=20,
    difficulty="medium",
    feeds="05",
    week="9-10",
    hints=(
        "Two merchants are alike when the same cards visit them. Which two columns do you compare, and what makes a busy one no closer?",
        "Unit columns: all cosines are then one product of the table with itself. Put 0 on the diagonal.",
        "Keep the k largest of each row of similarities and set the rest to 0; visits @ kept.T is the numerator, the row sums of kept the denominator.",
    ),
    cases=cases,
    expect=by_dictionaries,
    agree=close(1e-6, 1e-9),
    mutants=(
        Mutant(
            "its-own-neighbour",
            "A merchant was its own nearest neighbour. The score then repeats what the card has done already.",
            swaps=(("    np.fill_diagonal(alike, 0.0)\n", ""),),
        ),
        Mutant(
            "product-without-lengths",
            "Columns were compared by their bare product, so that the busiest merchant is near to everybody. Divide by the lengths.",
            swaps=(("units = visits / np.where(length > 0, length, 1.0)", "units = visits"),),
        ),
        Mutant(
            "correlation-instead",
            "Columns were centred first. That is the correlation; the cosine of the question takes visits as they are.",
            swaps=(
                (
                    "length = np.sqrt((visits**2).sum(axis=0))",
                    "centred = visits - visits.mean(axis=0)\n    length = np.sqrt((centred**2).sum(axis=0))",
                ),
                (
                    "units = visits / np.where(length > 0, length, 1.0)",
                    "units = centred / np.where(length > 0, length, 1.0)",
                ),
            ),
        ),
        Mutant(
            "not-divided-by-weights",
            "The weighted sum was returned. Divide by the sum of the weights: the score is in the unit of the visits.",
            swaps=(("np.where(total > 0, total, 1.0)", "1.0"),),
        ),
        Mutant(
            "divided-by-k",
            "The sum was divided by k. The weights do not sum to k: divide by their sum.",
            swaps=(("np.where(total > 0, total, 1.0)", "k"),),
        ),
        Mutant(
            "all-are-neighbours",
            "All merchants had a say. Only the k most similar ones do.",
            swaps=(("[:, :-k]", "[:, :0]"),),
        ),
        Mutant(
            "least-similar",
            "The k least similar merchants were kept: argsort rises.",
            swaps=(("[:, :-k]", "[:, k:]"),),
        ),
        Mutant(
            "divided-by-zero",
            "A merchant without visits has length 0, and NaN spreads into the scores of others. Its similarities are 0.",
            swaps=(
                ("visits / np.where(length > 0, length, 1.0)", "visits / length"),
                ("alike = units.T @ units", "np.seterr(all='ignore')\n    alike = units.T @ units"),
            ),
        ),
    ),
    accepted=(merchant_after_merchant, threshold_of_each_merchant),
)
