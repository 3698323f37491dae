"""Figures of a score. Each takes arrays and returns a matplotlib Figure that belongs to no window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fraudkit.evaluate.curves import precision_recall_curve, reliability_bins, roc_curve
from fraudkit.evaluate.metrics import average_precision_score, expected_calibration_loss, roc_auc_score
from fraudkit.evaluate.thresholds import cost_curve
from fraudkit.rules.cost_policy import Costs

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _panels(count: int) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.0 * count, 4.0), layout="constrained")
    return figure, figure.subplots(1, count, squeeze=False)[0]


def ranking_figure(y_true: np.ndarray, y_scores: dict[str, np.ndarray]) -> Figure:
    """ROC and precision-recall curves of several scores (n,) by name on the same labels (n,)."""
    figure, (roc, pr) = _panels(2)
    for name, y_score in y_scores.items():
        false_positive_rate, recall, _ = roc_curve(y_true, y_score)
        roc.plot(false_positive_rate, recall, label=f"{name}, AUC {roc_auc_score(y_true, y_score):.3f}")
        precision, recall, _ = precision_recall_curve(y_true, y_score)
        ap = average_precision_score(y_true, y_score)
        pr.step(recall, precision, where="pre", label=f"{name}, AP {ap:.3f}")
    roc.plot([0, 1], [0, 1], color="grey", linestyle=":", label="guessing")
    roc.set(title="ROC", xlabel="false-positive rate (share)", ylabel="recall (share)")
    pr.set(title="Precision and recall", xlabel="recall (share)", ylabel="precision (share)", ylim=(0, 1.02))
    roc.legend()
    pr.legend()
    return figure


def cost_figure(y_true: np.ndarray, y_score: np.ndarray, amount: np.ndarray, costs: Costs) -> Figure:
    """Cost in US dollars of declining above each threshold, with the cheapest marked; arrays (n,)."""
    curve = cost_curve(y_true, y_score, amount, costs)
    best = curve.cheapest()
    figure, (axes,) = _panels(1)
    shown = np.isfinite(curve.thresholds)
    axes.step(curve.thresholds[shown], curve.cost[shown], where="pre")
    axes.axvline(max(curve.thresholds[best], curve.thresholds[shown].min()), color="grey", linestyle=":")
    axes.set(title=f"Cost by threshold, least {curve.cost[best]:,.0f} US dollars", xlabel="threshold (score)",
             ylabel="cost (US dollars)")  # fmt: skip
    return figure


def calibration_figure(y_true: np.ndarray, y_prob: np.ndarray, n_bins: int = 10) -> Figure:
    """Observed share of fraud against predicted probability, on logarithmic axes; arrays (n,)."""
    bins = reliability_bins(y_true, y_prob, n_bins)
    figure, (axes,) = _panels(1)
    shown = (bins.predicted > 0) & (bins.observed > 0)  # a logarithm has no zero
    axes.plot(bins.predicted[shown], bins.observed[shown], marker="o", label="bins of equal count")
    axes.axline((0.5, 0.5), (1.0, 1.0), color="grey", linestyle=":", label="calibrated")
    error = expected_calibration_loss(y_true, y_prob, n_bins)
    axes.set(title=f"Calibration, error {error:.4f}", xlabel="predicted probability", ylabel="observed share of fraud",
             xscale="log", yscale="log")  # fmt: skip
    axes.legend()
    return figure


def score_figure(y_true: np.ndarray, y_score: np.ndarray, n_bins: int = 50) -> Figure:
    """Histogram of scores in 0..1 by class, counts on a logarithmic axis; arrays (n,)."""
    fraud, edges = np.asarray(y_true, dtype=bool), np.linspace(0.0, 1.0, n_bins + 1)
    figure, (axes,) = _panels(1)
    for name, rows in (("legitimate", ~fraud), ("fraud", fraud)):
        axes.hist(np.asarray(y_score)[rows], bins=edges, histtype="step", label=name)
    axes.set(title="Scores by class", xlabel="score", ylabel="transactions (count)", yscale="log")
    axes.legend()
    return figure
