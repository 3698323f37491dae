"""The decision contract: what the system answers for one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What happens to the payment."""

    DECLINE = "DECLINE"
    REVIEW = "REVIEW"
    APPROVE = "APPROVE"
    APPROVE_FALLBACK = "APPROVE_FALLBACK"  # approved because scoring failed, within the amount cap


@dataclass(frozen=True, slots=True)
class RuleHit:
    """A rule that fired: its id, the reason in words, and its confidence in 0..1."""

    rule_id: str
    reason: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Contribution:
    """One feature's share of a score, in log-odds; `words` is the sentence an analyst reads."""

    feature: str
    value: float
    log_odds: float
    words: str


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for one transaction.

    `fraud_score` is the ensemble's score in 0..1 (a rule's confidence where a rule decided), or
    None where nothing could score; `fraud_probability` is the calibrated score. `degraded` names
    the parts that did not take part; `is_new`, that the card holder is new and looked at more carefully.
    `explored`: it would have been declined and was let pass by a draw (fraudkit.rules.exploration). `propensity` is
    the probability, in 0..1, with which the action was taken: 1 where no draw was made.
    """

    transaction_id: str
    action: Action
    fraud_score: float | None
    fraud_probability: float | None
    rules: tuple[RuleHit, ...] = ()
    explanation: tuple[Contribution, ...] = ()
    degraded: tuple[str, ...] = ()
    is_new: bool = False
    explored: bool = False
    propensity: float = 1.0
