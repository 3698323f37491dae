"""The learner's commands as real processes: exit codes, JSON, a folder that is watched."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import nbformat
import pytest

from fraudkit.workbook.commands import Watched, bar
from fraudkit.workbook.exercise import exercise
from fraudkit.workbook.judge import mutant_source
from fraudkit.workbook.notebooks import ordered_ids, reference_source
from fraudkit.workbook.progress import State

AUC = exercise("roc_auc")
RIGHT = "import numpy as np\n" + reference_source("roc_auc", "roc_auc")
TIES = "import numpy as np\n" + mutant_source(AUC, AUC.mutants[0])
SAYS = AUC.mutants[0].says.split(",")[0]
ENDLESS = "def roc_auc(y_true, y_score):\n    while True:\n        pass\n"
BROKEN = "def roc_auc(y_true, y_score:\n    return 1\n"
STUB = "def roc_auc(y_true, y_score):\n    # YOUR CODE HERE\n    raise NotImplementedError\n"


def run(home: Path, *arguments: str, said: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fraudkit", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        input=said,
        env={**os.environ, "FRAUDKIT_HOME": str(home), "COLUMNS": "100"},
    )


def answer(folder: Path, source: str) -> str:
    path = folder / "answer.py"
    path.write_text(source)
    return str(path)


def notebook(path: Path, *cells: str) -> Path:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbformat.write(made, path)
    return path


@pytest.mark.parametrize(
    ("source", "code", "status", "says"),
    [
        (RIGHT, 0, "pass", "passes all"),
        (TIES, 1, "fail", SAYS),
        (ENDLESS, 1, "timeout", "takes too long"),
        (BROKEN, 1, "missing", "is no Python: '(' was never closed (line 1)"),
        (STUB, 1, "missing", "stub is untouched"),
        ("x = 1\n", 1, "missing", "roc_auc is not defined"),
    ],
    ids=["right", "wrong", "endless", "no-python", "stub", "nothing"],
)
def test_only_a_pass_ends_with_zero(tmp_path: Path, source: str, code: int, status: str, says: str):
    done = run(tmp_path, "check", "roc_auc", "--file", answer(tmp_path, source))
    assert done.returncode == code, done.stderr
    assert says in " ".join(done.stdout.split()) and "hint(" not in done.stdout and done.stderr == ""
    written = tmp_path / "progress.json"
    counted = json.loads(written.read_bytes())["exercises"]["roc_auc"]["last_status"] if written.exists() else "missing"
    assert counted == status


def test_json_holds_the_verdict_and_the_way_on(tmp_path: Path):
    wrong = run(tmp_path, "check", "roc_auc", "--file", answer(tmp_path, TIES), "--json")
    assert wrong.returncode == 1
    verdict = json.loads(wrong.stdout)
    assert (verdict["status"], verdict["failure"]["mutant"], verdict["next"]) == ("fail", "ties-ordered", None)
    right = run(tmp_path, "check", "roc_auc", "--file", answer(tmp_path, RIGHT), "--json")
    assert right.returncode == 0
    verdict = json.loads(right.stdout)
    assert (verdict["status"], verdict["failure"], verdict["credit"]) == ("pass", None, 1.0)
    assert verdict["next"] in ordered_ids()


def test_a_notebook_is_read_as_its_cells(tmp_path: Path):
    path = notebook(tmp_path / "any name.ipynb", "%matplotlib inline", "import numpy as np", RIGHT, 'check("roc_auc")')
    assert run(tmp_path, "check", "roc_auc", "--file", str(path)).returncode == 0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.py", None, "cannot be read"),
        ("latin.py", "é".encode("latin-1"), "not text in UTF-8"),
        ("broken.ipynb", b"{", "is no notebook"),
    ],
)
def test_a_file_that_cannot_be_read_ends_with_two(tmp_path: Path, name: str, content: bytes | None, says: str):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = run(tmp_path, "check", "roc_auc", "--file", str(tmp_path / name), "--json")
    assert done.returncode == 2 and done.stdout == ""
    assert says in " ".join(done.stderr.split()) and "Traceback" not in done.stderr


def test_an_unknown_exercise_ends_with_two_and_names_its_neighbours(tmp_path: Path):
    done = run(tmp_path, "check", "roc_auk", "--file", answer(tmp_path, RIGHT))
    assert done.returncode == 2 and "roc_auc" in done.stderr


def test_next_and_progress_follow_what_is_passed(tmp_path: Path):
    first = json.loads(run(tmp_path, "next", "--json").stdout)
    assert first["id"] == ordered_ids()[0] and first["notebook"].startswith("exercises/")
    run(tmp_path, "check", "roc_auc", "--file", answer(tmp_path, RIGHT))
    following = run(tmp_path, "next").stdout
    assert "roc_auc:" not in following and "minutes" in following

    done = json.loads(run(tmp_path, "progress", "--json").stdout)
    assert (done["passed"], done["total"]) == (1, len(ordered_ids()))
    states = {entry["id"]: entry["state"] for topic in done["topics"] for entry in topic["exercises"]}
    assert list(states) == ordered_ids() and states.pop("roc_auc") == "passed" and set(states.values()) == {"open"}
    shown = run(tmp_path, "progress").stdout
    assert f"1 of {len(ordered_ids())} exercises passed" in shown and "01 · Metrics" in shown and "█" in shown
    assert f"next: {done['next']}" in shown


def test_progress_is_exported_reset_and_imported(tmp_path: Path):
    run(tmp_path, "check", "roc_auc", "--file", answer(tmp_path, RIGHT))
    written, copy = tmp_path / "progress.json", tmp_path / "mine.json"
    before = written.read_bytes()
    assert run(tmp_path, "progress", "--export", str(copy)).returncode == 0
    assert copy.read_bytes() == before

    for said in ("n\n", ""):
        refused = run(tmp_path, "progress", "--reset", said=said)
        assert refused.returncode == 1 and written.read_bytes() == before
    assert run(tmp_path, "progress", "--reset", said="y\n").returncode == 0
    assert json.loads(written.read_bytes())["exercises"] == {}
    (kept,) = tmp_path.glob("progress.before-reset-*.json")
    assert kept.read_bytes() == before

    assert run(tmp_path, "progress", "--import", str(copy)).returncode == 0
    assert written.read_bytes() == before
    assert run(tmp_path, "progress", "--import", str(copy), "--reset", "--yes").returncode == 1
    assert written.read_bytes() == before


@pytest.mark.parametrize(
    ("states", "drawn"),
    [
        ([], ""),
        (["open"], "·" * 20),
        (["open", "tried", "solution seen", "passed"], "█" * 5 + "▒" * 5 + "─" * 5 + "·" * 5),
        (["passed", "passed after the solution"], "█" * 10 + "▓" * 10),
    ],
)
def test_a_bar_shows_shares_of_states(states: list[State], drawn: str):
    assert bar(states).plain == drawn


def test_only_answers_that_changed_are_looked_at_again(tmp_path: Path):
    path = notebook(tmp_path / "01_metrics.ipynb", "import numpy as np", STUB)
    watched = Watched(tmp_path)
    assert [name for name, _ in watched.look()] == ["roc_auc"]
    assert watched.look() == []
    notebook(path, "import numpy as np", STUB, "scratch = 1")
    assert watched.look() == []  # saved, but no answer is another one
    notebook(path, "import numpy as np", RIGHT)
    assert [name for name, _ in watched.look()] == ["roc_auc"]
    notebook(path, "import numpy as np", BROKEN)
    assert [name for name, _ in watched.look()] == ["roc_auc"]
    path.write_text("{half")
    assert watched.look() == []
    notebook(tmp_path / ".~01_metrics.ipynb", RIGHT)
    path.unlink()
    assert watched.look() == []


def test_a_saved_notebook_is_checked_and_ctrl_c_ends_cleanly(tmp_path: Path):
    path = notebook(tmp_path / "01_metrics.ipynb", "import numpy as np", STUB)
    process = subprocess.Popen(
        [sys.executable, "-m", "fraudkit", "watch", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "FRAUDKIT_HOME": str(tmp_path / "home"), "COLUMNS": "400"},
    )
    lines: queue.Queue[str] = queue.Queue()
    assert process.stdout is not None and process.stderr is not None
    for stream in (process.stdout, process.stderr):
        threading.Thread(target=lambda stream=stream: [lines.put(line) for line in stream], daemon=True).start()

    def wait_for(words: str) -> None:
        deadline = time.monotonic() + 60
        while words not in (line := lines.get(timeout=max(0.1, deadline - time.monotonic()))):
            assert "Traceback" not in line

    try:
        wait_for("watching")
        notebook(path, "import numpy as np", TIES)
        wait_for("Equal scores were ranked")
        notebook(path, "import numpy as np", RIGHT)
        wait_for("passes all")
        process.send_signal(signal.SIGINT)
        wait_for("ended")
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def test_watching_what_is_no_folder_is_refused(tmp_path: Path):
    done = run(tmp_path, "watch", str(tmp_path / "none"))
    assert done.returncode == 1 and "is no folder" in done.stderr
