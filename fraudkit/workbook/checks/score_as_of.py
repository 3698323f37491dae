"""An as-of join: strictly before, same card, not too old, the last of equals, in the payments' order."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import defaultdict

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant
from fraudkit.workbook.shrink import first_of, rows


def looked_through(card, event_time, report_card, known_at, risk, max_age):
    """The oracle: for each payment, all reports one after the other."""
    out = []
    for who, now in zip(card, event_time, strict=True):
        best, value = None, math.nan
        for i in range(len(known_at)):
            fits = report_card[i] == who and 0 < now - known_at[i] <= max_age
            if fits and (best is None or known_at[i] >= best):
                best, value = known_at[i], risk[i]
        out.append(value)
    return np.array(out, dtype=float)


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones."""
    found = [
        Case("three payments", ([1, 1, 2], [100, 50, 100], [1, 1, 2], [60, 99, 100], [0.2, 0.9, 0.5], 30)),
        Case(
            "a report of the same second",
            ([1, 1], [100, 101], [1], [100], [0.9], 50),
            why="it was not known before the payment",
        ),
        Case(
            "a report after the payment",
            ([1], [100], [1, 1], [90, 101], [0.1, 0.9], 50),
            why="the nearest report is the one that the fraud caused",
        ),
        Case(
            "another card's report",
            ([1, 2], [100, 100], [2, 1], [99, 40], [0.9, 0.1], 90),
            why="each card has its own risk",
        ),
        Case(
            "exactly as old as allowed",
            ([1, 1], [100, 101], [1], [70], [0.4], 30),
            why="30 seconds are allowed, 31 are too old",
        ),
        Case(
            "payments out of order",
            (
                np.array([1, 1, 1]),
                np.array([300, 100, 200]),
                np.array([1, 1]),
                np.array([150, 50]),
                np.array([0.8, 0.3]),
                1000,
            ),
            why="the answer is in the order of the payments",
        ),
        Case(
            "two reports of one second",
            ([1], [10], [1, 1, 1], [5, 5, 2], [0.2, 0.7, 0.9], 20),
            why="of equals the one further down",
        ),
        Case("an older report would be new enough for none", ([1], [1000], [1, 1], [10, 20], [0.2, 0.7], 5)),
        Case("no reports", ([1, 2], [5, 6], [], [], [], 10)),
        Case("no payments", ([], [], [1], [5], [0.5], 10)),
        Case("a negative age", ([1], [5], [1], [4], [0.5], -1), raises="ValueError"),
        Case("lengths differ", ([1], [5], [1, 2], [4, 4], [0.5], 10), raises="ValueError"),
    ]
    for n, m, cards in ((15, 20, 3), (120, 150, 8)):
        span = 6 * m
        payments = (rng.integers(0, cards, n), rng.integers(0, span, n))
        reports = (rng.integers(0, cards, m), rng.integers(0, span, m), np.round(rng.random(m), 3))
        found.append(Case(f"{n} payments, {m} reports", (*payments, *reports, 60)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """A case of size n: n payments and n reports on five cards."""
    moments = rng.integers(0, 10 * n, (2, n))
    return Case(
        f"{n} payments", (rng.integers(0, 5, n), moments[0], rng.integers(0, 5, n), moments[1], rng.random(n), 10 * n)
    )


def searched_by_card(card, event_time, report_card, known_at, risk, max_age):
    """Accepted: a sorted list of each card's reports, and a binary search."""
    if max_age < 0 or len(card) != len(event_time) or len({len(report_card), len(known_at), len(risk)}) > 1:
        raise ValueError("bad lengths or age")
    reports = defaultdict(list)
    for i, who in enumerate(report_card):
        reports[who].append((int(known_at[i]), i))
    for own in reports.values():
        own.sort()
    out = []
    for who, now in zip(card, event_time, strict=True):
        own = reports[who]
        place = bisect_left(own, (int(now), -1)) - 1
        usable = place >= 0 and now - own[place][0] <= max_age
        out.append(float(risk[own[place][1]]) if usable else math.nan)
    return out


def one_stream(card, event_time, report_card, known_at, risk, max_age):
    """Accepted: payments and reports as one stream in order of time, payments first within a second."""
    if len(card) != len(event_time):
        raise ValueError("payments")
    if not (len(report_card) == len(known_at) == len(risk)):
        raise ValueError("reports")
    if max_age < 0:
        raise ValueError("max_age")
    events = [(int(moment), 0, i) for i, moment in enumerate(event_time)]
    events += [(int(moment), 1, i) for i, moment in enumerate(known_at)]
    state, answers = {}, np.full(len(card), np.nan)
    for moment, is_report, i in sorted(events):
        if is_report:
            state[int(report_card[i])] = (moment, risk[i])
        elif int(card[i]) in state:
            since, value = state[int(card[i])]
            answers[i] = value if moment - since <= max_age else np.nan
    return answers


EXERCISE = Exercise(
    id="score_as_of",
    title="An as-of join without leakage",
    minutes=20,
    difficulty="medium",
    feeds="05",
    week="9-10",
    hints=(
        "Think of both tables as one stream in order of time. What is in memory when a payment arrives?",
        "`pd.merge_asof` does it; both sides must be sorted by time. Which of its options are about the same instant, the age, "
        "and the card?",
        "direction backward, allow_exact_matches False, tolerance max_age, by card; then bring back the payments' order.",
    ),
    cases=cases,
    expect=looked_through,
    agree=close(),
    mutants=(
        Mutant(
            "same-second-known",
            "A report of the payment's own second was used. It may be the answer to that payment; take those before it.",
            swaps=(("allow_exact_matches=False", "allow_exact_matches=True"),),
        ),
        Mutant(
            "nearest-report",
            "The nearest report was taken, also from after the payment. That is the future.",
            swaps=(('direction="backward"', 'direction="nearest"'),),
        ),
        Mutant(
            "next-report",
            "The first report after the payment was taken. It was not known yet.",
            swaps=(('direction="backward"', 'direction="forward"'),),
        ),
        Mutant(
            "any-card",
            "The card was not matched, so the latest report of anybody was taken.",
            swaps=(('        by="card",\n', ""), ("        reports,\n", '        reports.drop(columns="card"),\n')),
        ),
        Mutant(
            "never-too-old",
            "Reports older than `max_age` were used.",
            swaps=(("        tolerance=int(max_age),\n", ""),),
        ),
        Mutant(
            "age-exclusive",
            "A report of exactly `max_age` was left out. It may still be used.",
            swaps=(("tolerance=int(max_age)", "tolerance=max(0, int(max_age) - 1)"),),
        ),
        Mutant(
            "order-lost",
            "The answer is in order of time. It belongs beside the payments as they came in.",
            swaps=(('joined.sort_values("index")["risk"]', 'joined["risk"]'),),
        ),
        Mutant(
            "first-of-equals",
            "Of two reports of one second the upper one was taken. The one further down counts.",
            swaps=(
                (
                    'reports = reports.sort_values("time", kind="stable")',
                    'reports = reports.iloc[::-1].sort_values("time", kind="stable")',
                ),
            ),
        ),
        Mutant(
            "latest-of-all",
            "Each payment got the card's newest report in the table, from whenever. That is how the future gets in.",
            swaps=(
                (
                    '    return joined.sort_values("index")["risk"].to_numpy()',
                    '    newest = reports.groupby("card")["risk"].last()\n'
                    '    return joined.sort_values("index")["card"].map(newest).to_numpy(dtype=float)',
                ),
            ),
        ),
        Mutant(
            "reports-scanned",
            "The values are right, but all reports are scanned for every payment.",
            swaps=(
                (
                    '    return joined.sort_values("index")["risk"].to_numpy()',
                    "    answer = []\n"
                    '    known = list(zip(reports["card"].tolist(), reports["time"].tolist(), reports["risk"].tolist()))\n'
                    "    for who, now in zip(card, event_time):\n"
                    "        fit = [r for c, t, r in known if c == who and 0 < now - t <= max_age]\n"
                    "        answer.append(fit[-1] if fit else np.nan)\n"
                    "    return np.array(answer, dtype=float)",
                ),
            ),
        ),
    ),
    accepted=(searched_by_card, one_stream),
    growth=Growth(large, n=600, says="Sort both sides by time and walk once, or search each card's sorted reports."),
    shrink=first_of(rows(0, 1, noun="payments"), rows(2, 3, 4, noun="reports")),
    preload=("numpy", "pandas"),
)
