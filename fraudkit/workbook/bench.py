"""A built world on the bench: its payments, features, periods and fitted models, so that one part can be exchanged.

Nothing is kept on disk. A world is opened once a process; what a seam does not ask for is not computed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from fraudkit.core.config import settings
from fraudkit.core.errors import NotReady
from fraudkit.core.label import MATURITY_DAYS
from fraudkit.core.money import currencies
from fraudkit.evaluate.splits import Split, SplitConfig, time_split
from fraudkit.features.catalog import FEATURE_NAMES, INDEX
from fraudkit.features.offline import replay
from fraudkit.lake import Lake
from fraudkit.lake.manifest import MANIFEST_NAME
from fraudkit.models.params import TrainingParams
from fraudkit.models.train_boosting import train_boosting
from fraudkit.models.trees import Trees
from fraudkit.rules.catalog import RULES

# Small trees: seconds instead of a minute, and near enough to the full ones to compare with.
LIGHT = TrainingParams(n_estimators=120, max_depth=4, learning_rate=0.1, stopping_rounds=15)
SEED = 7
# Columns a plain model can do something with; the full catalog would take a hand-written one minutes.
PLAIN_FEATURES = (
    "amount_usd", "amount_to_mean_30d", "amount_deviation", "user_txn_count_1h", "user_txn_count_24h",
    "user_small_count_24h", "distance_from_home_km", "speed_from_last_kmh", "new_device", "new_ip", "new_country",
    "online_transaction", "ip_reputation", "device_age_hours", "merchant_fraud_rate_90d", "is_night",
)  # fmt: skip


@dataclass(frozen=True)
class Bench:
    """One world, opened. Rows of every array follow the order of `payments`."""

    world: str
    lake: Lake

    @cached_property
    def payments(self) -> pd.DataFrame:
        """All transactions in the order in which the system heard of them, with `amount_usd`."""
        table = self.lake.transactions()
        rate = table["currency"].map(currencies()).astype("float64")
        return table.assign(amount_usd=(table["amount"] * rate).to_numpy())

    @cached_property
    def labels(self) -> pd.DataFrame:
        """All labels that ever arrive."""
        return self.lake.labels()

    @cached_property
    def is_fraud(self) -> np.ndarray:
        """What really happened, bool (n,). For measuring only."""
        truth = self.lake.truth().set_index("transaction_id")["is_fraud"]
        return truth.loc[self.payments["transaction_id"]].to_numpy()

    @cached_property
    def amount_usd(self) -> np.ndarray:
        """Amounts in US dollars, float64 (n,)."""
        return self.payments["amount_usd"].to_numpy()

    @cached_property
    def event_seconds(self) -> np.ndarray:
        """When each payment took place, seconds since 1970, float64 (n,)."""
        return self.payments["event_time"].astype("datetime64[ms, UTC]").astype("int64").to_numpy() / 1000.0

    @cached_property
    def features(self) -> np.ndarray:
        """The feature matrix, float32 (n, 143)."""
        return replay(self.payments, self.lake.users(), self.labels)

    @cached_property
    def split(self) -> Split:
        """Training, validation and test rows, with the label delay between them."""
        config = self.lake.config
        train, valid, delay, test = (int(config[f"{part}_days"]) for part in ("train", "valid", "label_delay", "test"))
        lengths = SplitConfig(train, valid, delay, test)
        days = int(config["warmup_days"]) + train + valid + delay + test
        end = pd.Timestamp(config["start"]) + pd.Timedelta(days=days)
        data_end = end + pd.Timedelta(days=MATURITY_DAYS)
        return time_split(self.payments, self.labels, lengths, truth=self.lake.truth(), test_end=end, data_end=data_end)

    @cached_property
    def trees(self) -> Trees:
        """Boosted trees on every feature, smaller than those in production."""
        return self.fitted_trees(range(len(FEATURE_NAMES)))

    def fitted_trees(self, columns: range | list[int], rows: np.ndarray | None = None) -> Trees:
        """Boosted trees on some columns; `rows` are positions in the split's training rows, all by default."""
        split, rng = self.split, np.random.default_rng(SEED)
        chosen = np.arange(len(split.train)) if rows is None else rows
        train = np.ascontiguousarray(self.features[split.train[chosen]][:, list(columns)])
        valid = np.ascontiguousarray(self.features[split.valid][:, list(columns)])
        return train_boosting(train, split.y_train[chosen], valid, split.y_valid, rng, LIGHT)[0]

    @cached_property
    def test_scores(self) -> dict[str, np.ndarray]:
        """Scores of the test period by candidate, float64 in 0..1. The rules give many payments the same one."""
        X = np.ascontiguousarray(self.features[self.split.test])
        return {"boosted trees": self.trees.predict_score(X), "rules": RULES.score(RULES.evaluate(X))}

    def column(self, feature: str) -> np.ndarray:
        """One feature of every payment, float64 (n,)."""
        return self.features[:, INDEX[feature]].astype(np.float64)


def open_bench(world: str = "small") -> Bench:
    """The world of this name, as `fraudkit setup` has built it.

    Raises
    ------
    NotReady
        It is not built.
    """
    manifest = settings().worlds / world / MANIFEST_NAME
    if not manifest.is_file():
        there = sorted(path.parent.name for path in settings().worlds.glob(f"[!.]*/{MANIFEST_NAME}"))
        known = f"; worlds that are built: {', '.join(there)}" if there else ""
        raise NotReady(
            f"world {world!r} is not built{known}. Run `make lab`, or `fraudkit setup --world {world}`, and try again"
        )
    return _opened(manifest.parent, hashlib.sha256(manifest.read_bytes()).hexdigest())


@lru_cache(maxsize=1)
def _opened(folder: Path, digest: str) -> Bench:
    """The bench of a folder; a world that was built anew has another digest and is opened anew."""
    return Bench(folder.name, Lake.open(folder))
