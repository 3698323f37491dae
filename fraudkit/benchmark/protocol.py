"""Folds on the time line: which rows are trained on, and which are tested.

    history | train | valid | delay | test

Labels of the delay have not arrived when testing begins. A card with a fraud in the training (or
validation) period is known to be compromised and leaves the test rows; so does, from a test day on,
a card with a fraud on the day whose labels have just arrived, `delay + 1` days before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from fraudkit.benchmark.settings import Protocol
from fraudkit.benchmark.table import Table
from fraudkit.core.errors import InvalidInput

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows of one fold, as positions in the table, int64.

    `removed` counts test-period rows of compromised cards that were left out.
    """

    name: str
    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    removed: int


def day_number(day: date) -> int:
    """Days since 1970.

    >>> day_number(date(1970, 1, 2))
    1
    """
    return (day - EPOCH).days


def reported_folds(table: Table, protocol: Protocol) -> list[Fold]:
    """The folds that are reported."""
    starts = (protocol.train_start,) if protocol.kind == "single" else protocol.test_starts
    return [make_fold(table, protocol, start) for start in starts if start is not None]


def validation_folds(table: Table, protocol: Protocol) -> list[Fold]:
    """The folds that settings are chosen on.

    Raises
    ------
    InvalidInput
        There are none, or one reaches into a reported test period.
    """
    if not protocol.validation_starts:
        raise InvalidInput("[protocol] validation_starts is empty; list first training days of folds to tune on")
    reported = (protocol.train_start,) if protocol.kind == "single" else protocol.test_starts
    length = timedelta(days=protocol.train_days + protocol.valid_days + protocol.delay_days)
    first_test = min(start for start in reported if start is not None) + length
    for start in protocol.validation_starts:
        if start + length + timedelta(days=protocol.test_days) > first_test:
            raise InvalidInput(f"validation fold {start} is tested after {first_test}, the first reported test day")
    return [make_fold(table, protocol, start) for start in protocol.validation_starts]


def make_fold(table: Table, protocol: Protocol, start: date) -> Fold:
    """The rows of the fold whose training begins on `start`.

    Raises
    ------
    InvalidInput
        A period has no rows, or training or test rows are of one class.
    """
    first = day_number(start)
    train_end = first + protocol.train_days
    valid_end = train_end + protocol.valid_days
    test_start = valid_end + protocol.delay_days
    history_start = first - protocol.history_days
    _check_inside(table, start, test_start, test_start + protocol.test_days)
    in_test = rows_of_days(table.day, test_start, test_start + protocol.test_days)
    test = in_test
    if protocol.remove_compromised:
        test = _without_compromised(table, in_test, first, valid_end, test_start)
    fold = Fold(
        name=start.isoformat(),
        train=rows_of_days(table.day, history_start, train_end),
        valid=rows_of_days(table.day, train_end, valid_end),
        test=test,
        removed=len(in_test) - len(test),
    )
    for name, rows in (("training", fold.train), ("test", fold.test)):
        frauds = int(table.is_fraud[rows].sum())
        if frauds in (0, len(rows)):
            raise InvalidInput(f"fold {start}: {name} has {frauds} frauds in {len(rows)} rows; take a longer period")
    return fold


def rows_of_days(day: np.ndarray, first: int, end: int) -> np.ndarray:
    """Positions of the rows with first <= day < end, in a table sorted by time."""
    return np.arange(np.searchsorted(day, first), np.searchsorted(day, end))


def _without_compromised(
    table: Table, in_test: np.ndarray, first: int, labelled_end: int, test_start: int
) -> np.ndarray:
    """Test rows whose card is not known to be compromised on that day."""
    frauds = np.flatnonzero(table.is_fraud)
    known = frauds[(table.day[frauds] >= first)]
    # The first day on which each card is known: training frauds before the test, later ones as they arrive.
    never = np.iinfo(np.int64).max
    known_from = np.full(int(table.user.max()) + 1, never)
    arrives = np.where(table.day[known] < labelled_end, test_start, test_start + table.day[known] - labelled_end + 1)
    np.minimum.at(known_from, table.user[known], arrives)
    return in_test[table.day[in_test] < known_from[table.user[in_test]]]


def _check_inside(table: Table, start: date, test_start: int, test_end: int) -> None:
    first, last = int(table.day[0]), int(table.day[-1])
    if day_number(start) < first or test_end - 1 > last or test_start > last:
        span = f"{EPOCH + timedelta(days=first)} to {EPOCH + timedelta(days=last)}"
        raise InvalidInput(
            f"fold {start} needs days up to {EPOCH + timedelta(days=test_end - 1)}, but the table spans {span}; "
            "change the start or the lengths under [protocol]"
        )
