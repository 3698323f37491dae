"""How many payments an experiment needs, and what looking early costs. Knows no experiment's content."""

from __future__ import annotations

from math import ceil

import numpy as np
from scipy.stats import norm

from fraudkit.core.errors import InvalidInput

PATHS = 400_000


def units_per_arm(control: float, treatment: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Units an arm for a two-sided test of two shares, by the normal approximation.

    Parameters
    ----------
    control, treatment : the shares to tell apart, each in 0..1
    alpha : chance of a false alarm
    power : chance of seeing the difference where it is there

    Raises
    ------
    InvalidInput
        The shares are equal or outside 0..1.

    Source
    ------
    Fleiss, Levin, Paik, Statistical Methods for Rates and Proportions, without continuity correction.

    >>> units_per_arm(0.5, 0.6)
    385
    """
    if not (0.0 < control < 1.0 and 0.0 < treatment < 1.0) or control == treatment:
        raise InvalidInput(f"shares {control} and {treatment} cannot be told apart; give two different ones in 0..1")
    spread = control * (1 - control) + treatment * (1 - treatment)
    return ceil((norm.ppf(1 - alpha / 2) + norm.ppf(power)) ** 2 * spread / (control - treatment) ** 2)


def units_not_worse(share: float, margin: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Units an arm to show that a share is worse by less than `margin`, one-sided, where it is equal in truth.

    Raises
    ------
    InvalidInput
        `share` is outside 0..1 or `margin` is not above 0.

    >>> units_not_worse(0.02, 0.001)
    242357
    """
    if not 0.0 < share < 1.0 or margin <= 0.0:
        raise InvalidInput(f"share {share} and margin {margin} make no test; give a share in 0..1 and a margin above 0")
    return ceil((norm.ppf(1 - alpha) + norm.ppf(power)) ** 2 * 2 * share * (1 - share) / margin**2)


def design_effect(units_per_cluster: float, correlation: float) -> float:
    """Factor on the sample where units come in clusters, such as the payments of one card holder.

    >>> round(design_effect(27, 0.02), 2)
    1.52
    """
    return 1.0 + (units_per_cluster - 1.0) * correlation


def false_alarms_with_peeking(looks: int, rng: np.random.Generator, alpha: float = 0.05) -> float:
    """Chance that a test without any effect is called significant at one of `looks` evenly spaced looks."""
    steps = rng.standard_normal((PATHS, looks)).cumsum(axis=1) / np.sqrt(np.arange(1, looks + 1))
    return float(np.mean((np.abs(steps) > norm.ppf(1 - alpha / 2)).any(axis=1)))


def bound_for_looks(looks: int, rng: np.random.Generator, alpha: float = 0.05) -> float:
    """The |z| that must be exceeded at the last of `looks` looks so that all of them together keep `alpha`.

    O'Brien and Fleming's bounds: look k of K needs this times sqrt(K / k).
    """
    steps = rng.standard_normal((PATHS, looks)).cumsum(axis=1) / np.sqrt(looks)
    return float(np.quantile(np.abs(steps).max(axis=1), 1 - alpha))
