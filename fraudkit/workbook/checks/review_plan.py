"""A knapsack of review minutes: not by ratio, each alert once, all of the budget, the choice and not the sum."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.exercise import Case, Exercise, Mutant
from fraudkit.workbook.shrink import rows


def from_two_halves(minutes, loss, budget):
    """The oracle: every choice of half of the alerts, with the best choice of the other half that still fits."""
    minutes, loss = np.asarray(minutes, dtype=np.int64), np.asarray(loss, dtype=np.int64)
    cut = len(minutes) // 2
    first, second = _choices(cut), _choices(len(minutes) - cut)
    spent, saved = first @ minutes[:cut], first @ loss[:cut]
    other_spent, other_saved = second @ minutes[cut:], second @ loss[cut:]
    order = np.lexsort((-other_saved, other_spent))
    leader = np.maximum.accumulate(other_saved[order])
    last = np.searchsorted(other_spent[order], budget - spent, side="right") - 1
    together = np.where(last >= 0, saved + leader[last], -1)
    one = int(together.argmax())
    other = order[int(np.argmax(leader == leader[last[one]]))]
    return np.flatnonzero(np.concatenate([first[one], second[other]])).tolist()


def _choices(n: int) -> np.ndarray:
    """All choices of n things, one row each."""
    return np.arange(2**n)[:, None] >> np.arange(n) & 1


def agree(got: Any, expected: Any, case: Case) -> str:
    """Any choice that fits and prevents as much."""
    minutes, loss, budget = case.args
    try:
        plan = [int(alert) for alert in got]
        whole = all(alert == mine for alert, mine in zip(plan, got, strict=True))
    except (TypeError, ValueError):
        return "the answer should be a list of positions"
    if not whole or any(not 0 <= alert < len(minutes) for alert in plan):
        return f"positions are whole numbers from 0 to {len(minutes) - 1}"
    if plan != sorted(set(plan)):
        return "each position stands once, in rising order"
    spent = sum(int(minutes[alert]) for alert in plan)
    if spent > budget:
        return f"these reviews take {spent} minutes, {budget} are there"
    saved, possible = (sum(int(loss[alert]) for alert in chosen) for chosen in (plan, expected))
    return "" if saved == possible else f"this prevents a loss of {saved}, {possible} is possible"


def cases(rng: np.random.Generator) -> list[Case]:
    """Where greedy ways fail, the edge of the budget, wrong input; then random ones."""
    found = [
        Case("everything fits", ([5, 10, 5], [10, 20, 30], 60)),
        Case(
            "the best ratio leaves room that nothing fills",
            ([10, 30, 30], [110, 300, 300], 60),
            why="11 dollars a minute first, and then only one of the two large reviews fits; the two large ones "
            "prevent more",
        ),
        Case(
            "the largest loss is the longest review",
            ([50, 25, 25], [500, 300, 300], 50),
            why="two reviews of 300 fit into the time of one of 500",
        ),
        Case(
            "one alert is read once",
            ([10, 40], [100, 150], 45),
            why="reading the first alert four times prevents no more than reading it once",
        ),
        Case(
            "the budget used up", ([20, 25], [10, 10], 45), why="no more than the budget: exactly the budget is allowed"
        ),
        Case("one review that takes the whole budget", ([30], [5], 30)),
        Case("one that does not fit at all", ([31, 4], [5_000, 1], 30)),
        Case("no minutes", ([1, 2], [5, 5], 0)),
        Case("no alerts", ([], [], 100)),
        Case(
            "the choice must be walked back",
            ([3, 4, 5, 9, 4], [30, 40, 40, 100, 70], 13),
            why="the last alert that improved the sum is not always part of the best choice",
        ),
        Case("as arrays", (np.array([4, 3, 2]), np.array([7, 4, 4]), 5)),
        Case("lengths that differ", ([1, 2], [3], 5), raises="ValueError"),
        Case("a review of no minutes", ([0, 2], [3, 3], 5), raises="ValueError"),
        Case("a negative budget", ([1], [3], -1), raises="ValueError"),
    ]
    for n, budget in ((8, 30), (12, 45), (20, 60), (30, 60)):
        minutes = rng.integers(2, 25, n)
        loss = minutes * 10 + rng.integers(0, 60, n)
        why = "thirty alerts have a billion choices: trying all of them takes too long" if n == 30 else ""
        found.append(Case(f"{n} alerts, {budget} minutes", (minutes.tolist(), loss.tolist(), budget), why=why))
    return found


def row_for_each_alert(minutes, loss, budget):
    """Accepted: an array with a row for each number of alerts; the rows are compared on the way back."""
    minutes, loss = np.asarray(minutes, dtype=int), np.asarray(loss, dtype=int)
    if minutes.shape != loss.shape or (minutes <= 0).any() or budget < 0:
        raise ValueError("input does not fit")
    table = np.zeros((len(minutes) + 1, budget + 1), dtype=int)
    for k in range(len(minutes)):
        table[k + 1] = table[k]
        if minutes[k] <= budget:
            with_it = table[k, : budget + 1 - minutes[k]] + loss[k]
            table[k + 1, minutes[k] :] = np.maximum(table[k, minutes[k] :], with_it)
    picked = []
    for k in range(len(minutes) - 1, -1, -1):
        if table[k + 1, budget] != table[k, budget]:
            picked.insert(0, k)
            budget -= minutes[k]
    return picked


def forward_plans(minutes, loss, budget):
    """Accepted: for each number of minutes spent the best plan so far, as a whole, in a new dict for each alert."""
    if len(minutes) != len(loss):
        raise ValueError("lengths")
    if budget < 0 or min(minutes, default=1) < 1:
        raise ValueError("minutes")
    plans = {0: (0, [])}
    for position in range(len(minutes)):
        longer = dict(plans)
        for used, (value, plan) in plans.items():
            total = used + minutes[position]
            if total <= budget and (total not in longer or longer[total][0] < value + loss[position]):
                longer[total] = (value + loss[position], [*plan, position])
        plans = longer
    return sorted(plans.values(), key=lambda entry: entry[0])[-1][1]


EXERCISE = Exercise(
    id="review_plan",
    title="Minutes of review",
    minutes=25,
    difficulty="medium",
    feeds="06",
    week="1-2",
    hints=(
        "Taking the best loss a minute first can leave minutes that nothing fills. Find such an example.",
        "Let best[t] be the greatest loss that can be prevented in t minutes with the alerts so far. A further alert "
        "is read or not.",
        "Go through the minutes downwards, so that no alert is read twice; mark where an alert was taken, and walk "
        "back from the last.",
    ),
    cases=cases,
    expect=from_two_halves,
    agree=agree,
    mutants=(
        Mutant(
            "best-ratio-first",
            "Alerts were taken by loss a minute as long as they fit. With whole alerts, what does not fit at the end "
            "can be worth "
            "more than what was taken first.",
            swaps=(
                (
                    "    plan, left = [], budget\n    for alert in reversed(range(len(chosen))):\n"
                    "        if chosen[alert][left]:",
                    "    plan, left = [], budget\n"
                    "    for alert in sorted(range(len(chosen)), key=lambda i: -loss[i] / minutes[i]):\n"
                    "        if minutes[alert] <= left:",
                ),
                ("return plan[::-1]", "return sorted(plan)"),
            ),
        ),
        Mutant(
            "largest-loss-first",
            "Alerts were taken by loss as long as they fit. One long review can cost two that prevent more together.",
            swaps=(
                (
                    "    plan, left = [], budget\n    for alert in reversed(range(len(chosen))):\n"
                    "        if chosen[alert][left]:",
                    "    plan, left = [], budget\n"
                    "    for alert in sorted(range(len(chosen)), key=lambda i: -loss[i]):\n"
                    "        if minutes[alert] <= left:",
                ),
                ("return plan[::-1]", "return sorted(plan)"),
            ),
        ),
        Mutant(
            "read-again-and-again",
            "The minutes were gone through upwards, so that an alert builds on itself and is read several times.",
            swaps=(("range(budget, needed - 1, -1)", "range(needed, budget + 1)"),),
        ),
        Mutant(
            "budget-never-reached",
            "A choice that takes exactly the budget was not allowed. No more than the budget: equal is fine.",
            swaps=(("plan, left = [], budget", "plan, left = [], max(budget - 1, 0)"),),
        ),
        Mutant(
            "minutes-not-taken-off",
            "On the way back the minutes of a chosen alert were not taken off what is left.",
            swaps=(("            left -= minutes[alert]\n", ""),),
        ),
        Mutant(
            "walked-forwards",
            "The marks were read from the first alert on. They belong to the state after each alert, so the way back "
            "begins at the last.",
            swaps=(
                ("in reversed(range(len(chosen))):", "in range(len(chosen)):"),
                ("return plan[::-1]", "return plan"),
            ),
        ),
        Mutant(
            "input-unchecked",
            "A review of no minutes or a negative budget was taken. Raise ValueError.",
            swaps=((" or any(m < 1 for m in minutes) or budget < 0:", ":"),),
        ),
    ),
    accepted=(row_for_each_alert, forward_plans),
    shrink=rows(0, 1, noun="alerts"),
)
