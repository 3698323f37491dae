"""The same figures by segment, with counts and intervals.

A segment with few frauds has a wide interval; read the interval, not the estimate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.evaluate.bootstrap import Interval
from fraudkit.evaluate.curves import check_scores
from fraudkit.evaluate.metrics import roc_auc_score

AMOUNT_EDGES = (10.0, 50.0, 200.0, 1000.0)
NEW_USER_DAYS = 30


def wilson_interval(successes: int, trials: int, confidence: float = 0.95) -> Interval | None:
    """Share with Wilson's score interval, which stays in 0..1 and is honest at 0 and 1; None without trials.

    Raises
    ------
    InvalidInput
        successes is not in 0..trials, or confidence not in (0, 1).

    Examples
    --------
    >>> wilson_interval(0, 10).low
    0.0
    """
    if not 0 <= successes <= trials or not 0.0 < confidence < 1.0:
        raise InvalidInput(f"{successes} of {trials} at confidence {confidence}: give 0..trials and (0, 1)")
    if trials == 0:
        return None
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, spread = successes / trials, z * z / trials
    middle = (share + spread / 2) / (1 + spread)
    half = z * np.sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    low = 0.0 if successes == 0 else float(middle - half)
    high = 1.0 if successes == trials else float(middle + half)
    return Interval(share, low, high)


@dataclass(frozen=True, slots=True)
class SegmentFigures:
    """Figures of one segment; None where its rows do not allow them."""

    segment: str
    value: str
    rows: int
    frauds: int
    roc_auc: float | None
    recall: Interval | None
    precision: Interval | None
    false_positive_rate: Interval | None


def amount_bands(amount: np.ndarray) -> np.ndarray:
    """Band of each amount in US dollars (n,), as strings that sort by amount.

    >>> amount_bands(np.array([9.99, 10.0, 5000.0])).tolist()
    ['1: below 10', '2: 10 to 50', '5: 1000 and more']
    """
    edges = [f"{edge:g}" for edge in AMOUNT_EDGES]
    middle = [f"{k + 2}: {edges[k]} to {edges[k + 1]}" for k in range(len(edges) - 1)]
    names = [f"1: below {edges[0]}", *middle, f"{len(edges) + 1}: {edges[-1]} and more"]
    return np.array(names)[np.digitize(amount, AMOUNT_EDGES)]


def user_ages(account_age_days: np.ndarray) -> np.ndarray:
    """ "new" where the account is younger than NEW_USER_DAYS, else "old"; shape (n,)."""
    return np.where(np.asarray(account_age_days) < NEW_USER_DAYS, "new", "old")


def by_segment(
    y_true: np.ndarray, y_score: np.ndarray, segments: Mapping[str, np.ndarray], threshold: float, min_rows: int = 1
) -> tuple[SegmentFigures, ...]:
    """Figures of "alert where score > threshold" for each value of each segment.

    Parameters
    ----------
    y_true, y_score : shape (n,)
    segments : name to values of shape (n,); values are compared as strings
    threshold : on the score
    min_rows : values with fewer rows are left out

    Returns
    -------
    figures by the order of `segments`, then by sorted value

    Raises
    ------
    InvalidInput
        A segment has another length, or as `check_scores`.
    """
    fraud, scores = check_scores(y_true, y_score, both_classes=False)
    out = []
    for name, values in segments.items():
        if np.shape(values) != fraud.shape:
            raise InvalidInput(f"segment {name!r} has shape {np.shape(values)}; it needs {fraud.shape}")
        known, code = np.unique(np.asarray(values).astype(str), return_inverse=True)
        order = np.argsort(code, kind="stable")
        ends = np.cumsum(np.bincount(code, minlength=len(known)))
        for value, rows in zip(known.tolist(), np.split(order, ends[:-1]), strict=True):
            if len(rows) >= min_rows:
                out.append(_figures(name, value, fraud[rows], scores[rows], threshold))
    return tuple(out)


def _figures(segment: str, value: str, fraud: np.ndarray, scores: np.ndarray, threshold: float) -> SegmentFigures:
    flagged = scores > threshold
    frauds, caught, alerts = int(fraud.sum()), int((fraud & flagged).sum()), int(flagged.sum())
    return SegmentFigures(
        segment=segment,
        value=value,
        rows=len(fraud),
        frauds=frauds,
        roc_auc=roc_auc_score(fraud, scores) if 0 < frauds < len(fraud) else None,
        recall=wilson_interval(caught, frauds),
        precision=wilson_interval(caught, alerts),
        false_positive_rate=wilson_interval(alerts - caught, len(fraud) - frauds),
    )
