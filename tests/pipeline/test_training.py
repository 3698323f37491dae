"""What a training run leaves behind: a measured candidate with the gate's word on it, and nothing in production."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from fraudkit.core.errors import CorruptArtefact, GateRefused, NotReady
from fraudkit.models.bundle import Bundle
from fraudkit.pipeline.training import MODELS, compare, judge, model_scores, production_bundle, train_candidate
from fraudkit.registry.gate import report_from_content


def test_a_candidate_is_registered_and_not_promoted(registry):
    (version,) = registry.versions()
    assert version.aliases == ("candidate",)
    with pytest.raises(NotReady):
        registry.path("production")


def test_the_gates_report_is_on_record_so_that_a_person_can_promote_later(registry):
    content = registry.report("v0001")
    assert content is not None
    report = report_from_content(content)
    assert report.passed, report.reasons
    registry.promote("v0001", report)
    assert registry.resolve("production") == "v0001"


def test_the_record_says_what_the_version_was_trained_on(bank, registry):
    training = registry.version("v0001").training
    assert (training["world"], training["seed"]) == ("small", 7)
    assert training["rows"] == len(bank.split.train)
    assert training["frauds"] == bank.split.y_train.sum()
    assert training["valid_end"] < training["test_start"] < training["test_end"]


def test_published_figures_are_those_of_the_test_period(bank, registry):
    split, metrics = bank.split, registry.version("v0001").metrics
    scores = model_scores(bank, Bundle.load(registry.path("v0001")), split.test)
    assert set(metrics) == set(scores) == set(MODELS)
    for name, score in scores.items():
        assert metrics[name]["rows"] == len(split.test)
        assert metrics[name]["roc_auc"] == pytest.approx(roc_auc_score(split.y_test_truth, score), abs=1e-4)
        expected = average_precision_score(split.y_test_truth, score)
        assert metrics[name]["average_precision"] == pytest.approx(expected, abs=1e-3)
    assert metrics["ensemble"]["roc_auc"] > 0.85


class Stop(Exception):
    """Ends a training run once its input has been seen."""


def test_models_learn_from_the_training_period_alone(bank, monkeypatch):
    seen = {}

    def stop(X_train, y_train, X_valid, y_valid, rng, **_):
        seen.update(X_train=X_train, y_train=y_train, X_valid=X_valid, y_valid=y_valid)
        raise Stop

    monkeypatch.setattr("fraudkit.pipeline.training.train_bundle", stop)
    with pytest.raises(Stop):
        train_candidate(bank)
    X, split = bank.features(), bank.split
    np.testing.assert_array_equal(seen["X_train"], X[split.train])
    np.testing.assert_array_equal(seen["X_valid"], X[split.valid])
    np.testing.assert_array_equal(seen["y_train"], split.y_train)
    np.testing.assert_array_equal(seen["y_valid"], split.y_valid)


def test_the_gate_judges_on_matured_labels_and_against_production(bank, registry):
    rng = np.random.default_rng(7)
    first = judge(bank, "v0001", rng)
    assert first.n_frauds == bank.split.y_test[bank.split.test_is_mature].sum()
    assert first.production_digest is None
    registry.promote("v0001", first)
    again = judge(bank, "v0001", rng)
    assert again.production_digest == registry.version("v0001").digest
    assert again.auc_gain == 0.0
    assert not again.passed
    with pytest.raises(GateRefused, match=r"0\.01"):
        registry.promote("v0001", again)


def test_the_ensemble_is_reported_with_its_segments(bank, registry):
    reports = compare(bank, Bundle.load(registry.path("v0001")))
    assert reports["ensemble"].segments
    assert reports["ensemble"].calibration_error is not None
    assert not reports["xgboost"].segments


def test_production_is_taken_as_it_stands(bank, registry, forbid):
    forbid("fraudkit.pipeline.training.train_candidate")
    registry.promote("v0001", report_from_content(registry.report("v0001")))
    assert production_bundle(bank).digest == registry.version("v0001").digest


def test_a_damaged_production_model_is_told_and_not_trained_over(bank, registry, forbid):
    forbid("fraudkit.pipeline.training.train_candidate")
    registry.promote("v0001", report_from_content(registry.report("v0001")))
    path = registry.path("production") / "trees.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x55")
    with pytest.raises(CorruptArtefact, match=r"trees\.safetensors"):
        production_bundle(bank)
