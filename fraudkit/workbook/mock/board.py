"""A mock interview as widgets in JupyterLab, with a countdown that runs; every part is reached by keyboard.

Knows nothing of what is asked; the interview does. The countdown is computed from the stored start each second, so that
a board drawn after a restart of the kernel shows the same time as one that was never gone.
"""

from __future__ import annotations

import asyncio
import os
from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from typing import Any, TypeVar

import ipywidgets as widgets
from IPython.display import display

from fraudkit.core.errors import FraudkitError
from fraudkit.workbook.check import answer_cells
from fraudkit.workbook.mock.history import evidence_lines, trend_picture
from fraudkit.workbook.mock.interview import Interview
from fraudkit.workbook.mock.notebook import check_answer, ensure_notebook, notebook_path
from fraudkit.workbook.mock.prompt import LEVELS, Prompt
from fraudkit.workbook.mock.rounds import ROUNDS
from fraudkit.workbook.mock.score_rows import ScoreRows
from fraudkit.workbook.mock.terminal import verdict
from fraudkit.workbook.mock.timer import clock_text
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.quiz.question import Choice
from fraudkit.workbook.quiz.showing import LETTERS

T = TypeVar("T")
WIDE = {"width": "auto", "max_width": "62em"}
SOON_S = 300
SAVE_EVERY_S = 15


class Board:
    """The widgets of one interview, or the choice of a round where none is running."""

    def __init__(self, file: ProgressFile, interview: Interview | None) -> None:
        self.file, self.interview = file, interview
        self.clock, self.stage = widgets.HTML(), widgets.HTML()
        self.says, self.told = widgets.Output(layout=WIDE), widgets.Output(layout=WIDE)
        self.inputs, self.note = widgets.VBox(layout={"align_items": "flex-start"}), widgets.HTML()
        self.helps = widgets.HBox([_button("hint", self.hint), _button("abandon", self.ask_abandon)])
        head = widgets.HBox([self.clock, self.stage], layout={"align_items": "baseline"})
        parts = [head, self.says, self.told, self.inputs, self.note, self.helps]
        self.whole = widgets.VBox(parts, layout={"max_width": "66em"})
        self.shown: Prompt | None = None
        self.typed: widgets.Textarea | None = None
        self.draw()

    # -- what is seen

    def draw(self) -> None:
        """Put on the board what is asked now."""
        interview = self.interview
        self.told.outputs, self.note.value, self.typed = (), "", None
        self.helps.layout.display = "none" if interview is None or interview.phase == "over" else ""
        if interview is None:
            self.draw_choice()
            return
        self.tick()
        self.shown = interview.prompt
        if self.shown is None:
            self.draw_score(interview)
            return
        self.helps.children[0].layout.display = "" if self.shown.hints else "none"
        self.stage.value = f"<b>{escape(self.shown.stage)}</b>"
        self.says.outputs = _markdown(self.shown.says)
        self.draw_inputs(interview, self.shown)

    def draw_choice(self) -> None:
        """One button a round."""
        self.stage.value, self.says.outputs = "<b>Which round?</b> The time runs from the click.", ()
        self.inputs.children = tuple(
            _button(f"{name}, {found.minutes} min", partial(self.start, name), width="14em")
            for name, found in ROUNDS.items()
        )

    def draw_inputs(self, interview: Interview, prompt: Prompt) -> None:
        """What the learner answers with."""
        if interview.revealed or prompt.kind == "topics":
            self.inputs.children = self.tick_boxes(prompt)
        elif prompt.kind == "question" and prompt.showing is not None and isinstance(prompt.showing.question, Choice):
            letters = LETTERS[: len(prompt.showing.options)]
            self.inputs.children = (widgets.HBox([self.sender(letter, letter, "3em") for letter in letters]),)
        elif prompt.kind == "level":
            levels = [self.sender(str(n), str(n), "3em") for n in range(LEVELS + 1)]
            self.inputs.children = (widgets.HBox([widgets.Label("your points:"), *levels]),)
        elif prompt.kind == "code":
            self.says.outputs = _markdown(f"{prompt.says}\n\n{self.where(interview, prompt)}")
            check = _button("check", lambda: self.check(prompt), style="primary")
            self.inputs.children = (widgets.HBox([check, self.sender("go on", "next")]),)
        elif prompt.kind == "read":
            self.inputs.children = (self.sender("go on", "", style="primary"),)
        else:
            self.typed = widgets.Textarea(placeholder="notes; or say it aloud", rows=4, layout={"width": "60em"})
            field = self.typed
            send = _button("answer", lambda: self.answer(field.value), style="primary")
            self.inputs.children = (self.typed, send)
        first = self.inputs.children[0]
        (first.children[0] if isinstance(first, widgets.HBox) else first).focus()

    def where(self, interview: Interview, prompt: Prompt) -> str:
        """The notebook of a coding prompt as a link, relative to this one's folder."""
        path = ensure_notebook(interview, prompt.exercise)
        link = os.path.relpath(path)
        return (
            f"Your notebook is [{link}]({link}). Its first cell shows this board; outside of it, save before a check."
        )

    def tick_boxes(self, prompt: Prompt) -> tuple[Any, ...]:
        """The points of an answer, to be ticked."""
        boxes = [widgets.Checkbox(description=point, indent=False, layout=WIDE) for point in prompt.points]

        def send() -> None:
            named = " ".join(str(number) for number, box in enumerate(boxes, 1) if box.value)
            self.answer(named or "none")

        asks = "Which of these did it hold?" if prompt.kind != "topics" else ""
        return (*boxes, widgets.HBox([_button("go on", send, style="primary"), widgets.Label(asks)]))

    def draw_score(self, interview: Interview) -> None:
        """The scorecard with the suggested marks."""
        self.stage.value, self.says.outputs = "<b>Scorecard</b>", ()
        self.helps.children[0].layout.display = "none"
        rows = ScoreRows(interview.suggestions())

        def save() -> None:
            marks = rows.marks()
            if marks is None:
                self.note.value = "Give each criterion a mark from 1 to 5."
                return
            held = self.try_to(lambda: interview.finish(marks))
            if held is not None:
                self.draw_result(verdict(held), evidence_lines(held))

        self.inputs.children = (*rows.rows, _button("save the scorecard", save, style="primary", width="14em"))

    def draw_result(self, sentence: str, evidence: Sequence[str] = ()) -> None:
        """What came of it, with the trend and what the marks rest on."""
        self.stage.value = f'<b role="status">{escape(sentence)}</b>'
        self.clock.value, self.inputs.children, self.note.value = "", (), ""
        self.helps.layout.display = "none"
        picture = trend_picture(self.file.read())
        data = {"image/png": _base64(picture._repr_png_()), "text/plain": sentence}
        listed = "\n".join(f"- {line}" for line in evidence)
        picture_output = {"output_type": "display_data", "data": data, "metadata": {}}
        self.says.outputs = (picture_output, *(_markdown(f"**Evidence**\n\n{listed}") if listed else ()))

    def tick(self) -> None:
        """Draw the time that is left."""
        interview = self.interview
        if interview is None or interview.phase == "over":
            return
        left = interview.seconds_left
        weight = "color:#d9544d;" if left <= SOON_S else ""
        text = clock_text(left) if interview.phase == "asking" else "time stopped" if left else "time over"
        self.clock.value = f'<b role="timer" style="{weight}font-size:1.3em;margin-right:1em">{text}</b>'

    # -- what is done

    def try_to(self, act: Callable[[], T]) -> T | None:
        """Do something; what a learner can mend is said below, and what was over elsewhere is left."""
        try:
            return act()
        except (FraudkitError, OSError) as error:
            interview = self.interview
            if interview is not None and interview.phase == "over":
                self.draw_result(str(error))
                return None
            now = interview.prompt if interview is not None else None
            if now is not None and self.shown is not None and now.id != self.shown.id:  # it went on in another place
                self.draw()
            self.note.value = f'<span role="status">{escape(str(error))}</span>'
            return None

    def start(self, name: str) -> None:
        """Begin a round."""
        self.interview = self.try_to(lambda: Interview.start(self.file, name))
        if self.interview is not None:
            self.draw()

    def sender(self, label: str, text: str, width: str = "auto", style: str = "") -> Any:
        """A button that answers with a text."""
        return _button(label, lambda: self.answer(text), width=width, style=style)

    def answer(self, text: str) -> None:
        """Take an answer; what was said to it stays in sight while its points are ticked."""
        interview, prompt = self.interview, self.shown
        if interview is None or prompt is None:
            return
        was_over = bool(interview.state.ended)
        told = self.try_to(lambda: interview.answer(text, prompt.id))
        if told is None:
            return
        self.draw()
        if told and self.shown is not None:
            self.told.outputs = _markdown(told)
        if not was_over and interview.state.ended == "time over":
            self.note.value = '<span role="status">That was the time. The interviewer thanks you.</span>'

    def check(self, prompt: Prompt) -> None:
        """Judge the answer to an exercise."""
        interview = self.interview
        if interview is None:
            return
        here = os.environ.get("JPY_SESSION_NAME", "").endswith(notebook_path(interview, prompt.exercise).name)
        self.note.value = "checking …"
        cells = answer_cells() if here else None
        judged = self.try_to(lambda: check_answer(interview, prompt.exercise, cells))
        if judged is None:
            return
        if judged[0]:
            self.draw()
        self.note.value = f'<span role="status">{escape(judged[1])}</span>'

    def hint(self) -> None:
        """Show the next hint."""
        interview = self.interview
        if interview is not None:
            told = self.try_to(interview.hint)
            if told:
                self.note.value = f'<span role="status">{escape(told)}</span>'

    def ask_abandon(self) -> None:
        """Ask once before an interview is thrown away."""

        def sure() -> None:
            interview = self.interview
            if interview is not None and self.try_to(interview.abandon) is not None:
                self.draw_result("abandoned; it stays in the history without marks")

        yes = _button("yes, abandon it", sure, style="danger", width="12em")
        self.inputs.children = (widgets.HBox([yes, _button("no, go on", self.draw)]),)
        yes.focus()

    async def run(self) -> None:
        """Keep the countdown going until the interview is over; what was typed when the time ends is kept as late."""
        seconds = 0
        while self.interview is None or self.interview.phase != "over":
            await asyncio.sleep(1)
            interview = self.interview
            if interview is None or interview.state.ended:
                continue
            seconds += 1
            self.tick()
            if interview.seconds_left == 0 and self.shown is not None and self.shown.timed and not interview.revealed:
                self.time_over(interview)
            elif seconds % SAVE_EVERY_S == 0:
                self.try_to(interview.save_time)

    def time_over(self, interview: Interview) -> None:
        """Take what was typed, and go to what comes after the interview."""
        text, prompt = self.typed.value if self.typed is not None else "", self.shown
        if text.strip() and prompt is not None:
            self.try_to(lambda: interview.answer(text, prompt.id))
        else:
            self.try_to(interview.save_time)
        self.draw()
        self.note.value = '<span role="status">That was the time. The interviewer thanks you.</span>'


_running: asyncio.Task[None] | None = None


def show_board(file: ProgressFile, interview: Interview | None, plain: str) -> None:
    """Display the board, with `plain` for whoever reads the saved notebook; the latest of a kernel ticks."""
    global _running
    board = Board(file, interview)
    bundle = dict(board.whole._repr_mimebundle_())
    display({**bundle, "text/plain": plain}, raw=True)
    if _running is not None:
        _running.cancel()
    _running = asyncio.get_running_loop().create_task(board.run())


def _button(label: str, act: Callable[[], Any], width: str = "auto", style: str = "") -> Any:
    made = widgets.Button(description=label, button_style=style, layout={"width": width})
    made.on_click(lambda _: act())
    return made


def _markdown(text: str) -> tuple[dict[str, Any], ...]:
    """Markdown as the one output of an output widget; Jupyter renders and cleans it."""
    data = {"text/markdown": text, "text/plain": text}
    return ({"output_type": "display_data", "data": data, "metadata": {}},)


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
