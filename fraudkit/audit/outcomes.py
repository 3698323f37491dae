"""What became of archived decisions, and with what chance that could be seen.

A payment that was approved or reviewed shows what it was; one that was declined does not, unless the draw might have
let it pass (fraudkit.rules.exploration). Read from the replies as they were sent. Estimates are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import orjson
import pandas as pd

from fraudkit.core.clock import DAY_S, to_epoch_ms
from fraudkit.core.decision import Action
from fraudkit.core.decision_event import DecisionEvent
from fraudkit.core.label import MATURITY_DAYS, labels_as_of
from fraudkit.serve.rescore import intake_of

FLAGGED = (Action.DECLINE, Action.REVIEW)


def outcomes(events: Iterable[DecisionEvent], feedback: pd.DataFrame, moment: pd.Timestamp) -> dict[str, np.ndarray]:
    """Decisions that are MATURITY_DAYS old at `moment`, with the feedback that had arrived by then.

    Returns
    -------
    arrays of shape (n,), as fraudkit.evaluate.selective.Logged takes them: y_true, seen, probability, flagged,
    amount_usd, group
    """
    until_ms = to_epoch_ms(moment.to_pydatetime()) - MATURITY_DAYS * DAY_S * 1000
    known = labels_as_of(feedback, moment)
    frauds = set(known.loc[known["is_fraud"], "transaction_id"])
    rows = [_row(event, frauds) for event in events if event.decided_at_ms <= until_ms]
    names = ("y_true", "seen", "probability", "flagged", "amount_usd", "group")
    types = (bool, bool, np.float64, bool, np.float64, np.str_)
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return {name: np.array(column, dtype=of) for name, column, of in zip(names, columns, types, strict=True)}


def _row(event: DecisionEvent, frauds: set[str]) -> tuple[bool, bool, float, bool, float, str]:
    reply, intake = orjson.loads(event.reply), intake_of(event)
    explored, taken = bool(reply.get("explored", False)), float(reply.get("propensity", 1.0))
    is_declined = event.action == Action.DECLINE
    return (
        event.transaction_id in frauds,
        not is_declined,
        1.0 - taken if is_declined else taken,
        explored or event.action in FLAGGED,
        intake.amount_usd,
        intake.transaction.user_id,
    )
