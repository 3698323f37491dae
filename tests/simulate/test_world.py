"""The tables of a world: the same for the same seed, as the contracts say, and shaped like human life."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fraudkit.core.label import LABEL_COLUMNS, TRUTH_COLUMNS
from fraudkit.core.money import currencies
from fraudkit.core.transaction import MERCHANT_COLUMNS, TRANSACTION_COLUMNS, USER_COLUMNS
from fraudkit.simulate import WORLDS, World, simulate

TABLES = {
    "users": USER_COLUMNS,
    "merchants": MERCHANT_COLUMNS,
    "transactions": TRANSACTION_COLUMNS,
    "labels": LABEL_COLUMNS,
    "truth": TRUTH_COLUMNS,
    "ip_reputation": {"ip_address": "string", "reputation": "float64"},
}
TINY = replace(WORLDS["small"], users=25)
DIGEST_PROGRAM = """
from dataclasses import replace
import numpy as np
from fraudkit.simulate import WORLDS, simulate
from tests.simulate.test_world import TINY, digest
print(digest(simulate(TINY, np.random.default_rng(3))))
"""


def digest(world: World) -> str:
    """Hash over the values of every table."""
    total = hashlib.sha256()
    for name in TABLES:
        total.update(pd.util.hash_pandas_object(getattr(world, name)).to_numpy().tobytes())
    return total.hexdigest()


def seconds(moments: pd.Series) -> np.ndarray:
    return moments.astype("int64").to_numpy() / 1000


def local_hour(world: World) -> np.ndarray:
    place = world.users.set_index("user_id")["home_longitude"].reindex(world.transactions["user_id"].astype("string"))
    return (seconds(world.transactions["event_time"]) / 3600 + np.round(place.to_numpy() / 15)) % 24


def test_same_seed_same_bytes_also_in_another_process_with_another_hash_seed() -> None:
    here = digest(simulate(TINY, np.random.default_rng(3)))
    assert here == digest(simulate(TINY, np.random.default_rng(3)))
    assert here != digest(simulate(TINY, np.random.default_rng(4)))
    for hash_seed in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-c", DIGEST_PROGRAM],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.strip() == here


@pytest.mark.parametrize("name", TABLES)
def test_tables_have_the_declared_columns_and_dtypes(world: World, name: str) -> None:
    table = getattr(world, name)
    assert {column: str(dtype) for column, dtype in table.dtypes.items()} == TABLES[name]
    assert list(table.columns) == list(TABLES[name])


def test_transactions_are_in_order_of_arrival_with_unique_ids(world: World) -> None:
    transactions = world.transactions
    order = transactions.sort_values(["known_at", "transaction_id"], kind="stable").index
    assert order.equals(transactions.index)
    assert transactions["transaction_id"].is_unique
    assert transactions["transaction_id"].equals(world.truth["transaction_id"])


def test_every_reference_leads_somewhere(world: World) -> None:
    transactions = world.transactions
    assert set(transactions["user_id"].unique()) <= set(world.users["user_id"])
    assert set(transactions["merchant_id"].unique()) <= set(world.merchants["merchant_id"])
    assert set(transactions["ip_address"].dropna().unique()) <= set(world.ip_reputation["ip_address"])
    assert world.ip_reputation["ip_address"].is_unique
    assert set(world.labels["transaction_id"]) <= set(transactions["transaction_id"])
    categories = world.merchants.set_index("merchant_id")["merchant_category"].astype("string")
    of_rows = categories.reindex(transactions["merchant_id"].astype("string")).to_numpy()
    assert (transactions["merchant_category"].astype("string").to_numpy() == of_rows).all()


def test_values_are_in_range(world: World) -> None:
    transactions = world.transactions
    assert (transactions["amount"] > 0).all()
    assert transactions["latitude"].between(-90, 90).all()
    assert transactions["longitude"].between(-180, 180).all()
    assert transactions["ip_reputation"].dropna().between(0, 1).all()
    assert set(transactions["currency"].unique()) <= set(currencies())
    assert not (transactions["card_present"] & transactions["online_transaction"]).any()
    assert transactions.loc[transactions["card_present"], "ip_address"].isna().all()
    assert (transactions["event_time"] >= pd.Timestamp(world.config.start)).all()
    assert (transactions["event_time"] < pd.Timestamp(world.config.end)).all()
    opened = world.users.set_index("user_id")["account_opened"].reindex(transactions["user_id"].astype("string"))
    honest = ~world.truth["is_fraud"].to_numpy()
    assert (transactions["event_time"].to_numpy() >= opened.to_numpy())[honest].all()


def test_the_worlds_have_the_sizes_they_are_known_by(world: World) -> None:
    per_user_day = len(world.transactions) / len(world.users) / world.config.days
    assert 0.75 < per_user_day < 1.05
    assert WORLDS["small"].users * WORLDS["small"].days * 0.93 == pytest.approx(150_000, rel=0.1)
    assert WORLDS["reference"].users * WORLDS["reference"].days * 0.93 == pytest.approx(1_750_000, rel=0.1)
    assert WORLDS["reference"].days == 310
    assert (WORLDS["reference"].end - WORLDS["reference"].test_start).days == 60


def test_history_of_thirty_days_mostly_fits_64_events(world: World) -> None:
    transactions = world.transactions
    month = (seconds(transactions["event_time"]) // (30 * 86_400)).astype(int)
    counts = transactions.groupby([transactions["user_id"].astype("string"), month]).size()
    assert (counts > 64).mean() < 0.1


def test_nights_are_quiet_and_saturdays_are_not(world: World) -> None:
    honest = ~world.truth["is_fraud"].to_numpy()
    hour = local_hour(world)[honest]
    night, evening = ((hour >= 1) & (hour < 5)).mean() / 4, ((hour >= 17) & (hour < 21)).mean() / 4
    assert night < 0.25 * evening
    weekday = world.transactions["event_time"].dt.day_of_week[honest].value_counts(normalize=True)
    assert weekday[5] > 1.1 * weekday[0]


def test_honest_people_do_odd_things_but_not_often(world: World) -> None:
    transactions, honest = world.transactions, ~world.truth["is_fraud"]
    home = world.users.set_index("user_id")["home_country"].astype("string")
    abroad = (
        transactions["country"].astype("string").to_numpy()
        != home.reindex(transactions["user_id"].astype("string")).to_numpy()
    )
    assert 0.02 < abroad[honest].mean() < 0.2
    devices = transactions[honest & transactions["device_id"].notna()].groupby("user_id", observed=True)["device_id"]
    assert devices.nunique().median() <= 6
    assert devices.nunique().max() > 10


def test_late_rows_come_from_terminals_hours_to_days_late(world: World) -> None:
    transactions = world.transactions
    delay = seconds(transactions["known_at"]) - seconds(transactions["event_time"])
    late = delay > 60
    assert (delay > 0).all()
    assert transactions["card_present"][late].all()
    assert late[transactions["card_present"]].mean() == pytest.approx(world.config.late_share, abs=0.002)
    assert delay[late].min() >= 3 * 3600 - 1
    assert delay[late].max() <= 6 * 86_400
    assert delay[~late].max() < 10


def test_reputation_comes_from_the_table_and_sometimes_fails(world: World) -> None:
    transactions = world.transactions[world.transactions["ip_address"].notna()]
    table = world.ip_reputation.set_index("ip_address")["reputation"]
    expected = table.reindex(transactions["ip_address"].astype("string")).to_numpy()
    seen = transactions["ip_reputation"].to_numpy()
    missing = np.isnan(seen)
    assert missing.mean() == pytest.approx(0.01, abs=0.003)
    np.testing.assert_array_equal(seen[~missing], expected[~missing])


def test_no_obvious_column_separates_fraud(world: World) -> None:
    from sklearn.metrics import roc_auc_score

    transactions, fraud = world.transactions, world.truth["is_fraud"]
    rates = transactions["currency"].astype("string").map(currencies()).astype(float)
    home = world.users.set_index("user_id")["home_country"].astype("string")
    columns = {
        "amount": transactions["amount"] * rates,
        "hour": local_hour(world),
        "reputation": transactions["ip_reputation"].fillna(-1),
        "online": transactions["online_transaction"],
        "cross_border": transactions["country"].astype("string").to_numpy()
        != home.reindex(transactions["user_id"].astype("string")).to_numpy(),
        "transaction_id": np.arange(len(transactions)),
        "device number": transactions["device_id"].astype("string").str[1:].fillna("0").astype(int),
    }
    for name, values in columns.items():
        score = roc_auc_score(fraud, values)
        assert 0.2 < score < 0.8, name


def test_progress_runs_from_nought_to_one() -> None:
    seen: list[float] = []
    simulate(TINY, np.random.default_rng(1), lambda fraction, _: seen.append(fraction))
    assert seen[0] == 0.0
    assert seen[-1] == 1.0
    assert seen == sorted(seen)
