"""`fraudkit shadow` asks a real service how its candidate compares."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from fraudkit.core.errors import NotReady
from fraudkit.models.bundle import Bundle
from fraudkit.monitor.shadow import compare
from fraudkit.registry.registry import Registry
from fraudkit.rules.catalog import RULES
from fraudkit.rules.policy import DEFAULT_POLICY
from tests.serve.process import Running, body, served
from tests.serve.test_switch import passed, train

pytestmark = pytest.mark.timeout(120)
N = 120
DECISIVE = {rule.id for rule in RULES if rule.decisive}


def asked(running: Running, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "fraudkit", "shadow", "--url", str(running.client.base_url), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def running_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with one version in production and another one as candidate."""
    home = tmp_path_factory.mktemp("home")
    registry = Registry(home / "registry")
    for seed in (0, 1):
        registry.register(train(seed).save(home / f"b{seed}"), {}, {})
    registry.promote("v0001", passed(registry, "v0001"))
    return home


def test_the_report_says_what_the_candidate_would_change(running_home: Path):
    amounts = np.round(np.random.default_rng(3).lognormal(4.0, 1.5, N), 2) + 1.0
    with served(running_home) as running:
        early = asked(running)
        time.sleep(2.0)  # the shadow looks at the registry twice a second
        for start in range(0, N, 10):
            items = [body(n, user_id=f"u{n}", amount=float(amounts[n])) for n in range(start, start + 10)]
            running.client.post("/score_transactions", json={"transactions": items}).raise_for_status()
        report: dict = {"payments": 0}
        deadline = time.monotonic() + 30
        while report["payments"] < N and time.monotonic() < deadline:
            report = json.loads(asked(running, "--json").stdout)
        words = asked(running)
    assert early.returncode == 1
    assert "no candidate was compared" in early.stderr
    assert (report["version"], report["payments"], report["dropped"]) == ("v0002", N, 0)
    expected = changes_by_hand(running_home)
    assert {(c["serving"], c["candidate"]): c["payments"] for c in report["changes"]} == {
        pair: len(amounts) for pair, amounts in expected.items()
    }
    assert report["agreement"] == pytest.approx(1 - sum(map(len, expected.values())) / N)
    for change in report["changes"]:
        assert change["amount_usd"] == pytest.approx(sum(expected[change["serving"], change["candidate"]]), abs=0.01)
    assert set(report["us_per_payment"]) == set(report["mean_score"]) == {"serving", "candidate"}
    assert words.returncode == 0
    assert f"candidate v0002: {N} payments compared" in words.stdout


def changes_by_hand(home: Path) -> dict[tuple[str, str], list[float]]:
    """Amounts of the payments on which the candidate acts otherwise, from stored vectors and rules."""
    candidate = Bundle.load(Registry(home / "registry").path("v0002"))
    connection = sqlite3.connect(home / "run" / "decisions.db")
    rows = connection.execute("SELECT action, vector, transaction_json, reply FROM decisions").fetchall()
    connection.close()
    scores = candidate.score(np.stack([np.frombuffer(vector, "<f4") for _, vector, _, _ in rows])).ensemble
    found: dict[tuple[str, str], list[float]] = {}
    for (action, _, transaction, reply), score in zip(rows, scores.tolist(), strict=True):
        told = json.loads(reply)
        decisive = any(rule["rule_id"] in DECISIVE for rule in told["rules"])
        amount = json.loads(transaction)["amount"]
        other = DEFAULT_POLICY.decide(score, decisive, amount, is_new=told["new_customer"]).value
        if other != action:
            found.setdefault((action, other), []).append(amount)
    return found


def test_a_service_without_a_candidate_is_told_apart():
    with pytest.raises(NotReady, match="register one"):
        compare([("shadow_dropped_total", {}, 0.0)])
