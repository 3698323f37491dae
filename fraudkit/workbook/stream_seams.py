"""Where an answer meets the stream of payments: a windowed count as feature, a travel rule, a drift test.

Seams like those of `seams`, where they are registered.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from fraudkit.evaluate.metrics import average_precision_score, decision_cost
from fraudkit.features.catalog import INDEX
from fraudkit.features.offline import replay
from fraudkit.rules.cost_policy import Costs
from fraudkit.workbook.agree import brief
from fraudkit.workbook.bench import PLAIN_FEATURES, SEED, Bench
from fraudkit.workbook.exercise import Case
from fraudkit.workbook.finding import Finding
from fraudkit.workbook.guest import Answer, Refused, faster_or_slower, in_ms, numbers, one_number, timed

SAME = 1e-6

# --- feature ---------------------------------------------------------------------------------------

COUNTED, WINDOW_S = "user_txn_count_1h", 3600


def feature(bench: Bench, answer: Answer, finding: Finding) -> None:
    """A sliding-window count, as the feature `user_txn_count_1h` of the test period."""
    rows = bench.split.test
    moments = np.floor(bench.event_seconds).astype(np.int64)
    user = bench.payments["user_id"].cat.codes.to_numpy().astype(np.int64)
    near = np.flatnonzero(moments > moments[rows].min() - WINDOW_S)
    stream = near[np.argsort(moments[near], kind="stable")]
    tested = np.isin(stream, rows)
    position = np.searchsorted(rows, stream[tested])  # of each counted payment in the test period
    column = bench.column(COUNTED)[rows]
    finding.ours("payments with the feature's value", f"{len(rows):,} of {len(rows):,}")
    finding.ours("largest count", f"{column.max():.0f}")
    finding.ours("average precision of the trees with it", f"{_precision_with(bench, column):.4f}")
    finding.ours(KERNEL_TIME, _kernel_time(bench))
    value, seconds = answer.timed(Case("test period", (moments[stream], user[stream], WINDOW_S)))
    counts = numbers(value, len(stream), 0.0)
    mine = np.empty(len(rows))
    mine[position] = counts[tested] + 1.0  # the catalog counts the payment itself too
    complete = np.empty(len(rows))
    complete[position] = _earlier(moments[stream], user[stream], WINDOW_S)[tested] + 1.0
    other = mine != column
    finding.yours("payments with the feature's value", f"{(~other).sum():,} of {len(rows):,}")
    finding.yours("largest count", f"{mine.max():.0f}")
    finding.yours("average precision of the trees with it", f"{_precision_with(bench, mine):.4f}")
    finding.yours(KERNEL_TIME, f"{seconds / len(stream) * 1e6:.3g} µs")
    late = int((other & (mine == complete)).sum())
    if late:
        finding.sentences.append(
            f"{late:,} payments differ because others arrived late: you count what took place, the store what it had "
            "heard."
        )
    wrong = int(other.sum()) - late
    finding.sentences.append(
        f"{wrong:,} payments differ without such a reason; the trees learned from ours, and are asked with yours."
        if wrong
        else "All others have the feature's value: the trees are asked with what they learned from."
    )


KERNEL_TIME = "time a payment (ours: all 143 features)"


def _kernel_time(bench: Bench) -> str:
    """What the feature kernel needs for one payment of the test period."""
    part, users = bench.payments.iloc[bench.split.test], bench.lake.users()
    _, seconds = timed(lambda: replay(part, users, None))
    return f"{seconds / len(part) * 1e6:.3g} µs"


def _earlier(moment: np.ndarray, user: np.ndarray, window: int) -> np.ndarray:
    """For each payment of a stream in order, the user's payments before it in (moment - window, moment]."""
    span = int(moment[-1] - moment[0]) + window + 1
    key = user * span + (moment - moment[0] + window)
    order = np.argsort(key, kind="stable")
    counts = np.empty(len(key), dtype=np.int64)
    counts[order] = np.arange(len(key)) - np.searchsorted(key[order], key[order] - window, side="right")
    return counts


def _precision_with(bench: Bench, column: np.ndarray) -> float:
    """Average precision of the trees in the test period with another column in place of COUNTED."""
    X = np.array(bench.features[bench.split.test])
    X[:, INDEX[COUNTED]] = column
    return average_precision_score(bench.is_fraud[bench.split.test], bench.trees.predict_score(X))


# --- rule ------------------------------------------------------------------------------------------

TRAVEL_DAYS = 30  # how far back the system's own rule looks


def rule(bench: Bench, answer: Answer, finding: Finding) -> None:
    """Impossible travel, in place of the rule that declines by itself."""
    rows, table = bench.split.test, bench.payments
    moments = np.floor(bench.event_seconds)
    place = table[["latitude", "longitude"]].to_numpy(dtype=np.float64)
    shown = (table["card_present"] | table["online_transaction"]).to_numpy() & np.isfinite(place).all(axis=1)
    stream = np.flatnonzero(shown & (moments > moments[rows].min() - TRAVEL_DAYS * 86_400))
    user = table["user_id"].cat.codes.to_numpy().astype(np.int64)
    ours = bench.column("impossible_travel")[rows] > 0
    for label, text in _rule_figures(bench, ours):
        finding.ours(label, text)
    finding.ours(KERNEL_TIME, _kernel_time(bench))
    value, seconds = answer.timed(
        Case("test period", (moments[stream], user[stream], place[stream, 0], place[stream, 1]))
    )
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise Refused(f"your code returned {brief(value)}; speeds and flags are needed")
    flags = np.zeros(len(table), dtype=bool)
    flags[stream] = numbers(value[1], len(stream), 0.0, 1.0) > 0
    mine = flags[rows]
    for label, text in _rule_figures(bench, mine):
        finding.yours(label, text)
    finding.yours(KERNEL_TIME, f"{seconds / len(stream) * 1e6:.3g} µs")
    finding.sentences.append(
        f"Both decline {(ours & mine).sum():,} payments, only ours {(ours & ~mine).sum():,}, "
        f"only yours {(~ours & mine).sum():,}."
    )
    if (ours != mine).any():
        finding.sentences.append(
            "Ours sees payments in the order of arrival and looks back 30 days; yours sees them as they took place."
        )


def _rule_figures(bench: Bench, flagged: np.ndarray) -> list[tuple[str, str]]:
    rows = bench.split.test
    fraud, amount = bench.is_fraud[rows], bench.amount_usd[rows]
    hits = int((flagged & fraud).sum())
    cost = decision_cost(fraud, flagged, amount, Costs(false_negative=None))
    return [
        ("payments declined", f"{flagged.sum():,}"),
        ("precision", f"{hits / flagged.sum():.3f}" if flagged.any() else "none declined"),
        ("recall", f"{hits / fraud.sum():.3f}"),
        ("cost with this rule alone", f"${cost:,.0f}"),
    ]


# --- drift -----------------------------------------------------------------------------------------

LEAST_DISTANCE, CHANCE = 0.1, 0.001  # an alarm of the KS test needs both; CHANCE is shared among all tests
LEAST_PSI = 0.25
REFERENCE_ROWS, WEEK_S = 20_000, 7 * 86_400


def drift(bench: Bench, answer: Answer, finding: Finding) -> None:
    """A drift test, on every week of the test period against the training period, one feature at a time."""
    function = DRIFT_TESTS[answer.name]
    cases = _weeks(bench)
    moved = _alarming(answer.name, len(cases))
    right, seconds = [], np.inf
    for case in cases:
        start = time.perf_counter()
        right.append(function(*case.args))
        seconds = min(seconds, time.perf_counter() - start)
    ours = [moved(value) for value in right]
    for label, text in _drift_figures(cases, right, ours):
        finding.ours(label, text)
    finding.ours("time of one test, the fastest", in_ms(float(seconds)))
    replies = answer.replies(cases)
    values = [_measured(reply.value, answer.name) for reply in replies]
    own_seconds = min(reply.seconds for reply in replies)
    mine = [moved(value) for value in values]
    for label, text in _drift_figures(cases, values, mine):
        finding.yours(label, text)
    finding.yours("time of one test, the fastest", in_ms(own_seconds))
    differing = [place for place, (a, b) in enumerate(zip(ours, mine, strict=True)) if a != b]
    if not differing:
        finding.sentences.append(f"The same alarms in all {len(cases)} tests.")
    else:
        place = differing[0]
        raised = "yours raises it, ours does not" if mine[place] else "ours raises it, yours does not"
        finding.sentences.append(
            f"{len(differing)} of {len(cases)} alarms differ, the first for {cases[place].name}: {raised}."
        )
    off = max(abs(a[0] - b[0]) for a, b in zip(right, values, strict=True))
    if off > SAME:
        finding.sentences.append(f"The size of the shift is off by up to {off:.3g}.")
    finding.sentences.append(faster_or_slower(float(seconds), own_seconds))


def _weeks(bench: Bench) -> list[Case]:
    """A case for each feature and whole week of the test period."""
    split, rng = bench.split, np.random.default_rng(SEED)
    size = min(len(split.train), REFERENCE_ROWS)
    before = np.sort(rng.choice(split.train, size, replace=False))
    since = bench.event_seconds[split.test] - split.training_moment.timestamp()
    whole = int((split.test_end - split.training_moment).total_seconds() // WEEK_S)
    cases = []
    for feature in PLAIN_FEATURES:
        column = bench.column(feature)
        reference = column[before]
        for week in range(whole):
            current = column[split.test[(since >= week * WEEK_S) & (since < (week + 1) * WEEK_S)]]
            samples = tuple(sample[np.isfinite(sample)] for sample in (reference, current))
            if all(len(sample) for sample in samples):
                cases.append(Case(f"{feature}, week {week + 1}", samples))
    return cases


def _ks(reference: np.ndarray, current: np.ndarray) -> tuple[float, float]:
    """Distance of the two distribution functions, and its asymptotic probability by chance."""
    n, m = len(reference), len(current)
    values, place = np.unique(np.concatenate([reference, current]), return_inverse=True)
    counts = [np.bincount(part, minlength=len(values)) for part in (place[:n], place[n:])]
    distance = float(np.abs(np.cumsum(counts[0]) / n - np.cumsum(counts[1]) / m).max())
    scaled, j = np.sqrt(n * m / (n + m)) * distance, np.arange(1, 101)
    chance = 2.0 * float(np.sum((-1.0) ** (j - 1) * np.exp(-2.0 * (j * scaled) ** 2))) if scaled >= 0.2 else 1.0
    return distance, min(max(chance, 0.0), 1.0)


def _psi(reference: np.ndarray, current: np.ndarray) -> tuple[float, float]:
    """Population stability index over deciles of the reference; the second number is not used."""
    edges = np.quantile(reference, np.arange(1, 10) / 10)
    shares = [np.bincount(np.digitize(x, edges, right=True), minlength=10) / len(x) for x in (reference, current)]
    expected, actual = (np.maximum(share, 1e-4) for share in shares)
    return float(((actual - expected) * np.log(actual / expected)).sum()), 0.0


DRIFT_TESTS: dict[str, Callable[..., tuple[float, float]]] = {"ks_test": _ks, "psi": _psi}


def _alarming(name: str, tests: int) -> Callable[[tuple[float, float]], bool]:
    """When a result is an alarm."""
    if name == "ks_test":
        return lambda result: result[0] >= LEAST_DISTANCE and result[1] < CHANCE / tests
    return lambda result: result[0] >= LEAST_PSI


def _measured(value: Any, name: str) -> tuple[float, float]:
    """The size of the shift and its probability, from an answer."""
    if name != "ks_test":
        return one_number(value), 0.0
    distance, chance = numbers(value, 2, 0.0, 1.0)
    return float(distance), float(chance)


def _drift_figures(cases: list[Case], results: list[tuple[float, float]], alarms: list[bool]) -> list[tuple[str, str]]:
    raised = [case.name.split(",")[0] for case, alarm in zip(cases, alarms, strict=True) if alarm]
    sizes = [size for size, _ in results]
    largest = int(np.argmax(sizes))
    return [
        ("alarms", f"{len(raised)} of {len(cases)}"),
        ("features with an alarm", f"{len(set(raised))} of {len({case.name.split(',')[0] for case in cases})}"),
        ("largest shift", f"{sizes[largest]:.3f}"),
        ("of which feature", cases[largest].name),
    ]
