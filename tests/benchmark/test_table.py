"""Any source becomes one labelled table; what is left out is told, what is absent makes no feature."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fraudkit.benchmark.features import load_features, plan_features
from fraudkit.benchmark.measures import measure
from fraudkit.benchmark.overview import describe
from fraudkit.benchmark.protocol import make_fold
from fraudkit.benchmark.settings import Settings, read_settings
from fraudkit.benchmark.table import Table, read_table, to_table
from fraudkit.core.errors import InvalidInput
from fraudkit.lake.adapters import from_columns
from fraudkit.lake.adapters.ulb import COMPONENTS

from .conftest import COLUMNS


def overview(table: Table, label_delay_days: int = 7) -> dict:
    return describe(table, plan_features(table, Settings("t")), label_delay_days)


def with_roles(**roles: str):  # type: ignore[no-untyped-def]
    return replace(COLUMNS, columns={**COLUMNS.columns, **roles})


def test_bad_rows_and_rows_without_a_label_are_left_out_and_told(raw: pd.DataFrame) -> None:
    some = raw.astype({"EUR": object, "FRAUD": "Int64"}).copy()
    some.loc[3, "EUR"] = "ten"
    some.loc[[5, 8], "CARD"] = None
    some.loc[10, "FRAUD"] = pd.NA
    found = to_table(from_columns(some, COLUMNS))
    kept = raw.drop(index=[3, 5, 8, 10])
    assert found.transactions["transaction_id"].tolist() == kept["ID"].astype(str).tolist()
    assert found.is_fraud.tolist() == kept["FRAUD"].tolist()
    assert found.set_aside == 4
    notes = " / ".join(overview(found)["notes"])
    assert "3 of 18200 rows were set aside: 1 uncastable:amount, 2 null:user_id" in notes
    assert "1 of 18197 rows have no label" in notes


def test_time_is_when_a_transaction_became_known(raw: pd.DataFrame) -> None:
    late = raw.assign(HEARD=raw["WHEN"])
    late.loc[0, "HEARD"] += pd.Timedelta(days=30)
    found = to_table(from_columns(late, with_roles(known_at="HEARD")))
    row = found.transactions.index[found.transactions["transaction_id"] == "0"][0]
    assert found.day[row] - found.day[0] == 30
    assert (np.diff(found.second) >= 0).all()


def test_optional_columns_make_features_and_absent_ones_do_not(raw: pd.DataFrame) -> None:
    rng = np.random.default_rng(1)
    rich = raw.assign(
        LAND=rng.choice(["DE", "NA"], len(raw)), LAT=50.0, LON=rng.uniform(5, 15, len(raw)), KIND="mobile", PHONE="p"
    )
    poor = plan_features(to_table(from_columns(raw, COLUMNS)), Settings("t"))
    roles = with_roles(country="LAND", latitude="LAT", longitude="LON", device_type="KIND", device="PHONE")
    plan = plan_features(to_table(from_columns(rich, roles)), Settings("t"))
    gained = set(plan.catalog) - set(poor.catalog)
    assert {"new_country", "speed_from_last_kmh", "new_device"} <= gained
    assert dict(plan.dropped)["new_ip"] == "needs ip_address"
    assert dict(plan.dropped)["user_online_share_30d"] == "needs online_transaction"


def test_frauds_that_were_told_later_than_assumed_are_pointed_out(raw: pd.DataFrame) -> None:
    fraud = raw["FRAUD"] == 1
    told = (raw["WHEN"] + pd.Timedelta(days=20)).where(fraud)  # nobody dates a chargeback that never came
    found = to_table(from_columns(raw.assign(TOLD=told), with_roles(label_time="TOLD")), labels_are_dated=True)
    assert len(found.is_fraud) == len(raw)
    (note,) = overview(found)["notes"]
    assert f"{fraud.sum()} of {fraud.sum()} frauds were told later" in note and "median 20.0 days" in note
    assert not overview(found, 20)["notes"]


def test_an_endless_extra_value_is_told(raw: pd.DataFrame) -> None:
    wide = raw.assign(RISK=np.where(raw.index == 4, 1e300, 1.0))
    with pytest.raises(InvalidInput, match="extra column 'RISK' has infinite or too large values"):
        to_table(from_columns(wide, replace(COLUMNS, extra=("RISK",))))


def ulb_file(folder: Path) -> Path:
    """Two days in the published form; V1 tells some of the frauds."""
    rng = np.random.default_rng(2)
    n = 3000
    fraud = rng.random(n) < 0.05
    columns = {name: rng.normal(size=n) for name in COMPONENTS}
    columns["V1"] += 3 * fraud
    table = pd.DataFrame({"Time": np.sort(rng.uniform(0, 172_800, n)), **columns, "Amount": 10.0, "Class": fraud + 0})
    table.to_csv(folder / "creditcard.csv", index=False)
    return folder / "creditcard.csv"


def test_a_public_file_needs_a_protocol_only(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(
        "[protocol]\ntrain_start = 2013-09-01\ntrain_days = 1\ndelay_days = 0\nlabel_delay_days = 0\ntest_days = 1\n"
        '[models]\nrun = ["logistic"]\n'
    )
    settings = read_settings(tmp_path / "s.toml")
    table = read_table(ulb_file(tmp_path), settings.columns)
    said = overview(table, 0)
    assert (said["users"], said["merchants"]) == (None, None)
    assert any("every transaction stands for a card of its own" in note for note in said["notes"])
    plan = plan_features(table, settings)
    assert not plan.delayed and plan.extra == COMPONENTS
    assert "amount_usd" in plan.catalog and not [name for name in plan.catalog if name.startswith(("user", "merchant"))]
    fold = make_fold(table, settings.protocol, date(2013, 9, 1))
    assert fold.removed == 0
    features = load_features(table, settings, tmp_path / "cache")
    at_v1 = features.X[:, features.names.index("extra:V1")]
    figures = measure(table, fold, at_v1[fold.test].astype(float), card_budget=20)
    assert figures["roc_auc"] > 0.95 and figures["card_precision"] > 0.8


def test_profiles_of_a_public_file_reach_the_features(tmp_path: Path) -> None:
    n = 40
    moment = [date(2019, 1, 1) + timedelta(days=k) for k in range(n)]
    pd.DataFrame(
        {
            "trans_date_trans_time": [f"{day} 10:00:00" for day in moment], "cc_num": 4111111111111111,
            "merchant": "fraud_Rippin", "category": "misc_net", "amt": 5.0, "gender": "F", "lat": 39.5, "long": -119.8,
            "dob": "1988-03-09", "trans_num": [f"t{k:02d}" for k in range(n)], "merch_lat": 39.5,
            "merch_long": -119.8 + np.arange(n) / 100, "is_fraud": np.arange(n) % 9 == 8,
        }
    ).to_csv(tmp_path / "fraudTrain.csv", index=False)  # fmt: skip
    table = read_table(tmp_path / "fraudTrain.csv", None)
    features = load_features(table, Settings("t"), tmp_path / "cache")
    distance = features.X[:, features.names.index("distance_from_home_km")]
    assert distance[0] == 0.0 and distance[-1] == pytest.approx(33.5, abs=1.0)
    assert "account_age_days" not in features.names  # no one says when an account was opened


def test_a_file_of_no_known_data_set_is_told_to_name_its_columns(tmp_path: Path, raw: pd.DataFrame) -> None:
    raw.head(10).to_csv(tmp_path / "own.csv", index=False)
    with pytest.raises(InvalidInput, match=r"of no known data set .* name its columns in a TOML file"):
        read_table(tmp_path / "own.csv", None)
