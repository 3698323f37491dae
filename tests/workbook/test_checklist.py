"""Checklists: their data, what is shown with and without a front end, ticks, and what the system verifies itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from fraudkit.cli import app
from fraudkit.core.clock import FixedClock
from fraudkit.core.config import PROJECT_ROOT
from fraudkit.core.errors import InvalidInput, NotReady
from fraudkit.workbook import checklist as door
from fraudkit.workbook import system_checks
from fraudkit.workbook.checklist import has_front_end
from fraudkit.workbook.checklist_boxes import Boxes
from fraudkit.workbook.checklist_file import checklist_ids, parse_checklist, read_checklist
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.service_probe import open_loop
from fraudkit.workbook.system_checks import CHECKS, verify

GOOD = 'title = "T"\n[[items]]\nid = "a-b"\ntext = "one"\n[[items]]\nid = "c"\ntext = "two"\ncheck = "artefacts-match"'

# What the specification lists besides its interview plan, and how many boxes each list has there.
SPECIFIED = {
    "functional_requirements": 5,
    "constraints": 5,
    "requirements": 5,
    "architecture": 5,
    "trade_offs": 4,
    "scalability": 4,
    "monitoring": 4,
    "incident_detection": 4,
    "incident_verification": 5,
    "incident_actions_24_hours": 3,
    "incident_actions_1_week": 4,
    "incident_actions_1_month": 3,
    "company_preparation": 5,
    "interview_final": 5,
    "interview_before": 6,
    "interview_during": 8,
    "interview_after": 4,
}


@pytest.fixture
def file(tmp_path: Path) -> ProgressFile:
    return ProgressFile(tmp_path / "progress.json", FixedClock(1_790_000_000_000), [].append)


@pytest.mark.parametrize("name", checklist_ids())
def test_every_checklist_reads_and_asks_for_checks_that_exist(name: str):
    shown = read_checklist(name)
    assert len(shown.items) >= 3
    assert {item.check for item in shown.verifiable} <= set(CHECKS)


def test_every_checklist_belongs_to_a_chapter_or_to_the_specification():
    chapters = {name for name in checklist_ids() if re.match(r"\d\d_", name)}
    assert set(checklist_ids()) - chapters == set(SPECIFIED)
    assert {name: len(read_checklist(name).items) for name in SPECIFIED} == SPECIFIED
    for name in chapters:
        assert (PROJECT_ROOT / "notebooks" / f"{name}.ipynb").exists(), name


def test_every_check_is_asked_for_somewhere():
    asked = {item.check for name in checklist_ids() for item in read_checklist(name).verifiable}
    assert asked == set(CHECKS)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("title = ", "no TOML"),
        ('title = "T"', "items"),
        (GOOD.replace('id = "a-b"', 'id = "A b"'), "'A b'"),
        (GOOD.replace('id = "a-b"', 'id = "c"'), "'c'"),
        (GOOD.replace('text = "one"', 'txt = "one"'), "txt"),
        (GOOD.replace('text = "one"', 'text = ""'), "text"),
        (GOOD.replace('text = "one"', "text = 3"), "text"),
    ],
)
def test_a_checklist_of_the_wrong_form_is_refused_with_the_place(wrong: str, says: str):
    with pytest.raises(InvalidInput, match=re.escape(says)):
        parse_checklist("mine", wrong)


def test_an_unknown_checklist_names_the_known_ones(capsys: pytest.CaptureFixture[str]):
    door("nope")
    printed = capsys.readouterr().out
    assert "nope" in printed
    assert "03_outline" in printed


def test_the_plain_text_is_the_same_whatever_is_ticked(home: Path, capsys: pytest.CaptureFixture[str]):
    door("constraints")
    before = capsys.readouterr().out
    ProgressFile().tick("constraints", "budget")
    door("constraints")
    assert capsys.readouterr().out == before
    assert "☐ Limited compute budget" in before


FRONT_ENDS = {
    "JupyterLab": ({"cellId": "a1", "deletedCells": [], "recordTiming": False}, {}, True),
    "papermill": ({}, {}, False),
    "a front end told to be plain": ({"cellId": "a1"}, {"FRAUDKIT_PLAIN": "1"}, False),
    "a grader": ({"cellId": "a1"}, {"FRAUDKIT_GRADING": "1"}, False),
}


@pytest.mark.parametrize(("metadata", "variables", "expected"), FRONT_ENDS.values(), ids=FRONT_ENDS)
def test_a_front_end_is_known_by_its_request(metadata, variables, expected: bool, monkeypatch: pytest.MonkeyPatch):
    shell = SimpleNamespace(get_parent=lambda: {"metadata": metadata})
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert has_front_end() is expected


def test_a_tick_is_kept_with_its_time_and_can_be_taken_back(file: ProgressFile):
    assert file.tick("list", "one") == {"one"}
    assert file.tick("list", "two") == {"one", "two"}
    assert file.tick("list", "one", ticked=False) == {"two"}
    assert file.read().ticked("list") == {"two"}
    assert json.loads(file.path.read_bytes())["checklists"]["list"]["ticked"]["two"].startswith("2026-09-21T")


def test_ticking_leaves_what_a_later_version_wrote(file: ProgressFile):
    file.path.write_text('{"version": 1, "checklists": {"list": {"note": "kept"}, "odd": 3}}', encoding="utf-8")
    file.tick("list", "one")
    kept = file.read().checklists
    assert kept["list"]["note"] == "kept"
    assert kept["odd"] == 3
    assert file.read().ticked("odd") == frozenset()


def test_two_processes_that_tick_at_once_lose_nothing(tmp_path: Path):
    program = (
        "import sys; from pathlib import Path; from fraudkit.workbook.progress import ProgressFile\n"
        "for n in range(40): ProgressFile(Path(sys.argv[1])).tick('list', sys.argv[2] + str(n))"
    )
    path = tmp_path / "progress.json"
    running = [subprocess.Popen([sys.executable, "-c", program, str(path), name]) for name in "ab"]
    assert [process.wait(60) for process in running] == [0, 0]
    assert len(ProgressFile(path).read().ticked("list")) == 80


def test_a_box_writes_at_once_and_a_new_view_shows_it(file: ProgressFile):
    shown = read_checklist("constraints")
    Boxes(shown, file).boxes["budget"].value = True
    again = Boxes(shown, file)
    assert {name for name, box in again.boxes.items() if box.value} == {"budget"}
    assert "1 of 5" in again.count.value


def test_a_verified_item_is_ticked_only_where_it_holds(file: ProgressFile, monkeypatch: pytest.MonkeyPatch):
    shown = parse_checklist("mine", GOOD)
    view = Boxes(shown, file)
    button, answer = SimpleNamespace(disabled=False), SimpleNamespace(value="")
    for says, state in (("<3 of 7>", "not ok"), ("all 7", "ok")):
        monkeypatch.setitem(CHECKS, "artefacts-match", (lambda state=state, says=says: (state, says), "command"))
        view.verify(shown.items[1], button, answer)
        assert view.boxes["c"].value is (state == "ok")
        assert state in answer.value
    assert "<3" not in answer.value
    assert not button.disabled


def test_a_check_that_cannot_measure_says_so(monkeypatch: pytest.MonkeyPatch):
    def missing() -> tuple[str, str]:
        raise NotReady("no model; run `fraudkit setup`")

    monkeypatch.setitem(CHECKS, "artefacts-match", (missing, "command"))
    finding = verify("artefacts-match")
    assert (finding.state, finding.says) == ("cannot tell", "no model; run `fraudkit setup`")
    with pytest.raises(InvalidInput, match="countries-above-50"):
        verify("nope")


@pytest.mark.parametrize("name", ["countries-above-50", "rules-have-digest", "auc-above-090", "explanation-adds-up"])
def test_what_needs_no_service_holds(name: str, home: Path):
    assert verify(name).state == "ok"


def test_artefacts_with_another_byte_are_not_ok(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(system_checks, "_production_folder", lambda: tmp_path)
    (tmp_path / "manifest.json").write_text('{"digest": "0"}', encoding="utf-8")
    assert verify("artefacts-match").state == "not ok"


def test_a_card_number_in_a_log_or_database_is_found(tmp_path: Path):
    (tmp_path / "service.log").write_bytes(b'{"user_id": "user-4111 1111 1111 1111"}\n')
    (tmp_path / "decisions.db-wal").write_bytes(b"\x00\x01reply\x00" + b"5500005555555559" + b"\x00\xff")
    (tmp_path / "clean.log").write_bytes(b"txn-2041 decided in 4 ms\n")
    texts = {path.name: system_checks._holds_card(path.read_bytes()) for path in system_checks._texts(tmp_path)}
    assert texts == {"service.log": True, "decisions.db-wal": True, "clean.log": False}


def test_latency_runs_from_when_a_payment_was_due():
    class Slow:
        """Stands still for a fifth of a second at the first payment; one connection."""

        calls = 0

        def connect(self) -> None:
            return None

        def post(self, body: dict, connection: object) -> tuple[int, bytes]:
            import time

            self.calls += 1
            time.sleep(0.2 if self.calls == 1 else 0.0)
            return 200, b""

    latencies = open_loop(Slow(), [{}] * 5, rate=100.0, connections=1)  # type: ignore[arg-type]
    assert min(latencies[:3]) > 0.1  # those that waited behind the first are late too


def test_the_command_ticks_lists_and_verifies(home: Path):
    run = CliRunner().invoke
    assert run(app, ["checklist", "constraints", "--tick", "budget"]).exit_code == 0
    facts = json.loads(run(app, ["checklist", "constraints", "--json"]).stdout)
    assert [item["id"] for item in facts["items"] if item["ticked"]] == ["budget"]
    rows = {row["id"]: row for row in json.loads(run(app, ["checklist", "--json"]).stdout)}
    assert rows["constraints"]["ticked"] == 1
    with pytest.raises(InvalidInput, match="pci-dss"):
        run(app, ["checklist", "constraints", "--tick", "nope"], catch_exceptions=False)


def test_the_command_fails_where_a_check_does_not_hold(home: Path, monkeypatch: pytest.MonkeyPatch):
    for name in CHECKS:
        monkeypatch.setitem(CHECKS, name, (lambda: ("not ok", "7 > 5"), "command"))
    done = CliRunner().invoke(app, ["checklist", "constraints", "--verify", "--json"])
    assert done.exit_code == 1
    findings = [item["finding"]["state"] for item in json.loads(done.stdout)["items"] if "finding" in item]
    assert findings == ["not ok", "not ok"]
    in_words = CliRunner().invoke(app, ["checklist", "constraints", "--verify"])
    assert in_words.exit_code == 1 and in_words.stdout.count("7 > 5") == 2 and in_words.stderr == ""
    assert ProgressFile().read().ticked("constraints") == frozenset()
