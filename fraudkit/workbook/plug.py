"""A learner's answer in the running system in place of ours, and what that does to quality, cost and latency.

The answer runs in the sandbox only. One that raises, hangs or returns what cannot be used is named as
such, and the system goes on with its own part.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.bench import open_bench
from fraudkit.workbook.exercise import exercise, exercise_ids
from fraudkit.workbook.finding import ABSENT, Finding
from fraudkit.workbook.guest import Answer, Refused
from fraudkit.workbook.limits import Limits
from fraudkit.workbook.panel import Block, Panel
from fraudkit.workbook.sandbox import Sandbox
from fraudkit.workbook.seams import seam

ROLES = {
    "metric": "as metric of the evaluation",
    "threshold": "as choice of the threshold",
    "feature": "as window of a feature",
    "rule": "as travel rule",
    "model": "among the candidates",
    "drift": "as drift test",
}
CELL = "padding:.15em .9em .15em 0;text-align:left;border:0;background:transparent"


@dataclass(frozen=True, slots=True, repr=False)
class PlugReport:
    """What an answer did in the system; Jupyter shows it as HTML, everything else as text.

    Attributes
    ----------
    exercise_id, world : what was plugged in, and where
    replaced : whether the answer took the part's place; otherwise the system went on with its own
    headline : the outcome in a sentence
    columns : headings of the figures, the learner's last
    rows : (what was measured, one text a column)
    sentences : what it means, and why the answer was not used where it was not
    """

    exercise_id: str
    world: str
    replaced: bool
    headline: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sentences: tuple[str, ...]

    def table(self) -> str:
        """The figures as aligned text."""
        lines = [("", *self.columns), *self.rows]
        widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
        return "\n".join(
            "  ".join(
                [line[0].ljust(widths[0]), *(text.rjust(w) for text, w in zip(line[1:], widths[1:], strict=True))]
            )
            for line in lines
        )

    def text(self) -> str:
        """Headline, table and sentences as plain text."""
        return self._panel(Block("code", self.table())).text()

    def html(self) -> str:
        """The same as one HTML element without scripts, classes or ids."""
        head = "".join(f'<th style="{CELL}">{escape(text)}</th>' for text in ("", *self.columns))
        body = "".join(
            "<tr>" + "".join(f'<td style="{CELL}">{escape(text)}</td>' for text in row) + "</tr>" for row in self.rows
        )
        table = f'<table style="border-collapse:collapse;margin:.4em 0"><tr>{head}</tr>{body}</table>'
        whole = self._panel().html()
        return whole.replace("</div>", f"</div>{table}", 1) if self.rows else whole

    def _panel(self, *blocks: Block) -> Panel:
        aside = tuple(Block("text", sentence) for sentence in self.sentences)
        return Panel("good" if self.replaced else "bad", self.headline, (*blocks, *aside))

    def __repr__(self) -> str:
        return self.text()

    def _repr_html_(self) -> str:
        return self.html()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}


def plug_source(exercise_id: str, source: str, world: str = "small", seconds: float | None = None) -> PlugReport:
    """Put an answer into the running system.

    Parameters
    ----------
    exercise_id : an exercise with a seam
    source : text that defines the exercise's function or class
    world : a world that is built
    seconds : most time for one call; by default what the seam allows

    Raises
    ------
    InvalidInput
        There is no such exercise, or it has no seam, or `seconds` is not above 0.
    NotReady
        The world is not built.
    """
    item = exercise(exercise_id)
    if not item.plug:
        others = ", ".join(other for other in exercise_ids() if exercise(other).plug)
        raise InvalidInput(f"{exercise_id} has no place in the running system; these have: {others}")
    measure, allowed = seam(item.plug)
    if seconds is not None and not seconds > 0:
        raise InvalidInput(f"seconds={seconds} is no time; give more than 0")
    bench = open_bench(world)
    finding, why = Finding(), ""
    with Sandbox(item.preload) as sandbox:
        answer = Answer(item.name, source, sandbox, Limits(seconds=seconds or allowed))
        try:
            measure(bench, answer, finding)
        except Refused as refused:
            why = str(refused)
    if why:
        for row in finding.rows:
            row[-1] = ABSENT  # what was measured before it failed says nothing of the whole
        finding.sentences = [f"{why[0].upper()}{why[1:]}.".replace("..", "."), "Ours stays in its place."]
    headline = f"`{item.name}` {ROLES[item.plug]}, world {world}: "
    headline += "the system went on with its own" if why else "yours in place of ours"
    return PlugReport(
        exercise_id, world, not why, headline, finding.columns, tuple(map(tuple, finding.rows)),
        tuple(finding.sentences),
    )  # fmt: skip
