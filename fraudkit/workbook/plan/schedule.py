"""Spreads what is open over one's own number of weeks and hours, in the plan's order.

Knows nothing of days or calendars: a week is a number of hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.plan.items import Item


@dataclass(frozen=True, slots=True)
class Slot:
    """So many minutes of an item in a week, counted from 1."""

    week: int
    item: Item
    minutes: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is done in which week, and the minutes of each item that no week has room for."""

    slots: tuple[Slot, ...]
    left_over: tuple[tuple[Item, float], ...]

    @property
    def hours_missing(self) -> float:
        """How much longer the plan is than the time given."""
        return sum(minutes for _, minutes in self.left_over) / 60

    def week(self, number: int) -> list[Slot]:
        """The slots of one week."""
        return [slot for slot in self.slots if slot.week == number]


def spread(items: Sequence[Item], weeks: int, hours_a_week: float) -> Schedule:
    """Fill week after week with `items`; a long item goes on in the next week.

    With more time than the items need, each week is filled by the same smaller share, so that the
    last item ends with the last week instead of leaving the last weeks empty.

    Raises
    ------
    InvalidInput
        `weeks` is not in 1..52 or `hours_a_week` not in (0, 80].
    """
    check_room(weeks, hours_a_week)
    total = sum(item.minutes for item in items)
    return fill([(item, float(item.minutes)) for item in items], weeks, min(hours_a_week * 60, total / weeks))


def check_room(weeks: int, hours_a_week: float) -> None:
    """Refuse weeks and hours that no plan has.

    Raises
    ------
    InvalidInput
        `weeks` is not in 1..52 or `hours_a_week` not in (0, 80].
    """
    if not 1 <= weeks <= 52:
        raise InvalidInput(f"weeks is {weeks}; give 1 to 52")
    if not 0 < hours_a_week <= 80:
        raise InvalidInput(f"hours a week is {hours_a_week}; give a number above 0, at most 80")


def fill(work: Sequence[tuple[Item, float]], places: int, room: float) -> Schedule:
    """Fill place after place, each with at most `room` minutes, with items and the minutes they take.

    A place is whatever the caller counts: `week` of a slot is its number, from 1.
    """
    slots: list[Slot] = []
    left_over: list[tuple[Item, float]] = []
    place, free = 1, room
    for item, minutes in work:
        missing = minutes
        while missing > 1e-6:
            if free <= 1e-6:
                place, free = place + 1, room
            if place > places:
                left_over.append((item, missing))
                break
            taken = min(missing, free)
            slots.append(Slot(place, item, taken))
            missing, free = missing - taken, free - taken
    return Schedule(tuple(slots), tuple(left_over))
