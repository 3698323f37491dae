"""What mocks that were held show: the trend, the plan's boxes, the door of the notebook."""

from __future__ import annotations

from pathlib import Path

import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.mock.data import CodingBook, behavioral_book, coding_book, parse, theory_book
from fraudkit.workbook.mock.history import history_markdown, trend_picture
from fraudkit.workbook.mock.interview import Interview
from fraudkit.workbook.mock.panel import mock, plain_text
from fraudkit.workbook.mock.record import TITLES, history
from fraudkit.workbook.mock.rounds import ROUNDS
from fraudkit.workbook.plan.items import read_plan
from fraudkit.workbook.plan.scorecard import CRITERIA, TARGET
from fraudkit.workbook.plan.state import PlanState, tick
from fraudkit.workbook.progress import Progress, ProgressFile
from tests.workbook.mock_helpers import hold, new_file

PLAN = read_plan()


def done(file: ProgressFile, item_id: str) -> str:
    return PlanState(PLAN, file.read()).done(PLAN.item(item_id))


def test_each_round_has_the_criteria_of_one_part_of_the_scorecard():
    assert {found.title for found in ROUNDS.values()} == set(CRITERIA) == set(TITLES.values())


def test_two_coding_mocks_show_the_box_and_an_abandoned_one_does_not(tmp_path: Path):
    file = new_file(tmp_path)
    hold(file, "coding", seed=1)
    Interview.start(file, "coding", seed=2).abandon()
    assert done(file, "coding-mocks") == "open"
    hold(file, "coding", seed=3)
    assert done(file, "coding-mocks") == "shown" and done(file, "theory-mocks") == "open"


def test_every_mock_box_of_the_plan_is_shown_by_the_round_of_its_topic(tmp_path: Path):
    file = new_file(tmp_path)
    for name in ("theory", "theory", "design", "design", "behavioral"):
        hold(file, name, seed=1)
    for item_id in ("theory-mocks", "system-design-mocks", "behavioral-mock"):
        assert done(file, item_id) == "shown"


def test_a_drill_counts_when_it_was_held_or_ticked(tmp_path: Path):
    file = new_file(tmp_path)
    hold(file, "design", about="autocomplete")
    assert done(file, "design-autocomplete-system") == "shown" and done(file, "design-chatbot") == "open"
    tick(PLAN, ["design-chatbot"], file)
    assert done(file, "design-three-systems") == "open"
    hold(file, "design", about="image_search")
    assert done(file, "design-three-systems") == "shown"


def test_the_picture_has_a_panel_a_round_with_its_averages_and_the_target(tmp_path: Path):
    file = new_file(tmp_path)
    hold(file, "theory", mark=3, seed=1)
    hold(file, "theory", mark=5, seed=2)
    figure = trend_picture(file.read())
    theory = figure.axes[list(ROUNDS).index("theory")]
    assert theory.get_title() == "theory: 2 of 2"
    assert theory.collections[-1].get_offsets().tolist() == [[1.0, 3.0], [2.0, 5.0]]
    assert {line.get_ydata()[0] for line in (axes.lines[0] for axes in figure.axes)} == {TARGET}
    assert [text.get_text() for text in figure.axes[0].texts][-1] == "target 4+"
    hold(file, "theory", mark=4, seed=3)
    assert trend_picture(file.read()).axes[1].get_title() == "theory: 3, 2 planned"
    assert trend_picture(Progress())._repr_png_()[:4] == b"\x89PNG"


def test_the_table_gives_marks_and_says_what_was_abandoned(tmp_path: Path):
    file = new_file(tmp_path)
    assert "No mock interview was held yet" in history_markdown(history(file.read()))
    hold(file, "theory", mark=3, seed=1)
    Interview.start(file, "design", seed=1).abandon()
    text = history_markdown(history(file.read()))
    assert "| theory | 0 of 45 | 3.0 | Depth of knowledge 3" in text and "| abandoned |" in text


def test_where_no_widgets_are_the_door_shows_the_same_text_and_begins_nothing(home: Path, capsys):
    mock()
    mock("theory")
    said = capsys.readouterr().out
    assert said == f"{plain_text()}\n" * 2 and Interview.resume(ProgressFile()) is None
    assert "| theory | 45 | 2 |" in said


def test_the_door_says_what_is_wrong(home: Path, capsys):
    assert mock("poker") is None
    assert "here is no round 'poker'" in capsys.readouterr().out


def test_the_history_is_behind_the_same_door(home: Path, capsys):
    hold(ProgressFile(), "design", mark=4, seed=1)
    picture = mock("history")
    assert picture is not None and picture._repr_png_() and "| design |" in capsys.readouterr().out


def test_what_interviewers_say_is_checked_when_it_is_read():
    assert behavioral_book().questions and theory_book().probes and coding_book().follow_ups
    with pytest.raises(InvalidInput, match=r"coding\.toml"):
        parse(CodingBook, "coding", 'clarify = ""')
    with pytest.raises(InvalidInput, match="mock/coding"):
        parse(CodingBook, "coding", "=")


def test_the_behavioural_questions_hold_those_of_the_specification():
    asked = " ".join(question.ask for question in behavioral_book().questions)
    for item in PLAN.items:
        if item.week == "11" and item.text.startswith('"'):
            words = item.text.strip('"').rstrip("?.")
            assert words in asked.replace("five years", "5 years"), item.text


def test_a_follow_up_for_code_has_a_topic_of_the_approach_or_is_about_the_check():
    book = coding_book()
    topics = {point.topic for point in book.approach_points} | {"passed"}
    assert {turn.topic for turn in book.follow_ups} <= topics
