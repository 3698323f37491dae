"""The alerts, defined once as data, and what turns a series of observations into raised and cleared alerts.

An alert needs evidence (a least count), a bad value on several looks in a row, and a good value on
several looks in a row to clear: a value that hovers at the threshold raises one alert, not twenty. The
same definitions make the Prometheus rules and the dashboard (fraudkit.monitor.prometheus, .grafana). This
module does not know where a value comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import isnan
from typing import Any

from fraudkit.core.errors import InvalidInput


class Severity(StrEnum):
    """Who is told: a person at once, or a queue that is read by day."""

    PAGE = "page"
    TICKET = "ticket"


@dataclass(frozen=True, slots=True)
class AlertRule:
    """One alert.

    Attributes
    ----------
    id, title : for machines and for people
    measure : name of the watched value in an observation
    unit : of the value
    above : whether a value above the threshold is bad; False: below it
    threshold : a value exactly at it is good
    clear_at : a value has to come back to it, or further, to count towards clearing
    min_count, counted : least evidence for a verdict, and what is counted
    raise_after, clear_after : looks in a row, each 1 or more
    every_minutes : between two looks
    severity, action : who is told, and what they do
    specified : the specification's words
    query, evidence : PromQL of the value and of the count

    Raises
    ------
    InvalidInput
        A count is out of range, or clear_at lies on the bad side of the threshold.
    """

    id: str
    title: str
    measure: str
    unit: str
    above: bool
    threshold: float
    clear_at: float
    min_count: int
    counted: str
    raise_after: int
    clear_after: int
    every_minutes: int
    severity: Severity
    action: str
    specified: str
    query: str
    evidence: str

    def __post_init__(self) -> None:
        if min(self.raise_after, self.clear_after, self.every_minutes) < 1 or self.min_count < 0:
            raise InvalidInput(f"alert {self.id}: looks and minutes are 1 or more, min_count 0 or more")
        if self.is_bad(self.clear_at):
            raise InvalidInput(f"alert {self.id} would clear at {self.clear_at}, which is beyond {self.threshold}")

    def is_bad(self, value: float) -> bool:
        """Whether a value lies beyond the threshold."""
        return value > self.threshold if self.above else value < self.threshold

    def is_good(self, value: float) -> bool:
        """Whether a value counts towards clearing."""
        return value <= self.clear_at if self.above else value >= self.clear_at


@dataclass(frozen=True, slots=True)
class Measure:
    """A value and the evidence behind it; NaN where there is none."""

    value: float
    count: int


@dataclass(frozen=True, slots=True)
class Observation:
    """What one look saw: measures by name, at a moment on any rising scale (days, minutes, seconds)."""

    at: float
    measures: Mapping[str, Measure]


@dataclass(frozen=True, slots=True)
class Episode:
    """One alert from raising to clearing; `cleared_at` is None while it stands."""

    rule_id: str
    raised_at: float
    value: float
    cleared_at: float | None = None


@dataclass(slots=True)
class _State:
    bad: int = 0
    good: int = 0
    open: Episode | None = None


@dataclass(slots=True)
class Watch:
    """Looks at observations one after the other and keeps what is raised."""

    rules: Sequence[AlertRule]
    _states: dict[str, _State] = field(default_factory=dict)
    _closed: list[Episode] = field(default_factory=list)

    def look(self, observation: Observation) -> tuple[Episode, ...]:
        """Take in one observation; returns the alerts that it raised.

        A rule whose measure is absent, NaN, or rests on too little evidence stays as it was.
        """
        raised = []
        for rule in self.rules:
            measure = observation.measures.get(rule.measure)
            if measure is None or isnan(measure.value) or measure.count < rule.min_count:
                continue
            episode = self._step(rule, observation.at, measure.value)
            raised += [episode] if episode else []
        return tuple(raised)

    def _step(self, rule: AlertRule, at: float, value: float) -> Episode | None:
        state = self._states.setdefault(rule.id, _State())
        state.bad = state.bad + 1 if rule.is_bad(value) else 0
        state.good = state.good + 1 if rule.is_good(value) else 0
        if state.open is None and state.bad >= rule.raise_after:
            state.open = Episode(rule.id, at, value)
            return state.open
        if state.open is not None and state.good >= rule.clear_after:
            self._closed.append(Episode(rule.id, state.open.raised_at, state.open.value, at))
            state.open = None
        return None

    @property
    def firing(self) -> tuple[Episode, ...]:
        """What is raised now, in the order of the rules."""
        opened = (self._states.get(rule.id, _State()).open for rule in self.rules)
        return tuple(episode for episode in opened if episode)

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """Everything that was ever raised, by time."""
        return tuple(sorted((*self._closed, *self.firing), key=lambda episode: (episode.raised_at, episode.rule_id)))


def episodes(rules: Sequence[AlertRule], observations: Iterable[Observation]) -> tuple[Episode, ...]:
    """The alerts that a series of observations raises.

    Examples
    --------
    >>> rule = ALERTS["high-latency"]
    >>> slow, fast = Measure(0.2, 10_000), Measure(0.02, 10_000)
    >>> series = [Observation(minute, {rule.measure: slow if 3 <= minute < 20 else fast}) for minute in range(40)]
    >>> [(episode.raised_at, episode.cleared_at) for episode in episodes([rule], series)]
    [(7, 29)]
    """
    watch = Watch(rules)
    for observation in observations:
        watch.look(observation)
    return watch.episodes


def _rule(**values: Any) -> AlertRule:
    return AlertRule(**values)


_FLAGGED = 'fraud_predictions_total{decision=~"DECLINE|REVIEW"}'
SHARE_NOW = f"sum(increase({_FLAGGED}[7d])) / sum(increase(fraud_predictions_total[7d]))"
SHARE_BEFORE = f"sum(increase({_FLAGGED}[28d] offset 7d)) / sum(increase(fraud_predictions_total[28d] offset 7d))"
# The change that is certain, as fraudkit.monitor.shift computes it, without its half counts.
CERTAIN_CHANGE = (
    "exp(clamp_min(abs(ln(fraud:flagged_share:7d / fraud:flagged_share:28d))"
    " - 3 * sqrt((1 - fraud:flagged_share:7d) / fraud:flagged:7d"
    " + (1 - fraud:flagged_share:28d) / fraud:flagged:28d), 0)) - 1"
)
RECORDED = {
    "fraud:flagged:7d": f"sum(increase({_FLAGGED}[7d]))",
    "fraud:flagged:28d": f"sum(increase({_FLAGGED}[28d] offset 7d))",
    "fraud:flagged_share:7d": SHARE_NOW,
    "fraud:flagged_share:28d": SHARE_BEFORE,
    "fraud:latency_p99:5m": "histogram_quantile(0.99, sum by (le) (rate(prediction_latency_seconds_bucket[5m])))",
}

ALERTS: dict[str, AlertRule] = {
    rule.id: rule
    for rule in (
        _rule(
            id="high-latency", title="High latency", measure="latency_p99_s", unit="s",
            above=True, threshold=0.1, clear_at=0.08, min_count=500, counted="payments",
            raise_after=5, clear_after=10, every_minutes=1, severity=Severity.PAGE,
            action="scale up, then look at the stage that grew: features, trees, network or record",
            specified="p99 > 100ms", query="fraud:latency_p99:5m",
            evidence="sum(increase(prediction_latency_seconds_count[5m]))",
        ),
        _rule(
            id="prediction-shift", title="Prediction shift", measure="certain_change", unit="certain relative change",
            above=True, threshold=0.2, clear_at=0.1, min_count=20, counted="flagged payments expected in a week",
            raise_after=2, clear_after=3, every_minutes=1_440, severity=Severity.TICKET,
            action="look at data quality first, then at what was released, then for a campaign",
            specified="Fraud rate changed >20%", query=CERTAIN_CHANGE,
            evidence="fraud:flagged_share:28d * sum(increase(fraud_predictions_total[7d]))",
        ),
        _rule(
            id="feature-drift", title="Feature drift", measure="drifted_features", unit="features",
            above=True, threshold=0.0, clear_at=0.0, min_count=200, counted="payments of the day",
            raise_after=2, clear_after=2, every_minutes=1_440, severity=Severity.TICKET,
            action="find the source of the feature; retrain only if the world changed and not the pipe",
            specified="KS test p < 0.01", query="fraud_monitor_drifted_features",
            evidence="fraud_monitor_current_rows",
        ),
        _rule(
            id="performance-drop", title="Performance drop", measure="auc_high", unit="AUC",
            above=False, threshold=0.85, clear_at=0.86, min_count=30, counted="matured frauds",
            raise_after=2, clear_after=3, every_minutes=1_440, severity=Severity.PAGE,
            action="roll back if a release explains it; otherwise retrain and ask the gate",
            specified="Online AUC < 0.85", query="fraud_monitor_online_auc_high",
            evidence="fraud_monitor_online_frauds",
        ),
    )
}  # fmt: skip
