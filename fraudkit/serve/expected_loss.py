"""What a payment is expected to cost if it is let through: the order in which analysts look."""

from __future__ import annotations

from fraudkit.core.decision import Decision


def expected_loss(decision: Decision, amount_usd: float) -> float:
    """US dollars: calibrated probability of fraud times amount.

    Where nothing gave a probability the score stands in for it, and where there is no score either, the whole
    amount is at stake.
    """
    probability = decision.fraud_probability if decision.fraud_probability is not None else decision.fraud_score
    return amount_usd if probability is None else probability * amount_usd
