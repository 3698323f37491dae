"""What every exercise promises, and that the author's gate finds what it is there to find.

The gate itself runs over all of them in `make exercises` (fraudkit exercises verify).
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from fraudkit.cli import app
from fraudkit.workbook import build, codec, judge, verify
from fraudkit.workbook.exercise import CHECKS, WEEKS, Exercise, Mutant, exercise, exercise_ids
from fraudkit.workbook.notebooks import BEGIN, ordered_ids, read_cells, section, stub_of, topics
from fraudkit.workbook.plan.items import read_plan

IDS = ordered_ids()
EACH = pytest.mark.parametrize("exercise_id", IDS)
LIBRARIES = {"sklearn", "scipy", "pandas", "torch", "xgboost", "statsmodels"}


def cases_digest(exercise_id: str, seed: int = 3) -> str:
    cases = exercise(exercise_id).cases(np.random.default_rng(seed))
    plain = [(c.name, c.args, dict(c.kwargs), [(s.method, s.args) for s in c.steps], c.raises) for c in cases]
    return hashlib.sha256(codec.dumps(plain)).hexdigest()


def test_sections_and_checks_files_belong_together():
    assert len(IDS) >= 30
    assert len(set(IDS)) == len(IDS)
    assert sorted(IDS) == exercise_ids()


def test_exercises_are_what_solutions_make_of_them():
    assert build.stale() == []


@EACH
def test_the_form_is_complete(exercise_id: str):
    assert verify.form_problems(exercise(exercise_id)) == []


@EACH
def test_the_same_seed_gives_the_same_cases_and_another_seed_others(exercise_id: str):
    assert cases_digest(exercise_id) == cases_digest(exercise_id)
    assert cases_digest(exercise_id) != cases_digest(exercise_id, seed=4)


def test_cases_do_not_hang_on_the_hash_seed():
    ours = [cases_digest(exercise_id) for exercise_id in IDS]
    program = (
        "import hashlib, numpy as np\nfrom fraudkit.workbook import codec\n"
        "from fraudkit.workbook.exercise import exercise\nfrom fraudkit.workbook.notebooks import ordered_ids\n"
        "for i in ordered_ids():\n"
        "    cases = exercise(i).cases(np.random.default_rng(3))\n"
        "    plain = [(c.name, c.args, dict(c.kwargs), [(s.method, s.args) for s in c.steps], c.raises)"
        " for c in cases]\n"
        "    print(hashlib.sha256(codec.dumps(plain)).hexdigest())\n"
    )
    environment = os.environ | {"PYTHONHASHSEED": "12345"}
    other = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert other.stdout.split() == ours


@EACH
def test_checks_start_quickly(exercise_id: str):
    """A heavy import would be paid at the first check of every kernel; inside a function only by who calls it."""
    tree = ast.parse((CHECKS / f"{exercise_id}.py").read_text(encoding="utf-8"))
    names = {alias.name.partition(".")[0] for n in tree.body if isinstance(n, ast.Import) for alias in n.names}
    names |= {(node.module or "").partition(".")[0] for node in tree.body if isinstance(node, ast.ImportFrom)}
    assert not names & LIBRARIES


@EACH
def test_hints_and_misconceptions_do_not_hand_out_the_solution(exercise_id: str):
    lines = [line.strip() for line in section(exercise_id).answer.split("\n")]
    long_lines = [line for line in lines if len(line) > 40 and not line.startswith(("def ", "class ", '"""', "#"))]
    item = exercise(exercise_id)
    for text in (*item.hints, *(mutant.says for mutant in item.mutants)):
        assert not [line for line in long_lines if line in text]


@EACH
def test_a_case_that_can_fail_says_why(exercise_id: str):
    """At least one case carries a sentence for whom it fails."""
    assert any(case.why for case in exercise(exercise_id).cases(np.random.default_rng(3)))


@pytest.mark.parametrize("topic", topics(), ids=lambda topic: topic.name)
def test_no_solution_reaches_the_learner(topic):
    text = build.exercise_notebook(topic).decode()
    assert BEGIN not in text and "Notes on the solution" not in text
    for part in topic.sections:
        for line in part.answer.split("\n"):
            inside = line.strip() and line.startswith("    ") and line not in stub_of(part.answer)
            assert not (inside and len(line.strip()) > 30 and line.strip() in text), line


@pytest.mark.parametrize("topic", topics(), ids=lambda topic: topic.name)
def test_a_topic_names_its_count_and_takes_parameters(topic):
    cells = read_cells(topic.path)
    assert any("parameters" in cell["metadata"].get("tags", []) for cell in cells)
    assert all(not cell.get("outputs") for cell in cells), "solutions/ are kept without outputs"


def test_lists_carry_what_other_programs_need():
    rows = build.listed()
    assert [row.id for row in rows] == IDS
    auc = next(row for row in rows if row.id == "roc_auc")
    assert (auc.topic, auc.function, auc.signature) == ("01_metrics", "roc_auc", "roc_auc(y_true, y_score)")
    assert all(row.minutes >= 5 and row.difficulty in ("easy", "medium", "hard") for row in rows)


def test_at_least_eight_can_be_plugged():
    assert sum(bool(exercise(exercise_id).plug) for exercise_id in IDS) >= 8


def test_stubs_need_marks_in_pairs():
    with pytest.raises(Exception, match="missing"):
        stub_of("def f():\n    ### BEGIN SOLUTION\n    return 1")
    with pytest.raises(Exception, match="pairs"):
        stub_of("def f():\n    ### END SOLUTION")


def report_on(monkeypatch: pytest.MonkeyPatch, item: Exercise) -> verify.Report:
    monkeypatch.setattr(verify, "exercise", lambda _: item)
    return verify.verify(item.id)


AUC = replace(exercise("roc_auc"), growth=None, mutants=exercise("roc_auc").mutants[:5])


def test_the_gate_lets_a_good_exercise_in(monkeypatch: pytest.MonkeyPatch):
    report = report_on(monkeypatch, AUC)
    assert report.problems == []
    assert (report.false_accepts, report.false_rejects) == (0, 0)
    assert (report.recognised, report.accepted) == (5, 3)


def test_the_gate_s_table_is_the_report(monkeypatch: pytest.MonkeyPatch):
    found = verify.Report("roc_auc", mutants=2, rejected=1, false_accepts=1, problems=["one passes"])
    monkeypatch.setattr("fraudkit.workbook.author.verify_all", lambda *_: [found])
    told = CliRunner().invoke(app, ["exercises", "verify", "roc_auc"])
    assert told.exit_code == 1 and "one passes" in told.stdout and "false accepts 1" in told.stdout
    told = CliRunner().invoke(app, ["exercises", "verify", "roc_auc", "--json"])
    facts = json.loads(told.stdout)
    assert told.exit_code == 1 and facts["false_accepts"] == 1 and facts["reports"][0]["id"] == "roc_auc"


def test_the_gate_finds_a_wrong_answer_that_passes(monkeypatch: pytest.MonkeyPatch):
    swap = ("positives, negatives = y_true.sum()", "positives, negatives = sum(y_true)")
    harmless = Mutant("harmless", "nothing is wrong with it", swaps=(swap,))
    report = report_on(monkeypatch, replace(AUC, mutants=(*AUC.mutants, harmless)))
    assert report.false_accepts == 1 and any("accepted: mutant harmless" in problem for problem in report.problems)


def test_the_gate_finds_a_right_answer_that_is_refused(monkeypatch: pytest.MonkeyPatch):
    def strict(got: object, expected: object, case: object) -> str:
        return "" if type(got) is float and got == expected else "not the same float"

    report = report_on(monkeypatch, replace(AUC, agree=strict))
    assert report.false_rejects >= 1


def test_the_gate_finds_a_case_list_that_lets_zero_through(monkeypatch: pytest.MonkeyPatch):
    report = report_on(
        monkeypatch, replace(AUC, agree=lambda got, expected, case: "", cases=lambda rng: AUC.cases(rng)[:1])
    )
    assert report.false_accepts >= 3


def test_the_gate_finds_two_mutants_that_cannot_be_told_apart(monkeypatch: pytest.MonkeyPatch):
    twin = replace(AUC.mutants[0], name="twin")
    report = report_on(monkeypatch, replace(AUC, mutants=(*AUC.mutants, twin)))
    assert any("mutant twin is taken for" in problem for problem in report.problems)


def test_the_gate_finds_a_swap_that_no_longer_fits(monkeypatch: pytest.MonkeyPatch):
    lost = Mutant("lost", "…", swaps=(("no such text", "x"),))
    report = report_on(monkeypatch, replace(AUC, mutants=(*AUC.mutants, lost)))
    assert any("occurs 0 times" in problem for problem in report.problems)


def test_the_gate_finds_a_false_example(monkeypatch: pytest.MonkeyPatch):
    text = section("roc_auc")
    monkeypatch.setattr(verify, "section", lambda _: replace(text, question=text.question.replace("\n0.75", "\n0.8")))
    assert any("it is '0.75'" in problem for problem in report_on(monkeypatch, AUC).problems)


def test_the_gate_finds_too_few_of_everything(monkeypatch: pytest.MonkeyPatch):
    poor = replace(AUC, hints=("one",), mutants=AUC.mutants[:4], accepted=AUC.accepted[:1])
    problems = " ".join(report_on(monkeypatch, poor).problems)
    assert all(word in problems for word in ("hints", "mutants", "accepted answers"))


def test_mutants_refer_to_the_solution_s_text():
    with pytest.raises(ValueError, match="occurs"):
        judge.mutant_source(AUC, Mutant("m", "…", swaps=(("nowhere", ""),)))


@pytest.mark.parametrize(
    ("aloud", "complaint"),
    [
        ("", "needs a question and a folded answer"),
        ("### Two minutes aloud\n\n<details><summary>A model answer</summary>" + " word" * 150, "needs a question"),
        ("### Two minutes aloud\n\nWhy ranks?\n\n<details><summary>A</summary>\n\nShort.", "two minutes are"),
    ],
)
def test_the_gate_asks_for_two_minutes_aloud(monkeypatch: pytest.MonkeyPatch, aloud: str, complaint: str):
    text = replace(section("roc_auc"), aloud=aloud)
    monkeypatch.setattr(verify, "section", lambda _: text)
    assert any(complaint in problem for problem in verify.form_problems(AUC))


def test_the_gate_asks_for_a_week_of_the_plan():
    assert any("week '13'" in problem for problem in verify.form_problems(replace(AUC, week="13")))
    assert set(WEEKS) <= {week.id for week in read_plan().weeks}
