"""The scorecard as rows of buttons, one criterion a row, the suggested mark pressed."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import ipywidgets as widgets

from fraudkit.workbook.mock.suggest import Suggestion
from fraudkit.workbook.plan.scorecard import HIGHEST, LOWEST


class ScoreRows:
    """Rows of marks 1..5 for the criteria of one round."""

    def __init__(self, suggested: Sequence[Suggestion]) -> None:
        options = [str(mark) for mark in range(LOWEST, HIGHEST + 1)]
        self._marks = {}
        self.rows = []
        for found in suggested:
            value = None if found.mark is None else str(found.mark)
            marks = widgets.ToggleButtons(options=options, value=value, style={"button_width": "2.5em"})
            self._marks[found.criterion] = marks
            name = widgets.HTML(f"<b>{escape(found.criterion)}</b>", layout={"width": "16em"})
            why = widgets.HTML(f'<span style="opacity:.75">{escape(found.why)}</span>')
            self.rows.append(widgets.HBox([name, marks, why]))

    def marks(self) -> dict[str, int] | None:
        """Criterion -> mark; None while one is missing."""
        if any(row.value is None for row in self._marks.values()):
            return None
        return {criterion: int(row.value) for criterion, row in self._marks.items()}
