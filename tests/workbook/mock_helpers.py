"""What the tests of mock interviews share: a clock set by hand, and somebody who answers everything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from fraudkit.core.clock import FixedClock
from fraudkit.workbook.mock.interview import Interview
from fraudkit.workbook.mock.prompt import Prompt
from fraudkit.workbook.mock.record import Held
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.quiz.question import Choice, Numeric
from fraudkit.workbook.quiz.showing import LETTERS

START_MS = 1_772_355_600_000  # 2026-03-01 09:00 UTC
MINUTE_MS = 60_000


class Watch:
    """Seconds of a clock that cannot be set, moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def new_file(folder: Path, clock: FixedClock | None = None) -> ProgressFile:
    return ProgressFile(folder / "progress.json", clock or FixedClock(START_MS))


def again(file: ProgressFile) -> Interview:
    """The running interview as another process finds it."""
    found = Interview.resume(file)
    assert found is not None
    return found


def letter_of(prompt: Prompt, right: bool) -> str:
    """What answers a quiz question rightly or wrongly."""
    showing = prompt.showing
    assert showing is not None
    if isinstance(showing.question, Choice):
        return next(a for a, option in zip(LETTERS, showing.options, strict=False) if option.right == right)
    assert isinstance(showing.question, Numeric)
    return repr(showing.question.answer(showing.numbers) * (1 if right else 3))


def reply_to(interview: Interview, right: bool = True) -> str:
    """A full answer, or an empty one, to whatever is asked."""
    prompt = interview.prompt
    assert prompt is not None
    if prompt.kind == "question":
        return letter_of(prompt, right)
    if prompt.kind == "level":
        return "2" if right else "0"
    if prompt.kind == "code":
        return "next"
    ticking = interview.revealed or prompt.kind == "topics"
    return ("all" if right else "none") if ticking else "in my own words"


def go_on(interview: Interview, right: bool = True, until: Callable[[Interview], bool] = lambda _: False) -> list[str]:
    """Answer everything that is asked; gives the ids of the prompts in their order."""
    ids: list[str] = []
    while (prompt := interview.prompt) is not None and not until(interview):
        ids += [prompt.id] * (prompt.id not in ids)
        interview.answer(reply_to(interview, right), prompt.id)
    return ids


def hold(file: ProgressFile, name: str, mark: int = 4, **options: object) -> Held:
    """A whole interview, with the same mark for each criterion."""
    interview = Interview.start(file, name, **options)  # type: ignore[arg-type]
    go_on(interview)
    return interview.finish(dict.fromkeys(interview.state.round.criteria, mark))
