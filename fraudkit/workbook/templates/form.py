"""A form: Markdown with placeholders in [brackets], boxes to tick, and rows that may be repeated.

A placeholder's text up to a colon is its name: `[review capacity: cases a day]` is `review_capacity`.
A text fills it wherever it stands. A list repeats the line on which it is the first placeholder, once
an entry; an entry of several texts fills the line's placeholders in order. Knows nothing of what a
form is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fraudkit.core.errors import InvalidInput

PLACEHOLDER = re.compile(r"\[(?![ xX]\])([^\[\]\n]{2,})\](?![(\[])")
BOX = re.compile(r"^(?P<indent>\s*- )\[ \] (?P<text>.+)$")

Row = Sequence[str]
Value = str | Sequence[str] | Sequence[Row]


@dataclass(frozen=True, slots=True)
class Fill:
    """What a form is filled with.

    Attributes
    ----------
    values : by placeholder name: a text, a list of texts, or a list of rows
    boxes : by the name of a box's text: whether it is ticked, and a note that follows it ("" for none)
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    boxes: Mapping[str, tuple[bool, str]] = field(default_factory=dict)


def name_of(text: str) -> str:
    """A placeholder's name.

    >>> name_of("Review capacity: cases a day")
    'review_capacity'
    """
    return box_name(text.partition(":")[0])


def box_name(text: str) -> str:
    """A box's name, from its whole text.

    >>> box_name("Practice: derive PCA from scratch")
    'practice_derive_pca_from_scratch'
    """
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")


def placeholders(form: str) -> list[str]:
    """The names of a form's placeholders, in order, each once."""
    return list(dict.fromkeys(name_of(found) for found in PLACEHOLDER.findall(form)))


def boxes(form: str) -> list[str]:
    """The texts of a form's boxes, in order."""
    return [found["text"] for line in form.splitlines() if (found := BOX.match(line))]


def filled(form: str, fill: Fill) -> str:
    """The form with everything put in that `fill` has; what it has not stays in brackets.

    Raises
    ------
    InvalidInput
        `fill` has a value or a box that the form does not ask for, or an entry of the wrong length.
    """
    unknown = set(fill.values) - set(placeholders(form)) | set(fill.boxes) - {box_name(text) for text in boxes(form)}
    if unknown:
        raise InvalidInput(f"the form has no {', '.join(sorted(unknown))}; rename the placeholder or the value")
    return "\n".join(line for source in form.splitlines() for line in _lines(source, fill)) + "\n"


def _lines(line: str, fill: Fill) -> Iterator[str]:
    """What one line of the form becomes."""
    if (box := BOX.match(line)) and box_name(box["text"]) in fill.boxes:
        ticked, note = fill.boxes[box_name(box["text"])]
        yield f"{box['indent']}[{'x' if ticked else ' '}] {box['text']}{': ' + note if note else ''}"
        return
    names = [name_of(found) for found in PLACEHOLDER.findall(line)]
    value = fill.values.get(names[0]) if names else None
    if value is None or isinstance(value, str):
        yield PLACEHOLDER.sub(lambda found: _text(fill, found), line)
        return
    for entry in value:
        cells = [entry] if isinstance(entry, str) else list(entry)
        if len(cells) != len(names):
            raise InvalidInput(f"{names[0]} has an entry of {len(cells)} texts for {len(names)} placeholders: {cells}")
        waiting = iter(cells)
        yield PLACEHOLDER.sub(lambda _, waiting=waiting: next(waiting), line)  # type: ignore[misc]


def _text(fill: Fill, found: re.Match[str]) -> str:
    """What stands in the place of one placeholder."""
    value = fill.values.get(name_of(found[1]))
    return value if isinstance(value, str) else found[0]
