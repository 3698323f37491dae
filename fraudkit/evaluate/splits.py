"""Cut a history by time, leaving the gap in which labels arrive.

A model trained at a moment may use a transaction only if that moment knew its label. Silence becomes
"legitimate" only after `maturity_days`; younger silence is censored, that is, left out. Rows are placed
by `known_at`, the moment they could be scored.

Where the gap is shorter than maturity, recent frauds are in and recent silence is not, so the share
of fraud in training is above the true one: rank with such a model, but calibrate elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fraudkit.core.errors import InvalidInput
from fraudkit.core.label import MATURITY_DAYS, labels_as_of


@dataclass(frozen=True, slots=True)
class SplitConfig:
    """Lengths in days, in the order of time: train, valid, delay, test.

    Raises
    ------
    InvalidInput
        A length is negative, or train or test is zero.
    """

    train_days: int = 90
    valid_days: int = 10
    delay_days: int = MATURITY_DAYS
    test_days: int = 60
    maturity_days: int = MATURITY_DAYS

    def __post_init__(self) -> None:
        lengths = (self.valid_days, self.delay_days, self.maturity_days)
        if min(lengths) < 0 or min(self.train_days, self.test_days) < 1:
            raise InvalidInput(f"{self} has a negative length, or no day to train or test on")


@dataclass(frozen=True, slots=True)
class Split:
    """Rows and labels of each part.

    Attributes
    ----------
    train, valid, test : int64, row positions in the transactions table, rising
    y_train, y_valid : bool, labels as known at `training_moment`
    y_test : bool, labels as known at the end of all data
    test_is_mature : bool, whether a test row has a label or is old enough for silence to mean legitimate
    y_test_truth : bool, what really happened, where a simulator can tell; else None
    train_start, valid_start, gap_start, training_moment, test_end : the moments between the parts;
        the test begins at the training moment
    censored : rows of train and valid left out because their label was still open
    """

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray
    y_train: np.ndarray
    y_valid: np.ndarray
    y_test: np.ndarray
    test_is_mature: np.ndarray
    y_test_truth: np.ndarray | None
    train_start: pd.Timestamp
    valid_start: pd.Timestamp
    gap_start: pd.Timestamp
    training_moment: pd.Timestamp
    test_end: pd.Timestamp
    censored: int


def time_split(
    transactions: pd.DataFrame,
    labels: pd.DataFrame,
    config: SplitConfig = SplitConfig(),
    *,
    truth: pd.DataFrame | None = None,
    test_end: pd.Timestamp | None = None,
    data_end: pd.Timestamp | None = None,
) -> Split:
    """Cut one train, validation and test period.

    Parameters
    ----------
    transactions : table with transaction_id, event_time, known_at, in any order
    labels : table with LABEL_COLUMNS
    config : lengths of the parts
    truth : table with TRUTH_COLUMNS, measured on but never trained on
    test_end : end of the test period; default the midnight after the last event
    data_end : until when labels have been collected; default the last known_at of both tables

    Raises
    ------
    InvalidInput
        The history is too short: a part holds no row.
    """
    if transactions.empty:
        raise InvalidInput("there is no transaction to split; simulate or load a world first")
    last = transactions["event_time"].max()
    end = last.normalize() + pd.Timedelta(days=1) if test_end is None else test_end
    moment = end - pd.Timedelta(days=config.test_days)
    gap_start = moment - pd.Timedelta(days=config.delay_days)
    valid_start = gap_start - pd.Timedelta(days=config.valid_days)
    train_start = valid_start - pd.Timedelta(days=config.train_days)
    train_all, valid_all = (
        _between(transactions, train_start, valid_start),
        _between(transactions, valid_start, gap_start),
    )
    test = _between(transactions, moment, end)

    maturity = pd.Timedelta(days=config.maturity_days)
    y_train, known_train = _labels(transactions, train_all, labels, moment, maturity)
    y_valid, known_valid = _labels(transactions, valid_all, labels, moment, maturity)
    if data_end is None:
        ends = [transactions["known_at"].max(), labels["known_at"].max()]
        data_end = max(moment for moment in ends if not pd.isna(moment))
    y_test, test_is_mature = _labels(transactions, test, labels, data_end, maturity)
    train, valid = train_all[known_train], valid_all[known_valid]
    for name, rows, days in (("train", train, 1), ("valid", valid, config.valid_days), ("test", test, 1)):
        if days and not len(rows):
            raise InvalidInput(
                f"{name} holds no labelled row: data from {transactions['known_at'].min()} to {last}, "
                f"train from {train_start}, test {moment} to {end}; shorten the parts of {config}"
            )
    return Split(
        train=train,
        valid=valid,
        test=test,
        y_train=y_train[known_train],
        y_valid=y_valid[known_valid],
        y_test=y_test,
        test_is_mature=test_is_mature,
        y_test_truth=None
        if truth is None
        else _is_in(transactions, test, truth.loc[truth["is_fraud"], "transaction_id"]),
        train_start=train_start,
        valid_start=valid_start,
        gap_start=gap_start,
        training_moment=moment,
        test_end=end,
        censored=len(train_all) + len(valid_all) - len(train) - len(valid),
    )


def prequential_folds(
    transactions: pd.DataFrame,
    labels: pd.DataFrame,
    config: SplitConfig,
    *,
    n_folds: int = 4,
    step_days: int | None = None,
    truth: pd.DataFrame | None = None,
    test_end: pd.Timestamp | None = None,
    data_end: pd.Timestamp | None = None,
) -> tuple[Split, ...]:
    """The same split repeated, each fold `step_days` (default: test_days) earlier; the latest first.

    Other parameters and Raises : as `time_split`; n_folds and step_days are 1 or more
    """
    step = config.test_days if step_days is None else step_days
    if n_folds < 1 or step < 1:
        raise InvalidInput(f"n_folds={n_folds}, step_days={step}: give 1 or more of both")
    if transactions.empty:
        raise InvalidInput("there is no transaction to split; simulate or load a world first")
    end = transactions["event_time"].max().normalize() + pd.Timedelta(days=1) if test_end is None else test_end
    return tuple(
        time_split(
            transactions,
            labels,
            config,
            truth=truth,
            test_end=end - pd.Timedelta(days=step * fold),
            data_end=data_end,
        )
        for fold in range(n_folds)
    )


def settled_rows(
    transactions: pd.DataFrame,
    labels: pd.DataFrame,
    start: pd.Timestamp,
    end: pd.Timestamp,
    as_of: pd.Timestamp,
    maturity_days: int = MATURITY_DAYS,
) -> tuple[np.ndarray, np.ndarray]:
    """The rows of one window whose label was settled at a moment.

    Parameters
    ----------
    transactions, labels : as `time_split`
    start, end : the rows became known in [start, end)
    as_of : when the labels are read; nothing that arrived later counts
    maturity_days : age from which silence means legitimate

    Returns
    -------
    positions int64 (m,), rising, and labels bool (m,)
    """
    rows = _between(transactions, start, min(end, as_of))
    y, settled = _labels(transactions, rows, labels, as_of, pd.Timedelta(days=maturity_days))
    return rows[settled], y[settled]


def _between(transactions: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> np.ndarray:
    """Positions of the rows that became known in [start, end)."""
    known_at = transactions["known_at"]
    return np.flatnonzero(((known_at >= start) & (known_at < end)).to_numpy())


def _is_in(transactions: pd.DataFrame, rows: np.ndarray, ids: pd.Series) -> np.ndarray:
    return transactions["transaction_id"].iloc[rows].isin(ids).to_numpy(dtype=bool)


def _labels(
    transactions: pd.DataFrame, rows: np.ndarray, labels: pd.DataFrame, moment: pd.Timestamp, maturity: pd.Timedelta
) -> tuple[np.ndarray, np.ndarray]:
    """Label of each row as known at `moment`, and whether it is settled (labelled, or old enough)."""
    known = labels_as_of(labels, moment)
    is_fraud = _is_in(transactions, rows, known.loc[known["is_fraud"], "transaction_id"])
    old = (transactions["event_time"].iloc[rows] <= moment - maturity).to_numpy()
    return is_fraud, old | _is_in(transactions, rows, known["transaction_id"])
