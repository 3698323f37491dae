"""Interviews that were held, as they stand in the progress file under `mocks`, and what they count for in the plan.

The form of one entry of `history`: `{"id", "round", "about", "minutes", "started_at", "ended_at", "how", "used_s",
"marks", "suggested", "average", "evidence"}`, with `how` one of "finished", "time over" and "abandoned"; an abandoned
one has no marks. Entries of another form are passed over and kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.plan.items import Evidence, read_plan
from fraudkit.workbook.plan.scorecard import CRITERIA, average
from fraudkit.workbook.progress import Progress

KEPT = 500
TITLES = {
    "coding": "Coding Interview",
    "theory": "ML Theory Interview",
    "design": "System Design Interview",
    "behavioral": "Behavioral Interview",
}
TOPICS = {"design": "system design"}  # the plan's name of a round where it is another


@dataclass(frozen=True, slots=True)
class Held:
    """One interview that is over.

    Attributes
    ----------
    marks : for each criterion of its round 1..5; empty when it was abandoned
    suggested : what the evidence said, for the criteria for which there was some
    evidence : lines of words and numbers, by name
    """

    id: str
    round: str
    about: tuple[str, ...]
    minutes: int
    started_at: str
    ended_at: str
    how: str
    used_s: float
    marks: Mapping[str, int]
    suggested: Mapping[str, int]
    evidence: Mapping[str, Any]

    @property
    def average(self) -> float | None:
        """The mean mark 1..5, None for an abandoned one."""
        return average(TITLES[self.round], self.marks) if self.marks else None

    def as_dict(self) -> dict[str, Any]:
        """Plain values, as they stand in the file."""
        return asdict(self) | {"about": list(self.about), "average": self.average}


def history(progress: Progress) -> list[Held]:
    """The interviews held, the oldest first."""
    entries = progress.mocks.get("history")
    found = [_held(entry) for entry in (entries if isinstance(entries, list) else [])]
    return [held for held in found if held is not None]


def _held(entry: Any) -> Held | None:
    """One entry, None where it has another form."""
    try:
        values = {key: entry[key] for key in Held.__slots__}
        held = Held(**(values | {"about": tuple(map(str, values["about"])), "used_s": float(values["used_s"])}))
        texts = (held.id, held.round, held.started_at, held.ended_at, held.how)
        whole = all(isinstance(text, str) for text in texts) and held.round in TITLES and type(held.minutes) is int
        whole &= all(isinstance(room, dict) for room in (held.marks, held.suggested, held.evidence))
        if whole and held.marks:
            average(TITLES[held.round], held.marks)  # refuses marks that are none
            in_order = {criterion: held.marks[criterion] for criterion in CRITERIA[TITLES[held.round]]}
            return replace(held, marks=in_order)
        return held if whole else None
    except (KeyError, TypeError, ValueError, AttributeError, InvalidInput):
        return None


def add(progress: Progress, held: Held) -> None:
    """Put an interview at the end of the history, and take away what was running."""
    entries = progress.mocks.get("history")
    kept = entries if isinstance(entries, list) else []
    progress.mocks["history"] = [*kept, held.as_dict()][-KEPT:]
    progress.mocks.pop("current", None)


def mocks_held(progress: Progress, evidence: Evidence) -> int:
    """How many interviews of the evidence's topic were held to the scorecard."""
    return sum(bool(held.marks) and TOPICS.get(held.round, held.round) == evidence.topic for held in history(progress))


def times_asked(progress: Progress, evidence: Evidence) -> int:
    """How many behavioural interviews, held to the scorecard, asked the question that the evidence names."""
    return sum(
        bool(held.marks) and held.round == "behavioral" and evidence.topic in held.about for held in history(progress)
    )


def drills_held(progress: Progress, evidence: Evidence) -> int:
    """How many of the evidence's drills were held as a design round, or have their own box of the plan ticked."""
    done = {name for held in history(progress) if held.round == "design" and held.marks for name in held.about}
    ticked = progress.ticked("plan")
    for item in read_plan().leaves:
        if item.id in ticked:
            done |= {e.ids[0] for e in item.evidence if e.kind == "drill" and len(e.ids) == 1}
    return len(done & set(evidence.ids))
