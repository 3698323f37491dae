"""How often a drift test reports something on days on which nothing is wrong, by the way it decides.

Each way adds one idea to the one before it, so that the table shows what each is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.monitor.alerts import ALERTS, Measure, Observation, episodes
from fraudkit.monitor.drift import DEFAULT_LIMITS, DriftReference, DriftReport
from fraudkit.monitor.drift_history import DriftDay, drift_by_day

MONTH_DAYS = 30
ALERT = "the alert: two days in a row"


@dataclass(frozen=True, slots=True)
class AlarmRate:
    """One way to decide: over how many days, on how many of them it reports, how many features a day."""

    way: str
    days: int
    alarmed_days: int
    features_a_day: float

    @property
    def a_month(self) -> float:
        """Alarmed days in 30."""
        return MONTH_DAYS * self.alarmed_days / self.days


def drift_false_alarms(
    X: np.ndarray,
    day: np.ndarray,
    names: Sequence[str],
    *,
    training: np.ndarray,
    judged: range,
    usual: np.ndarray,
    rng: np.random.Generator,
) -> tuple[AlarmRate, ...]:
    """Alarms of six ways to decide, on the same days.

    Parameters
    ----------
    X, day, names : as for `drift_by_day`
    training : rows of X that the model was trained on, the reference of the plain test
    judged : days on which nothing is wrong
    usual : distances of quiet days before them, from `usual_distances`

    Raises
    ------
    InvalidInput
        `judged` holds no row.
    """
    fixed = DriftReference.of(X[training], names, rng)
    against_training = drift_by_day(X, day, names, judged, rng, reference=fixed)
    against_weeks = drift_by_day(X, day, names, judged, rng, usual=usual)
    if not against_weeks:
        raise InvalidInput(f"days {judged} hold no row; see that `day` counts from the same day")
    limits = DEFAULT_LIMITS
    ways: dict[str, tuple[Sequence[DriftDay], Callable[[DriftReport], int]]] = {
        "p < 0.01, against training": (against_training, lambda report: report.below_p),
        "p < 0.01, against the four weeks before": (against_weeks, lambda report: report.below_p),
        "and false-discovery control": (
            against_weeks,
            lambda report: sum(f.q < limits.q_below for f in report.features),
        ),
        "and an effect size": (
            against_weeks,
            lambda report: sum(
                f.q < limits.q_below and f.statistic >= limits.distance and f.psi >= limits.psi for f in report.features
            ),
        ),
        "and further than on any quiet day": (against_weeks, lambda report: len(report.drifted)),
    }
    rates = []
    for way, (history, count) in ways.items():
        counts = [count(entry.report) for entry in history]
        rates.append(AlarmRate(way, len(counts), sum(n > 0 for n in counts), float(np.mean(counts))))
    raised = episodes([ALERTS["feature-drift"]], [drift_observation(entry) for entry in against_weeks])
    return (*rates, AlarmRate(ALERT, len(against_weeks), len(raised), len(raised) / len(against_weeks)))


def drift_observation(entry: DriftDay) -> Observation:
    """A day's report as the alert sees it."""
    measure = Measure(float(len(entry.report.drifted)), entry.report.current_rows)
    return Observation(entry.day, {ALERTS["feature-drift"].measure: measure})
