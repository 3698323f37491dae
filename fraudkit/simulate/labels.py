"""Labels: who says what about a transaction, when, and how often they are wrong.

A chargeback takes 30 to 120 days, a user's report days, a review hours. Some fraud is never
reported, some reports are false and later reversed, some honest buyers charge back what they bought.
What the control declined never becomes a chargeback: nobody lost money, so nobody asks for it back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fraudkit.core.label import LabelSource
from fraudkit.simulate.people import DAY_MS
from fraudkit.simulate.rows import Rows
from fraudkit.simulate.trips import HOUR_MS

SOURCES = tuple(source.value for source in LabelSource)
USER_REPORT, MANUAL_REVIEW, CHARGEBACK = (SOURCES.index(source) for source in LabelSource)

CHARGEBACK_DAYS = (30.0, 120.0)
REPORT_DAYS = (0.5, 21.0)
REVIEW_HOURS = (0.5, 48.0)

CHARGED_BACK = 0.80  # of approved fraud
REPORTED = 0.35  # of approved fraud
REVIEWED_FRAUD = 0.10
REVIEWED_HONEST = 0.004
REVIEWED_DECLINED = 0.30
UNSEEN_BELOW_USD, UNSEEN = 5.0, 0.35  # small sums that nobody notices on the statement
REVIEW_MISSES_FRAUD, REVIEW_BLAMES_HONEST = 0.06, 0.02
FALSE_REPORT, FALSE_REPORT_REVERSED = 0.0003, 0.85
FRIENDLY_FRAUD = 0.0002


@dataclass(frozen=True, slots=True)
class LabelRows:
    """Labels as arrays of shape (n,): `row` in the transactions, `known_ms`, `source` in SOURCES, `is_fraud`."""

    row: np.ndarray
    known_ms: np.ndarray
    source: np.ndarray
    is_fraud: np.ndarray


def label_rows(rows: Rows, known_ms: np.ndarray, was_declined: np.ndarray, rng: np.random.Generator) -> LabelRows:
    """Every label that ever arrives, sorted by arrival.

    Parameters
    ----------
    rows : transactions; `known_ms` (n,) when each was heard of; `was_declined` (n,) bool
    """
    streams = rng.spawn(3)
    fraud = rows.campaign > 0
    parts = [
        _reviews(fraud, was_declined, known_ms, streams[0]),
        *_customers(rows, fraud & ~was_declined, known_ms, streams[1]),
        *_mistakes(rows, ~fraud & ~was_declined, known_ms, streams[2]),
    ]
    merged = LabelRows(*(np.concatenate([part[column] for part in parts]) for column in range(4)))
    order = np.lexsort((merged.source, merged.row, merged.known_ms))
    return LabelRows(*(getattr(merged, name)[order] for name in ("row", "known_ms", "source", "is_fraud")))


Part = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _part(row: np.ndarray, known_ms: np.ndarray, source: int, is_fraud: np.ndarray | bool) -> Part:
    verdict = np.broadcast_to(np.asarray(is_fraud, dtype=bool), row.shape)
    return row, known_ms.astype(np.int64), np.full(len(row), source, dtype=np.int8), verdict


def _reviews(fraud: np.ndarray, was_declined: np.ndarray, known_ms: np.ndarray, rng: np.random.Generator) -> Part:
    """Analysts' verdicts on a share of what came in, wrong now and then."""
    n = len(fraud)
    chance = np.where(was_declined, REVIEWED_DECLINED, np.where(fraud, REVIEWED_FRAUD, REVIEWED_HONEST))
    row = np.flatnonzero(rng.random(n) < chance)
    wrong = rng.random(len(row)) < np.where(fraud[row], REVIEW_MISSES_FRAUD, REVIEW_BLAMES_HONEST)
    low, high = REVIEW_HOURS
    hours = low + (high - low) * rng.beta(1.3, 4.0, len(row))
    return _part(row, known_ms[row] + hours * HOUR_MS, MANUAL_REVIEW, fraud[row] ^ wrong)


def _customers(rows: Rows, lost: np.ndarray, known_ms: np.ndarray, rng: np.random.Generator) -> tuple[Part, Part]:
    """Card holders' reports and the chargebacks that follow, for fraud that went through."""
    row = np.flatnonzero(lost)
    row = row[~((rows.amount_usd[row] < UNSEEN_BELOW_USD) & (rng.random(len(row)) < UNSEEN))]
    reported = row[rng.random(len(row)) < REPORTED]
    charged = row[rng.random(len(row)) < CHARGED_BACK]
    return (
        _part(reported, _report_ms(rows, reported, known_ms, rng), USER_REPORT, True),
        _part(charged, _chargeback_ms(rows, charged, rng), CHARGEBACK, True),
    )


def _mistakes(rows: Rows, honest: np.ndarray, known_ms: np.ndarray, rng: np.random.Generator) -> tuple[Part, ...]:
    """Honest purchases called fraud: forgotten ones that are put right later, and friendly fraud that is not."""
    row = np.flatnonzero(honest)
    draw = rng.random(len(row))
    forgotten = row[draw < FALSE_REPORT]
    friendly = row[(draw >= FALSE_REPORT) & (draw < FALSE_REPORT + FRIENDLY_FRAUD)]
    reversed_ = forgotten[rng.random(len(forgotten)) < FALSE_REPORT_REVERSED]
    return (
        _part(forgotten, _report_ms(rows, forgotten, known_ms, rng), USER_REPORT, True),
        _part(reversed_, _chargeback_ms(rows, reversed_, rng), CHARGEBACK, False),
        _part(friendly, _chargeback_ms(rows, friendly, rng), CHARGEBACK, True),
    )


def _report_ms(rows: Rows, row: np.ndarray, known_ms: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    low, high = REPORT_DAYS
    days = low + (high - low) * rng.beta(1.2, 3.5, len(row))
    return np.maximum(rows.event_ms[row] + days * DAY_MS, known_ms[row] + HOUR_MS)


def _chargeback_ms(rows: Rows, row: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    low, high = CHARGEBACK_DAYS
    return rows.event_ms[row] + (low + (high - low) * rng.beta(1.4, 3.0, len(row))) * DAY_MS
