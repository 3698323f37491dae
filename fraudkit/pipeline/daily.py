"""The daily retraining as plain functions: extract, features, train, evaluate, gate, promote.

Each takes what the one before returned and returns a small mapping of JSON values: names, counts,
digests, figures. A scheduler can hand these on; the data stay in the run's folder under FRAUDKIT_HOME.
A step that was done is read, not done again, so that a killed run goes on where it stopped. A run is named by its
day and by a digest of all that shapes it: world, days, seed, feature schema, code.

Whether a run is due is not decided here (fraudkit.registry.trigger), nor when (cron, or any scheduler).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import load_file
from safetensors.numpy import save as save_tensors

from fraudkit.core.config import settings
from fraudkit.core.console import ProgressCallback, scaled
from fraudkit.core.errors import GateRefused, InvalidInput, NotReady
from fraudkit.core.files import locked, replace_file, sha256, sha256_of
from fraudkit.core.label import MATURITY_DAYS
from fraudkit.evaluate.splits import settled_rows
from fraudkit.features.catalog import schema_hash
from fraudkit.models.bundle import Bundle
from fraudkit.models.code_digest import code_digest
from fraudkit.models.files import canonical_json, read_bytes, seal, unseal
from fraudkit.models.train import train_bundle
from fraudkit.pipeline.training import bare_features, headline, judge_on, registry, reports_on
from fraudkit.pipeline.workspace import DEFAULT_SEED, Workspace, open_workspace
from fraudkit.registry.gate import GateReport, report_from_content

STEPS = ("extract", "features", "train", "evaluate", "gate", "promote")
VALID_DAYS = 10  # stop the training and fit the calibration
TEST_DAYS = 30  # what the gate judges on: the latest payments whose labels have matured
_ROWS = "rows.safetensors"

Step = dict[str, Any]


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
        """As `extract` wrote them."""
        return cls(**{name: pd.Timestamp(text) for name, text in step["windows"].items()})

    def content(self) -> dict[str, str]:
        """As ISO 8601 texts."""
        return {name: moment.isoformat() for name, moment in asdict(self).items()}


def extract(
    as_of: str | None = None,
    world: str = "small",
    days: int = 90,
    seed: int = DEFAULT_SEED,
    progress: ProgressCallback | None = None,
) -> Step:
    """Fix the training set: which payments, with which labels, as known at the end of a day.

    Parameters
    ----------
    as_of : the day, YYYY-MM-DD; default the world's last
    days : of training, 1 or more

    Raises
    ------
    InvalidInput
        The day is no date or lies outside the world, or too little has matured by then.
    """
    workspace = open_workspace(world, progress=progress)
    moment = _end_of_day(workspace, as_of)
    windows = Windows.until(moment, days)
    if days < 1 or windows.test_start <= pd.Timestamp(workspace.config.start):
        raise InvalidInput(
            f"as_of={as_of!r}, days={days}: payments before {windows.test_end.date()} have matured labels by then, "
            f"world {world!r} begins on {workspace.config.start.date()}; choose a later day"
        )
    shaped_by = {
        "world": workspace.digest,
        "as_of": moment.isoformat(),
        "lengths": [days, VALID_DAYS, TEST_DAYS, MATURITY_DAYS],
        "seed": seed,
        "schema_hash": schema_hash(),
        "code_digest": code_digest(),
    }
    day = (moment - pd.Timedelta(days=1)).date().isoformat()
    run = f"{world}-{day}-{sha256(canonical_json(shaped_by))[:10]}"

    def work(folder: Path) -> Step:
        parts = _parts(workspace, windows)
        replace_file(folder / _ROWS, save_tensors(parts))
        return {
            "world": world,
            "as_of": day,
            "seed": seed,
            "windows": windows.content(),
            "rows": {part: len(parts[part]) for part in ("train", "valid", "test")},
            "frauds": {part: int(parts[f"y_{part}"].sum()) for part in ("train", "valid", "test")},
            "data_digest": workspace.digest,
            "set_digest": sha256_of(folder / _ROWS),
            "schema_hash": schema_hash(),
            "code_digest": code_digest(),
        }

    return _step(run, "extract", work)


def features(extracted: Mapping[str, Any], progress: ProgressCallback | None = None) -> Step:
    """Replay the features of the world's payments, or find them in the cache."""

    def work(_: Path) -> Step:
        X = open_workspace(extracted["world"]).features(progress)
        return {"shape": list(X.shape)}

    return _step(extracted["run"], "features", work)


def train(featured: Mapping[str, Any], progress: ProgressCallback | None = None) -> Step:
    """Train a bundle into the run's folder; the same run gives the same bytes."""

    def work(folder: Path) -> Step:
        if not (folder / "bundle").exists():  # written in one step, before the step's record
            _train(featured["run"], folder, progress)
        return {"bundle": Bundle.load(folder / "bundle").digest}

    return _step(featured["run"], "train", work)


def evaluate(trained: Mapping[str, Any], progress: ProgressCallback | None = None) -> Step:
    """Measure every model of the new bundle, and production beside it, on the latest matured payments."""

    def work(folder: Path) -> Step:
        tell = scaled(progress, 0.0, 1.0)
        workspace, _, parts = _opened(trained["run"])
        tell(0.1, "the new models")
        reports = reports_on(workspace, Bundle.load(folder / "bundle"), parts["test"], parts["y_test"])
        tell(0.8, "production")
        return {
            "metrics": {name: headline(report) for name, report in reports.items()},
            "production": _production_figures(workspace, parts),
        }

    return _step(trained["run"], "evaluate", work)


def gate(evaluated: Mapping[str, Any], progress: ProgressCallback | None = None) -> Step:
    """Register the bundle as candidate and ask the gate; again where production changed since it was asked."""
    run = evaluated["run"]
    folder = run_folder(run)
    with locked(folder / ".lock"):
        version = _registered(run, folder, evaluated["metrics"])
        stored = registry().report(version)
        report = report_from_content(stored) if stored else None
        if report is None or _is_stale(report):
            workspace, windows, parts = _opened(run)
            window = (windows.test_start, windows.test_end, windows.as_of)
            rng = np.random.default_rng(_recorded(run, "extract")["seed"])
            report = judge_on(workspace, version, parts["test"], parts["y_test"], window, rng, progress)
            registry().record_gate(version, report)
    return {
        "run": run,
        "version": version,
        "passed": report.passed,
        "reasons": list(report.reasons),
        "candidate_auc": report.candidate_auc,
        "production_auc": report.production_auc,
        "gain_interval": None if report.gain_interval is None else list(report.gain_interval),
    }


def promote(gated: Mapping[str, Any], allowed: bool = True) -> Step:
    """Make the candidate production where the gate lets it and the caller wants it; else say why not."""
    version = gated["version"]
    answer = {"run": gated["run"], "version": version}
    if "production" in registry().version(version).aliases:
        return {**answer, "promoted": True, "reasons": []}
    if not gated["passed"]:
        return {**answer, "promoted": False, "reasons": list(gated["reasons"])}
    if not allowed:
        return {
            **answer,
            "promoted": False,
            "reasons": [f"the gate lets it pass; `fraudkit models promote {version}` makes it production"],
        }
    stored = registry().report(version)
    if stored is None:
        raise NotReady(f"{version} has no gate report; run the gate step of {gated['run']} first")
    try:
        registry().promote(version, report_from_content(stored))
    except GateRefused as refused:
        return {**answer, "promoted": False, "reasons": [str(refused)]}
    return {**answer, "promoted": True, "reasons": []}


def retrain(
    as_of: str | None = None,
    world: str = "small",
    *,
    days: int = 90,
    seed: int = DEFAULT_SEED,
    may_promote: bool = True,
    progress_of: Callable[[str], ProgressCallback] | None = None,
) -> dict[str, Step]:
    """All steps one after the other; what each returned, by its name.

    Parameters
    ----------
    as_of, world, days, seed : as `extract`
    may_promote : whether a candidate that the gate lets pass becomes production
    progress_of : gives the callback of a step
    """

    def told(step: str) -> ProgressCallback:
        return progress_of(step) if progress_of else scaled(None, 0.0, 1.0)

    done: dict[str, Step] = {}
    bar = told("extract")
    done["extract"] = extract(as_of, world, days, seed, bar)
    bar(1.0, f"{done['extract']['rows']['train']:,} payments to learn from")
    after: dict[str, Callable[[Mapping[str, Any], ProgressCallback], Step]] = {
        "features": features,
        "train": train,
        "evaluate": evaluate,
        "gate": gate,
    }
    last = done["extract"]
    for name, step in after.items():
        was_done, bar = _path(last["run"], name).exists(), told(name)
        last = done[name] = step(last, bar)
        bar(1.0, "done before" if was_done else "done")
    bar = told("promote")
    done["promote"] = promote(last, may_promote)
    bar(1.0, "promoted" if done["promote"]["promoted"] else "not promoted")
    return done


def run_folder(run: str) -> Path:
    """Where a run keeps its files.

    Raises
    ------
    NotReady
        There is no such run here.
    """
    folder = settings().retraining / run
    if not folder.is_dir():
        raise NotReady(f"no retraining run {run!r} in {settings().retraining}; begin with the extract step")
    return folder


def _end_of_day(workspace: Workspace, as_of: str | None) -> pd.Timestamp:
    """The midnight after the day."""
    end = pd.Timestamp(workspace.config.end)
    if as_of is None:
        return end
    try:
        moment = pd.Timestamp(as_of, tz="UTC").normalize() + pd.Timedelta(days=1)
    except ValueError as error:
        raise InvalidInput(f"as_of={as_of!r} is not a date; write YYYY-MM-DD") from error
    if pd.isna(moment) or moment > end:
        raise InvalidInput(
            f"as_of={as_of!r} is after the last day of world {workspace.name!r}, {(end - pd.Timedelta(days=1)).date()}"
        )
    return moment


def _parts(workspace: Workspace, windows: Windows) -> dict[str, np.ndarray]:
    """Positions and labels of train, valid and test."""
    bounds = {
        "train": (windows.train_start, windows.valid_start),
        "valid": (windows.valid_start, windows.test_start),
        "test": (windows.test_start, windows.test_end),
    }
    out = {}
    for part, (start, end) in bounds.items():
        rows, y = settled_rows(workspace.transactions, workspace.labels, start, end, windows.as_of)
        out[part], out[f"y_{part}"] = rows.astype(np.int64), y
    return out


def _opened(run: str) -> tuple[Workspace, Windows, dict[str, np.ndarray]]:
    """The world, the windows and the training set of a run."""
    extracted = _recorded(run, "extract")
    return open_workspace(extracted["world"]), Windows.of(extracted), load_file(run_folder(run) / _ROWS)


def _train(run: str, folder: Path, progress: ProgressCallback | None) -> None:
    workspace, windows, parts = _opened(run)
    extracted = _recorded(run, "extract")
    X = workspace.features()
    trained = train_bundle(
        X[parts["train"]],
        parts["y_train"],
        X[parts["valid"]],
        parts["y_valid"],
        np.random.default_rng(extracted["seed"]),
        progress=progress,
        bare=(bare_features(workspace, parts["train"]), bare_features(workspace, parts["valid"])),
        facts={
            "world": extracted["world"],
            "seed": extracted["seed"],
            "trained_as_of": windows.as_of.isoformat(),
            "set_digest": extracted["set_digest"],
        },
    )
    trained.save(folder / "bundle")


def _production_figures(workspace: Workspace, parts: Mapping[str, np.ndarray]) -> dict[str, Any] | None:
    """Production on the same payments; None where none fits this code's features."""
    try:
        production = registry().version("production")
    except NotReady:
        return None
    if production.schema_hash != schema_hash():
        return None
    bundle = Bundle.load(registry().path(production.name))
    report = reports_on(workspace, bundle, parts["test"], parts["y_test"])["ensemble"]
    return {"version": production.name, **headline(report)}


def _registered(run: str, folder: Path, metrics: Mapping[str, Any]) -> str:
    """The version that the run's bundle is; registered where it is not yet."""
    bundle = Bundle.load(folder / "bundle")
    for version in registry().versions():
        if version.digest == bundle.digest:
            return version.name
    extracted = _recorded(run, "extract")
    windows = extracted["windows"]
    lineage = {name: extracted[name] for name in ("world", "seed", "as_of", "data_digest", "set_digest", "code_digest")}
    training = {
        **lineage,
        "run": run,
        "rows": extracted["rows"]["train"],
        "frauds": extracted["frauds"]["train"],
        "train_start": windows["train_start"],
        "valid_end": windows["test_start"],
        "test_start": windows["test_start"],
        "test_end": windows["test_end"],
        "labels_as_of": windows["as_of"],
    }
    return registry().register(folder / "bundle", metrics, training)


def _is_stale(report: GateReport) -> bool:
    """Whether production is neither the model that the report is against nor the one that it is about."""
    try:
        current = registry().version("production").digest
    except NotReady:
        current = None
    return current not in (report.production_digest, report.candidate_digest)


def _step(run: str, name: str, work: Callable[[Path], Step]) -> Step:
    """What the step returned before, or what `work` returns now, kept when it is whole."""
    folder = settings().retraining / run
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / ".lock"):
        if not _path(run, name).exists():
            replace_file(_path(run, name), seal({"run": run, **work(folder)}))
        return _recorded(run, name)


def _recorded(run: str, name: str) -> Step:
    path = _path(run, name)
    return {key: value for key, value in unseal(read_bytes(path), str(path)).items() if key != "digest"}


def _path(run: str, name: str) -> Path:
    return settings().retraining / run / f"{name}.json"
