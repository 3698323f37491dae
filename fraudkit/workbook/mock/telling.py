"""Which of the learner's stories fit a behavioural question, which were told, and what no story shows yet.

Knows the stories as they stood when the interview began. What was told is what the learner says was told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fraudkit.workbook.mock.data import Behavioral, behavioral_book
from fraudkit.workbook.mock.prompt import Replies, Reply, Setup, Shelved
from fraudkit.workbook.plan.items import read_plan
from fraudkit.workbook.stories.cover import counts_for
from fraudkit.workbook.stories.remarks import is_complete
from fraudkit.workbook.stories.shelf import Shelf

SHELF = "stories"  # the folder of a home
BEGIN = "`fraudkit story new NAME`"


def on_shelf(folder: Path) -> tuple[Shelved, ...]:
    """The stories of a folder that can be read."""
    found, _ = Shelf(folder).stories()
    return tuple(Shelved(story.name, story.title, tuple(counts_for(story)), is_complete(story)) for story in found)


def story_id(question_id: str) -> str:
    """The prompt that asks which story was told."""
    return f"{question_id}/story"


def why_it_fits(question: Behavioral, story: Shelved) -> list[str]:
    """The principles of the question that the story shows, and "this question" where it names that."""
    named = ["this question"] if f"question/{question.answers}" in story.topics and question.answers else []
    return named + [title(name) for name in question.principles if f"principle/{name}" in story.topics]


def title(principle: str) -> str:
    """A principle as the plan writes it."""
    return read_plan().item(principle).text


def by_fit(question: Behavioral, stories: Sequence[Shelved]) -> list[Shelved]:
    """All stories, those that fit best first."""
    return sorted(stories, key=lambda story: (-len(why_it_fits(question, story)), not story.complete))


def gaps(question: Behavioral, stories: Sequence[Shelved]) -> list[str]:
    """The principles of the question that no complete story shows."""
    shown = {topic for story in stories if story.complete for topic in story.topics}
    return [title(name) for name in question.principles if f"principle/{name}" not in shown]


def told(setup: Setup, replies: Replies) -> dict[str, list[Shelved]]:
    """Question -> the stories that were told to it, for those to which the learner said so."""
    found = {}
    for name in setup.about:
        numbers = replies.get(story_id(name), Reply()).points
        offered = by_fit(behavioral_book().question(name), setup.stories)
        found[name] = [offered[number - 1] for number in numbers if number <= len(offered)]
    return found


@dataclass(frozen=True, slots=True)
class Telling:
    """What one question had from the shelf: stories told, stories that fit and were told nowhere, what is missing."""

    question: Behavioral
    told: tuple[Shelved, ...]
    unused: tuple[Shelved, ...]
    gaps: tuple[str, ...]


def tellings(setup: Setup, replies: Replies) -> list[Telling]:
    """One for each question of the interview."""
    by_question = told(setup, replies)
    used = {story.name for stories in by_question.values() for story in stories}
    rows = []
    for name, stories in by_question.items():
        question = behavioral_book().question(name)
        unused = [story for story in fitting(question, setup.stories) if story.name not in used]
        rows.append(Telling(question, tuple(stories), tuple(unused), tuple(gaps(question, setup.stories))))
    return rows


def fitting(question: Behavioral, stories: Sequence[Shelved]) -> list[Shelved]:
    """The stories that fit, best first."""
    return [story for story in by_fit(question, stories) if why_it_fits(question, story)]


def offer(question: Behavioral, setup: Setup) -> str:
    """What stands below a question: the stories that fit, and by what; "" for somebody without stories."""
    if not setup.stories:
        return ""
    fits = [_named(story, ", ".join(why_it_fits(question, story))) for story in fitting(question, setup.stories)]
    return "\n\n*Your stories that fit:* " + ("; ".join(fits) or "none yet") + "."


def afterwards(question: Behavioral, setup: Setup, replies: Replies) -> str:
    """What is said once the question was answered: what else would have fitted, and what no story shows."""
    earlier = {story.name for stories in told(setup, replies).values() for story in stories}
    left = [story.title for story in fitting(question, setup.stories) if story.name not in earlier]
    lines = [f"Fits here and was not told earlier in this interview: {'; '.join(left)}."] if left else []
    if missing := gaps(question, setup.stories):
        lines.append(f"No complete story of yours shows {' or '.join(missing)} yet; begin one with {BEGIN}.")
    return "\n\n".join(lines)


def summary(setup: Setup, replies: Replies) -> str:
    """The stories of the whole interview as Markdown."""
    if not setup.stories:
        return f"**Your stories.** None is written yet; begin with {BEGIN}, and the next interview shows which fit."
    rows = tellings(setup, replies)
    head = "| question | told | fits, told nowhere | no complete story shows |"
    lines = ["**Your stories**", "", head, "|---|---|---|---|"]
    for row in rows:
        cells = (row.question.ask, _titles(row.told), _titles(row.unused), ", ".join(row.gaps))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    counts = [story.title for row in rows for story in row.told]
    if twice := sorted({name for name in counts if counts.count(name) > 1}):
        lines += ["", f"Told more than once: {'; '.join(twice)}. An interviewer hears that you have no other."]
    begun = [story.title for row in rows for story in row.told if not story.complete]
    if begun:
        lines += ["", f"Told but not complete on paper: {'; '.join(dict.fromkeys(begun))}; see `fraudkit story check`."]
    return "\n".join(lines)


def story_evidence(setup: Setup, replies: Replies) -> dict[str, Any]:
    """What the scorecard is kept with: stories told by question, those left out that fit, principles without one."""
    rows = tellings(setup, replies)
    unused = {story.name for row in rows for story in row.unused}
    missing = {gap for row in rows for gap in row.gaps}
    return {
        "stories_told": {row.question.id: [story.name for story in row.told] for row in rows},
        "stories_unused": sorted(unused),
        "principles_without_a_story": sorted(missing),
    }


def _named(story: Shelved, why: str) -> str:
    return f"{story.title} ({why}{'' if story.complete else '; not complete yet'})"


def _titles(stories: Sequence[Shelved]) -> str:
    return "; ".join(story.title for story in stories)
