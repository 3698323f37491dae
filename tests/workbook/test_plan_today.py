"""The plan on the calendar, the day's screen and the readiness page, through their commands and their states."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from icalendar import Calendar as Ics
from typer.testing import CliRunner

from fraudkit.cli import app
from fraudkit.workbook.mock.record import TITLES, Held, add
from fraudkit.workbook.plan.dates import Terms, calendar, read_terms
from fraudkit.workbook.plan.items import read_plan
from fraudkit.workbook.plan.scorecard import CRITERIA
from fraudkit.workbook.plan.state import PlanState
from fraudkit.workbook.plan.today import streak
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.quiz.memory import remember
from tests.workbook.terminal import seen_in_a_terminal

START = date(2026, 3, 2)  # a Monday; the clocks of Europe change on the 29th


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_plan_is_kept_and_late_items_are_told(home: Path):
    first = (datetime.now().date() - timedelta(days=20)).isoformat()
    found = json.loads(run("plan", "--start", first, "--weeks", "10", "--hours", "12", "--json"))
    assert found["terms"] == json.loads(run("plan", "--json"))["terms"] and found["terms"]["set"]
    assert len(found["late"]) > 5 and found["of"] == len(read_plan().leaves)
    done = found["late"][0]
    assert done not in json.loads(run("plan", "--done", done, "--json"))["late"]
    assert done in json.loads(run("plan", "--undo", done, "--json"))["late"]


def test_exports_are_a_calendar_that_a_parser_reads_and_markdown(home: Path):
    run("plan", "--start", "today")
    run("plan", "--ics", str(home / "plan.ics"), "--markdown", str(home / "plan.md"))
    events = Ics.from_ical((home / "plan.ics").read_bytes()).walk("VEVENT")
    assert len({str(event["uid"]) for event in events}) == len(events) > 50
    assert all(event["dtend"].dt > event["dtstart"].dt for event in events)
    assert not isinstance(events[0]["dtstart"].dt, datetime), "whole days: no zone can move them"
    assert (home / "plan.md").read_text().count("- [ ]") >= len(events)


@pytest.mark.parametrize("given", [["--start", "soon"], ["--weeks", "0"], ["--hours", "100"], ["--days", "someday"]])
def test_settings_that_cannot_be_are_refused_and_nothing_is_kept(home: Path, given: list[str]):
    result = CliRunner().invoke(app, ["plan", *given])
    assert result.exit_code != 0
    assert read_terms(ProgressFile().read()) is None


def test_a_change_of_the_clocks_moves_no_day(tmp_path: Path):
    state = PlanState(read_plan(), ProgressFile(tmp_path / "p.json").read())
    terms = Terms(START, 12, 18.0)
    made = calendar(state, terms, START)
    days = sorted({entry.day for entry in made.entries})
    assert days[0] == START and days[-1] <= terms.end
    assert all(later - earlier == timedelta(days=1) for earlier, later in pairwise(days))
    room = 18 * 60 / 7
    assert all(sum(e.minutes for e in made.on(day)) <= room + 1e-6 for day in days)


def test_a_streak_ends_where_a_day_is_missing():
    days = {START, START + timedelta(days=1), START + timedelta(days=3)}
    assert [streak(days, START + timedelta(days=n)) for n in range(6)] == [1, 2, 2, 1, 1, 0]


def test_today_in_a_real_terminal(home: Path):
    text = seen_in_a_terminal(home, "today", columns=120)
    assert "fraudkit plan --start" in text and "fraudkit mock coding" in text and "Traceback" not in text


def test_a_command_is_never_cut_however_narrow_the_terminal(home: Path):
    run("plan", "--start", (datetime.now().date() - timedelta(days=20)).isoformat())
    text = seen_in_a_terminal(home, "today", columns=80)
    assert "…" not in text
    assert "fraudkit quiz --topic matrix-operations-determinants-eigenvalues" in text


def held(round_name: str, mark: int, when: str) -> Held:
    marks = dict.fromkeys(CRITERIA[TITLES[round_name]], mark)
    return Held(f"{round_name}-{when}", round_name, (), 45, when, when, "finished", 1800.0, marks, {}, {})


def test_the_page_marks_the_target_and_names_what_is_weak(home: Path):
    file = ProgressFile()
    file.attempt("roc_auc", "fail", "ties-ordered")
    remember(file, "zero-eigenvalue", "wrong")
    with file.change() as progress:
        for mark in (2, 4, 5):
            add(progress, held("coding", mark, f"2026-03-0{mark}T10:00:00Z"))
        add(progress, held("theory", 3, "2026-03-06T10:00:00Z"))
    found = json.loads(run("readiness", "--json"))
    rows = {row["round"]: row for row in found["rounds"]}
    assert rows["coding"]["average"] == 4.5 and rows["coding"]["at_target"], "the latest two count"
    assert not rows["theory"]["at_target"] and not found["is_ready"]
    weak = {row["command"]: row["says"] for row in found["weak"]}
    assert "3.0 of 4" in weak["fraudkit mock theory"] and "fraudkit mock coding" not in weak
    assert "Linear algebra" in weak["fraudkit quiz --topic linear_algebra"]
    assert "ties-ordered" in weak["jupyter lab exercises/01_metrics.ipynb"]
    run("readiness", "--html", str(home / "page.html"))
    page = (home / "page.html").read_text()
    assert "<script" not in page and "http" not in page and "not yet" in page and "4.5" in page
