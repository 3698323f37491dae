"""Training on a world: features, split, models, comparison, registration, gate.

Labels are those known on the first day of the test period; the gate judges on the labels that have
matured since. The truth that only a simulator knows is measured against, never learned from.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fraudkit.core.clock import to_epoch_ms
from fraudkit.core.config import settings
from fraudkit.core.console import ProgressCallback, scaled
from fraudkit.core.errors import NotReady
from fraudkit.core.label import MATURITY_DAYS
from fraudkit.evaluate.report import EvaluationReport, evaluate_scores
from fraudkit.features.catalog import schema_hash
from fraudkit.features.online import bare_vectors_of
from fraudkit.features.tables import encode_table
from fraudkit.models.bundle import Bundle
from fraudkit.models.train import train_bundle
from fraudkit.pipeline.workspace import DEFAULT_SEED, Workspace
from fraudkit.registry.gate import Contender, Evidence, GateReport, decide
from fraudkit.registry.registry import Registry, Version
from fraudkit.rules.catalog import RULES

MODELS = ("rules", "logistic", "xgboost", "network", "ensemble")


def registry() -> Registry:
    """The registry under FRAUDKIT_HOME."""
    return Registry(settings().registry)


def train_candidate(
    workspace: Workspace, *, seed: int = DEFAULT_SEED, progress: ProgressCallback | None = None
) -> tuple[str, GateReport]:
    """Train on a world's training period, measure on its test period, register, and ask the gate.

    Returns
    -------
    the version's name and the gate's report, which is on record with it; nothing is promoted
    """
    split, rng = workspace.split, np.random.default_rng(seed)
    X = workspace.features(scaled(progress, 0.0, 0.2))
    trained = train_bundle(
        X[split.train],
        split.y_train,
        X[split.valid],
        split.y_valid,
        rng,
        progress=scaled(progress, 0.2, 0.9),
        bare=(bare_features(workspace, split.train), bare_features(workspace, split.valid)),
        facts={"world": workspace.name, "seed": seed, "trained_as_of": split.training_moment.isoformat()},
    )
    scaled(progress, 0.9, 0.95)(0.0, "measuring on the test period")
    reports = compare(workspace, trained.bundle)
    with tempfile.TemporaryDirectory() as folder:
        version = registry().register(
            trained.save(Path(folder) / "bundle"),
            metrics={name: headline(report) for name, report in reports.items()},
            training=training_facts(workspace, seed),
        )
    report = judge(workspace, version, rng, progress=scaled(progress, 0.95, 1.0))
    registry().record_gate(version, report)
    return version, report


def bare_features(workspace: Workspace, rows: np.ndarray) -> np.ndarray:
    """Vectors of these rows as the service computes them while no store answers, float32 (len(rows), 143)."""
    return bare_vectors_of(encode_table(workspace.transactions.iloc[rows]))


def training_facts(workspace: Workspace, seed: int) -> dict[str, Any]:
    """What a version was trained on, for its record."""
    split = workspace.split
    return {
        "world": workspace.name,
        "seed": seed,
        "rows": len(split.train),
        "frauds": int(split.y_train.sum()),
        "train_start": split.train_start.isoformat(),
        "valid_end": split.gap_start.isoformat(),
        "test_start": split.training_moment.isoformat(),
        "test_end": split.test_end.isoformat(),
    }


def model_scores(workspace: Workspace, bundle: Bundle, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Scores of MODELS on `rows` (positions in the world's transactions), each float64 (len(rows),) in 0..1."""
    return scores_of(bundle, workspace.features()[rows])


def scores_of(bundle: Bundle, X: np.ndarray) -> dict[str, np.ndarray]:
    """Scores of MODELS on vectors (n, 143), each float64 (n,) in 0..1."""
    X = np.ascontiguousarray(X)
    scores = bundle.score(X)
    return {
        "rules": RULES.score(RULES.evaluate(X)),
        "logistic": bundle.logistic.predict_score(X),
        "xgboost": scores.xgboost,
        "network": scores.network,
        "ensemble": scores.ensemble,
    }


def compare(workspace: Workspace, bundle: Bundle) -> dict[str, EvaluationReport]:
    """Every model on the test period against what really happened; the ensemble with its segments."""
    rows = workspace.split.test
    truth = workspace.split.y_test_truth
    if truth is None:
        raise NotReady(f"world {workspace.name!r} has no truth table to measure against; simulate it again")
    tested = workspace.payments.iloc[rows]
    title = f"world {workspace.name}, test period"
    return reports_on(bundle, workspace.features()[rows], truth, tested, title, segment_values(tested))


def reports_on(
    bundle: Bundle,
    X: np.ndarray,
    y_true: np.ndarray,
    payments: pd.DataFrame,
    title: str,
    segments: dict[str, np.ndarray] | None = None,
) -> dict[str, EvaluationReport]:
    """Every model on these payments; the ensemble with segments where they are given.

    Parameters
    ----------
    X, y_true : (m, 143) and (m,)
    payments : m rows with event_time, user_id and amount_usd
    title : of the data, in words
    """
    days = payments["event_time"].dt.strftime("%Y-%m-%d").to_numpy()
    reports = {}
    for name, score in scores_of(bundle, X).items():
        whole = name == "ensemble"
        reports[name] = evaluate_scores(
            y_true,
            score,
            payments["amount_usd"].to_numpy(),
            title=f"{name}, {title} {days.min()} to {days.max()}",
            y_prob=bundle.calibration.apply(score) if whole else None,
            user_id=payments["user_id"].to_numpy(),
            day=days,
            segments=segments if whole else None,
        )
    return reports


def segment_values(payments: pd.DataFrame) -> dict[str, np.ndarray]:
    """The segments that reports are cut by."""
    return {
        "channel": np.where(payments["online_transaction"], "online", "in person"),
        "amount": pd.cut(payments["amount_usd"], [0, 20, 100, 500, np.inf], labels=["<20", "<100", "<500", "500+"])
        .astype(str)
        .to_numpy(),
        "campaign": payments["campaign"].astype(str).to_numpy(),
    }


def headline(report: EvaluationReport) -> dict[str, Any]:
    """The figures of a report that tables show."""
    point = report.below_fpr_target
    return {
        "rows": report.rows,
        "frauds": report.frauds,
        "roc_auc": report.roc_auc,
        "average_precision": report.average_precision,
        "precision_at_100": report.precision_at_100,
        "precision_at_1000": report.precision_at_1000,
        "card_precision_at_100": report.card_precision_at_100,
        "loss_prevented_below_2pct_fpr": point.loss_prevented,
        "calibration_error": report.calibration_error,
    }


def judge(
    workspace: Workspace, version: str, rng: np.random.Generator, progress: ProgressCallback | None = None
) -> GateReport:
    """Ask the gate about a registered version, on the test period's matured labels."""
    split = workspace.split
    mature = split.test_is_mature
    rows = split.test[mature]
    window = (split.training_moment, split.test_end, split.test_end + pd.Timedelta(days=MATURITY_DAYS))
    user_id = workspace.transactions["user_id"].iloc[rows].to_numpy()
    return judge_on(version, workspace.features()[rows], split.y_test[mature], user_id, window, rng, progress)


def judge_on(
    version: str,
    X: np.ndarray,
    y_true: np.ndarray,
    user_id: np.ndarray,
    window: tuple[pd.Timestamp, pd.Timestamp, pd.Timestamp],
    rng: np.random.Generator,
    progress: ProgressCallback | None = None,
) -> GateReport:
    """Ask the gate about a registered version, beside production on the same payments.

    Parameters
    ----------
    X, y_true, user_id : of m payments
    window : start and end of the payments, and when their labels were read
    """
    candidate = contender(version, X)
    try:
        production = contender("production", X)
    except NotReady:
        production = None
    start, end, as_of = (to_epoch_ms(moment.to_pydatetime()) for moment in window)
    evidence = Evidence(
        y_true=y_true.astype(int),
        group=user_id,
        window_start_ms=start,
        window_end_ms=end,
        labels_as_of_ms=as_of,
        candidate=candidate,
        production=production,
    )
    return decide(evidence, rng, progress=progress)


def contender(name: str, X: np.ndarray) -> Contender:
    """A registered version's ensemble scores on vectors (m, 143), as the gate takes them.

    A version of another feature schema cannot score; it gets zeros, and the gate refuses for the schema.
    """
    version = registry().version(name)
    if version.schema_hash != schema_hash():
        return Contender(version.digest, version.schema_hash, np.zeros(len(X)))
    bundle = Bundle.load(registry().path(name))
    score = bundle.score(np.ascontiguousarray(X)).ensemble
    return Contender(bundle.digest, bundle.schema_hash, score)


def fitting_production() -> Version | None:
    """The production model where there is one and it fits this code's features; its files are not looked at."""
    try:
        production = registry().version("production")
    except NotReady:
        return None
    return production if production.schema_hash == schema_hash() else None


def has_usable_production() -> bool:
    """Whether a production model is there and fits this code's features.

    Raises
    ------
    CorruptArtefact
        One is there and damaged: that is told, not trained over.
    """
    if fitting_production() is None:
        return False
    Bundle.load(registry().path("production"))
    return True


def ensure_production(workspace: Workspace, progress: ProgressCallback | None = None) -> bool:
    """Train a first model and promote it where none is usable; True when one was trained.

    A production model whose features this code no longer computes is retired first.

    Raises
    ------
    GateRefused
        The gate did not let the model pass.
    """
    if has_usable_production():
        return False
    if any("production" in version.aliases for version in registry().versions()):
        registry().retire()
    version, report = train_candidate(workspace, progress=progress)
    registry().promote(version, report)
    return True


def production_bundle(workspace: Workspace, progress: ProgressCallback | None = None) -> Bundle:
    """The bundle in production; where none is usable, one is trained on this world and promoted."""
    ensure_production(workspace, progress)
    return Bundle.load(registry().path("production"))
