"""Prometheus' rules and the gauges of the daily monitoring run, made from the alerts' definitions.

Latency and decisions are counted by the service. Drift and performance need vectors and labels, so a
daily `fraudkit monitor --textfile` writes them for the node exporter's textfile collector. A run that
stopped would look like peace, so its age has an alert of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan
from typing import Any

import yaml  # type: ignore[import-untyped]

from fraudkit.monitor.alerts import ALERTS, RECORDED, AlertRule, Measure

HEADER = "# made by `python -m fraudkit.monitor.publish` from fraudkit/monitor/alerts.py; do not edit\n"

# Gauge -> (measure, whether its count and not its value, help).
GAUGES: dict[str, tuple[str, bool, str]] = {
    "fraud_monitor_drifted_features": ("drifted_features", False, "Features that count as drifted"),
    "fraud_monitor_current_rows": ("drifted_features", True, "Payments that drift was measured on"),
    "fraud_monitor_online_auc": ("online_auc", False, "AUC on matured labels"),
    "fraud_monitor_online_auc_high": ("auc_high", False, "Upper end of its 95 % interval"),
    "fraud_monitor_online_frauds": ("auc_high", True, "Matured frauds that the AUC rests on"),
}
RUN_GAUGE = "fraud_monitor_run_timestamp_seconds"
SILENT_AFTER_S = 2 * 86_400
REVIEW_WITHIN_S = 86_400  # a case that waits for longer is found by its card holder before it is by an analyst


def gauges_text(measures: Mapping[str, Measure], now_s: float) -> str:
    """The gauges in Prometheus' text format; a measure that is absent or NaN has none.

    Examples
    --------
    >>> print(gauges_text({"online_auc": Measure(0.9, 40)}, 0).splitlines()[2])
    fraud_monitor_online_auc 0.9
    """
    lines = []
    for name, (measure, is_count, words) in GAUGES.items():
        found = measures.get(measure)
        if found is not None and not isnan(found.value):
            value = found.count if is_count else found.value
            lines += [f"# HELP {name} {words}", f"# TYPE {name} gauge", f"{name} {value:g}"]
    lines += [f"# HELP {RUN_GAUGE} When monitoring last ran", f"# TYPE {RUN_GAUGE} gauge", f"{RUN_GAUGE} {now_s:.0f}"]
    return "\n".join(lines) + "\n"


def condition(rule: AlertRule) -> str:
    """The PromQL that is true where the value is bad and rests on enough evidence."""
    sign = ">" if rule.above else "<"
    return f"({rule.query}) {sign} {rule.threshold:g} and ({rule.evidence}) >= {rule.min_count}"


def rules_yaml(rules: Sequence[AlertRule] = tuple(ALERTS.values())) -> str:
    """The rule file: recorded series, then one alert a rule, then those on silence, store and review."""
    recorded = [{"record": name, "expr": query} for name, query in RECORDED.items()]
    alerts = [*(_alert(rule) for rule in rules), *_own_alerts()]
    groups = [
        {"name": "fraud-recorded", "interval": "1m", "rules": recorded},
        {"name": "fraud-alerts", "rules": alerts},
    ]
    return HEADER + yaml.safe_dump({"groups": groups}, sort_keys=False, width=1_000)


def _alert(rule: AlertRule) -> dict[str, Any]:
    """One rule. What is looked at daily holds its value all day, so the looks in a row become hours of `for`."""
    waits = {
        "for": (rule.raise_after - 1) * rule.every_minutes,
        "keep_firing_for": rule.clear_after * rule.every_minutes,
    }
    return {
        "alert": "".join(word.capitalize() for word in rule.id.split("-")),
        "expr": condition(rule),
        **{name: f"{minutes}m" for name, minutes in waits.items()},
        "labels": {"severity": rule.severity.value},
        "annotations": {
            "summary": f"{rule.title}: {{{{ $value | humanize }}}} {rule.unit}",
            "action": rule.action,
            "specified": rule.specified,
            "evidence": f"at least {rule.min_count} {rule.counted}",
        },
    }


def _own_alerts() -> list[dict[str, Any]]:
    """What the specification does not ask for: a monitor that stopped, an empty store, a queue that waits."""
    return [
        _own(
            "MonitorSilent",
            f"time() - {RUN_GAUGE} > {SILENT_AFTER_S} or absent({RUN_GAUGE})",
            "60m",
            "ticket",
            "drift and performance have not been measured for two days",
            "run `fraudkit monitor --textfile` by hand, then see why its schedule did not",
        ),
        _own(
            "FeatureStoreEmpty",
            "min(feature_store_filled) == 0",
            "5m",
            "page",
            "the feature store has no profiles and no tiles, and is not being filled",
            "see in the log whether the secondary store answers; if it is empty too, run `fraudkit setup`"
            " or fraudkit.features.publish.fill_store",
        ),
        _own(
            "ReviewQueueWaiting",
            f"max(review_queue_oldest_seconds) > {REVIEW_WITHIN_S}",
            "30m",
            "ticket",
            "a payment has waited for an analyst for more than a day",
            "see /review: claim the oldest cases, or raise the policy's threshold of review for a while",
        ),
    ]


def _own(name: str, expr: str, wait: str, severity: str, summary: str, action: str) -> dict[str, Any]:
    return {
        "alert": name,
        "expr": expr,
        "for": wait,
        "labels": {"severity": severity},
        "annotations": {"summary": summary, "action": action},
    }
