"""One report of a score on a test period: every published figure comes out of `evaluate_scores`.

It measures the rows it is handed. What world and period they are from has to be said beside it
(`title`), because precision@1000 means something only where there are several thousand frauds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.evaluate import metrics
from fraudkit.evaluate.curves import check_scores
from fraudkit.evaluate.segments import SegmentFigures, by_segment
from fraudkit.evaluate.thresholds import PUBLISHED, ThresholdFigures, at_thresholds, cost_curve
from fraudkit.rules.cost_policy import Costs

DIGITS = 6  # JSON figures are rounded to six decimals; money too

AUC_TARGET = 0.90
PRECISION_TARGET = 0.80
LOSS_TARGET = 0.40
FPR_TARGET = 0.02


@dataclass(frozen=True, slots=True)
class Target:
    """One target: `value` must exceed (at_least: reach) `goal`. value is None where it cannot be measured."""

    name: str
    goal: float
    value: float | None
    passed: bool


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """Figures of one score on n test rows.

    Shares are 0..1, money is US dollars. precision_at_* and card_precision_at_100 are None where the rows
    do not allow them. Calibration is measured on probabilities if they were given. `below_fpr_target`
    is the operating point with the most alerts at a false-positive rate below 2 %, chosen on these
    rows; `cost_optimal` likewise at the fixed cost.
    """

    title: str
    rows: int
    frauds: int
    fraud_amount: float
    roc_auc: float
    average_precision: float
    precision_at_100: float | None
    precision_at_1000: float | None
    card_precision_at_100: float | None
    recall_below_fpr_target: float
    brier: float | None
    log_loss: float | None
    calibration_error: float | None
    thresholds: tuple[ThresholdFigures, ...]
    below_fpr_target: ThresholdFigures
    cost_optimal: ThresholdFigures
    targets: tuple[Target, ...]
    segments: tuple[SegmentFigures, ...]

    def to_data(self) -> dict[str, Any]:
        """The report as plain data, floats rounded to DIGITS decimals, -inf as None."""
        return _plain(asdict(self))

    def to_json(self) -> str:
        """The report as JSON."""
        return json.dumps(self.to_data(), sort_keys=True)


def evaluate_scores(
    y_true: np.ndarray,
    y_score: np.ndarray,
    amount: np.ndarray,
    *,
    title: str,
    y_prob: np.ndarray | None = None,
    user_id: np.ndarray | None = None,
    day: np.ndarray | None = None,
    segments: Mapping[str, np.ndarray] | None = None,
    costs: Costs = Costs(),  # noqa: B008 frozen
) -> EvaluationReport:
    """Measure a score.

    Parameters
    ----------
    y_true : 0/1 or bool of shape (n,)
    y_score : float of shape (n,), the score that thresholds apply to
    amount : US dollars, shape (n,)
    title : world, period and model, in words
    y_prob : calibrated probability (n,), for calibration
    user_id, day : shape (n,), for card precision; both or neither
    segments : name to values (n,), measured at the review threshold 0.5
    costs : of outcomes

    Raises
    ------
    InvalidInput
        One class only, shapes differ, or only one of user_id and day is given.

    Examples
    --------
    >>> y = np.array([0, 0, 0, 1])
    >>> report = evaluate_scores(y, np.array([0.1, 0.2, 0.3, 0.95]), np.full(4, 10.0), title="four rows")
    >>> report.roc_auc, report.thresholds[-1].recall
    (1.0, 1.0)
    """
    if (user_id is None) != (day is None):
        raise InvalidInput("card precision needs both user_id and day; give both or neither")
    fraud, scores = check_scores(y_true, y_score)
    usd = np.asarray(amount, dtype=np.float64)
    auc = metrics.roc_auc_score(fraud, scores)
    curve = cost_curve(fraud, scores, usd, costs)
    limit, cheapest = (float(curve.thresholds[k]) for k in (curve.below_fpr(FPR_TARGET), curve.cheapest()))
    figures = at_thresholds(fraud, scores, usd, (*PUBLISHED, limit, cheapest), costs)
    precision = {k: metrics.precision_at_k_score(fraud, scores, k) if len(fraud) >= k else None for k in (100, 1000)}
    cards = None
    if user_id is not None and day is not None:
        cards = metrics.card_precision_at_k_score(fraud, scores, user_id, day)
    return EvaluationReport(
        title=title,
        rows=len(fraud),
        frauds=int(fraud.sum()),
        fraud_amount=float(usd[fraud].sum()),
        roc_auc=auc,
        average_precision=metrics.average_precision_score(fraud, scores),
        precision_at_100=precision[100],
        precision_at_1000=precision[1000],
        card_precision_at_100=cards,
        recall_below_fpr_target=metrics.recall_at_fpr_score(fraud, scores, FPR_TARGET),
        brier=None if y_prob is None else metrics.brier_loss(fraud, y_prob),
        log_loss=None if y_prob is None else metrics.log_loss(fraud, y_prob),
        calibration_error=None if y_prob is None else metrics.expected_calibration_loss(fraud, y_prob),
        thresholds=figures[:-2],
        below_fpr_target=figures[-2],
        cost_optimal=figures[-1],
        targets=_targets(auc, precision[1000], figures[-2].loss_prevented),
        segments=by_segment(fraud, scores, segments or {}, threshold=0.5),
    )


def _targets(auc: float, precision: float | None, prevented: float | None) -> tuple[Target, ...]:
    """The specification's targets. "Reduce by 40 %" is reached at 40 %; the others must be exceeded."""
    return (
        Target("ROC AUC", AUC_TARGET, auc, auc > AUC_TARGET),
        Target("precision@1000", PRECISION_TARGET, precision, precision is not None and precision > PRECISION_TARGET),
        Target(
            "fraud loss prevented at a false-positive rate below 2 %",
            LOSS_TARGET,
            prevented,
            prevented is not None and prevented >= LOSS_TARGET,
        ),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return round(value, DIGITS) if math.isfinite(value) else None
    return value
