"""From score and rules to an action, by published thresholds.

The policy knows scores and hits, not features or models. The policy that minimises money instead is
in fraudkit.rules.cost_policy.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, fields
from itertools import pairwise

import numpy as np

from fraudkit.core.decision import Action
from fraudkit.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Policy:
    """Thresholds on the fraud score, and what to do without one.

    Attributes
    ----------
    decline_above : a score above it declines; exactly at it does not
    review_above : a score above it goes to review; exactly at it does not
    new_review_above : takes its place for card holders who are new, of whom little can be known
    degraded_review_above : takes its place where a store or a model is away and the score rests on less
    fallback_cap_usd : largest amount that is approved where nothing could score; above it, review
    version : from 1, raised with every change

    Raises
    ------
    InvalidInput
        The thresholds are not 0 <= degraded_review_above <= new_review_above <= review_above <= decline_above
        <= 1, the cap is negative or not finite, or the version is below 1.
    """

    decline_above: float = 0.9
    review_above: float = 0.5
    new_review_above: float = 0.4
    degraded_review_above: float = 0.2
    fallback_cap_usd: float = 200.0
    version: int = 1

    def __post_init__(self) -> None:
        rising = ("degraded_review_above", "new_review_above", "review_above", "decline_above")
        values = [getattr(self, name) for name in rising]
        if not all(low <= high for low, high in pairwise([0.0, *values, 1.0])):
            named = ", ".join(f"{name}={value}" for name, value in zip(rising, values, strict=True))
            raise InvalidInput(f"thresholds {named} are not in rising order between 0 and 1")
        if not (math.isfinite(self.fallback_cap_usd) and self.fallback_cap_usd >= 0.0):
            raise InvalidInput(f"fallback_cap_usd={self.fallback_cap_usd} is not an amount; give 0 or more")
        if self.version < 1:
            raise InvalidInput(f"version={self.version} is below 1; count policies from 1")

    def decide(
        self,
        fraud_score: float | None,
        decisive_hit: bool = False,
        amount_usd: float = math.nan,
        degraded: bool = False,
        is_new: bool = False,
    ) -> Action:
        """The action for one transaction.

        Parameters
        ----------
        fraud_score : in 0..1, or None where nothing could score
        decisive_hit : whether a decisive rule fired; it declines whatever the score
        amount_usd : used only without a score; unknown (NaN) counts as above the cap
        degraded : whether the score was made without a store or a model
        is_new : whether the card holder is new

        Raises
        ------
        InvalidInput
            The score is NaN or outside 0..1.

        Examples
        --------
        >>> DEFAULT_POLICY.decide(0.9)
        <Action.REVIEW: 'REVIEW'>
        """
        if decisive_hit:
            return Action.DECLINE
        if fraud_score is None:
            return Action.APPROVE_FALLBACK if amount_usd <= self.fallback_cap_usd else Action.REVIEW
        if not 0.0 <= fraud_score <= 1.0:
            raise InvalidInput(f"fraud_score={fraud_score} is not in 0..1; pass None where nothing could score")
        if fraud_score > self.decline_above:
            return Action.DECLINE
        return Action.REVIEW if fraud_score > self.reviewed_above(degraded, is_new) else Action.APPROVE

    def reviewed_above(self, degraded: bool, is_new: bool) -> float:
        """The threshold of review in this state."""
        if degraded:
            return self.degraded_review_above
        return self.new_review_above if is_new else self.review_above

    def decide_many(self, fraud_score: np.ndarray, decisive_hit: np.ndarray) -> np.ndarray:
        """Actions of many scored transactions.

        Parameters
        ----------
        fraud_score : float of shape (n,), in 0..1
        decisive_hit : bool of shape (n,)

        Returns
        -------
        str of shape (n,), values of Action

        Raises
        ------
        InvalidInput
            The shapes differ, or a score is NaN or outside 0..1.
        """
        if fraud_score.shape != decisive_hit.shape:
            raise InvalidInput(f"fraud_score {fraud_score.shape} and decisive_hit {decisive_hit.shape} differ in shape")
        if not np.all((fraud_score >= 0.0) & (fraud_score <= 1.0)):
            raise InvalidInput("a fraud_score is NaN or outside 0..1; decide rows without a score one by one")
        return np.select(
            [decisive_hit | (fraud_score > self.decline_above), fraud_score > self.review_above],
            [Action.DECLINE.value, Action.REVIEW.value],
            Action.APPROVE.value,
        )

    def to_json(self) -> str:
        """The policy as JSON, the same bytes for the same policy."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Policy:
        """Read a policy from JSON; raises InvalidInput where fields are missing, unknown or wrong."""
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise InvalidInput(f"policy is not JSON: {error}") from error
        names = {field.name for field in fields(cls)}
        numbers = isinstance(data, dict) and all(type(value) in (int, float) for value in data.values())
        if not numbers or set(data) != names:
            raise InvalidInput(f"policy {data!r} cannot be read; it needs the numbers {', '.join(sorted(names))}")
        return cls(**data)

    def digest(self) -> str:
        """SHA-256 of the JSON, written into every decision."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()


DEFAULT_POLICY = Policy()
