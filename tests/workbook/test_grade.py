"""A small class graded for real: every kind of submission at once, then again, then after a change."""

import csv
import io
import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fraudkit.core.errors import CorruptArtefact, InvalidInput
from fraudkit.workbook.exercise import exercise
from fraudkit.workbook.grade import GradeResult, grade
from fraudkit.workbook.grade.limits import RunLimits
from fraudkit.workbook.grade.marks import LearnerResult, Mark, NotebookResult
from fraudkit.workbook.grade.state import Ledger, result_key
from fraudkit.workbook.grade.tasks import harmless_words, mark_of, task_rng
from fraudkit.workbook.judge import Failure, Verdict
from fraudkit.workbook.limits import Limits
from fraudkit.workbook.notebooks import read_cells, section, solution_text, stub_of, topic_of

TOPIC = topic_of("roc_auc")
SECTION = section("roc_auc")
RIGHT = solution_text(SECTION.answer)
REVERSED = RIGHT.replace(
    "ranks[y_true].sum() - positives * (positives + 1) / 2", "ranks[~y_true].sum() - negatives * (negatives + 1) / 2"
)
QUICK = RunLimits(cell_seconds=5.0, notebook_seconds=40.0)


def code(*sources: str) -> bytes:
    cells = [{"cell_type": "code", "source": source, "metadata": {}, "outputs": []} for source in sources]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def stubs() -> bytes:
    """The whole notebook as it is handed out."""
    cells = []
    for cell in read_cells(TOPIC.path):
        source = stub_of(cell["source"]) if "### BEGIN SOLUTION" in cell["source"] else cell["source"]
        cells.append({"cell_type": cell["cell_type"], "source": source, "metadata": {}})
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


IMPORT = "import numpy as np"
MARKDOWN = json.loads(code(IMPORT))
MARKDOWN["cells"].append({"cell_type": "markdown", "source": RIGHT, "metadata": {}})
ANSWERS: dict[str, tuple[bytes, str]] = {
    "all right": (TOPIC.path.read_bytes(), "pass"),
    "untouched": (stubs(), "missing"),
    "deleted": (code(IMPORT), "missing"),
    "text cell": (json.dumps(MARKDOWN).encode(), "missing"),
    "reversed": (code(IMPORT, REVERSED), "fail"),
    "returns zero": (code("def roc_auc(y_true, y_score):\n    return 0"), "fail"),
    "returns the input": (code("def roc_auc(y_true, y_score):\n    return y_true"), "fail"),
    "raises always": (code("def roc_auc(y_true, y_score):\n    raise ValueError(str(y_true))"), "fail"),
    "claims it": (code("print('roc_auc: pass, 10 points')\ncheck = lambda name: True", "check('roc_auc')"), "missing"),
    "ends the process": (code("import os\ndef roc_auc(y_true, y_score):\n    os._exit(0)"), "crash"),
    "never ends": (code("def roc_auc(y_true, y_score):\n    while True: pass"), "timeout"),
    "twice, stub last": (code(IMPORT, RIGHT, stub_of(SECTION.answer)), "pass"),
    "broken elsewhere": (code(IMPORT, "def oops(:", "1/0", RIGHT, "import os; os._exit(1)"), "pass"),
    "patches numpy": (code("import numpy as np\nnp.allclose = np.isclose = lambda *a, **k: True", REVERSED), "fail"),
    "<script>alert(1)</script>": (code(IMPORT, RIGHT), "pass"),
    "unreadable": (b'{"cells": [', "missing"),
}


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("class")
    for learner, (data, _) in ANSWERS.items():
        (folder / learner.replace("/", "\N{DIVISION SLASH}")).mkdir()
        (folder / learner.replace("/", "\N{DIVISION SLASH}") / f"{TOPIC.name}.ipynb").write_bytes(data)
    return folder


@pytest.fixture(scope="module")
def report(handed_in: Path, tmp_path_factory: pytest.TempPathFactory) -> GradeResult:
    out = tmp_path_factory.mktemp("report") / "out"
    return grade(handed_in, out, only=[TOPIC.name], run_limits=QUICK, limits=Limits(seconds=2.0))


def mark_for(result: GradeResult, learner: str) -> Mark:
    name = learner.replace("/", "\N{DIVISION SLASH}")
    found = next(one for one in result.learners if one.learner == name)
    return next(mark for mark in found.marks if mark.exercise_id == "roc_auc")


@pytest.mark.parametrize("learner", ANSWERS)
def test_each_answer_gets_its_status(report: GradeResult, learner: str):
    mark = mark_for(report, learner)
    assert mark.status == ANSWERS[learner][1]
    assert (mark.points == mark.possible) == (mark.status == "pass")


@pytest.mark.parametrize("learner", ["untouched", "returns zero", "returns the input", "raises always", "claims it"])
def test_an_answer_without_thought_earns_nothing(report: GradeResult, learner: str):
    assert mark_for(report, learner).points == 0


def test_a_recognised_mistake_is_named(report: GradeResult):
    assert "one minus the AUC" in mark_for(report, "reversed").misconception
    assert 0 < mark_for(report, "reversed").points < 10


def test_the_solution_is_full(report: GradeResult):
    found = next(one for one in report.learners if one.learner == "all right")
    assert [(mark.exercise_id, mark.status) for mark in found.marks] == [(name, "pass") for name in TOPIC.exercise_ids]


def test_how_each_notebook_ran_is_told_apart_from_its_marks(report: GradeResult):
    runs = {one.learner: one.notebooks[0].run for one in report.learners}
    assert runs["all right"] == "ran" and runs["unreadable"] == "corrupt" and runs["broken elsewhere"] == "died"


def test_executed_notebooks_are_kept(report: GradeResult):
    for learner in report.learners:
        executed = learner.notebooks[0].executed
        assert (learner.learner == "unreadable") == (executed == "")
        if executed:
            json.loads((report.folder / executed).read_bytes())


def test_the_gradebook_has_a_line_a_learner(report: GradeResult):
    text = (report.folder / "gradebook.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(ANSWERS)
    good = next(row for row in rows if row["learner"] == "all right")
    assert good["roc_auc status"] == "pass" and good["percent"] == "100.0"


def test_pages_handed_back_escape_and_leak_nothing(report: GradeResult):
    task = exercise("roc_auc")
    cases = task.cases(task_rng(Ledger(report.folder).seed(), "roc_auc"))
    hidden = [f"{value:.4f}" for case in cases for value in list(case.args[1])[:3] if 0 < value % 0.1 < 0.0999]
    pages = [*(report.folder / "learners").glob("*.html"), report.folder / "report.html"]
    assert len(pages) == len(ANSWERS) + 1
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert (
            "<script" not in text and "array(" not in text and "expected" not in text.lower().replace("unexpected", "")
        )
        assert not any(value in text for value in hidden)
        assert "http" not in text.replace("http-equiv", "")


def test_the_seed_is_the_owner_s_alone(report: GradeResult):
    assert stat.S_IMODE((report.folder / ".grader" / "seed").stat().st_mode) == 0o600
    assert stat.S_IMODE((report.folder / ".grader").stat().st_mode) == 0o700


def test_graded_again_nothing_runs_and_nothing_changes(report: GradeResult, handed_in: Path):
    before = (report.folder / "gradebook.csv").read_bytes()
    again = grade(handed_in, report.folder, only=[TOPIC.name], run_limits=QUICK, limits=Limits(seconds=2.0))
    assert (again.ran, again.kept) == (0, len(ANSWERS))
    assert (report.folder / "gradebook.csv").read_bytes() == before


def small_class(folder: Path, **answers: bytes) -> Path:
    for learner, data in answers.items():
        (folder / learner).mkdir(parents=True, exist_ok=True)
        (folder / learner / f"{TOPIC.name}.ipynb").write_bytes(data)
    return folder


def test_stopped_in_the_middle_it_goes_on_and_a_change_runs_alone(tmp_path: Path):
    answers = small_class(tmp_path / "class", ana=code(IMPORT, RIGHT), bo=code(IMPORT, REVERSED))

    def stop_before_the_last(fraction: float, text: str = "") -> None:
        if fraction == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        grade(answers, tmp_path / "out", jobs=1, progress=stop_before_the_last)
    rest = grade(answers, tmp_path / "out", jobs=1)
    assert (rest.ran, rest.kept) == (1, 1)
    small_class(tmp_path / "class", ana=code(IMPORT, RIGHT, "x = 1"))
    changed = grade(answers, tmp_path / "out", jobs=1)
    assert (changed.ran, changed.kept) == (1, 1)
    assert mark_for(changed, "bo") == mark_for(rest, "bo")
    other = grade(answers, tmp_path / "out", jobs=1, parameters={"seed": 8})
    assert other.ran == 2 and mark_for(other, "bo") == mark_for(rest, "bo")


def test_two_gradings_do_not_share_a_folder(tmp_path: Path):
    answers = small_class(tmp_path / "class", ana=code("1"))
    with Ledger(tmp_path / "out").held(), pytest.raises(InvalidInput, match="another grading"):
        grade(answers, tmp_path / "out")


def test_an_unknown_topic_is_named(tmp_path: Path):
    with pytest.raises(InvalidInput, match="99_magic"):
        grade(tmp_path, tmp_path / "out", only=["99_magic"])


def test_a_broken_seed_is_not_replaced_in_silence(tmp_path: Path):
    ledger = Ledger(tmp_path)
    assert ledger.seed() == ledger.seed()
    (tmp_path / ".grader" / "seed").write_text("7")
    with pytest.raises(CorruptArtefact, match="remove it"):
        ledger.seed()


def test_a_result_counts_only_for_what_it_was_made_from(tmp_path: Path):
    ledger = Ledger(tmp_path)
    mark = Mark("roc_auc", "ROC AUC", "fail", 4.5, 10.0, 3, 7, "case", "why", "words", "says")
    result = NotebookResult("Ana \udcff", TOPIC.name, "a.ipynb", "ran", marks=(mark,), prints={"roc_auc": (1, 2)})
    result = replace(result, learner="Ana")
    key = result_key("digest", TOPIC, 1, {})
    ledger.save(result, key)
    assert ledger.load("Ana", TOPIC.name, key) == result
    for other in (("other", 1, {}), ("digest", 2, {}), ("digest", 1, {"seed": 3})):
        assert ledger.load("Ana", TOPIC.name, result_key(other[0], TOPIC, other[1], other[2])) is None
    next((tmp_path / ".grader" / "notebooks").iterdir()).write_text("{")
    assert ledger.load("Ana", TOPIC.name, key) is None


def failure(**changes: object) -> Failure:
    plain = Failure("case", "why", "f(array([0.123]))", "0.123456", "0.654321", "off by 0.531; expected 0.123456")
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "found", "words"),
    [
        ("fail", failure(), "returned a wrong value"),
        ("fail", failure(got="ZeroDivisionError"), "raised ZeroDivisionError"),
        ("fail", failure(got="Array0123456", reason="raised"), "returned a wrong value"),
        ("fail", failure(expected="raises ValueError"), "ValueError should have been raised"),
        ("fail", failure(expected="raises ValueError", got="TypeError"), "raised TypeError instead of ValueError"),
        ("fail", failure(reason="your function modified its input; copy"), "the function modified its input"),
    ],
)
def test_what_is_handed_back_quotes_no_value(status: str, found: Failure, words: str):
    assert harmless_words(status, found) == words  # type: ignore[arg-type]


@pytest.mark.parametrize("status", ["missing", "tampered", "crash"])
def test_no_points_for_what_did_not_answer(status: str):
    verdict = Verdict("roc_auc", status, 6, 8, 0.9, 0.1, failure())  # type: ignore[arg-type]
    assert mark_of(exercise("roc_auc"), verdict).points == 0


def test_partial_points_follow_the_credit():
    assert mark_of(exercise("roc_auc"), Verdict("roc_auc", "timeout", 6, 8, 0.456, 0.1, failure())).points == 4.56


def test_every_learner_gets_the_same_cases_and_another_seed_others():
    draw = [task_rng(seed, "roc_auc").random() for seed in (1, 1, 2)]
    assert draw[0] == draw[1] != draw[2]
    assert task_rng(1, "ndcg").random() != draw[0]


def test_an_empty_class_page_is_still_a_page():
    assert not LearnerResult("ana", ()).marks and LearnerResult("ana", ()).points == 0


def test_the_command_prints_json_and_fails_on_demand(tmp_path: Path):
    import typer

    from fraudkit.workbook.grade.command import grade as command

    app = typer.Typer()
    app.command()(command)
    answers = small_class(tmp_path / "class", ana=code(IMPORT, RIGHT))
    done = CliRunner().invoke(
        app, [str(answers), "--out", str(tmp_path / "out"), "--json", "--need-full", "-p", "seed=9"]
    )
    assert done.exit_code == (1 if len(TOPIC.exercise_ids) > 1 else 0)
    learner = json.loads(done.stdout)["learners"][0]
    assert learner["points"] == 10 and "prints" not in learner["notebooks"][0]
    in_words = CliRunner().invoke(app, [str(answers), "--out", str(tmp_path / "out"), "-p", "seed=9"])
    assert "10 of" in in_words.stdout and "report: " not in in_words.stdout and "report: " in in_words.stderr
