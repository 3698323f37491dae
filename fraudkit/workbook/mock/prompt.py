"""What the interviewer says at one moment, what came back, and what that is worth as evidence.

Knows nothing of clocks, files and screens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.progress import Progress
from fraudkit.workbook.quiz.showing import Showing

# talk: answered aloud or in words, then compared with points; question: a letter or a number; code: an exercise in the
# interview's notebook; topics: which of these were covered; level: 0, 1 or 2 by a rubric; read: nothing is asked
Kind = Literal["talk", "question", "code", "topics", "level", "read"]
LEVELS = 2
UNFINISHED_CODE = 0.75  # what all cases but a few are worth at most


@dataclass(frozen=True, slots=True)
class Prompt:
    """One thing that the interviewer says.

    Attributes
    ----------
    id : unique in its interview
    stage : a few words: "Clarifying questions"
    says : Markdown
    points : what a good answer holds, ticked after the comparison; for "topics" what can be covered
    model : Markdown that is shown once the answer is given
    shows : the criterion for which the answer is evidence, "" for none
    point_shows : a criterion for each point, where they differ
    hints, cost : what can be asked for, and the criterion whose suggested mark each lowers by one
    showing : the quiz question behind it
    exercise : for "code"
    timed : False for what comes after the interview
    """

    id: str
    stage: str
    says: str
    kind: Kind = "talk"
    points: tuple[str, ...] = ()
    model: str = ""
    shows: str = ""
    point_shows: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    cost: str = ""
    showing: Showing | None = None
    exercise: str = ""
    timed: bool = True


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back so far.

    Attributes
    ----------
    text : as typed; "" for an answer given aloud
    said : whether the answer was given; the points may still be open
    points : numbers of the points that it held, from 1; for "level" the level alone
    grade : of a quiz question
    passed, total, attempts : of checks of an exercise, the best of them
    hints : how many the interviewer gave
    looked : numbers of the hints that were opened beside the interview, in a notebook
    solution : "before" or "after" the code was done, when our solution was opened there; "" for never
    done : whether the interviewer goes on
    late : given when the time was over; it counts for nothing
    """

    text: str = ""
    said: bool = False
    points: tuple[int, ...] = ()
    grade: str = ""
    passed: int = 0
    total: int = 0
    attempts: int = 0
    hints: int = 0
    looked: tuple[int, ...] = ()
    solution: str = ""
    done: bool = False
    late: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values, without those that say nothing."""
        return {key: list(value) if type(value) is tuple else value for key, value in asdict(self).items() if value}

    @property
    def hints_had(self) -> int:
        """How many different hints were read, wherever."""
        return len({*range(1, self.hints + 1), *self.looked})


def read_reply(values: Any) -> Reply:
    """A reply from plain values.

    Raises
    ------
    ValueError
        They have another form.
    """
    if not isinstance(values, dict):
        raise ValueError("a reply should be an object")
    empty, known = Reply(), {entry.name for entry in fields(Reply)}
    kept: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in values.items() if key in known
    }
    for key, value in kept.items():
        if type(value) is not type(getattr(empty, key)):
            raise ValueError(f"a reply has {key} = {value!r}")
    numbers = (*kept.get("points", ()), *kept.get("looked", ()))
    if any(type(number) is not int or number < 0 for number in numbers):
        raise ValueError("points and hints should be numbers")
    return Reply(**kept)


Replies = Mapping[str, Reply]


@dataclass(frozen=True, slots=True)
class Shelved:
    """One of the learner's stories as it stood when the interview began.

    `topics` are those of the plan that it counts for, such as "question/a-time-you-failed" and "principle/ownership".
    """

    name: str
    title: str
    topics: tuple[str, ...]
    complete: bool


def read_shelved(values: Any) -> Shelved:
    """A story from plain values.

    Raises
    ------
    ValueError
        They have another form.
    """
    match values:
        case {"name": str(name), "title": str(title), "topics": list(topics), "complete": bool(complete)}:
            return Shelved(name, title, tuple(map(str, topics)), complete)
    raise ValueError("a story should have a name, a title, topics, and be complete or not")


@dataclass(frozen=True, slots=True)
class Setup:
    """What an interview was drawn to be about: ids of questions, exercises or a drill; all else follows from it.

    `stories` are the learner's, for a round that asks for them.
    """

    about: tuple[str, ...]
    seed: int
    minutes: int
    stories: tuple[Shelved, ...] = ()

    def rng(self, *place: int) -> np.random.Generator:
        """The same numbers at every call for the same place, also after a restart."""
        return np.random.default_rng([self.seed, *place])


@dataclass(frozen=True, slots=True)
class Wish:
    """From what a new interview is drawn.

    `recent` holds what the last ones of this round were about, the latest first; `known` is the chance of recall by
    question id.
    """

    rng: np.random.Generator
    progress: Progress
    minutes: int
    recent: tuple[str, ...] = ()
    known: Mapping[str, float] = field(default_factory=dict)


Script = Callable[[Setup, Replies], Iterator[Prompt]]


def value(prompt: Prompt, reply: Reply) -> dict[str, float]:
    """Criterion -> 0..1 that this answer shows; empty where it is evidence for none."""
    if prompt.point_shows:
        held: dict[str, list[float]] = {}
        for number, criterion in enumerate(prompt.point_shows, 1):
            held.setdefault(criterion, []).append(float(number in reply.points and not reply.late))
        return {criterion: sum(marks) / len(marks) for criterion, marks in held.items() if criterion}
    if not prompt.shows:
        return {}
    return {prompt.shows: 0.0 if reply.late else _value(prompt, reply)}


def _value(prompt: Prompt, reply: Reply) -> float:
    if prompt.kind == "question":
        return {"right": 1.0, "partly": 0.5}.get(reply.grade, 0.0)
    if prompt.kind == "code":
        if not reply.total or reply.solution == "before":
            return 0.0
        return 1.0 if reply.passed == reply.total else UNFINISHED_CODE * reply.passed / reply.total
    if prompt.kind == "level":
        return (reply.points[0] if reply.points else 0) / LEVELS
    return len(reply.points) / len(prompt.points) if prompt.points else float(reply.done)


def numbers_of(text: str, count: int) -> tuple[int, ...]:
    """The numbers 1..count that a line such as "1 3", "all" or "none" names; of a single one, y and n.

    Raises
    ------
    InvalidInput
        The line names something else.

    Examples
    --------
    >>> numbers_of("3, 1", 4), numbers_of("all", 2), numbers_of("none", 2)
    ((1, 3), (1, 2), ())
    """
    words = text.lower().replace(",", " ").split()
    if words == ["all"] or (count == 1 and words in (["y"], ["yes"])):
        return tuple(range(1, count + 1))
    if words == ["none"] or (count == 1 and words in (["n"], ["no"])):
        return ()
    if not words or not all(word.isdecimal() and 1 <= int(word) <= count for word in words):
        raise InvalidInput(f"{text.strip()!r}: name numbers from 1 to {count}, or all, or none")
    return tuple(sorted({int(word) for word in words}))
