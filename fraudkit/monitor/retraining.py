"""Whether what the monitor sees calls for a new model. The limits are in fraudkit.registry.trigger."""

from __future__ import annotations

from fraudkit.monitor.performance import OnlinePerformance
from fraudkit.registry.trigger import DEFAULT_TRIGGER, RetrainingPolicy, Trigger, retraining_due

__all__ = ["RetrainingPolicy", "Trigger", "should_trigger_retraining"]


def should_trigger_retraining(
    performance: OnlinePerformance,
    *,
    model_age_days: float,
    new_frauds: int,
    drift_days: int = 0,
    policy: RetrainingPolicy = DEFAULT_TRIGGER,
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
    return retraining_due(
        performance.auc,
        performance.frauds,
        model_age_days=model_age_days,
        new_frauds=new_frauds,
        drift_days=drift_days,
        policy=policy,
    )
