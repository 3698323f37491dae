"""How good the decisions were, on payments whose labels have had time to arrive.

A payment is judged when it is old enough for silence to mean "legitimate". Judging it earlier, with
silence read as legitimate, makes precision look bad, and judging only what has a label makes the
share of fraud look high. It does not know what a declined payment would have become: no chargeback
follows it, so it reads as legitimate unless somebody reviewed it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fraudkit.core.errors import InvalidInput
from fraudkit.core.label import MATURITY_DAYS, labels_as_of
from fraudkit.evaluate.auc_bootstrap import auc_interval
from fraudkit.evaluate.bootstrap import Interval
from fraudkit.evaluate.fairness import Disparity, audit
from fraudkit.evaluate.segments import wilson_interval

COLUMNS = ("transaction_id", "event_time", "fraud_score", "flagged")
RESAMPLES = 200


@dataclass(frozen=True, slots=True)
class OnlinePerformance:
    """Figures of the payments of one period, as known at `moment`.

    None stands where the rows do not allow a figure: no fraud, no flagged payment, or one class only.
    """

    moment: pd.Timestamp
    rows: int
    frauds: int
    flagged: int
    auc: Interval | None
    precision: Interval | None
    recall: Interval | None


def judged(
    decisions: pd.DataFrame,
    labels: pd.DataFrame,
    moment: pd.Timestamp,
    *,
    maturity_days: float = MATURITY_DAYS,
    window_days: float | None = None,
) -> pd.DataFrame:
    """The payments that can be judged at `moment`, with their labels as known then.

    Parameters
    ----------
    decisions : transaction_id, event_time, fraud_score (NaN where nothing scored), flagged; other columns are kept
    labels : LABEL_COLUMNS
    moment : UTC
    maturity_days : age from which silence means legitimate; 0 shows what happens without waiting
    window_days : only payments of the last so many days before that age; None takes all

    Returns
    -------
    the rows of `decisions` that are old enough, with a bool column `is_fraud`

    Raises
    ------
    InvalidInput
        A column is missing or maturity_days is negative.
    """
    lacking = [name for name in COLUMNS if name not in decisions]
    if lacking or maturity_days < 0:
        raise InvalidInput(f"decisions lack {lacking}, maturity_days={maturity_days}: give all columns and 0 or more")
    end = moment - pd.Timedelta(days=maturity_days)
    old = decisions["event_time"] <= end
    if window_days is not None:
        old &= decisions["event_time"] > end - pd.Timedelta(days=window_days)
    known = labels_as_of(labels, moment)
    frauds = known.loc[known["is_fraud"], "transaction_id"]
    chosen = decisions[old]
    return chosen.assign(is_fraud=chosen["transaction_id"].isin(frauds).to_numpy(dtype=bool))


def online_performance(
    rows: pd.DataFrame, moment: pd.Timestamp, rng: np.random.Generator, resamples: int = RESAMPLES
) -> OnlinePerformance:
    """AUC, precision and recall of judged rows, each with a 95 % interval.

    Parameters
    ----------
    rows : from `judged`; with a column `user_id` whole cards are drawn for the interval of the AUC
    rng : source of the resamples
    """
    fraud, flagged = rows["is_fraud"].to_numpy(bool), rows["flagged"].to_numpy(bool)
    caught = int((fraud & flagged).sum())
    return OnlinePerformance(
        moment=moment,
        rows=len(rows),
        frauds=int(fraud.sum()),
        flagged=int(flagged.sum()),
        auc=_auc(rows[rows["fraud_score"].notna()], rng, resamples),
        precision=wilson_interval(caught, int(flagged.sum())),
        recall=wilson_interval(caught, int(fraud.sum())),
    )


def fairness(rows: pd.DataFrame, attributes: Mapping[str, np.ndarray]) -> tuple[Disparity, ...]:
    """Approvals and false alarms of judged rows by group, with intervals; attributes name values (n,).

    Raises
    ------
    InvalidInput
        As `fraudkit.evaluate.fairness.audit`.
    """
    return audit(rows["is_fraud"].to_numpy(bool), rows["flagged"].to_numpy(bool), attributes)


def _auc(scored: pd.DataFrame, rng: np.random.Generator, resamples: int) -> Interval | None:
    score = scored["fraud_score"].to_numpy(np.float64)
    group = scored["user_id"].to_numpy() if "user_id" in scored else np.arange(len(scored))
    return auc_interval(scored["is_fraud"].to_numpy(bool), score, group, rng, resamples)
