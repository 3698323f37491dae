"""A checklist as boxes in JupyterLab: a tick is written at once, a button verifies what the system can verify.

Knows nothing of how an item is verified, only who to ask.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
from IPython.display import display

from fraudkit.core.errors import FraudkitError
from fraudkit.workbook.progress import ProgressFile

if TYPE_CHECKING:
    from fraudkit.workbook.checklist_file import Checklist, Item

FULL = {"width": "auto", "max_width": "62em"}
MARKS = {"ok": "✓", "not ok": "✗", "cannot tell": "?"}


class Boxes:
    """The widgets of one checklist and what happens when they are used."""

    def __init__(self, shown: Checklist, file: ProgressFile | None = None) -> None:
        self.shown = shown
        self.notes: list[str] = []
        self.count, self.note = widgets.HTML(), widgets.HTML()
        self.file = file or ProgressFile(tell=self.say)
        self.boxes: dict[str, widgets.Checkbox] = {}
        ticked = self.ticked()
        rows: list[Any] = [self.count]
        for item in shown.items:
            rows += self.row(item, item.id in ticked)
        self.refresh()
        self.whole = widgets.VBox([*rows, self.note])

    def row(self, item: Item, ticked: bool) -> list[Any]:
        """The box of one item and, where the system can verify it, a button and a place for the answer."""
        box = widgets.Checkbox(value=ticked, description=item.plain, indent=False, layout=dict(FULL))
        box.observe(lambda change: self.tick(item.id, bool(change["new"])), names="value")
        self.boxes[item.id] = box
        if not item.check:
            return [box]
        button = widgets.Button(description="verify", tooltip=f"verify: {item.plain}", layout={"width": "6em"})
        answer = widgets.HTML()
        button.on_click(lambda _: self.verify(item, button, answer))
        return [box, widgets.HBox([button, answer], layout={"margin": "0 0 .4em 1.6em", "max_width": "62em"})]

    def tick(self, item_id: str, ticked: bool) -> None:
        """Write one tick, or say why it could not be written."""
        try:
            self.file.tick(self.shown.id, item_id, ticked)
        except (FraudkitError, OSError) as error:
            self.say(f"This could not be recorded: {error}")
        self.refresh()

    def verify(self, item: Item, button: Any, answer: Any) -> None:
        """Run an item's check, say what came out, and tick the box when it holds."""
        from fraudkit.workbook.system_checks import verify  # late: it may start the service

        button.disabled, answer.value = True, "verifying …"
        try:
            finding = verify(item.check)
        finally:
            button.disabled = False
        answer.value = (
            f"{MARKS[finding.state]} <b>{finding.state}</b>: {escape(finding.says)}"
            f'<br><span style="opacity:.75">by hand: <code>{escape(finding.command)}</code></span>'
        )
        if finding.state == "ok":
            self.boxes[item.id].value = True

    def ticked(self) -> frozenset[str]:
        """What the file says is ticked."""
        try:
            return self.file.read().ticked(self.shown.id)
        except (FraudkitError, OSError) as error:
            self.say(f"What was ticked before cannot be read: {error}")
            return frozenset()

    def refresh(self) -> None:
        """How many are ticked, as the boxes say."""
        done = sum(box.value for box in self.boxes.values())
        self.count.value = f"<b>{escape(self.shown.title)}</b> &nbsp; {done} of {len(self.boxes)}"

    def say(self, sentence: str) -> None:
        """Show a sentence below the boxes."""
        self.notes.append(sentence)
        self.note.value = "<br>".join(map(escape, self.notes))


def show_boxes(shown: Checklist) -> None:
    """Display the boxes, with the text without state for whoever reads the saved notebook."""
    boxes = Boxes(shown)
    bundle = dict(boxes.whole._repr_mimebundle_())
    display({**bundle, "text/plain": shown.text(), "text/html": shown.html()}, raw=True)
