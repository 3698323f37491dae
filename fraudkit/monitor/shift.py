"""Whether the share of flagged payments has changed, and by how much for certain.

A share of few payments moves by itself: three flagged payments a day change by more than 20 % on
most days. What is watched is therefore the change that remains at the cautious end of its interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, sqrt

from fraudkit.core.errors import InvalidInput

CERTAINTY = 3.0  # standard errors; about one false alarm in 370 independent looks


@dataclass(frozen=True, slots=True)
class ShareShift:
    """A share now and before; `change` is now / before - 1, `certain` the change that is no accident, >= 0.

    `expected` is the number of flagged payments that the earlier share would have brought.
    """

    now: float
    before: float
    change: float
    certain: float
    expected: float


def share_shift(flagged: int, payments: int, flagged_before: int, payments_before: int) -> ShareShift:
    """Compare two shares by the logarithm of their ratio; half an event is added to each count.

    A fall by a factor counts as much as a rise by it: `certain` is 0.2 for a ratio of 1.2 and of 1/1.2.

    Raises
    ------
    InvalidInput
        A count is negative, more are flagged than there are payments, or a period has no payment.

    Examples
    --------
    >>> share_shift(300, 10_000, 100, 10_000).certain > 0.2
    True
    >>> share_shift(6, 500, 3, 500).certain
    0.0
    """
    counts = (flagged, payments, flagged_before, payments_before)
    if min(counts) < 0 or flagged > payments or flagged_before > payments_before or not payments * payments_before:
        raise InvalidInput(f"flagged and payments now and before are {counts}; give 0..payments, and payments above 0")
    now, before = (flagged + 0.5) / (payments + 1), (flagged_before + 0.5) / (payments_before + 1)
    error = sqrt((1 - now) / (flagged + 0.5) + (1 - before) / (flagged_before + 0.5))
    ratio = log(now / before)
    certain = exp(max(abs(ratio) - CERTAINTY * error, 0.0)) - 1
    return ShareShift(now, before, exp(ratio) - 1, certain, before * payments)
