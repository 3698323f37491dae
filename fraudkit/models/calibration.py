"""Calibration: from the ensemble's score to a probability of fraud.

Fitted on the validation week, which also stopped the training early; what it promises is therefore
measured on the test period (Brier score and calibration error, fraudkit.evaluate). It corrects for
the class weight and for over-confidence, and knows nothing of a fraud rate that moves later.

Two methods. Platt's has two parameters on the score's log-odds and needs little data. Isotonic
regression follows any rising shape but spends data on every step. Isotonic is considered from
`ISOTONIC_MIN_POSITIVES` frauds on, below which its steps at high scores rest on a handful of cases,
and taken only where its log loss is lower in five-fold cross-validation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from fraudkit.core.errors import CorruptArtefact, InvalidInput

ISOTONIC_MIN_POSITIVES = 1_000
FOLDS = 5
EPSILON = 1e-6  # scores are kept this far from 0 and 1 before taking log-odds


@numba.njit(cache=True, nogil=True)
def piecewise(scores, slope, intercept, knots, values):  # type: ignore[no-untyped-def]
    """Platt's curve where there are no knots, else linear interpolation between the knots."""
    out = np.empty(scores.shape[0], dtype=np.float64)
    for i in range(scores.shape[0]):
        s = scores[i]
        if knots.shape[0] == 0:
            s = min(max(s, EPSILON), 1.0 - EPSILON)
            out[i] = 1.0 / (1.0 + math.exp(-(slope * math.log(s / (1.0 - s)) + intercept)))
        elif s <= knots[0]:
            out[i] = values[0]
        elif s >= knots[-1]:
            out[i] = values[-1]
        else:
            j = np.searchsorted(knots, s, side="right")
            share = (s - knots[j - 1]) / (knots[j] - knots[j - 1])
            out[i] = values[j - 1] + share * (values[j] - values[j - 1])
    return out


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fitted curve: `method` is "platt" (slope, intercept) or "isotonic" (knots, values; float64)."""

    method: str
    slope: float
    intercept: float
    knots: np.ndarray
    values: np.ndarray

    def apply(self, scores: np.ndarray) -> np.ndarray:
        """Probabilities, float64 (n,), of ensemble scores in 0..1; never falling as the score rises."""
        return piecewise(np.ascontiguousarray(scores, np.float64), self.slope, self.intercept, self.knots, self.values)

    def invert(self, probability: np.ndarray) -> np.ndarray:
        """Scores in 0..1, float64 (n,), whose probability is the given one; the nearest where there is none.

        Where the curve is flat, the highest such score.
        """
        p = np.clip(np.asarray(probability, np.float64), EPSILON, 1.0 - EPSILON)
        if self.method == "isotonic":
            below = np.searchsorted(self.values, p, side="right") - 1
            j = np.clip(below, 0, len(self.values) - 2)
            share = (p - self.values[j]) / np.maximum(self.values[j + 1] - self.values[j], EPSILON * EPSILON)
            return np.asarray(self.knots[j] + np.clip(share, 0.0, 1.0) * (self.knots[j + 1] - self.knots[j]))
        if self.slope == 0.0:
            return np.full(len(p), 0.5)
        odds = (np.log(p / (1.0 - p)) - self.intercept) / self.slope
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -700.0, 700.0))))

    def content(self) -> dict[str, Any]:
        """As plain data, to be stored."""
        return {
            "method": self.method,
            "slope": self.slope,
            "intercept": self.intercept,
            "knots": self.knots.tolist(),
            "values": self.values.tolist(),
        }


def calibration_from_content(content: dict[str, Any]) -> Calibration:
    """Rebuild from stored data.

    Raises
    ------
    CorruptArtefact
        A field is missing or the curve falls.
    """
    try:
        knots = np.array(content["knots"], dtype=np.float64)
        values = np.array(content["values"], dtype=np.float64)
        curve = Calibration(content["method"], float(content["slope"]), float(content["intercept"]), knots, values)
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptArtefact(f"calibration.json cannot be read ({error}); train again") from error
    if knots.shape != values.shape or np.any(np.diff(knots) <= 0) or np.any(np.diff(values) < 0) or curve.slope < 0:
        raise CorruptArtefact("calibration.json holds a curve that is not rising; train again")
    return curve


def fit_calibration(scores: np.ndarray, y: np.ndarray, rng: np.random.Generator) -> Calibration:
    """Fit on validation scores (n,) in 0..1 and labels (n,) of 0 and 1; choose the method as the module says.

    Raises
    ------
    InvalidInput
        There is no row.
    """
    scores = np.asarray(scores, dtype=np.float64)
    y = np.asarray(y, dtype=np.float64)
    if len(scores) == 0:
        raise InvalidInput("no validation rows; calibration needs a later week with labels")
    platt = fit_platt(scores, y)
    if min(y.sum(), len(y) - y.sum()) < ISOTONIC_MIN_POSITIVES:
        return platt
    fold = rng.permutation(len(y)) % FOLDS
    losses = {"platt": 0.0, "isotonic": 0.0}
    for k in range(FOLDS):
        train, test = fold != k, fold == k
        losses["platt"] += log_loss_sum(y[test], fit_platt(scores[train], y[train]).apply(scores[test]))
        losses["isotonic"] += log_loss_sum(y[test], fit_isotonic(scores[train], y[train]).apply(scores[test]))
    return fit_isotonic(scores, y) if losses["isotonic"] < losses["platt"] else platt


def log_loss_sum(y: np.ndarray, probability: np.ndarray) -> float:
    """Summed log loss of probabilities (n,) for labels (n,)."""
    p = np.clip(probability, EPSILON, 1.0 - EPSILON)
    return float(-(y * np.log(p) + (1.0 - y) * np.log1p(-p)).sum())


def fit_platt(scores: np.ndarray, y: np.ndarray) -> Calibration:
    """Two parameters by Newton's method on Platt's smoothed targets, so that one class alone is no error.

    A slope below 0 would turn the ranking round; it is held at 0, which is the fraud rate for all.
    """
    clipped = np.clip(scores, EPSILON, 1.0 - EPSILON)
    x = np.log(clipped / (1.0 - clipped))
    n_fraud = y.sum()
    target = np.where(y > 0.5, (n_fraud + 1.0) / (n_fraud + 2.0), 1.0 / (len(y) - n_fraud + 2.0))
    slope, intercept = newton_logistic(x, target)
    if slope < 0.0:
        rate = target.mean()
        slope, intercept = 0.0, math.log(rate / (1.0 - rate))
    return Calibration("platt", slope, intercept, np.empty(0), np.empty(0))


def newton_logistic(x: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of a logistic fit to targets in (0, 1); steps are halved until the loss falls."""
    rate = target.mean()
    beta = np.array([0.0, math.log(rate / (1.0 - rate))])
    design = np.column_stack([x, np.ones_like(x)])

    def loss(b: np.ndarray) -> float:
        z = design @ b
        return float((np.logaddexp(0.0, z) - target * z).sum())

    current = loss(beta)
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-(design @ beta)))
        gradient = design.T @ (p - target)
        hessian = (design * (p * (1.0 - p))[:, None]).T @ design + 1e-9 * np.eye(2)
        move = np.linalg.solve(hessian, gradient)
        size = 1.0
        while loss(beta - size * move) > current and size > 1e-6:
            size /= 2.0
        beta = beta - size * move
        previous, current = current, loss(beta)
        if abs(previous - current) <= 1e-10 * (1.0 + abs(current)):
            break
    return float(beta[0]), float(beta[1])


def fit_isotonic(scores: np.ndarray, y: np.ndarray) -> Calibration:
    """Rising step curve by scikit-learn, kept as knots and joined by lines.

    Probabilities stay off 0 and 1 by one part in the sample: no week of data proves impossibility.
    """
    from sklearn.isotonic import IsotonicRegression

    margin = 1.0 / (len(y) + 2.0)
    model = IsotonicRegression(y_min=margin, y_max=1.0 - margin, out_of_bounds="clip").fit(scores, y)
    return Calibration("isotonic", 1.0, 0.0, model.X_thresholds_.astype(np.float64), model.y_thresholds_)
