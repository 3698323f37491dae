"""The plan: every box of the specification, done by evidence or tick, spread over one's own weeks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.drills.drill import drill_ids
from fraudkit.workbook.notebooks import ordered_ids
from fraudkit.workbook.picture import Picture
from fraudkit.workbook.plan.items import Plan, parse_plan, read_plan
from fraudkit.workbook.plan.picture import plan_picture
from fraudkit.workbook.plan.schedule import spread
from fraudkit.workbook.plan.scorecard import CRITERIA, average, is_ready
from fraudkit.workbook.plan.state import PlanState, tick
from fraudkit.workbook.progress import Progress, ProgressFile, Record

# The boxes of the specification's weeks 1 to 12, copied with their headings.
BOXES = Path(__file__).with_name("plan_boxes.md").read_text(encoding="utf-8")
PLAN = read_plan()


def specified_boxes() -> list[tuple[str, str, bool, str]]:
    """Week, area, whether it stands below another, text: of every box that the specification has."""
    found, week, area = [], "", ""
    for line in BOXES.splitlines():
        if heading := re.match(r"## Week (\S+):", line):
            week = heading[1]
        elif line.startswith("### "):
            area = line[4:]
        elif box := re.match(r"( *)- \[ \] (.+)", line):
            found.append((week, area, bool(box[1]), box[2]))
    return found


def passed(*exercise_ids: str) -> Progress:
    return Progress({name: Record(attempts=1, passed_at="2026-01-01T00:00:00.000Z") for name in exercise_ids})


def small(extra: str = "") -> Plan:
    head = '[[weeks]]\nid = "1"\nfocus = "F"\ntitle = "T"\n'
    item = '[[items]]\nid = "a"\nweek = "1"\narea = "A"\ntext = "a"\nminutes = 60\n'
    return parse_plan(head + item + extra)


def test_no_box_of_the_specification_is_missing_and_none_is_invented():
    assert [(item.week, item.area, bool(item.parent), item.text) for item in PLAN.items] == specified_boxes()


def test_a_box_stands_below_the_one_before_it_that_is_not_indented():
    top = ""
    for item in PLAN.items:
        top = top if item.parent else item.id
        assert item.parent in ("", top)


def test_the_tracker_has_the_rows_of_the_specification():
    rows = [(week, focus) for week, focus, _, _ in PlanState(PLAN, Progress()).tracker()]
    assert rows == [
        ("1-2", "Foundations"),
        ("3-4", "ML Algorithms"),
        ("5-6", "System Design"),
        ("7-8", "ML Theory"),
        ("9-10", "ML Coding"),
        ("11", "Behavioral"),
        ("12", "Mocks & Final Prep"),
    ]


@pytest.mark.parametrize("kind, known", [("exercise", ordered_ids()), ("drill", drill_ids())])
def test_evidence_names_what_there_is(kind: str, known: list[str]):
    named = {name for item in PLAN.items for e in item.evidence if e.kind == kind for name in e.ids}
    assert named
    assert named <= set(known)


def test_every_exercise_that_the_plan_asks_for_by_name_is_evidence_for_it():
    for item_id, exercise in {"implement-pca": "pca", "implement-k-means-scratch": "kmeans"}.items():
        assert PLAN.item(item_id) in PLAN.shown_by("exercise", exercise)


def test_a_passed_exercise_shows_its_items_and_a_seen_solution_does_not():
    item = PLAN.item("implement-pca")
    assert PlanState(PLAN, passed("pca")).done(item) == "shown"
    seen = Progress({"pca": Record(attempts=1, solution_shown_at="2026-01-01T00:00:00.000Z")})
    assert PlanState(PLAN, seen).done(item) == "open"


def test_ten_algorithms_are_ten():
    item = PLAN.item("implement-10-algorithms-scratch")
    ids = item.evidence[0].ids
    assert PlanState(PLAN, passed(*ids[:9])).done(item) == "open"
    assert PlanState(PLAN, passed(*ids[:10])).done(item) == "shown"


def test_a_parent_is_done_when_all_its_children_are():
    parent = PLAN.item("clustering")
    children = [child.id for child in PLAN.children["clustering"]]
    some = Progress(checklists={"plan": {"ticked": dict.fromkeys(children[1:], "t")}})
    assert PlanState(PLAN, some).done(parent) == "open"
    some.exercises["kmeans"] = Record(passed_at="t")
    assert PlanState(PLAN, some).done(parent) == "ticked"


def test_evidence_that_nothing_records_yet_waits_for_a_tick_and_counts_once_something_does():
    item = PLAN.item("coding-mocks")
    assert PlanState(PLAN, Progress()).done(item) == "open"
    for count, expected in ((1, "open"), (2, "shown")):
        assert PlanState(PLAN, Progress(), {"mock": lambda _, e, count=count: count}).done(item) == expected


def test_ticks_are_kept_in_the_progress_file_and_taken_back(tmp_path: Path):
    file = ProgressFile(tmp_path / "progress.json")
    tick(PLAN, ["dbscan", "kernel-trick"], file)
    state = PlanState(PLAN, file.read())
    assert state.done(PLAN.item("dbscan")) == "ticked"
    assert state.share().done == 2
    assert tick(PLAN, ["dbscan"], file, ticked=False) == {"kernel-trick"}


@pytest.mark.parametrize("wrong, said", [("clustering", "k-means"), ("dbscam", "no item")])
def test_a_tick_that_means_nothing_is_refused_whole(wrong: str, said: str, tmp_path: Path):
    file = ProgressFile(tmp_path / "progress.json")
    with pytest.raises(InvalidInput, match=said):
        tick(PLAN, ["kernel-trick", wrong], file)
    assert file.read().ticked("plan") == frozenset()


def test_a_week_is_crossed_when_everything_in_it_is_done():
    week = [item.id for item in PLAN.leaves if item.week == "12"]
    state = PlanState(PLAN, Progress(checklists={"plan": {"ticked": dict.fromkeys(week, "t")}}))
    assert [row[2] for row in state.tracker()] == ["[ ]"] * 6 + ["[x]"]


@pytest.mark.parametrize("weeks, hours", [(12, 17.5), (12, 40.0), (8, 30.0), (3, 5.0)])
def test_a_schedule_loses_no_minute_keeps_the_order_and_overfills_no_week(weeks: int, hours: float):
    made = spread(PLAN.leaves, weeks, hours)
    placed = sum(slot.minutes for slot in made.slots) / 60
    assert placed + made.hours_missing == pytest.approx(PLAN.minutes / 60)
    order = list(dict.fromkeys(slot.item.id for slot in made.slots))
    assert order == [item.id for item in PLAN.leaves][: len(order)]
    loads = [sum(slot.minutes for slot in made.week(n)) / 60 for n in range(1, weeks + 1)]
    assert max(loads) <= hours + 1e-9
    assert min(loads) == pytest.approx(max(loads))
    assert (made.hours_missing > 0.01) == (weeks * hours < PLAN.minutes / 60)


@pytest.mark.parametrize("weeks, hours", [(0, 10.0), (53, 10.0), (5, 0.0), (5, 81.0), (5, float("nan"))])
def test_a_schedule_refuses_impossible_weeks(weeks: int, hours: float):
    with pytest.raises(InvalidInput):
        spread(PLAN.leaves, weeks, hours)


def test_nothing_open_needs_no_week():
    assert spread([], 4, 10.0).slots == ()


@pytest.mark.parametrize(
    "extra",
    [
        '[[items]]\nid = "a"\nweek = "1"\narea = "A"\ntext = "again"\nminutes = 5\n',
        '[[items]]\nid = "b"\nweek = "9"\narea = "A"\ntext = "b"\nminutes = 5\n',
        '[[items]]\nid = "b"\nweek = "1"\narea = "A"\ntext = "b"\nminutes = 5\nparent = "c"\n',
        '[[items]]\nid = "b"\nweek = "1"\narea = "A"\ntext = "b"\n',
        '[[items]]\nid = "b"\nweek = "1"\narea = "A"\ntext = "b"\nminutes = 5\nparent = "a"\n',
        'evidence = [{ kind = "exercise" }]\n',
        'evidence = [{ kind = "exercise", ids = ["x"], need = 2 }]\n',
        'evidence = [{ kind = "rumour", topic = "x" }]\n',
        'colour = "red"\n',
        "practice = 1\n",
        "[",
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(extra: str):
    assert small().minutes == 60
    with pytest.raises(InvalidInput):
        small(extra)


def test_the_scorecard_has_the_criteria_of_the_specification():
    assert {name: len(criteria) for name, criteria in CRITERIA.items()} == {
        "Coding Interview": 5,
        "ML Theory Interview": 3,
        "System Design Interview": 5,
        "Behavioral Interview": 4,
    }


def test_ready_means_every_round_at_four():
    marks = {name: average(name, dict.fromkeys(criteria, 4)) for name, criteria in CRITERIA.items()}
    assert is_ready(marks)
    assert not is_ready(marks | {"Behavioral Interview": 3.75})
    assert not is_ready({"Coding Interview": 5.0})


@pytest.mark.parametrize("marks", [{}, {"Depth of knowledge": 4}, dict.fromkeys(CRITERIA["ML Theory Interview"], 6)])
def test_a_scorecard_that_is_not_filled_in_is_refused(marks: dict[str, int]):
    with pytest.raises(InvalidInput):
        average("ML Theory Interview", marks)


def test_the_picture_s_text_does_not_depend_on_progress():
    one, other = plan_picture(Progress()), plan_picture(passed("pca", "kmeans"))
    assert isinstance(one, Picture)
    assert repr(one) == repr(other)
    assert one._repr_png_() != other._repr_png_()
