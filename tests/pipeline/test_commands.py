"""`fraudkit train`, `evaluate` and `setup` as people and programs use them."""

from __future__ import annotations

import json

import pytest

from fraudkit.core.errors import InvalidInput, NotReady
from fraudkit.registry.gate import report_from_content


def strict(text: str) -> dict:
    """Parse JSON as other languages do: NaN and Infinity are no numbers."""

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_train_prints_json_with_version_metrics_and_verdict(trained_home):
    printed = trained_home.printed
    assert printed["version"] == "v0001"
    assert printed["metrics"]["ensemble"]["roc_auc"] > 0.85
    assert printed["gate"]["passed"] is True
    strict(json.dumps(printed))


@pytest.fixture
def quick_train(home, registry, monkeypatch):
    """`train_candidate` answers with the model that is there."""
    report = report_from_content(registry.report("v0001"))
    answer = {"report": report}
    monkeypatch.setattr("fraudkit.pipeline.training.train_candidate", lambda *_, **__: ("v0001", answer["report"]))
    return answer


def test_the_sentence_that_train_prints_works(quick_train, registry, run):
    said = " ".join(run("train").stdout.split())
    assert "the gate lets v0001 pass" in said
    sentence = said.partition("make it production with `fraudkit ")[2].partition("`")[0]
    assert run(*sentence.split()).exit_code == 0
    assert registry.resolve("production") == "v0001"


def test_train_says_why_the_gate_refused(quick_train, run):
    content = {**quick_train["report"].content(), "passed": False, "reasons": ["labels are immature"]}
    quick_train["report"] = report_from_content(content)
    said = " ".join(run("train").stdout.split())
    assert "the gate refuses v0001: labels are immature" in said
    assert "models promote" not in said


def test_evaluate_prints_json_of_every_model(home, run, trained_home):
    done = run("evaluate", "--model", "candidate", "--json")
    reports = strict(done.stdout)
    assert set(reports) == set(trained_home.printed["metrics"])
    expected = trained_home.printed["metrics"]["ensemble"]["roc_auc"]
    assert reports["ensemble"]["roc_auc"] == pytest.approx(expected, abs=1e-6)


def test_evaluate_tells_people_which_targets_are_met(home, run):
    said = run("evaluate", "--model", "v0001").stdout
    assert "candidate" not in said
    for model in ("rules", "logistic", "xgboost", "network", "ensemble"):
        assert model in said
    assert "met" in said or "missed" in said
    assert "(target 0.9)" in said


def test_setup_says_what_stands(home, registry, run):
    run("models", "promote", "v0001")
    said = " ".join(run("setup").stdout.split())
    assert "[of one]/worlds/small" in said
    assert "model v0001, trained on small" in said
    assert "make serve" in said


def test_errors_name_the_remedy(empty_home, run):
    with pytest.raises(InvalidInput, match="small, reference"):
        run("train", "--world", "middling")


def test_evaluating_without_a_model_names_the_remedy(home, run):
    with pytest.raises(NotReady, match="fraudkit models promote"):
        run("evaluate")
