"""What a learner calls: check, hint, solution, plug. In a notebook, in IPython, and in a plain script.

The answer is read from the kernel's history as text and judged in another process, so nothing here
touches the learner's objects, and an answer that hangs or dies does so elsewhere.
"""

from __future__ import annotations

import ast
import atexit
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from fraudkit.core.errors import FraudkitError, InvalidInput, NotReady
from fraudkit.workbook.exercise import Exercise, exercise
from fraudkit.workbook.judge import Verdict, judge, missing
from fraudkit.workbook.notebooks import section, solution_text
from fraudkit.workbook.order import next_exercise
from fraudkit.workbook.panel import Page, Panel, hint_panel, note_panel, verdict_panel
from fraudkit.workbook.progress import Progress, ProgressFile, Record
from fraudkit.workbook.sandbox import Sandbox
from fraudkit.workbook.source import NotDefined, NotPython, slice_source

GRADING = "FRAUDKIT_GRADING"
SEED = 7  # the same answer gets the same verdict; the grader draws its own cases
# Cell magics that run their cell's body in the notebook's own names.
TRANSPARENT = {"capture", "prun", "time"}


class Shown(Protocol):
    """Anything with a plain text and what Jupyter shows instead of it."""

    def _repr_mimebundle_(self) -> dict[str, str]: ...


def check(exercise_id: str) -> None:
    """Check your answer to an exercise and show what is wrong, and why; the notebook's cell with it must have run."""
    with _door(exercise_id) as item:
        if item is not None:
            verdict = judged(item, answer_cells())
            show(panel_of(verdict, *recorded(verdict), hints=True))


def hint(exercise_id: str, number: int | None = None) -> None:
    """Show the next hint, or the hint of this number (from 1); it is recorded."""
    with _door(exercise_id) as item:
        if item is None:
            return
        count = len(item.hints)
        if number is not None and not (type(number) is int and 1 <= number <= count):
            raise InvalidInput(f"{exercise_id} has hints 1 to {count}, not {number!r}")
        notes: list[str] = []
        try:
            file = ProgressFile(tell=notes.append)
            number = file.hint(exercise_id, count, number)
            notes += _charged(file, exercise_id, number)
        except (FraudkitError, OSError) as error:
            number = number or 1
            notes.append(f'{_unrecorded(error)} The others: `hint("{exercise_id}", 2)`.')
        show(hint_panel(exercise_id, item.title, item.hints[number - 1], number, count, notes))


def solution(exercise_id: str, sure: bool = False) -> None:
    """Show our solution with its notes. Asks before the first time, unless `sure`; it is recorded."""
    with _door(exercise_id) as item:
        if item is None:
            return
        notes: list[str] = []
        file = ProgressFile(tell=notes.append)
        try:
            record = file.read().record(exercise_id)
        except (FraudkitError, OSError) as error:
            record, notes = Record(), [_unrecorded(error)]
        if not (sure or record.solution_shown_at or record.passed) and not _asked(exercise_id):
            return
        if not notes:
            try:
                file.solution(exercise_id)
                notes += _charged(file, exercise_id)
            except (FraudkitError, OSError) as error:
                notes.append(_unrecorded(error))
        found = section(exercise_id)
        show(Page(f"{item.title}: our solution", solution_text(found.answer), found.notes, tuple(notes)))


def plug(exercise_id: str, **options: Any) -> None:
    """Put your answer into the running system in place of ours and show what that does to it."""
    with _door(exercise_id) as item:
        if item is not None:
            from fraudkit.workbook.plug import plug_source  # late: it loads the models

            show(plug_source(exercise_id, slice_source(answer_cells(), item.name), **options))


def answer_source(exercise_id: str) -> str:
    """The text of the answer as this kernel, or this script, has it.

    Raises
    ------
    InvalidInput
        The function is not defined, or its cell is no Python.
    NotReady
        There is neither a notebook nor a script to read it from.
    """
    return slice_source(answer_cells(), exercise(exercise_id).name)


def answer_cells() -> list[str]:
    """The cells that have run in this kernel, in their order; of a script, its whole text as one.

    Raises
    ------
    NotReady
        There is neither.
    """
    shell = _shell()
    if shell is not None:
        history = shell.user_ns.get("In")
        if isinstance(history, list):
            return [_unwrapped(cell) for cell in history if isinstance(cell, str)]
    script = getattr(sys.modules.get("__main__"), "__file__", None)
    if script is not None and Path(script).is_file():
        return [Path(script).read_text(encoding="utf-8")]
    raise NotReady(
        "there is no notebook and no script to read your answer from; "
        "write it to a file and run: fraudkit check ID --file answer.py"
    )


def _unwrapped(cell: str) -> str:
    """The body of a cell under a magic such as %%time, which history keeps as a call with the body as text."""
    if "run_cell_magic" not in cell:
        return cell
    try:
        match ast.parse(cell).body:
            case [
                ast.Expr(ast.Call(ast.Attribute(attr="run_cell_magic"), [ast.Constant(name), _, ast.Constant(body)]))
            ]:
                return str(body) if name in TRANSPARENT else cell
    except (SyntaxError, ValueError, RecursionError):
        pass
    return cell


def judged(item: Exercise, cells: Sequence[str]) -> Verdict:
    """The verdict on the answer that these cells define."""
    try:
        source = slice_source(cells, item.name)
    except (NotDefined, NotPython) as error:
        return missing(item, str(error))
    try:
        with _calm():
            rng = np.random.default_rng(SEED)
            return judge(item, source, sandbox=_sandbox_for(item), rng=rng, shrink=True)
    except BaseException:  # interrupted half-way through a reply, the next check needs a fresh sandbox
        close_sandbox()
        raise


def recorded(verdict: Verdict) -> tuple[Progress, list[str]]:
    """Write a verdict to the progress file; gives the progress and what there is to say about it."""
    notes: list[str] = []
    file = ProgressFile(tell=notes.append)
    try:
        if verdict.status != "missing":
            failure = verdict.failure
            known = failure.mutant if failure is not None and failure.certain else ""
            record = file.attempt(verdict.exercise_id, verdict.status, known)
            if verdict.status == "pass" and record.solution_first:
                notes.append("Recorded as passed after our solution was shown.")
        return file.read(), notes
    except (FraudkitError, OSError) as error:
        return Progress(), [*notes, _unrecorded(error)]


def panel_of(verdict: Verdict, progress: Progress, notes: Sequence[str], *, hints: bool) -> Panel:
    """The panel of a verdict; `hints` offers the next hint, which only a notebook can give."""
    item = exercise(verdict.exercise_id)
    left = max(0, len(item.hints) - progress.record(item.id).hints)
    following = next_exercise(progress) if verdict.status == "pass" else None
    return verdict_panel(
        verdict, item.title, following=following, hints_left=left if hints else None, notes=notes,
        finished=following is None and verdict.status == "pass",
    )  # fmt: skip


def show(shown: Shown) -> None:
    """Display a panel, page or report in the notebook; elsewhere print its text."""
    shell = _shell()
    if shell is None:
        print(shown)
    else:
        shell.display_pub.publish(shown._repr_mimebundle_())


@contextmanager
def _door(exercise_id: str) -> Iterator[Exercise | None]:
    """The exercise, or None while a grader runs the notebook; what a user can mend is shown as a panel."""
    if os.environ.get(GRADING) == "1":
        print(f"{exercise_id}: left to the grader")
        yield None
        return
    item = None
    try:
        item = exercise(str(exercise_id))
        yield item
    except FraudkitError as error:
        show(note_panel(str(exercise_id), str(error)))
        if item is None:
            yield None


def _shell() -> Any:
    """IPython's shell where one runs. IPython is not imported for it: if it runs, it has been."""
    module = sys.modules.get("IPython")
    return module.get_ipython() if module is not None else None


def _unrecorded(error: Exception) -> str:
    return f"Progress could not be recorded: {error}"


def _charged(file: ProgressFile, exercise_id: str, hint: int | None = None) -> list[str]:
    """What a mock interview that runs says to an opened hint, or to our solution."""
    if "current" not in file.read().mocks:
        return []
    from fraudkit.workbook.mock.interview import charge  # late: most kernels never hold an interview

    said = charge(file, exercise_id, hint)
    return [said] if said else []


def _asked(exercise_id: str) -> bool:
    """Ask whether the solution should be shown; says what to do where nobody can be asked."""
    question = f"Show our solution of {exercise_id}? It is recorded. [y/N] "
    try:
        if _shell() is None and not (sys.stdin is not None and sys.stdin.isatty()):
            raise EOFError  # a script's input belongs to the script
        answer = input(question)
    except (EOFError, OSError, RuntimeError):  # a kernel without input raises NotImplementedError, a RuntimeError
        show(
            note_panel(
                f"{exercise_id}: not shown", f'Nobody can be asked here; `solution("{exercise_id}", sure=True)`.'
            )
        )
        return False
    if answer.strip().lower() in ("y", "yes"):
        return True
    show(note_panel(f"{exercise_id}: not shown", "Nothing was recorded."))
    return False


@contextmanager
def _calm() -> Iterator[None]:
    """NumPy's and Python's own settings, whatever the learner set them to; put back afterwards."""
    printing: dict[str, Any] = {
        "edgeitems": 3, "threshold": 1000, "floatmode": "maxprec", "precision": 8, "suppress": False, "linewidth": 75,
        "nanstr": "nan", "infstr": "inf", "sign": "-", "formatter": None, "legacy": False,
    }  # fmt: skip
    with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"), np.printoptions(**printing):
        warnings.simplefilter("ignore")
        yield


_sandbox: Sandbox | None = None
_owner = 0


def _sandbox_for(item: Exercise) -> Sandbox:
    """This process's sandbox, started at the first check, and again when an exercise needs other modules."""
    global _sandbox, _owner
    if _owner != os.getpid():  # a forked process must not speak over its parent's connection
        _sandbox, _owner = None, os.getpid()
        atexit.register(close_sandbox)
    if _sandbox is None or not set(item.preload) <= set(_sandbox.preload):
        wanted = dict.fromkeys((*(_sandbox.preload if _sandbox else ()), *item.preload))
        close_sandbox()
        _sandbox = Sandbox(tuple(wanted))
    return _sandbox


def close_sandbox() -> None:
    """End this process's sandbox; the next check starts another."""
    global _sandbox
    if _sandbox is not None and _owner == os.getpid():
        _sandbox.close()
        _sandbox = None
