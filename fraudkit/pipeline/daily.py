"""The daily retraining as plain functions: extract, features, backtest, train, evaluate, gate, promote.

Each takes what the one before returned and returns a small mapping of JSON values: names, counts,
digests, figures. A scheduler can hand these on; the data stay in the run's folder under FRAUDKIT_HOME.
A step that was done is read, not done again, so that a killed run goes on where it stopped. Only the last one changes
what is served, so a run that fails before it leaves nothing promoted. A run is named by its day and by a digest of
all that shapes it: data, days, seed, feature schema, code.

Whether a run is due is not decided here (fraudkit.registry.trigger), nor when (deploy/airflow, or cron).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fraudkit.core.clock import SystemClock
from fraudkit.core.config import settings
from fraudkit.core.console import ProgressCallback, scaled
from fraudkit.core.errors import GateRefused, InvalidInput, NotReady
from fraudkit.core.files import locked, sha256, sha256_of
from fraudkit.core.label import MATURITY_DAYS
from fraudkit.features.catalog import schema_hash
from fraudkit.models.bundle import Bundle
from fraudkit.models.code_digest import code_digest
from fraudkit.models.files import canonical_json
from fraudkit.models.train import train_bundle
from fraudkit.pipeline.backtest import backtest as backtest_on
from fraudkit.pipeline.examples import FILE, Examples, Sources, read_examples, write_examples
from fraudkit.pipeline.run import Step, do_step, is_done, recorded, run_folder
from fraudkit.pipeline.training import fitting_production, headline, judge_on, registry, reports_on
from fraudkit.pipeline.windows import TEST_DAYS, VALID_DAYS, Windows, days_needed
from fraudkit.pipeline.workspace import DEFAULT_SEED, open_workspace
from fraudkit.registry.gate import GateReport, report_from_content
from fraudkit.registry.request import RetrainingRequest

STEPS = ("extract", "features", "backtest", "train", "evaluate", "gate", "promote")
_LINEAGE = ("world", "seed", "as_of", "data_digest", "set_digest", "code_digest")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What each step returned, by its name, and whether all of them had been done before."""

    steps: dict[str, Step]
    done_before: bool


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
    as_of : the day, YYYY-MM-DD; one after the last day of the data, or None, is that last day
    days : of training, 1 or more

    Raises
    ------
    InvalidInput
        The day is no date, or too little has matured by then.
    """
    workspace = open_workspace(world, progress=progress)
    sources = Sources.of(workspace, settings())
    moment = _end_of_day(as_of, sources.last_moment(days_needed(days)))
    windows = Windows.until(moment, days)
    if days < 1 or windows.test_start <= pd.Timestamp(workspace.config.start):
        raise InvalidInput(
            f"as_of={as_of!r}, days={days}: payments before {windows.test_end.date()} have matured labels by then, "
            f"world {world!r} begins on {workspace.config.start.date()}; choose a later day"
        )
    table = sources.table(windows)
    of_archive = table[table["position"] < 0]
    shaped_by = {
        "world": workspace.digest,
        "archive": [len(of_archive), int(pd.util.hash_pandas_object(of_archive, index=False).sum())],
        "as_of": moment.isoformat(),
        "lengths": [days, VALID_DAYS, TEST_DAYS, MATURITY_DAYS],
        "seed": seed,
        "schema_hash": schema_hash(),
        "code_digest": code_digest(),
    }
    day = (moment - pd.Timedelta(days=1)).date().isoformat()
    run = f"{world}-{day}-{sha256(canonical_json(shaped_by))[:10]}"

    def work(folder: Path) -> Step:
        write_examples(table, folder)
        by_part = table.groupby("part")["y"]
        return {
            "world": world,
            "as_of": day,
            "seed": seed,
            "windows": windows.content(),
            "rows": {name: int(count) for name, count in by_part.size().items()},
            "frauds": {name: int(count) for name, count in by_part.sum().items()},
            "from_archive": len(of_archive),
            "data_digest": workspace.digest,
            "set_digest": sha256_of(folder / FILE),
            "schema_hash": schema_hash(),
            "code_digest": code_digest(),
        }

    return do_step(run, "extract", work)


def features(extracted: Mapping[str, Any], progress: ProgressCallback | None = None) -> Step:
    """Replay the features of the world's payments, or find them in the cache."""

    def work(_: Path) -> Step:
        X = open_workspace(extracted["world"]).features(progress)
        return {"shape": list(X.shape)}

    return do_step(extracted["run"], "features", work)


def backtest(featured: Mapping[str, Any], progress: ProgressCallback | None = None) -> Step:
    """Measure production on the payments that matured on the run's day, and keep the figures in the registry."""
    run = featured["run"]

    def work(folder: Path) -> Step:
        windows, examples = _opened(run, folder, "test")
        scaled(progress, 0.0, 1.0)(0.2, "production")
        rng = np.random.default_rng(recorded(run, "extract")["seed"])
        entry = backtest_on(examples, windows.test_end, rng)
        if entry is not None:
            registry().add_backtest(entry)
        return {"backtest": entry}

    return do_step(run, "backtest", work)


def train(featured: Mapping[str, Any], progress: ProgressCallback | None = None) -> Step:
    """Train a bundle into the run's folder; the same run gives the same bytes."""

    def work(folder: Path) -> Step:
        if not (folder / "bundle").exists():  # written in one step, before the step's record
            _train(featured["run"], folder, progress)
        return {"bundle": Bundle.load(folder / "bundle").digest}

    return do_step(featured["run"], "train", work)


def evaluate(trained: Mapping[str, Any], progress: ProgressCallback | None = None) -> Step:
    """Measure every model of the new bundle, and production beside it, on the latest matured payments."""

    def work(folder: Path) -> Step:
        tell = scaled(progress, 0.0, 1.0)
        _, test = _opened(trained["run"], folder, "test")
        tell(0.1, "the new models")
        reports = reports_on(Bundle.load(folder / "bundle"), test.X, test.y, test.payments, "matured payments")
        tell(0.8, "production")
        return {
            "metrics": {name: headline(report) for name, report in reports.items()},
            "production": _production_figures(test),
        }

    return do_step(trained["run"], "evaluate", work)


def gate(evaluated: Mapping[str, Any], progress: ProgressCallback | None = None) -> Step:
    """Register the bundle as candidate and ask the gate; again where production changed since it was asked."""
    run = evaluated["run"]
    folder = run_folder(run)
    with locked(folder / ".lock"):
        version = _registered(run, folder, evaluated["metrics"])
        stored = registry().report(version)
        report = report_from_content(stored) if stored else None
        if report is None or _is_stale(report):
            report = _judged(run, folder, version, progress)
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
    """Make the candidate production where the gate lets it and the caller wants it; else say why not.

    Returns
    -------
    run, version, whether it is production now, whether that was changed now, and the reasons against it
    """
    version = gated["version"]
    is_production = "production" in registry().version(version).aliases
    reasons = [] if is_production else _against(gated, allowed)
    if not is_production and not reasons:
        stored = registry().report(version)
        if stored is None:
            raise NotReady(f"{version} has no gate report; run the gate step of {gated['run']} first")
        try:
            registry().promote(version, report_from_content(stored))
        except GateRefused as refused:
            reasons.append(str(refused))
    _answer_request(gated["run"], version, promoted=not reasons)
    return {
        "run": gated["run"],
        "version": version,
        "promoted": not reasons,
        "changed": not is_production and not reasons,
        "reasons": reasons,
    }


def retrain(
    as_of: str | None = None,
    world: str = "small",
    *,
    days: int = 90,
    seed: int = DEFAULT_SEED,
    may_promote: bool = True,
    progress_of: Callable[[str], ProgressCallback] | None = None,
) -> Outcome:
    """All steps one after the other.

    Parameters
    ----------
    as_of, world, days, seed : as `extract`
    may_promote : whether a candidate that the gate lets pass becomes production
    progress_of : gives the callback of a step
    """

    def told(step: str) -> ProgressCallback:
        return progress_of(step) if progress_of else scaled(None, 0.0, 1.0)

    bar = told("extract")
    extracted = extract(as_of, world, days, seed, bar)
    bar(1.0, f"{extracted['rows']['train']:,} payments to learn from")
    run, done = extracted["run"], {"extract": extracted}
    follows: dict[str, tuple[str, Callable[[Mapping[str, Any], ProgressCallback], Step]]] = {
        "features": ("extract", features),
        "backtest": ("features", backtest),
        "train": ("features", train),
        "evaluate": ("train", evaluate),
        "gate": ("evaluate", gate),
    }
    done_before = _is_judged(run)
    for name, (before, step) in follows.items():
        was_done, bar = is_done(run, name), told(name)
        done[name] = step(done[before], bar)
        bar(1.0, "done before" if was_done else "done")
    bar = told("promote")
    done["promote"] = promote(done["gate"], may_promote)
    bar(1.0, "promoted" if done["promote"]["promoted"] else "not promoted")
    return Outcome(done, done_before)


def _answer_request(run: str, version: str, *, promoted: bool) -> None:
    """Take up the service's request, if there is one, and note the run; reading a run again is no retraining."""
    request = RetrainingRequest(settings().retraining)
    last = request.last()
    if request.pending() is not None or last is None or last["run"] != run:
        request.answer(SystemClock().now_ms(), run, version, promoted)


def _against(gated: Mapping[str, Any], allowed: bool) -> list[str]:
    """Why a version is not promoted without being asked for."""
    version = gated["version"]
    by_hand = f"`fraudkit models promote {version}` makes it production"
    if not gated["passed"]:
        return list(gated["reasons"])
    for entry in reversed(registry().history()):
        if entry["action"] == "rollback" and entry["production_before"] == version:
            return [f"it was rolled back on {entry['at'][:10]}; {by_hand}"]
    return [] if allowed else [f"the gate lets it pass; {by_hand}"]


def _end_of_day(as_of: str | None, end: pd.Timestamp) -> pd.Timestamp:
    """The midnight after the day, `end` at the latest."""
    if as_of is None:
        return end
    try:
        moment = pd.Timestamp(as_of, tz="UTC").normalize() + pd.Timedelta(days=1)
    except ValueError as error:
        raise InvalidInput(f"as_of={as_of!r} is not a date; write YYYY-MM-DD") from error
    if pd.isna(moment):
        raise InvalidInput(f"as_of={as_of!r} is not a date; write YYYY-MM-DD")
    return min(moment, end)


def _opened(run: str, folder: Path, part: str) -> tuple[Windows, Examples]:
    """The windows of a run and one part of what it learns from."""
    extracted = recorded(run, "extract")
    return Windows.of(extracted), read_examples(folder, part, open_workspace(extracted["world"]))


def _train(run: str, folder: Path, progress: ProgressCallback | None) -> None:
    extracted = recorded(run, "extract")
    windows, learned = _opened(run, folder, "train")
    _, valid = _opened(run, folder, "valid")
    trained = train_bundle(
        learned.X,
        learned.y,
        valid.X,
        valid.y,
        np.random.default_rng(extracted["seed"]),
        progress=progress,
        bare=(learned.bare, valid.bare),
        facts={
            "world": extracted["world"],
            "seed": extracted["seed"],
            "trained_as_of": windows.as_of.isoformat(),
            "set_digest": extracted["set_digest"],
        },
    )
    trained.save(folder / "bundle")


def _judged(run: str, folder: Path, version: str, progress: ProgressCallback | None) -> GateReport:
    windows, test = _opened(run, folder, "test")
    rng = np.random.default_rng(recorded(run, "extract")["seed"])
    window = (windows.test_start, windows.test_end, windows.as_of)
    return judge_on(version, test.X, test.y, test.payments["user_id"].to_numpy(), window, rng, progress)


def _production_figures(test: Examples) -> dict[str, Any] | None:
    """Production on the same payments; None where none fits this code's features."""
    production = fitting_production()
    if production is None:
        return None
    bundle = Bundle.load(registry().path(production.name))
    report = reports_on(bundle, test.X, test.y, test.payments, "matured payments")["ensemble"]
    return {"version": production.name, **headline(report)}


def _version_of(digest: str) -> str | None:
    """The registered version with a bundle."""
    return next((version.name for version in registry().versions() if version.digest == digest), None)


def _is_judged(run: str) -> bool:
    """Whether the gate has judged the run's bundle, beside the model that is production now."""
    if not is_done(run, "evaluate"):
        return False
    version = _version_of(recorded(run, "train")["bundle"])
    stored = registry().report(version) if version else None
    return stored is not None and not _is_stale(report_from_content(stored))


def _registered(run: str, folder: Path, metrics: Mapping[str, Any]) -> str:
    """The version that the run's bundle is; registered where it is not yet."""
    if known := _version_of(Bundle.load(folder / "bundle").digest):
        return known
    extracted = recorded(run, "extract")
    windows = extracted["windows"]
    lineage = {name: extracted[name] for name in _LINEAGE}
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
