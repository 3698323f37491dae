"""Small files in the formats of the public data sets; every row was made up here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest


def ulb() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    components = {f"V{number}": rng.normal(size=4).round(6) for number in range(1, 29)}
    return pd.DataFrame(
        {"Time": [0.0, 0.0, 90061.5, 7.0], **components, "Amount": [10.5, 10.5, 0.0, 99.99], "Class": [0, 0, 1, 0]}
    )


def handbook() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "TRANSACTION_ID": [1, 0, 2],
            "TX_DATETIME": ["2018-04-01 00:02:10", "2018-04-01 00:00:31", "2018-04-02 10:00:00"],
            "CUSTOMER_ID": [4961, 596, 596],
            "TERMINAL_ID": [3412, 3156, 3156],
            "TX_AMOUNT": [81.51, 57.16, 230.0],
            "TX_TIME_SECONDS": [130, 31, 122400],
            "TX_TIME_DAYS": [0, 0, 1],
            "TX_FRAUD": [0, 0, 1],
            "TX_FRAUD_SCENARIO": [0, 0, 1],
        }
    )


def sparkov() -> pd.DataFrame:
    people = {
        "cc_num": [4111111111111111, 5500005555555559, 4111111111111111],
        "first": ["Ann", "Bob", "Ann"],
        "last": ["Lee", "Ray", "Lee"],
        "gender": ["F", "M", "F"],
        "street": ["1 A St", "2 B St", "1 A St"],
        "city": ["Reno", "Salem", "Reno"],
        "state": ["NV", "OR", "NV"],
        "zip": [89501, 97301, 89501],
        "lat": [39.5, 44.9, 39.5],
        "long": [-119.8, -123.0, -119.8],
        "city_pop": [1000, 2000, 1000],
        "job": ["Baker", "Clerk", "Baker"],
        "dob": ["1988-03-09", "1950-06-21", "1988-03-09"],
    }
    return pd.DataFrame(
        {
            "": [0, 1, 2],
            "trans_date_trans_time": ["2019-01-01 00:00:18", "2019-01-01 00:00:44", "2019-01-02 03:00:00"],
            "cc_num": people.pop("cc_num"),
            "merchant": ["fraud_Rippin", "fraud_Heller", "fraud_Rippin"],
            "category": ["misc_net", "grocery_pos", "misc_net"],
            "amt": [4.97, 107.23, 900.0],
            **people,
            "trans_num": ["0b242abb623afc578575680df30655b9", "1f76529f8574734946361c461b024d99", "a1a22d70485983eac"],
            "unix_time": [1325376018, 1325376044, 1325473200],
            "merch_lat": [36.0, 49.1, 36.1],
            "merch_long": [-82.0, -118.2, -82.1],
            "is_fraud": [0, 0, 1],
        }
    )


def ieee_cis() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "TransactionID": [2987000, 2987001, 2987002],
            "isFraud": [0, 0, 1],
            "TransactionDT": [86400, 86401, 172800],
            "TransactionAmt": [68.5, 29.0, 59.0],
            "ProductCD": ["W", "C", "W"],
            "card1": [13926, 2755, 13926],
            "card2": [np.nan, 404.0, np.nan],
            "card3": [150.0, 150.0, 150.0],
            "card4": ["discover", "visa", "discover"],
            "card5": [142.0, 102.0, 142.0],
            "addr1": [315.0, 325.0, 315.0],
            "dist1": [19.0, np.nan, 287.0],
            "C1": [1, 1, 2],
            "D1": [14.0, 0.0, np.nan],
            "M1": ["T", np.nan, "T"],
            "V1": [1.0, np.nan, 0.0],
        }
    )


def ieee_identity() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "TransactionID": [2987001, 2987002],
            "id_01": [0.0, -5.0],
            "DeviceType": ["mobile", "desktop"],
            "DeviceInfo": ["SAMSUNG SM-G892A", np.nan],
        }
    )


def paysim() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "step": [1, 1, 2],
            "type": ["PAYMENT", "TRANSFER", "CASH_OUT"],
            "amount": [9839.64, 181.0, 181.0],
            "nameOrig": ["C1231006815", "C1305486145", "C840083671"],
            "oldbalanceOrg": [170136.0, 181.0, 181.0],
            "newbalanceOrig": [160296.36, 0.0, 0.0],
            "nameDest": ["M1979787155", "C553264065", "C38997010"],
            "oldbalanceDest": [0.0, 0.0, 21182.0],
            "newbalanceDest": [0.0, 0.0, 0.0],
            "isFraud": [0, 1, 1],
            "isFlaggedFraud": [0, 0, 0],
        }
    )


MAKERS = {"ulb": ulb, "handbook": handbook, "sparkov": sparkov, "ieee-cis": ieee_cis, "paysim": paysim}


@pytest.fixture
def source_file(tmp_path: Path):
    """Write the sample of a format and return its path; `suffix` chooses the kind of file."""

    def write(name: str, suffix: str = ".csv") -> Path:
        path = tmp_path / (("train_transaction" if name == "ieee-cis" else name) + suffix)
        table = MAKERS[name]()
        table.to_parquet(path) if suffix == ".parquet" else table.to_csv(path, index=False)
        if name == "ieee-cis":
            ieee_identity().to_csv(tmp_path / "train_identity.csv", index=False)
        return path

    return write


@pytest.fixture(params=list(MAKERS))
def any_source(request, source_file) -> tuple[str, Path]:
    """Each format in turn: its name and a file of it."""
    return request.param, source_file(request.param)
