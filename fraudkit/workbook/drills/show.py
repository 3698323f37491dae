"""The door to the drills in a notebook: statement and questions first, the worked steps when they are asked for.

Everything is Markdown that reads as plain text too, and depends on nothing but the design's file.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.drills.drill import POINTS, STEPS, Drill, Quantity, drill_ids, read_drill

PARTS = ("start", "answers", "numbers", *STEPS, "rubric", "follow-ups", "mistakes")


@dataclass(frozen=True, slots=True, repr=False)
class Page:
    """A piece of Markdown that a notebook renders and a terminal prints."""

    text: str

    def __repr__(self) -> str:
        return self.text

    def _repr_markdown_(self) -> str:
        return self.text


def drills() -> Page:
    """The ten systems with their opening sentences."""
    rows = [f"| `{d.id}` | {d.title} | {d.opening} |" for d in map(read_drill, drill_ids())]
    return Page("\n".join(["| id | system | the interviewer says |", "|---|---|---|", *rows]))


def drill(drill_id: str, part: str = "start", *, covered: Collection[str] = ()) -> Page:
    """One part of a design.

    Parameters
    ----------
    drill_id : a system; `drills()` lists them
    part : "start" (the statement, and how many questions there are to find), "answers" (clarifying
        questions with answers, and the assumptions), "numbers" (capacity arithmetic), a letter of PROBLEM
        (the worked step), "rubric", "follow-ups" or "mistakes"
    covered : for "follow-ups", the topics that your design covered; the questions depend on them

    Raises
    ------
    InvalidInput
        There is no such system, part or topic; the message names those there are.
    """
    found = read_drill(drill_id)
    if part in STEPS:
        step = found.step(part)
        return Page(f"**{step.letter} · {step.title}** · {step.minutes} minutes\n\n{step.worked.strip()}")
    match part:
        case "start":
            return Page(_start(found))
        case "answers":
            asked = "\n".join(f"- **{question.ask}** {question.answer}" for question in found.questions)
            return Page(f"{asked}\n\n{_table(found.assumptions)}")
        case "numbers":
            return Page(_table(found.capacity))
        case "rubric":
            return Page(_rubric(found))
        case "follow-ups":
            return Page(_follow_ups(found, covered))
        case "mistakes":
            return Page("\n".join(f"- **{m.mistake}** {m.instead}" for m in found.mistakes))
    raise InvalidInput(f"there is no part {part!r}; there are {', '.join(PARTS)}")


def mark(drill_id: str, **points: int) -> Page:
    """Mark your own design: `mark("autocomplete", P=2, R=1, ...)` gives the sum and what would have earned more.

    Raises
    ------
    InvalidInput
        A letter is missing or unknown, or its points are not 0, 1 or 2.
    """
    found = read_drill(drill_id)
    if points.keys() != STEPS.keys():
        raise InvalidInput(f"give points for each of {' '.join(STEPS)}, got {' '.join(points) or 'none'}")
    wrong = {letter: n for letter, n in points.items() if type(n) is not int or not 0 <= n <= POINTS}
    if wrong:
        raise InvalidInput(f"a step earns 0 to {POINTS} points, not {wrong}")
    total = sum(points.values())
    lines = [f"**{found.title}: {total} of {POINTS * len(STEPS)} points**"]
    for step in found.steps:
        earned = points[step.letter]
        if earned < POINTS:
            lines.append(f"- **{step.letter}** {earned} of {POINTS}. One point more: {_lower(step.rubric[earned + 1])}")
    return Page("\n".join([lines[0], "", *lines[1:]]) if lines[1:] else lines[0])


def _start(found: Drill) -> str:
    plan = " · ".join(f"{step.letter} {step.minutes}" for step in found.steps)
    return (
        f"**{found.title}**\n\n> {found.opening}\n\nMinutes: {plan}.\n\n"
        f"Write down what you would ask before you draw anything; there are {len(found.questions)} questions to find. "
        f'Then compare with `drill("{found.id}", "answers")`.'
    )


def _table(quantities: Collection[Quantity]) -> str:
    rows = [f"| {q.says} | {f'`{q.formula}`' if q.formula else f'`{q.id}`'} | {q.words} |" for q in quantities]
    computed = any(q.formula for q in quantities)
    return "\n".join([f"| | {'how' if computed else 'name'} | value |", "|---|---|---:|", *rows])


def _rubric(found: Drill) -> str:
    rows = [f"| **{s.letter}** | {' | '.join(s.rubric)} |" for s in found.steps]
    return "\n".join(["| | 0 points | 1 point | 2 points |", "|---|---|---|---|", *rows])


def _follow_ups(found: Drill, covered: Collection[str]) -> str:
    topics = [follow_up.topic for follow_up in found.follow_ups]
    unknown = sorted(set(covered) - set(topics))
    if unknown:
        raise InvalidInput(f"{found.id} has no topic {unknown}; its topics are {', '.join(topics)}")
    lines = []
    for f in found.follow_ups:
        lines.append(f"- **{f.step}, {f.topic}:** {f.ask(covered)}\n  <br>*Listen for:* {f.good}")
    return "\n".join(lines)


def _lower(sentence: str) -> str:
    """A sentence as the second half of another, unless it begins with an abbreviation."""
    return sentence if sentence[:2].isupper() else sentence[:1].lower() + sentence[1:]
