"""A story in the STAR form, as its Markdown file holds it.

The file begins with a title and three lines (`Kind:`, `Answers:`, `Principles:`), then a heading for each part. Text in
HTML comments is advice from the template and no part of the story. Knows nothing of what makes a story good.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.plan.items import read_plan

KINDS: Mapping[str, tuple[str, int]] = {  # kind -> what it is about, and how many the specification asks for
    "success": ("a project that went well", 3),
    "failure": ("a failure, or a lesson learned", 2),
    "collaboration": ("working together, or a conflict that was resolved", 2),
    "leadership": ("leading others", 1),
    "innovation": ("a new way of doing something", 1),
}
ASKED_FOR = 10  # in all
PARTS = ("Situation", "Task", "Action", "Result", "Reflection")
WALKTHROUGH = (
    "Problem definition",
    "Data collection and challenges",
    "Model selection and why",
    "Evaluation and results",
    "Deployment and impact",
)
QUESTIONS = frozenset(
    {
        "tell-me-about-yourself", "why-this-company", "a-challenging-project", "a-time-you-failed",
        "handle-disagreements", "five-years", "decide-which-model-use", "handle-stakeholder-expectations",
        "a-model-that-failed",
    }
)  # fmt: skip
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_FIELD = re.compile(r"^(Kind|Answers|Principles):[ \t]*(.*)$", re.MULTILINE)
_HEADING = re.compile(r"^##[ \t]+(.+?)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Story:
    """One story.

    Attributes
    ----------
    name : of its file, without the ending
    kind : one of KINDS
    answers : ids of the plan's questions that it answers
    principles : ids of the plan's leadership principles that it shows
    parts : heading -> text, "" for a part that is missing
    """

    name: str
    title: str
    kind: str
    answers: tuple[str, ...]
    principles: tuple[str, ...]
    parts: Mapping[str, str]

    @property
    def words(self) -> int:
        """Length of all parts together."""
        return sum(len(text.split()) for text in self.parts.values())


def principle_ids() -> frozenset[str]:
    """The plan's leadership principles."""
    return frozenset(item.id for item in read_plan().leaves if item.company)


def parse_story(name: str, text: str) -> Story:
    """A story from the text of its file.

    Raises
    ------
    InvalidInput
        There is no title, the kind is none of KINDS, or a question or principle is unknown.
    """
    text = _COMMENT.sub("", text)
    title, fields = _title(name, text), {key: value.strip() for key, value in _FIELD.findall(text)}
    kind = fields.get("Kind", "")
    if kind not in KINDS:
        raise InvalidInput(f"story {name}: Kind is {kind!r}; write one of {', '.join(KINDS)}")
    answers, principles = _listed(fields.get("Answers", "")), _listed(fields.get("Principles", ""))
    for what, given, known in (("Answers", answers, QUESTIONS), ("Principles", principles, principle_ids())):
        if unknown := sorted(set(given) - known):
            raise InvalidInput(f"story {name}: {what} names {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return Story(name, title, kind, answers, principles, sections(text, PARTS))


def sections(text: str, headings: tuple[str, ...]) -> dict[str, str]:
    """The text below each heading, comments and space around it removed; "" where the heading is missing."""
    text = _COMMENT.sub("", text)
    found = {}
    marks = list(_HEADING.finditer(text))
    for place, mark in enumerate(marks):
        end = marks[place + 1].start() if place + 1 < len(marks) else len(text)
        found[mark[1].lower()] = text[mark.end() : end].strip()
    return {heading: found.get(heading.lower(), "") for heading in headings}


def _title(name: str, text: str) -> str:
    found = re.search(r"^#[ \t]+(.+)$", text, re.MULTILINE)
    if found is None:
        raise InvalidInput(f"story {name} has no title; begin it with a line such as '# The night the store was away'")
    return found[1].strip()


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
