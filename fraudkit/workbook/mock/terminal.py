"""A mock interview in a terminal, by keyboard alone. What stands before the cursor counts the time down."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from rich.console import Console
from rich.markdown import Markdown

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.mock.history import evidence_lines
from fraudkit.workbook.mock.interview import Interview
from fraudkit.workbook.mock.notebook import check_answer, ensure_notebook
from fraudkit.workbook.mock.prompt import Prompt
from fraudkit.workbook.mock.record import Held
from fraudkit.workbook.mock.suggest import Suggestion
from fraudkit.workbook.mock.timer import clock_text
from fraudkit.workbook.plan.scorecard import HIGHEST, LOWEST, TARGET

LEAVE = ("q", "quit", "exit")
HINT = ("?", "hint")
ASKS = {
    "talk": "say it aloud, note it in a line, then enter",
    "question": "your answer",
    "code": "c checks the saved notebook, n goes on",
    "topics": "which? (such as 1 2, all, none)",
    "level": "points, 0 1 2",
    "read": "enter goes on",
}
OVER = "the time is over; enter goes on"
Says = Callable[[], str]  # what stands before the cursor, asked for again each second
Read = Callable[[Says], str]


def run(interview: Interview, console: Console, read: Read) -> Held | None:
    """Go on with an interview; gives its scorecard, None when it was left. `q` leaves, and everything is saved."""
    console.print(
        f"{interview.state.round.title}, {interview.state.setup.minutes} minutes. At every line: q leaves, ? is a hint."
    )
    try:
        while (prompt := interview.prompt) is not None:
            show(interview, prompt, console)
            if not _answered(interview, prompt, console, read):
                _left(interview, console)
                return None
        return score(interview, console, read)
    except (EOFError, KeyboardInterrupt):
        console.print()
        _left(interview, console)
        return None


def _left(interview: Interview, console: Console) -> None:
    left = f"{clock_text(interview.seconds_left)} left, and the time goes on" if interview.seconds_left else "time over"
    console.print(f"left ({left}); fraudkit mock --resume goes on, --abandon ends it")


def show(interview: Interview, prompt: Prompt, console: Console) -> None:
    """Print what the interviewer says."""
    if not prompt.timed and not interview.state.ended:
        console.print("The time is over.", style="yellow")
    console.rule(f"{clock_text(interview.seconds_left)} · {prompt.stage}" if prompt.timed else prompt.stage)
    if not interview.revealed:
        console.print(Markdown(prompt.says))
    if prompt.kind == "code":
        path = ensure_notebook(interview, prompt.exercise)
        console.print(f"your notebook: {path}", markup=False, soft_wrap=True)
    if prompt.kind == "topics":
        _points(prompt, console)


def _answered(interview: Interview, prompt: Prompt, console: Console, read: Read) -> bool:
    """Take lines until the interviewer goes on; False when the learner leaves."""
    if interview.revealed:
        _points(prompt, console)
    while (now := interview.prompt) is not None and now.id == prompt.id:
        text = read(partial(line, interview, prompt)).strip()
        if text.lower() in LEAVE:
            return False
        try:
            if text.lower() in HINT:
                console.print(interview.hint(), style="yellow", markup=False)
            elif prompt.kind == "code" and text.lower() in ("c", "check"):
                console.print(check_answer(interview, prompt.exercise)[1], markup=False)
            elif not text and prompt.timed and not interview.revealed and not interview.seconds_left:
                interview.save_time()
            else:
                told = interview.answer(text, prompt.id)
                if told:
                    console.print(Markdown(told))
                if interview.revealed:
                    _points(prompt, console)
        except InvalidInput as error:
            console.print(str(error), style="yellow", markup=False)
            if interview.phase == "over":
                return False
    if prompt.timed and interview.state.ended == "time over":
        console.print("That was the time. The interviewer thanks you.", style="yellow")
    return True


def line(interview: Interview, prompt: Prompt) -> str:
    """What stands before the cursor."""
    several = f"which of these did it hold? (such as 1 3, all, none; 1-{len(prompt.points)})"
    asks = several if len(prompt.points) > 1 else "did it hold this? (y, n)"
    if prompt.timed and not interview.revealed and not interview.seconds_left:
        return f"[{clock_text(0)}] {OVER} > "
    left = f"[{clock_text(interview.seconds_left)}] " if prompt.timed else ""
    return f"{left}{asks if interview.revealed else ASKS[prompt.kind]} > "


def _points(prompt: Prompt, console: Console) -> None:
    for number, point in enumerate(prompt.points, 1):
        console.print(f"  {number}. {point}", markup=False)


def score(interview: Interview, console: Console, read: Read) -> Held:
    """Ask for the marks, suggestions first, and put the scorecard into the history."""
    console.rule("Scorecard")
    marks = {found.criterion: _mark(found, console, read) for found in interview.suggestions()}
    held = interview.finish(marks)
    console.print(verdict(held), markup=False)
    for line_ in evidence_lines(held):
        console.print(f"  {line_}", markup=False)
    return held


def _mark(found: Suggestion, console: Console, read: Read) -> int:
    """A mark for one criterion; an empty line takes the suggestion."""
    console.print(f"{found.criterion}: {found.why}", markup=False)
    offered = f", enter for {found.mark}" if found.mark is not None else ""
    while True:
        text = read(lambda: f"{found.criterion} ({LOWEST}-{HIGHEST}{offered}) > ").strip()
        if text.lower() in LEAVE:
            raise EOFError
        if not text and found.mark is not None:
            return found.mark
        if text.isdecimal() and LOWEST <= int(text) <= HIGHEST:
            return int(text)
        console.print(f"a whole number {LOWEST} to {HIGHEST}", style="yellow")


def verdict(held: Held) -> str:
    """The average beside the target, in a sentence."""
    mean = held.average or 0.0
    return f"average {mean:.1f}; the target is {TARGET:g} or more: {'met' if mean >= TARGET else 'not met yet'}"
