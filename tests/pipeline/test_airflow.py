"""The DAG: its file holds no logic, and Airflow runs it.

Airflow lives in an environment of its own, made by `make airflow`; where that is not there, its run is skipped. With
FRAUDKIT_REQUIRE_ALL=1 it fails instead.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fraudkit.core.config import settings
from fraudkit.pipeline.daily import STEPS
from fraudkit.pipeline.run import run_folder
from fraudkit.registry.registry import Registry

ROOT = Path(__file__).resolve().parents[2]
DAG = ROOT / "deploy" / "airflow" / "fraud_daily.py"
TRY = DAG.with_name("try_dag.py")
AIRFLOW = Path(os.environ.get("FRAUDKIT_AIRFLOW", ROOT / ".venv-airflow")) / "bin" / "python"


def test_every_task_only_calls_the_step_of_its_name():
    functions = [node for node in ast.parse(DAG.read_text()).body if isinstance(node, ast.FunctionDef)]
    tasks = {node.name: node for node in functions if "task" in map(ast.unparse, node.decorator_list)}
    assert set(tasks) == set(STEPS)
    for name, node in tasks.items():
        given = ", ".join(f"{argument.arg}={argument.arg}" for argument in node.args.args)
        assert [ast.unparse(line) for line in node.body] == [f"return step('{name}', {given})"]


def test_it_is_daily_retries_and_never_runs_twice_at_once():
    text = DAG.read_text()
    for setting in ('schedule="@daily"', "catchup=False", "max_active_runs=1", '"retries": 2'):
        assert setting in text


def dag_run(home: Path, day: str = "2025-11-06") -> subprocess.CompletedProcess[str]:
    if not AIRFLOW.exists():
        reason = f"no Airflow in {AIRFLOW.parents[1]}; `make airflow` makes its environment"
        if os.environ.get("FRAUDKIT_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    variables = {**os.environ, "FRAUDKIT_HOME": str(home), "FRAUDKIT_PYTHON": sys.executable}
    return subprocess.run([AIRFLOW, TRY, day], env=variables, capture_output=True, text=True, timeout=300)


def test_airflow_runs_the_whole_day(after_a_run):
    """The bundle of the day is there, so that a test need not train a whole one; every step is done again."""
    home, registry = settings().home, Registry(settings().registry)
    registry.retire()
    for record in (home / "retraining" / after_a_run.steps["extract"]["run"]).glob("*.json"):
        record.unlink()
    done = dag_run(home)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert told["state"] == "success"
    assert set(told["tasks"]) == set(STEPS)
    assert told["outcome"] == after_a_run.steps["promote"]
    assert registry.resolve("production") == told["outcome"]["version"]
    assert {path.stem for path in run_folder(told["outcome"]["run"]).glob("*.json")} == set(STEPS) - {"gate", "promote"}


def test_a_step_that_fails_fails_the_run_and_promotes_nothing(home):
    registry = Registry(home / "registry")
    before = registry.history()
    (home / "worlds" / "small" / "MANIFEST.json").write_text("{")
    done = dag_run(home)
    assert done.returncode != 0
    assert "MANIFEST.json" in done.stdout + done.stderr
    assert "upstream_failed" in done.stderr
    assert registry.history() == before
