"""A class of hostile and broken notebooks with two honest learners in it, graded once by the real grader."""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from fraudkit.workbook.grade import GradeResult, grade
from fraudkit.workbook.grade.family import descendants
from fraudkit.workbook.grade.limits import RunLimits
from fraudkit.workbook.grade.marks import LearnerResult
from fraudkit.workbook.grade.session import LOST
from fraudkit.workbook.limits import Limits

pytestmark = pytest.mark.hostile
QUICK = Limits(seconds=1.0, memory_mb=512)
QUICK_RUN = RunLimits(
    cell_seconds=2.0,
    notebook_seconds=8.0,
    cell_bytes=100_000,
    notebook_bytes=2_000_000,
    disk_bytes=60_000_000,
    disk_files=1_000,
)


def load(name: str, path: Path) -> ModuleType:
    """A helper module beside the tests, whatever the working folder is."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


hostile = load("hostile_notebooks", Path(__file__).parent / "hostile" / "notebooks.py")
NAMES = list(hostile.everything(Path("/nonexistent")))


@dataclass
class Graded:
    """The graded class, and what lay beside it before and after."""

    result: GradeResult
    out: Path
    before: dict[str, str]
    after: dict[str, str]
    left: list[str]

    def learner(self, name: str) -> LearnerResult:
        return next(learner for learner in self.result.learners if learner.learner == name)


def digests(*folders: Path) -> dict[str, str]:
    """Every file's path with its content, mode and time."""
    return {
        str(path): f"{hashlib.sha256(path.read_bytes()).hexdigest()} {path.stat().st_mode} {path.stat().st_mtime_ns}"
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def graders() -> set[int]:
    """Processes of graders and sandboxes that nobody looks after any more."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError, ValueError):
            continue
        if parent == 1 and b"fraudkit.workbook." in command:
            found.add(int(entry.name))
    return found


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    base = tmp_path_factory.mktemp("class")
    folder, outside, out = base / "submissions", base / "outside", base / "report"
    outside.mkdir()
    (outside / "gradebook.csv").write_text("canary")
    notebooks = {name: case.data for name, case in hostile.everything(outside).items()}
    notebooks |= {"Anna": hostile.honest(), "Zoë": hostile.honest()}
    for name, data in notebooks.items():
        (folder / name).mkdir(parents=True)
        (folder / name / f"{hostile.TOPIC}.ipynb").write_bytes(data)
    latin = os.fsencode(folder) + b"/J\xfcrgen"
    if sys.platform == "linux":  # macOS takes UTF-8 names only
        os.mkdir(latin)  # noqa: PTH102 - a name that is no text
        with open(latin + f"/{hostile.TOPIC}.ipynb".encode(), "wb") as file:  # noqa: PTH123
            file.write(hostile.honest())
    orphans = graders()
    before = digests(folder, outside)
    result = grade(folder, out, jobs=2, limits=QUICK, run_limits=QUICK_RUN)
    left = [str(pid) for pid in [*descendants(os.getpid()), *(graders() - orphans)]]
    return Graded(result, out, before, digests(folder, outside), left)


@pytest.mark.parametrize("name", NAMES)
def test_an_attack_costs_its_own_task_only(graded: Graded, name: str):
    case = hostile.everything(Path("/nonexistent"))[name]
    marks = graded.learner(name).marks
    assert marks
    for mark in marks:
        if mark.exercise_id == hostile.TASK or case.whole:
            assert mark.status in case.statuses, mark
            assert mark.points == (mark.possible if mark.status == "pass" else 0.0), mark
        else:
            assert (mark.status, mark.points) == ("pass", mark.possible), mark


@pytest.mark.parametrize("name", ["Anna", "Zoë"])
def test_honest_learners_in_the_same_class_are_full(graded: Graded, name: str):
    learner = graded.learner(name)
    assert learner.points == learner.possible > 0


@pytest.mark.skipif(sys.platform != "linux", reason="the file system takes UTF-8 names only")
def test_a_name_that_is_no_text_is_graded_as_any_other(graded: Graded):
    learner = graded.learner("J\ufffdrgen")
    assert learner.points == learner.possible > 0


def test_nothing_outside_is_touched(graded: Graded):
    assert graded.after == graded.before


def test_no_process_is_left(graded: Graded):
    assert graded.left == []


def test_no_notebook_ends_the_process_that_grades_it(graded: Graded):
    assert [problem for problem in graded.result.problems if LOST in problem] == []


def test_the_gradebook_has_every_learner(graded: Graded):
    with (graded.out / "gradebook.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    named = {cell for row in rows for cell in row}
    assert {learner.learner for learner in graded.result.learners} <= named
    assert set(NAMES) <= {learner.learner for learner in graded.result.learners}


def test_the_notebooks_ran_as_their_fate_says(graded: Graded):
    runs = {learner.learner: learner.notebooks[0].run for learner in graded.result.learners}
    assert runs["Anna"] == "ran"
    assert {runs[name] for name in ("cell loops for ever", "cell is no Python", "cell reads the solutions")} == {
        "errors"
    }
    assert runs["cell swallows interrupts"] == "timeout"
    assert {runs[name] for name in ("cell kills the kernel", "cell leaves by os._exit")} == {"died"}
    assert runs["cell fills the disk"] == "flooded"
    assert {runs[name] for name in ("corrupt", "empty", "not UTF-8", "nested too deep")} == {"corrupt"}


def test_a_second_grading_runs_nothing_and_marks_the_same(graded: Graded):
    folder = Path(next(iter(graded.before))).parents[1]
    again = grade(folder, graded.out, jobs=2, limits=QUICK, run_limits=QUICK_RUN)
    first = {learner.learner: learner.marks for learner in graded.result.learners}
    second = {learner.learner: learner.marks for learner in again.learners}
    assert {name for name in first if first[name] != second[name]} == set()
    assert again.ran == 0
