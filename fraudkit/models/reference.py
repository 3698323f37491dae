"""What the training data looked like: the yardstick of drift and of the words in an explanation.

Per feature its quantiles, its share of missing values and its median, which stands in for a card
of which nothing is known. It keeps no row of the training data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from fraudkit.core.errors import CorruptArtefact

LEVELS = (0.0, 0.001, 0.01, *(round(0.05 * k, 2) for k in range(1, 20)), 0.99, 0.999, 1.0)
SAMPLE = 200_000  # rows that the quantiles are taken from; more would not move them visibly


@dataclass(frozen=True, slots=True)
class Reference:
    """Distribution of the training features and of the validation scores.

    Attributes
    ----------
    levels : (n_levels,) float64 in 0..1
    quantiles : (n_features, n_levels) float64; NaN for a feature that was always missing
    missing : (n_features,) float64, share of missing values
    defaults : (n_features,) float32, medians; NaN for a feature that was always missing
    score_quantiles : (n_levels,) float64 of the ensemble's score on the validation rows
    fraud_rate : share of frauds in the training rows
    """

    levels: np.ndarray
    quantiles: np.ndarray
    missing: np.ndarray
    defaults: np.ndarray
    score_quantiles: np.ndarray
    fraud_rate: float

    def content(self) -> dict[str, Any]:
        """As plain data, to be stored; NaN becomes null."""
        return {
            "levels": self.levels.tolist(),
            "quantiles": [_plain(row) for row in self.quantiles],
            "missing": self.missing.tolist(),
            "defaults": _plain(self.defaults),
            "score_quantiles": self.score_quantiles.tolist(),
            "fraud_rate": self.fraud_rate,
        }

    def rank(self, feature: int, value: float) -> tuple[float, float]:
        """Shares (below, above) of training rows whose feature was certainly below, above `value`.

        The shares are the nearest stored levels, so both are cautious: "more than in 99 %" is said
        only where the 99 % quantile lies below the value.
        """
        row = self.quantiles[feature]
        if not np.isfinite(value) or np.isnan(row).any():
            return 0.0, 0.0
        below = self.levels[row < value]
        above = 1.0 - self.levels[row > value]
        return (float(below[-1]) if below.size else 0.0), (float(above[0]) if above.size else 0.0)


def _plain(row: np.ndarray) -> list[float | None]:
    """Floats with null for NaN."""
    return [None if np.isnan(value) else float(value) for value in row]


def build_reference(X: np.ndarray, y: np.ndarray, validation_scores: np.ndarray, rng: np.random.Generator) -> Reference:
    """Measure training rows X (n, n_features) float32 without infinities, and validation scores (m,)."""
    levels = np.array(LEVELS)
    rows = X if len(X) <= SAMPLE else X[np.sort(rng.choice(len(X), SAMPLE, replace=False))]
    quantiles = np.full((X.shape[1], len(levels)), np.nan)
    missing = np.ones(X.shape[1])
    for j in range(X.shape[1]):
        column = rows[:, j].astype(np.float64)
        present = column[~np.isnan(column)]
        missing[j] = 1.0 - len(present) / len(column)
        if len(present):
            quantiles[j] = np.quantile(present, levels, method="inverted_cdf")
    return Reference(
        levels=levels,
        quantiles=quantiles,
        missing=missing,
        defaults=quantiles[:, LEVELS.index(0.5)].astype(np.float32),
        score_quantiles=np.quantile(validation_scores, levels),
        fraud_rate=float(np.mean(y)),
    )


def reference_from_content(content: dict[str, Any], n_features: int) -> Reference:
    """Rebuild from stored data.

    Raises
    ------
    CorruptArtefact
        A field is missing or has another length than the features.
    """
    try:
        reference = Reference(
            levels=np.array(content["levels"], dtype=np.float64),
            quantiles=np.array(content["quantiles"], dtype=np.float64),
            missing=np.array(content["missing"], dtype=np.float64),
            defaults=np.array(content["defaults"], dtype=np.float32),
            score_quantiles=np.array(content["score_quantiles"], dtype=np.float64),
            fraud_rate=float(content["fraud_rate"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CorruptArtefact(f"reference.json cannot be read ({error}); train again") from error
    if reference.quantiles.shape != (n_features, len(reference.levels)) or reference.defaults.shape != (n_features,):
        raise CorruptArtefact(f"reference.json does not describe {n_features} features; train again")
    return reference
