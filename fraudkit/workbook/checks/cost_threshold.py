"""The threshold of least cost: tied scores go together, nobody and everybody are choices, and it takes n log n."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np

from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant


def total_cost(flagged, y_true, amount, review_cost, false_positive_cost):
    """What it costs to flag these payments, one after the other."""
    total = 0.0
    for flag, label, lost in zip(flagged, y_true, amount, strict=True):
        if flag:
            total += review_cost if label else review_cost + false_positive_cost
        elif label:
            total += float(lost)
    return total


def every_threshold_tried(y_true, y_score, amount, review_cost, false_positive_cost):
    """The oracle: tries each distinct score and minus infinity, from the highest on; keeps the first cheapest."""
    scores = [float(score) for score in y_score]
    best, least = 0.0, float("inf")
    for threshold in [*sorted(set(scores), reverse=True), float("-inf")]:
        flagged = [score > threshold for score in scores]
        cost = total_cost(flagged, y_true, amount, review_cost, false_positive_cost)
        if cost < least:
            best, least = threshold, cost
    return best


def same_payments_flagged(got: Any, expected: Any, case: Case) -> str:
    """Any threshold that flags the same payments is right, such as a value between two scores."""
    if isinstance(got, np.ndarray) and got.shape == ():
        got = got.item()
    if got is None:
        return "the answer is None; is a return missing?"
    if isinstance(got, bool) or not isinstance(got, Real):
        return f"the answer is a {type(got).__name__}, expected one number"
    if np.isnan(float(got)):
        return "the answer is nan, expected a threshold"
    y_true, y_score, *costs = case.args
    scores = np.asarray(y_score, dtype=float)
    mine, right = scores > float(got), scores > float(expected)
    if np.array_equal(mine, right):
        return ""
    paid, needed = (total_cost(flagged, y_true, *costs) for flagged in (mine, right))
    if paid == needed:
        return (
            f"it costs as little as can be, but {int(mine.sum())} payments are flagged where {int(right.sum())} will do"
        )
    return (
        f"it flags {int(mine.sum())} of {scores.size} payments at a cost of {paid:g}; "
        f"the cheapest threshold flags {int(right.sum())} at {needed:g}"
    )


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones; whole dollars, so that sums in any order are equal."""
    labels, scores = np.array([1, 0, 1, 0]), np.array([0.9, 0.7, 0.6, 0.2])
    found = [
        Case("four payments", (labels, scores, np.array([80.0, 20.0, 50.0, 10.0]), 2.0, 5.0)),
        Case("the second fraud is not worth it", (labels, scores, np.array([80.0, 20.0, 6.0, 10.0]), 2.0, 5.0)),
        Case(
            "frauds smaller than a review",
            (labels, scores, np.array([3.0, 500.0, 1.0, 40.0]), 4.0, 5.0),
            why="flagging nobody is a choice too, and here the cheapest",
        ),
        Case(
            "flagging everybody",
            (np.array([0, 1, 1]), np.array([0.9, 0.5, 0.1]), np.array([10.0, 60.0, 90.0]), 1.0, 2.0),
            why="the last fraud has the lowest score; a threshold at that score does not flag it",
        ),
        Case(
            "a fraud and genuine payments tie",
            (np.array([1, 0, 0, 0, 1]), np.array([0.5, 0.5, 0.5, 0.5, 0.9]), np.array([9, 1, 1, 1, 70]), 1, 4),
            why="no threshold separates equal scores: whoever flags the fraud flags the three beside it",
        ),
        Case(
            "a tie worth flagging as a whole",
            (np.array([1, 0, 1, 0]), np.array([0.5, 0.5, 0.9, 0.1]), np.array([30.0, 1.0, 70.0, 2.0]), 1.0, 4.0),
            why="the fraud of 30 pays for the false alarm beside it, so the whole group is flagged",
        ),
        Case(
            "two thresholds cost the same",
            ([1, 1, 0, 1], [0.9, 0.8, 0.7, 0.6], [40.0, 30.0, 5.0, 10.0], 3.0, 4.0),
            why="among equal costs the threshold that flags fewer payments wins",
        ),
        Case(
            "the review of a fraud costs too",
            (np.array([1, 1]), np.array([0.9, 0.3]), np.array([50.0, 2.0]), 4.0, 1.0),
            why="every flagged payment is reviewed, fraud or not",
        ),
        Case(
            "the review of a genuine payment costs too",
            (np.array([0, 1]), np.array([0.9, 0.3]), np.array([10.0, 8.0]), 3.0, 4.0),
            why="a false alarm costs the review and the customer's trouble",
        ),
        Case(
            "one large fraud among small ones",
            (np.array([1, 0, 0, 0, 1, 1, 1]), np.arange(7) / -8.0, np.array([400, 9, 9, 9, 1, 1, 1]), 2, 10),
            why="a missed fraud costs its own amount, not that of the average fraud",
        ),
        Case("no fraud", (np.zeros(3, dtype=int), np.array([0.9, 0.5, 0.1]), np.array([5.0, 6.0, 7.0]), 1.0, 2.0)),
        Case(
            "scores in float32, labels as booleans",
            (labels == 1, scores.astype(np.float32), np.float32([80, 20, 50, 10]), 2.0, 5.0),
        ),
        Case("an amount is negative", ([1, 0], [0.9, 0.1], [-20.0, 5.0], 1.0, 2.0), raises="ValueError"),
        Case("one amount for two payments", ([1, 0], [0.9, 0.1], [20.0], 1.0, 2.0), raises="ValueError"),
    ]
    for size, review_cost in ((40, 2.0), (150, 6.5)):
        y_true = (rng.random(size) < 0.3).astype(int)
        y_score = np.round(rng.random(size) + 0.4 * y_true, 1)
        amount = rng.integers(1, 60, size).astype(float)
        found.append(Case(f"{size} payments with ties", (y_true, y_score, amount, review_cost, 8.0)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of size n, about twenty payments a score, to see how time grows."""
    y_true = (np.arange(n) % 10 == 0).astype(int)
    y_score = (rng.integers(0, n // 20, n) + n // 60 * y_true) / (n // 20)
    return Case(f"{n} payments", (y_true, y_score, rng.integers(1, 200, n).astype(float), 2.0, 5.0))


def by_scores_gain(y_true, y_score, amount, review_cost, false_positive_cost):
    """Accepted: what each distinct score saves when flagged, summed from the top; halfway thresholds."""
    if not np.shape(y_true) == np.shape(y_score) == np.shape(amount):
        raise ValueError("labels, scores and amounts differ in number")
    y_true, amount = np.asarray(y_true).astype(float), np.asarray(amount, dtype=float)
    if amount.min() < 0:
        raise ValueError(f"the amount {amount.min()} is negative")
    values, group = np.unique(np.asarray(y_score, dtype=float), return_inverse=True)
    saves = np.bincount(group, y_true * amount - review_cost - (1 - y_true) * false_positive_cost)
    from_top = np.append(0.0, np.cumsum(saves[::-1]))
    edges = np.concatenate([[np.inf], (values[1:] + values[:-1])[::-1] / 2, [-np.inf]])
    return edges[np.argmax(from_top)]


def walking_down(y_true, y_score, amount, review_cost, false_positive_cost):
    """Accepted: plain Python down the sorted payments, looking only where the score changes."""
    if len({len(y_true), len(y_score), len(amount)}) > 1 or min(amount) < 0:
        raise ValueError("one amount of 0 or more for each payment is needed")
    rows = sorted(zip(map(float, y_score), y_true, map(float, amount), strict=True), key=lambda row: -row[0])
    cost = least = 0.0
    best = rows[0][0]
    for position, (_, fraud, lost) in enumerate(rows):
        cost += review_cost + (-lost if fraud else false_positive_cost)
        below = rows[position + 1][0] if position + 1 < len(rows) else float("-inf")
        if below < rows[position][0] and cost < least:
            best, least = below, cost
    return best


EXERCISE = Exercise(
    id="cost_threshold",
    title="Cost-optimal threshold",
    minutes=20,
    difficulty="hard",
    feeds="06",
    week="7-8",
    hints=(
        "Start with nobody flagged and lower the threshold past one payment after the other. By how much does the cost "
        "change each time?",
        "A fraud changes it by its review minus its amount, a genuine payment by review and false-positive cost. One "
        "descending sort and one running sum give the cost of every threshold.",
        "Not every row is a place to stop: after it the score must change. Before the first row (nobody) and after the "
        "last (everybody) are places too. `np.argmin` takes the first of equal costs.",
    ),
    cases=cases,
    expect=every_threshold_tried,
    agree=same_payments_flagged,
    mutants=(
        Mutant(
            "ties-split",
            "The best place to stop lay between payments of equal score, where no threshold can. Allow a stop only "
            "where the score changes.",
            swaps=(("cost[~allowed] = np.inf", "allowed[:] = True"),),
        ),
        Mutant(
            "nobody-left-out",
            "At least one payment is always flagged. Where the frauds are smaller than the reviews, flagging nobody is "
            "cheapest: it belongs among the choices.",
            swaps=(("np.concatenate([[True], ranked", "np.concatenate([[False], ranked"),),
        ),
        Mutant(
            "everybody-left-out",
            "The lowest score can never be flagged, as only scores were tried as thresholds. A threshold below all of "
            "them belongs among the choices.",
            swaps=(("ranked[:-1], [True]])", "ranked[:-1], [False]])"),),
        ),
        Mutant(
            "at-threshold-flagged",
            "This threshold is right for flagging scores at it and above. Here a payment is flagged above the "
            "threshold only: return the next lower score, or minus infinity.",
            swaps=(("np.append(ranked, -np.inf)", "np.append(np.inf, ranked)"),),
        ),
        Mutant(
            "review-of-frauds-free",
            "Reviews of frauds were not charged. Every flagged payment is reviewed, fraud or not.",
            swaps=(("review_cost - amount", "-amount"),),
        ),
        Mutant(
            "review-of-genuine-free",
            "A false alarm costs the review as well as the false-positive cost.",
            swaps=(("review_cost + false_positive_cost", "false_positive_cost"),),
        ),
        Mutant(
            "average-fraud",
            "Every missed fraud was charged the average amount. One fraud of 400 and three of 1 are not four of 100: "
            "charge each its own amount.",
            swaps=(("review_cost - amount,", "review_cost - amount[y_true].sum() / max(y_true.sum(), 1),"),),
        ),
        Mutant(
            "most-flagged-of-equals",
            "Where thresholds cost the same, the one with the most alerts was taken. The question asks for the fewest.",
            swaps=(("np.argmin(cost)", "len(cost) - 1 - np.argmin(cost[::-1])"),),
        ),
        Mutant(
            "each-threshold-counted",
            "The value is right, but every threshold adds up all payments anew: time grows with the square.",
            swaps=(
                (
                    "cost[~allowed] = np.inf",
                    "price = np.where(y_true, review_cost - amount, review_cost + false_positive_cost)\n"
                    "    cost[~allowed] = np.inf\n"
                    "    for i in np.flatnonzero(allowed):\n"
                    "        cost[i] = np.sum(price * (y_score > thresholds[i]))",
                ),
            ),
        ),
    ),
    accepted=(by_scores_gain, walking_down),
    growth=Growth(
        large, n=40_000, says="Sort once and keep a running sum instead of adding up all payments for each threshold."
    ),
    plug="threshold",
)
