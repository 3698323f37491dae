"""The rule file: Prometheus accepts it, its series exist, and it fires when it should."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml

from fraudkit.monitor.alerts import ALERTS, RECORDED, Measure
from fraudkit.monitor.grafana import COUNTS
from fraudkit.monitor.prometheus import GAUGES, RUN_GAUGE, gauges_text, rules_yaml
from fraudkit.serve.metrics import ServiceMetrics


@pytest.fixture(scope="session")
def promtool() -> str:
    """Debian's promtool; with FRAUDKIT_REQUIRE_ALL=1 its absence is a failure."""
    path = shutil.which("promtool")
    if path is None:
        reason = "promtool is not installed (Debian: apt-get install prometheus)"
        if os.environ.get("FRAUDKIT_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def write_rules(folder: Path) -> Path:
    path = folder / "alerts.yml"
    path.write_text(rules_yaml(), encoding="utf-8")
    return path


def test_prometheus_accepts_the_rules(promtool: str, tmp_path: Path):
    assert "SUCCESS" in run([promtool, "check", "rules", "--lint-fatal", str(write_rules(tmp_path))], tmp_path)


# What the service or the daily run exports -> name of the alert that it must raise, and no other.
SITUATIONS: dict[str, tuple[dict[str, str], str | None]] = {
    "all is well": ({"fast": "0+1000x60", "all": "0+1000x60"}, None),
    "slow answers": ({"fast": "0+100x60", "all": "0+1000x60"}, "HighLatency"),
    "slow answers of a handful of payments": ({"fast": "0+1x60", "all": "0+10x60"}, None),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_latency_alone_raises_its_alert_when_it_rests_on_enough(situation: str, promtool: str, tmp_path: Path):
    values, expected = SITUATIONS[situation]
    bucket = "prediction_latency_seconds_bucket"
    # The daily gauges are there and good, so that only latency speaks.
    series = {
        f'{bucket}{{le="0.05"}}': values["fast"], f'{bucket}{{le="0.25"}}': values["all"],
        f'{bucket}{{le="+Inf"}}': values["all"], "prediction_latency_seconds_count": values["all"],
        RUN_GAUGE: "0+60x60", "fraud_monitor_drifted_features": "0x60", "fraud_monitor_current_rows": "500x60",
    }  # fmt: skip
    firing = alerts_after(promtool, tmp_path, "30m", series)
    assert firing == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("gauges", "expected"),
    [
        ({"fraud_monitor_drifted_features": 2, "fraud_monitor_current_rows": 500}, ["FeatureDrift"]),
        ({"fraud_monitor_drifted_features": 2, "fraud_monitor_current_rows": 50}, []),
        ({"fraud_monitor_online_auc_high": 0.8, "fraud_monitor_online_frauds": 40}, ["PerformanceDrop"]),
        ({"fraud_monitor_online_auc_high": 0.8, "fraud_monitor_online_frauds": 4}, []),
    ],
)
def test_the_daily_gauges_raise_their_alerts_after_two_days(
    gauges: dict[str, float], expected: list[str], promtool: str, tmp_path: Path
):
    hours = 49
    series = {name: f"{value}x{hours}" for name, value in gauges.items()} | {RUN_GAUGE: f"0+3600x{hours}"}
    assert alerts_after(promtool, tmp_path, "48h", series, interval="1h") == expected


def test_a_monitor_that_stopped_is_told(promtool: str, tmp_path: Path):
    assert alerts_after(promtool, tmp_path, "60h", {RUN_GAUGE: "0x60"}, interval="1h") == ["MonitorSilent"]


@pytest.mark.parametrize(
    ("oldest", "expected"), [("86000x2880", []), ("90000x2880", ["ReviewQueueWaiting"]), ("NaNx2880", [])]
)
def test_a_case_that_nobody_decides_is_told(promtool: str, tmp_path: Path, oldest: str, expected: list[str]):
    series = {"review_queue_oldest_seconds": oldest, RUN_GAUGE: "0+60x2880"}
    assert alerts_after(promtool, tmp_path, "2h", series) == expected


def alerts_after(promtool: str, folder: Path, moment: str, series: dict[str, str], interval: str = "1m") -> list[str]:
    """Names of the alerts that fire at `moment`, found by letting promtool expect each of them alone."""
    write_rules(folder)
    names = [rule["alert"] for rule in alert_rules()]
    inputs = [{"series": name, "values": values} for name, values in series.items()]
    # ALERTS is Prometheus' own series of what is pending and firing.
    tests = {
        name: {
            "expr": f'count(ALERTS{{alertname="{name}", alertstate="firing"}}) or vector(0)',
            "eval_time": moment,
            "exp_samples": [{"labels": "{}", "value": 1}],
        }
        for name in names
    }
    found = []
    for name, test in tests.items():
        case = {
            "rule_files": ["alerts.yml"],
            "evaluation_interval": interval,
            "tests": [{"interval": interval, "input_series": inputs, "promql_expr_test": [test]}],
        }
        path = folder / f"{name}.yml"
        path.write_text(yaml.safe_dump(case), encoding="utf-8")
        done = subprocess.run(
            [promtool, "test", "rules", str(path)], cwd=folder, capture_output=True, timeout=60, check=False
        )
        found += [name] if done.returncode == 0 else []
    return found


def alert_rules() -> list[dict]:
    (alerts,) = [group["rules"] for group in yaml.safe_load(rules_yaml())["groups"] if group["name"] == "fraud-alerts"]
    return alerts


def test_every_alert_has_a_rule_with_its_action():
    rules = {rule["annotations"].get("specified"): rule for rule in alert_rules()}
    for alert in ALERTS.values():
        assert rules[alert.specified]["annotations"]["action"] == alert.action
        assert rules[alert.specified]["labels"]["severity"] == alert.severity


def test_every_series_that_the_rules_read_is_exported_by_someone():
    metrics = ServiceMetrics(("amount_usd",))
    metrics.batch(["REVIEW"], np.array([0.6]), np.array([0.01]), np.ones((1, 1), dtype=np.float32))
    metrics.degraded(["trees"])
    metrics.feedback("chargeback", True)
    measures = {measure: Measure(1.0, 1) for measure, _, _ in GAUGES.values()}
    exported = set(re.findall(r"^([a-z_]+)[ {]", metrics.text().decode() + gauges_text(measures, 0), re.MULTILINE))
    text = " ".join(
        [rule["expr"] for rule in alert_rules()] + [*RECORDED.values()] + [query for _, _, query, _ in COUNTS]
    )
    read = set(re.findall(r"\b(?:fraud|prediction)_[a-z_]+", text))
    assert read
    assert read <= exported


def test_a_measure_that_is_not_there_makes_no_gauge():
    text = gauges_text({"online_auc": Measure(float("nan"), 0)}, 1_700_000_000)
    assert text.endswith(f"{RUN_GAUGE} 1700000000\n")
    assert "online_auc" not in text
