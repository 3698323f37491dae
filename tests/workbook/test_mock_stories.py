"""Behavioural interviews and the learner's stories: which fit, which were told, what no story shows."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from fraudkit.workbook.mock.data import behavioral_book
from fraudkit.workbook.mock.history import evidence_lines
from fraudkit.workbook.mock.interview import Interview
from fraudkit.workbook.mock.prompt import Prompt, read_shelved
from fraudkit.workbook.mock.record import Held
from fraudkit.workbook.mock.terminal import run
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.stories.shelf import Shelf, template
from fraudkit.workbook.stories.story import QUESTIONS, principle_ids
from tests.workbook.mock_helpers import again, go_on, new_file, reply_to

ALARM = template("example.md")  # complete; answers two questions, shows dive-deep and ownership
TITLE = "The alarm that cried every day"
BEGUN = "# The night the store was away\n\nKind: success\nPrinciples: learn-be-curious\n\n## Situation\nSoon.\n"
BOLD = (
    ALARM.replace(TITLE, "Half of them").replace("dive-deep, ownership", "be-bold").replace(", a-time-you-failed", "")
)


@pytest.fixture
def file(tmp_path: Path) -> ProgressFile:
    """A home with two complete stories and one that was begun."""
    for name, text in (("alarm", ALARM), ("store", BEGUN), ("bold", BOLD)):
        (tmp_path / "stories").mkdir(exist_ok=True)
        (tmp_path / "stories" / f"{name}.md").write_text(text, encoding="utf-8")
    return new_file(tmp_path)


def asked(interview: Interview) -> Prompt:
    assert interview.prompt is not None
    return interview.prompt


def scored(interview: Interview) -> Held:
    return interview.finish(dict.fromkeys(interview.state.round.criteria, 4))


def test_a_question_shows_the_stories_that_fit_it_by_principle_and_by_name(file: ProgressFile):
    interview = Interview.start(file, "behavioral", about="time-you-failed")
    says = asked(interview).says
    assert f"{TITLE} (this question, Ownership)" in says
    assert "The night the store was away (Learn and Be Curious; not complete yet)" in says
    assert "Half of them" not in says


def test_after_the_answer_what_else_fits_and_what_no_story_shows_is_named(file: ProgressFile):
    interview = Interview.start(file, "behavioral", about="time-you-failed")
    told = interview.answer("I failed once")
    assert f"was not told earlier in this interview: {TITLE}" in told
    assert "No complete story of yours shows Learn and Be Curious yet" in told and "fraudkit story new" in told
    assert "Ownership" not in told, "a complete story shows it"


def test_the_scorecard_is_kept_with_the_stories_told_left_out_and_missing(file: ProgressFile):
    interview = Interview.start(file, "behavioral", about="time-you-failed")
    interview.answer("I failed once")
    interview.answer("all")
    assert asked(interview).points[0] == TITLE, "the story that fits best stands first"
    interview.answer("1")
    go_on(interview, until=lambda i: i.phase == "review")
    says = asked(interview).says
    assert f"| {TITLE} | The night the store was away | Learn and Be Curious |" in says
    go_on(interview)
    held = scored(interview)
    assert held.evidence["stories_told"] == {"time-you-failed": ["alarm"]}
    assert held.evidence["stories_unused"] == ["store"]
    assert held.evidence["principles_without_a_story"] == ["Learn and Be Curious"]
    assert "stories told: time-you-failed: alarm" in evidence_lines(held)


def test_a_story_that_is_told_twice_or_is_not_complete_is_named(file: ProgressFile):
    interview = Interview.start(file, "behavioral", seed=3)
    go_on(interview, until=lambda i: i.phase == "review")  # says to every question that all of them were told
    says = asked(interview).says
    assert f"Told more than once: Half of them; {TITLE}; The night" in says
    assert "not complete on paper: The night the store was away" in says


def test_the_stories_stand_as_they_were_when_the_interview_began(file: ProgressFile, tmp_path: Path):
    interview = Interview.start(file, "behavioral", about="time-you-failed")
    (tmp_path / "stories" / "alarm.md").unlink()
    assert asked(again(file)).says == asked(interview).says
    progress = file.read()
    progress.mocks["current"]["stories"][0]["topics"] = "ownership"
    file.path.write_text(json.dumps(progress.as_dict()), encoding="utf-8")
    assert Interview.resume(file) is None, "what cannot be read is no interview"
    with pytest.raises(ValueError, match="a story should have"):
        read_shelved({"name": "alarm"})


def test_somebody_without_stories_is_asked_for_none_and_told_how_to_begin(tmp_path: Path):
    interview = Interview.start(new_file(tmp_path), "behavioral", about="time-you-failed")
    assert asked(interview).says == behavioral_book().question("time-you-failed").ask
    ids = go_on(interview)
    assert "time-you-failed/story" not in ids
    held = scored(interview)
    assert held.evidence["stories_told"] == {"time-you-failed": []}
    assert held.evidence["principles_without_a_story"] == ["Learn and Be Curious", "Ownership"]


def test_a_terminal_shows_the_stories_and_prints_the_evidence(file: ProgressFile):
    interview = Interview.start(file, "behavioral", about="failed-in-production")
    console = Console(file=StringIO(), record=True, width=110)
    held = run(interview, console, lambda _: "3" if interview.prompt is None else reply_to(interview))
    said = " ".join(console.export_text().split())
    assert held is not None and f"Your stories that fit: {TITLE} (this question, Ownership, Dive Deep)" in said
    assert "Which of your stories did you tell?" in said and "stories told: failed-in-production: alarm" in said


def test_other_rounds_look_at_no_stories(file: ProgressFile):
    interview = Interview.start(file, "design", about="chatbot")
    assert interview.state.setup.stories == () and "stories" not in file.read().mocks["current"]


def test_every_principle_and_every_question_of_the_plan_is_asked_for_somewhere():
    questions = behavioral_book().questions
    assert {name for question in questions for name in question.principles} == principle_ids()
    assert {question.answers for question in questions} - {""} == QUESTIONS


def test_a_story_of_another_home_is_not_offered(file: ProgressFile, tmp_path: Path):
    assert Shelf(tmp_path / "elsewhere" / "stories").stories() == ([], {})
    interview = Interview.start(new_file(tmp_path / "elsewhere"), "behavioral", about="time-you-failed")
    assert interview.state.setup.stories == ()
