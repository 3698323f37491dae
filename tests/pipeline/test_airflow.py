"""The DAG file holds no logic: it is daily, retries, and every task calls one function of the pipeline."""

from __future__ import annotations

import ast
from pathlib import Path

from fraudkit.pipeline.daily import STEPS

SOURCE = Path(__file__).resolve().parents[2] / "deploy" / "airflow" / "fraud_daily.py"


def test_every_task_only_calls_the_function_of_its_name():
    functions = [node for node in ast.parse(SOURCE.read_text()).body if isinstance(node, ast.FunctionDef)]
    tasks = [node for node in functions if node.name != "fraud_daily"]
    assert tuple(task.name for task in tasks) == STEPS
    for task in tasks:
        imported, returned = task.body
        assert ast.unparse(imported) == "from fraudkit.pipeline import daily"
        names = ", ".join(argument.arg for argument in task.args.args)
        assert ast.unparse(returned) == f"return daily.{task.name}({names})"


def test_it_is_daily_and_retries():
    text = SOURCE.read_text()
    assert 'schedule="@daily"' in text and '"retries": 2' in text and "catchup=False" in text
