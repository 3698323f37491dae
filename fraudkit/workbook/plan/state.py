"""What of the plan is done: by evidence that the workbook recorded, or by a tick.

Ticks are those of the checklist `plan` in the progress file. A kind of evidence that has no counter
here is not recorded yet and counts for nothing, so that its items wait for a tick.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.mock.record import drills_held, mocks_held, times_asked
from fraudkit.workbook.plan.items import Evidence, Item, Plan, Week
from fraudkit.workbook.progress import Progress, ProgressFile
from fraudkit.workbook.stories.record import stories_written

CHECKLIST = "plan"

Done = Literal["shown", "ticked", "open"]
Counter = Callable[[Progress, Evidence], int]


def passed_exercises(progress: Progress, evidence: Evidence) -> int:
    """How many of the evidence's exercises have passed."""
    return sum(progress.record(exercise_id).passed for exercise_id in evidence.ids)


def known_questions(progress: Progress, evidence: Evidence) -> int:
    """How many quiz questions of the evidence's item were right at their last showing; of any item for "any".

    It reads the grades alone: the plan asks a hundred times, and does not need the scheduler for it.
    """
    cards = progress.quiz.get("cards")
    known = cards if isinstance(cards, dict) else {}
    asked = questions_of(evidence.topic)
    return sum(isinstance(card := known.get(name), dict) and card.get("last") == "right" for name in asked)


@cache
def questions_of(item_id: str) -> tuple[str, ...]:
    """The ids of the bank's questions on an item of the plan; all of them for "any"."""
    from fraudkit.workbook.quiz.bank import read_bank  # late: reading it takes longer than all the rest here

    return tuple(q.id for topic in read_bank() for q in topic.questions if item_id in (q.item, "any"))


# kind of evidence -> how much of it a progress holds
COUNTERS: Mapping[str, Counter] = {
    "exercise": passed_exercises,
    "quiz": known_questions,
    "mock": mocks_held,
    "asked": times_asked,
    "drill": drills_held,
    "story": stories_written,
}


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many items."""

    done: int
    of: int

    @property
    def value(self) -> float:
        """0..1; 0 where there is nothing to do."""
        return self.done / self.of if self.of else 0.0


class PlanState:
    """A plan beside one learner's progress.

    Parameters
    ----------
    plan : its items
    progress : what is done
    counters : for each kind of evidence that is recorded, how much of it a progress holds
    """

    def __init__(self, plan: Plan, progress: Progress, counters: Mapping[str, Counter] = COUNTERS) -> None:
        self.plan = plan
        self.progress = progress
        self.counters = counters
        self._ticked = progress.ticked(CHECKLIST)
        self._counts: dict[Evidence, int] = {}

    def done(self, item: Item) -> Done:
        """Whether an item is done, and how one knows; an item with children is what its weakest child is."""
        children = self.plan.children.get(item.id)
        if children:
            states = {self.done(child) for child in children}
            return "open" if "open" in states else "ticked" if "ticked" in states else "shown"
        if item.evidence and self.fraction(item) >= 1.0:
            return "shown"
        return "ticked" if item.id in self._ticked else "open"

    def count(self, evidence: Evidence) -> int:
        """How much there is of a line of evidence; 0 where nothing records its kind."""
        if evidence not in self._counts:
            counter = self.counters.get(evidence.kind)
            self._counts[evidence] = counter(self.progress, evidence) if counter is not None else 0
        return self._counts[evidence]

    def fraction(self, item: Item) -> float:
        """How far an item's evidence has come, 0..1: by its best line, or by all of them where it takes them all."""
        parts = [min(self.count(evidence) / evidence.need, 1.0) for evidence in item.evidence] or [0.0]
        return sum(parts) / len(parts) if item.every else max(parts)

    def share(self, week_id: str | None = None, area: str | None = None) -> Share:
        """Of the leaves of a week and an area, or of all of them, how many are done."""
        leaves = [i for i in self.plan.leaves if week_id in (None, i.week) and area in (None, i.area)]
        return Share(sum(self.done(item) != "open" for item in leaves), len(leaves))

    def week(self, week: Week) -> Done:
        """Whether a whole row of the tracker is done."""
        states = {self.done(item) for item in self.plan.leaves if item.week == week.id}
        return "open" if "open" in states else "ticked" if "ticked" in states else "shown"

    def open_items(self) -> list[Item]:
        """The leaves that are still to be done, in order."""
        return [item for item in self.plan.leaves if self.done(item) == "open"]

    def tracker(self) -> list[tuple[str, str, str, str]]:
        """The specification's progress tracker: week, focus area, status, notes."""
        rows = []
        for week in self.plan.weeks:
            share = self.share(week.id)
            hours = sum(item.minutes for item in self.open_items() if item.week == week.id) / 60
            note = f"{share.done} of {share.of} done" + (f", {hours:.0f} h left" if hours else "")
            rows.append((week.id, week.focus, "[x]" if self.week(week) != "open" else "[ ]", note))
        return rows


def tick(
    plan: Plan, item_ids: Collection[str], file: ProgressFile | None = None, ticked: bool = True
) -> frozenset[str]:
    """Tick items of the plan, or take ticks back; gives all that is ticked now.

    Raises
    ------
    InvalidInput
        The plan has no such item, or it has children and is done when they are. Nothing is ticked then.
    """
    for item_id in item_ids:
        item = plan.item(item_id)
        if item.id in plan.children:
            below = ", ".join(child.id for child in plan.children[item.id])
            raise InvalidInput(f"{item_id} is done when what stands below it is: tick {below}")
    file = file or ProgressFile()
    now = file.read().ticked(CHECKLIST)
    for item_id in item_ids:
        now = file.tick(CHECKLIST, item_id, ticked)
    return now
