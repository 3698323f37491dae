"""A rule and a set of rules: typed, versioned data with a digest, evaluated on feature vectors.

A rule knows nothing of thresholds or actions beyond whether it is decisive; what a hit leads to is
the policy's business (fraudkit.rules.policy).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fraudkit.core.decision import RuleHit
from fraudkit.core.errors import InvalidInput
from fraudkit.rules.compiled import Program, compile_conditions, run
from fraudkit.rules.condition import Condition, from_data, to_data

_FIELDS = ("id", "version", "reason", "confidence", "decisive", "condition")


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes
    ----------
    id : lower-case words joined by underscores, stable over versions
    version : from 1, raised when the condition or the confidence changes
    reason : what an analyst and the card holder's bank read
    confidence : in (0, 1), how sure a hit is taken to be
    decisive : whether a hit declines by itself
    condition : over catalog features

    Raises
    ------
    InvalidInput
        A field is out of its range.
    """

    id: str
    version: int
    reason: str
    confidence: float
    decisive: bool
    condition: Condition

    def __post_init__(self) -> None:
        if not isinstance(self.id, str) or not re.fullmatch(r"[a-z][a-z0-9_]*", self.id):
            raise InvalidInput(f"rule id {self.id!r} is not lower-case words joined by underscores; rename it")
        if isinstance(self.version, bool) or not isinstance(self.version, int) or self.version < 1:
            raise InvalidInput(f"version {self.version!r} of rule {self.id} is not a whole number from 1")
        if not isinstance(self.reason, str) or not self.reason.strip():
            raise InvalidInput(f"rule {self.id} gives no reason; say in words why it fires")
        if not isinstance(self.confidence, (int, float)) or not 0.0 < self.confidence < 1.0:
            raise InvalidInput(
                f"confidence {self.confidence!r} of rule {self.id} is not between 0 and 1, both excluded"
            )
        if not isinstance(self.decisive, bool):
            raise InvalidInput(f"decisive {self.decisive!r} of rule {self.id} is not true or false")

    def to_data(self) -> dict[str, Any]:
        """The rule as plain data."""
        return {name: getattr(self, name) for name in _FIELDS[:-1]} | {"condition": to_data(self.condition)}

    @classmethod
    def from_data(cls, data: Any) -> Rule:
        """Read a rule from plain data; raises InvalidInput where fields are missing, unknown or wrong."""
        if not isinstance(data, Mapping) or set(data) != set(_FIELDS):
            raise InvalidInput(f"rule {data!r} cannot be read; it needs exactly the fields {', '.join(_FIELDS)}")
        return cls(**{**data, "condition": from_data(data["condition"])})


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Rules in order of precedence.

    Raises
    ------
    InvalidInput
        There is no rule, or two have the same id.

    Examples
    --------
    >>> from fraudkit.rules.catalog import RULES
    >>> RuleSet.from_json(RULES.to_json()).digest() == RULES.digest()
    True
    """

    rules: tuple[Rule, ...]
    _program: Program = field(init=False, repr=False, compare=False)
    _log_doubt: np.ndarray = field(init=False, repr=False, compare=False)
    _decisive: np.ndarray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        ids = [rule.id for rule in self.rules]
        twice = sorted({rule_id for rule_id in ids if ids.count(rule_id) > 1})
        if twice or not ids:
            raise InvalidInput(f"rule ids {twice} occur twice; rename one" if twice else "a rule set needs a rule")
        object.__setattr__(self, "_program", compile_conditions([rule.condition for rule in self.rules]))
        object.__setattr__(self, "_log_doubt", np.log1p([-rule.confidence for rule in self.rules]))
        object.__setattr__(self, "_decisive", np.array([rule.decisive for rule in self.rules]))

    def __len__(self) -> int:
        return len(self.rules)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __getitem__(self, rule_id: str) -> Rule:
        """The rule of that id; raises InvalidInput where there is none."""
        for rule in self.rules:
            if rule.id == rule_id:
                return rule
        raise InvalidInput(f"rule {rule_id!r} is unknown; use one of {', '.join(rule.id for rule in self.rules)}")

    def evaluate(self, X: np.ndarray) -> np.ndarray:
        """Which rules fire.

        Parameters
        ----------
        X : float32 of shape (n, 143), columns in catalog order

        Returns
        -------
        bool of shape (n, n_rules)

        Raises
        ------
        InvalidInput
            X has another shape.
        """
        return run(self._program, X)

    def decisive(self, fired: np.ndarray) -> np.ndarray:
        """Whether a decisive rule is among those fired: bool (n, n_rules) to bool (n,), or one row to one."""
        return (fired & self._decisive).any(axis=-1)

    def hits(self, fired_row: np.ndarray) -> tuple[RuleHit, ...]:
        """The hits of one row of `evaluate` (n_rules,), in the set's order."""
        return tuple(
            RuleHit(rule.id, rule.reason, float(rule.confidence))
            for rule, fired in zip(self.rules, fired_row.tolist(), strict=True)
            if fired
        )

    def score(self, fired: np.ndarray) -> np.ndarray:
        """Rules-only score: the chance that at least one fired rule is right, were they independent.

        Noisy-or, 1 - product(1 - confidence). They are not independent, so this ranks; it is no
        probability.

        Parameters
        ----------
        fired : bool of shape (n, n_rules)

        Returns
        -------
        float64 of shape (n,), in 0..1, 0 where nothing fired
        """
        return 0.0 - np.expm1(fired.astype(np.float64) @ self._log_doubt)  # 0.0 - 0.0 is 0.0, -0.0 would print

    def to_json(self) -> str:
        """The set as JSON, the same bytes for the same rules."""
        return json.dumps({"rules": [rule.to_data() for rule in self.rules]}, indent=2, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> RuleSet:
        """Read a set from JSON; raises InvalidInput where it is not valid JSON or a rule is wrong."""
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise InvalidInput(f"rules are not JSON: {error}; compare with `fraudkit rules list --json`") from error
        if not isinstance(data, dict) or set(data) != {"rules"} or not isinstance(data["rules"], list):
            raise InvalidInput('rules cannot be read; the document is {"rules": [...]}')
        return cls(tuple(Rule.from_data(rule) for rule in data["rules"]))

    def digest(self) -> str:
        """SHA-256 of the JSON, written into every decision."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()
