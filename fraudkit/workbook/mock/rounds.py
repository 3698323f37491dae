"""The four rounds by name, with the specification's criteria, and its schedule of seven interviews."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.mock import behavioral, coding, design, theory
from fraudkit.workbook.mock.prompt import Replies, Script, Setup, Wish
from fraudkit.workbook.mock.record import TITLES, TOPICS
from fraudkit.workbook.mock.telling import story_evidence
from fraudkit.workbook.plan.scorecard import CRITERIA

MINUTES = range(5, 181)


@dataclass(frozen=True, slots=True)
class Round:
    """One kind of interview.

    Attributes
    ----------
    name : as it is typed; `topic` is the plan's name for it, `title` the scorecard's
    minutes : how long it takes where nothing else is asked for
    draw, demand : what a new one is about, drawn or by the learner's wish
    asks, reviews : the script during the time and after it
    evidence : what its scorecard is kept with beyond what all rounds have
    """

    name: str
    topic: str
    title: str
    minutes: int
    draw: Callable[[Wish], tuple[str, ...]]
    demand: Callable[[str], tuple[str, ...]]
    asks: Script
    reviews: Script
    evidence: Callable[[Setup, Replies], dict[str, Any]]

    @property
    def criteria(self) -> tuple[str, ...]:
        """What is marked at the end."""
        return CRITERIA[self.title]


def _nothing(setup: Setup, replies: Replies) -> dict[str, Any]:
    """No evidence of a round's own."""
    return {}


_MORE: Mapping[str, Callable[[Setup, Replies], dict[str, Any]]] = {"behavioral": story_evidence}
_SCRIPTS = (("coding", coding, 45), ("theory", theory, 45), ("design", design, 45), ("behavioral", behavioral, 40))
ROUNDS: Mapping[str, Round] = {
    name: Round(
        name, TOPICS.get(name, name), TITLES[name], minutes,
        made.draw, made.demand, made.asks, made.reviews, _MORE.get(name, _nothing),
    )
    for name, made, minutes in _SCRIPTS
}  # fmt: skip

# The specification's seven, each kind once before any comes again.
SCHEDULE = ("coding", "theory", "design", "behavioral", "coding", "theory", "design")


def find_round(name: str) -> Round:
    """The round of this name.

    Raises
    ------
    InvalidInput
        There is none.
    """
    if name not in ROUNDS:
        raise InvalidInput(f"there is no round {name!r}; there are {', '.join(ROUNDS)}")
    return ROUNDS[name]


def next_round(held: Sequence[str]) -> str:
    """Which of the seven comes next for somebody who held these rounds; "" when all are held.

    >>> next_round(["theory"]), next_round(["coding", "theory", "design", "behavioral"])
    ('coding', 'coding')
    """
    left = list(held)
    for name in SCHEDULE:
        if name in left:
            left.remove(name)
        else:
            return name
    return ""
