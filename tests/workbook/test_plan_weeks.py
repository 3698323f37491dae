"""Twelve weeks of a learner in a zone whose clocks change, and what changed or wrong clocks do to plan, quiz and mocks.

The zone is the machine's, set by TZ, because that is where the plan takes its days from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from icalendar import Calendar as Ics

from fraudkit.core.clock import to_epoch_ms
from fraudkit.workbook.exercise import exercise_ids
from fraudkit.workbook.mock.interview import Interview
from fraudkit.workbook.mock.record import history
from fraudkit.workbook.mock.rounds import SCHEDULE
from fraudkit.workbook.plan.dates import DAY, Terms, calendar, keep_terms, local_day
from fraudkit.workbook.plan.export import as_ics
from fraudkit.workbook.plan.items import read_plan
from fraudkit.workbook.plan.state import PlanState
from fraudkit.workbook.plan.today import active_days, look_at_today
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.quiz.bank import read_bank
from fraudkit.workbook.quiz.memory import memories, remember
from fraudkit.workbook.readiness import LATEST, gather
from fraudkit.workbook.readiness_page import as_html
from tests.workbook.mock_helpers import Watch, go_on

BERLIN, NEW_YORK = "Europe/Berlin", "America/New_York"
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
# zone, the evening before its clocks change, what the change adds to the local time
CHANGES = [
    (BERLIN, date(2026, 3, 28), HOUR),
    (BERLIN, date(2026, 10, 24), -HOUR),
    (NEW_YORK, date(2026, 3, 7), HOUR),
    (NEW_YORK, date(2026, 10, 31), -HOUR),
]
PLAN = read_plan()
BANK = [question.id for topic in read_bank() for question in topic.questions]


class Clock:
    """Set by hand; `set` takes what a wall clock in its zone shows."""

    def __init__(self, zone: str, day: date, hour: int = 12, minute: int = 0) -> None:
        self.zone = ZoneInfo(zone)
        self.set(day, hour, minute)

    def set(self, day: date, hour: int, minute: int = 0) -> None:
        self.now = datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone).astimezone(UTC)

    @property
    def shown(self) -> datetime:
        """What a wall clock shows."""
        return self.now.astimezone(self.zone).replace(tzinfo=None)

    def now_ms(self) -> int:
        return to_epoch_ms(self.now)


@pytest.fixture
def live_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Puts this process into a time zone; afterwards it is where it was."""

    def move(zone: str) -> None:
        monkeypatch.setenv("TZ", zone)
        time.tzset()

    yield move
    monkeypatch.undo()
    time.tzset()


def mock_held(file: ProgressFile, clock: Clock, name: str, mark: int, seed: int) -> None:
    """A whole interview through its engine, three minutes for each prompt."""
    interview = Interview.start(file, name, seed=seed)

    def later(_: Interview) -> bool:
        clock.now += 3 * MINUTE
        return False

    go_on(interview, right=mark >= 4, until=later)
    assert interview.phase == "scorecard"
    interview.finish(dict.fromkeys(interview.state.round.criteria, mark))


def test_a_learner_of_twelve_weeks_who_forgets(home: Path, live_in: Callable[[str], None]):
    """Seeded: on most nights, after midnight, exercises and a quiz with forgetting; seven mocks; the page."""
    live_in(BERLIN)
    start = date(2026, 3, 2)  # a Monday; in the fourth week the clocks go forward
    rng, clock = np.random.default_rng(7), Clock(BERLIN, start)
    file = ProgressFile(home / "progress.json", clock)
    keep_terms(file, Terms(start, 12, 18.0))
    waiting, studied, shares, schedule = exercise_ids(), set(), [], list(SCHEDULE)
    offsets = set()
    for n in range(84):
        day = start + n * DAY
        clock.set(day, 0, 30)  # in Berlin; in UTC it is still the day before
        offsets.add(clock.now.astimezone(clock.zone).utcoffset())
        if rng.random() < 0.15:
            continue
        studied.add(day)
        for name in waiting[:4]:
            file.attempt(name, "fail" if rng.random() < 0.3 else "pass")
        waiting = [name for name in waiting if not file.read().record(name).passed]
        known = memories(file.read())
        due = [name for name, memory in known.items() if memory.due <= clock.now]
        assert n % 7 or look_at_today(file)[0].due_questions == len(due)
        for name in due[:12] + [name for name in BANK if name not in known][:5]:
            recalled = known[name].recall(clock.now) if name in known else 0.6
            remember(file, name, "right" if rng.random() < recalled else "wrong")
        if n >= 56 and n % 4 == 0 and schedule:
            assert look_at_today(file)[0].next_mock == schedule[0]
            mock_held(file, clock, schedule.pop(0), int(rng.integers(3, 6)), seed=n)
        if n % 7 == 6:
            shares.append(PlanState(PLAN, file.read()).share().value)
    today, state = look_at_today(file)
    assert offsets == {HOUR, 2 * HOUR}, "the weeks cross a change of the clocks"
    assert active_days(file.read()) == studied, "each night counts for the day on the learner's own calendar"
    assert shares == sorted(shares) or max(np.diff(shares) * -1) < 0.06, "forgetting may open a box again, not many"
    assert shares[-1] > 0.5 and len(waiting) < 10
    assert {item.week for item in today.late} >= {"11", "12"}, "nobody wrote stories or a résumé"
    assert [held.round for held in history(file.read())] == list(SCHEDULE) and today.next_mock == ""
    for box in ("coding-mocks", "theory-mocks", "system-design-mocks", "behavioral-mock", "tell-me-about-yourself"):
        assert state.done(PLAN.item(box)) == "shown", box
    page = gather(file)
    assert page.evidence["mocks held"] == 7 and page.evidence["questions answered"] == len(BANK)
    assert sum(row["done"] for row in page.weeks) == state.share().done
    assert b"12" in as_html(asdict(page), str(today.day), LATEST)


@pytest.mark.parametrize("zone, evening, added", CHANGES)
def test_days_begin_at_midnight_on_both_sides_of_a_change(zone: str, evening: date, added: timedelta, live_in):
    live_in(zone)
    for day in (evening - DAY, evening, evening + DAY, evening + 2 * DAY):
        assert local_day(Clock(zone, day, 0, 0)) == local_day(Clock(zone, day, 23, 59)) == day
    length = Clock(zone, evening + 2 * DAY, 0).now - Clock(zone, evening + DAY, 0).now
    assert length == 24 * HOUR - added, "the day is one of 23 or 25 hours"


@pytest.mark.parametrize("zone, evening, added", CHANGES)
def test_the_calendar_s_days_are_the_same_in_every_zone(zone: str, evening: date, added: timedelta, home, live_in):
    terms = Terms(evening - 20 * DAY, 12, 18.0)
    state = PlanState(PLAN, ProgressFile(home / "p.json").read())
    found = []
    for place in (zone, "UTC", "Pacific/Auckland"):
        live_in(place)
        clock = Clock(place, evening, 23, 50)
        made = calendar(state, terms, local_day(clock))
        events = Ics.from_ical(as_ics(made, state, clock.now)).walk("VEVENT")
        assert all(event["dtstamp"].dt == clock.now for event in events)
        found.append({str(event["uid"]): (event["dtstart"].dt, event["dtend"].dt) for event in events})
        days = sorted({entry.day for entry in made.entries})
        assert days[0] == evening and {b - a for a, b in pairwise(days)} == {DAY}
    assert found[0] == found[1] == found[2]
    assert all(type(day) is date for span in found[0].values() for day in span)
    assert {(end - begin).days for begin, end in found[0].values()} >= {1, 2}


@pytest.mark.parametrize("zone, evening, added", CHANGES)
def test_a_question_comes_back_after_so_much_time_whatever_the_clock_shows(zone, evening, added, home, live_in):
    live_in(zone)
    clock = Clock(zone, evening, 23, 30)
    file = ProgressFile(home / "progress.json", clock)
    known = [remember(file, BANK[0], "right"), remember(file, BANK[0], "right")][-1]
    waited = known.due - clock.now
    clock.now = known.due - MINUTE
    assert look_at_today(file)[0].due_questions == 0
    clock.now = known.due
    assert look_at_today(file)[0].due_questions == 1
    shown = clock.shown - datetime(evening.year, evening.month, evening.day, 23, 30)
    assert waited >= DAY and shown == waited + added, "the wall clock is an hour off, the wait is not"


def change_after(clock: Clock) -> datetime:
    """The moment within a day at which the offset of the clock's zone is another than before."""
    moments = [(clock.now + n * MINUTE).astimezone(clock.zone) for n in range(24 * 60)]
    return next(moment for moment in moments if moment.utcoffset() != moments[0].utcoffset()).astimezone(UTC)


@pytest.mark.parametrize("zone, evening, added", CHANGES)
def test_a_mock_through_the_change_takes_as_long_as_any_other(zone, evening, added, home, live_in):
    live_in(zone)
    clock = Clock(zone, evening, 23, 30)
    clock.now = change_after(clock) - 10 * MINUTE
    file, before = ProgressFile(home / "progress.json", clock), clock.shown
    interview = Interview.start(file, "theory", seed=3, minutes=45)
    clock.now += 20 * MINUTE
    assert clock.shown - before == 20 * MINUTE + added
    assert interview.seconds_left == pytest.approx(25 * 60, abs=5)
    go_on(interview)
    held = interview.finish(dict.fromkeys(interview.state.round.criteria, 4))
    assert held.used_s == pytest.approx(20 * 60, abs=5) and held.how == "finished"
    assert datetime.fromisoformat(held.ended_at) - datetime.fromisoformat(held.started_at) == 20 * MINUTE


def test_a_clock_set_back_loses_nothing_and_right_again_all_is_as_before(home: Path, live_in):
    live_in(NEW_YORK)
    evening = date(2026, 11, 2)
    clock = Clock(NEW_YORK, evening, 21)
    file = ProgressFile(home / "progress.json", clock)
    keep_terms(file, Terms(evening - 27 * DAY, 12, 18.0))
    file.attempt("pca", "pass")
    for name in BANK[:6]:
        remember(file, name, "right")
    clock.now += 3 * DAY
    right, state = look_at_today(file)
    assert right.due_questions and right.late and right.day == evening + 3 * DAY

    clock.now -= 60 * DAY  # before the plan's first day, and before every answer
    wrong, there = look_at_today(file)
    assert (wrong.day, wrong.due_questions, wrong.late, wrong.streak) == (evening - 57 * DAY, 0, (), 0)
    assert wrong.planned_for == evening - 27 * DAY, "nothing is planned before the plan begins"
    assert there.share() == state.share()
    before = memories(file.read())[BANK[0]]
    after = remember(file, BANK[0], "right")
    assert after.card.last_review == before.card.last_review and after.due >= before.due

    clock.now += 60 * DAY
    again, _ = look_at_today(file)
    assert (again.day, again.late, again.planned) == (right.day, right.late, right.planned)
    assert right.due_questions - 1 <= again.due_questions <= right.due_questions
    assert active_days(file.read()) == {evening}, "an answer under the wrong clock makes no day of its own"


def test_a_mock_whose_clock_is_set_back_gets_no_more_time(home: Path, live_in):
    live_in(BERLIN)
    clock, watch = Clock(BERLIN, date(2026, 10, 25), 1, 30), Watch()
    file = ProgressFile(home / "progress.json", clock)
    begun = Interview.start(file, "theory", seed=3, minutes=45)
    interview = Interview(file, begun.state, watch)
    clock.now, watch.now = clock.now + 30 * MINUTE - 2 * HOUR, watch.now + 30 * 60
    assert interview.seconds_left == pytest.approx(15 * 60, abs=5)
    interview.save_time()
    assert Interview.resume(file).seconds_left == pytest.approx(15 * 60, abs=5)
