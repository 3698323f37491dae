"""A worked design as data: what the interviewer says, the seven steps of PROBLEM, how one is marked.

The designs stand in the TOML files beside this module, one a system. `{name}` in their prose stands
for a number of the file's own assumptions or capacity arithmetic, so that no number is written twice.
Knows nothing of how a design is shown.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.drills.arithmetic import compute, words
from fraudkit.workbook.tables import Kind, demand_keys, read_document

STEPS = {
    "P": "Problem definition",
    "R": "Requirements",
    "O": "Outline",
    "B": "Break down",
    "L": "List trade-offs",
    "E": "Edge cases and scaling",
    "M": "Monitoring and maintenance",
}
MINUTES = 45
POINTS = 2  # the most that a step can earn
NAME = re.compile(r"\{([a-z][a-z0-9_]*)\}")

TABLES: dict[str, dict[str, Kind]] = {
    "questions": {"ask": str, "answer": str},
    "assumptions": {"id": str, "says": str, "value": (int, float), "unit": str},
    "capacity": {"id": str, "says": str, "formula": str, "unit": str},
    "steps": {"letter": str, "minutes": int, "worked": str, "rubric": list},
    "follow_ups": {"topic": str, "step": str, "covered": str, "missed": str, "good": str},
    "mistakes": {"mistake": str, "instead": str},
}


@dataclass(frozen=True, slots=True)
class Question:
    """What to clarify, and what the interviewer answers."""

    ask: str
    answer: str


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its meaning; `formula` is "" for an assumption."""

    id: str
    says: str
    value: float
    unit: str
    formula: str = ""

    @property
    def words(self) -> str:
        """Value and unit, rounded to what one says."""
        return words(self.value, self.unit)


@dataclass(frozen=True, slots=True)
class Step:
    """One letter of PROBLEM: minutes of the 45, the worked text, and what earns 0, 1 and 2 points."""

    letter: str
    minutes: int
    worked: str
    rubric: tuple[str, str, str]

    @property
    def title(self) -> str:
        """The letter's name."""
        return STEPS[self.letter]


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What the interviewer asks next: one question if the topic was covered, another if it was not.

    `good` says what a good answer to either holds.
    """

    topic: str
    step: str
    covered: str
    missed: str
    good: str

    def ask(self, topics: Collection[str]) -> str:
        """The question for somebody who covered `topics`."""
        return self.covered if self.topic in topics else self.missed


@dataclass(frozen=True, slots=True)
class Mistake:
    """What candidates often do, and what to do instead."""

    mistake: str
    instead: str


@dataclass(frozen=True)
class Drill:
    """One system to design."""

    id: str
    title: str
    opening: str
    questions: tuple[Question, ...]
    assumptions: tuple[Quantity, ...]
    capacity: tuple[Quantity, ...]
    steps: tuple[Step, ...]
    follow_ups: tuple[FollowUp, ...]
    mistakes: tuple[Mistake, ...] = field(default=())

    def step(self, letter: str) -> Step:
        """The step of this letter.

        Raises
        ------
        InvalidInput
            PROBLEM has no such letter.
        """
        for step in self.steps:
            if step.letter == letter:
                return step
        raise InvalidInput(f"there is no step {letter!r}; the steps are {' '.join(STEPS)}")

    def number(self, quantity_id: str) -> float:
        """An assumption or a computed quantity by its id.

        Raises
        ------
        InvalidInput
            The design has none of this id.
        """
        for quantity in (*self.assumptions, *self.capacity):
            if quantity.id == quantity_id:
                return quantity.value
        raise InvalidInput(f"{self.id} has no quantity {quantity_id!r}")


@cache
def drill_ids() -> tuple[str, ...]:
    """The known systems, in alphabetical order."""
    folder = files("fraudkit.workbook") / "drills"
    return tuple(sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".toml")))


@cache
def read_drill(drill_id: str) -> Drill:
    """The design of this id.

    Raises
    ------
    InvalidInput
        There is none of this id, or its file has not the form of one.
    """
    if drill_id not in drill_ids():
        raise InvalidInput(f"there is no drill {drill_id!r}; there are {', '.join(drill_ids())}")
    text = (files("fraudkit.workbook") / "drills" / f"{drill_id}.toml").read_text(encoding="utf-8")
    return parse_drill(drill_id, text)


def parse_drill(drill_id: str, text: str) -> Drill:
    """A design from the text of its file.

    Raises
    ------
    InvalidInput
        The text is no TOML, a key is missing, unknown or of the wrong type, a formula has no value,
        prose names a number that is not there, or the steps are not the seven of PROBLEM in 45 minutes.
    """
    document = read_document(f"drill {drill_id}", text)
    demand_keys(f"drill {drill_id}", document, {"title": str, "opening": str} | dict.fromkeys(TABLES, list))
    for name, keys in TABLES.items():
        for number, table in enumerate(document[name], 1):
            demand_keys(f"drill {drill_id}, {name} {number}", table, keys, may_be_empty=("unit",))
    assumptions, capacity = _quantities(drill_id, document)
    said = {quantity.id: quantity.words for quantity in (*assumptions, *capacity)}
    document = _filled(drill_id, document, said)
    drill = Drill(
        drill_id,
        document["title"],
        document["opening"],
        tuple(Question(**table) for table in document["questions"]),
        assumptions,
        capacity,
        tuple(Step(**(table | {"rubric": tuple(table["rubric"])})) for table in document["steps"]),
        tuple(FollowUp(**table) for table in document["follow_ups"]),
        tuple(Mistake(**table) for table in document["mistakes"]),
    )
    _demand_sense(drill)
    return drill


def _quantities(drill_id: str, document: dict[str, Any]) -> tuple[tuple[Quantity, ...], tuple[Quantity, ...]]:
    """Assumptions as they stand and the capacity computed from them, each from what stands above it."""
    values: dict[str, float] = {}
    assumptions: list[Quantity] = []
    capacity: list[Quantity] = []
    for table in (*document["assumptions"], *document["capacity"]):
        if table["id"] in values:
            raise InvalidInput(f"drill {drill_id}: the quantity {table['id']} stands twice")
        formula = table.get("formula", "")
        value = compute(formula, values) if formula else float(table["value"])
        values[table["id"]] = value
        quantity = Quantity(table["id"], table["says"], value, table["unit"], formula)
        (capacity if formula else assumptions).append(quantity)
    return tuple(assumptions), tuple(capacity)


def _filled(drill_id: str, found: Any, said: dict[str, str]) -> Any:
    """The same structure with `{name}` replaced in every text."""
    if isinstance(found, dict):
        return {key: _filled(drill_id, value, said) for key, value in found.items()}
    if isinstance(found, list):
        return [_filled(drill_id, value, said) for value in found]
    if not isinstance(found, str):
        return found
    unknown = sorted(set(NAME.findall(found)) - said.keys())
    if unknown:
        raise InvalidInput(f"drill {drill_id}: prose names {unknown}, which the file does not compute")
    return NAME.sub(lambda name: said[name[1]], found)


def _demand_sense(drill: Drill) -> None:
    """Refuse steps that are not PROBLEM, minutes that do not add up, rubrics without three levels, stray topics."""
    letters = [step.letter for step in drill.steps]
    minutes = sum(step.minutes for step in drill.steps)
    if letters != list(STEPS) or minutes != MINUTES:
        raise InvalidInput(
            f"drill {drill.id}: steps {letters} in {minutes} minutes should be {list(STEPS)} in {MINUTES}"
        )
    short = [step.letter for step in drill.steps if len(step.rubric) != POINTS + 1]
    stray = [follow_up.topic for follow_up in drill.follow_ups if follow_up.step not in STEPS]
    if short or stray:
        raise InvalidInput(f"drill {drill.id}: rubrics of {short} need {POINTS + 1} levels; no step for {stray}")
