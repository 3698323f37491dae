"""The size, calendar and difficulty of a simulated world.

Knows numbers only; nothing here draws a random value.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fraudkit.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class WorldConfig:
    """What a world is made of.

    The days follow each other: warm-up (history only, so that windows are full), training,
    validation (early stopping and calibration), the label delay (nothing is learned from it,
    because its labels are still arriving), test.

    Attributes
    ----------
    name : what the world is called
    users : card holders
    start : first moment, UTC midnight
    warmup_days, train_days, valid_days, label_delay_days, test_days : lengths of the periods
    txn_per_user_day : mean transactions of a user a day, 0.05..1.5 (the online history keeps 64 events)
    fraud_rate : share of fraudulent transactions by count, 0.001..0.2
    stealth : share of fraud rows that copy the victim's own habits (amount, hour, merchant, place and,
        for part of them, device and address), 0..1. Higher makes fraud harder for every method.
    legit_oddness : factor on how often honest users do odd things (a device used once, a VPN, a burst,
        a big purchase, a night), 0..5, 1 is usual. Higher costs every method precision.
    late_share : share of card-present rows that arrive hours to days late, 0..1
    reputation_missing : share of addresses' look-ups that failed and left ip_reputation empty, 0..1
    """

    name: str
    users: int
    start: datetime = datetime(2025, 1, 1, tzinfo=UTC)
    warmup_days: int = 30
    train_days: int = 90
    valid_days: int = 10
    label_delay_days: int = 120
    test_days: int = 60
    txn_per_user_day: float = 0.9
    fraud_rate: float = 0.012
    stealth: float = 0.25
    legit_oddness: float = 1.0
    late_share: float = 0.005
    reputation_missing: float = 0.01

    def __post_init__(self) -> None:
        bounds: dict[str, tuple[float, float]] = {
            "users": (20, 1_000_000),
            "warmup_days": (1, 400),
            "train_days": (1, 800),
            "valid_days": (1, 400),
            "label_delay_days": (0, 400),
            "test_days": (1, 400),
            "txn_per_user_day": (0.05, 1.5),
            "fraud_rate": (0.001, 0.2),
            "stealth": (0, 1),
            "legit_oddness": (0, 5),
            "late_share": (0, 1),
            "reputation_missing": (0, 1),
        }
        for field, (low, high) in bounds.items():
            value = getattr(self, field)
            if not low <= value <= high:
                raise InvalidInput(f"{field}={value} is out of range; choose {low:g} to {high:g}")
        if self.start.tzinfo is None:
            raise InvalidInput(f"start={self.start} has no time zone; pass a datetime in UTC")

    @property
    def days(self) -> int:
        """Length of the world in days."""
        return self.warmup_days + self.train_days + self.valid_days + self.label_delay_days + self.test_days

    @property
    def train_start(self) -> datetime:
        """First moment of training; before it is warm-up."""
        return self.start + timedelta(days=self.warmup_days)

    @property
    def valid_start(self) -> datetime:
        """First moment of validation, end of training."""
        return self.train_start + timedelta(days=self.train_days)

    @property
    def valid_end(self) -> datetime:
        """End of validation, first moment of the label delay."""
        return self.valid_start + timedelta(days=self.valid_days)

    @property
    def test_start(self) -> datetime:
        """First moment of the test period."""
        return self.valid_end + timedelta(days=self.label_delay_days)

    @property
    def end(self) -> datetime:
        """First moment after the world."""
        return self.start + timedelta(days=self.days)


WORLDS: dict[str, WorldConfig] = {
    "small": WorldConfig("small", users=520),
    "reference": WorldConfig("reference", users=6_050),
}
