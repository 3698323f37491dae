"""Folds: dates, the label delay, and compromised cards, against a plain day-by-day reading of the protocol."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from fraudkit.benchmark.protocol import day_number, make_fold, reported_folds, validation_folds
from fraudkit.benchmark.settings import Protocol
from fraudkit.benchmark.table import Table
from fraudkit.core.errors import InvalidInput

START = date(2018, 5, 1)
PROTOCOL = Protocol(kind="single", train_start=START)


def test_periods_follow_one_another_and_nothing_is_trained_on_after_the_split(table: Table) -> None:
    fold = make_fold(table, replace(PROTOCOL, valid_days=3, history_days=10), START)
    first = day_number(START)
    assert set(table.day[fold.train]) == set(range(first - 10, first + 7))
    assert set(table.day[fold.valid]) == set(range(first + 7, first + 10))
    assert set(table.day[fold.test]) <= set(range(first + 17, first + 24))


def test_every_training_label_has_arrived_when_testing_begins(table: Table) -> None:
    fold = make_fold(table, PROTOCOL, START)
    assert table.day[fold.train].max() + PROTOCOL.label_delay_days < table.day[fold.test].min()


def plain_test_rows(table: Table, first: int) -> list[int]:
    """The anchor's words, one day after the other, in sets."""
    fraud = table.is_fraud == 1
    known = set(table.user[fraud & (table.day >= first) & (table.day < first + 7)])
    rows: list[int] = []
    for d in range(7):
        today = first + 14 + d
        known |= set(table.user[fraud & (table.day == today - 8) & (table.day >= first)])
        rows += [int(row) for row in np.flatnonzero(table.day == today) if table.user[row] not in known]
    return rows


def test_compromised_cards_are_gone_from_the_day_on_which_they_are_known(table: Table) -> None:
    fold = make_fold(table, PROTOCOL, START)
    assert fold.test.tolist() == plain_test_rows(table, day_number(START))
    assert fold.removed > 0


def test_history_lengthens_training_and_leaves_the_test_rows_alone(table: Table) -> None:
    long = make_fold(table, replace(PROTOCOL, history_days=20), START)
    short = make_fold(table, PROTOCOL, START)
    assert len(long.train) > len(short.train)
    np.testing.assert_array_equal(long.test, short.test)


def test_cards_stay_when_removal_is_off(table: Table) -> None:
    fold = make_fold(table, replace(PROTOCOL, remove_compromised=False), START)
    assert fold.removed == 0
    assert len(fold.test) == np.isin(table.day, day_number(START) + 14 + np.arange(7)).sum()


def test_prequential_folds_test_the_weeks_that_are_listed(table: Table) -> None:
    starts = (date(2018, 5, 20), date(2018, 5, 13), date(2018, 5, 6))
    folds = reported_folds(table, Protocol(kind="prequential", test_starts=starts))
    assert [fold.name for fold in folds] == ["2018-05-20", "2018-05-13", "2018-05-06"]
    for start, fold in zip(starts, folds, strict=True):
        first = day_number(start + timedelta(days=14))
        assert (table.day[fold.test].min(), table.day[fold.test].max()) == (first, first + 6)


def test_a_validation_fold_may_not_reach_into_the_reported_test_days(table: Table) -> None:
    protocol = Protocol(kind="prequential", test_starts=(date(2018, 5, 13),), validation_starts=(date(2018, 5, 7),))
    with pytest.raises(InvalidInput, match="first reported test day"):
        validation_folds(table, protocol)
    assert validation_folds(table, replace(protocol, validation_starts=(date(2018, 5, 6),)))


@pytest.mark.parametrize("start", [date(2018, 3, 1), date(2018, 6, 5), date(2030, 1, 1)])
def test_a_fold_outside_the_data_is_told(table: Table, start: date) -> None:
    with pytest.raises(InvalidInput, match="the table spans 2018-04-01 to 2018-06-09"):
        make_fold(table, PROTOCOL, start)
