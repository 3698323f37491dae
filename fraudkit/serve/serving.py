"""What decides: a model, and the digests that tell it from every other.

Both change together when another version takes over, so they are one object that is swapped at
once; a batch reads it once and keeps to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from fraudkit.core.decision import Contribution
from fraudkit.serve.decisions import Context


class ScoredRows(Protocol):
    """Scores of n rows, float64 (n,)."""

    @property
    def ensemble(self) -> np.ndarray: ...

    @property
    def probability(self) -> np.ndarray: ...


class Model(Protocol):
    """Members that score alone and together, a model for when there is no history, and explanations."""

    def member(self, name: str, X: np.ndarray) -> np.ndarray: ...

    def combine(self, members: Mapping[str, np.ndarray]) -> ScoredRows: ...

    def score_alone(self, X: np.ndarray) -> ScoredRows: ...

    def explain(self, X: np.ndarray, top: int = 5) -> tuple[Contribution, ...]: ...


@dataclass(frozen=True, slots=True)
class Serving:
    """A model, its context, and the context's row in the decision database."""

    model: Model
    context: Context
    context_id: int
