"""One look at a running service: its counts, its decisions, drift and performance, as measures for the alerts."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
import pandas as pd

from fraudkit.core.label import MATURITY_DAYS
from fraudkit.monitor.alerts import ALERTS, Measure
from fraudkit.monitor.drift import DriftReference, DriftReport
from fraudkit.monitor.performance import OnlinePerformance, judged, online_performance
from fraudkit.monitor.shift import share_shift
from fraudkit.monitor.snapshot import Counts

DRIFT_DAYS, SHIFT_DAYS, BEFORE_DAYS, JUDGED_DAYS = 1, 7, 28, 28


@dataclass(frozen=True, slots=True)
class State:
    """What stands at `moment`; None where there is nothing to say yet."""

    moment: pd.Timestamp
    counts: Counts | None
    decisions: int
    drift: DriftReport | None
    performance: OnlinePerformance
    measures: dict[str, Measure]

    def verdicts(self) -> dict[str, str]:
        """Alert id -> "ok", "beyond" or "too little": what one look says. Raising takes several."""
        found = {}
        for rule in ALERTS.values():
            measure = self.measures.get(rule.measure)
            if measure is None or measure.count < rule.min_count or np.isnan(measure.value):
                found[rule.id] = "too little"
            else:
                found[rule.id] = "beyond" if rule.is_bad(measure.value) else "ok"
        return found

    def content(self) -> dict[str, Any]:
        """As plain data."""
        verdicts = self.verdicts()
        alerts = {}
        for rule in ALERTS.values():
            measure = self.measures.get(rule.measure, Measure(nan, 0))
            value = None if np.isnan(measure.value) else measure.value
            alerts[rule.id] = {"value": value, "count": measure.count, "verdict": verdicts[rule.id]}
        return {
            "moment": self.moment.isoformat(),
            "predictions": self.counts.predictions if self.counts else None,
            "by_decision": self.counts.decisions if self.counts else None,
            "stored_decisions": self.decisions,
            "drifted": [feature.feature for feature in self.drift.drifted] if self.drift else None,
            "judged": {"rows": self.performance.rows, "frauds": self.performance.frauds},
            "alerts": alerts,
        }


def look(
    moment: pd.Timestamp,
    decisions: pd.DataFrame,
    vectors: np.ndarray,
    labels: pd.DataFrame,
    rng: np.random.Generator,
    *,
    counts: Counts | None = None,
    reference: DriftReference | None = None,
    usual: np.ndarray | None = None,
    maturity_days: float = MATURITY_DAYS,
) -> State:
    """Measure everything that the alerts watch.

    Parameters
    ----------
    moment : UTC; later decisions are left out
    decisions, vectors : as from `read_decisions`; rows of both correspond
    labels : LABEL_COLUMNS
    counts : of /metrics, if it was read
    reference, usual : for drift; without a reference it is not measured
    """
    past = (decisions["event_time"] <= moment).to_numpy(bool)
    known, X = decisions[past], vectors[past] if len(vectors) else vectors
    today = (known["event_time"] > moment - pd.Timedelta(days=DRIFT_DAYS)).to_numpy(bool)
    drift = reference.compare(X[today], usual=usual) if reference is not None and today.any() else None
    rows = judged(known, labels, moment, maturity_days=maturity_days, window_days=JUDGED_DAYS)
    performance = online_performance(rows, moment, rng)
    measures = {"certain_change": _shift(known, moment), **_judged_measures(performance)}
    if drift is not None:
        measures["drifted_features"] = Measure(float(len(drift.drifted)), drift.current_rows)
    if counts is not None:
        measures["latency_p99_s"] = Measure(counts.latency_s.quantile(0.99), counts.latency_s.count)
    return State(moment, counts, len(known), drift, performance, measures)


def _judged_measures(performance: OnlinePerformance) -> dict[str, Measure]:
    auc = performance.auc
    return {
        "online_auc": Measure(auc.estimate if auc else nan, performance.frauds),
        "auc_high": Measure(auc.high if auc else nan, performance.frauds),
    }


def _shift(decisions: pd.DataFrame, moment: pd.Timestamp) -> Measure:
    """The last week's flagged share against the four weeks before."""
    age = (moment - decisions["event_time"]) / pd.Timedelta(days=1)
    flagged = decisions["flagged"].to_numpy(bool)
    now = (age < SHIFT_DAYS).to_numpy(bool)
    before = ~now & (age < SHIFT_DAYS + BEFORE_DAYS).to_numpy(bool)
    if not now.any() or not before.any():
        return Measure(nan, 0)
    shift = share_shift(
        *(int(part) for part in ((flagged & now).sum(), now.sum(), (flagged & before).sum(), before.sum()))
    )
    return Measure(shift.certain, int(shift.expected))
