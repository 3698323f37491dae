"""The schema that people copy: it is read, with every commented line too, and runs on a table of its columns."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fraudkit.benchmark.features import load_features, plan_features
from fraudkit.benchmark.overview import describe
from fraudkit.benchmark.report import build_report
from fraudkit.benchmark.run import run_reported
from fraudkit.benchmark.settings import read_settings
from fraudkit.benchmark.table import read_table
from fraudkit.lake.adapters.columns import OPTIONAL, REQUIRED

EXAMPLE = Path(__file__).parents[2] / "benchmarks" / "schemas" / "example.toml"
SPAN_DAYS = 150  # from 2025-01-01: the example's periods end in the middle of May


def own_table(rng: np.random.Generator, n: int = 6000) -> pd.DataFrame:
    """Every column that the example names, the commented ones included. Two shops are bad."""
    second = np.sort(rng.integers(0, SPAN_DAYS * 86_400, n))
    when = pd.Timestamp("2025-01-01", tz="UTC") + pd.to_timedelta(second, unit="s")
    shop = rng.integers(0, 40, n)
    fraud = np.where(shop < 2, rng.random(n) < 0.6, rng.random(n) < 0.002)
    return pd.DataFrame(
        {
            "id": [f"t{k}" for k in range(n)], "card_id": rng.integers(0, 300, n), "shop_id": shop,
            "amount": rng.gamma(2.0, 20.0, n).round(2), "timestamp": when.astype(str), "is_fraud": fraud.astype(int),
            "received": (when + pd.Timedelta(seconds=5)).astype(str), "currency": "EUR", "mcc": "0742",
            "country": rng.choice(["DE", "NA"], n), "lat": rng.uniform(47, 55, n), "lon": rng.uniform(6, 15, n),
            "device_id": rng.integers(0, 400, n), "device": "mobile", "ip": "192.0.2.7", "ip_reputation": 0.1,
            "chip": rng.integers(0, 2, n), "risk_score": rng.random(n), "fraud_date": "",
        }
    ).assign(ecommerce=lambda table: 1 - table["chip"])  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "own.csv"
    own_table(np.random.default_rng(6)).to_csv(path, index=False)
    return path


def test_the_example_runs(data: Path, tmp_path: Path) -> None:
    settings = read_settings(EXAMPLE).changed({"epochs": 2})
    table = read_table(data, settings.columns)
    features = load_features(table, settings, tmp_path)
    results = run_reported(table, features, settings)
    overview = describe(table, plan_features(table, settings), settings.protocol.label_delay_days)
    report = build_report(settings, overview, table, results, [], 1.0)
    assert list(report["summary"]) == list(settings.models.run)
    assert report["summary"]["xgboost"]["roc_auc"]["mean"] > 0.7  # two bad shops are known by then
    assert json.loads(json.dumps(report, allow_nan=False))["data"]["set_aside"] == 0


def test_every_commented_line_is_true_too(data: Path, tmp_path: Path) -> None:
    toml = tmp_path / "all.toml"
    toml.write_text(re.sub(r"^# (?=\w+ = )", "", EXAMPLE.read_text(), flags=re.MULTILINE))
    settings = read_settings(toml)
    assert settings.columns is not None
    assert set(settings.columns.columns) == {*REQUIRED, *OPTIONAL} - {"label_time"}
    table = read_table(data, settings.columns)
    plan = plan_features(table, settings)
    assert table.transactions["merchant_category"].unique().tolist() == ["0742"]
    assert {"speed_from_last_kmh", "new_device", "new_country", "user_online_share_30d"} <= set(plan.catalog)
    assert plan.extra == ("risk_score",)
