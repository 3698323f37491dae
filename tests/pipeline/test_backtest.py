"""How production did on what matured: one line a day, only on payments that it has not learned from."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from fraudkit.core.config import settings
from fraudkit.models.bundle import Bundle
from fraudkit.pipeline import daily
from fraudkit.pipeline.backtest import backtest
from fraudkit.pipeline.examples import read_examples
from fraudkit.pipeline.run import run_folder
from fraudkit.registry.gate import report_from_content


@pytest.fixture
def production(home, registry):
    registry.promote("v0001", report_from_content(registry.report("v0001")))
    return Bundle.load(registry.path("production"))


@pytest.fixture
def test_part(production, bank):
    extracted = daily.extract()
    end = pd.Timestamp(extracted["windows"]["test_end"])
    return read_examples(run_folder(extracted["run"]), "test", bank), end, extracted


def test_the_figures_are_those_of_the_month_and_of_its_last_day(test_part, production, rng):
    examples, end, _ = test_part
    entry = backtest(examples, end, rng)
    assert (entry["day"], entry["version"]) == ("2025-07-09", "v0001")
    month, day = entry["month_figures"], entry["day_figures"]
    expected = roc_auc_score(examples.y, production.score(np.ascontiguousarray(examples.X)).ensemble)
    assert month["auc"][0] == pytest.approx(expected, abs=1e-6)
    assert month["auc"][1] < expected < month["auc"][2]
    assert (month["rows"], month["frauds"]) == (len(examples.y), examples.y.sum())
    known_at = examples.payments["known_at"]
    assert day["rows"] == ((known_at >= end - pd.Timedelta(days=1)) & (known_at < end)).sum()
    json.dumps(entry, allow_nan=False)


def test_payments_that_the_model_learned_from_are_left_out(test_part, registry, rng, monkeypatch):
    examples, end, _ = test_part
    learned = registry.version("v0001")
    learned.training["valid_end"] = (end - pd.Timedelta(days=3)).isoformat()
    monkeypatch.setattr("fraudkit.registry.registry.Registry.version", lambda *_: learned)
    entry = backtest(examples, end, rng)
    assert entry["month_figures"]["rows"] == (examples.payments["known_at"] >= end - pd.Timedelta(days=3)).sum()
    learned.training["valid_end"] = end.isoformat()
    assert backtest(examples, end, rng)["month_figures"]["auc"] is None


def test_a_day_is_kept_once_and_shown(test_part, registry, run):
    *_, extracted = test_part
    featured = daily.features(extracted)
    first = daily.backtest(featured)
    (run_folder(extracted["run"]) / "backtest.json").unlink()  # a run that was killed before it noted the step
    assert daily.backtest(featured) == first
    assert registry.backtests() == [first["backtest"]]
    assert json.loads(run("models", "backtests", "--json").stdout) == registry.backtests()
    assert "2025-07-09" in run("models", "backtests").stdout


def test_without_production_there_is_nothing_to_measure(home, registry):
    assert daily.backtest(daily.features(daily.extract()))["backtest"] is None
    assert registry.backtests() == []
    assert settings().home == home
