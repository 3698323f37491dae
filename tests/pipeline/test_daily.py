"""The daily run: what it learns from, what it leaves behind, and what it leaves alone when a step fails."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest

from fraudkit.core.config import settings
from fraudkit.core.errors import InvalidInput, NotReady
from fraudkit.pipeline import daily, step
from fraudkit.pipeline.examples import Sources, read_examples
from fraudkit.pipeline.run import recorded, run_folder
from fraudkit.pipeline.windows import Windows
from fraudkit.registry.gate import report_from_content
from fraudkit.registry.request import RetrainingRequest
from fraudkit.registry.trigger import Trigger


def test_a_first_run_promotes_what_the_gate_lets_pass_and_says_where_it_comes_from(after_a_run):
    steps = after_a_run.steps
    assert tuple(steps) == daily.STEPS
    assert not after_a_run.done_before
    assert steps["promote"]["promoted"], steps["promote"]
    assert steps["promote"]["changed"]
    version = daily.registry().version("production")
    assert version.name == steps["promote"]["version"] == "v0002"
    assert version.training["run"] == steps["extract"]["run"]
    assert version.training["set_digest"] == steps["extract"]["set_digest"]
    assert version.training["frauds"] == steps["extract"]["frauds"]["train"] > 0
    assert version.metrics["ensemble"]["roc_auc"] == pytest.approx(steps["gate"]["candidate_auc"], abs=1e-6)
    json.dumps(steps)


def test_a_second_run_of_the_day_does_nothing_and_says_why(after_a_run, forbid, run, contents):
    forbid("fraudkit.pipeline.daily.train_bundle")
    forbid("fraudkit.pipeline.daily.judge_on")
    before = contents(settings().home)
    again = json.loads(run("retrain", "--json").stdout)
    assert again["done_before"] is True
    assert (again["promote"]["promoted"], again["promote"]["changed"]) == (True, False)
    assert contents(settings().home) == before
    said = " ".join(run("retrain").stdout.split())
    assert "nothing to do: run small-2025-11-06-" in said
    assert "v0002 is production, as before" in said


def test_the_training_set_knows_no_later_label_and_no_later_payment(bank):
    windows = Windows.until(pd.Timestamp("2025-10-01", tz="UTC"), 60)
    table = Sources.of(bank, settings()).table(windows)
    for part, (start, end) in windows.parts().items():
        known_at = table.loc[table["part"] == part, "known_at"]
        assert ((known_at >= start) & (known_at < end)).all()
    assert windows.test_end == windows.as_of - pd.Timedelta(days=120)
    rows = bank.transactions.iloc[table["position"]]
    planted = pd.DataFrame({
        "transaction_id": rows["transaction_id"].to_numpy(),
        "event_time": rows["event_time"].to_numpy(),
        "known_at": windows.as_of + pd.Timedelta(seconds=1),
        "source": "chargeback",
        "is_fraud": ~table["y"].to_numpy(),
    })  # fmt: skip
    bank.__dict__["labels"] = pd.concat([bank.labels.astype({"source": "str"}), planted], ignore_index=True)
    assert Sources.of(bank, settings()).table(windows)["y"].equals(table["y"])


@pytest.mark.parametrize("failing", ["train_bundle", "reports_on", "judge_on"])
def test_a_step_that_fails_leaves_nothing_promoted_and_the_next_run_goes_on_there(home, registry, monkeypatch, failing):
    registry.promote("v0001", report_from_content(registry.report("v0001")))
    with monkeypatch.context() as patch:

        def stop(*_args, **_kwargs):
            raise KeyboardInterrupt

        patch.setattr(f"fraudkit.pipeline.daily.{failing}", stop)
        with pytest.raises(KeyboardInterrupt):
            daily.retrain(days=60)
    assert registry.resolve("production") == "v0001"
    if failing != "train_bundle":
        monkeypatch.setattr("fraudkit.pipeline.daily.train_bundle", lambda *_, **__: pytest.fail("trained again"))
    outcome = daily.retrain(days=60)
    assert not outcome.done_before
    assert outcome.steps["promote"]["version"] == "v0002"


def test_a_candidate_that_is_no_better_is_kept_and_not_promoted(home, registry):
    registry.promote("v0001", report_from_content(registry.report("v0001")))
    promoted = daily.retrain(days=20).steps["promote"]
    assert not promoted["promoted"]
    assert promoted["reasons"]
    assert registry.resolve("production") == "v0001"
    assert registry.resolve("candidate") == promoted["version"] == "v0002"


def test_what_a_person_rolled_back_is_not_promoted_again_by_the_night(home, registry):
    registry.promote("v0001", report_from_content(registry.report("v0001")))
    entry = {"gate": {"run": "r", "version": "v0001", "passed": True, "reasons": []}}
    registry._log("rollback", "v0000", "v0001")
    registry._write_aliases({"candidate": "v0001", "production": None, "previous": []})
    (settings().retraining / "r").mkdir(parents=True)
    answer = daily.promote(entry["gate"])
    assert not answer["promoted"]
    assert "rolled back" in answer["reasons"][0]


def test_without_leave_a_passing_candidate_waits_for_a_person(home, registry, run):
    answer = daily.promote({"run": "r", "version": "v0001", "passed": True, "reasons": []}, allowed=False)
    assert not answer["promoted"]
    assert run(*answer["reasons"][0].partition("`fraudkit ")[2].partition("`")[0].split()).exit_code == 0
    assert registry.resolve("production") == "v0001"


def test_a_day_after_the_data_is_their_last_day(home):
    last = daily.extract()
    assert daily.extract("2027-01-01") == last
    assert last["as_of"] == "2025-11-06"


@pytest.mark.parametrize(("as_of", "says"), [("yesterday", "not a date"), ("2025-05-01", "choose a later day")])
def test_a_day_that_cannot_be_is_told(home, as_of, says):
    with pytest.raises(InvalidInput, match=says):
        daily.extract(as_of)


def test_a_step_of_an_unknown_run_is_told(home):
    with pytest.raises(NotReady, match="begin with the extract step"):
        run_folder("never")


def test_a_scheduler_hands_json_from_step_to_step(home, monkeypatch, capsys):
    def call(name: str, **given: object) -> dict:
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(given)))
        step.main([name])
        return json.loads(capsys.readouterr().out)

    extracted = call("extract", as_of="2025-11-06", world="small")
    featured = call("features", extracted=extracted)
    assert featured["run"] == extracted["run"]
    assert recorded(extracted["run"], "features") == featured
    with pytest.raises(SystemExit, match="error: as_of='never'"):
        call("extract", as_of="never")
    with pytest.raises(SystemExit, match="name one of extract"):
        call("deploy")


def test_a_request_of_the_service_is_taken_up_once(after_a_run, run):
    request = RetrainingRequest(settings().retraining)
    assert request.last()["version"] == "v0002"
    assert json.loads(run("retrain", "--if-asked", "--json").stdout) == {"asked": None}
    request.ask(Trigger(True, ("online AUC at most 0.7",)), 5)
    said = run("retrain", "--if-asked").stdout
    assert "asked for by the service: online AUC at most 0.7" in " ".join(said.split())
    assert request.pending() is None
    assert request.last()["asked"]["asked_at_ms"] == 5


def test_features_of_the_frozen_set_are_those_of_its_payments(after_a_run, rng: np.random.Generator):
    run_name = after_a_run.steps["extract"]["run"]
    workspace = daily.open_workspace("small")
    test = read_examples(run_folder(run_name), "test", workspace)
    assert len(test.X) == len(test.y) == len(test.payments) == after_a_run.steps["extract"]["rows"]["test"]
    assert test.X.dtype == test.bare.dtype == np.float32
