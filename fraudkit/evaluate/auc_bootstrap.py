"""Paired bootstrap of the difference between two models' AUC on the same test rows.

Both models are measured on the same resample, so what makes a resample easy or hard cancels out of
the difference. Whole groups are drawn (all transactions of a card), because frauds on one card come
in bursts and are no independent evidence; drawing single rows would make the interval too narrow.

For this one metric a resample can be a weight for each group: the rows are sorted once, not once a
resample, which is what lets the promotion gate afford a thousand. `fraudkit.evaluate.bootstrap` does
any metric, by drawing rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numba
import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.evaluate.bootstrap import Interval
from fraudkit.evaluate.metrics import roc_auc_score

BLOCK = 50  # resamples between two reports of progress


@dataclass(frozen=True, slots=True)
class Ranking:
    """Scores of n rows, sorted once for all resamples."""

    order: np.ndarray  # (n,) int64, rows by rising score
    starts: np.ndarray  # (n,) bool, whether a new score starts at this place of the order

    @classmethod
    def of(cls, y_score: np.ndarray) -> Ranking:
        """Sort y_score (n,)."""
        order = np.argsort(y_score, kind="stable")
        ranked = y_score[order]
        return cls(order, np.concatenate([[True], ranked[1:] != ranked[:-1]]))


@numba.njit(cache=True, nogil=True)
def weighted_auc(order, starts, y_true, group, weight):  # type: ignore[no-untyped-def]
    """AUC with row weights weight[group]; ties count half; NaN where one class has no weight."""
    below = fraud = tied_legitimate = tied_fraud = won = 0.0
    for k in range(order.shape[0]):
        if starts[k]:
            won += tied_fraud * (below + 0.5 * tied_legitimate)
            below += tied_legitimate
            tied_legitimate = tied_fraud = 0.0
        w = weight[group[order[k]]]
        if y_true[order[k]]:
            tied_fraud += w
            fraud += w
        else:
            tied_legitimate += w
    won += tied_fraud * (below + 0.5 * tied_legitimate)
    below += tied_legitimate
    return won / (fraud * below) if fraud > 0.0 and below > 0.0 else np.nan


@numba.njit(cache=True, nogil=True)
def resampled_differences(order_a, starts_a, order_b, starts_b, y_true, group, n_groups, times, rng):  # type: ignore[no-untyped-def]
    """AUC of a less AUC of b, on `times` resamples of whole groups."""
    out = np.empty(times)
    weight = np.empty(n_groups)
    for r in range(times):
        weight[:] = 0.0
        for _ in range(n_groups):
            weight[rng.integers(0, n_groups)] += 1.0
        a = weighted_auc(order_a, starts_a, y_true, group, weight)
        b = weighted_auc(order_b, starts_b, y_true, group, weight)
        out[r] = a - b
    return out


def auc_differences(
    y_true: np.ndarray,
    score_a: np.ndarray,
    score_b: np.ndarray,
    group: np.ndarray,
    resamples: int,
    rng: np.random.Generator,
    progress: Callable[[float, str], None] | None = None,
) -> np.ndarray:
    """Bootstrap sample of AUC(a) − AUC(b), float64 (at most `resamples`,).

    Parameters
    ----------
    y_true, score_a, score_b : (n,)
    group : (n,) any labels; rows that share one are drawn together

    Raises
    ------
    InvalidInput
        No resample holds both classes.
    """
    a, b = Ranking.of(np.asarray(score_a)), Ranking.of(np.asarray(score_b))
    labels, codes = np.unique(group, return_inverse=True)
    fixed = (a.order, a.starts, b.order, b.starts, np.asarray(y_true, bool), codes, len(labels))
    parts = []
    for done in range(0, resamples, BLOCK):
        parts.append(resampled_differences(*fixed, min(BLOCK, resamples - done), rng))
        if progress is not None:
            progress(min(done + BLOCK, resamples) / resamples, "paired bootstrap")
    differences = np.concatenate(parts)
    differences = differences[~np.isnan(differences)]
    if not len(differences):
        raise InvalidInput("no resample holds frauds and legitimate rows; take a longer test window")
    return differences


def auc_interval(
    y_true: np.ndarray,
    y_score: np.ndarray,
    group: np.ndarray,
    rng: np.random.Generator,
    resamples: int = 200,
    confidence: float = 0.95,
) -> Interval | None:
    """One score's AUC with its interval over resamples of whole groups; None where only one class is there.

    Parameters
    ----------
    y_true, y_score, group : (n,); rows that share a group are drawn together

    Examples
    --------
    >>> auc_interval(np.array([0, 1] * 20), np.arange(40) % 2, np.arange(40), np.random.default_rng(0))
    Interval(estimate=1.0, low=1.0, high=1.0)
    """
    fraud = np.asarray(y_true, bool)
    if not 0 < fraud.sum() < len(fraud):
        return None
    score = np.asarray(y_score, np.float64)
    # A constant score has an AUC of exactly one half on every resample.
    values = auc_differences(fraud, score, np.zeros(len(score)), group, resamples, rng) + 0.5
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(roc_auc_score(fraud, score), float(low), float(high))
