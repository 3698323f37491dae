"""check, hint, solution and plug as a learner calls them: in a kernel's history, in a script, in a real kernel."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from fraudkit.core.config import settings
from fraudkit.core.errors import NotReady
from fraudkit.workbook.exercise import exercise
from fraudkit.workbook.judge import mutant_source
from fraudkit.workbook.notebooks import reference_source
from fraudkit.workbook.progress import ProgressFile

doors = importlib.import_module("fraudkit.workbook.check")

AUC = exercise("roc_auc")
RIGHT = "import numpy as np\n" + reference_source("roc_auc", "roc_auc")
TIES = "import numpy as np\n" + mutant_source(AUC, AUC.mutants[0])
SAYS = AUC.mutants[0].says.split(",")[0]
STUB = "def roc_auc(y_true, y_score):\n    # YOUR CODE HERE\n    raise NotImplementedError"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home for each test, so that nobody's hints are counted twice."""
    monkeypatch.setenv("FRAUDKIT_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(doors.GRADING, raising=False)
    settings.cache_clear()
    yield tmp_path / "home"
    settings.cache_clear()


@pytest.fixture(scope="module", autouse=True)
def _closed() -> Iterator[None]:
    yield
    doors.close_sandbox()


class Kernel:
    """IPython's shell as far as the doors use it: history in, panels out."""

    def __init__(self) -> None:
        self.user_ns: dict[str, object] = {"In": [""]}
        self.shown: list[dict[str, str]] = []
        self.display_pub = SimpleNamespace(publish=self.shown.append)

    def run(self, *cells: str) -> None:
        history = self.user_ns["In"]
        assert isinstance(history, list)
        history.extend(cells)

    @property
    def last(self) -> str:
        return self.shown[-1]["text/plain"]


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    made = Kernel()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: made))
    return made


def record():
    return ProgressFile().read().record("roc_auc")


def test_a_wrong_answer_then_a_right_one(kernel: Kernel):
    kernel.run("import numpy as np", TIES, 'check("roc_auc")')
    doors.check("roc_auc")
    assert SAYS in " ".join(kernel.last.split()) and set(kernel.shown[-1]) == {"text/plain", "text/html"}
    assert (record().last_status, record().last_misconception) == ("fail", "ties-ordered")
    kernel.run(RIGHT)
    doors.check("roc_auc")
    assert "passes all" in kernel.last and "Next:" in kernel.last
    assert (record().attempts, record().state) == (2, "passed")


@pytest.mark.parametrize(("cells", "says"), [((), "roc_auc is not defined"), ((STUB,), "stub is untouched")])
def test_without_an_answer_nothing_is_counted(kernel: Kernel, cells: tuple[str, ...], says: str):
    kernel.run(*cells)
    doors.check("roc_auc")
    assert says in kernel.last
    assert record().attempts == 0


def test_an_answer_in_a_timed_cell_is_found_and_one_in_another_language_is_not(kernel: Kernel):
    kernel.run(f"get_ipython().run_cell_magic('time', '', {RIGHT!r})\n")
    found = doors.answer_source("roc_auc")
    assert found.startswith("import numpy as np\n")
    kernel.run(f"get_ipython().run_cell_magic('bash', '', {TIES!r})\n")
    assert doors.answer_source("roc_auc") == found


def test_an_endless_answer_costs_its_time_limit_only(kernel: Kernel, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("fraudkit.workbook.limits.Limits.__init__.__defaults__", (0.5, 2048, 8_000_000, 50, 256))
    kernel.run("def roc_auc(y_true, y_score):\n    while True: pass")
    doors.check("roc_auc")
    assert "takes too long" in kernel.last and record().last_status == "timeout"


def test_the_learner_s_settings_neither_disturb_a_check_nor_change(kernel: Kernel):
    kernel.run(TIES)
    doors.check("roc_auc")
    plain = kernel.last
    with np.errstate(all="raise"), np.printoptions(precision=1, suppress=True, sign="+"):
        before = (np.geterr(), np.get_printoptions())
        doors.check("roc_auc")
        assert (np.geterr(), np.get_printoptions()) == before
    assert kernel.last == plain


def test_the_learner_s_objects_are_never_used(kernel: Kernel):
    """Only the text counts: what lies in the kernel may be anything."""

    class Trap:
        def __getattribute__(self, name: str) -> object:
            raise AssertionError(f"touched: {name}")

    kernel.user_ns |= {"roc_auc": Trap(), "np": Trap()}
    kernel.run(RIGHT)
    doors.check("roc_auc")
    assert "passes all" in kernel.last


def test_an_interrupted_check_leaves_the_next_one_whole(kernel: Kernel, monkeypatch: pytest.MonkeyPatch):
    kernel.run(RIGHT)
    with monkeypatch.context() as patch:
        patch.setattr("fraudkit.workbook.sandbox._receive", interrupt)
        with pytest.raises(KeyboardInterrupt):
            doors.check("roc_auc")
    assert doors._sandbox is None
    doors.check("roc_auc")
    assert "passes all" in kernel.last


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_one_sandbox_serves_every_check(kernel: Kernel):
    kernel.run(RIGHT)
    doors.check("roc_auc")
    first = doors._sandbox
    doors.check("roc_auc")
    assert doors._sandbox is first and first is not None


def test_an_unknown_exercise_is_told_without_a_traceback(kernel: Kernel):
    doors.check("roc_auk")
    assert "there is no exercise 'roc_auk'" in kernel.last.replace("There", "there") and "roc_auc" in kernel.last


def test_progress_that_cannot_be_written_does_not_stop_a_check(kernel: Kernel, home: Path):
    home.write_text("a file where the folder should be")
    kernel.run(RIGHT)
    doors.check("roc_auc")
    assert "passes all" in kernel.last and "Progress could not be recorded" in kernel.last
    doors.hint("roc_auc")
    assert "hint 1 of" in kernel.last and "Progress could not be recorded" in kernel.last
    doors.solution("roc_auc", sure=True)
    assert "def roc_auc" in kernel.last and "Progress could not be recorded" in kernel.last


def test_damaged_progress_is_told_in_the_panel(kernel: Kernel, home: Path):
    home.mkdir()
    (home / "progress.json").write_text("{")
    kernel.run(RIGHT)
    doors.check("roc_auc")
    assert "is damaged" in " ".join(kernel.last.split()) and record().passed


def test_hints_come_one_after_the_other(kernel: Kernel):
    count = len(AUC.hints)
    for number in (*range(1, count + 1), count):
        doors.hint("roc_auc")
        assert f"hint {number} of {count}" in kernel.last
        assert AUC.hints[number - 1].split(".")[0].replace("`", "")[:40] in " ".join(kernel.last.split())
    doors.hint("roc_auc", 1)
    assert f"hint 1 of {count}" in kernel.last
    doors.hint("roc_auc", count + 1)
    assert f"hints 1 to {count}" in kernel.last
    assert record().hints == count


def test_the_offered_hints_are_those_that_are_left(kernel: Kernel):
    kernel.run(TIES)
    doors.hint("roc_auc")
    doors.check("roc_auc")
    assert f"gives the next of {len(AUC.hints) - 1}." in kernel.last


def test_the_solution_is_asked_for_once_and_recorded(kernel: Kernel, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []

    def answer(question: str) -> str:
        asked.append(question)
        return "n" if len(asked) == 1 else "y"

    monkeypatch.setattr("builtins.input", answer)
    doors.solution("roc_auc")
    assert "Nothing was recorded." in kernel.last and record().state == "open"
    doors.solution("roc_auc")
    assert record().state == "solution seen" and "BEGIN SOLUTION" not in kernel.last
    assert kernel.shown[-1]["text/markdown"].count("```") == 2 and "### Notes" in kernel.shown[-1]["text/markdown"]
    doors.solution("roc_auc")
    assert len(asked) == 2
    kernel.run(RIGHT)
    doors.check("roc_auc")
    assert "after our solution was shown" in kernel.last and record().state == "passed after the solution"


@pytest.mark.parametrize("error", [EOFError, OSError, NotImplementedError, RuntimeError])
def test_where_nobody_can_be_asked_the_solution_stays_hidden(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
):
    def refuse(_: str) -> str:
        raise error

    monkeypatch.setattr("builtins.input", refuse)
    doors.solution("roc_auc")
    assert "sure=True" in kernel.last and "def roc_auc" not in kernel.last and record().state == "open"
    doors.solution("roc_auc", sure=True)
    assert "def roc_auc" in kernel.last and record().state == "solution seen"


def test_after_a_pass_the_solution_needs_no_question(kernel: Kernel, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("builtins.input", interrupt)
    kernel.run(RIGHT)
    doors.check("roc_auc")
    doors.solution("roc_auc")
    assert "def roc_auc" in kernel.last and record().state == "passed"


def test_under_grading_every_door_says_one_line(
    kernel: Kernel, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv(doors.GRADING, "1")
    kernel.run(TIES)
    for door in (doors.check, doors.hint, doors.solution, doors.plug):
        door("roc_auc")
    assert capsys.readouterr().out == "roc_auc: left to the grader\n" * 4
    assert kernel.shown == [] and record().attempts == record().hints == 0


def test_plug_hands_over_the_answer_s_text_and_shows_the_report(kernel: Kernel, monkeypatch: pytest.MonkeyPatch):
    def plug_source(exercise_id: str, source: str, **options: object):
        return doors.note_panel(f"{exercise_id} {options}", "plugged" if "np.unique" in source else "wrong text")

    monkeypatch.setattr(importlib.import_module("fraudkit.workbook.plug"), "plug_source", plug_source)
    kernel.run("noise = 1", RIGHT)
    doors.plug("roc_auc", world="small")
    assert "Plugged." in kernel.last and "roc_auc {'world': 'small'}" in kernel.last
    kernel.user_ns["In"] = []
    doors.plug("roc_auc")
    assert "roc_auc is not defined" in kernel.last


def test_in_a_script_the_script_s_own_text_is_checked(tmp_path: Path, home: Path):
    script = tmp_path / "answer.py"
    script.write_text(TIES + '\nfrom fraudkit.workbook import check, solution\ncheck("roc_auc")\nsolution("roc_auc")\n')
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120, input="y\n")
    assert done.returncode == 0, done.stderr
    assert SAYS in " ".join(done.stdout.split()) and "sure=True" in done.stdout and "def roc_auc" not in done.stdout


def test_with_neither_notebook_nor_script_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: None))
    monkeypatch.setitem(sys.modules, "__main__", SimpleNamespace())
    with pytest.raises(NotReady, match="fraudkit check ID --file"):
        doors.answer_cells()


def test_importing_the_package_costs_nothing_and_its_doors_stay_doors():
    program = (
        "import sys, fraudkit.workbook\n"
        "print(sorted({'numpy', 'matplotlib', 'fraudkit.workbook.check'} & set(sys.modules)))\n"
        "import fraudkit.workbook.check, fraudkit.workbook.panel\n"
        "from fraudkit.workbook import check, plug, panel, progress_picture\n"
        "import fraudkit.workbook.plug\n"
        "from fraudkit.workbook import check as again, plug as too\n"
        "print(callable(check), check is again, plug is too, callable(plug), panel.__name__)\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=120)
    assert done.stdout.split("\n")[:2] == ["[]", "True True True True fraudkit.workbook.panel"], done.stderr
    with pytest.raises(AttributeError):
        importlib.import_module("fraudkit.workbook").nothing  # noqa: B018


def test_in_a_real_kernel_it_fails_then_passes_and_never_asks(home: Path, tmp_path: Path):
    cells = [
        "from fraudkit.workbook import check, hint, solution\nkept = [3, 1, 2]",
        STUB,
        'check("roc_auc")',
        TIES,
        'check("roc_auc"); hint("roc_auc")',
        'solution("roc_auc")',
        "%%time\n" + RIGHT,
        'check("roc_auc")\nassert kept == [3, 1, 2] and roc_auc([0, 1], [0, 1]) == 1',
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()

    def shown(number: int) -> str:
        found = notebook.cells[number].outputs
        assert all(output.output_type == "display_data" for output in found)
        return " ".join(" ".join(output.data["text/plain"] for output in found).split())

    assert "stub is untouched" in shown(2)
    assert SAYS in shown(4) and "hint 1 of" in shown(4)
    assert "sure=True" in shown(5) and "positives" not in shown(5)
    assert "passes all" in shown(7)
    assert "text/html" in notebook.cells[4].outputs[0].data
    assert (record().attempts, record().hints, record().state) == (2, 1, "passed")
