"""Hostile and broken notebooks, made from the solved one: what a grader has to live through.

A case's `statuses` are what the attacked task may end as; every other task of the same notebook must
come out full, unless the whole file is unreadable.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
TOPIC = "01_metrics"
TASK = "roc_auc"
SOLVED: dict[str, Any] = json.loads((ROOT / "solutions" / f"{TOPIC}.ipynb").read_text(encoding="utf-8"))
FULL = frozenset({"pass"})
WRONG = frozenset({"fail"})
MISSING = frozenset({"missing"})
TAMPERED = frozenset({"tampered"})
HEAD = "import numpy as np\n\ndef roc_auc(y_true, y_score):\n"

Document = dict[str, Any]


@dataclass(frozen=True)
class Hostile:
    """One hostile notebook.

    Attributes
    ----------
    data : the file's bytes
    statuses : what the attacked task may end as; FULL where the attack is in another cell
    whole : whether all tasks share that fate
    """

    data: bytes
    statuses: frozenset[str]
    whole: bool = False


def source_of(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def answer_at(document: Document) -> int:
    """Where the attacked task is answered."""
    return next(i for i, cell in enumerate(document["cells"]) if source_of(cell).startswith(f"def {TASK}("))


def code_cell(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": source}


def packed(document: Document) -> bytes:
    for number, cell in enumerate(document["cells"]):
        cell["id"] = f"cell-{number:03d}"
    return json.dumps(document).encode()


def honest() -> bytes:
    """The solved notebook as it is."""
    return packed(copy.deepcopy(SOLVED))


def changed(change: Callable[[Document], None], statuses: frozenset[str], whole: bool = False) -> Hostile:
    """The solved notebook after a change."""
    document = copy.deepcopy(SOLVED)
    change(document)
    return Hostile(packed(document), statuses, whole)


def with_answer(source: str, statuses: frozenset[str]) -> Hostile:
    """Another answer to the attacked task."""

    def change(document: Document) -> None:
        document["cells"][answer_at(document)] = code_cell(source)

    return changed(change, statuses)


def with_cell(source: str, statuses: frozenset[str] = FULL, answer: str = "") -> Hostile:
    """One more cell, before the answer, and perhaps another answer."""

    def change(document: Document) -> None:
        at = answer_at(document)
        if answer:
            document["cells"][at] = code_cell(answer)
        document["cells"].insert(at, code_cell(source))

    return changed(change, statuses)


def right_after(attack: str) -> str:
    """A right answer that makes an attack first, swallows whatever comes of it, and goes on."""
    lines = source_of(SOLVED["cells"][answer_at(SOLVED)]).split("\n")
    tried = [
        "    try:",
        *[f"        {line}" for line in attack.split("\n")],
        "    except BaseException:",
        "        pass",
    ]
    return "\n".join([lines[0], *tried, *lines[1:]])


def answers(outside: Path) -> dict[str, tuple[str, frozenset[str]]]:
    """Hostile answers: source and what the task may end as. `outside` is a folder that is none of theirs."""
    solved = ROOT / "solutions" / f"{TOPIC}.ipynb"
    checks = ROOT / "fraudkit" / "workbook" / "checks" / f"{TASK}.py"
    right = source_of(SOLVED["cells"][answer_at(SOLVED)])
    ends = frozenset({"crash", "fail"})
    return {
        "loops for ever": (HEAD + "    while True:\n        pass\n", frozenset({"timeout"})),
        "loops for ever outside": ("while True:\n    roc_auc = 1\n", frozenset({"timeout"})),
        "loops and swallows": (
            HEAD + "    while True:\n        try:\n            while True: pass\n        except BaseException: pass\n",
            frozenset({"timeout"}),
        ),
        "sleeps": ("import time\n" + HEAD + "    time.sleep(1000)\n", frozenset({"timeout"})),
        "recurses": (HEAD + "    return roc_auc(y_true, y_score)\n", WRONG),
        "recurses without limit": (
            "import sys\n" + HEAD + "    sys.setrecursionlimit(10**9)\n    return roc_auc(y_true, y_score)\n",
            frozenset({"fail", "crash", "timeout"}),
        ),
        "takes all memory": (HEAD + "    return np.ones(10**11)[0]\n", WRONG),
        "takes memory bit by bit": (
            HEAD + "    x = []\n    while True: x.append(bytearray(10**7))\n",
            ends | {"timeout"},  # where fresh pages come slowly
        ),
        "forks for ever": (
            "import os\n" + HEAD + "    while True:\n        try: os.fork()\n        except OSError: return 0.5\n",
            TAMPERED,
        ),
        "forks and is right": (right_after("import os\nos.fork()"), TAMPERED),
        "leaves by sys.exit": ("import sys\n" + HEAD + "    sys.exit(0)\n", WRONG),
        "leaves by os._exit": ("import os\n" + HEAD + "    os._exit(0)\n", frozenset({"crash"})),
        "kills itself": ("import os, signal\n" + HEAD + "    os.kill(os.getpid(), signal.SIGKILL)\n", ends - WRONG),
        "kills its parent": (right_after("import os\nos.kill(os.getppid(), 9)"), TAMPERED),
        "prints a gigabyte": (
            HEAD + "    for _ in range(1000): print('x' * 10**6)\n    return 0.5\n",
            frozenset({"fail", "timeout"}),
        ),
        "returns a gigabyte": (HEAD + "    return [0.5] * 10**7\n", frozenset({"crash", "fail", "timeout"})),
        "warns": (right_after("import sys, warnings\nwarnings.warn('old'); print('loud', file=sys.stderr)"), FULL),
        "is no Python": ("def roc_auc(y_true, y_score:\n    return 1\n", MISSING),
        "is the stub": (
            'def roc_auc(y_true, y_score):\n    """Area."""\n    # YOUR CODE HERE\n    raise NotImplementedError\n',
            MISSING,
        ),
        "returns its input": (HEAD + "    return y_true\n", WRONG),
        "returns 0": (HEAD + "    return 0\n", WRONG),
        "returns a half": (HEAD + "    return 0.5\n", WRONG),
        "raises everywhere": (HEAD + "    raise ValueError('needs both classes')\n", WRONG),
        "returns what equals everything": (
            "class Any:\n    def __eq__(self, other): return True\n    __array_priority__ = 1000\n"
            + HEAD + "    return Any()\n",
            WRONG,
        ),
        "returns not a number": (HEAD + "    return float('nan')\n", WRONG),
        "patches numpy's comparison": (
            HEAD + "    np.allclose = np.isclose = np.array_equal = lambda *a, **k: True\n    return 0.5\n",
            WRONG,
        ),
        "patches time": (
            "import time\n" + HEAD
            + "    time.perf_counter = time.monotonic = time.time = lambda: 0.0\n    time.sleep(1000)\n",
            frozenset({"timeout"}),
        ),
        "prints its own result": (
            HEAD + "    print('{\"status\": \"pass\", \"passed\": 99, \"credit\": 1.0}')\n    return 0.25\n",
            WRONG,
        ),
        "answers for the runner": (
            "import sys\n" + HEAD + "    frame = sys._getframe()\n"
            "    while frame:\n"
            "        line = frame.f_locals.get('connection')\n"
            "        if line is not None:\n"
            "            line.sendall(b'D' * 100)\n"
            "        frame = frame.f_back\n"
            "    return 0.5\n",
            frozenset({"crash", "fail", "timeout"}),
        ),
        "patches the runner": (
            HEAD + "    import fraudkit.workbook.runner as r, fraudkit.workbook.codec as c, sys\n"
            "    main = sys.modules['__main__']\n"
            "    main.outcome = main.call = lambda *a: {'status': 'pass', 'value': True, 'credit': 1.0}\n"
            "    return 0.5\n",
            WRONG,
        ),
        "reads the solutions": (right_after(f"open({str(solved)!r}).read()"), TAMPERED),
        "reads the checks": (right_after(f"open({str(checks)!r}).read()"), TAMPERED),
        "reads the checks by numpy": (right_after(f"np.fromfile({str(checks)!r})"), TAMPERED),
        "searches the disk": (
            right_after("import os\nfor folder, _, files in os.walk('/'):\n    if 'solutions' in folder: break"),
            TAMPERED,
        ),
        "imports the reference": (right_after("import fraudkit.workbook.checks.roc_auc"), TAMPERED),
        "returns the reference": (
            HEAD + "    from fraudkit.workbook.checks.roc_auc import EXERCISE\n"
            "    return EXERCISE.expect(y_true, y_score)\n",
            TAMPERED,
        ),
        "writes the gradebook": (right_after(f"open('{outside}/gradebook.csv', 'w').write('full marks')"), TAMPERED),
        "removes the gradebook": (right_after(f"import os\nos.remove('{outside}/gradebook.csv')"), TAMPERED),
        "writes the grader": (right_after(f"open('{ROOT}/fraudkit/workbook/never.py', 'w')"), TAMPERED),
        "opens a socket": (
            right_after("import socket\nsocket.create_connection(('127.0.0.1', 9), timeout=1)"),
            TAMPERED,
        ),
        "starts a program": (right_after("import subprocess\nsubprocess.run(['/bin/true'])"), TAMPERED),
        "leaves a thread": (
            right_after("import threading, time\nthreading.Thread(target=time.sleep, args=(1000,)).start()"),
            FULL,  # where no thread can be started, and nothing is left
        ),
        "changes its input": (right_after("y_score[:] = 0"), WRONG),
        "is right after all": (right, FULL),
    }  # fmt: skip


def cells(outside: Path) -> dict[str, Hostile]:
    """Attacks from other cells: they cost nothing, since an answer is judged apart from its notebook."""
    solved = ROOT / "solutions" / f"{TOPIC}.ipynb"
    wrong = HEAD + "    return 0.25\n"
    return {
        "cell loops for ever": with_cell("while True:\n    pass"),
        "cell swallows interrupts": with_cell(
            "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass"
        ),
        "cell recurses": with_cell("def f(): return f()\nf()"),
        "cell takes all memory": with_cell("x = []\nwhile True: x.append(bytearray(10**7))"),
        "cell forks for ever": with_cell("import os\nwhile True: os.fork()"),
        "cell forks below Python": with_cell("import ctypes\nfor number in range(100): ctypes.CDLL(None).fork()"),
        "cell leaves by sys.exit": with_cell("import sys\nsys.exit(0)"),
        "cell leaves by os._exit": with_cell("import os\nos._exit(0)"),
        "cell kills the kernel": with_cell("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"),
        "cell kills the grader": with_cell("import os\nos.kill(os.getppid(), 9)\nos.killpg(0, 9)"),
        "cell prints a gigabyte": with_cell("for _ in range(1000): print('x' * 10**6)"),
        "cell fills the disk": with_cell(
            "for number in range(10_000):\n    open(f'{number}.bin', 'wb').write(bytes(10**7))"
        ),
        "cell warns": with_cell("import sys, warnings\nwarnings.warn('old')\nprint('loud', file=sys.stderr)"),
        "cell uses an answer's names": with_cell("counts = 1 / 0\nfor _ in range(3):\n    ranks = undefined"),
        "cell is no Python": with_cell("def (:"),
        "cell overwrites check": with_cell("check = lambda name: print('all right')", WRONG, wrong),
        "cell patches numpy": with_cell(
            "import numpy as np, time\nnp.allclose = np.isclose = lambda *a, **k: True\ntime.time = lambda: 0.0",
            WRONG, wrong,
        ),
        "cell prints results": with_cell("print('roc_auc: pass, 10 of 10 points')", WRONG, wrong),
        "cell reads the solutions": with_cell(f"open({str(solved)!r}).read()"),
        "cell imports the reference": with_cell("from fraudkit.workbook.checks import roc_auc"),
        "cell writes the gradebook": with_cell(f"open('{outside}/gradebook.csv', 'w').write('full marks')"),
        "cell opens a socket": with_cell("import socket\nsocket.create_server(('127.0.0.1', 0))"),
        "cell runs a shell": with_cell(f"!echo x > {outside}/gradebook.csv"),
        "cell leaves a thread": with_cell(
            "import threading\ndef on():\n    while True: pass\nthreading.Thread(target=on, daemon=False).start()"
        ),
    }  # fmt: skip


def structures() -> dict[str, Hostile]:
    """Notebooks whose cells, or whose file, are not as they were."""

    def twice(document: Document) -> None:
        at = answer_at(document)
        document["cells"].insert(at + 1, copy.deepcopy(document["cells"][at]))

    def gone(document: Document) -> None:
        del document["cells"][answer_at(document)]

    def without_checks(document: Document) -> None:
        document["cells"] = [cell for cell in document["cells"] if not source_of(cell).startswith("check(")]

    def backwards(document: Document) -> None:
        document["cells"].reverse()

    def retyped(document: Document) -> None:
        cell = document["cells"][answer_at(document)]
        document["cells"][answer_at(document)] = {"cell_type": "markdown", "metadata": {}, "source": cell["source"]}

    def same_names(document: Document) -> None:
        for cell in document["cells"]:
            cell["metadata"] = {"nbgrader": {"grade": True, "points": 10**6, "grade_id": "x"}, "tags": "parameters"}

    def odd_cells(document: Document) -> None:
        document["cells"] += [None, 7, {"cell_type": "code"}, {"cell_type": "code", "source": {"a": 1}}, {"x": 1}]
        document["metadata"] = {"kernelspec": {"name": "bash"}, "papermill": 5}

    other = json.loads((ROOT / "solutions" / "02_data.ipynb").read_text(encoding="utf-8"))
    odd = copy.deepcopy(SOLVED)
    odd_cells(odd)
    return {
        "answer twice": changed(twice, FULL),
        "answer gone": changed(gone, MISSING),
        "checks gone": changed(without_checks, FULL),
        "cells backwards": changed(backwards, FULL),
        "answer as text": changed(retyped, MISSING),
        "marks of its own": changed(same_names, FULL),
        "odd cells": Hostile(json.dumps(odd).encode(), FULL),
        "corrupt": Hostile(honest()[:2000], MISSING, whole=True),
        "empty": Hostile(b"", MISSING, whole=True),
        "not UTF-8": Hostile(b"\xff\xfe" + honest(), MISSING, whole=True),
        "nested too deep": Hostile(b"[" * 200_000, MISSING, whole=True),
        "wrong exercise": Hostile(packed(other), MISSING, whole=True),
    }


def everything(outside: Path) -> dict[str, Hostile]:
    """Every hostile notebook by name."""
    made = {name: with_answer(source, statuses) for name, (source, statuses) in answers(outside).items()}
    return made | cells(outside) | structures()
