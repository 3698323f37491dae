"""What holds for every adapter, and the values each must give for its sample."""

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from fraudkit.core.errors import InvalidInput
from fraudkit.core.label import LABEL_COLUMNS
from fraudkit.core.transaction import TRANSACTION_COLUMNS, USER_COLUMNS, conform
from fraudkit.lake import Lake
from fraudkit.lake.adapters import ADAPTERS, detect, load
from fraudkit.lake.adapters.adapted import PLACEHOLDERS
from fraudkit.lake.importing import write_adapted

MERCHANT = {"merchant_category", "country", "latitude", "longitude"}
PRESENCE = {"card_present", "online_transaction"}
DEVICE = {"device_id", "device_type", "ip_address", "ip_reputation"}
ABSENT = {
    "ulb": {"user_id", "merchant_id", "currency"} | MERCHANT | PRESENCE | DEVICE,
    "handbook": {"currency"} | MERCHANT | PRESENCE | DEVICE,
    "sparkov": DEVICE,
    "ieee-cis": {"merchant_id", "ip_address", "ip_reputation"} | MERCHANT | PRESENCE,
    "paysim": {"currency"} | MERCHANT | PRESENCE | DEVICE,
}


def moments(table: pd.DataFrame, column: str) -> list[str]:
    return table[column].dt.strftime("%Y-%m-%dT%H:%M:%S.%f").str[:-3].tolist()


def test_the_header_gives_the_format_away(any_source):
    name, path = any_source
    assert detect(path) == name


def test_every_result_keeps_the_contract(any_source):
    name, path = any_source
    found = load(path)
    assert_frame_equal(found.transactions, conform(found.transactions, TRANSACTION_COLUMNS))
    assert_frame_equal(found.labels, conform(found.labels, LABEL_COLUMNS))
    assert found.users is None or list(found.users) == list(USER_COLUMNS)
    order = found.transactions[["known_at", "transaction_id"]]
    assert_frame_equal(order, order.sort_values(["known_at", "transaction_id"]))
    assert found.absent == ABSENT[name]
    for column in found.absent:
        placeholder = PLACEHOLDERS[column]
        values = found.transactions[column]
        assert values.isna().all() if pd.isna(placeholder) else (values == placeholder).all()
    assert found.rejected.empty and found.report.quarantined == 0
    assert found.labels["transaction_id"].tolist() == found.transactions["transaction_id"].tolist()
    assert (found.labels["known_at"] > found.labels["event_time"]).all()
    assert found.extra is None or len(found.extra) == len(found.transactions)
    assert {check.check for check in found.report.failures} <= {"amount_zero"}
    assert any("assumed" in note for note in found.notes)


def test_every_result_becomes_a_lake(any_source, tmp_path):
    name, path = any_source
    adapted = load(path)
    lake = Lake.open(write_adapted(tmp_path / "lake", adapted, path.name, name).path)
    assert lake.transactions()["transaction_id"].tolist() == adapted.transactions["transaction_id"].tolist()
    assert lake.config["absent"] == sorted(ABSENT[name])
    assert lake.query("SELECT count(*) AS n FROM labels")["n"].tolist() == [len(adapted.labels)]


def test_ulb(source_file):
    found = load(source_file("ulb"))
    assert found.transactions["transaction_id"].tolist() == [f"row-{row:09d}" for row in (0, 1, 3, 2)]
    assert moments(found.transactions, "event_time")[-1] == "2013-09-02T01:01:01.500"
    assert found.transactions["amount"].tolist() == [10.5, 10.5, 99.99, 0.0]
    assert found.labels["is_fraud"].tolist() == [False, False, False, True]
    source = pd.read_csv(source_file("ulb"))
    assert list(found.extra) == [f"V{number}" for number in range(1, 29)]
    assert found.extra["V28"].tolist() == source["V28"].iloc[[0, 1, 3, 2]].tolist()


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz", ".parquet"])
def test_handbook(source_file, suffix):
    found = load(source_file("handbook", suffix))
    rows = found.transactions
    assert rows["transaction_id"].tolist() == ["0", "1", "2"]
    assert rows["user_id"].tolist() == ["596", "4961", "596"]
    assert rows["merchant_id"].tolist() == ["3156", "3412", "3156"]
    assert moments(rows, "event_time")[0] == "2018-04-01T00:00:31.000"
    assert moments(found.labels, "known_at")[2] == "2018-04-09T10:00:00.000"
    assert found.labels["is_fraud"].tolist() == [False, False, True]
    assert found.extra is None  # the scenario would tell the label


def test_sparkov(source_file):
    found = load(source_file("sparkov"))
    rows = found.transactions
    users = rows["user_id"].tolist()
    assert users[0] == users[2] != users[1]
    assert "4111111111111111" not in rows.to_csv() + found.users.to_csv()
    assert moments(rows, "event_time")[0] == "2019-01-01T00:00:18.000"
    assert rows["merchant_category"].tolist() == ["5964", "5411", "5964"]
    assert rows["online_transaction"].tolist() == [True, False, True]
    assert rows["latitude"].tolist() == [36.0, 49.1, 36.1]
    ann = found.users.set_index("user_id").loc[users[0]]
    assert (ann["home_latitude"], ann["gender"], ann["age_band"], ann["home_country"]) == (39.5, "F", "25-34", "US")


def test_ieee_cis(source_file):
    path = source_file("ieee-cis")
    found = load(path)
    rows = found.transactions
    assert rows["user_id"].tolist() == ["13926/-/150/142/315", "2755/404/150/102/325", "13926/-/150/142/315"]
    assert moments(rows, "event_time") == [f"2017-12-0{day}T00:00:0{second}.000" for day, second in ("20", "21", "30")]
    assert rows["device_type"].tolist() == ["unknown", "mobile", "desktop"]
    assert rows["device_id"].astype("string").fillna("none").tolist() == ["none", "SAMSUNG SM-G892A", "none"]
    assert list(found.extra) == ["dist1", "C1", "D1", "V1"]
    (path.parent / "train_identity.csv").unlink()
    alone = load(path)
    assert alone.absent == ABSENT["ieee-cis"] | {"device_id", "device_type"}
    assert any("devices are absent" in note for note in alone.notes)


def test_paysim(source_file):
    found = load(source_file("paysim"))
    rows = found.transactions
    assert moments(rows, "event_time") == [
        "2025-01-01T00:00:00.000",
        "2025-01-01T00:30:00.000",
        "2025-01-01T01:00:00.000",
    ]
    assert rows["merchant_id"].tolist() == ["M1979787155", "C553264065", "C38997010"]
    assert found.labels["is_fraud"].tolist() == [False, True, True]
    assert found.extra["kind"].tolist() == [3.0, 4.0, 1.0]
    assert found.extra["oldbalanceDest"].tolist() == [0.0, 0.0, 21182.0]


def test_bad_rows_are_set_aside_and_counted(source_file):
    path = source_file("handbook")
    table = pd.read_csv(path).astype(object)
    table.loc[0, "TX_AMOUNT"], table.loc[1, "TX_DATETIME"] = -1, "soon"
    table.to_csv(path, index=False)
    found = load(path)
    assert found.transactions["transaction_id"].tolist() == found.labels["transaction_id"].tolist() == ["2"]
    assert found.rejected["reasons"].tolist() == ["amount_negative", "uncastable:event_time; uncastable:known_at"]
    assert (
        "2 of 3 rows were set aside: 1 uncastable:event_time, 1 uncastable:known_at, 1 amount_negative" in found.notes
    )


def test_extra_stays_beside_its_row_when_rows_are_set_aside(source_file):
    path = source_file("paysim")
    table = pd.read_csv(path)
    table.loc[1, "amount"] = -1
    table.to_csv(path, index=False)
    assert load(path).extra["oldbalanceDest"].tolist() == [0.0, 21182.0]


def test_what_cannot_be_read_says_so(tmp_path, source_file):
    other = tmp_path / "other.csv"
    other.write_text("colour,size\nred,1\n")
    with pytest.raises(InvalidInput, match=r"colour, size of no known data set.*--schema"):
        load(other)
    with pytest.raises(InvalidInput, match="Handbook table has no column TRANSACTION_ID"):
        load(other, "handbook")
    with pytest.raises(InvalidInput, match=f"there is no format 'kaggle'; choose auto, {', '.join(ADAPTERS)}"):
        load(other, "kaggle")


def test_labels_other_than_0_and_1_are_refused(source_file):
    path = source_file("ulb")
    path.write_text(path.read_text().replace(",0\n", ",legit\n"))
    with pytest.raises(InvalidInput, match="label column 'Class' holds 'legit' in 3 rows"):
        load(path)
