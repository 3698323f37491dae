"""Run the DAG once by Airflow's own `dag.test()`, and check what it left: `make airflow`.

    .venv-airflow/bin/python deploy/airflow/try_dag.py 2025-11-06

Runs in Airflow's environment with an Airflow home of its own, thrown away afterwards. FRAUDKIT_PYTHON and FRAUDKIT_HOME
say which fraudkit it calls and where that keeps its data. Prints one line of JSON, the outcome, at the end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
STEPS = {"extract", "features", "backtest", "train", "evaluate", "gate", "promote"}


def main() -> None:
    """One run for a day; exit 1 where a task did not succeed or the outcome is not whole."""
    day = datetime.fromisoformat(sys.argv[1]).replace(tzinfo=UTC)
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {
            "AIRFLOW_HOME": home,
            "AIRFLOW__CORE__DAGS_FOLDER": str(HERE),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        }
        airflow = Path(sys.executable).with_name("airflow")
        subprocess.run([airflow, "db", "migrate"], check=True, stdout=sys.stderr)  # noqa: S603 our own
        sys.path.insert(0, str(HERE))
        run_once(day)


def run_once(day: datetime) -> None:
    """Read the DAG file as Airflow does, run it without retries, and look at every task."""
    from fraud_daily import daily_retraining

    for each in daily_retraining.tasks:
        each.retries = 0  # dag.test() would wait for a retry for ever
    run = daily_retraining.test(logical_date=day)
    tasks = {instance.task_id: instance for instance in run.get_task_instances()}
    states = {name: str(instance.state) for name, instance in tasks.items()}
    if set(states) != STEPS or set(states.values()) != {"success"}:
        sys.exit(f"the DAG did not run as it should: {run.state}, {states}")
    print(json.dumps({"state": str(run.state), "tasks": states, "outcome": tasks["promote"].xcom_pull("promote")}))


if __name__ == "__main__":
    main()
