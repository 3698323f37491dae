"""The progress file: kept whole through crashes, several writers and damage; what comes next; the picture."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.colors import to_hex
from matplotlib.patches import FancyBboxPatch

from fraudkit.core.clock import FixedClock
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.notebooks import Section, Topic
from fraudkit.workbook.order import next_exercise
from fraudkit.workbook.picture import LOOKS, progress_picture
from fraudkit.workbook.progress import STATES, Progress, ProgressFile, Record, State, dumps, loads

NOON = 1_790_000_000_000  # 2026-09-21T14:13:20Z


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def file(tmp_path: Path, told: list[str]) -> ProgressFile:
    return ProgressFile(tmp_path / "progress.json", FixedClock(NOON), told.append)


def in_another_process(program: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", program, *arguments])


def test_a_first_attempt_a_failure_and_a_pass_are_written_with_their_times(file: ProgressFile):
    file.attempt("roc_auc", "fail", "ties-ordered")
    assert isinstance(file.clock, FixedClock)
    file.clock.advance(61_500)
    file.attempt("roc_auc", "pass")
    file.clock.advance(500)
    file.attempt("roc_auc", "pass")
    file.clock.advance(500)
    file.attempt("roc_auc", "fail")
    assert json.loads(file.path.read_bytes())["exercises"]["roc_auc"] == {
        "attempts": 4,
        "first_tried_at": "2026-09-21T14:13:20.000Z",
        "last_tried_at": "2026-09-21T14:14:22.500Z",
        "passed_at": "2026-09-21T14:14:21.500Z",  # the first pass; a later failure does not take it back
        "hints": 0,
        "solution_shown_at": None,
        "last_status": "fail",
        "last_misconception": None,
    }


def test_reading_makes_no_file(file: ProgressFile):
    assert file.read() == Progress()
    assert list(file.path.parent.iterdir()) == []


def test_sections_and_fields_of_a_later_writer_stay_as_they_are(file: ProgressFile):
    document = {
        "version": 1,
        "quiz": {"seen": [1, 2]},
        "checklists": {"metrics": {"ties": True}},
        "exercises": {"roc_auc": {"attempts": 1, "mood": "good"}},
    }
    file.path.write_text(json.dumps(document))
    file.attempt("roc_auc", "pass")
    after = json.loads(file.path.read_bytes())
    assert after["quiz"] == document["quiz"] and after["checklists"] == document["checklists"]
    assert after["exercises"]["roc_auc"]["mood"] == "good" and after["exercises"]["roc_auc"]["attempts"] == 2


def test_hints_come_one_by_one_and_stop_at_the_last(file: ProgressFile):
    assert [file.hint("pca", 3) for _ in range(4)] == [1, 2, 3, 3]
    assert file.hint("pca", 3, 1) == 1
    assert file.read().record("pca").hints == 3


@pytest.mark.parametrize(
    ("record", "state"),
    [
        (Record(), "open"),
        (Record(hints=2), "open"),
        (Record(attempts=1), "tried"),
        (Record(attempts=1, solution_shown_at="2"), "solution seen"),
        (Record(attempts=1, passed_at="1"), "passed"),
        (Record(attempts=1, passed_at="1", solution_shown_at="2"), "passed"),
        (Record(attempts=1, passed_at="2", solution_shown_at="1"), "passed after the solution"),
        (Record(attempts=1, passed_at="2", solution_shown_at="2"), "passed after the solution"),
    ],
)
def test_a_state_says_whether_the_solution_came_first(record: Record, state: State):
    assert record.state == state


def test_nothing_is_written_when_a_change_fails(file: ProgressFile):
    file.attempt("pca", "fail")
    before = file.path.read_bytes()
    with pytest.raises(KeyError), file.change() as progress:
        progress.exercises["pca"].attempts = 99
        raise KeyError
    assert file.path.read_bytes() == before


def test_a_writer_killed_half_way_leaves_the_old_file_and_its_rest_is_cleared(file: ProgressFile, told: list[str]):
    file.attempt("pca", "fail")
    before = file.path.read_bytes()
    killed = in_another_process(
        "import os, signal, sys\nfrom pathlib import Path\nimport fraudkit.core.files as files\n"
        "from fraudkit.workbook.progress import ProgressFile\n"
        "def half(path, data):\n"
        "    path.write_bytes(data[: len(data) // 2])\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "files.write_synced = half\n"
        "ProgressFile(Path(sys.argv[1])).attempt('pca', 'pass')\n",
        str(file.path),
    )
    assert killed.wait(60) == -signal.SIGKILL
    assert file.path.read_bytes() == before
    assert len(list(file.path.parent.glob(".progress.json.*"))) == 2  # the lock and the half file

    file.attempt("pca", "pass")  # the lock died with its holder
    assert file.read().record("pca").attempts == 2
    assert [path.name for path in file.path.parent.glob(".*")] == [".progress.json.lock"]
    assert told == []


def test_processes_writing_at_once_lose_nothing(file: ProgressFile):
    program = (
        "import sys\nfrom pathlib import Path\nfrom fraudkit.workbook.progress import ProgressFile\n"
        "file = ProgressFile(Path(sys.argv[1]))\n"
        "for number in range(25):\n"
        "    file.attempt('shared', 'fail')\n"
        "    file.attempt(f'own-{sys.argv[2]}-{number}', 'pass')\n"
    )
    writers = [in_another_process(program, str(file.path), str(number)) for number in range(2)]
    assert [writer.wait(120) for writer in writers] == [0, 0]
    progress = file.read()
    assert progress.record("shared").attempts == 50
    assert len(progress.exercises) == 51 and all(record.attempts for record in progress.exercises.values())


DAMAGED = {
    "half a file": b'{"version": 1, "exercises": {"pca": {"att',
    "empty": b"",
    "no JSON": b"\xff\xfe progress",
    "a list": b"[]",
    "no version": b'{"exercises": {}}',
    "a record that is none": b'{"version": 1, "exercises": {"pca": 3}}',
    "a count below zero": b'{"version": 1, "exercises": {"pca": {"attempts": -1}}}',
    "a time that is a number": b'{"version": 1, "exercises": {"pca": {"passed_at": 5}}}',
    "nested without end": b"[" * 100_000,
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_file_is_moved_aside_and_told(file: ProgressFile, told: list[str], data: bytes):
    file.path.write_bytes(data)
    assert file.read() == Progress()
    (aside,) = file.path.parent.glob("progress.damaged-*.json")
    assert aside.name == "progress.damaged-20260921T141320Z.json" and aside.read_bytes() == data
    (sentence,) = told
    assert "damaged" in sentence and aside.name in sentence
    file.attempt("pca", "pass")
    assert file.read().record("pca").passed and aside.read_bytes() == data


def test_a_second_damage_within_the_second_overwrites_nothing(file: ProgressFile):
    for data in (b"first", b"second"):
        file.path.write_bytes(data)
        file.attempt("pca", "fail")
    kept = sorted(file.path.parent.glob("progress.damaged-*.json"))
    assert sorted(path.read_bytes() for path in kept) == [b"first", b"second"]


def test_a_file_of_a_later_version_is_left_alone(file: ProgressFile):
    file.path.write_text('{"version": 2, "exercises": []}')
    with pytest.raises(InvalidInput, match="update fraudkit"):
        file.attempt("pca", "pass")
    assert file.path.read_text() == '{"version": 2, "exercises": []}'


def test_export_and_import_bring_progress_to_another_home(file: ProgressFile, tmp_path: Path):
    file.attempt("pca", "pass")
    file.export(tmp_path / "mine.json")
    (tmp_path / "other").mkdir()
    other = ProgressFile(tmp_path / "other" / "progress.json", FixedClock(NOON))
    other.attempt("kmeans", "fail")
    before = other.path.read_bytes()
    copy = other.take(tmp_path / "mine.json")
    assert other.read() == file.read()
    assert copy is not None and copy.read_bytes() == before


def test_export_overwrites_nothing_and_import_takes_nothing_else(file: ProgressFile, tmp_path: Path):
    other = tmp_path / "notes.json"
    other.write_text("[1]")
    with pytest.raises(InvalidInput, match="exists already"):
        file.export(other)
    with pytest.raises(InvalidInput, match="no progress file"):
        file.take(other)
    with pytest.raises(InvalidInput, match="cannot be read"):
        file.take(tmp_path / "none.json")
    with pytest.raises(InvalidInput, match="cannot be written"):
        file.export(tmp_path / "no folder" / "x.json")
    assert other.read_text() == "[1]" and not file.path.exists()


def test_reset_begins_again_and_keeps_a_copy(file: ProgressFile):
    assert file.reset() is None
    file.attempt("pca", "pass")
    before = file.path.read_bytes()
    copy = file.reset()
    assert copy is not None and copy.read_bytes() == before
    assert file.read() == Progress()


def test_the_same_content_gives_the_same_bytes():
    progress = Progress({"b": Record(attempts=1), "a": Record(passed_at="é")}, {"x": 1}, {"later": "\ud800"})
    assert dumps(loads(dumps(progress))) == dumps(progress)
    assert loads(dumps(progress)) == progress


def topic(name: str, *ids: str) -> Topic:
    return Topic(name, name, Path(name), tuple(Section(i, i.upper(), "", "", "", "", "") for i in ids), ())


TOPICS = [topic("01_a", "a1", "a2"), topic("02_b", "b1", "b2"), topic("03_none")]


def passed(*ids: str, at: str = "1") -> dict[str, Record]:
    return {exercise_id: Record(attempts=1, passed_at=at) for exercise_id in ids}


@pytest.mark.parametrize(
    ("exercises", "expected"),
    [
        ({}, "a1"),
        (passed("a1"), "a2"),
        (passed("a2"), "a1"),
        (passed("b1"), "b2"),  # the topic in work goes first
        (passed("a1", at="2") | passed("b1", at="1"), "a2"),
        (passed("b1") | {"a1": Record(attempts=1, last_tried_at="2")}, "a1"),
        (passed("b1") | {"a2": Record(solution_shown_at="2")}, "a1"),
        (passed("b1", "b2"), "a1"),
        (passed("a1", "a2", "b1", "b2"), None),
    ],
)
def test_what_comes_next(exercises: dict[str, Record], expected: str | None):
    following = next_exercise(Progress(exercises), TOPICS)
    assert (following and following.exercise_id) == expected


def test_the_next_exercise_comes_with_its_notebook():
    following = next_exercise(Progress(), TOPICS)
    assert following is not None
    assert (following.title, following.notebook) == ("A1", "exercises/01_a.ipynb")


def test_the_picture_has_a_tile_in_the_state_s_colour_for_each_exercise():
    exercises = passed("a1") | {"a2": Record(attempts=1), "b1": Record(attempts=1, solution_shown_at="1")}
    figure = progress_picture(Progress(exercises), TOPICS)
    (axes,) = figure.axes
    tiles = [to_hex(patch.get_facecolor()) for patch in axes.patches if isinstance(patch, FancyBboxPatch)]
    assert tiles == [LOOKS[state][0] for state in ("passed", "tried", "solution seen", "open")]
    assert axes.get_title() == "Exercises passed: 1 of 4"
    words = [text.get_text() for text in axes.texts]
    assert {"a1 ✓", "a2 …", "b1 ○", "b2"} <= set(words) and "01_a\n1 of 2" in words
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert [entry.rstrip(" ✓○…") for entry in legend] == list(STATES)


def test_the_picture_is_the_same_every_time():
    assert progress_picture(Progress(), TOPICS)._repr_png_() == progress_picture(Progress(), TOPICS)._repr_png_()


def test_the_picture_reads_this_home_and_survives_an_empty_workbook():
    figure = progress_picture(found=[])
    assert figure.axes[0].get_title() == "Exercises passed: 0 of 0"
    assert os.environ["FRAUDKIT_HOME"]
