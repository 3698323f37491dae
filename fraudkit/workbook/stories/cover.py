"""What the stories cover: kinds, questions and principles, and what is still without one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fraudkit.workbook.plan.items import read_plan
from fraudkit.workbook.stories.record import ANY
from fraudkit.workbook.stories.remarks import is_complete
from fraudkit.workbook.stories.story import ASKED_FOR, KINDS, QUESTIONS, Story


@dataclass(frozen=True, slots=True)
class Row:
    """A question, principle or kind: how many complete stories it needs, and which there are."""

    topic: str
    says: str
    need: int
    stories: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Whether stories are missing."""
        return len(self.stories) < self.need


def counts_for(story: Story) -> list[str]:
    """The topics of evidence that a complete story shows."""
    topics = [ANY, f"kind/{story.kind}"]
    return topics + [f"question/{name}" for name in story.answers] + [f"principle/{name}" for name in story.principles]


def cover(stories: Sequence[Story]) -> list[Row]:
    """Every kind, question and principle with its stories; only complete ones count."""
    shown = {story.name: counts_for(story) for story in stories if is_complete(story)}

    def row(group: str, topic: str, says: str, need: int = 1) -> Row:
        return Row(topic, says, need, tuple(name for name, topics in shown.items() if f"{group}/{topic}" in topics))

    rows = [row("kind", kind, says, need) for kind, (says, need) in KINDS.items()]
    rows.append(row("kind", "any", "stories in all", ASKED_FOR))
    for item in read_plan().leaves:
        if item.id in QUESTIONS:
            rows.append(row("question", item.id, item.text))
        elif item.company:
            rows.append(row("principle", item.id, f"{item.company}: {item.text}"))
    return rows
