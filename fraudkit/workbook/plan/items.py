"""The plan as it stands in plan.toml: weeks, items, and what would show that an item is done.

Knows nothing of a learner; `state` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.tables import demand_keys, read_document

KINDS = ("exercise", "drill", "quiz", "mock", "asked", "story")
WEEK_KEYS: Mapping[str, type] = {"id": str, "focus": str, "title": str}
NEEDED: Mapping[str, type] = {"id": str, "week": str, "area": str, "text": str}
OPTIONAL: Mapping[str, type] = {
    "parent": str,
    "company": str,
    "practice": bool,
    "minutes": int,
    "evidence": list,
    "every": bool,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One way to show that an item is done.

    Attributes
    ----------
    kind : one of KINDS
    ids : the exercises or drills that count; empty for the other kinds
    topic : "" for exercises and drills. What the quiz questions are about, the round of the mock interviews, the
        question that was asked in one; of a story what it is for, such as kind/failure or principle/ownership
    need : how many of them, at least 1
    """

    kind: str
    ids: tuple[str, ...]
    topic: str
    need: int


@dataclass(frozen=True, slots=True)
class Item:
    """One box. `parent` is the box it stands under, "" at the top; a box with children has no minutes of its own.

    One line of its evidence is enough, unless `every` says that it takes all of them.
    """

    id: str
    week: str
    area: str
    text: str
    parent: str = ""
    company: str = ""
    practice: bool = False
    minutes: int = 0
    evidence: tuple[Evidence, ...] = ()
    every: bool = False


@dataclass(frozen=True, slots=True)
class Week:
    """A row of the specification's progress tracker, such as 1-2 Foundations."""

    id: str
    focus: str
    title: str


@dataclass(frozen=True)
class Plan:
    """All weeks and items, in the specification's order."""

    weeks: tuple[Week, ...]
    items: tuple[Item, ...]

    @cached_property
    def children(self) -> dict[str, list[Item]]:
        """Item id -> the items below it, only for those that have some."""
        found: dict[str, list[Item]] = {}
        for item in self.items:
            if item.parent:
                found.setdefault(item.parent, []).append(item)
        return found

    @cached_property
    def leaves(self) -> tuple[Item, ...]:
        """The items that one does: those without children."""
        return tuple(item for item in self.items if item.id not in self.children)

    @property
    def minutes(self) -> int:
        """What the whole plan takes, by our estimates."""
        return sum(item.minutes for item in self.leaves)

    def areas(self, week_id: str) -> list[str]:
        """The areas of a week, in order."""
        return list(dict.fromkeys(item.area for item in self.items if item.week == week_id))

    def item(self, item_id: str) -> Item:
        """The item of this id.

        Raises
        ------
        InvalidInput
            The plan has none; the message names those that contain a word of it.
        """
        for item in self.items:
            if item.id == item_id:
                return item
        words = set(item_id.split("-"))
        near = [item.id for item in self.items if words & set(item.id.split("-"))][:5]
        raise InvalidInput(f"the plan has no item {item_id!r}; near it are {', '.join(near) or 'none'}")

    def shown_by(self, kind: str, name: str) -> list[Item]:
        """The items for which an exercise or drill of this id counts."""
        return [item for item in self.leaves if any(e.kind == kind and name in e.ids for e in item.evidence)]


@cache
def read_plan() -> Plan:
    """The plan of this package."""
    return parse_plan((files("fraudkit.workbook") / "plan" / "plan.toml").read_text(encoding="utf-8"))


def parse_plan(text: str) -> Plan:
    """A plan from the text of its file.

    Raises
    ------
    InvalidInput
        The text is no TOML, a key is missing, unknown or of the wrong type, or ids do not fit together.
    """
    document = read_document("the plan", text)
    demand_keys("the plan", document, {"weeks": list, "items": list})
    for number, table in enumerate(document["weeks"], 1):
        demand_keys(f"week {number}", table, WEEK_KEYS)
    weeks = tuple(Week(**table) for table in document["weeks"])
    plan = Plan(weeks, tuple(_item(number, table) for number, table in enumerate(document["items"], 1)))
    _demand_sense(plan)
    return plan


def _item(number: int, table: Any) -> Item:
    """One [[items]] table."""
    demand_keys(f"plan item {number}", table, NEEDED, OPTIONAL)
    where = f"plan item {table['id']}"
    evidence = tuple(_evidence(where, entry) for entry in table.get("evidence", []))
    return Item(**(table | {"evidence": evidence}))


def _evidence(where: str, table: Any) -> Evidence:
    """One line of evidence: ids for exercises and drills, a topic for quiz and mock."""
    demand_keys(f"{where}, evidence", table, {"kind": str}, {"ids": list, "topic": str, "need": int})
    ids, topic = tuple(table.get("ids", ())), table.get("topic", "")
    need = table.get("need", len(ids) or 1)
    by_id = table["kind"] in ("exercise", "drill")
    if table["kind"] not in KINDS or bool(ids) != by_id or bool(topic) == by_id:
        raise InvalidInput(f"{where}: evidence {table} should be one of {KINDS}, with ids or with a topic")
    if need < 1 or (by_id and need > len(ids)):
        raise InvalidInput(f"{where}: evidence needs {need} of {len(ids)}")
    return Evidence(table["kind"], ids, topic, need)


def _demand_sense(plan: Plan) -> None:
    """Refuse ids that stand twice, weeks and parents that are not there, and leaves without minutes."""
    ids = [item.id for item in plan.items]
    weeks = {week.id for week in plan.weeks}
    tops = {item.id: item for item in plan.items if not item.parent}
    wrong = sorted({name for name in ids if ids.count(name) > 1})
    wrong += [item.id for item in plan.items if item.week not in weeks]
    wrong += [item.id for item in plan.items if item.parent and item.parent not in tops]
    wrong += [item.id for item in plan.leaves if item.minutes <= 0]
    wrong += [name for name in plan.children if name in tops and (tops[name].minutes or tops[name].evidence)]
    if wrong or not ids:
        raise InvalidInput(f"plan items {wrong}: twice, or their week or parent is missing, or minutes stand wrongly")
