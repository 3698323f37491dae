from dataclasses import replace

import pandas as pd
import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.lake.adapters import ColumnMapping, from_columns

ROLES = {"user": "who", "merchant": "shop", "amount": "total", "time": "at", "label": "bad"}
MAPPING = ColumnMapping(ROLES)


def table(**changes: list) -> pd.DataFrame:
    columns = {
        "who": ["a", "b", "a"],
        "shop": [7, 7, 8],
        "total": [10.0, 20.0, 30.0],
        "at": ["2025-01-02T00:00:00Z", "2025-01-01T12:00:00+02:00", "2025-01-03 06:00:00"],
        "bad": [0, 1, None],
    }
    return pd.DataFrame(columns | changes)


def test_rows_are_mapped_sorted_and_labelled_only_where_the_label_is_known():
    found = from_columns(table(), MAPPING)
    assert found.transactions["amount"].tolist() == [20.0, 10.0, 30.0]
    assert found.transactions["merchant_id"].tolist() == ["7", "7", "8"]
    assert found.transactions["event_time"][0] == pd.Timestamp("2025-01-01T10:00:00Z")
    assert found.labels["transaction_id"].tolist() == ["row-000000001", "row-000000000"]
    assert found.labels["is_fraud"].tolist() == [True, False]
    assert found.labels["known_at"][0] == pd.Timestamp("2025-05-01T10:00:00Z")
    assert {"country", "currency", "device_id", "card_present"} <= found.absent
    assert not {"user_id", "merchant_id", "amount"} & found.absent


@pytest.mark.parametrize(
    ("written", "mapping"),
    [
        ([1735776000, 1735725600, 1735884000.5], replace(MAPPING, time_format="epoch_s")),
        ([1735776000000, 1735725600000, 1735884000500], replace(MAPPING, time_format="epoch_ms")),
        (
            [86400, 36000, 194400.5],
            replace(MAPPING, time_format="seconds", time_origin=pd.Timestamp("2025-01-01", tz="UTC")),
        ),
    ],
)
def test_times_in_numbers(written, mapping):
    found = from_columns(table(at=written), mapping)
    expected = ["2025-01-01T10:00:00Z", "2025-01-02T00:00:00Z", "2025-01-03T06:00:00.500Z"]
    assert found.transactions["event_time"].tolist() == [pd.Timestamp(moment) for moment in expected]


def test_optional_columns_extra_arrival_and_label_time():
    columns = ROLES | {
        "transaction": "id",
        "country": "land",
        "online": "web",
        "known_at": "heard",
        "label_time": "told",
    }
    given = table(
        id=["x", "y", "z"],
        land=["DE", "FR", "US"],
        web=["true", "false", "1"],
        heard=["2025-01-09", "2025-01-08", "2025-01-07"],
        told=["2025-02-01", "2025-01-02", None],
        basket=[1, 2, 3],
        bad=[1, 1, 1],
    )
    found = from_columns(given, replace(MAPPING, columns=columns, extra=("basket",)))
    rows = found.transactions
    assert rows["transaction_id"].tolist() == ["z", "y", "x"]
    assert rows["country"].tolist() == ["US", "FR", "DE"]
    assert rows["card_present"].tolist() == [False, True, False]
    assert found.extra["basket"].tolist() == [3.0, 2.0, 1.0]
    assert found.labels["known_at"].tolist() == [  # never before the transaction itself was heard of
        pd.Timestamp("2025-01-08", tz="UTC"),
        pd.Timestamp("2025-02-01", tz="UTC"),
    ]


def test_a_legitimate_row_needs_no_label_time():
    found = from_columns(
        table(told=[None, "2025-01-09", None], bad=[0, 1, 1]),
        replace(MAPPING, columns=ROLES | {"label_time": "told"}, label_delay_days=3),
    )
    assert found.labels["is_fraud"].tolist() == [True, False]  # a fraud that nobody told of is not known to be one
    assert found.labels["known_at"].tolist() == [pd.Timestamp(day, tz="UTC") for day in ("2025-01-09", "2025-01-05")]


def test_unusable_rows_are_reported_and_kept_as_they_were_written():
    found = from_columns(table(who=["a", None, "c"], at=["2025-01-02", "2025-01-02", "noon"]), MAPPING)
    assert len(found.transactions) == 1
    assert found.rejected["reasons"].tolist() == ["null:user_id", "uncastable:event_time; uncastable:known_at"]
    assert found.rejected["event_time"].tolist()[1] == "noon"
    (note,) = found.notes
    assert note == "2 of 3 rows were set aside: 1 uncastable:event_time, 1 uncastable:known_at, 1 null:user_id"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"bad": [0, 1, 2]}, "label column 'bad' holds '2' in 1 rows; use 0 and 1"),
        ({"total": ["x", "y", "z"]}, "none of 3 rows can be used; most often: amount cannot be read as float64"),
    ],
)
def test_a_bad_column_is_told(changes, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        from_columns(table(**changes), MAPPING)


def test_an_absent_column_is_named_with_those_there_are():
    with pytest.raises(InvalidInput, match=r"no column 'total' \(named as amount\); the table has who, shop, at, bad"):
        from_columns(table().drop(columns="total"), MAPPING)
    with pytest.raises(InvalidInput, match="extra column 'who' is not numeric"):
        from_columns(table(), replace(MAPPING, extra=("who",)))
    with pytest.raises(InvalidInput, match=r"column 'at' holds numbers; say what they count, as \[time\]"):
        from_columns(table(at=[1, 2, 3]), MAPPING)
    with pytest.raises(InvalidInput, match="no rows"):
        from_columns(table().head(0), MAPPING)


TOML = '[columns]\nuser="who"\nmerchant="shop"\namount="total"\ntime="at"\nlabel="bad"\n'


def test_toml(tmp_path):
    path = tmp_path / "columns.toml"
    path.write_text(
        TOML
        + 'extra=["total"]\n[time]\nformat="seconds"\norigin=2025-01-01\n[labels]\ndelay_days=7\n[models]\ntrees=9\n'
    )
    found = ColumnMapping.from_toml(path)
    assert dict(found.columns) == ROLES
    assert (found.time_origin, found.label_delay_days) == (pd.Timestamp("2025-01-01", tz="UTC"), 7)
    assert found.extra == ("total",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[columns", "is not TOML"),
        ('[columns]\nuser="who"', "names no merchant, amount, time, label"),
        (TOML + 'colour="c"', "colour, which is no role; the roles are user"),
        (TOML + "country=3", "write each as text in quotes"),
        (TOML + 'extra="total"', "is not a list"),
        (TOML + '[time]\nformat="stardate"', "'stardate' is none of iso"),
        (TOML + '[time]\nformat="seconds"', "origin goes with"),
        (TOML + '[time]\nformat="seconds"\norigin="once"', "'once' is not a date"),
        (TOML + '[time]\nzone="CET"', r"\[time\] has zone; it takes format, origin"),
        (TOML + "[labels]\ndelay_days=-1", "out of range"),
        (TOML + '[labels]\ndelay_days="week"', "is not a number of days"),
        ('time="x"\n' + TOML, r"write it as \[time\]"),
    ],
)
def test_a_bad_toml_is_told(tmp_path, text, sentence):
    path = tmp_path / "columns.toml"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=sentence):
        ColumnMapping.from_toml(path)


def test_a_missing_toml_is_told(tmp_path):
    with pytest.raises(InvalidInput, match="cannot be read"):
        ColumnMapping.from_toml(tmp_path / "nowhere.toml")
