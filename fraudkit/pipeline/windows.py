"""The periods of one daily run: training, validation, test, and the wait for labels after them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from fraudkit.core.label import MATURITY_DAYS

VALID_DAYS = 10  # stop the training and fit the calibration
TEST_DAYS = 30  # what the gate judges on: the latest payments whose labels have matured


@dataclass(frozen=True, slots=True)
class Windows:
    """The moments between the parts; `as_of` is when labels are read, MATURITY_DAYS after `test_end`."""

    train_start: pd.Timestamp
    valid_start: pd.Timestamp
    test_start: pd.Timestamp
    test_end: pd.Timestamp
    as_of: pd.Timestamp

    @classmethod
    def until(cls, as_of: pd.Timestamp, days: int) -> Windows:
        """The windows of a run: `days` of training, then validation, then test, all with matured labels."""
        ends = as_of - pd.Timedelta(days=MATURITY_DAYS)
        test = ends - pd.Timedelta(days=TEST_DAYS)
        valid = test - pd.Timedelta(days=VALID_DAYS)
        return cls(valid - pd.Timedelta(days=days), valid, test, ends, as_of)

    @classmethod
    def of(cls, step: Mapping[str, Any]) -> Windows:
        """As the extract step recorded them."""
        return cls(**{name: pd.Timestamp(text) for name, text in step["windows"].items()})

    def content(self) -> dict[str, str]:
        """As ISO 8601 texts."""
        return {name: moment.isoformat() for name, moment in asdict(self).items()}

    def parts(self) -> dict[str, tuple[pd.Timestamp, pd.Timestamp]]:
        """Start and end of train, valid and test."""
        return {
            "train": (self.train_start, self.valid_start),
            "valid": (self.valid_start, self.test_start),
            "test": (self.test_start, self.test_end),
        }


def days_needed(days: int) -> int:
    """How many days a run with `days` of training looks back over."""
    return days + VALID_DAYS + TEST_DAYS + MATURITY_DAYS
