"""Hostile notebooks in real graded kernels: each ends in time, alone, and with what it had done so far saved."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fraudkit.workbook.grade.family import descendants, disk_use
from fraudkit.workbook.grade.limits import RunLimits
from fraudkit.workbook.grade.notebook import Cell
from fraudkit.workbook.grade.run import NotebookRunner, Run, private_folder

LIMITS = RunLimits(cell_seconds=2.0, notebook_seconds=40.0)


@pytest.fixture(scope="module")
def runner() -> Iterator[NotebookRunner]:
    """One warm process for all tests here, as a grader has it."""
    with NotebookRunner(LIMITS) as warm:
        yield warm


def run(runner: NotebookRunner, *sources: str, **parameters: object) -> Run:
    return runner.run([Cell("code", source) for source in sources], parameters)


def outputs(run: Run) -> list[str]:
    """The text of every output of the executed notebook, an error by its name."""
    document = json.loads(run.executed or b"{}")
    cells = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    return [
        "".join(output.get("text", output.get("ename", ""))).strip() for cell in cells for output in cell["outputs"]
    ]


def test_cells_run_with_the_parameters_and_an_error_stops_nothing(runner: NotebookRunner):
    cells = [Cell("code", "seed = 7", parameters=True), Cell("markdown", "text"), Cell("code", "print(seed)")]
    cells += [Cell("code", "1 / 0"), Cell("code", "print('after')")]
    done = runner.run(cells, {"seed": 41})
    assert done.status == "errors"
    assert outputs(done) == ["41", "ZeroDivisionError", "after"]


def test_warnings_on_standard_error_are_no_error(runner: NotebookRunner):
    done = run(runner, "import warnings, sys\nwarnings.warn('careful')\nprint('noise', file=sys.stderr)")
    assert done.status == "ran" and done.note == ""


def test_an_endless_cell_is_interrupted_and_the_next_one_runs(runner: NotebookRunner):
    done = run(runner, "while True: pass", "print('after')")
    assert done.status == "errors" and "stopped" in done.note
    assert outputs(done) == ["KeyboardInterrupt", "after"]


def test_a_cell_that_will_not_be_interrupted_ends_the_kernel(runner: NotebookRunner):
    stubborn = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
    done = run(runner, "print('first')", stubborn, "print('never')")
    assert done.status == "timeout"
    assert outputs(done)[0] == "first" and "never" not in outputs(done)


@pytest.mark.parametrize(
    "source",
    [
        "import os; os._exit(0)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import ctypes; ctypes.string_at(0)",
    ],
)
def test_a_dead_kernel_is_told_and_what_it_did_is_saved(runner: NotebookRunner, source: str):
    done = run(runner, "print('first')", source, "print('never')")
    assert done.status == "died"
    assert outputs(done) == ["first"]


def test_leaving_by_sys_exit_does_not_end_the_notebook(runner: NotebookRunner):
    done = run(runner, "import sys; sys.exit(1)", "print('after')")
    assert outputs(done)[-1] == "after"


@pytest.mark.parametrize(
    "source",
    [
        "for _ in range(10**9): print('x' * 1000)",
        "print('x' * 10**8)",
        "import sys\nfor _ in range(10**7): sys.stderr.write('y' * 5000)",
        "from IPython.display import display, HTML\nfor _ in range(10**6): display(HTML('z' * 10000))",
    ],
)
def test_a_flood_of_output_ends_the_kernel(runner: NotebookRunner, source: str):
    done = run(runner, source)
    assert done.status in ("flooded", "errors", "died") and len(done.executed or b"") < 3_000_000


def test_much_output_of_one_cell_is_cut_and_the_notebook_goes_on(runner: NotebookRunner):
    done = run(runner, "print('x' * 2_000_000)", "print('after')")
    assert done.status == "ran"
    first, after = outputs(done)
    assert first.endswith("[more output was dropped]") and len(first) < 1_100_000 and after == "after"


def test_a_memory_bomb_hurts_only_its_cell(runner: NotebookRunner):
    done = run(runner, "x = bytearray(20 * 2**30)", "print('after')")
    assert outputs(done)[0] == "MemoryError" and outputs(done)[-1] == "after"


def test_files_beyond_the_limit_end_the_kernel():
    limits = RunLimits(cell_seconds=20.0, notebook_seconds=40.0, disk_bytes=20_000_000)
    many = "for n in range(10**6):\n    open(f'f{n}', 'wb').write(b'0' * 10**6)"
    with NotebookRunner(limits) as runner:
        done = run(runner, many)
    assert done.status == "flooded" and "files" in done.note


def test_the_notebook_s_own_limit_holds():
    with NotebookRunner(RunLimits(cell_seconds=30.0, notebook_seconds=4.0)) as runner:
        started = time.monotonic()
        done = run(runner, "print('first')", "import time\nwhile True: time.sleep(1)")
    assert done.status == "timeout" and time.monotonic() - started < 25
    assert outputs(done) == ["first"]


def test_nothing_of_a_notebook_outlives_it(runner: NotebookRunner):
    hidden = (
        "import threading, time, os\n"
        "threading.Thread(target=lambda: time.sleep(600)).start()\n"
        "try:\n    pid = os.fork()\n    if pid == 0:\n        os.setsid()\n        time.sleep(600)\n"
        "except OSError as error:\n    print(type(error).__name__)"
    )
    run(runner, hidden)
    assert runner._process is not None
    assert descendants(runner._process.pid) == []


def test_a_fork_bomb_and_sockets_are_refused(runner: NotebookRunner):
    done = run(
        runner,
        "import os\nfor _ in range(100): os.fork()",
        "import socket; socket.create_connection(('127.0.0.1', 22), timeout=1)",
        "import subprocess; subprocess.run(['true'])",
        "print('after')",
    )
    assert outputs(done)[-1] == "after"
    assert sum(name.endswith("Error") for name in outputs(done)) == 3


def test_the_seed_the_gradebook_and_other_notebooks_are_out_of_reach(runner: NotebookRunner, tmp_path: Path):
    (tmp_path / "gradebook.csv").write_text("ana,0")
    reach = f"import pathlib; print(pathlib.Path({str(tmp_path / 'gradebook.csv')!r}).read_text())"
    write = f"open({str(tmp_path / 'gradebook.csv')!r}, 'w').write('ana,100')"
    done = run(runner, reach, write, "import fraudkit.workbook.checks.roc_auc as it; print(it.EXERCISE.id)")
    assert (tmp_path / "gradebook.csv").read_text() == "ana,0"
    assert "ana,0" not in outputs(done) and "roc_auc" not in outputs(done)


def test_messages_that_no_honest_kernel_sends_are_dropped(runner: NotebookRunner):
    forge = (
        "kernel = get_ipython().kernel\n"
        "parent = kernel.get_parent()\n"
        "for kind, content in [('stream', {}), ('status', {}), ('display_data', {'data': 5}), ('odd', {'a': 1}),\n"
        "                      ('error', {'ename': 3}), ('comm_open', {'comm_id': 1})]:\n"
        "    kernel.session.send(kernel.iopub_socket, kind, content, parent=parent, ident=b'x')\n"
        "print('sent')"
    )
    done = run(runner, forge, "print('after')")
    assert outputs(done)[-1] == "after"


def test_the_runner_recovers_when_its_process_is_killed(runner: NotebookRunner):
    run(runner, "1")
    assert runner._process is not None
    os.kill(runner._process.pid, 9)
    time.sleep(0.1)
    assert run(runner, "print('again')").status in ("ran", "died")
    assert outputs(run(runner, "print('again')")) == ["again"]


def test_a_notebook_sees_a_home_of_its_own_and_nothing_of_the_instructor_s(runner: NotebookRunner):
    home = os.environ["FRAUDKIT_HOME"]
    done = run(
        runner, "import os\nprint(sorted(os.listdir(os.environ['HOME'])) != [], os.environ.get('FRAUDKIT_HOME'))"
    )
    assert home not in outputs(done)[0]


def test_a_private_folder_goes_even_without_rights():
    with private_folder() as folder:
        (folder / "a" / "b").mkdir(parents=True)
        (folder / "a" / "b" / "c").touch()
        (folder / "a").chmod(0)
        assert disk_use(folder)[1] >= 1
    assert not folder.exists()
