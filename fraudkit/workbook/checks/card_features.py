"""A card's earlier payments: nothing of the payment itself or the future, in the input's order."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import rows


def looked_up(card, event_time, amount):
    """The oracle: for each payment, the list of the earlier ones of its card."""
    cards, times, amounts = (np.asarray(column).tolist() for column in (card, event_time, amount))
    out = {"count": [], "mean_amount": [], "seconds_since_last": []}
    for i, (who, now) in enumerate(zip(cards, times, strict=True)):
        earlier = [j for j in range(len(cards)) if cards[j] == who and (times[j], j) < (now, i)]
        out["count"].append(len(earlier))
        out["mean_amount"].append(math.fsum(amounts[j] for j in earlier) / len(earlier) if earlier else math.nan)
        out["seconds_since_last"].append(now - max(times[j] for j in earlier) if earlier else math.nan)
    return {name: np.array(values, dtype=int if name == "count" else float) for name, values in out.items()}


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones."""
    found = [
        Case("two cards, out of order", (["a", "b", "a", "a"], [100, 50, 400, 160], [10.0, 99.0, 40.0, 20.0])),
        Case("one payment", ([7], [1000], [12.5]), why="nothing is known of a new card: a count of 0 and two NaN"),
        Case(
            "a large last payment",
            (["c", "c", "c"], [1, 2, 3], [10.0, 20.0, 900.0]),
            why="the payment of 900 must not be in its own mean, nor in those before it",
        ),
        Case(
            "three payments of one second",
            ([1, 1, 1, 1], [60, 60, 60, 0], [4.0, 8.0, 6.0, 2.0]),
            why="of one second those further up came first",
        ),
        Case(
            "cards in turn",
            (["x", "y", "x", "y"], [0, 1, 5, 9], [1.0, 100.0, 3.0, 300.0]),
            why="the last payment of this card, not of the table",
        ),
        Case("whole amounts and float32", (np.array([3, 3, 3]), np.array([10, 20, 40]), np.float32([1, 2, 5]))),
        Case("a card whose refund makes nothing", ([1, 1, 1], [1, 2, 3], [5.0, -5.0, 2.0]), why="a mean of 0 is known"),
        Case("no rows", ([], [], [])),
        Case("lengths differ", ([1, 2], [1, 2], [3.0]), raises="ValueError"),
    ]
    for n, cards in ((20, 4), (120, 9)):
        amounts = np.round(rng.gamma(2, 20, n), 2)
        found.append(Case(f"{n} payments", (rng.integers(0, cards, n), rng.integers(0, 3 * n, n), amounts)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of size n on n / 20 cards."""
    return Case(f"{n} payments", (rng.integers(0, n // 20, n), rng.integers(0, 10**6, n), rng.random(n)))


def one_walk(card, event_time, amount):
    """Accepted: one walk through the payments in order of time, a running total for each card."""
    n = len(card)
    if len(event_time) != n or len(amount) != n:
        raise ValueError("lengths differ")
    count, mean, since = np.zeros(n, dtype=int), np.full(n, np.nan), np.full(n, np.nan)
    known = defaultdict(lambda: [0, 0.0, 0])
    for i in sorted(range(n), key=lambda i: event_time[i]):
        state = known[card[i]]
        if state[0]:
            count[i], mean[i], since[i] = state[0], state[1] / state[0], event_time[i] - state[2]
        state[0] += 1
        state[1] += float(amount[i])
        state[2] = event_time[i]
    return {"seconds_since_last": since, "mean_amount": mean, "count": count}


def numpy_blocks(card, event_time, amount):
    """Accepted: NumPy alone: rows laid out card by card, running sums less what they were at the card's begin."""
    if len({len(card), len(event_time), len(amount)}) != 1:
        raise ValueError("card, event_time and amount must be of one length")
    if len(card) == 0:
        return {name: np.empty(0) for name in ("count", "mean_amount", "seconds_since_last")}
    times, amounts = np.asarray(event_time), np.asarray(amount, dtype=float)
    code = np.unique(np.asarray(card), return_inverse=True)[1]
    order = np.lexsort((times, code))
    code, t, a = code[order], times[order], amounts[order]
    new = np.r_[True, code[1:] != code[:-1]]
    begin = np.flatnonzero(new)[np.cumsum(new) - 1]
    place = np.arange(len(a)) - begin
    before = np.cumsum(a) - a
    out = {"count": place, "mean_amount": np.full(len(a), np.nan), "seconds_since_last": np.full(len(a), np.nan)}
    later = place > 0
    out["mean_amount"][later] = (before - before[begin])[later] / place[later]
    out["seconds_since_last"][later] = np.diff(t)[later[1:]]
    back = np.argsort(order)
    return {name: column[back] for name, column in out.items()}


EXERCISE = Exercise(
    id="card_features",
    title="Features of a card with groupby",
    minutes=20,
    difficulty="medium",
    feeds="05",
    week="9-10",
    hints=(
        "Sort by time first, stably. Which grouped methods run along a group instead of summing it up?",
        "`cumcount`, `cumsum` and `diff`. A running sum holds the row itself: take it off again.",
        "Leave the index alone when sorting, and `sort_index` brings back the order of the input. Divide by the count only "
        "where it is above 0.",
    ),
    cases=cases,
    expect=looked_up,
    agree=close(),
    mutants=(
        Mutant(
            "whole-history",
            "Each payment got the mean of the card's whole history, itself and the future included. That is a leak.",
            swaps=(
                (
                    'earlier / table["count"].where(table["count"] > 0)',
                    'by_card["amount"].transform("mean").where(table["count"] > 0)',
                ),
            ),
        ),
        Mutant(
            "itself-in-the-mean",
            "The payment's own amount is in its mean. Take it off the running sum.",
            swaps=(
                (
                    'earlier = by_card["amount"].cumsum() - table["amount"]\n',
                    'earlier = by_card["amount"].cumsum() * table["count"] / (table["count"] + 1)\n',
                ),
            ),
        ),
        Mutant(
            "not-sorted",
            "The rows were taken in the order of the table. Earlier means earlier in time.",
            swaps=(('    table = table.sort_values("time", kind="stable")\n', ""),),
        ),
        Mutant(
            "order-lost",
            "The columns came back in order of time. The caller puts them beside its own rows: keep the input's order.",
            swaps=(("    table = table.sort_index()\n", ""),),
        ),
        Mutant(
            "same-second-turned",
            "Of one second the payments further down were taken as the earlier ones. Sort stably.",
            swaps=(
                (
                    'table.sort_values("time", kind="stable")',
                    'table.iloc[::-1].sort_values("time", kind="stable")',
                ),
            ),
        ),
        Mutant(
            "zeros-for-unknown",
            "What is not known was filled with 0. A mean amount of 0 is a statement; a new card has none.",
            swaps=(("table[name].to_numpy()", "table[name].fillna(0).to_numpy()"),),
        ),
        Mutant(
            "last-of-any-card",
            "The time since the last payment was taken over all cards. Take the difference within the group.",
            swaps=(('by_card["time"].diff()', 'table["time"].diff().where(table["count"] > 0)'),),
        ),
        Mutant(
            "count-from-one",
            "The payment counted itself: the first of a card has 0 earlier payments.",
            swaps=(
                (
                    "    table = table.sort_index()\n",
                    '    table["count"] += 1\n    table = table.sort_index()\n',
                ),
            ),
        ),
        Mutant(
            "lengths-not-checked",
            "Columns of different lengths must raise ValueError before anything is computed.",
            swaps=(
                ("if not len(card) == len(event_time) == len(amount):", "if False:"),
                (
                    '"time": event_time, "amount": np.asarray(amount, dtype=float)}',
                    '"time": pd.Series(event_time), "amount": pd.Series(amount, dtype=float)}',
                ),
            ),
        ),
        Mutant(
            "table-scanned",
            "The values are right, but the whole table is scanned for every payment: quadratic.",
            swaps=(
                (
                    '    earlier = by_card["amount"].cumsum() - table["amount"]\n',
                    '    who, sums = table["card"].tolist(), table["amount"].tolist()\n'
                    "    earlier = pd.Series(\n"
                    "        [sum(s for w, s in zip(who[:i], sums) if w == who[i]) for i in range(len(who))],\n"
                    "        index=table.index, dtype=float,\n"
                    "    )\n",
                ),
            ),
        ),
    ),
    accepted=(one_walk, numpy_blocks),
    growth=Growth(
        large, n=1_800, says="Sort once and let grouped running sums do the rest; do not filter the table for each row."
    ),
    shrink=rows(0, 1, 2, noun="payments"),
    preload=("numpy", "pandas"),
)
