"""What was known of each merchant when a transaction took place, with labels that arrive late.

The system's daily tiles (fraudkit.features.tiles) count by midnight and put frauds that arrived in
a window over transactions of the same window. Here both stand over the same transactions, those of
(T - delay - window, T - delay], whose labels have all arrived by T. A merchant whose terminal is
compromised for some weeks shows as a share near one, and a few hours decide who is found first.

Point in time by construction: a row reads only rows that are at least `delay` older than itself.
It takes every label as arriving exactly `delay_days` after its transaction became known.
"""

from __future__ import annotations

import numpy as np

from fraudkit.core.clock import DAY_S

NEVER_DAYS = 365.0  # time since something that was never seen


def delayed_names(windows: tuple[int, ...]) -> tuple[str, ...]:
    """Names of the columns that `delayed_features` returns; none without windows."""
    if not windows:
        return ()
    counts = [f"merchant_known_{measure}_{days}d" for days in windows for measure in ("count", "frauds", "rate")]
    state = ("days_since_fraud", "days_since_legitimate", "fraud_run", "fraud_run_days")
    return (*counts, *(f"merchant_known_{name}" for name in state))


def delayed_features(
    merchant: np.ndarray, second: np.ndarray, is_fraud: np.ndarray, delay_days: int, windows: tuple[int, ...]
) -> np.ndarray:
    """Label-delayed features of each row's merchant.

    Parameters
    ----------
    merchant : int64 (n,), codes from 0
    second : int64 (n,), when each transaction became known, in seconds; rows in any order
    is_fraud : 0/1 (n,)
    delay_days : from a transaction to its label
    windows : lengths in days

    Returns
    -------
    float32 (n, 3·windows + 4), columns as `delayed_names`: transactions, frauds and their share in each
    window; days since the latest known fraud and the latest known legitimate transaction; length of the
    unbroken run of frauds that ends what is known, and days since it began

    Examples
    --------
    >>> x = delayed_features(np.zeros(3, int), np.array([0, 86400, 8 * 86400]), np.array([1, 0, 0]), 7, (7,))
    >>> x[:, :3].tolist()
    [[0.0, 0.0, 0.0], [0.0, 0.0, 0.0], [2.0, 1.0, 0.5]]
    """
    out = np.zeros((len(merchant), len(delayed_names(windows))), dtype=np.float32)
    if not windows or not len(merchant):
        return out
    order = np.lexsort((second, merchant))
    entity, moment, fraud = merchant[order], second[order] - second.min(), is_fraud[order].astype(np.int64)
    # One sortable number for (merchant, time); the stride keeps a window inside its own merchant.
    delay = delay_days * DAY_S
    stride = int(moment.max()) + delay + max(windows) * DAY_S + 1
    key = entity * stride + moment
    known = np.searchsorted(key, key - delay, side="right")
    frauds = np.concatenate([[0], np.cumsum(fraud)])
    start = np.searchsorted(entity, entity)
    columns: list[np.ndarray] = []
    for days in windows:
        begin = np.maximum(np.searchsorted(key, key - delay - days * DAY_S, side="right"), start)
        end = np.maximum(known, start)
        count, hits = end - begin, frauds[end] - frauds[begin]
        columns += [count, hits, hits / np.maximum(count, 1)]
    columns += _state(moment, fraud, start, known)
    out[order] = np.column_stack(columns).astype(np.float32)
    return out


def _state(moment: np.ndarray, fraud: np.ndarray, start: np.ndarray, known: np.ndarray) -> list[np.ndarray]:
    """The four columns on how a merchant's known history ends; rows by (merchant, time).

    `start` is the merchant's first row, `known` the row after its last known one.
    """
    row = np.arange(len(fraud))
    last = np.maximum(known - 1, 0)
    some = known > start
    latest_fraud = np.maximum.accumulate(np.where(fraud == 1, row, -1))[last]
    latest_legitimate = np.maximum.accumulate(np.where(fraud == 0, row, -1))[last]
    run_start = np.maximum(latest_legitimate + 1, start)
    run = np.where(some, np.maximum(known - run_start, 0), 0)
    since = [
        np.where(some & (latest >= start), (moment - moment[latest]) / DAY_S, NEVER_DAYS)
        for latest in (latest_fraud, latest_legitimate)
    ]
    run_days = np.where(run > 0, (moment - moment[np.minimum(run_start, len(row) - 1)]) / DAY_S, 0.0)
    return [*since, run, run_days]
