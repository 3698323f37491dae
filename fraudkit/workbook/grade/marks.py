"""What grading finds: a mark a task, a result a notebook, a sum a learner. Plain values, to and from JSON.

Knows nothing of how an answer was run or judged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

MarkStatus = Literal["pass", "fail", "timeout", "crash", "missing", "tampered"]
RunStatus = Literal["ran", "errors", "timeout", "died", "flooded", "corrupt", "missing"]

STATUS_WORDS: dict[str, str] = {
    "pass": "right",
    "fail": "not right yet",
    "timeout": "took too long",
    "crash": "ended the process",
    "missing": "no answer",
    "tampered": "tried what is not allowed",
}
RUN_WORDS: dict[str, str] = {
    "ran": "every cell ran",
    "errors": "some cells raised an error, which costs nothing by itself",
    "timeout": "the notebook took too long and was stopped",
    "died": "the kernel died",
    "flooded": "the notebook printed or wrote too much and was stopped",
    "corrupt": "the file is not a readable notebook",
    "missing": "not handed in",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One task of one learner.

    Attributes
    ----------
    exercise_id, title : the task
    status : how the answer did
    points, possible : earned, and what a right answer earns
    passed, total : cases
    case, why, words, misconception : what a failed answer may be told; never a hidden input or expected value
    """

    exercise_id: str
    title: str
    status: MarkStatus
    points: float
    possible: float
    passed: int = 0
    total: int = 0
    case: str = ""
    why: str = ""
    words: str = ""
    misconception: str = ""


@dataclass(frozen=True, slots=True)
class NotebookResult:
    """One notebook of one learner: how it ran, its marks, and the fingerprints of its answers.

    Attributes
    ----------
    file : name as handed in
    executed : path of the executed notebook below the report's folder, "" when there is none
    run, note : how the execution went, in one word and in a sentence
    seconds : of the execution, wall clock
    prints : exercise id -> fingerprints of the answer's structure
    """

    learner: str
    topic: str
    file: str
    run: RunStatus
    note: str = ""
    executed: str = ""
    seconds: float = 0.0
    marks: tuple[Mark, ...] = ()
    prints: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def points(self) -> float:
        """Points earned in this notebook."""
        return round(sum(mark.points for mark in self.marks), 2)

    @property
    def possible(self) -> float:
        """Points that could be earned in this notebook."""
        return sum(mark.possible for mark in self.marks)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> NotebookResult:
        """The result that `as_dict` described.

        Raises
        ------
        TypeError, ValueError, KeyError
            The content describes no result.
        """
        plain = dict(content)
        marks = tuple(Mark(**mark) for mark in plain.pop("marks"))
        prints = {str(name): tuple(int(value) for value in values) for name, values in plain.pop("prints").items()}
        return cls(**plain, marks=marks, prints=prints)


@dataclass(frozen=True, slots=True)
class LearnerResult:
    """All notebooks of one learner, in the order of the topics."""

    learner: str
    notebooks: tuple[NotebookResult, ...]
    notes: tuple[str, ...] = ()

    @property
    def marks(self) -> tuple[Mark, ...]:
        """Every mark, in the order of the topics."""
        return tuple(mark for notebook in self.notebooks for mark in notebook.marks)

    @property
    def points(self) -> float:
        """Points earned."""
        return round(sum(mark.points for mark in self.marks), 2)

    @property
    def possible(self) -> float:
        """Points that could be earned."""
        return sum(mark.possible for mark in self.marks)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two answers to one task that resemble each other.

    Attributes
    ----------
    score : 0..1, the weighted share of structure that both have
    evidence : weight of what they share, counting what is rare in the class; larger is more telling
    suspicious : whether both are high enough for somebody to look
    """

    exercise_id: str
    first: str
    second: str
    score: float
    evidence: float
    suspicious: bool


@dataclass(frozen=True, slots=True)
class GradeResult:
    """A graded class.

    Attributes
    ----------
    folder : where the report was written
    learners : in the order of their names
    pairs : answers that resemble each other, the most alike first
    ran, kept : notebooks executed now, and results kept from an earlier run
    seconds : wall clock
    problems : what an instructor should know: refused files, unreadable notebooks
    """

    folder: Path
    learners: tuple[LearnerResult, ...]
    pairs: tuple[Pair, ...]
    ran: int
    kept: int
    seconds: float
    problems: tuple[str, ...] = ()

    @property
    def full(self) -> bool:
        """Whether every task of every learner earned all its points."""
        return all(mark.points == mark.possible for learner in self.learners for mark in learner.marks)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; without fingerprints."""
        return {
            "folder": str(self.folder),
            "ran": self.ran,
            "kept": self.kept,
            "seconds": self.seconds,
            "learners": [
                {
                    "learner": learner.learner,
                    "points": learner.points,
                    "possible": learner.possible,
                    "notes": list(learner.notes),
                    "notebooks": [_without_prints(notebook) for notebook in learner.notebooks],
                }
                for learner in self.learners
            ],
            "pairs": [asdict(pair) for pair in self.pairs if pair.suspicious],
            "problems": list(self.problems),
        }


def _without_prints(notebook: NotebookResult) -> dict[str, Any]:
    return {name: value for name, value in notebook.as_dict().items() if name != "prints"}


def by_task(learners: Iterable[LearnerResult]) -> dict[str, list[Mark]]:
    """Exercise id -> the marks of all learners."""
    found: dict[str, list[Mark]] = {}
    for learner in learners:
        for mark in learner.marks:
            found.setdefault(mark.exercise_id, []).append(mark)
    return found
