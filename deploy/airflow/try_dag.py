"""Run the DAG once, as Airflow does, and check what it left: `make airflow`.

    .venv-airflow/bin/python deploy/airflow/try_dag.py 2025-11-06

Runs in Airflow's environment; AIRFLOW_HOME and FRAUDKIT_PYTHON are set by the Makefile.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from fraud_daily import fraud_daily

STEPS = ("extract", "features", "train", "evaluate", "gate", "promote")


def main() -> None:
    """One run for a day; exit 1 where a task did not succeed or the outcome is not whole."""
    day = datetime.fromisoformat(sys.argv[1]).replace(tzinfo=UTC)
    run = fraud_daily().test(logical_date=day)
    states = {instance.task_id: str(instance.state) for instance in run.get_task_instances()}
    outcome = {instance.task_id: instance for instance in run.get_task_instances()}["promote"].xcom_pull("promote")
    print(f"run {run.state}: {states}")
    print(f"outcome: {outcome}")
    if set(states.values()) != {"success"} or set(states) != set(STEPS) or not outcome["version"]:
        sys.exit("the DAG did not run as it should; see the log above")


if __name__ == "__main__":
    main()
