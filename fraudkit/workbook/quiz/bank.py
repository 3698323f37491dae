"""All theory questions, from the TOML files of bank/, one a topic."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.quiz.question import Choice, Free, Numeric, Question

AnyQuestion = Annotated[Choice | Numeric | Free, Field(discriminator="kind")]


class Topic(BaseModel):
    """One file: its questions in order, all of the same weeks of the plan."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    title: str
    week: str
    questions: Annotated[tuple[AnyQuestion, ...], Field(min_length=3)]


def parse_topic(topic_id: str, text: str) -> Topic:
    """A topic from the text of its file.

    Raises
    ------
    InvalidInput
        The text is no TOML, or a question has not the form of `quiz.question`.
    """
    try:
        return Topic(id=topic_id, **tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise InvalidInput(f"quiz topic {topic_id} is no TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise InvalidInput(f"quiz topic {topic_id}, {where}: {first['msg']}") from error


@cache
def read_bank() -> tuple[Topic, ...]:
    """Every topic, by week and file name.

    Raises
    ------
    InvalidInput
        A file is wrong, or two questions have the same id.
    """
    folder = files("fraudkit.workbook") / "quiz" / "bank"
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    topics = [parse_topic(name[:-5], (folder / name).read_text(encoding="utf-8")) for name in names]
    seen: dict[str, str] = {}
    for topic in topics:
        for question in topic.questions:
            if question.id in seen:
                raise InvalidInput(f"question {question.id} stands in {seen[question.id]} and in {topic.id}")
            seen[question.id] = topic.id
    return tuple(sorted(topics, key=lambda topic: (int(topic.week.partition("-")[0]), topic.id)))


def find_question(question_id: str) -> Question:
    """The question of this id.

    Raises
    ------
    InvalidInput
        The bank has none; the message names some that are near.
    """
    from difflib import get_close_matches

    everything = {question.id: question for topic in read_bank() for question in topic.questions}
    if question_id not in everything:
        near = get_close_matches(question_id, everything, n=3, cutoff=0.3)
        raise InvalidInput(f"there is no question {question_id!r}; near it: {', '.join(near) or 'none'}")
    return everything[question_id]
