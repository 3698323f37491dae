"""`fraudkit plan`: the plan on the learner's calendar, its exports, and its ticks."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import typer
from rich.table import Table

from fraudkit.core.console import console, output
from fraudkit.core.errors import InvalidInput
from fraudkit.core.files import replace_file
from fraudkit.workbook.plan.dates import (
    DAY,
    DAYS,
    HOURS,
    WEEKS,
    Calendar,
    Terms,
    calendar,
    keep_terms,
    local_day,
    parse_terms,
    read_terms,
)
from fraudkit.workbook.plan.items import read_plan
from fraudkit.workbook.plan.state import PlanState, tick
from fraudkit.workbook.plan.ways import way_to
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.stories.look import look

SHOWN_LATE = 8


def plan(
    start: str = typer.Option("", "--start", help="First day, as YYYY-MM-DD, or today."),
    weeks: int | None = typer.Option(None, "--weeks", help="How many weeks, 1 to 52."),
    hours: float | None = typer.Option(None, "--hours", help="Hours in each week, up to 80."),
    days: str = typer.Option("", "--days", help="Days of study, such as mon,tue,sat; every day by default."),
    done: list[str] = typer.Option([], "--done", help="Tick an item; may be given several times."),
    undo: list[str] = typer.Option([], "--undo", help="Take the tick of an item back."),
    everything: bool = typer.Option(False, "--all", help="Every item of every week, not the areas alone."),
    markdown: Path = typer.Option(None, "--markdown", help="Write the dated plan to this Markdown file."),
    ics: Path = typer.Option(None, "--ics", help="Write it to this calendar file."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Show the twelve-week plan on your calendar: what is done, what is late, what comes in which week."""
    file = ProgressFile()
    if done:
        tick(read_plan(), done, file)
    if undo:
        tick(read_plan(), undo, file, ticked=False)
    look(file)
    today = local_day(file.clock)
    if start or weeks is not None or hours is not None or days:
        keep_terms(file, changed_terms(terms_or_default(file, today), start, weeks, hours, days, today))
    state = PlanState(read_plan(), file.read())
    terms = terms_or_default(file, today)
    made = calendar(state, terms, today)
    if markdown is not None or ics is not None:
        write_exports(made, state, markdown, ics, file)
    elif as_json:
        typer.echo(json.dumps(facts(made, state, is_set(file)), indent=2))
    else:
        draw(made, state, is_set(file), everything)


def is_set(file: ProgressFile) -> bool:
    """Whether the learner has given a start."""
    return read_terms(file.read()) is not None


def terms_or_default(file: ProgressFile, today: date) -> Terms:
    """The learner's terms, or twelve weeks from today; says so when what was kept cannot be read."""
    progress = file.read()
    terms = read_terms(progress)
    if terms is None and progress.plan.get("terms") is not None:
        console.print("the plan's settings cannot be read; give --start again", style="yellow", markup=False)
    return terms or Terms(today, WEEKS, HOURS)


def changed_terms(old: Terms, start: str, weeks: int | None, hours: float | None, days: str, today: date) -> Terms:
    """The old terms with what was given.

    Raises
    ------
    InvalidInput
        A value is of another form or out of range.
    """
    values = old.as_dict()
    if start:
        values["start"] = today.isoformat() if start == "today" else _day(start).isoformat()
    if weeks is not None:
        values["weeks"] = weeks
    if hours is not None:
        values["hours"] = hours
    if days:
        values["days"] = [name.strip().lower()[:3] for name in days.split(",")]
        if unknown := [name for name in values["days"] if name not in DAYS]:
            raise InvalidInput(f"--days {days}: {unknown} is no day; give some of {','.join(DAYS)}")
    return parse_terms(values)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"--start {text} is no date; give YYYY-MM-DD, or today") from error


def write_exports(
    made: Calendar, state: PlanState, markdown: Path | None, ics: Path | None, file: ProgressFile
) -> None:
    """Write the files that were asked for.

    Raises
    ------
    InvalidInput
        One of them cannot be written.
    """
    from fraudkit.workbook.plan.export import as_ics, as_markdown

    texts = {
        markdown: lambda: as_markdown(made, state).encode(),
        ics: lambda: as_ics(made, state, file.moment()),
    }
    for path, text in texts.items():
        if path is None:
            continue
        try:
            replace_file(path.absolute(), text())
        except OSError as error:
            raise InvalidInput(f"{path} cannot be written ({error.strerror}); name another file") from error
        console.print(f"written to {path}", markup=False)


def facts(made: Calendar, state: PlanState, set_by_learner: bool) -> dict[str, Any]:
    """The plan in plain values."""
    span = made.span
    items = []
    for item in state.plan.leaves:
        first, last = span.get(item.id, (None, None))
        way = way_to(item, state)
        items.append(
            {
                "id": item.id,
                "week": item.week,
                "text": item.text,
                "minutes": item.minutes,
                "state": state.done(item),
                "due": str(made.due[item.id]) if item.id in made.due else None,
                "from": first and str(first),
                "until": last and str(last),
                "late": item in made.late,
                "command": way.command,
                "so_far": way.so_far,
            }
        )
    share = state.share()
    return {
        "terms": made.terms.as_dict() | {"end": str(made.terms.end), "set": set_by_learner},
        "today": str(made.today),
        "done": share.done,
        "of": share.of,
        "late": [item.id for item in made.late],
        "no_room": [item.id for item, _ in made.left_over],
        "items": items,
    }


def draw(made: Calendar, state: PlanState, set_by_learner: bool, everything: bool) -> None:
    """Print the tracker, what is late, and the weeks from now on."""
    terms = made.terms
    tracker = Table("week", "focus area", "status", "notes", title="Progress tracker", title_justify="left", box=None)
    for week, focus, status, note in state.tracker():
        tracker.add_row(week, focus, status.replace("[", r"\["), note)
    output.print(tracker)
    output.print()
    if made.late:
        output.print(f"late: {len(made.late)} items", style="bold")
        for item in made.late[:SHOWN_LATE]:
            output.print(f"  {item.text} (due {made.due.get(item.id, terms.end)}): {way_to(item, state).command}")
        output.print()
    output.print(weeks_table(made, everything))
    if made.left_over:
        missing = sum(minutes for _, minutes in made.left_over) / 60
        output.print(f"no room for {len(made.left_over)} items, {missing:.0f} h: more --weeks or --hours would make it")
    if not set_by_learner:
        output.print("these dates begin today and are not kept; keep yours by fraudkit plan --start YYYY-MM-DD")


def weeks_table(made: Calendar, everything: bool) -> Table:
    """A row for each week left and area of it, or for each item."""
    terms = made.terms
    title = f"{terms.start} to {terms.end}, {terms.weeks} weeks of {terms.hours:g} h"
    table = Table("week", "from", "what", "hours", title=title, title_justify="left", box=None)
    minutes: dict[tuple[int, str], float] = {}
    for entry in made.entries:
        what = f"{entry.item.text} ({entry.item.id})" if everything else entry.item.area
        key = (terms.week_of(entry.day), what)
        minutes[key] = minutes.get(key, 0.0) + entry.minutes
    before = 0
    for (week, what), total in minutes.items():
        first = terms.start + (week - 1) * 7 * DAY
        table.add_row(*(("", "") if week == before else (str(week), str(first))), what, f"{total / 60:.1f}")
        before = week
    return table
