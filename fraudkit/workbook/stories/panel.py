"""`stories()` in a notebook: what the learner's stories cover and lack, as one panel."""

from __future__ import annotations

from fraudkit.core.errors import FraudkitError
from fraudkit.workbook.check import show
from fraudkit.workbook.panel import Block, Panel, Tone, note_panel
from fraudkit.workbook.stories.cover import cover
from fraudkit.workbook.stories.remarks import is_complete, remarks
from fraudkit.workbook.stories.shelf import Shelf


def stories() -> None:
    """Show the stories in FRAUDKIT_HOME/stories: what each still lacks, and which questions have none."""
    try:
        found, wrong = Shelf().stories()
        gaps = [row for row in cover(found) if row.is_open]
    except FraudkitError as error:
        show(note_panel("stories", str(error)))
        return
    complete = sum(map(is_complete, found))
    blocks = [
        Block("text", f"`{story.name}` ({story.kind}): {remark.part}: {remark.says}")
        for story in found
        for remark in remarks(story)
        if remark.needed
    ]
    blocks += [Block("text", reason) for reason in wrong.values()]
    missing = ", ".join(f"{row.says} ({len(row.stories)} of {row.need})" for row in gaps)
    if missing:
        blocks.append(Block("aside", f"Still without a story: {missing}."))
    blocks.append(
        Block("aside", "In a terminal: `fraudkit story new NAME --kind success`, then `fraudkit story check`.")
    )
    tone: Tone = "good" if not gaps else "quiet"
    show(Panel(tone, f"{complete} of {len(found)} stories are complete" if found else "No stories yet", tuple(blocks)))
