"""Where the stories lie: one Markdown file each in FRAUDKIT_HOME/stories, and the project walk-through beside them."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from fraudkit.core.config import settings
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.stories.story import KINDS, WALKTHROUGH, Story, parse_story, sections

WALKTHROUGH_FILE = "walkthrough.md"
LEAST_WORDS = 25  # of a part of the walk-through
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class Shelf:
    """The stories of a home.

    Parameters
    ----------
    folder : FRAUDKIT_HOME/stories by default; made when the first story is written
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or settings().home / "stories"

    def path(self, name: str) -> Path:
        """The file of a story.

        Raises
        ------
        InvalidInput
            The name has other letters than a-z, 0-9 and single hyphens, or belongs to the walk-through.
        """
        if not _NAME.fullmatch(name) or f"{name}.md" == WALKTHROUGH_FILE:
            raise InvalidInput(f"{name!r} is no name for a story; use a-z, 0-9 and hyphens, such as store-outage")
        return self.folder / f"{name}.md"

    def new(self, name: str, kind: str) -> Path:
        """Write the template under a new name; gives the file to be edited.

        Raises
        ------
        InvalidInput
            The name or the kind cannot be, or there is a story of this name.
        """
        if kind not in KINDS:
            raise InvalidInput(f"there is no kind {kind!r}; there are {', '.join(KINDS)}")
        text = template("story.md").replace("KIND", kind, 1)
        return self._write(self.path(name), text)

    def new_walkthrough(self, example: bool = False) -> Path:
        """Write the template of the project walk-through, or the one filled in from the fraud system."""
        name = "walkthrough_example.md" if example else WALKTHROUGH_FILE
        return self._write(self.folder / WALKTHROUGH_FILE, template(name))

    def _write(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as out:
                out.write(text)
        except FileExistsError as error:
            raise InvalidInput(f"{path} exists already; edit it, or choose another name") from error
        return path

    def stories(self) -> tuple[list[Story], dict[str, str]]:
        """The stories that can be read, by name; and for each other file what is wrong with it."""
        found, wrong = [], {}
        for path in sorted(self.folder.glob("*.md")):
            if path.name == WALKTHROUGH_FILE:
                continue
            try:
                found.append(parse_story(path.stem, path.read_text(encoding="utf-8")))
            except (InvalidInput, OSError, UnicodeDecodeError) as error:
                wrong[path.stem] = str(error)
        return found, wrong

    def walkthrough(self) -> dict[str, str]:
        """Each part of the walk-through with its text; all "" where there is none."""
        path = self.folder / WALKTHROUGH_FILE
        return sections(path.read_text(encoding="utf-8") if path.exists() else "", WALKTHROUGH)

    def walkthrough_gaps(self) -> list[str]:
        """The parts that say too little."""
        return [part for part, text in self.walkthrough().items() if len(text.split()) < LEAST_WORDS]


def template(name: str) -> str:
    """A form of this package."""
    return (files("fraudkit.workbook") / "stories" / name).read_text(encoding="utf-8")
