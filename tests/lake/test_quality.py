import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from fraudkit.core.transaction import TRANSACTION_COLUMNS, conform
from fraudkit.lake.quality import inspect

CARD = "4111111111111111"


def failed(table: pd.DataFrame) -> dict[str, int]:
    return {check.check: check.failed for check in inspect(table).report.failures}


def with_value(table: pd.DataFrame, column: str, value: object, row: int = 3) -> pd.DataFrame:
    table = table.astype(object)
    table.loc[row, column] = value
    return table


def test_good_rows_pass_whole_and_unchanged(transactions):
    found = inspect(transactions)
    assert found.report.failures == ()
    assert found.quarantined.empty
    assert_frame_equal(found.accepted, conform(transactions, TRANSACTION_COLUMNS))


def test_good_rows_pass_as_text_too(transactions):
    found = inspect(transactions.astype("string"))
    assert found.report.failures == ()
    assert found.accepted["event_time"].tolist() == transactions["event_time"].tolist()


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("transaction_id", None, "null:transaction_id"),
        ("user_id", "  ", "null:user_id"),
        ("event_time", pd.NaT, "null:event_time"),
        ("event_time", "the day before", "uncastable:event_time"),
        ("event_time", "1989-12-31T23:59:59Z", "clock_before_1990; clock_late"),
        ("event_time", "2035-01-01T00:00:00Z", "clock_future"),
        ("known_at", "2030-01-01T00:00:00Z", "clock_late"),
        ("amount", "abc", "uncastable:amount"),
        ("amount", float("nan"), "null:amount"),
        ("amount", float("inf"), "amount_not_finite"),
        ("amount", float("-inf"), "amount_not_finite"),
        ("amount", -0.01, "amount_negative"),
        ("currency", "XXQ", "currency_unknown"),
        ("country", "USA", "country_malformed"),
        ("latitude", 90.5, "latitude_out_of_range"),
        ("longitude", -181, "longitude_out_of_range"),
        ("card_present", "perhaps", "uncastable:card_present"),
        ("device_type", "toaster", "device_type_unknown"),
        ("ip_reputation", 1.5, "ip_reputation_out_of_range"),
        ("user_id", CARD, "card_number:user_id"),
        ("merchant_id", "shop 4111-1111-1111-1111", "card_number:merchant_id"),
        ("device_id", "378282246310005", "card_number:device_id"),
    ],
)
def test_a_bad_value_sets_its_row_aside_with_the_reason(transactions, column, value, reason):
    table = with_value(transactions, column, value)
    found = inspect(table)
    assert {check.check: check.failed for check in found.report.failures if check.quarantines} == dict.fromkeys(
        reason.split("; "), 1
    )
    assert found.quarantined["reasons"].tolist() == [reason]
    assert found.quarantined.index.tolist() == [3]
    assert len(found.accepted) == len(table) - 1
    assert found.report.has_errors


@pytest.mark.parametrize(
    ("column", "value", "check"),
    [("amount", 0, "amount_zero"), ("country", "AQ", "country_unknown"), ("latitude", None, "null:latitude")],
)
def test_an_odd_value_is_reported_and_kept(transactions, column, value, check):
    found = inspect(with_value(transactions, column, value))
    assert [result.check for result in found.report.failures] == [check]
    assert found.quarantined.empty and not found.report.has_errors


def test_all_reasons_of_a_row_are_given(transactions):
    table = with_value(transactions, "amount", -1)
    table.loc[3, "currency"] = "??"
    assert inspect(table).quarantined["reasons"].tolist() == ["currency_unknown; amount_negative"]


def test_a_missing_column_fails_every_row_and_is_named(transactions):
    found = inspect(transactions.drop(columns="currency"))
    assert found.report.accepted == 0
    assert set(found.quarantined["reasons"]) == {"missing_column:currency"}


def test_copies_go_after_the_first_and_conflicts_go_all(transactions):
    copy, conflict = transactions.iloc[[2]], transactions.iloc[[5]].assign(amount=1.23)
    found = inspect(pd.concat([transactions, copy, conflict], ignore_index=True))
    reasons = found.quarantined["reasons"].to_dict()
    n = len(transactions)
    assert reasons == {5: "duplicate_conflicting", n: "duplicate_exact", n + 1: "duplicate_conflicting"}


def test_against_what_is_stored_only_new_rows_are_judged(transactions):
    changed = transactions.head(2).assign(amount=9.99)
    new = pd.concat([changed, transactions.iloc[2:4]], ignore_index=True)
    found = inspect(new, stored=transactions.head(3))
    assert found.quarantined["reasons"].tolist() == ["duplicate_conflicting"] * 2 + ["duplicate_exact"]
    assert found.accepted["transaction_id"].tolist() == [transactions["transaction_id"][3]]


@pytest.mark.parametrize("column", ["transaction_id", "user_id", "currency", "country", "device_type", "event_time"])
def test_a_card_number_is_never_repeated_wherever_it_stands(transactions, column):
    found = inspect(with_value(transactions, column, CARD))
    assert found.report.quarantined == 1
    assert CARD not in str(found.report.as_dict())
    assert CARD not in found.quarantined.to_csv()


def test_hashes_and_wrong_check_digits_are_no_card_numbers(transactions):
    harmless = ["4111111111111112", "a4111111111111111b0c2d3e4f5a6b7c", "12345678-1234-4111-a111-111111111111"]
    for text in harmless:
        assert failed(with_value(transactions, "user_id", text)) == {}


VALUES = st.one_of(
    st.none(), st.text(max_size=20), st.integers(), st.floats(), st.booleans(), st.datetimes(), st.just(CARD)
)


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(st.integers(0, 7), st.sampled_from([*TRANSACTION_COLUMNS]), VALUES), max_size=12),
    st.sets(st.sampled_from([*TRANSACTION_COLUMNS]), max_size=2),
    st.booleans(),
)
def test_every_row_is_accepted_or_quarantined_whatever_comes(eight_rows, changes, dropped, doubled):
    table = eight_rows.astype(object)
    for row, column, value in changes:
        table.at[row, column] = value
    table = table.drop(columns=list(dropped))
    if doubled:
        table = pd.concat([table, table])
    found = inspect(table)
    both = [*found.accepted.index, *found.quarantined.index]
    assert sorted(both) == list(range(len(table)))
    assert found.report.accepted == len(found.accepted) and found.report.quarantined == len(found.quarantined)
    assert (found.quarantined["reasons"].str.len() > 0).all()
    assert not found.accepted["transaction_id"].duplicated().any()
    assert np.isfinite(found.accepted["amount"]).all()
    again = inspect(found.accepted)
    assert again.report.quarantined == 0
    assert CARD not in found.quarantined.to_csv()
