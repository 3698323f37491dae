"""One look: every alert gets its measure, or says that there is too little."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner

from fraudkit.cli import app, load_command
from fraudkit.core.label import LABEL_COLUMNS
from fraudkit.monitor import commands
from fraudkit.monitor.drift import DriftReference
from fraudkit.monitor.picture import draw, save
from fraudkit.monitor.snapshot import parse
from fraudkit.monitor.state import State, look
from fraudkit.serve.metrics import ServiceMetrics

NOW = pd.Timestamp("2025-10-09T12:00Z")
NO_LABELS = pd.DataFrame({name: [] for name in LABEL_COLUMNS}).assign(
    known_at=pd.to_datetime([], utc=True), is_fraud=np.array([], dtype=bool)
)


def decisions_of(days_ago: np.ndarray, flagged: np.ndarray) -> pd.DataFrame:
    ids = [f"t{number}" for number in range(len(days_ago))]
    times = NOW - pd.to_timedelta(days_ago, unit="D")
    return pd.DataFrame(
        {"transaction_id": ids, "event_time": times, "fraud_score": np.where(flagged, 0.8, 0.1), "flagged": flagged}
    )


def state_of(*, burst: bool = False, moved: float = 0.0) -> State:
    rng = np.random.default_rng(0)
    days_ago = np.sort(rng.uniform(0, 35, 17_500))[::-1]
    flagged = rng.random(17_500) < np.where((days_ago < 7) & burst, 0.09, 0.03)
    X = rng.normal(size=(17_500, 2)).astype(np.float32)
    X[days_ago < 1, 1] += moved
    metrics = ServiceMetrics(("a", "b"))
    metrics.batch(["APPROVE"] * 600, np.full(600, 0.1), np.full(600, 0.004), X[:600])
    reference = DriftReference.of(X[days_ago > 1], ("a", "b"), rng)
    counts = parse(metrics.text().decode())
    return look(NOW, decisions_of(days_ago, flagged), X, NO_LABELS, rng, counts=counts, reference=reference)


def test_a_quiet_service_is_quiet_and_unlabelled_payments_are_too_little():
    assert state_of().verdicts() == {
        "high-latency": "ok",
        "prediction-shift": "ok",
        "feature-drift": "ok",
        "performance-drop": "too little",
    }


def test_a_burst_of_flags_and_a_moved_feature_are_seen():
    assert state_of(burst=True).verdicts()["prediction-shift"] == "beyond"
    moved = state_of(moved=2.0)
    assert moved.verdicts()["feature-drift"] == "beyond"
    assert moved.content()["drifted"] == ["b"]


def test_nothing_decided_yet_is_too_little_everywhere():
    empty = look(
        NOW, decisions_of(np.array([]), np.array([], bool)), np.empty((0, 0)), NO_LABELS, np.random.default_rng(0)
    )
    assert set(empty.verdicts().values()) == {"too little"}
    assert json.loads(json.dumps(empty.content(), allow_nan=False))["stored_decisions"] == 0
    assert len(draw(empty).axes) == 4


def test_a_later_decision_is_not_looked_at():
    decisions = decisions_of(np.array([1.0, -1.0]), np.array([True, True]))
    assert look(NOW, decisions, np.zeros((2, 2)), NO_LABELS, np.random.default_rng(0)).decisions == 1


def test_the_picture_is_written(tmp_path: Path):
    save(state_of(), tmp_path / "state.png")
    assert (tmp_path / "state.png").read_bytes().startswith(b"\x89PNG")


def test_the_command_prints_the_state_as_json_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(commands, "look_now", lambda *_: state_of(moved=2.0))
    done = CliRunner().invoke(app, ["monitor", "--json"])
    assert json.loads(done.stdout)["stored_decisions"] > 0 and done.stderr == ""


def test_the_command_prints_the_state_and_writes_gauges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    said = Console(record=True, width=200, file=io.StringIO())
    monkeypatch.setattr(commands, "output", said)
    monkeypatch.setattr(commands, "look_now", lambda *_: state_of(moved=2.0))
    arguments = ["--textfile", str(tmp_path / "fraud.prom"), "--picture", str(tmp_path / "state.svg")]
    load_command("monitor").main(arguments, standalone_mode=False)
    text = said.export_text()
    assert "Feature drift" in text
    assert "beyond" in text
    assert "fraud_monitor_drifted_features 1\n" in (tmp_path / "fraud.prom").read_text()
    assert "svg" in (tmp_path / "state.svg").read_text()
