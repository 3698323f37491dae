"""How good a policy is, from labels that its own decisions let through.

Whether a payment was fraud is seen where it was approved or reviewed, not where it was declined. Figures from what was
seen describe what was let through. Where a known share of the declines was let pass by a draw, each of those stands
for as many as its probability says: weights of one over it give back all payments that had a chance to be seen. What
had none (a hard rule, an amount above the cap) is counted and left out: nothing here knows what it was.

Weights are self-normalised (Hájek): every figure is a ratio of weighted sums. Intervals come from drawing whole card
holders.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.evaluate.bootstrap import Interval


@dataclass(frozen=True)
class Logged:
    """Decisions as a log has them; every array has shape (n,).

    Attributes
    ----------
    y_true : bool, fraud; read only where `seen`
    seen : bool, the label is known
    probability : of the label's being seen, 0..1, as decided before the draw; 0 where it never is
    flagged : bool, what the policy would have declined or reviewed without the draw
    amount_usd : float
    group : whose payments they are

    Raises
    ------
    InvalidInput
        Shapes differ, a probability is outside 0..1, or a label is seen that never should be.
    """

    y_true: np.ndarray
    seen: np.ndarray
    probability: np.ndarray
    flagged: np.ndarray
    amount_usd: np.ndarray
    group: np.ndarray

    def __post_init__(self) -> None:
        if len({len(getattr(self, column.name)) for column in fields(self)}) != 1:
            raise InvalidInput("the arrays of logged decisions differ in length; give one row a decision")
        if not np.all((self.probability >= 0) & (self.probability <= 1)):
            raise InvalidInput("a probability is outside 0..1; give that of the label's being seen")
        if (self.seen & (self.probability == 0)).any():
            raise InvalidInput("a label is seen whose probability is 0; its decision was not logged as it was taken")


@dataclass(frozen=True, slots=True)
class Estimates:
    """Figures of all payments that had a chance to be seen, each with its interval; None where a ratio has no base.

    Attributes
    ----------
    base_rate : share of frauds
    precision, recall : of flagging
    stopped_share : share of the frauds' amount that is flagged
    missed_usd : mean amount of fraud that is not flagged, US dollars a payment
    """

    base_rate: Interval | None
    precision: Interval | None
    recall: Interval | None
    stopped_share: Interval | None
    missed_usd: Interval | None


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Whether the weights can carry an estimate.

    Attributes
    ----------
    seen : labels
    effective : how many equally weighted labels they are worth, (sum w)² / sum w²
    effective_flagged : the same among the flagged alone, which is what precision rests on
    largest_weight : before clipping
    clipped : labels whose weight was cut
    out_of_reach : decisions whose label had no chance to be seen, and their amount
    """

    seen: int
    effective: float
    effective_flagged: float
    largest_weight: float
    clipped: int
    out_of_reach: int
    out_of_reach_usd: float


def weighted_estimates(
    logged: Logged,
    rng: np.random.Generator,
    *,
    largest_weight: float | None = None,
    resamples: int = 500,
    confidence: float = 0.95,
) -> tuple[Estimates, Diagnosis]:
    """Estimates by inverse propensity.

    Parameters
    ----------
    largest_weight : weights above it are cut to it, which trades variance for bias; None cuts none
    resamples : of whole groups

    Raises
    ------
    InvalidInput
        No label is seen, or largest_weight is below 1.

    Examples
    --------
    Half of the flagged are let pass; three of ten are fraud, and so are none of the others.

    >>> rows = np.arange(400)
    >>> flagged, seen = rows < 200, (rows >= 200) | (rows % 2 == 0)
    >>> chance = np.where(flagged, 0.5, 1.0)
    >>> log = Logged(flagged & (rows % 20 < 6), seen, chance, flagged, np.ones(400), rows)
    >>> found, _ = weighted_estimates(log, np.random.default_rng(0))
    >>> round(found.precision.estimate, 3), round(found.base_rate.estimate, 3)
    (0.3, 0.15)
    """
    if largest_weight is not None and largest_weight < 1.0:
        raise InvalidInput(f"largest_weight={largest_weight} is below 1, the weight of what is always seen")
    if not logged.seen.any():
        raise InvalidInput("no label is seen; wait until some have matured")
    full = np.zeros(len(logged.seen))
    full[logged.seen] = 1.0 / logged.probability[logged.seen]
    weight = full if largest_weight is None else np.minimum(full, largest_weight)
    estimates = _estimates(logged, weight, rng, resamples, confidence)
    never = logged.probability == 0
    return estimates, Diagnosis(
        seen=int(logged.seen.sum()),
        effective=_effective(weight),
        effective_flagged=_effective(weight[logged.flagged]),
        largest_weight=float(full.max()),
        clipped=int((full > weight).sum()),
        out_of_reach=int(never.sum()),
        out_of_reach_usd=float(logged.amount_usd[never].sum()),
    )


def naive_estimates(
    logged: Logged,
    rng: np.random.Generator,
    *,
    silence_is_legitimate: bool,
    resamples: int = 500,
    confidence: float = 0.95,
) -> Estimates:
    """What is read off without weights, of the same payments, to stand beside the weighted estimates.

    Parameters
    ----------
    silence_is_legitimate : count what was not seen as legitimate; else leave it out
    resamples, confidence : as `weighted_estimates`
    """
    counted = logged.probability > 0 if silence_is_legitimate else logged.seen
    return _estimates(logged, counted.astype(np.float64), rng, resamples, confidence)


def _estimates(
    logged: Logged, weight: np.ndarray, rng: np.random.Generator, resamples: int, confidence: float
) -> Estimates:
    """Every measure as a ratio of two weighted sums, on the data and on resamples of whole groups."""
    fraud = (logged.y_true & logged.seen).astype(np.float64)
    flag = logged.flagged.astype(np.float64)
    lost = fraud * logged.amount_usd
    _, code = np.unique(logged.group, return_inverse=True)
    groups = int(code.max()) + 1
    parts = (np.ones(len(weight)), fraud, flag, fraud * flag, lost, lost * flag)
    sums = np.stack([np.bincount(code, weight * part, groups) for part in parts], axis=1)
    drawn = np.stack([np.bincount(rng.integers(0, groups, groups), minlength=groups) @ sums for _ in range(resamples)])
    whole = sums.sum(axis=0)
    tail = (1.0 - confidence) / 2.0

    def ratio(of: int, over: int, less: int | None = None) -> Interval | None:
        totals = np.vstack([whole, drawn])
        above = totals[:, of] - (totals[:, less] if less is not None else 0.0)
        values = np.divide(above, totals[:, over], out=np.full(len(above), np.nan), where=totals[:, over] > 0)
        kept = values[1:][~np.isnan(values[1:])]
        if np.isnan(values[0]) or not len(kept):
            return None
        low, high = np.quantile(kept, [tail, 1.0 - tail])
        return Interval(float(values[0]), float(low), float(high))

    return Estimates(
        base_rate=ratio(1, 0),
        precision=ratio(3, 2),
        recall=ratio(3, 1),
        stopped_share=ratio(5, 4),
        missed_usd=ratio(4, 0, less=5),
    )


def _effective(weight: np.ndarray) -> float:
    square = float((weight**2).sum())
    return float(weight.sum()) ** 2 / square if square else 0.0
