"""What stands under deploy/ is what the alerts make."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fraudkit.monitor import publish
from fraudkit.monitor.alerts import ALERTS
from fraudkit.monitor.grafana import dashboard_json


def test_the_committed_files_are_not_stale():
    """Run `python -m fraudkit.monitor.publish` when this fails."""
    assert publish.stale() == []


def test_a_changed_or_missing_file_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    publish.publish(tmp_path)
    assert publish.stale(tmp_path) == []
    (tmp_path / "deploy/prometheus/alerts.yml").write_text("groups: []\n", encoding="utf-8")
    (tmp_path / "deploy/grafana/fraud.json").unlink()
    assert publish.stale(tmp_path) == list(publish.FILES)
    monkeypatch.setattr(publish, "stale", lambda: ["a"])
    with pytest.raises(SystemExit):
        publish.main(["--check"])


def test_the_dashboard_draws_every_alert_with_its_threshold():
    panels = json.loads(dashboard_json())["panels"]
    for rule in ALERTS.values():
        (panel,) = [panel for panel in panels if panel["targets"][0]["expr"] == rule.query]
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1]["value"] == rule.threshold
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)
