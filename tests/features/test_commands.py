from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from fraudkit.features import commands, parity
from fraudkit.features.catalog import schema_hash


@pytest.fixture
def world(monkeypatch, tables):
    monkeypatch.setattr(commands, "_tables", lambda _: tables)


def run(*arguments):
    return CliRunner().invoke(commands.app, list(arguments))


def test_list_prints_every_feature_as_json():
    printed = json.loads(run("list", "--json").stdout)
    assert len(printed["features"]) == 143 and printed["schema_hash"] == schema_hash()


def test_list_for_people_can_be_narrowed():
    out = run("list", "--family", "external").stdout
    assert "ip_reputation_score" in out and "2 features" in out
    assert "'nonsense' is unknown" in str(run("list", "--family", "nonsense").exception)


def test_parity_exits_0_and_reports_nothing(world):
    result = run("parity", "--events", "300", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["mismatches"] == 0


def test_parity_exits_1_and_names_both_values(world, monkeypatch):
    honest = parity.replay

    def crooked(*arguments):
        X = honest(*arguments)
        X[7, 3] += 1
        return X

    monkeypatch.setattr(parity, "replay", crooked)
    result = run("parity", "--events", "50")
    assert result.exit_code == 1
    assert "1 mismatches" in result.stdout and "amount_is_round: online 0.0, offline 1.0" in result.stdout


def test_store_prints_bytes_a_user(world):
    sizes = json.loads(run("store", "--json").stdout)
    assert 0 < sizes["mean_bytes"] <= sizes["max_bytes"] < 2700
    assert sizes["record_bytes"]["user"] == 2048
