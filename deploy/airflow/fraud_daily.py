"""The daily retraining as an Airflow DAG. It holds no logic: every task calls one function of fraudkit.pipeline.daily.

The functions run in fraudkit's own interpreter (FRAUDKIT_PYTHON), because Airflow's packages and
fraudkit's do not go together; what they hand on is a small mapping of names, counts and digests.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta

from airflow.sdk import dag, task

in_fraudkit = task.external_python(python=os.environ.get("FRAUDKIT_PYTHON", "python"), expect_airflow=False)


@in_fraudkit
def extract(as_of: str, world: str) -> dict:
    from fraudkit.pipeline import daily

    return daily.extract(as_of, world)


@in_fraudkit
def features(extracted: dict) -> dict:
    from fraudkit.pipeline import daily

    return daily.features(extracted)


@in_fraudkit
def train(featured: dict) -> dict:
    from fraudkit.pipeline import daily

    return daily.train(featured)


@in_fraudkit
def evaluate(trained: dict) -> dict:
    from fraudkit.pipeline import daily

    return daily.evaluate(trained)


@in_fraudkit
def gate(evaluated: dict) -> dict:
    from fraudkit.pipeline import daily

    return daily.gate(evaluated)


@in_fraudkit
def promote(gated: dict) -> dict:
    from fraudkit.pipeline import daily

    return daily.promote(gated)


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
    promote(gate(evaluate(train(features(extract("{{ ds }}", "{{ params.world }}"))))))


fraud_daily()
