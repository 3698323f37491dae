"""Which questions come next: what is due, weakest first, then new ones in the plan's order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.quiz.bank import Topic, read_bank
from fraudkit.workbook.quiz.memory import Memory
from fraudkit.workbook.quiz.question import Question


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to ask about; "" or None leaves open.

    Attributes
    ----------
    week : weeks of the plan, such as "3-4"
    topic : id of a topic, or of an item of the plan
    weak : only questions whose last answer was not right
    kind : of the question
    """

    week: str = ""
    topic: str = ""
    weak: bool = False
    kind: str = ""


def matching(wanted: Wanted, topics: tuple[Topic, ...] | None = None) -> list[Question]:
    """The questions of the bank that fit, in its order, whatever the learner knows.

    Raises
    ------
    InvalidInput
        There is no such week, topic or kind; the message names those that exist.
    """
    topics = read_bank() if topics is None else topics
    everything = [(topic, question) for topic in topics for question in topic.questions]
    _demand("weeks", wanted.week, dict.fromkeys(topic.week for topic in topics))
    items = dict.fromkeys(question.item for _, question in everything)
    if wanted.topic not in items:
        _demand("topic", wanted.topic, dict.fromkeys(topic.id for topic in topics))
    _demand("kind", wanted.kind, dict.fromkeys(question.kind for _, question in everything))
    return [
        question
        for topic, question in everything
        if wanted.week in ("", topic.week)
        and wanted.topic in ("", topic.id, question.item)
        and wanted.kind in ("", question.kind)
    ]


def _demand(what: str, value: str, known: Mapping[str, None]) -> None:
    if value and value not in known:
        raise InvalidInput(f"the bank has no {what} {value!r}; there are {', '.join(known)}")


def due(questions: list[Question], known: Mapping[str, Memory], now: datetime) -> list[Question]:
    """Those whose time has come, the least remembered first."""
    ready = [question for question in questions if question.id in known and known[question.id].due <= now]
    return sorted(ready, key=lambda question: known[question.id].recall(now))


def next_questions(wanted: Wanted, known: Mapping[str, Memory], now: datetime, count: int) -> list[Question]:
    """At most `count` questions for now: those due, then new ones; with `weak`, those last missed instead.

    When nothing is due and nothing new, what is soonest due comes early, so that somebody who wants to practise can.
    """
    questions = matching(wanted)
    if wanted.weak:
        missed = [q for q in questions if q.id in known and known[q.id].last != "right"]
        return sorted(missed, key=lambda question: known[question.id].recall(now))[:count]
    ready = due(questions, known, now)
    new = [question for question in questions if question.id not in known]
    if not ready and not new:
        return sorted(questions, key=lambda question: known[question.id].due)[:count]
    # Half of a sitting at most is repetition as long as something is new: otherwise a backlog stops all progress.
    repeated = ready[: max(count - len(new), (count + 1) // 2)]
    return repeated + new[: count - len(repeated)]
