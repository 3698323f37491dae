"""A world opened for work: its tables, its features, its periods.

Opening builds what is not there yet: the world is simulated once and the feature matrix replayed
once; both are kept under FRAUDKIT_HOME, so a second opening takes a moment. This module knows no
model; fraudkit.pipeline.training does.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from fraudkit.core.config import settings
from fraudkit.core.console import ProgressCallback, scaled
from fraudkit.core.errors import InvalidInput
from fraudkit.core.label import MATURITY_DAYS
from fraudkit.core.money import currencies
from fraudkit.evaluate.splits import Split, SplitConfig, time_split
from fraudkit.features.catalog import schema_hash
from fraudkit.lake import Lake
from fraudkit.lake.manifest import MANIFEST_NAME
from fraudkit.models.code_digest import code_digest
from fraudkit.simulate import WORLDS, WorldConfig, simulate

DEFAULT_SEED = 7


@dataclass(frozen=True)
class Workspace:
    """One world, opened. Rows of every array follow the order of `transactions`."""

    name: str
    config: WorldConfig
    lake: Lake

    @cached_property
    def transactions(self) -> pd.DataFrame:
        """All transactions in the order in which the system heard of them."""
        return self.lake.transactions()

    @cached_property
    def users(self) -> pd.DataFrame:
        """All card holders."""
        return self.lake.users()

    @cached_property
    def labels(self) -> pd.DataFrame:
        """All labels that will ever arrive; pass them through `labels_as_of` before learning from them."""
        return self.lake.labels()

    @cached_property
    def payments(self) -> pd.DataFrame:
        """Transactions with `amount_usd` and what really happened: `is_fraud`, `campaign`, `declined`."""
        truth = self.lake.truth().set_index("transaction_id").loc[self.transactions["transaction_id"]]
        rate = self.transactions["currency"].map(currencies()).astype("float64")
        return self.transactions.assign(
            amount_usd=(self.transactions["amount"] * rate).to_numpy(),
            **{name: truth[name].array for name in ("is_fraud", "campaign", "declined")},
        )

    @cached_property
    def y_true(self) -> np.ndarray:
        """What really happened, bool (n,). For measuring only."""
        return self.payments["is_fraud"].to_numpy()

    @cached_property
    def amount_usd(self) -> np.ndarray:
        """Amounts in US dollars, float64 (n,)."""
        return self.payments["amount_usd"].to_numpy()

    @cached_property
    def split(self) -> Split:
        """Training, validation and test rows with a gap of the label delay between them."""
        end = pd.Timestamp(self.config.end)
        lengths = SplitConfig(
            self.config.train_days, self.config.valid_days, self.config.label_delay_days, self.config.test_days
        )
        return time_split(
            self.transactions,
            self.labels,
            lengths,
            truth=self.lake.truth(),
            test_end=end,
            data_end=end + pd.Timedelta(days=MATURITY_DAYS),
        )

    def features(self, progress: ProgressCallback | None = None) -> np.ndarray:
        """The feature matrix, float32 (n, 143), read-only; replayed at the first call and kept on disk."""
        path = settings().home / "features" / self.name / f"{self._feature_key()}.npy"
        if not path.exists():
            from fraudkit.features.offline import replay

            X = replay(self.transactions, self.users, self.labels, progress=progress)
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}.partial")
            with partial.open("wb") as file:
                np.save(file, X)
            partial.replace(path)
            for other in path.parent.glob("*.npy"):
                if other != path:
                    other.unlink(missing_ok=True)  # of an earlier world or code: a gigabyte that nothing reads
        return np.load(path, mmap_mode="r")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the lake's manifest, which lists every file with its digest: equal for equal worlds."""
        return hashlib.sha256((self.lake.path / MANIFEST_NAME).read_bytes()).hexdigest()

    def _feature_key(self) -> str:
        """Changes with the world, the feature schema and the code that computes features."""
        return hashlib.sha256("".join((self.digest, schema_hash(), code_digest())).encode()).hexdigest()[:16]


def world_config(world: str, scale: float = 1.0) -> WorldConfig:
    """The configuration of a named world with `scale` times its card holders.

    Raises
    ------
    InvalidInput
        There is no such world.
    """
    if world not in WORLDS:
        raise InvalidInput(f"world {world!r} is unknown; choose one of {', '.join(WORLDS)}")
    config = WORLDS[world]
    return config if scale == 1.0 else replace(config, users=round(config.users * scale))


def world_folder(world: str, scale: float = 1.0, seed: int = DEFAULT_SEED) -> Path:
    """Where a world lies; the plain name is the default scale and seed."""
    plain = scale == 1.0 and seed == DEFAULT_SEED
    return settings().worlds / (world if plain else f"{world}-x{scale:g}-seed{seed}")


def open_workspace(
    world: str = "small",
    *,
    scale: float = 1.0,
    seed: int = DEFAULT_SEED,
    progress: ProgressCallback | None = None,
) -> Workspace:
    """Open a world, simulating it first where there is none.

    Parameters
    ----------
    world : "small" (seconds) or "reference" (about 1.75 million transactions)
    scale : share of the world's card holders, above 0
    seed : the world's seed; the same seed gives the same bytes
    progress : told how far building is
    """
    config = world_config(world, scale)
    folder = world_folder(world, scale, seed)
    if not folder.exists():
        made = simulate(config, np.random.default_rng(seed), progress=scaled(progress, 0.0, 0.5))
        Lake.write(folder, made, progress=scaled(progress, 0.5, 1.0))
    return Workspace(folder.name, config, Lake.open(folder))
