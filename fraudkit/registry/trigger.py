"""When the loop asks for a new model, with reasons that can be read.

Asking is not promoting: a candidate still has to pass the gate. The service and the monitor bring what
they saw; this module reads neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.evaluate.auc_bootstrap import auc_interval
from fraudkit.evaluate.bootstrap import Interval


@dataclass(frozen=True, slots=True)
class RetrainingPolicy:
    """What triggers a retraining.

    Attributes
    ----------
    auc_below : the whole interval of the online AUC lies below it
    min_frauds : frauds among the judged rows below which the AUC says nothing
    min_new_frauds : matured frauds that the model has not seen, below which there is nothing new to learn
    max_age_days : days after which a model is renewed in any case; inf where a schedule does that
    drift_days : days in a row with drifted features
    cool_down_days : after a retraining none is asked for; what it changed must show first

    Raises
    ------
    InvalidInput
        A number is out of range.
    """

    auc_below: float = 0.85
    min_frauds: int = 30
    min_new_frauds: int = 50
    max_age_days: float = 30.0
    drift_days: int = 3
    cool_down_days: float = 7.0

    def __post_init__(self) -> None:
        counts = min(self.min_frauds, self.min_new_frauds, self.drift_days)
        if not 0.5 <= self.auc_below <= 1.0 or counts < 1 or self.max_age_days <= 0 or self.cool_down_days < 0:
            raise InvalidInput(
                f"{self}: give auc_below in 0.5..1, counts of 1 or more, a positive age and no negative cool-down"
            )


DEFAULT_TRIGGER = RetrainingPolicy()


@dataclass(frozen=True, slots=True)
class Trigger:
    """Whether to retrain, why, and what speaks against it."""

    wanted: bool
    reasons: tuple[str, ...]
    against: tuple[str, ...] = ()


def retraining_due(
    auc: Interval | None,
    frauds: int,
    *,
    model_age_days: float,
    new_frauds: int,
    drift_days: int = 0,
    retrained_days_ago: float = inf,
    policy: RetrainingPolicy = DEFAULT_TRIGGER,
) -> Trigger:
    """Decide whether a retraining is due.

    Parameters
    ----------
    auc, frauds : of the judged decisions, whose labels have matured; None where there is no AUC
    model_age_days : since the newest row the model was trained on
    new_frauds : matured frauds since then
    drift_days : days in a row on which features counted as drifted
    retrained_days_ago : since a request was last answered
    policy : the limits
    """
    reasons = []
    if auc is not None and frauds >= policy.min_frauds and auc.high < policy.auc_below:
        reasons.append(f"online AUC at most {auc.high:.3f}, below {policy.auc_below:g}, on {frauds} frauds")
    if model_age_days > policy.max_age_days:
        reasons.append(f"the model's data ends {model_age_days:.0f} days ago, more than {policy.max_age_days:g}")
    if drift_days >= policy.drift_days:
        reasons.append(f"features drifted on {drift_days} days in a row")
    against = []
    if reasons and new_frauds < policy.min_new_frauds:
        against.append(
            f"{new_frauds} new matured frauds, fewer than {policy.min_new_frauds}: there is too little to learn from"
        )
    if reasons and retrained_days_ago < policy.cool_down_days:
        against.append(
            f"the last retraining is {retrained_days_ago:.1f} days old, fewer than {policy.cool_down_days:g}"
        )
    return Trigger(bool(reasons) and not against, tuple(reasons), tuple(against))


def due_by_decisions(
    y_true: np.ndarray,
    y_score: np.ndarray,
    group: np.ndarray,
    rng: np.random.Generator,
    *,
    retrained_days_ago: float = inf,
    policy: RetrainingPolicy = DEFAULT_TRIGGER,
) -> Trigger:
    """Decide by served scores whose labels have matured, all of them of payments that the model has not seen.

    Parameters
    ----------
    y_true, y_score : (n,), labels and scores
    group : (n,), whose payments they are; those of one card holder are no independent evidence
    rng : source of the resamples
    retrained_days_ago, policy : as `retraining_due`
    """
    frauds = int(np.sum(y_true))
    auc = auc_interval(y_true, y_score, group, rng) if frauds >= policy.min_frauds else None
    return retraining_due(
        auc, frauds, model_age_days=0.0, new_frauds=frauds, retrained_days_ago=retrained_days_ago, policy=policy
    )
