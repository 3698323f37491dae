"""`fraudkit models` as a person and as a program use it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from fraudkit.core.config import settings
from fraudkit.core.errors import GateRefused
from fraudkit.registry.commands import app
from fraudkit.registry.gate import GatePolicy, decide
from fraudkit.registry.registry import Registry


@pytest.fixture
def home(monkeypatch, tmp_path) -> Registry:
    monkeypatch.setenv("FRAUDKIT_HOME", str(tmp_path))
    settings.cache_clear()
    yield Registry(settings().registry)
    settings.cache_clear()


def run(*arguments: str):
    return CliRunner().invoke(app, list(arguments), catch_exceptions=False)


def test_list_promote_show_rollback(home, bundles, evidence, rng):
    assert json.loads(run("list", "--json").stdout) == []
    policy = GatePolicy(resamples=100)
    for folder, strengths in zip(bundles, [(3.0, None), (3.0, 2.0)], strict=True):
        name = home.register(folder, {"roc_auc": 0.91}, {})
        digests = (home.version(name).digest, home.version("v0001").digest)
        home.record_gate(name, decide(evidence(*strengths, digests=digests), rng, policy))
        assert json.loads(run("promote", name, "--json").stdout)["name"] == name
    assert [v["aliases"] for v in json.loads(run("list", "--json").stdout)] == [[], ["candidate", "production"]]
    shown = json.loads(run("show", "production", "--json").stdout)
    assert (shown["name"], shown["gate"]["passed"], shown["metrics"]) == ("v0002", True, {"roc_auc": 0.91})
    assert json.loads(run("rollback", "--json").stdout)["name"] == "v0001"


def test_promote_without_a_gate_report_is_refused(home, bundles):
    home.register(bundles[0], {}, {})
    with pytest.raises(GateRefused, match="no gate report"):
        run("promote", "candidate")
