"""Counts of right and wrong alerts at every threshold: what all ranking metrics are made of.

Rows with the same score enter together, so no figure depends on the order of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudkit.core.errors import InvalidInput


def check_scores(y_true: np.ndarray, y_score: np.ndarray, both_classes: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Labels as bool (n,) and scores as float64 (n,).

    Raises
    ------
    InvalidInput
        Shapes differ, there is no row, a label is not 0 or 1, a score is not finite, or
        `both_classes` is asked for and one is absent.
    """
    labels, scores = np.asarray(y_true), np.asarray(y_score, dtype=np.float64)
    if labels.ndim != 1 or labels.shape != scores.shape or not labels.size:
        raise InvalidInput(f"y_true {labels.shape} and y_score {scores.shape} must be of one shape (n,) with n > 0")
    if labels.dtype != bool and not np.all((labels == 0) | (labels == 1)):
        raise InvalidInput("y_true holds something other than 0 and 1; leave unlabelled rows out")
    if not np.all(np.isfinite(scores)):
        raise InvalidInput(f"y_score holds {int((~np.isfinite(scores)).sum())} values that are not finite")
    fraud = labels.astype(bool)
    if both_classes and fraud.all() == fraud.any():
        raise InvalidInput(
            "y_true holds one class only; the metric needs frauds and legitimate rows: take a longer period"
        )
    return fraud, scores


@dataclass(frozen=True, slots=True)
class AlertCounts:
    """Alerts at each distinct score as threshold (alert where score >= threshold), falling.

    All arrays have shape (m,), m the number of distinct scores.
    """

    thresholds: np.ndarray
    true_positives: np.ndarray
    false_positives: np.ndarray

    @property
    def n_fraud(self) -> int:
        return int(self.true_positives[-1])

    @property
    def n_legitimate(self) -> int:
        return int(self.false_positives[-1])


def alert_counts(y_true: np.ndarray, y_score: np.ndarray, both_classes: bool = True) -> AlertCounts:
    """Count right and wrong alerts at every threshold, in one sort.

    Parameters
    ----------
    y_true : 0/1 or bool of shape (n,)
    y_score : float of shape (n,), higher is more suspicious
    both_classes : whether one class alone is an error

    Raises
    ------
    InvalidInput
        As `check_scores`.
    """
    fraud, scores = check_scores(y_true, y_score, both_classes)
    order = np.argsort(-scores, kind="stable")
    ranked = scores[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    caught = np.cumsum(fraud[order], dtype=np.int64)[ends]
    return AlertCounts(ranked[ends], caught, ends + 1 - caught)


def roc_curve(y_true: np.ndarray, y_score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """False-positive rate, recall and threshold, each (m + 1,), from no alert (threshold inf) to all."""
    counts = alert_counts(y_true, y_score)
    return (
        np.append(0.0, counts.false_positives / counts.n_legitimate),
        np.append(0.0, counts.true_positives / counts.n_fraud),
        np.append(np.inf, counts.thresholds),
    )


def precision_recall_curve(y_true: np.ndarray, y_score: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Precision, recall and threshold, each (m,), by falling threshold."""
    counts = alert_counts(y_true, y_score)
    precision = counts.true_positives / (counts.true_positives + counts.false_positives)
    return precision, counts.true_positives / counts.n_fraud, counts.thresholds


@dataclass(frozen=True, slots=True)
class ReliabilityBins:
    """Predicted against observed, in at most n_bins bins of about equal count; arrays of one shape."""

    predicted: np.ndarray
    observed: np.ndarray
    count: np.ndarray


def reliability_bins(y_true: np.ndarray, y_prob: np.ndarray, n_bins: int = 10) -> ReliabilityBins:
    """Mean probability and share of fraud by bin.

    Bins hold about the same number of rows, not the same width: where one payment in two hundred
    is fraud, nearly all rows would fall into the first of ten equal widths.

    Raises
    ------
    InvalidInput
        A probability is outside 0..1, n_bins is below 1, or as `check_scores`.
    """
    fraud, prob = check_scores(y_true, y_prob, both_classes=False)
    if n_bins < 1 or prob.min() < 0.0 or prob.max() > 1.0:
        raise InvalidInput(f"n_bins={n_bins}, probabilities {prob.min()}..{prob.max()}: give 1 or more bins and 0..1")
    edges = np.unique(np.quantile(prob, np.arange(1, n_bins) / n_bins, method="inverted_cdf"))
    which = np.searchsorted(edges, prob, side="left")
    count = np.bincount(which, minlength=len(edges) + 1)
    filled = count > 0
    predicted = np.bincount(which, prob, len(edges) + 1)[filled] / count[filled]
    observed = np.bincount(which, fraud, len(edges) + 1)[filled] / count[filled]
    return ReliabilityBins(predicted, observed, count[filled])
