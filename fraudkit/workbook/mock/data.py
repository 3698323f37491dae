"""What interviewers say, read from the TOML files beside this module and checked.

Knows nothing of how an interview goes.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.plan.scorecard import CRITERIA
from fraudkit.workbook.stories.story import QUESTIONS, principle_ids

Book = TypeVar("Book", bound=BaseModel)
Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Part(_Strict):
    """One thing that an answer should hold, the criterion it shows, and the probe for whom it was missing."""

    part: Text
    holds: Text
    shows: Text
    probe: Text


class Form(_Strict):
    """What an answer of one kind holds."""

    id: Text
    parts: Annotated[tuple[Part, ...], Field(min_length=4)]


class Behavioral(_Strict):
    """A behavioural question; `listens` is told as a hint, `deeper` is asked when nothing was missing.

    `answers` is the plan's id of the question, by which stories name it; `principles` are what an answer can show.
    """

    id: Text
    form: Text
    ask: Text
    listens: Text
    deeper: Text
    opener: bool = False
    answers: str = ""
    principles: tuple[Text, ...] = ()


class BehavioralBook(_Strict):
    """Forms and questions of the behavioural round."""

    forms: tuple[Form, ...]
    questions: Annotated[tuple[Behavioral, ...], Field(min_length=5)]

    @model_validator(mode="after")
    def _fits(self) -> BehavioralBook:
        forms = {form.id for form in self.forms}
        stray = [question.id for question in self.questions if question.form not in forms]
        known = CRITERIA["Behavioral Interview"]
        stray += [part.shows for form in self.forms for part in form.parts if part.shows not in known]
        stray += [question.answers for question in self.questions if question.answers not in {"", *QUESTIONS}]
        stray += [name for question in self.questions for name in question.principles if name not in principle_ids()]
        if stray:
            raise ValueError(f"there is no form, criterion, question or principle for {stray}")
        return self

    def question(self, question_id: str) -> Behavioral:
        """The question of this id.

        Raises
        ------
        InvalidInput
            There is none.
        """
        for question in self.questions:
            if question.id == question_id:
                return question
        known = ", ".join(question.id for question in self.questions)
        raise InvalidInput(f"there is no behavioural question {question_id!r}; there are {known}")

    def form(self, form_id: str) -> Form:
        """The form of this id."""
        return next(form for form in self.forms if form.id == form_id)


class Topic(_Strict):
    """A point of the approach."""

    topic: Text
    says: Text


class Turn(_Strict):
    """A follow-up: one question if its topic was covered, another if not."""

    topic: Text
    covered: Text
    missed: Text
    good: Text


class CodingBook(_Strict):
    """What is said around a coding problem."""

    clarify: Text
    approach: Text
    write: Text
    explain_first: Text
    approach_points: Annotated[tuple[Topic, ...], Field(min_length=2)]
    follow_ups: Annotated[tuple[Turn, ...], Field(min_length=1)]


class Probe(_Strict):
    """What is asked after a right answer."""

    ask: Text
    points: Annotated[tuple[Text, ...], Field(min_length=2)]
    good: Text


class TheoryBook(_Strict):
    """The probes of the theory round."""

    probes: Annotated[tuple[Probe, ...], Field(min_length=2)]


def parse(book: type[Book], name: str, text: str) -> Book:
    """A book from the text of its file.

    Raises
    ------
    InvalidInput
        The text is no TOML or has another form.
    """
    try:
        return book(**tomllib.loads(text))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise InvalidInput(f"mock/{name}.toml: {error}") from error


def _read(name: str) -> str:
    return (files("fraudkit.workbook") / "mock" / f"{name}.toml").read_text(encoding="utf-8")


@cache
def behavioral_book() -> BehavioralBook:
    """The questions of the behavioural round."""
    return parse(BehavioralBook, "behavioral", _read("behavioral"))


@cache
def coding_book() -> CodingBook:
    """What is said around a coding problem."""
    return parse(CodingBook, "coding", _read("coding"))


@cache
def theory_book() -> TheoryBook:
    """The probes of the theory round."""
    return parse(TheoryBook, "theory", _read("theory"))
