"""The columns a model sees: what the table can carry of the catalog, the label-delayed counts, the extra columns.

Computed once for each table and choice and kept under the settings' home, so that a second run
starts at the models. Rules are evaluated here, where all 143 features are at hand for a moment.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fraudkit.benchmark import delayed
from fraudkit.benchmark.settings import Settings
from fraudkit.benchmark.table import Table
from fraudkit.core.console import scaled
from fraudkit.core.errors import InvalidInput
from fraudkit.core.label import LabelSource
from fraudkit.features.catalog import FEATURES, INDEX, Feature
from fraudkit.models.code_digest import code_digest


@dataclass(frozen=True, slots=True)
class FeaturePlan:
    """Columns that will be made, and why the others will not.

    Attributes
    ----------
    catalog, delayed, extra : names by origin, in column order
    dropped : (feature, reason) of each catalog feature left out
    """

    catalog: tuple[str, ...]
    delayed: tuple[str, ...]
    extra: tuple[str, ...]
    dropped: tuple[tuple[str, str], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All column names in order."""
        return (*self.catalog, *self.delayed, *(f"extra:{name}" for name in self.extra))


@dataclass(frozen=True, slots=True)
class FeatureMatrix:
    """Columns X float32 (n, len(names)), and the rules-only score float32 (n,)."""

    names: tuple[str, ...]
    X: np.ndarray
    rule_score: np.ndarray
    cached: bool


def plan_features(table: Table, settings: Settings) -> FeaturePlan:
    """Decide which columns to make.

    Raises
    ------
    InvalidInput
        [features] catalog names a feature that does not exist or that the table cannot carry.
    """
    chosen = settings.features.catalog
    kept, dropped = [], []
    for feature in FEATURES:
        missing = _missing(feature, table)
        if missing:
            dropped.append((feature.name, f"needs {', '.join(missing)}"))
        elif chosen and feature.name not in chosen:
            dropped.append((feature.name, "not named under [features] catalog"))
        else:
            kept.append(feature.name)
    reasons = dict(dropped)
    for name in chosen:
        if name not in INDEX:
            raise InvalidInput(f"[features] catalog names {name!r}; `fraudkit features list` shows what there is")
        if name in reasons:
            raise InvalidInput(f"[features] catalog names {name!r}, which {reasons[name]}; leave it out")
    return FeaturePlan(tuple(kept), delayed.delayed_names(_windows(table, settings)), table.extra_names, tuple(dropped))


def _missing(feature: Feature, table: Table) -> list[str]:
    """What the feature needs and the table lacks; a history of users needs users."""
    needs = ("user_id", *feature.needs) if feature.entity == "user" else feature.needs
    return [name for name in needs if name not in table.carries]


def _windows(table: Table, settings: Settings) -> tuple[int, ...]:
    """Windows of the merchants' label-delayed counts; none without merchants."""
    return settings.features.delayed_days if "merchant_id" in table.carries else ()


def load_features(
    table: Table, settings: Settings, cache: Path, progress: Callable[[float, str], None] | None = None
) -> FeatureMatrix:
    """Columns for every row of the table, from the cache where the same were made before.

    Parameters
    ----------
    table : its content is part of the cache's key, as is the code that makes the columns
    cache : folder of all cached matrices
    """
    plan = plan_features(table, settings)
    folder = cache / _key(table, settings, plan)
    found = _read_cache(folder, plan, len(table.is_fraud))
    if found is not None:
        return found
    X, rule_score = compute_features(table, settings, plan, scaled(progress, 0.0, 0.97))
    scaled(progress, 0.97, 1.0)(0.0, "keeping them for the next run")
    _write_cache(folder, X, rule_score)
    return FeatureMatrix(plan.names, X, rule_score, cached=False)


def compute_features(
    table: Table, settings: Settings, plan: FeaturePlan, progress: Callable[[float, str], None] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """The planned columns (n, k) float32 and the rules' score (n,) float32."""
    from fraudkit.features.offline import replay
    from fraudkit.rules.catalog import RULES

    label_delay = settings.protocol.label_delay_days
    rows = table.transactions
    if "user_id" not in rows:  # histories of one transaction each
        rows = rows.assign(user_id=rows["transaction_id"])
    every = replay(rows, table.users, _labels(table, label_delay), progress=scaled(progress, 0.0, 0.85))
    scaled(progress, 0.85, 1.0)(0.0, "rules")
    rule_score = RULES.score(RULES.evaluate(every)).astype(np.float32)
    catalog = every[:, [INDEX[name] for name in plan.catalog]]
    del every
    scaled(progress, 0.85, 1.0)(0.5, "label-delayed counts")
    windows = _windows(table, settings)
    known = delayed.delayed_features(table.merchant, table.second, table.is_fraud, label_delay, windows)
    return np.column_stack([catalog, known, table.extra]), rule_score


def runnable_rules(plan: FeaturePlan, table: Table) -> tuple[list[str], list[str]]:
    """Rule ids that can fire on this table, and those that cannot because a feature stands at its default."""
    from fraudkit.rules.catalog import RULES
    from fraudkit.rules.condition import clauses

    carried = {feature.name for feature in FEATURES if not _missing(feature, table)}
    can: list[str] = []
    cannot: list[str] = []
    for rule in RULES:
        met = any(all(part.feature in carried for part in clause) for clause in clauses(rule.condition))
        (can if met else cannot).append(rule.id)
    return can, cannot


def _labels(table: Table, label_delay_days: int) -> pd.DataFrame:
    """Labels table: each fraud becomes known `label_delay_days` after its transaction did."""
    frauds = table.transactions.loc[table.is_fraud == 1, ["transaction_id", "event_time", "known_at"]]
    return frauds.assign(
        known_at=frauds["known_at"] + pd.Timedelta(days=label_delay_days),
        source=LabelSource.CHARGEBACK.value,
        is_fraud=True,
    )


def _key(table: Table, settings: Settings, plan: FeaturePlan) -> str:
    """Digest of everything that the columns depend on, the code included."""
    parts = (
        table.digest(),
        settings.protocol.label_delay_days,
        settings.features.delayed_days,
        plan.names,
        code_digest(),
        *(Path(file).read_text(encoding="utf-8") for file in (delayed.__file__, __file__)),
    )
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _read_cache(folder: Path, plan: FeaturePlan, rows: int) -> FeatureMatrix | None:
    """What was kept, or None where there is nothing whole. The folder appears in one step, so it is never half."""
    try:
        X = np.load(folder / "X.npy", allow_pickle=False)
        rule_score = np.load(folder / "rule_score.npy", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    if X.shape != (rows, len(plan.names)) or X.dtype != np.float32 or rule_score.shape != (rows,):
        return None
    return FeatureMatrix(plan.names, X, rule_score, cached=True)


def _write_cache(folder: Path, X: np.ndarray, rule_score: np.ndarray) -> None:
    """Write beside and rename, so that no other run sees half of it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        np.save(beside / "X.npy", X)
        np.save(beside / "rule_score.npy", rule_score)
        if folder.exists():
            shutil.rmtree(folder)
        beside.rename(folder)
    except OSError:
        if not folder.is_dir():  # another run that made the same columns may have been first
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)
