"""The policy that minimises expected money, on a calibrated probability and the amount.

It is right only as far as the probability is calibrated, and it counts no more than the costs it is
given: what a declined customer thinks is in `false_positive` or nowhere.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, fields, replace

import numpy as np

from fraudkit.core.decision import Action
from fraudkit.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Costs:
    """What outcomes cost, in US dollars.

    Attributes
    ----------
    false_positive : a legitimate payment declined
    false_negative : a fraud approved; None stands for the amount of the transaction itself
    review : one review. Below `false_positive`, or no review could ever pay
    review_catch : share of reviewed frauds that the analyst stops, 0..1

    Raises
    ------
    InvalidInput
        A cost is negative or not finite, or review_catch is outside 0..1.
    """

    false_positive: float = 2.0
    false_negative: float | None = 150.0
    review: float = 1.0
    review_catch: float = 1.0

    def __post_init__(self) -> None:
        for name in ("false_positive", "false_negative", "review"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0.0):
                raise InvalidInput(f"{name}={value} is not a cost; give 0 or more US dollars")
        if not 0.0 <= self.review_catch <= 1.0:
            raise InvalidInput(f"review_catch={self.review_catch} is not a share; give 0..1")

    def loss(self, amount: np.ndarray) -> np.ndarray:
        """Loss of each transaction (n,) if it is an approved fraud."""
        if self.false_negative is None:
            return np.asarray(amount, dtype=np.float64)
        return np.full(np.shape(amount), self.false_negative, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class CostPolicy:
    """Choose the cheapest of approve, review and decline.

    Attributes
    ----------
    costs : what outcomes cost
    min_review_saving : a review must save more than this, in expectation (US dollars). It is the
        price of the analysts' time: `with_alert_budget` sets it so that reviews fit their number
    version : from 1, raised with every change
    """

    costs: Costs = Costs()
    min_review_saving: float = 0.0
    version: int = 1

    def __post_init__(self) -> None:
        if not self.min_review_saving >= 0.0:
            raise InvalidInput(f"min_review_saving={self.min_review_saving} is not a saving; give 0 or more")
        if self.version < 1:
            raise InvalidInput(f"version={self.version} is below 1; count policies from 1")

    def expected_costs(self, fraud_probability: np.ndarray, amount: np.ndarray) -> np.ndarray:
        """Expected cost of approve, review and decline.

        Parameters
        ----------
        fraud_probability : float of shape (n,), calibrated, 0..1
        amount : float of shape (n,), US dollars, 0 or more

        Returns
        -------
        float64 of shape (n, 3), US dollars, columns approve, review, decline

        Raises
        ------
        InvalidInput
            Shapes differ, a probability is outside 0..1 or an amount negative or NaN.
        """
        p, usd = np.asarray(fraud_probability, dtype=np.float64), np.asarray(amount, dtype=np.float64)
        if p.ndim != 1 or p.shape != usd.shape:
            raise InvalidInput(f"fraud_probability {p.shape} and amount {usd.shape} must be of one shape (n,)")
        if not np.all((p >= 0.0) & (p <= 1.0)):
            raise InvalidInput("a fraud_probability is NaN or outside 0..1; calibrate the score first")
        if not np.all(np.isfinite(usd) & (usd >= 0.0)):
            raise InvalidInput("an amount is negative or not finite; convert amounts to US dollars first")
        approve = p * self.costs.loss(usd)
        review = self.costs.review + (1.0 - self.costs.review_catch) * approve
        return np.column_stack([approve, review, (1.0 - p) * self.costs.false_positive])

    def review_saving(self, fraud_probability: np.ndarray, amount: np.ndarray) -> np.ndarray:
        """What a review saves against the better of approve and decline, (n,), US dollars; may be negative."""
        expected = self.expected_costs(fraud_probability, amount)
        return np.minimum(expected[:, 0], expected[:, 2]) - expected[:, 1]

    def decide_many(self, fraud_probability: np.ndarray, amount: np.ndarray) -> np.ndarray:
        """The cheapest action of each transaction, str of shape (n,), values of Action.

        Where approve and decline cost the same, the customer gets the benefit of the doubt.

        Examples
        --------
        >>> CostPolicy(Costs(review=5.0)).decide_many(np.array([0.01, 0.02]), np.array([50.0, 50.0])).tolist()
        ['APPROVE', 'DECLINE']
        """
        expected = self.expected_costs(fraud_probability, amount)
        saving = np.minimum(expected[:, 0], expected[:, 2]) - expected[:, 1]
        return np.select(
            [saving > self.min_review_saving, expected[:, 2] < expected[:, 0]],
            [Action.REVIEW.value, Action.DECLINE.value],
            Action.APPROVE.value,
        )

    def with_alert_budget(
        self, fraud_probability: np.ndarray, amount: np.ndarray, n_days: int, alert_budget: int
    ) -> CostPolicy:
        """The policy whose reviews would have fitted the analysts on past transactions.

        Parameters
        ----------
        fraud_probability, amount : shape (n,), a past period, not the one that is measured
        n_days : days in that period
        alert_budget : reviews a day, on average

        Returns
        -------
        The same policy with the least `min_review_saving` at which at most
        ``alert_budget * n_days`` of these transactions are reviewed

        Raises
        ------
        InvalidInput
            n_days is below 1 or alert_budget below 0, or as `expected_costs`.
        """
        if n_days < 1 or alert_budget < 0:
            raise InvalidInput(f"n_days={n_days}, alert_budget={alert_budget}: give at least 1 day and 0 reviews")
        saving = np.sort(self.review_saving(fraud_probability, amount))[::-1]
        places = alert_budget * n_days
        # The first transaction that finds no place sets the price; ties with it stay out together.
        price = float(saving[places]) if places < len(saving) else 0.0
        return replace(self, min_review_saving=max(price, 0.0))

    def to_json(self) -> str:
        """The policy as JSON, the same bytes for the same policy."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> CostPolicy:
        """Read a policy from JSON; raises InvalidInput where fields are missing, unknown or wrong."""
        try:
            data = json.loads(text)
            if set(data) != {field.name for field in fields(cls)}:
                raise InvalidInput(
                    f"cost policy has the fields {sorted(data)}; it needs costs, min_review_saving, version"
                )
            return cls(**{**data, "costs": Costs(**data["costs"])})
        except (json.JSONDecodeError, TypeError) as error:
            raise InvalidInput(f"cost policy cannot be read: {error}; compare with CostPolicy().to_json()") from error

    def digest(self) -> str:
        """SHA-256 of the JSON."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()
