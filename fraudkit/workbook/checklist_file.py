"""Checklists as data: items to tick, from checklists/ID.toml. Knows nothing of what is ticked, and of no front end."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from typing import Any

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.panel import WIDTH
from fraudkit.workbook.tables import demand_keys, read_document

OPEN, TICKED = "☐", "☑"
NAME = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Item:
    """One box: `check` names what the system can verify by itself, "" where only the reader can say."""

    id: str
    text: str
    check: str = ""

    @property
    def plain(self) -> str:
        """The text without the backquotes around code."""
        return self.text.replace("`", "")


@dataclass(frozen=True, slots=True, repr=False)
class Checklist:
    """A title and its items, shown without state: the same text whatever is ticked."""

    id: str
    title: str
    items: tuple[Item, ...]

    @property
    def verifiable(self) -> tuple[Item, ...]:
        """The items that the system can check by itself."""
        return tuple(item for item in self.items if item.check)

    def item(self, item_id: str) -> Item:
        """The item of this id.

        Raises
        ------
        InvalidInput
            There is none; the message names those there are.
        """
        for item in self.items:
            if item.id == item_id:
                return item
        raise InvalidInput(f"{self.id} has no item {item_id!r}; it has {', '.join(item.id for item in self.items)}")

    def text(self, ticked: Collection[str] = ()) -> str:
        """Plain text, one box a line, those in `ticked` crossed."""
        lines = [self.title]
        for item in self.items:
            box = TICKED if item.id in ticked else OPEN
            lines += textwrap.wrap(item.plain, WIDTH - 2, initial_indent=f"{box} ", subsequent_indent="  ")
        if self.verifiable:
            count = len(self.verifiable)
            lines.append(f"{count} of {len(self.items)} can be verified: fraudkit checklist {self.id} --verify")
        return "\n".join(lines)

    def html(self) -> str:
        """The same without state, for a saved notebook."""
        items = "".join(f"<div>{OPEN} {escape(item.plain)}</div>" for item in self.items)
        return f'<div style="line-height:1.6"><b>{escape(self.title)}</b>{items}</div>'

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": self.text(), "text/html": self.html()}


def checklist_ids() -> tuple[str, ...]:
    """The known checklists, chapters first."""
    folder = files("fraudkit.workbook") / "checklists"
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml")))


def read_checklist(checklist_id: str) -> Checklist:
    """The checklist of this id.

    Raises
    ------
    InvalidInput
        There is none of this id, or its file has not the form of one.
    """
    if checklist_id not in checklist_ids():
        raise InvalidInput(f"there is no checklist {checklist_id!r}; there are {', '.join(checklist_ids())}")
    text = (files("fraudkit.workbook") / "checklists" / f"{checklist_id}.toml").read_text(encoding="utf-8")
    return parse_checklist(checklist_id, text)


def parse_checklist(checklist_id: str, text: str) -> Checklist:
    """A checklist from the text of its file.

    Raises
    ------
    InvalidInput
        The text is no TOML, a key is missing, unknown or of the wrong type, or an id stands twice.
    """
    document = read_document(f"checklist {checklist_id}", text)
    demand_keys(f"checklist {checklist_id}", document, {"title": str, "items": list})
    items: list[Item] = []
    for number, entry in enumerate(document["items"], 1):
        where = f"checklist {checklist_id}, item {number}"
        demand_keys(where, entry, {"id": str, "text": str}, {"check": str})
        if not NAME.fullmatch(entry["id"]):
            raise InvalidInput(f"{where}: id {entry['id']!r} is not in lower-case-with-hyphens")
        items.append(Item(entry["id"], entry["text"], entry.get("check", "")))
    repeated = {item.id for item in items if [other.id for other in items].count(item.id) > 1}
    if repeated or not items:
        raise InvalidInput(f"checklist {checklist_id} has no items or has {sorted(repeated)} twice")
    return Checklist(checklist_id, document["title"], tuple(items))
