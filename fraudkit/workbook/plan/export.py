"""The dated plan as Markdown and as a calendar file (RFC 5545).

An event lasts whole days and names no time zone, so that it stays on its days wherever the calendar is opened.
"""

from __future__ import annotations

from datetime import datetime

from icalendar import Calendar as Ics
from icalendar import Event

from fraudkit.workbook.plan.dates import DAY, Calendar
from fraudkit.workbook.plan.state import PlanState
from fraudkit.workbook.plan.ways import way_to


def as_markdown(made: Calendar, state: PlanState) -> str:
    """The plan by week with boxes, what is late on top."""
    terms = made.terms
    share = state.share()
    lines = [
        "# Interview preparation plan",
        "",
        f"{terms.start} to {terms.end}, {terms.weeks} weeks of {terms.hours:g} h; as of {made.today}: "
        f"{share.done} of {share.of} done.",
    ]
    if made.late:
        lines += ["", "## Late", ""]
        lines += [f"- [ ] {item.text} (`{item.id}`), due {made.due.get(item.id, terms.end)}" for item in made.late]
    span = made.span
    by_week: dict[int, list[str]] = {}
    for item in state.plan.leaves:
        if (how := state.done(item)) != "open":
            day = made.due.get(item.id, terms.end)
            by_week.setdefault(terms.week_of(day), []).append(f"- [x] {item.text} (`{item.id}`), {how}")
        elif item.id in span:
            first, last = span[item.id]
            when = f"{first}" if first == last else f"{first} to {last}"
            by_week.setdefault(terms.week_of(first), []).append(f"- [ ] {item.text} (`{item.id}`), {when}")
    for week in sorted(by_week):
        first = terms.start + (week - 1) * 7 * DAY
        lines += ["", f"## Week {week} · {first} to {first + 6 * DAY}", "", *by_week[week]]
    if made.left_over:
        lines += ["", "## No room left", "", *(f"- [ ] {item.text} (`{item.id}`)" for item, _ in made.left_over)]
    return "\n".join(lines) + "\n"


def as_ics(made: Calendar, state: PlanState, written_at: datetime) -> bytes:
    """One all-day event for each open item, from its first to its last day; `written_at` is the time stamp, in UTC.

    The same item has the same UID in every export, so that a calendar replaces an event instead of doubling it.
    """
    ics = Ics()
    ics.add("prodid", "-//fraudkit//interview plan//EN")
    ics.add("version", "2.0")
    for item_id, (first, last) in made.span.items():
        item = state.plan.item(item_id)
        way = way_to(item, state)
        event = Event()
        event.add("uid", f"{item_id}@plan.fraudkit")
        event.add("dtstamp", written_at)
        event.add("dtstart", first)
        event.add("dtend", last + DAY)  # the day after the last one
        event.add("summary", item.text)
        event.add("description", f"{item.area}, about {item.minutes} minutes\n{way.command}")
        event.add("transp", "TRANSPARENT")
        ics.add_component(event)
    return bytes(ics.to_ical())
