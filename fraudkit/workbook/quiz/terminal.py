"""The quiz in a terminal, by keyboard alone: a question, an answer typed, the reason."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.quiz.plots import as_text
from fraudkit.workbook.quiz.question import Choice, Free, Numeric
from fraudkit.workbook.quiz.showing import LETTERS, Marked, Showing
from fraudkit.workbook.quiz.sitting import Sitting

SIGNS = {"right": ("✓ right", "green"), "partly": ("~ partly right", "yellow"), "wrong": ("✗ not right", "red")}
LEAVE = ("q", "quit", "exit")


def run(sitting: Sitting, console: Console, read: Callable[[str], str]) -> None:
    """Go through a sitting; `q`, the end of the input or an interrupt leave it; answers stay recorded."""
    while sitting.showing is not None:
        show(sitting, console)
        try:
            if not _answered(sitting, console, read):
                break
        except (EOFError, KeyboardInterrupt):
            console.print()
            break
        sitting.next()
    answered = len(sitting.first_grades)
    console.print(f"{sitting.right} of {answered} right at the first showing" if answered else "nothing was answered")


def show(sitting: Sitting, console: Console) -> None:
    """Print the question on the screen."""
    showing = sitting.showing
    if showing is None:
        return
    question = showing.question
    again = ", again" if sitting.is_repeat else ""
    console.rule(f"{sitting.number} of {sitting.count}{again} · {question.item}")
    console.print(Markdown(showing.ask))
    if isinstance(question, Choice):
        if question.code:
            console.print(Syntax(question.code, "python", background_color="default"))
        if question.plot:
            console.print(as_text(question.plot), markup=False, highlight=False)
        for letter, option in zip(LETTERS, showing.options, strict=False):
            console.print(f"  {letter}) {option.text}", markup=False, highlight=False)


def _answered(sitting: Sitting, console: Console, read: Callable[[str], str]) -> bool:
    """Ask until there is an answer; False when the learner leaves."""
    showing = sitting.showing
    if showing is None:
        return False
    if isinstance(showing.question, Free):
        if read("say or write your answer, then press enter (q leaves) ").strip().lower() in LEAVE:
            return False
        console.print(Markdown(f"**A model answer.** {showing.question.model}"))
        for place, point in enumerate(showing.question.points, 1):
            console.print(f"  {place}. {point}", markup=False, highlight=False)
    while True:
        text = read(prompt(showing))
        if text.strip().lower() in LEAVE:
            return False
        try:
            marked = sitting.answer(text)
        except InvalidInput as error:
            console.print(str(error), style="yellow", markup=False)
            continue
        tell(showing, marked, console)
        return True


def prompt(showing: Showing) -> str:
    """What is asked for on the line of the answer."""
    question = showing.question
    if isinstance(question, Free):
        return f"which points did your answer hold? (such as 1 3, all, none; 1-{len(question.points)}) "
    if isinstance(question, Numeric):
        unit = f" in {question.unit}" if question.unit else ""
        return f"a number{unit} (q leaves) "
    return f"{', '.join(LETTERS[: len(showing.options)])} (q leaves) "


def tell(showing: Showing, marked: Marked, console: Console) -> None:
    """Print the mark, the reason and the source."""
    sign, colour = SIGNS[marked.grade]
    console.print(sign, style=colour)
    if marked.why:
        console.print(marked.why, markup=False, highlight=False)
    if marked.grade != "right" and not isinstance(showing.question, Free):
        console.print(f"right: {marked.right_answer}", markup=False, highlight=False)
    console.print(Markdown(showing.explain))
    console.print(f"{showing.question.source} · {place(showing.question.link)}", style="dim", markup=False)


def place(link: str) -> str:
    """Where to read or do more, from a question's link."""
    kind, _, name = link.partition(":")
    return f"chapter {name}" if kind == "chapter" else f"exercise {name}"
