"""A rule set as flat arrays and the loop that evaluates them, for one row in microseconds.

Thresholds are rounded to float32 because features are float32: a feature written as 0.9 must not be
greater than a threshold written as 0.9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numba
import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.features.catalog import INDEX, N_FEATURES
from fraudkit.rules.condition import OPERATORS, Condition, clauses


@dataclass(frozen=True, slots=True)
class Program:
    """Comparisons of all clauses of all rules in order.

    clause_ends[c] is one past the last comparison of clause c; rule_ends[r] one past the last
    clause of rule r.
    """

    feature: np.ndarray  # (n_comparisons,) int64
    operator: np.ndarray  # (n_comparisons,) int64, position in OPERATORS
    threshold: np.ndarray  # (n_comparisons,) float32
    clause_ends: np.ndarray  # (n_clauses,) int64
    rule_ends: np.ndarray  # (n_rules,) int64


def compile_conditions(conditions: Sequence[Condition]) -> Program:
    """Flatten one condition a rule."""
    alternatives = [clauses(condition) for condition in conditions]
    comparisons = [compare for rule in alternatives for clause in rule for compare in clause]
    return Program(
        np.array([INDEX[compare.feature] for compare in comparisons], dtype=np.int64),
        np.array([OPERATORS.index(compare.operator) for compare in comparisons], dtype=np.int64),
        np.array([compare.threshold for compare in comparisons], dtype=np.float32),
        np.cumsum([len(clause) for rule in alternatives for clause in rule], dtype=np.int64),
        np.cumsum([len(rule) for rule in alternatives], dtype=np.int64),
    )


@numba.njit(cache=True, nogil=True)
def _holds(value, operator, threshold):  # type: ignore[no-untyped-def]
    if operator == 0:
        return value > threshold
    if operator == 1:
        return value >= threshold
    if operator == 2:
        return value < threshold
    if operator == 3:
        return value <= threshold
    if operator == 4:
        return value == threshold
    return value != threshold and not np.isnan(value)


@numba.njit(cache=True, nogil=True)
def _evaluate(X, feature, operator, threshold, clause_ends, rule_ends, fired):  # type: ignore[no-untyped-def]
    for row in range(X.shape[0]):
        comparison = 0
        clause = 0
        for rule in range(rule_ends.shape[0]):
            found = False
            while clause < rule_ends[rule]:
                holds = not found
                while holds and comparison < clause_ends[clause]:
                    holds = _holds(X[row, feature[comparison]], operator[comparison], threshold[comparison])
                    comparison += 1
                comparison = clause_ends[clause]
                found = found or holds
                clause += 1
            fired[row, rule] = found


def run(program: Program, X: np.ndarray) -> np.ndarray:
    """Which rules fire on X of shape (n, 143): bool of shape (n, n_rules).

    Raises
    ------
    InvalidInput
        X is not a table of 143 columns.
    """
    if X.ndim != 2 or X.shape[1] != N_FEATURES:
        raise InvalidInput(f"X has shape {X.shape}; rules need (n, {N_FEATURES}), columns in catalog order")
    if X.dtype != np.float32 or not X.flags.c_contiguous:
        X = np.ascontiguousarray(X, dtype=np.float32)
    fired = np.empty((X.shape[0], program.rule_ends.shape[0]), dtype=np.bool_)
    _evaluate(X, program.feature, program.operator, program.threshold, program.clause_ends, program.rule_ends, fired)
    return fired
