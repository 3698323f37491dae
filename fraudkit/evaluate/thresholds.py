"""What each threshold costs, and which one to choose.

An alert is a score above the threshold, never at it, as in fraudkit.rules.policy. A threshold chosen
on the rows it is measured on looks better than it is: choose on validation rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.evaluate.curves import check_scores
from fraudkit.rules.cost_policy import Costs

PUBLISHED = (0.3, 0.5, 0.7, 0.9)


@dataclass(frozen=True, slots=True)
class Curve:
    """Every distinct outcome of "alert where score > threshold"; arrays of shape (m,), thresholds falling.

    The first threshold is the largest score (no alert); the last, -inf, alerts on everything.
    """

    thresholds: np.ndarray
    true_positives: np.ndarray
    false_positives: np.ndarray
    prevented: np.ndarray  # US dollars of fraud above the threshold
    cost: np.ndarray  # US dollars, if alerts are declined

    def cheapest(self) -> int:
        """Position of the least cost; among equals the one with the fewest alerts."""
        return int(np.argmin(self.cost))

    def below_fpr(self, limit: float) -> int:
        """Position of the most alerts whose false-positive rate is below `limit`.

        Raises
        ------
        InvalidInput
            limit is not above 0, or there is no legitimate row.
        """
        if not limit > 0.0 or self.false_positives[-1] == 0:
            raise InvalidInput(f"limit={limit} must be above 0, and there must be legitimate rows")
        return int(np.flatnonzero(self.false_positives / self.false_positives[-1] < limit)[-1])


def cost_curve(y_true: np.ndarray, y_score: np.ndarray, amount: np.ndarray, costs: Costs) -> Curve:
    """Cost of declining above each threshold, in one sort.

    Parameters
    ----------
    y_true, y_score : shape (n,)
    amount : US dollars, shape (n,)
    costs : what outcomes cost; reviews are not part of it

    Raises
    ------
    InvalidInput
        Shapes differ, or a value is not finite.

    Examples
    --------
    >>> curve = cost_curve(np.array([0, 1]), np.array([0.2, 0.7]), np.array([10.0, 40.0]), Costs())
    >>> float(curve.thresholds[curve.cheapest()]), float(curve.cost.min())
    (0.2, 0.0)
    """
    fraud, scores = check_scores(y_true, y_score, both_classes=False)
    _, usd = check_scores(y_true, amount, both_classes=False)
    order = np.argsort(-scores, kind="stable")
    ranked, flag = scores[order], fraud[order]
    ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))

    def upto(values: np.ndarray) -> np.ndarray:
        return np.append(0, np.cumsum(values)[ends])

    caught, wrong = upto(flag.astype(np.int64)), upto((~flag).astype(np.int64))
    saved = upto(np.where(flag, costs.loss(usd)[order], 0.0))
    return Curve(
        thresholds=np.append(ranked[ends], -np.inf),
        true_positives=caught,
        false_positives=wrong,
        prevented=upto(np.where(flag, usd[order], 0.0)),
        cost=saved[-1] - saved + costs.false_positive * wrong,
    )


def cost_optimal_threshold(y_true: np.ndarray, y_score: np.ndarray, amount: np.ndarray, costs: Costs) -> float:
    """The threshold of least cost on these rows. Parameters and Raises as `cost_curve`."""
    curve = cost_curve(y_true, y_score, amount, costs)
    return float(curve.thresholds[curve.cheapest()])


@dataclass(frozen=True, slots=True)
class ThresholdFigures:
    """What alerting above one threshold gives. Shares are None where their denominator is zero."""

    threshold: float
    alerts: int
    precision: float | None
    recall: float | None
    false_positive_rate: float | None
    loss_prevented: float | None  # share of the fraudulent amount
    cost_fixed: float  # US dollars, fixed cost of a missed fraud
    cost_amount: float  # US dollars, a missed fraud costs its amount


def at_thresholds(
    y_true: np.ndarray,
    y_score: np.ndarray,
    amount: np.ndarray,
    thresholds: tuple[float, ...] = PUBLISHED,
    costs: Costs = Costs(),  # noqa: B008 frozen
) -> tuple[ThresholdFigures, ...]:
    """Figures of "alert where score > threshold" for each threshold, in the order given.

    Parameters and Raises : as `cost_curve`; `costs.false_negative` is used for `cost_fixed`
    """
    if costs.false_negative is None:
        raise InvalidInput(
            "costs.false_negative is None; give the fixed cost, the cost by amount is reported beside it"
        )
    curve = cost_curve(y_true, y_score, amount, costs)
    n_fraud, n_legitimate = int(curve.true_positives[-1]), int(curve.false_positives[-1])
    out = []
    for threshold in thresholds:
        # First position whose threshold is not above: all scores before it exceed `threshold`.
        k = int(np.searchsorted(-curve.thresholds, -threshold, side="left"))
        caught, wrong = int(curve.true_positives[k]), int(curve.false_positives[k])
        lost = float(curve.prevented[-1] - curve.prevented[k])
        out.append(
            ThresholdFigures(
                threshold=float(threshold),
                alerts=caught + wrong,
                precision=caught / (caught + wrong) if caught + wrong else None,
                recall=caught / n_fraud if n_fraud else None,
                false_positive_rate=wrong / n_legitimate if n_legitimate else None,
                loss_prevented=float(curve.prevented[k] / curve.prevented[-1]) if curve.prevented[-1] else None,
                cost_fixed=float(curve.cost[k]),
                cost_amount=lost + costs.false_positive * wrong,
            )
        )
    return tuple(out)


def threshold_for_budget(y_score: np.ndarray, n_days: int, alert_budget: int) -> float:
    """Least threshold above which at most ``alert_budget * n_days`` scores lie.

    Parameters
    ----------
    y_score : shape (n,), of a past period of n_days days
    alert_budget : alerts a day, on average

    Raises
    ------
    InvalidInput
        There is no score, n_days is below 1 or alert_budget below 0.

    Examples
    --------
    >>> threshold_for_budget(np.array([0.1, 0.9, 0.5, 0.7]), n_days=2, alert_budget=1)
    0.5
    """
    if n_days < 1 or alert_budget < 0 or not len(y_score):
        raise InvalidInput(f"n_days={n_days}, alert_budget={alert_budget}, {len(y_score)} scores: give 1, 0, 1 or more")
    ranked = np.sort(np.asarray(y_score, dtype=np.float64))[::-1]
    places = alert_budget * n_days
    return float(ranked[places]) if places < len(ranked) else float("-inf")
