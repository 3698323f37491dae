"""Sentences for an analyst, made from the catalog's meaning and unit and the feature's value.

    9 transactions in the last hour (this card's 30-day average: 0.1), more than 99 % of training
    transactions; raises the score

How unusual a value is comes from the training quantiles, and is only said of amounts, counts, times
and the like: that a category code is "high" means nothing. The words say what moved the score, not
that it caused a fraud.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from fraudkit.models.reference import Reference

if TYPE_CHECKING:
    from fraudkit.features.catalog import Feature

UNUSUAL = 0.9  # share of training rows that a value must exceed, or stay under, to be called unusual
UNRANKED = ("flag", "code", "angle")
WINDOWS = {
    "10m": "the last 10 minutes",
    "1h": "the last hour",
    "6h": "the last 6 hours",
    "24h": "the last 24 hours",
    "7d": "the last 7 days",
    "30d": "the last 30 days",
    "30 days": "the last 30 days",
}
DAYS_BEFORE = {"1d": "day", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
WINDOW_HOURS = {"10m": 1 / 6, "1h": 1.0, "6h": 6.0, "24h": 24.0, "7d": 168.0}
SINGULAR = {
    "transactions": "transaction",
    "merchants": "merchant",
    "categories": "category",
    "countries": "country",
    "devices": "device",
    "addresses": "address",
    "card holders": "card holder",
    "frauds": "fraud",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """Words for the columns `names`; a column that the catalog does not know is named as it is."""

    names: Sequence[str]
    reference: Reference
    _catalog: dict[str, Feature] = field(init=False)

    def __post_init__(self) -> None:
        from fraudkit.features.catalog import FEATURES  # here, because importing this module must stay cheap

        object.__setattr__(self, "_catalog", {feature.name: feature for feature in FEATURES})

    def sentence(self, j: int, row: np.ndarray, log_odds: float) -> str:
        """What column `j` of `row` (n_features,) says, how unusual that is, and which way it moved the score."""
        feature = self._catalog.get(self.names[j])
        value = float(row[j])
        if math.isnan(value):
            fact = f"{feature.meaning if feature else self.names[j]}: not known"
        elif feature is None:
            fact = f"{self.names[j]}: {number(value)}"
        else:
            fact = describe(feature, value) + self._usual(feature, row)
        ranked = feature is None or feature.measure not in UNRANKED
        rarity = self._rarity(j, value) if ranked else ""
        return f"{fact}{rarity}; {'raises' if log_odds > 0 else 'lowers'} the score"

    def _rarity(self, j: int, value: float) -> str:
        """How the value stands among the training rows, where that is worth a word."""
        below, above = self.reference.rank(j, value)
        if below >= UNUSUAL:
            return f", more than {share(min(below, 0.999))} of training transactions"
        if above >= UNUSUAL:
            return f", less than {share(min(above, 0.999))} of training transactions"
        return ""

    def _usual(self, feature: Feature, row: np.ndarray) -> str:
        """What this card does on average in such a window, from its own 30 days."""
        if feature.name == "amount_usd":
            other, factor = "user_amount_mean_30d", 1.0
        elif feature.entity == "user" and feature.measure in ("count", "sum") and feature.window in WINDOW_HOURS:
            other = feature.name.removesuffix(feature.window) + "30d"
            factor = WINDOW_HOURS[feature.window] / 720.0
        else:
            return ""
        if other not in self._catalog or other not in self.names:
            return ""
        average = float(row[list(self.names).index(other)]) * factor
        if math.isnan(average):
            return ""
        text = money(average) if feature.unit == "USD" else number(average)
        return f" (this card's 30-day average: {text})"


def describe(feature: Feature, value: float) -> str:
    """The fact that a value states, without judgement.

    >>> from fraudkit.features.catalog import FEATURES, INDEX
    >>> describe(FEATURES[INDEX["user_txn_count_1h"]], 9.0)
    '9 transactions in the last hour'
    """
    meaning = plain_windows(feature.meaning)
    if feature.measure == "flag":
        return f"{meaning}: {'yes' if value > 0.5 else 'no'}"
    if feature.measure in ("count", "distinct"):
        return f"{number(value)} {singular(meaning) if value == 1.0 else meaning}"
    if feature.unit == "USD":
        return f"{meaning}: {money(value)}"
    if feature.unit == "seconds":
        return f"{meaning}: {duration(value)}"
    if feature.unit == "0..1":
        return f"{meaning}: {share(value)}"
    if feature.unit in ("times", "km", "km/h", "hours", "days", "degrees", "standard deviations"):
        return f"{meaning}: {number(value)} {feature.unit}"
    return f"{meaning}: {number(value)}"


def plain_windows(meaning: str) -> str:
    """Spell windows out: "in 1h" becomes "in the last hour"."""
    text = re.sub(r"in the (\d+d) before", lambda m: f"in the {DAYS_BEFORE.get(m[1], m[1])} before", meaning)
    return re.sub(r"\bin (\d+ days|\d+[mhd])\b", lambda m: f"in {WINDOWS.get(m[1], m[1])}", text)


def singular(meaning: str) -> str:
    """The first counted noun in the singular."""
    for many, one in SINGULAR.items():
        if many in meaning:
            return meaning.replace(many, one, 1)
    return meaning


def number(value: float) -> str:
    """Three significant digits, whole numbers in full."""
    if not math.isfinite(value):
        return "infinite"
    if value == round(value) and abs(value) < 1e9:
        return f"{value:,.0f}"
    return f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.3g}"


def money(value: float) -> str:
    """US dollars and cents."""
    return f"${value:,.2f}" if math.isfinite(value) else "infinite"


def share(value: float) -> str:
    """A share of one as per cent, with as many digits as it needs."""
    return f"{100.0 * value:.3g} %"


def duration(seconds: float) -> str:
    """Seconds in the unit a person would use."""
    for limit, unit, size in ((120.0, "seconds", 1.0), (7200.0, "minutes", 60.0), (172_800.0, "hours", 3600.0)):
        if seconds < limit:
            return f"{number(round(seconds / size, 1))} {unit}"
    return f"{number(round(seconds / 86_400.0, 1))} days"
