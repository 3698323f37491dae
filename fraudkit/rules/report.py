"""What each rule does on labelled transactions.

The figures are of one period and one set of labels. A rule that declines hides the frauds it stops
from later labels, so its precision must be read from the truth or from a control group.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.rules.rule import RuleSet


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """One rule on n labelled transactions.

    Attributes
    ----------
    fired, frauds : transactions it fired on, and frauds among them
    only : frauds on which no other rule fired
    precision : frauds over fired, None where it never fired
    recall : frauds over all frauds, None where there is none
    alert_share : fired over all transactions
    """

    rule_id: str
    decisive: bool
    fired: int
    frauds: int
    only: int
    precision: float | None
    recall: float | None
    alert_share: float

    def to_data(self) -> dict[str, Any]:
        """The figures as plain data."""
        return asdict(self)


def report(rules: RuleSet, fired: np.ndarray, y_true: np.ndarray) -> tuple[RuleFigures, ...]:
    """Coverage and precision of each rule, in the set's order.

    Parameters
    ----------
    rules : the set that was evaluated
    fired : bool of shape (n, n_rules), from `rules.evaluate`
    y_true : of shape (n,), 1 or True for fraud

    Raises
    ------
    InvalidInput
        The shapes do not fit, or there is no row.
    """
    if fired.ndim != 2 or fired.shape != (len(y_true), len(rules)) or not len(y_true):
        raise InvalidInput(f"fired {fired.shape} does not fit {len(y_true)} labels and {len(rules)} rules")
    fraud = np.asarray(y_true, dtype=bool)
    n_fired, n_fraud = fired.sum(axis=0), (fired & fraud[:, None]).sum(axis=0)
    alone = (fired & (fraud & (fired.sum(axis=1) == 1))[:, None]).sum(axis=0)
    total = int(fraud.sum())
    return tuple(
        RuleFigures(
            rule_id=rule.id,
            decisive=rule.decisive,
            fired=int(n_fired[k]),
            frauds=int(n_fraud[k]),
            only=int(alone[k]),
            precision=float(n_fraud[k] / n_fired[k]) if n_fired[k] else None,
            recall=float(n_fraud[k] / total) if total else None,
            alert_share=float(n_fired[k] / len(fraud)),
        )
        for k, rule in enumerate(rules)
    )
