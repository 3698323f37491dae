"""Whether groups of card holders are treated alike: approvals and false alarms by group.

Demographics never enter a feature; here they are only compared with outcomes. A difference says that
groups are treated differently, not why: amounts, countries and hours differ between groups too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.evaluate.bootstrap import Interval
from fraudkit.evaluate.segments import wilson_interval

ATTRIBUTES = ("age_band", "gender", "income_band")
MIN_LEGITIMATE = 100


@dataclass(frozen=True, slots=True)
class GroupRates:
    """One group. `approval_rate` is over all its rows, `false_positive_rate` over legitimate ones.

    `is_counted` is False where there are fewer legitimate rows than the minimum; such a group is
    shown but takes no part in the disparity.
    """

    value: str
    rows: int
    legitimate: int
    approval_rate: Interval | None
    false_positive_rate: Interval | None
    is_counted: bool


@dataclass(frozen=True, slots=True)
class Disparity:
    """One attribute: its groups, and how far the extremes lie apart (None with fewer than two groups).

    `approval_ratio` is the least approval rate over the largest (1 is equal; below 0.8 many
    regulators ask why); `fpr_ratio` the largest false-positive rate over the least, None where the
    least is zero; the differences are largest less least.
    """

    attribute: str
    groups: tuple[GroupRates, ...]
    approval_ratio: float | None
    approval_difference: float | None
    fpr_ratio: float | None
    fpr_difference: float | None


def audit(
    y_true: np.ndarray,
    flagged: np.ndarray,
    attributes: Mapping[str, np.ndarray],
    min_legitimate: int = MIN_LEGITIMATE,
) -> tuple[Disparity, ...]:
    """Compare groups.

    Parameters
    ----------
    y_true : 0/1 or bool of shape (n,)
    flagged : bool of shape (n,), transactions that were not approved
    attributes : name to values of shape (n,), compared as strings
    min_legitimate : legitimate rows below which a group is not counted

    Returns
    -------
    one Disparity an attribute, groups by sorted value

    Raises
    ------
    InvalidInput
        Lengths differ or there is no row.
    """
    fraud, stopped = np.asarray(y_true, dtype=bool), np.asarray(flagged, dtype=bool)
    if fraud.shape != stopped.shape or fraud.ndim != 1 or not fraud.size:
        raise InvalidInput(f"y_true {fraud.shape} and flagged {stopped.shape} must be of one shape (n,) with n > 0")
    for name, values in attributes.items():
        if np.shape(values) != fraud.shape:
            raise InvalidInput(f"attribute {name!r} has shape {np.shape(values)}; it needs {fraud.shape}")
    return tuple(_disparity(name, values, fraud, stopped, min_legitimate) for name, values in attributes.items())


def _disparity(name: str, values: np.ndarray, fraud: np.ndarray, stopped: np.ndarray, minimum: int) -> Disparity:
    known, code = np.unique(np.asarray(values).astype(str), return_inverse=True)

    def count(mask: np.ndarray) -> list[int]:
        return np.bincount(code[mask], minlength=len(known)).tolist()

    everyone = np.ones_like(fraud)
    table = zip(known.tolist(), count(everyone), count(~stopped), count(~fraud), count(stopped & ~fraud), strict=True)
    groups = tuple(
        GroupRates(value, rows, legitimate, wilson_interval(approved, rows), wilson_interval(wrong, legitimate),
                   legitimate >= minimum)
        for value, rows, approved, legitimate, wrong in table
    )  # fmt: skip
    counted = [group for group in groups if group.is_counted]
    approval = [group.approval_rate.estimate for group in counted if group.approval_rate]
    wrong = [group.false_positive_rate.estimate for group in counted if group.false_positive_rate]
    several = len(counted) > 1
    return Disparity(
        attribute=name,
        groups=groups,
        approval_ratio=min(approval) / max(approval) if several and max(approval) else None,
        approval_difference=max(approval) - min(approval) if several else None,
        fpr_ratio=max(wrong) / min(wrong) if several and len(wrong) > 1 and min(wrong) else None,
        fpr_difference=max(wrong) - min(wrong) if several and len(wrong) > 1 else None,
    )
