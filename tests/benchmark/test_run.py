"""The whole run: a leak shows, chance is chance, tuning sees validation folds only, the report keeps its form."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fraudkit.benchmark.features import load_features, plan_features
from fraudkit.benchmark.overview import describe
from fraudkit.benchmark.report import build_report, html_page, markdown
from fraudkit.benchmark.run import model_summary, run_reported, tune
from fraudkit.benchmark.settings import Settings, read_settings
from fraudkit.benchmark.table import read_table

from .conftest import SCHEMA, build_raw


def prepare(folder: Path, raw: pd.DataFrame, schema: str = SCHEMA):  # type: ignore[no-untyped-def]
    path, toml = folder / "table.parquet", folder / "schema.toml"
    raw.to_parquet(path)
    toml.write_text(schema)
    settings = read_settings(toml)
    table = read_table(path, settings.columns)
    return settings, table, load_features(table, settings, folder / "cache")


def xgboost_auc(folder: Path, raw: pd.DataFrame, schema: str = SCHEMA) -> float:
    settings, table, features = prepare(folder, raw, schema)
    return model_summary(run_reported(table, features, settings))["xgboost"]["roc_auc"]["mean"]


def test_compromised_terminals_are_found_a_leak_shows_and_a_permuted_label_is_chance(
    tmp_path: Path, raw: pd.DataFrame
) -> None:
    honest, leaky, permuted = (tmp_path / name for name in ("honest", "leaky", "permuted"))
    for folder in (honest, leaky, permuted):
        folder.mkdir()
    assert 0.65 < xgboost_auc(honest, raw) < 0.98  # frauds before the first label cannot be told
    leak = SCHEMA.replace('label = "FRAUD"', 'label = "FRAUD"\nextra = ["LEAK"]')
    assert xgboost_auc(leaky, raw.assign(LEAK=raw["FRAUD"]), leak) > 0.999
    shuffled = np.random.default_rng(5).permutation(raw["FRAUD"].to_numpy())
    assert abs(xgboost_auc(permuted, raw.assign(FRAUD=shuffled)) - 0.5) < 0.08


def test_tuning_reads_nothing_of_the_test_weeks(tmp_path: Path, raw: pd.DataFrame) -> None:
    settings, table, features = prepare(tmp_path, raw)
    _, tried = tune(table, features, settings)
    late = table.transactions["event_time"] >= pd.Timestamp("2018-05-20", tz="UTC")
    other = features.X.copy()
    other[late.to_numpy()] = 0.0
    table.is_fraud[late.to_numpy()] = 0
    _, again = tune(table, type(features)(features.names, other, features.rule_score, False), settings)
    assert [candidate.values for candidate in tried] == [{"depth": 2}, {"depth": 3}]
    assert tried == again


def test_a_second_run_reads_the_cache_and_a_changed_table_or_delay_does_not(tmp_path: Path, raw: pd.DataFrame) -> None:
    settings, table, first = prepare(tmp_path, raw)
    again = load_features(table, settings, tmp_path / "cache")
    assert (first.cached, again.cached) == (False, True)
    np.testing.assert_array_equal(first.X, again.X)
    assert not prepare(tmp_path, build_raw(seed=4))[2].cached
    sooner = SCHEMA.replace("card_budget = 5", "card_budget = 5\nlabel_delay_days = 3")
    assert not prepare(tmp_path, raw, sooner)[2].cached


def test_other_code_makes_the_columns_again(tmp_path: Path, raw: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, table, _ = prepare(tmp_path, raw)
    assert load_features(table, settings, tmp_path / "cache").cached
    monkeypatch.setattr("fraudkit.benchmark.features.code_digest", lambda: "of other sources")
    assert not load_features(table, settings, tmp_path / "cache").cached


def test_a_damaged_cache_is_made_again(tmp_path: Path, raw: pd.DataFrame) -> None:
    settings, table, first = prepare(tmp_path, raw)
    stored = next((tmp_path / "cache").glob("*/X.npy"))
    stored.write_bytes(stored.read_bytes()[:-1000])
    again = load_features(table, settings, tmp_path / "cache")
    assert not again.cached
    np.testing.assert_array_equal(first.X, again.X)


@pytest.fixture(scope="module")
def full_run(tmp_path_factory: pytest.TempPathFactory, raw: pd.DataFrame) -> dict:
    schema = SCHEMA.replace("[models]\n", "[models]\nforest_trees = 10\nepochs = 2\n").replace(
        'run = ["logistic", "xgboost"]',
        'run = ["rules", "logistic", "random_forest", "xgboost", "network", "ensemble"]',
    )
    settings, table, features = prepare(tmp_path_factory.mktemp("full"), raw, schema)
    results = run_reported(table, features, settings)
    return build_report(settings, describe(table, plan_features(table, settings), 7), table, results, [], 1.0)


def test_every_model_is_measured_and_the_report_keeps_its_form(full_run: dict) -> None:
    report = json.loads(json.dumps(full_run, allow_nan=False))
    assert set(report) == {
        "format", "title", "settings", "data", "folds", "summary", "tuning", "top_features", "machine", "seconds",
    }  # fmt: skip
    assert report["format"] == 1
    assert list(report["summary"]) == ["rules", "logistic", "random_forest", "xgboost", "network", "ensemble"]
    metrics = ["roc_auc", "average_precision", "card_precision", "precision_at_k", "cost", "cost_without"]
    assert all(list(figures) == metrics for figures in report["summary"].values())
    assert set(report["folds"][0]) == {
        "train_start", "train_rows", "train_frauds", "valid_rows", "test_rows", "test_frauds", "removed_rows", "models",
    }  # fmt: skip
    assert {"rows", "frauds", "users", "merchants", "first", "last", "months", "features", "rules"} <= set(
        report["data"]
    )


def test_the_page_and_the_markdown_name_every_model_and_escape_the_title(full_run: dict) -> None:
    hostile = {**full_run, "title": "<script>"}
    page, text = html_page(hostile), markdown(hostile)
    assert "<script>" not in page
    assert "| random forest |" in text and "<td>random forest</td>" in page


def test_a_setting_is_what_the_file_says(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SCHEMA)
    settings = read_settings(tmp_path / "s.toml")
    assert isinstance(settings, Settings)
    assert settings.models.trees == 20 and settings.changed({"history_days": 3}).protocol.history_days == 3
