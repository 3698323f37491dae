"""Whether features are distributed as they were: Kolmogorov-Smirnov, false-discovery control and an effect size.

A p-value only says that a difference is no accident; with enough rows every difference is none. A
feature counts as drifted where the difference is certain (q, adjusted for the number of features
looked at) *and* large (distance and PSI). A missing value is a value of its own, below all others, so
that a lookup that stopped answering shows as drift.

Rows are taken as independent, and they are not: payments of a card resemble each other, and a rate that
is published at midnight is the same for everybody all day. So p is too small, and some features move every
day. Hand in `usual`, the distances that quiet days reached (fraudkit.monitor.drift_history): a feature then
has to move further than it ever did. This module does not know what a feature means, nor whether its drift
hurts the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import kolmogorov, xlogy
from scipy.stats import false_discovery_control

from fraudkit.core.errors import InvalidInput

PSI_BINS = 10
SAMPLE = 5_000  # rows of the reference; more would not move a quantile visibly and cost time at each run


@dataclass(frozen=True, slots=True)
class DriftLimits:
    """When a difference counts: certain, and large by both measures.

    Attributes
    ----------
    q_below : limit of the false-discovery rate, in (0, 1)
    distance : least Kolmogorov-Smirnov distance, 0..1
    psi : least population stability index; by custom 0.1 is worth a look and 0.25 worth an action
    margin : how many times its usual distance a feature has to move, where that is known
    min_rows : current rows below which nothing is judged

    Raises
    ------
    InvalidInput
        A limit is out of its range.
    """

    q_below: float = 0.01
    distance: float = 0.1
    psi: float = 0.1
    margin: float = 1.5
    min_rows: int = 200

    def __post_init__(self) -> None:
        shares = 0.0 < self.q_below < 1.0 and 0.0 <= self.distance <= 1.0
        if not shares or self.psi < 0.0 or self.margin < 1.0 or self.min_rows < 2:
            raise InvalidInput(
                f"{self}: give q_below in (0, 1), distance in 0..1, psi >= 0, margin >= 1 and min_rows >= 2"
            )


DEFAULT_LIMITS = DriftLimits()


@dataclass(frozen=True, slots=True)
class FeatureDrift:
    """One feature: KS distance and its p, q adjusted for all features, PSI, change of the share missing."""

    feature: str
    statistic: float
    p: float
    q: float
    psi: float
    missing_change: float
    drifted: bool


@dataclass(frozen=True, slots=True)
class DriftReport:
    """All features of one comparison, in the order of the reference's names."""

    features: tuple[FeatureDrift, ...]
    reference_rows: int
    current_rows: int
    enough: bool

    @property
    def drifted(self) -> tuple[FeatureDrift, ...]:
        """What counts as drifted, the largest PSI first."""
        return tuple(sorted((f for f in self.features if f.drifted), key=lambda f: (-f.psi, f.feature)))

    @property
    def below_p(self) -> int:
        """Features with p < 0.01: what a plain test would report."""
        return sum(f.p < 0.01 for f in self.features)

    def table(self) -> pd.DataFrame:
        """One row a feature, the largest distance first."""
        columns = {name: [getattr(f, name) for f in self.features] for name in FeatureDrift.__slots__}
        return pd.DataFrame(columns).sort_values(["statistic", "feature"], ascending=[False, True], ignore_index=True)


@dataclass(frozen=True, slots=True)
class DriftReference:
    """A sample that later rows are compared with, sorted once.

    Attributes
    ----------
    names : of the features
    columns : float64 (n_features, n_rows), each row rising; missing values are -inf
    edges : per feature the rising edges between the PSI's bins
    """

    names: tuple[str, ...]
    columns: np.ndarray
    edges: tuple[np.ndarray, ...]

    @classmethod
    def of(
        cls, X: np.ndarray, names: Sequence[str], rng: np.random.Generator, max_rows: int = SAMPLE
    ) -> DriftReference:
        """Take at most `max_rows` rows of X (n, n_features), drawn without replacement.

        Raises
        ------
        InvalidInput
            X is no table of these features, or holds fewer than two rows.
        """
        _check_shape(X, len(names))
        if len(X) < 2:
            raise InvalidInput(f"a reference of {len(X)} rows says nothing; take the rows of some days")
        rows = np.sort(rng.choice(len(X), max_rows, replace=False)) if len(X) > max_rows else slice(None)
        columns = _sorted_columns(np.asarray(X[rows]))
        return cls(tuple(names), columns, tuple(_edges(column) for column in columns))

    @property
    def rows(self) -> int:
        """Size of the sample."""
        return self.columns.shape[1]

    def compare(
        self, X: np.ndarray, limits: DriftLimits = DEFAULT_LIMITS, usual: np.ndarray | None = None
    ) -> DriftReport:
        """Compare current rows with the sample.

        Parameters
        ----------
        X : (n, n_features); NaN is a missing value
        limits : when a difference counts
        usual : (n_features,), distances that quiet periods of this length reach; None asks for no more than limits

        Raises
        ------
        InvalidInput
            X is no table of these features or is empty, or `usual` has another length.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> reference = DriftReference.of(rng.normal(size=(1000, 2)), ("same", "moved"), rng)
        >>> now = rng.normal(size=(1000, 2)) + [0.0, 1.0]
        >>> [feature.feature for feature in reference.compare(now).drifted]
        ['moved']
        """
        _check_shape(X, len(self.names))
        if not len(X):
            raise InvalidInput("there is no current row to compare; wait for payments")
        usual = np.zeros(len(self.names)) if usual is None else usual
        if usual.shape != (len(self.names),):
            raise InvalidInput(
                f"usual distances {usual.shape} do not fit {len(self.names)} features; measure them again"
            )
        current = _sorted_columns(np.asarray(X))
        statistic = np.array([ks_distance(a, b) for a, b in zip(self.columns, current, strict=True)])
        p = ks_p_value(statistic, self.rows, len(X))
        q = false_discovery_control(p)
        psi = np.array([_psi(a, b, e) for a, b, e in zip(self.columns, current, self.edges, strict=True)])
        missing = np.isneginf(current).mean(axis=1) - np.isneginf(self.columns).mean(axis=1)
        enough = len(X) >= limits.min_rows
        large = (statistic >= np.maximum(limits.distance, limits.margin * usual)) & (psi >= limits.psi)
        drifted = (q < limits.q_below) & large & enough
        parts = (statistic, p, q, psi, missing, drifted)
        rows = zip(self.names, *(part.tolist() for part in parts), strict=True)
        return DriftReport(tuple(FeatureDrift(*row) for row in rows), self.rows, len(X), enough)


def ks_distance(reference: np.ndarray, current: np.ndarray) -> float:
    """Largest distance of two empirical distribution functions, 0..1.

    Parameters
    ----------
    reference, current : rising, shapes (n,) and (m,), not empty

    Examples
    --------
    >>> ks_distance(np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.0, 4.0, 5.0, 6.0]))
    0.5
    """
    # Between two current values the current function is flat and the reference's rises, so the gap is largest
    # at a current value, after all ties have stepped, or just before one.
    gaps = []
    for side in ("right", "left"):
        below = np.searchsorted(reference, current, side=side) / len(reference)
        gaps.append(np.abs(below - np.searchsorted(current, current, side=side) / len(current)).max())
    return float(max(gaps))


def ks_p_value(statistic: np.ndarray, n: int, m: int) -> np.ndarray:
    """Two-sided p of KS distances (k,) between samples of n and m rows, by the limit distribution.

    With ties it is too large, that is, cautious.
    """
    return np.clip(kolmogorov(statistic * np.sqrt(n * m / (n + m))), 0.0, 1.0)


def _psi(reference: np.ndarray, current: np.ndarray, edges: np.ndarray) -> float:
    """Population stability index over the bins between `edges`; a bin that one side leaves empty holds half a row."""
    ends = [np.searchsorted(column, edges, side="right") for column in (reference, current)]
    before, now = (
        np.diff(end, prepend=0, append=len(column)) for end, column in zip(ends, (reference, current), strict=True)
    )
    used = (before > 0) | (now > 0)
    a = np.maximum(before[used], 0.5) / len(reference)
    b = np.maximum(now[used], 0.5) / len(current)
    return float(np.sum(xlogy(b - a, b / a)))


def _edges(column: np.ndarray) -> np.ndarray:
    """Upper edges of the bins of a rising column: missing, below all, at most PSI_BINS parts, (above all)."""
    places = (np.arange(1, PSI_BINS) * len(column)) // PSI_BINS
    outside = [-np.inf, np.nextafter(column[0], -np.inf), column[-1]]
    return np.unique(np.concatenate([column[places], outside]))


def _sorted_columns(X: np.ndarray) -> np.ndarray:
    """Columns of X as rows of float64, rising, missing values first as -inf."""
    columns = np.array(X.T, dtype=np.float64, order="C")
    columns[np.isnan(columns)] = -np.inf
    columns.sort(axis=1)
    return columns


def _check_shape(X: np.ndarray, n_features: int) -> None:
    if X.ndim != 2 or X.shape[1] != n_features:
        raise InvalidInput(f"rows of shape {X.shape} do not fit {n_features} features; hand in (n, {n_features})")
