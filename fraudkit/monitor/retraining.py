"""When the loop asks for a new model, with reasons that can be read.

Asking is not promoting: a candidate still has to pass the gate.
"""

from __future__ import annotations

from dataclasses import dataclass

from fraudkit.core.errors import InvalidInput
from fraudkit.monitor.performance import OnlinePerformance


@dataclass(frozen=True, slots=True)
class RetrainingPolicy:
    """What triggers a retraining.

    Attributes
    ----------
    auc_below : the whole interval of the online AUC lies below it
    min_frauds : frauds among the judged rows below which the AUC says nothing
    min_new_frauds : matured frauds that the model has not seen, below which there is nothing new to learn
    max_age_days : days after which a model is renewed in any case
    drift_days : days in a row with drifted features

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

    def __post_init__(self) -> None:
        counts = min(self.min_frauds, self.min_new_frauds, self.drift_days)
        if not 0.5 <= self.auc_below <= 1.0 or counts < 1 or self.max_age_days <= 0:
            raise InvalidInput(f"{self}: give auc_below in 0.5..1, counts of 1 or more and a positive age")


@dataclass(frozen=True, slots=True)
class Trigger:
    """Whether to retrain, why, and what speaks against it."""

    wanted: bool
    reasons: tuple[str, ...]
    against: tuple[str, ...] = ()


def should_trigger_retraining(
    performance: OnlinePerformance,
    *,
    model_age_days: float,
    new_frauds: int,
    drift_days: int = 0,
    policy: RetrainingPolicy = RetrainingPolicy(),
) -> Trigger:
    """Decide whether a retraining is due.

    Parameters
    ----------
    performance : on matured labels
    model_age_days : since the newest row the model was trained on
    new_frauds : matured frauds since then
    drift_days : days in a row on which features counted as drifted
    policy : the limits
    """
    reasons = []
    auc, frauds = performance.auc, performance.frauds
    if auc is not None and frauds >= policy.min_frauds and auc.high < policy.auc_below:
        reasons.append(f"online AUC at most {auc.high:.3f}, below {policy.auc_below:g}, on {frauds} frauds")
    if model_age_days > policy.max_age_days:
        reasons.append(f"the model's data ends {model_age_days:.0f} days ago, more than {policy.max_age_days:g}")
    if drift_days >= policy.drift_days:
        reasons.append(f"features drifted on {drift_days} days in a row")
    if reasons and new_frauds < policy.min_new_frauds:
        against = (
            f"{new_frauds} new matured frauds, fewer than {policy.min_new_frauds}: there is too little to learn from"
        )
        return Trigger(False, tuple(reasons), (against,))
    return Trigger(bool(reasons), tuple(reasons))
