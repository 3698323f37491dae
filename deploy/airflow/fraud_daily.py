"""The daily retraining as an Airflow DAG. It holds no logic: every task calls one function of fraudkit.pipeline.daily.

Airflow's packages and fraudkit's do not go together, so a task starts fraudkit's own interpreter (FRAUDKIT_PYTHON) for
its step. What tasks hand on is a small JSON mapping of names, counts and digests.
"""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, task

PYTHON = os.environ.get("FRAUDKIT_PYTHON", "python")


def step(name: str, **given: object) -> dict:
    """Call one function of fraudkit.pipeline.daily; its messages go to the task's log."""
    command = [PYTHON, "-m", "fraudkit.pipeline.step", name]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True)  # noqa: S603 our own
    print(done.stderr)
    if done.returncode:
        raise RuntimeError(f"step {name} failed: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout)


@task
def extract(as_of: str, world: str) -> dict:
    return step("extract", as_of=as_of, world=world)


@task
def features(extracted: dict) -> dict:
    return step("features", extracted=extracted)


@task
def backtest(featured: dict) -> dict:
    return step("backtest", featured=featured)


@task
def train(featured: dict) -> dict:
    return step("train", featured=featured)


@task
def evaluate(trained: dict) -> dict:
    return step("evaluate", trained=trained)


@task
def gate(evaluated: dict) -> dict:
    return step("gate", evaluated=evaluated)


@task
def promote(gated: dict) -> dict:
    return step("promote", gated=gated)


@dag(
    schedule="@daily",
    start_date=datetime(2025, 11, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 2, "retry_delay": timedelta(minutes=5), "execution_timeout": timedelta(hours=2)},
    params={"world": "small"},
    tags=["fraudkit"],
)
def fraud_daily():
    """Retrain on the labels that had matured at the end of the run's day, and promote what the gate lets pass."""
    featured = features(extract("{{ ds }}", "{{ params.world }}"))
    measured = backtest(featured)
    judged = gate(evaluate(train(featured)))
    measured >> judged  # production is measured before it may change
    promote(judged)


daily_retraining = fraud_daily()
