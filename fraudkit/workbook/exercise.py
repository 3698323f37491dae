"""What an exercise is: its cases, the oracle that knows the right answers, and the wrong answers by name.

Each exercise is declared in one file, `fraudkit/workbook/checks/ID.py`, as `EXERCISE`. Its question
and solution stand in `solutions/NN_topic.ipynb`. Nothing here runs a learner's code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fraudkit.core.errors import InvalidInput

CHECKS = Path(__file__).parent / "checks"

Difficulty = Literal["easy", "medium", "hard"]
WEEKS = ("1-2", "3-4", "5-6", "7-8", "9-10")  # those of the plan in which something is coded
POINTS: dict[Difficulty, int] = {"easy": 5, "medium": 10, "hard": 15}


@dataclass(frozen=True, slots=True)
class Step:
    """One method call on the learner's object: `object.method(*args)`."""

    method: str
    args: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One call of the learner's function, or one object made and used.

    Attributes
    ----------
    name : what the case holds, in a few words: "all scores equal"
    args, kwargs : handed to the function, or to the class where there are steps
    steps : method calls on the object, in order; the answer is the list of what they return, with
        None for a method that returns the object itself
    raises : name of the exception that is the right answer, such as "ValueError"
    why : one sentence for whom it fails: what the case is there to catch
    """

    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ()
    raises: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A wrong answer that people give, and the misconception behind it.

    Attributes
    ----------
    name : short and hyphenated: "ties-ordered"
    says : the misconception in one or two sentences, addressed to the learner
    swaps : (old, new) texts that turn the reference solution into the wrong answer; each old text
        must occur exactly once in it
    """

    name: str
    says: str
    swaps: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Growth:
    """How the running time may grow: the time at 4n over the time at n.

    Attributes
    ----------
    case : makes the case of size n
    n : the smaller size; the reference should need 2 to 20 ms there
    limit : greatest allowed ratio: 8 allows n log n and refuses n squared
    says : what a slow answer does and what to do instead
    """

    case: Callable[[np.random.Generator, int], Case]
    n: int
    says: str
    limit: float = 9.0


Agree = Callable[[Any, Any, Case], str]
Shrink = Callable[[Case], Iterable[Case]]


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise, as declared in its checks file.

    Attributes
    ----------
    id : name of the checks file and of the function or class that the learner writes, unless `function` says other
    title : a few words
    minutes, difficulty : honest, for somebody who knows the topic
    feeds : the chapter of the walk that uses it, such as "07"
    week : the weeks of the twelve-week plan to which it belongs, one of WEEKS
    hints : at least two, direction before formula
    cases : makes the cases, small ones first; the same generator state gives the same cases
    expect : the oracle: called with the case's arguments (and with steps=... when the case has
        steps), gives the right answer; never called for a case with `raises`
    agree : compares (got, expected, case); returns "" when right, otherwise the reason in words
    mutants : at least five named wrong answers
    accepted : at least two right answers written differently from the solution and from `expect`
    growth : how the running time may grow, where that is the point
    shrink : smaller cases of the same kind, all valid, the most radical first; `shrink.lists` and others make it
    plug : the seam of the running system where the learner's function fits, or ""
    preload : modules imported before the learner's code is locked in
    """

    id: str
    title: str
    minutes: int
    difficulty: Difficulty
    feeds: str
    week: str
    hints: tuple[str, ...]
    cases: Callable[[np.random.Generator], list[Case]]
    expect: Callable[..., Any]
    agree: Agree
    mutants: tuple[Mutant, ...]
    accepted: tuple[Callable[..., Any], ...]
    growth: Growth | None = None
    shrink: Shrink | None = None
    plug: str = ""
    preload: tuple[str, ...] = ("numpy",)
    function: str = ""

    @property
    def name(self) -> str:
        """The function or class the learner writes."""
        return self.function or self.id

    @property
    def points(self) -> int:
        """What it counts in a gradebook."""
        return POINTS[self.difficulty]


def exercise_ids() -> list[str]:
    """Every exercise that has a checks file, by name."""
    return sorted(path.stem for path in CHECKS.glob("[a-z]*.py"))


@cache
def exercise(exercise_id: str) -> Exercise:
    """The exercise of this id; imports its checks file only.

    Raises
    ------
    InvalidInput
        There is no such exercise.
    """
    if exercise_id not in exercise_ids():
        from difflib import get_close_matches

        near = get_close_matches(exercise_id, exercise_ids(), n=3, cutoff=0.3)
        raise InvalidInput(f"there is no exercise {exercise_id!r}; near it: {', '.join(near) or 'none'}")
    found: Exercise = import_module(f"fraudkit.workbook.checks.{exercise_id}").EXERCISE
    return found


def expected_answer(exercise: Exercise, case: Case) -> Any:
    """What the oracle says to one case."""
    kwargs = dict(case.kwargs)
    if case.steps:
        kwargs["steps"] = case.steps
    return exercise.expect(*case.args, **kwargs)
