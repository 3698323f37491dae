"""From what was found of a batch to decisions: rules, policy and who is new. Pure: the same input, the same decisions.

The service decides with it, and whoever makes a logged decision again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fraudkit.core.decision import Action, Decision, RuleHit
from fraudkit.features.catalog import INDEX
from fraudkit.rules.policy import Policy
from fraudkit.rules.rule import RuleSet
from fraudkit.serve.assess import Assessment
from fraudkit.serve.intake import Intake
from fraudkit.serve.parts import FEATURE_STORE, NETWORK, TREES

# Without one of these a score rests on less than it should.
BEARING = frozenset({FEATURE_STORE, TREES, NETWORK})
NEW_ACCOUNT_DAYS = 30
_KNOWN, _AGE = INDEX["user_is_known"], INDEX["account_age_days"]


class Decider:
    """One rule set and one policy."""

    def __init__(self, rules: RuleSet, policy: Policy) -> None:
        self.rules = rules
        self.policy = policy
        self._decisive_ids = frozenset(rule.id for rule in rules if rule.decisive)

    def actions(self, intakes: Sequence[Intake], assessed: Assessment) -> list[Decision]:
        """Rules and policy on every row, without explanations; touches nothing."""
        hit: list[bool] = np.asarray(assessed.fired.any(axis=1)).tolist()
        scores, probability = _numbers(assessed.scores), _numbers(assessed.probability)
        is_new = self._new(assessed)
        degraded = not BEARING.isdisjoint(assessed.degraded)
        decisions = []
        for row, intake in enumerate(intakes):
            hits = self.rules.hits(assessed.fired[row]) if hit[row] else ()
            decisive = self.decisive(hits)
            score = scores[row]
            decisions.append(
                Decision(
                    transaction_id=intake.transaction.transaction_id,
                    action=self.policy.decide(score, decisive is not None, intake.amount_usd, degraded, is_new[row]),
                    fraud_score=score if decisive is None else decisive.confidence,
                    fraud_probability=probability[row],
                    rules=hits,
                    degraded=assessed.degraded,
                    is_new=is_new[row],
                )
            )
        return decisions

    def _new(self, assessed: Assessment) -> list[bool]:
        """Whether each card holder is new: unknown to a store that answered, or with a young account."""
        X = assessed.X
        if not assessed.has_history:
            return [False] * len(X)
        new: list[bool] = ((X[:, _KNOWN] == 0) | (X[:, _AGE] < NEW_ACCOUNT_DAYS)).tolist()
        return new

    def decisive(self, hits: tuple[RuleHit, ...]) -> RuleHit | None:
        """The first decisive rule that fired, in the set's order."""
        return next((hit for hit in hits if hit.rule_id in self._decisive_ids), None) if hits else None


def to_explain(decisions: Sequence[Decision]) -> list[int]:
    """Which decisions of a batch are explained: the flagged ones, where the score is one that the explainer knows."""
    if TREES in decisions[0].degraded or FEATURE_STORE in decisions[0].degraded:
        return []
    return [
        row
        for row, decision in enumerate(decisions)
        if decision.action in (Action.DECLINE, Action.REVIEW) and decision.fraud_probability is not None
    ]


def _numbers(values: np.ndarray) -> list[float | None]:
    """Scores as plain floats; None where one is NaN."""
    return [None if value != value else value for value in values.tolist()]
