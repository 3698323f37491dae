"""From what was found of a batch to decisions: rules, policy and who is new. Pure: the same input, the same decisions.

The service decides with it, and whoever makes a logged decision again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from fraudkit.core.decision import Action, Decision, RuleHit
from fraudkit.features.catalog import INDEX
from fraudkit.rules.exploration import Exploration
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
    """One rule set and one policy; with an `exploration`, a share of the declines is let pass."""

    def __init__(self, rules: RuleSet, policy: Policy, exploration: Exploration | None = None) -> None:
        self.rules = rules
        self.policy = policy
        self.exploration = exploration
        self._decisive_ids = frozenset(rule.id for rule in rules if rule.decisive)

    def actions(self, intakes: Sequence[Intake], assessed: Assessment) -> list[Decision]:
        """Rules and policy on every row, without explanations; touches nothing."""
        hit: list[bool] = np.asarray(assessed.fired.any(axis=1)).tolist()
        scores, probability = _numbers(assessed.scores), _numbers(assessed.probability)
        is_new = self._new(assessed)
        decisions = []
        for row, intake in enumerate(intakes):
            lacking = assessed.lacking(row)
            degraded = not BEARING.isdisjoint(lacking)
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
                    degraded=lacking,
                    is_new=is_new[row],
                )
            )
        if self.exploration is None:
            return decisions
        return [self._explored(d, intake, self.exploration) for d, intake in zip(decisions, intakes, strict=True)]

    def policy_digest(self) -> str:
        """The digest of all that turns score and rules into an action."""
        digest = self.policy.digest()
        return digest if self.exploration is None else self.exploration.joined(digest)

    def _explored(self, decision: Decision, intake: Intake, exploration: Exploration) -> Decision:
        """The decision, let pass where it is a decline, may be, and the draw says so."""
        if decision.action is not Action.DECLINE or not BEARING.isdisjoint(decision.degraded):
            return decision
        decisive = (hit.rule_id for hit in decision.rules if hit.rule_id in self._decisive_ids)
        if not exploration.is_eligible(intake.amount_usd, decisive):
            return decision
        if exploration.lets_pass(decision.transaction_id):
            return replace(decision, action=Action.APPROVE, explored=True, propensity=exploration.share)
        return replace(decision, propensity=1.0 - exploration.share)

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
    return [
        row
        for row, decision in enumerate(decisions)
        if decision.action in (Action.DECLINE, Action.REVIEW)
        and decision.fraud_probability is not None
        and TREES not in decision.degraded
        and FEATURE_STORE not in decision.degraded
    ]


def _numbers(values: np.ndarray) -> list[float | None]:
    """Scores as plain floats; None where one is NaN."""
    return [None if value != value else value for value in values.tolist()]
