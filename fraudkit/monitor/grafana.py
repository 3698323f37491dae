"""The Grafana dashboard, made from the alerts' definitions: each alert's value with its threshold, and the counts."""

from __future__ import annotations

import json
from typing import Any

from fraudkit.monitor.alerts import ALERTS, AlertRule

_WIDTH, _HEIGHT, _COLUMNS = 12, 8, 2
_RATE = "sum by ({label}) (rate({name}[5m]))"

# Title, unit, query, legend.
COUNTS: tuple[tuple[str, str, str, str], ...] = (
    ("Payments by decision", "reqps", _RATE.format(label="decision", name="fraud_predictions_total"), "{{decision}}"),
    ("Decisions without a part", "reqps", _RATE.format(label="part", name="fraud_degraded_total"), "{{part}}"),
    ("Refused requests", "reqps", _RATE.format(label="status", name="requests_refused_total"), "{{status}}"),
    ("Feedback", "reqps", _RATE.format(label="source", name="fraud_feedback_total"), "{{source}}"),
    ("Declines let pass by a draw", "reqps", "sum(rate(fraud_explored_total[5m]))", "let pass"),
    # Every service reports the one queue of its database, so the largest report counts and not the sum.
    ("Cases waiting for an analyst", "short", "max by (state) (review_queue_cases)", "{{state}}"),
    ("Age of the oldest open case", "s", "max(review_queue_oldest_seconds)", "oldest"),
    (
        "Time by stage, p99 of a batch",
        "s",
        "histogram_quantile(0.99, sum by (le, stage) (rate(scoring_stage_seconds_bucket[5m])))",
        "{{stage}}",
    ),
    ("Fraud score, share of payments a bucket", "short", "sum by (le) (rate(fraud_score_bucket[1h]))", "{{le}}"),
)


def dashboard_json() -> str:
    """The dashboard's JSON model, to be imported or provisioned."""
    panels = [_alert_panel(rule) for rule in ALERTS.values()] + [_panel(*count) for count in COUNTS]
    for number, panel in enumerate(panels):
        panel["id"] = number + 1
        panel["gridPos"] = {
            "x": number % _COLUMNS * _WIDTH, "y": number // _COLUMNS * _HEIGHT, "w": _WIDTH, "h": _HEIGHT
        }  # fmt: skip
    dashboard = {
        "uid": "fraudkit",
        "title": "Fraud scoring",
        "tags": ["fraudkit"],
        "schemaVersion": 39,
        "timezone": "utc",
        "refresh": "30s",
        "time": {"from": "now-24h", "to": "now"},
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]},
        "panels": panels,
    }
    return json.dumps(dashboard, indent=2, ensure_ascii=False) + "\n"


def _alert_panel(rule: AlertRule) -> dict[str, Any]:
    """The watched value with its threshold as a line; the description says what to do."""
    panel = _panel(
        f"{rule.title} ({'above' if rule.above else 'below'} {rule.threshold:g})", "short", rule.query, rule.unit
    )
    panel["description"] = f"{rule.action}. Rests on at least {rule.min_count} {rule.counted}."
    bad, good = "red", "green"
    first, second = (good, bad) if rule.above else (bad, good)
    panel["fieldConfig"]["defaults"] |= {
        "custom": {"thresholdsStyle": {"mode": "line"}},
        "thresholds": {
            "mode": "absolute",
            "steps": [{"color": first, "value": None}, {"color": second, "value": rule.threshold}],
        },
    }
    return panel


def _panel(title: str, unit: str, query: str, legend: str) -> dict[str, Any]:
    return {
        "type": "timeseries",
        "title": title,
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "targets": [{"refId": "A", "expr": query, "legendFormat": legend}],
        "fieldConfig": {"defaults": {"unit": unit}, "overrides": []},
    }
