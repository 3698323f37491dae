"""A small table in the manner of the Fraud-Detection-Handbook: terminals that are compromised for weeks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fraudkit.benchmark.table import Table, to_table
from fraudkit.lake.adapters import ColumnMapping, from_columns

DAYS, USERS, TERMINALS, PER_DAY = 70, 120, 60, 260
COLUMNS = ColumnMapping(
    {"transaction": "ID", "user": "CARD", "merchant": "TERMINAL", "amount": "EUR", "time": "WHEN", "label": "FRAUD"}
)
SCHEMA = """
title = "small"
[columns]
transaction = "ID"
user = "CARD"
merchant = "TERMINAL"
amount = "EUR"
time = "WHEN"
label = "FRAUD"
[protocol]
kind = "prequential"
test_starts = [2018-05-20, 2018-05-13]
validation_starts = [2018-04-22]
history_days = 14
card_budget = 5
[features]
delayed_days = [1, 7]
[models]
run = ["logistic", "xgboost"]
trees = 20
[tuning.grid]
depth = [2, 3]
"""


def build_raw(seed: int = 3) -> pd.DataFrame:
    """One row a transaction, in order of time, from 2018-04-01."""
    rng = np.random.default_rng(seed)
    n = DAYS * PER_DAY
    day = np.repeat(np.arange(DAYS), PER_DAY)
    second = np.sort(day * 86_400 + rng.integers(0, 86_400, n))
    day = second // 86_400
    terminal = rng.integers(0, TERMINALS, n)
    fraud = rng.random(n) < 0.002
    for start in range(0, DAYS, 4):
        bad = rng.integers(0, TERMINALS)
        fraud |= (terminal == bad) & (day >= start) & (day < start + 21) & (rng.random(n) < 0.7)
    return pd.DataFrame(
        {
            "ID": np.arange(n),
            "WHEN": pd.Timestamp("2018-04-01") + pd.to_timedelta(second, unit="s"),
            "CARD": rng.integers(0, USERS, n),
            "TERMINAL": terminal,
            "EUR": rng.gamma(2.0, 25.0, n).round(2),
            "FRAUD": fraud.astype(int),
        }
    )


@pytest.fixture(scope="session")
def raw() -> pd.DataFrame:
    return build_raw()


@pytest.fixture(scope="session")
def table(raw: pd.DataFrame) -> Table:
    return to_table(from_columns(raw, COLUMNS))
