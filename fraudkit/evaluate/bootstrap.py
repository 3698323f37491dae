"""Bootstrap intervals for a metric and for the difference of two scores on the same rows.

Pass `group` (a day, a card) wherever rows of a group depend on each other, as frauds of one burst
do; single rows would make the interval too narrow. It does not know what next quarter brings: the
interval is of this period.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from fraudkit.core.errors import InvalidInput

Metric = Callable[[np.ndarray, np.ndarray], float]


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its percentile interval."""

    estimate: float
    low: float
    high: float


def bootstrap_interval(
    metric: Metric,
    y_true: np.ndarray,
    y_score: np.ndarray,
    rng: np.random.Generator,
    *,
    baseline: np.ndarray | None = None,
    group: np.ndarray | None = None,
    resamples: int = 200,
    confidence: float = 0.95,
    progress: Callable[[float, str], None] | None = None,
) -> Interval:
    """Interval of ``metric(y_true, y_score)``, or of its gain over `baseline` on the same resamples.

    Parameters
    ----------
    metric : of labels (n,) and scores (n,)
    y_true, y_score : shape (n,)
    rng : source of the resamples
    baseline : scores (n,) of the other model; the result is then the difference
    group : shape (n,), rows of one value are drawn together; None draws single rows
    resamples : of which those where the metric is undefined (one class) are left out
    confidence : in (0, 1)

    Raises
    ------
    InvalidInput
        confidence or resamples is out of range, shapes differ, or the metric is undefined on the
        data itself or on half of the resamples.

    Examples
    --------
    >>> from fraudkit.evaluate.metrics import roc_auc_score
    >>> y = np.array([0, 1] * 50)
    >>> bootstrap_interval(roc_auc_score, y, y.astype(float), np.random.default_rng(0))
    Interval(estimate=1.0, low=1.0, high=1.0)
    """
    labels, scores = np.asarray(y_true), np.asarray(y_score, dtype=np.float64)
    others = [array for array in (baseline, group) if array is not None]
    if not 0.0 < confidence < 1.0 or resamples < 1 or any(len(a) != len(labels) for a in (scores, *others)):
        raise InvalidInput(
            f"confidence={confidence}, resamples={resamples}: give (0, 1), 1 or more, and arrays of one length"
        )

    def measure(rows: np.ndarray) -> float:
        value = metric(labels[rows], scores[rows])
        return value if baseline is None else value - metric(labels[rows], baseline[rows])

    estimate = measure(np.arange(len(labels)))
    draw = _drawer(len(labels), group, rng)
    values = []
    for done in range(resamples):
        with suppress(InvalidInput):  # a resample without frauds has no AUC; counted below
            values.append(measure(draw()))
        if progress is not None and done % 20 == 0:
            progress(done / resamples, f"{done} of {resamples} resamples")
    if len(values) <= resamples / 2:
        raise InvalidInput(
            f"the metric is undefined on {resamples - len(values)} of {resamples} resamples; take more rows"
        )
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(estimate), float(low), float(high))


def _drawer(n: int, group: np.ndarray | None, rng: np.random.Generator) -> Callable[[], np.ndarray]:
    """A function that draws row positions with replacement, whole groups at a time."""
    if group is None:
        return lambda: rng.integers(0, n, n)
    _, code = np.unique(group, return_inverse=True)
    order = np.argsort(code, kind="stable")
    size = np.bincount(code)
    start = np.cumsum(size) - size

    def draw() -> np.ndarray:
        chosen = rng.integers(0, len(size), len(size))
        lengths = size[chosen]
        offset = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return order[np.repeat(start[chosen], lengths) + offset]

    return draw
