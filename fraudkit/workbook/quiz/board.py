"""The quiz as widgets in JupyterLab: one question at a time, a button an option, the reason below.

Knows nothing of what is asked; the sitting does.
"""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets as widgets
import numpy as np
from IPython.display import display

from fraudkit.core.errors import FraudkitError
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.quiz.page import as_markdown, picture_html
from fraudkit.workbook.quiz.question import Choice, Free, Numeric, Question
from fraudkit.workbook.quiz.showing import LETTERS, Marked, Showing
from fraudkit.workbook.quiz.sitting import Sitting
from fraudkit.workbook.quiz.terminal import SIGNS, place

WIDE = {"width": "auto", "max_width": "62em"}
COLOURS = {"right": "#2e9e5b", "partly": "#b8860b", "wrong": "#d9544d"}


class Board:
    """The widgets of one sitting and what happens when they are used."""

    def __init__(self, questions: list[Question], file: ProgressFile, rng: np.random.Generator) -> None:
        self.sitting = Sitting(questions, file, rng)
        self.head, self.asked, self.reply = widgets.HTML(), widgets.HTMLMath(layout=WIDE), widgets.HTMLMath(layout=WIDE)
        self.inputs = widgets.VBox()
        self.whole = widgets.VBox([self.head, self.asked, self.inputs, self.reply], layout={"max_width": "64em"})
        self.draw()

    def draw(self) -> None:
        """Put the sitting's question on the board, or the result when it is over."""
        showing, sitting = self.sitting.showing, self.sitting
        self.reply.value = ""
        if showing is None:
            self.head.value = f"<b>{sitting.right} of {len(sitting.first_grades)}</b> right at the first showing"
            self.asked.value, self.inputs.children = "", ()
            return
        again = ", again" if sitting.is_repeat else ""
        self.head.value = f"<b>{sitting.number} of {sitting.count}</b>{again} &nbsp; {escape(showing.question.item)}"
        self.asked.value = question_html(showing)
        self.inputs.children = self.inputs_of(showing)

    def inputs_of(self, showing: Showing) -> tuple[Any, ...]:
        """What the learner answers with."""
        question = showing.question
        if isinstance(question, Choice):
            rows = []
            for letter, option in zip(LETTERS, showing.options, strict=False):
                button = widgets.Button(description=letter, tooltip=option.text, layout={"width": "3em"})
                button.on_click(lambda _, letter=letter: self.answer(letter))
                rows.append(widgets.HBox([button, widgets.HTMLMath(_prose(option.text), layout=WIDE)]))
            return tuple(rows)
        if isinstance(question, Numeric):
            field = widgets.Text(placeholder=f"a number {question.unit}".strip(), continuous_update=False)
            send = widgets.Button(description="answer")
            send.on_click(lambda _: self.answer(field.value))
            field.observe(lambda change: self.answer(str(change["new"])), names="value")
            return (widgets.HBox([field, send]),)
        own = widgets.Textarea(placeholder="your answer, in your own words", rows=5, layout={"width": "60em"})
        done = widgets.Button(description="compare")
        done.on_click(lambda _: self.compare(question))
        return (own, done)

    def compare(self, question: Free) -> None:
        """Show the model answer and the points to tick."""
        boxes = [widgets.Checkbox(description=point, indent=False, layout=WIDE) for point in question.points]
        mark = widgets.Button(description="mark")

        def told(_: Any) -> None:
            named = " ".join(str(number) for number, box in enumerate(boxes, 1) if box.value)
            self.answer(named or "none")

        mark.on_click(told)
        model = widgets.HTMLMath(f"<b>A model answer.</b> {escape(question.model)}", layout=WIDE)
        self.inputs.children = (
            *self.inputs.children[:1],
            model,
            widgets.HTML("Which of these did you say?"),
            *boxes,
            mark,
        )

    def answer(self, text: str) -> None:
        """Mark one answer and say why; a text that is no answer changes nothing."""
        showing = self.sitting.showing
        if showing is None or not text.strip():
            return
        try:
            marked = self.sitting.answer(text)
        except (FraudkitError, OSError) as error:
            self.reply.value = escape(str(error))
            return
        following = widgets.Button(description="next", button_style="primary")
        following.on_click(lambda _: self.follow())
        for row in self.inputs.children:  # the options stay in sight beside the reason
            for part in getattr(row, "children", ()):
                part.disabled = True
        kept = self.inputs.children if showing.options else ()
        self.inputs.children = (*kept, following)
        self.reply.value = reply_html(showing, marked)
        following.focus()

    def follow(self) -> None:
        """Go on."""
        self.sitting.next()
        self.draw()


def question_html(showing: Showing) -> str:
    """The question with its code or picture."""
    question = showing.question
    parts = [f'<p style="font-size:1.05em">{_prose(showing.ask)}</p>']
    if isinstance(question, Choice) and question.code:
        parts.append(
            f'<pre style="padding:.5em;background:rgba(122,135,147,.12)">{escape(question.code.strip())}</pre>'
        )
    if isinstance(question, Choice) and question.plot:
        parts.append(picture_html(question.plot))
    return "".join(parts)


def reply_html(showing: Showing, marked: Marked) -> str:
    """The mark, the reason, what is right, and where to read on."""
    sign, colour = SIGNS[marked.grade][0], COLOURS[marked.grade]
    lines = [f'<b style="color:{colour}" role="status">{sign}</b>']
    if marked.why:
        lines.append(_prose(marked.why))
    if marked.grade != "right" and not isinstance(showing.question, Free):
        lines.append(f"Right: {_prose(marked.right_answer)}")
    lines.append(_prose(showing.explain))
    lines.append(f'<span style="opacity:.75">{escape(showing.question.source)} · {place(showing.question.link)}</span>')
    return "<br>".join(lines)


def _prose(text: str) -> str:
    """Escaped text with `code` between backquotes set as code."""
    parts = escape(text.strip()).split("`")
    return "".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts))


def show_board(questions: list[Question], file: ProgressFile) -> None:
    """Display the board, with the plain questions for whoever reads the saved notebook."""
    board = Board(questions, file, np.random.default_rng())
    bundle = dict(board.whole._repr_mimebundle_())
    display({**bundle, "text/plain": as_markdown(questions)}, raw=True)
