"""Conditions over features, as data: comparisons joined by "all of" and "any of".

A condition is checked against the feature catalog when it is made, so a rule set that exists can be
evaluated. There is no negation (the operators come in pairs) and no arithmetic: what a rule needs
beyond a comparison belongs into a feature, where training sees it too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from fraudkit.core.errors import InvalidInput
from fraudkit.features.catalog import INDEX

# Position in this tuple is the code that the compiled form uses.
OPERATORS = (">", ">=", "<", "<=", "==", "!=")


@dataclass(frozen=True, slots=True)
class Compare:
    """`feature operator threshold`. A missing feature (NaN) satisfies no comparison, not even "!=".

    Raises
    ------
    InvalidInput
        The feature is not in the catalog, the operator not in OPERATORS, or the threshold not finite.

    Examples
    --------
    >>> str(Compare("user_txn_count_1h", ">", 20))
    'user_txn_count_1h > 20'
    """

    feature: str
    operator: str
    threshold: float

    def __post_init__(self) -> None:
        if self.feature not in INDEX:
            raise InvalidInput(f"feature {self.feature!r} is unknown; `fraudkit features list` names all {len(INDEX)}")
        if self.operator not in OPERATORS:
            raise InvalidInput(f"operator {self.operator!r} is unknown; use one of {' '.join(OPERATORS)}")
        if isinstance(self.threshold, bool) or not isinstance(self.threshold, (int, float)):
            raise InvalidInput(f"threshold {self.threshold!r} of {self.feature} is not a number; give one")
        if not math.isfinite(self.threshold):
            raise InvalidInput(f"threshold {self.threshold} of {self.feature} is not finite; give a number")

    def __str__(self) -> str:
        return f"{self.feature} {self.operator} {self.threshold:g}"


@dataclass(frozen=True, slots=True)
class AllOf:
    """True where every part is.

    Raises
    ------
    InvalidInput
        There is no part, or a part is no condition.
    """

    conditions: tuple[Condition, ...]

    def __post_init__(self) -> None:
        _check_parts("all", self.conditions)

    def __str__(self) -> str:
        return " and ".join(f"({part})" if isinstance(part, AnyOf) else str(part) for part in self.conditions)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True where at least one part is. Raises as AllOf does."""

    conditions: tuple[Condition, ...]

    def __post_init__(self) -> None:
        _check_parts("any", self.conditions)

    def __str__(self) -> str:
        return " or ".join(f"({part})" if isinstance(part, AllOf) else str(part) for part in self.conditions)


Condition = Compare | AllOf | AnyOf


def _check_parts(word: str, parts: tuple[Condition, ...]) -> None:
    if not parts:
        raise InvalidInput(f'"{word}" of no conditions has no meaning; give at least one')
    for part in parts:
        if not isinstance(part, (Compare, AllOf, AnyOf)):
            raise InvalidInput(f'{part!r} in "{word}" is not a condition; use Compare, AllOf or AnyOf')


def clauses(condition: Condition) -> tuple[tuple[Compare, ...], ...]:
    """The condition as alternatives, each a set of comparisons that must all hold.

    >>> a, b, c = (Compare("amount_usd", ">", x) for x in (1, 2, 3))
    >>> len(clauses(AllOf((a, AnyOf((b, c))))))
    2
    """
    if isinstance(condition, Compare):
        return ((condition,),)
    parts = [clauses(part) for part in condition.conditions]
    if isinstance(condition, AnyOf):
        return tuple(clause for part in parts for clause in part)
    return tuple(tuple(compare for clause in choice for compare in clause) for choice in product(*parts))


def to_data(condition: Condition) -> dict[str, Any]:
    """The condition as plain data, the inverse of `from_data`."""
    if isinstance(condition, Compare):
        return {"feature": condition.feature, "operator": condition.operator, "threshold": float(condition.threshold)}
    word = "all" if isinstance(condition, AllOf) else "any"
    return {word: [to_data(part) for part in condition.conditions]}


def from_data(data: Any) -> Condition:
    """Read a condition from plain data.

    Parameters
    ----------
    data : {"feature", "operator", "threshold"}, {"all": [...]} or {"any": [...]}

    Raises
    ------
    InvalidInput
        The data has another shape, or a comparison is not valid.
    """
    if isinstance(data, Mapping) and set(data) == {"feature", "operator", "threshold"}:
        return Compare(data["feature"], data["operator"], data["threshold"])
    for word, kind in (("all", AllOf), ("any", AnyOf)):
        if isinstance(data, Mapping) and set(data) == {word} and isinstance(data[word], (list, tuple)):
            return kind(tuple(from_data(part) for part in data[word]))
    raise InvalidInput(
        f"condition {data!r} cannot be read; "
        'use {"feature", "operator", "threshold"}, {"all": [...]} or {"any": [...]}'
    )
