"""A look at the story files, whose result goes into the progress: which complete stories count for what."""

from __future__ import annotations

from fraudkit.workbook.plan.items import read_plan
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.stories.cover import counts_for
from fraudkit.workbook.stories.record import ROOM
from fraudkit.workbook.stories.remarks import is_complete
from fraudkit.workbook.stories.shelf import Shelf
from fraudkit.workbook.stories.story import WALKTHROUGH

_PARTS = dict(zip(WALKTHROUGH, (item.id for item in read_plan().children["walk-through-a-project"]), strict=True))


def look(file: ProgressFile | None = None, shelf: Shelf | None = None) -> dict[str, list[str]]:
    """Look at the files and keep what they count for; nothing is written where nothing has changed."""
    file, shelf = file or ProgressFile(), shelf or Shelf()
    found = {story.name: counts_for(story) for story in shelf.stories()[0] if is_complete(story)}
    gaps = set(shelf.walkthrough_gaps())
    if told := [f"part/{_PARTS[part]}" for part in WALKTHROUGH if part not in gaps]:
        found["walkthrough"] = told
    if file.read().plan.get(ROOM, {}) != found:
        with file.change() as progress:
            progress.plan[ROOM] = found
    return found
