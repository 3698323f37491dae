"""`fraudkit today`: what to do now, on one screen, each with the line to type."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import typer

from fraudkit.core.console import output
from fraudkit.workbook.mock.record import history
from fraudkit.workbook.mock.rounds import next_round
from fraudkit.workbook.plan.dates import DAY, HOURS, WEEKS, Terms, calendar, local_day, read_terms
from fraudkit.workbook.plan.items import Item, read_plan
from fraudkit.workbook.plan.state import PlanState
from fraudkit.workbook.plan.ways import way_to
from fraudkit.workbook.progress import Progress, ProgressFile
from fraudkit.workbook.quiz.memory import memories
from fraudkit.workbook.stories.look import look

SHOWN = 5  # of the late items, and of today's


@dataclass(frozen=True)
class Today:
    """A learner's day.

    Attributes
    ----------
    late, planned : open items: due before today; planned for today, or for the next day that has something
    due_questions : of the quiz, whose time has come
    next_mock : round of the next of the specification's seven mocks, "" when all were held
    streak : days in a row, up to today or yesterday, on which something was done
    """

    day: date
    is_set: bool
    late: tuple[Item, ...]
    planned_for: date | None
    planned: tuple[tuple[Item, float], ...]
    due_questions: int
    next_mock: str
    streak: int


def look_at_today(file: ProgressFile) -> tuple[Today, PlanState]:
    """What the plan, the quiz and the mocks ask for today."""
    look(file)
    progress, day = file.read(), local_day(file.clock)
    state, terms = PlanState(read_plan(), progress), read_terms(progress)
    made = calendar(state, terms or Terms(day, WEEKS, HOURS), day)
    first = made.next_day
    planned = tuple((entry.item, entry.minutes) for entry in made.on(first)) if first else ()
    now = file.moment()
    held = [one.round for one in history(progress) if one.marks]
    today = Today(
        day=day,
        is_set=terms is not None,
        late=made.late,
        planned_for=first,
        planned=planned,
        due_questions=sum(memory.due <= now for memory in memories(progress).values()),
        next_mock=next_round(held),
        streak=streak(active_days(progress), day),
    )
    return today, state


def active_days(progress: Progress) -> set[date]:
    """Local days on which an exercise, a question, a mock or a tick was done."""
    moments: list[Any] = [record.last_touched_at for record in progress.exercises.values()]
    answers = progress.quiz.get("answers")
    moments += [answer[0] for answer in (answers if isinstance(answers, list) else []) if isinstance(answer, list)]
    moments += [held.ended_at for held in history(progress)]
    for kept in progress.checklists.values():
        ticked = kept.get("ticked") if isinstance(kept, dict) else None
        moments += list(ticked.values()) if isinstance(ticked, dict) else []
    return set(_days(moments))


def _days(moments: Iterable[Any]) -> Iterable[date]:
    for moment in moments:
        try:
            yield datetime.fromisoformat(str(moment)).astimezone().date()
        except ValueError:
            continue


def streak(days: set[date], day: date) -> int:
    """How many days in a row, ending today or, where nothing was done yet today, yesterday."""
    last = day if day in days else day - DAY
    count = 0
    while last - count * DAY in days:
        count += 1
    return count


def today_command(as_json: bool = typer.Option(False, "--json", help="Print JSON.")) -> None:
    """What to do today: late items, today's, questions that are due, the next mock."""
    today, state = look_at_today(ProgressFile())
    if as_json:
        typer.echo(json.dumps(facts(today, state), indent=2))
    else:
        draw(today, state)


def facts(today: Today, state: PlanState) -> dict[str, Any]:
    """The day in plain values."""
    return {
        "day": str(today.day),
        "plan_set": today.is_set,
        "late": [{"id": item.id, "text": item.text, "command": way_to(item, state).command} for item in today.late],
        "planned_for": today.planned_for and str(today.planned_for),
        "planned": [
            {"id": item.id, "text": item.text, "minutes": round(minutes), "command": way_to(item, state).command}
            for item, minutes in today.planned
        ],
        "due_questions": today.due_questions,
        "next_mock": today.next_mock,
        "streak": today.streak,
    }


def draw(today: Today, state: PlanState) -> None:
    """Print the day."""
    share = state.share()
    output.rule(f"{today.day} · {share.done} of {share.of} done · {today.streak} days in a row")
    if not today.is_set:
        output.print("your plan has no start yet: fraudkit plan --start today --weeks 12 --hours 18", markup=False)
    for item in today.late[:SHOWN]:
        _line("late", item.text, way_to(item, state).command)
    if len(today.late) > SHOWN:
        _line("late", f"and {len(today.late) - SHOWN} more", "fraudkit plan")
    when = "today" if today.planned_for in (today.day, None) else str(today.planned_for)
    for item, minutes in today.planned[:SHOWN]:
        _line(when, f"{item.text}, {minutes:.0f} min", way_to(item, state).command)
    if today.due_questions:
        _line("due", f"{today.due_questions} questions come back", "fraudkit quiz")
    if today.next_mock:
        _line("next", f"the next mock interview: {today.next_mock}", f"fraudkit mock {today.next_mock}")


def _line(when: str, what: str, command: str) -> None:
    """What to do, and below it the line to type: whole, so that it can be copied in a narrow terminal too."""
    output.print(f"{when:<10} {what}", markup=False)
    output.print(f"{'':<10} {command}", markup=False, soft_wrap=True, style="cyan")
