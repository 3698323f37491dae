"""One showing of a question: its numbers drawn, its options in an order of their own, and the mark of an answer."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.drills.arithmetic import words
from fraudkit.workbook.quiz.question import NAME, Choice, Free, Numeric, Option, Question

LETTERS = "abcde"
NUMBER = re.compile(r"([-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:e[-+]?\d+)?)\s*(%)?", re.IGNORECASE)
FRACTION = re.compile(r"([-+]?\d+(?:\.\d+)?)\s*/\s*(\d+(?:\.\d+)?)")

Grade = Literal["right", "partly", "wrong"]
PARTLY = 0.5  # share of a free answer's points from which it is partly right


@dataclass(frozen=True, slots=True)
class Marked:
    """An answer with its mark.

    `why` is what is wrong with it: an option's refutation, or how far off a number is; "" when right.
    """

    grade: Grade
    right_answer: str
    why: str = ""


class Showing:
    """A question as it is put this time.

    Parameters
    ----------
    question : one of the bank
    rng : draws the numbers and the order of the options; the same state gives the same showing
    """

    def __init__(self, question: Question, rng: np.random.Generator) -> None:
        self.question = question
        self.numbers: dict[str, float] = {}
        self.options: tuple[Option, ...] = ()
        if isinstance(question, Numeric):
            self.numbers = {name: d.value(int(rng.integers(d.count))) for name, d in question.numbers.items()}
        elif isinstance(question, Choice):
            self.options = tuple(question.options[place] for place in rng.permutation(len(question.options)))

    @property
    def ask(self) -> str:
        """The question with its numbers."""
        return self._filled(self.question.ask)

    @property
    def explain(self) -> str:
        """The explanation with its numbers and the answer."""
        return self._filled(self.question.explain)

    @property
    def right_answer(self) -> str:
        """What is right, as one line."""
        question = self.question
        if isinstance(question, Numeric):
            return words(question.answer(self.numbers), question.unit)
        if isinstance(question, Free):
            return question.model
        place = next(i for i, option in enumerate(self.options) if option.right)
        return f"{LETTERS[place]}) {self.options[place].text}"

    def mark(self, answer: str) -> Marked:
        """Mark an answer: a letter, a number, or the numbers of the points that a free answer held.

        Raises
        ------
        InvalidInput
            It is none of these.
        """
        if isinstance(self.question, Numeric):
            return self._mark_number(self.question, answer)
        if isinstance(self.question, Free):
            return self._mark_points(self.question, answer)
        return self._mark_letter(answer)

    def _mark_letter(self, answer: str) -> Marked:
        letter = answer.strip().lower().rstrip(").")
        known = LETTERS[: len(self.options)]
        if len(letter) != 1 or letter not in known:
            raise InvalidInput(f"{answer.strip()!r} is none of the options; answer with one of {', '.join(known)}")
        chosen = self.options[known.index(letter)]
        return Marked("right" if chosen.right else "wrong", self.right_answer, chosen.refutes)

    def _mark_number(self, question: Numeric, answer: str) -> Marked:
        given, right = number(answer), question.answer(self.numbers)
        if question.unit == "%" and "%" in answer:
            given *= 100
        off = abs(given - right)
        if off <= question.tolerance * abs(right) + 1e-12:
            return Marked("right", self.right_answer)
        why = f"{words(given)} is {off / abs(right):.0%} off" if right else f"{words(given)} is not 0"
        if right and math.isclose(given, right * 100, rel_tol=question.tolerance):
            why = "that is a hundred times too large: a share or a percentage?"
        elif right and math.isclose(given * 100, right, rel_tol=question.tolerance):
            why = "that is a hundred times too small: a share or a percentage?"
        elif right and math.isclose(given, -right, rel_tol=question.tolerance):
            why = "the size is right, the sign is not"
        return Marked("wrong", self.right_answer, why)

    def _mark_points(self, question: Free, answer: str) -> Marked:
        text, count = answer.strip().lower(), len(question.points)
        named = set(range(1, count + 1)) if text == "all" else {int(n) for n in re.findall(r"\d+", text)}
        if (not named and text not in ("none", "")) or not named <= set(range(1, count + 1)):
            raise InvalidInput(f"{answer.strip()!r}: name the points your answer held, 1 to {count}, or all, or none")
        share = len(named) / count
        missing = [point for place, point in enumerate(question.points, 1) if place not in named]
        grade: Grade = "right" if share == 1 else "partly" if share >= PARTLY else "wrong"
        return Marked(grade, question.model, "Not said: " + "; ".join(missing) if missing else "")

    def _filled(self, text: str) -> str:
        """Text with `{name}` replaced; `{answer}` by the right answer."""
        question = self.question
        if not isinstance(question, Numeric):
            return text
        said = {name: f"{value:,.12g}" for name, value in self.numbers.items()} | {"answer": self.right_answer}
        return NAME.sub(lambda found: said[found[1]], text)


def number(answer: str) -> float:
    """A number as people write one: 0.21, 21%, 1,234, 3/4, 2e-3; a percentage as a share.

    Raises
    ------
    InvalidInput
        There is no number, or more than one.

    Examples
    --------
    >>> number("21 %"), number("3/4"), number("1,234.5")
    (0.21, 0.75, 1234.5)
    """
    text = answer.strip().replace("\u2212", "-")
    if (found := FRACTION.fullmatch(text)) and float(found[2]):
        return float(found[1]) / float(found[2])
    parts = NUMBER.findall(text)
    if len(parts) != 1:
        raise InvalidInput(f"{answer.strip()!r} is no number; write it as 0.21, 21% or 3/4")
    value = float(parts[0][0].replace(",", ""))
    if not math.isfinite(value):
        raise InvalidInput(f"{answer.strip()!r} is no finite number")
    return value / 100 if parts[0][1] else value
