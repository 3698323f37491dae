"""`mock()` in a notebook: the interview that runs, or the choice of one; the same text for all where no widgets are."""

from __future__ import annotations

from dataclasses import dataclass

from fraudkit.core.errors import FraudkitError
from fraudkit.workbook.check import show
from fraudkit.workbook.checklist import has_front_end
from fraudkit.workbook.mock.history import history_markdown, trend_picture
from fraudkit.workbook.mock.interview import Interview
from fraudkit.workbook.mock.record import history
from fraudkit.workbook.mock.rounds import ROUNDS, SCHEDULE, find_round
from fraudkit.workbook.panel import note_panel
from fraudkit.workbook.picture import Picture
from fraudkit.workbook.progress import ProgressFile

HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Text:
    """Markdown for a notebook, the same text for everything else."""

    text: str

    def __str__(self) -> str:
        return self.text

    def _repr_mimebundle_(self) -> dict[str, str]:
        return {"text/markdown": self.text, "text/plain": self.text}


def mock(what: str = "", minutes: int | None = None, about: str = "", seed: int | None = None) -> Picture | None:
    """Hold a mock interview, or look at those that were held.

    Parameters
    ----------
    what : "coding", "theory", "design" or "behavioral" begins one, or goes on with the one of this round that runs;
        "" goes on with whichever runs, or lets you choose; "history" gives the trend of those held, with their table
    minutes : 5..180, by default what the round has
    about : an exercise, quiz topic, drill or question instead of what is drawn
    seed : the same questions again
    """
    try:
        file = ProgressFile()
        if what == HISTORY:
            progress = file.read()
            show(Text(history_markdown(history(progress))))
            return trend_picture(progress)
        if what:
            find_round(what)
        if not has_front_end():
            show(Text(plain_text()))
            return None
        interview = Interview.resume(file)
        if what and (interview is None or interview.state.round_name != what):  # a cell that is run again goes on
            interview = Interview.start(file, what, seed=seed, minutes=minutes, about=about)
    except FraudkitError as error:
        show(note_panel("mock", str(error)))
        return None
    from fraudkit.workbook.mock.board import show_board  # late: it loads the widgets

    show_board(file, interview, plain_text())
    return None


def plain_text() -> str:
    """What the rounds are and how one is held, the same at every run."""
    lines = ["| round | minutes | of the plan's seven | marked from 1 to 5 |", "|---|---:|---:|---|"]
    for found in ROUNDS.values():
        criteria = ", ".join(found.criteria)
        lines.append(f"| {found.name} | {found.minutes} | {SCHEDULE.count(found.name)} | {criteria} |")
    return "\n".join(lines) + "\n\nIn JupyterLab run `mock()`; in a terminal, `fraudkit mock theory`."
