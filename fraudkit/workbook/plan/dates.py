"""The plan on the calendar: which item on which days, what is late, what is for today.

Everything is a date of the learner's own calendar. There are no times in it, so neither a change of the clocks nor a
journey moves anything; only what "today" is comes from the clock and the machine's time zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from fraudkit.core.clock import Clock
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.plan.items import Item
from fraudkit.workbook.plan.schedule import check_room, fill
from fraudkit.workbook.plan.state import PlanState
from fraudkit.workbook.progress import Progress, ProgressFile

WEEKS, HOURS = 12, 18.0
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a learner gives to the plan.

    Attributes
    ----------
    start : its first day
    weeks, hours : how many weeks, 1..52, and how many hours in each, up to 80
    days : on which days of the week, 0 for Monday to 6; at least one
    """

    start: date
    weeks: int = WEEKS
    hours: float = HOURS
    days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)

    @property
    def end(self) -> date:
        """The last day."""
        return self.start + timedelta(weeks=self.weeks) - DAY

    def week_of(self, day: date) -> int:
        """The week of the plan, from 1, in which a day lies; 0 and below before it."""
        return (day - self.start).days // 7 + 1

    def study_days(self, first: date | None = None) -> list[date]:
        """The days on which something is planned, from `first` on."""
        first = max(first or self.start, self.start)
        every = (first + n * DAY for n in range((self.end - first).days + 1))
        return [day for day in every if day.weekday() in self.days]

    def as_dict(self) -> dict[str, Any]:
        """Plain values."""
        days = [DAYS[day] for day in self.days]
        return {"start": self.start.isoformat(), "weeks": self.weeks, "hours": self.hours, "days": days}


def parse_terms(values: dict[str, Any]) -> Terms:
    """Terms from plain values.

    Raises
    ------
    InvalidInput
        A value is missing, of another form or out of range.
    """
    try:
        start = date.fromisoformat(values["start"])
        weeks, hours = values["weeks"], float(values["hours"])
        days = tuple(sorted({DAYS.index(name) for name in values["days"]}))
        start + timedelta(weeks=53)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InvalidInput(f"the plan's settings {values} cannot be read ({error}); give --start YYYY-MM-DD") from error
    if type(weeks) is not int or not days:
        raise InvalidInput(f"the plan's settings {values} need whole weeks and at least one day of {', '.join(DAYS)}")
    check_room(weeks, hours)
    return Terms(start, weeks, hours, days)


def read_terms(progress: Progress) -> Terms | None:
    """The learner's terms; None where none are set, or what is there cannot be read."""
    try:
        return parse_terms(progress.plan["terms"]) if isinstance(progress.plan.get("terms"), dict) else None
    except InvalidInput:
        return None


def keep_terms(file: ProgressFile, terms: Terms) -> None:
    """Write the terms into the progress."""
    with file.change() as progress:
        progress.plan["terms"] = terms.as_dict()


def local_day(clock: Clock) -> date:
    """Today, in the time zone of this machine."""
    return datetime.fromtimestamp(clock.now_ms() / 1000).date()


@dataclass(frozen=True, slots=True)
class Entry:
    """So many minutes of an item on a day."""

    day: date
    item: Item
    minutes: float


@dataclass(frozen=True)
class Calendar:
    """The plan between its start and its end, as it looks today.

    Attributes
    ----------
    due : item id -> the day on which the plan as first made had it done; without those it had no room for
    late : what is open although it was due before today, in the plan's order
    entries : what is open, spread over the days from today on
    left_over : the open items, with their minutes, for which the days left have no room
    """

    terms: Terms
    today: date
    due: dict[str, date]
    late: tuple[Item, ...]
    entries: tuple[Entry, ...]
    left_over: tuple[tuple[Item, float], ...]

    def on(self, day: date) -> list[Entry]:
        """What is planned for a day."""
        return [entry for entry in self.entries if entry.day == day]

    @property
    def next_day(self) -> date | None:
        """Today if something is planned for it, otherwise the next day that has something."""
        return self.entries[0].day if self.entries else None

    @property
    def span(self) -> dict[str, tuple[date, date]]:
        """Item id -> its first and its last day from now on."""
        found: dict[str, tuple[date, date]] = {}
        for entry in self.entries:
            first, _ = found.get(entry.item.id, (entry.day, entry.day))
            found[entry.item.id] = (first, entry.day)
        return found


def lay_out(
    work: Sequence[tuple[Item, float]], days: Sequence[date], terms: Terms
) -> tuple[tuple[Entry, ...], tuple[tuple[Item, float], ...]]:
    """Spread items with their minutes over days, each with its share of a week's hours at most."""
    if not days:
        return (), tuple(work)
    room = terms.hours * 60 / len(terms.days)
    made = fill(work, len(days), min(room, sum(minutes for _, minutes in work) / len(days)))
    return tuple(Entry(days[slot.week - 1], slot.item, slot.minutes) for slot in made.slots), made.left_over


def calendar(state: PlanState, terms: Terms, today: date) -> Calendar:
    """The plan as it looks today: what is late, and what is open laid over the days left.

    What was begun takes only the rest of its minutes, by the share of its evidence that is there.
    """
    leaves = state.plan.leaves
    entries, beyond = lay_out([(item, float(item.minutes)) for item in leaves], terms.study_days(), terms)
    due = {entry.item.id: entry.day for entry in entries}
    for item, _ in beyond:  # no day saw it finished, so it is not late before the plan is over
        due.pop(item.id, None)
    pending = state.open_items()
    late = tuple(item for item in pending if due.get(item.id, terms.end) < today)
    work = [(item, item.minutes * (1 - state.fraction(item))) for item in pending]
    ahead, left_over = lay_out(work, terms.study_days(today), terms)
    return Calendar(terms, today, due, late, ahead, left_over)
