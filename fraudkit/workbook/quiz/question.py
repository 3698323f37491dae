"""A theory question as data: what it asks, what is right, why wrong options are wrong, where it is from.

Knows nothing of learners, of screens, or of when a question comes back.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from fraudkit.workbook.drills.arithmetic import compute

ID = r"^[a-z0-9]+(-[a-z0-9]+)*$"
NAME = re.compile(r"\{([a-z][a-z0-9_]*)\}")
LINK = r"^(chapter:\d\d|exercise:\w+)$"

Text = Annotated[str, Field(min_length=1)]
Level = Literal[1, 2, 3]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Option(_Strict):
    """One answer to choose: the right one, or a misconception with its refutation."""

    text: Text
    right: bool = False
    refutes: str = ""

    @model_validator(mode="after")
    def _says_why(self) -> Option:
        if self.right == bool(self.refutes):
            raise ValueError(f"option {self.text!r}: a wrong one needs `refutes`, the right one has none")
        return self


class Drawn(_Strict):
    """A number drawn afresh at each showing: `low`, `low + step`, … up to `high`."""

    low: float
    high: float
    step: float = Field(gt=0)

    @property
    def count(self) -> int:
        """How many values it can take."""
        return int((self.high - self.low) / self.step + 1e-9) + 1

    def value(self, place: int) -> float:
        """The value at a place, 0 <= place < count, without the last digits of a running sum."""
        return round(self.low + place * self.step, 12)


class _Question(_Strict):
    id: Annotated[str, Field(pattern=ID)]
    item: Text  # the item of the plan for which it counts
    level: Level
    ask: Text
    explain: Text
    source: Text  # author, title and chapter, or paper and year
    link: Annotated[str, Field(pattern=LINK)]
    snippet: str = ""  # Python that shows the answer by computing; it asserts, and a test runs it


class Choice(_Question):
    """One right option among three to five; with `code` or `plot`, the question is what that shows.

    `code` is Python that is shown and not run; `plot` names a picture of `quiz.plots`.
    """

    kind: Literal["choice", "reading"]
    options: Annotated[tuple[Option, ...], Field(min_length=3, max_length=5)]
    code: str = ""
    plot: str = ""

    @model_validator(mode="after")
    def _one_is_right(self) -> Choice:
        if sum(option.right for option in self.options) != 1:
            raise ValueError(f"{self.id}: exactly one option is right")
        if len({option.text.lower() for option in self.options}) < len(self.options):
            raise ValueError(f"{self.id}: two options are the same")
        if (self.kind == "reading") != (bool(self.code) != bool(self.plot)):
            raise ValueError(f"{self.id}: a reading question shows either code or a plot, and no other does")
        return self


class Numeric(_Question):
    """A number to be computed; `{name}` in `ask` and `explain` stands for a drawn number, `{answer}` for the result.

    `formula` gives the answer from the names (see `drills.arithmetic`); `tolerance` is relative.
    `recompute` is Python that defines `answer` by another way, a function of the same names; a test compares.
    """

    kind: Literal["numeric"]
    numbers: Annotated[dict[str, Drawn], Field(min_length=1)]
    formula: Text
    unit: str = ""
    tolerance: Annotated[float, Field(gt=0, le=0.1)]
    recompute: Text

    @model_validator(mode="after")
    def _names_fit(self) -> Numeric:
        unknown = set(NAME.findall(self.ask + self.explain)) - set(self.numbers) - {"answer"}
        unused = [name for name in self.numbers if f"{{{name}}}" not in self.ask]
        if unknown or unused or "{answer}" in self.ask:
            raise ValueError(f"{self.id}: unknown names {sorted(unknown)}, not told in the question {unused}")
        if sum(drawn.count > 1 for drawn in self.numbers.values()) == 0:
            raise ValueError(f"{self.id}: no number changes from showing to showing")
        for place in (0, -1):
            self.answer({name: drawn.value(place % drawn.count) for name, drawn in self.numbers.items()})
        return self

    def answer(self, numbers: dict[str, float]) -> float:
        """The right answer for these numbers.

        Raises
        ------
        InvalidInput
            The formula has no finite value there.
        """
        return compute(self.formula, numbers)


class Free(_Question):
    """An answer in one's own words, marked by the learner against `points`; `model` is a good answer."""

    kind: Literal["free"]
    points: Annotated[tuple[Text, ...], Field(min_length=3, max_length=6)]
    model: Text


Question = Choice | Numeric | Free
