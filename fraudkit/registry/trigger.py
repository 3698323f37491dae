"""When a retraining is asked for, and the note that asks.

The service asks where the AUC of matured decisions has fallen under a bound, or where a drift report
says so; `fraudkit retrain --if-asked` answers. The note is one file, so that asking costs the service nothing and
an asker need not know who trains, or when. This module measures nothing but the AUC that it is asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fraudkit.core.clock import DAY_S
from fraudkit.core.errors import InvalidInput
from fraudkit.core.files import replace_file
from fraudkit.evaluate.auc_bootstrap import auc_interval
from fraudkit.models.files import read_bytes, seal, unseal


@dataclass(frozen=True, slots=True)
class TriggerPolicy:
    """What makes a retraining worth asking for.

    Attributes
    ----------
    min_auc : asked for where the upper end of the AUC's interval is below it: then bad luck is ruled out
    min_decisions, min_frauds : fewer matured decisions or frauds than these say nothing
    min_drifted : features that a drift report must name
    cool_down_days : after a retraining none is asked for; what it changed must show first
    confidence, resamples : of the bootstrap over card holders
    """

    min_auc: float = 0.85
    min_decisions: int = 2_000
    min_frauds: int = 50
    min_drifted: int = 10
    cool_down_days: float = 7.0
    confidence: float = 0.95
    resamples: int = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether to ask, why or why not in sentences, and the figures that it rests on."""

    asks: bool
    reasons: tuple[str, ...]
    decisions: int
    frauds: int
    auc_interval: tuple[float, float] | None


def should_retrain(
    y_true: np.ndarray,
    y_score: np.ndarray,
    group: np.ndarray,
    rng: np.random.Generator,
    *,
    drifted: Sequence[str] = (),
    last_retrained_ms: int | None = None,
    now_ms: int = 0,
    policy: TriggerPolicy = TriggerPolicy(),
) -> Verdict:
    """Judge the decisions whose labels have matured.

    Parameters
    ----------
    y_true, y_score : shape (n,), 0/1 and the score that was served
    group : shape (n,), whose payments they are; rows of one are resampled together
    drifted : features that a drift report names
    last_retrained_ms, now_ms : for the cool-down, UTC epoch

    Raises
    ------
    InvalidInput
        Shapes differ, or a score is not finite.
    """
    if not len(y_true) == len(y_score) == len(group) or not np.isfinite(y_score).all():
        raise InvalidInput(
            f"{len(y_true)} labels, {len(y_score)} scores, {len(group)} groups: give one finite row each"
        )
    n, frauds = len(y_true), int(np.sum(y_true))
    if last_retrained_ms is not None and now_ms - last_retrained_ms < policy.cool_down_days * DAY_S * 1000:
        return Verdict(
            False, (f"the last retraining is less than {policy.cool_down_days:g} days old",), n, frauds, None
        )
    reasons, interval = [], None
    enough = n >= policy.min_decisions and policy.min_frauds <= frauds < n
    if enough:
        interval = auc_interval(y_true, y_score, group, policy.resamples, rng, policy.confidence)
        if interval[1] < policy.min_auc:
            reasons.append(f"AUC lies between {interval[0]:.3f} and {interval[1]:.3f}, below {policy.min_auc:g}")
    if len(drifted) >= policy.min_drifted:
        reasons.append(f"{len(drifted)} features have drifted, {', '.join(drifted[:3])} among them")
    if reasons:
        return Verdict(True, tuple(reasons), n, frauds, interval)
    short = f"{n} matured decisions with {frauds} frauds, {policy.min_decisions} and {policy.min_frauds} are needed"
    return Verdict(False, ("nothing has fallen" if enough else short,), n, frauds, interval)


class RetrainingRequest:
    """The note in a folder: asked.json while a retraining is asked for, answered.json of the last that was answered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def ask(self, verdict: Verdict, now_ms: int) -> bool:
        """Leave the note where none lies; whether one was left. The first reason stays."""
        if self.pending() is not None:
            return False
        self.folder.mkdir(parents=True, exist_ok=True)
        replace_file(self.folder / "asked.json", seal({"asked_at_ms": now_ms, **asdict(verdict)}))
        return True

    def pending(self) -> dict[str, Any] | None:
        """What is asked for: reasons, figures, asked_at_ms; None where nothing is."""
        return self._read("asked.json")

    def answer(self, now_ms: int, version: str, promoted: bool) -> None:
        """Note a finished retraining, asked for or not, and take the request away."""
        self.folder.mkdir(parents=True, exist_ok=True)
        asked = self.pending()
        content = {"answered_at_ms": now_ms, "version": version, "promoted": promoted, "asked": asked}
        replace_file(self.folder / "answered.json", seal(content))
        (self.folder / "asked.json").unlink(missing_ok=True)

    def last_answered_ms(self) -> int | None:
        """When the last retraining was finished; None before the first."""
        last = self._read("answered.json")
        return None if last is None else int(last["answered_at_ms"])

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.folder / name
        if not path.exists():
            return None
        return {key: value for key, value in unseal(read_bytes(path), str(path)).items() if key != "digest"}
