"""The scorecard that one fills in after a mock interview, with the specification's own criteria."""

from __future__ import annotations

from collections.abc import Mapping

from fraudkit.core.errors import InvalidInput

TARGET = 4.0
LOWEST, HIGHEST = 1, 5
CRITERIA: Mapping[str, tuple[str, ...]] = {
    "Coding Interview": (
        "Problem understanding",
        "Solution correctness",
        "Code quality",
        "Communication",
        "Time management",
    ),
    "ML Theory Interview": ("Depth of knowledge", "Clarity of explanation", "Practical application"),
    "System Design Interview": (
        "Requirements gathering",
        "High-level design",
        "Deep dives",
        "Trade-off analysis",
        "Scalability considerations",
    ),
    "Behavioral Interview": ("STAR structure", "Impact demonstration", "Self-awareness", "Culture fit"),
}


def average(round_name: str, marks: Mapping[str, int]) -> float:
    """The mean mark of one round, 1..5.

    Parameters
    ----------
    round_name : a key of CRITERIA
    marks : for each criterion of that round a whole number 1..5

    Raises
    ------
    InvalidInput
        There is no such round, or a criterion is missing, unknown or out of range.

    Examples
    --------
    >>> theory = {"Depth of knowledge": 4, "Clarity of explanation": 5, "Practical application": 3}
    >>> average("ML Theory Interview", theory)
    4.0
    """
    if round_name not in CRITERIA:
        raise InvalidInput(f"there is no round {round_name!r}; there are {', '.join(CRITERIA)}")
    asked = set(CRITERIA[round_name])
    if marks.keys() != asked:
        raise InvalidInput(
            f"{round_name}: without a mark {sorted(asked - marks.keys())}, unknown {sorted(marks.keys() - asked)}"
        )
    wrong = {name: mark for name, mark in marks.items() if type(mark) is not int or not LOWEST <= mark <= HIGHEST}
    if wrong:
        raise InvalidInput(f"{round_name}: marks are whole numbers {LOWEST} to {HIGHEST}, not {wrong}")
    return sum(marks.values()) / len(marks)


def is_ready(averages: Mapping[str, float]) -> bool:
    """Whether every round has been rated and each is at TARGET or above."""
    return averages.keys() >= CRITERIA.keys() and all(value >= TARGET for value in averages.values())
