"""The interview as a state machine: time, stages, follow-ups, hints, restarts, damage, two at once."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from fraudkit.core.clock import FixedClock
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.drills.drill import read_drill
from fraudkit.workbook.mock import theory
from fraudkit.workbook.mock.interview import Checked, Interview
from fraudkit.workbook.mock.prompt import Reply, Wish, numbers_of
from fraudkit.workbook.mock.record import history
from fraudkit.workbook.mock.rounds import ROUNDS, SCHEDULE, next_round
from fraudkit.workbook.mock.suggest import suggestions
from fraudkit.workbook.mock.timer import Timer
from fraudkit.workbook.plan.scorecard import CRITERIA
from fraudkit.workbook.progress import Progress, ProgressFile
from fraudkit.workbook.quiz.bank import read_bank
from fraudkit.workbook.quiz.memory import memories, remember
from tests.workbook.mock_helpers import MINUTE_MS, START_MS, Watch, again, go_on, hold, letter_of, new_file


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START_MS)


@pytest.fixture(autouse=True)
def _no_time_but_the_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[Interview.__module__], "monotonic", Watch())


@pytest.fixture
def file(tmp_path: Path, clock: FixedClock) -> ProgressFile:
    return new_file(tmp_path, clock)


def mark_of(interview: Interview, criterion: str) -> int | None:
    return next(found.mark for found in interview.suggestions() if found.criterion == criterion)


# -- time


def test_a_restart_finds_the_same_prompt_and_the_time_that_passed_meanwhile(file: ProgressFile, clock: FixedClock):
    interview = Interview.start(file, "behavioral", seed=1)
    interview.answer("a story")
    clock.advance(7 * MINUTE_MS)
    found = again(file)
    assert found.seconds_left == 33 * 60
    assert (found.prompt.id, found.revealed) == (interview.prompt.id, True)
    assert found.reply.text == "a story"


def test_a_clock_set_back_gives_no_time_back_and_does_not_stop_the_countdown(file: ProgressFile, clock: FixedClock):
    interview = Interview.start(file, "behavioral", seed=1)
    clock.advance(10 * MINUTE_MS)
    interview.answer("a story")
    clock.advance(-300 * MINUTE_MS)
    assert again(file).seconds_left == 30 * 60
    interview.answer("none")
    clock.advance(5 * MINUTE_MS)
    assert interview.seconds_left == again(file).seconds_left == 25 * 60


def test_within_a_process_a_clock_set_back_loses_no_second(file: ProgressFile, clock: FixedClock):
    watch = Watch()
    begun = Interview.start(file, "behavioral", seed=1)
    interview = Interview(file, begun.state, watch)
    watch.now += 600
    clock.advance(-60 * MINUTE_MS)
    assert interview.seconds_left == 30 * 60
    interview.save_time()
    assert again(file).seconds_left == interview.seconds_left == 30 * 60


def test_a_laptop_that_slept_through_the_end_wakes_to_what_comes_afterwards(file: ProgressFile, clock: FixedClock):
    interview = Interview.start(file, "design", seed=1)
    clock.advance(600 * MINUTE_MS)
    assert (interview.phase, interview.seconds_left) == ("review", 0)
    assert interview.prompt.id == "rubric/P"
    interview.answer("1", "rubric/P")
    assert again(file).state.ended == "time over"
    assert go_on(interview)[0] == "rubric/R" and interview.phase == "scorecard"


def test_an_answer_that_comes_too_late_is_kept_and_counts_for_nothing(file: ProgressFile, clock: FixedClock):
    interview = Interview.start(file, "behavioral", seed=1)
    prompt = interview.prompt
    clock.advance(41 * MINUTE_MS)
    interview.answer("too late", prompt.id)
    reply = again(file).state.replies[prompt.id]
    assert (reply.text, reply.late) == ("too late", True)
    assert interview.phase == "review" and mark_of(interview, "STAR structure") == 1


def test_points_of_an_answer_given_in_time_may_be_ticked_after_it(file: ProgressFile, clock: FixedClock):
    interview = Interview.start(file, "behavioral", seed=1)
    prompt = interview.prompt
    interview.answer("in time")
    clock.advance(41 * MINUTE_MS)
    assert interview.prompt.id == prompt.id and interview.revealed
    interview.answer("all", prompt.id)
    reply = again(file).state.replies[prompt.id]
    assert len(reply.points) == len(prompt.points) and not reply.late
    assert interview.phase == "review"


def test_time_stands_still_once_everything_was_asked(file: ProgressFile, clock: FixedClock):
    interview = Interview.start(file, "theory", seed=1)
    clock.advance(20 * MINUTE_MS)
    go_on(interview, until=lambda i: i.phase == "review")
    clock.advance(500 * MINUTE_MS)
    assert interview.state.ended == "finished" and again(file).seconds_left == 25 * 60


def test_a_timer_never_runs_backwards():
    timer = Timer(60_000, 30_000, 1_000_000)
    assert timer.at(0).spent_ms == 30_000
    assert timer.at(0).at(10_000).spent_ms == 40_000
    assert timer.at(0, at_least_ms=5_000).spent_ms == 35_000
    assert timer.at(2_000_000).left_s == 0


# -- stages


@pytest.mark.parametrize("name", ROUNDS)
def test_every_round_goes_from_start_to_a_scorecard_with_the_criteria_of_the_specification(
    name: str, file: ProgressFile
):
    interview = Interview.start(file, name, seed=4)
    go_on(interview)
    assert interview.phase == "scorecard"
    criteria = CRITERIA[ROUNDS[name].title]
    assert tuple(found.criterion for found in interview.suggestions()) == criteria
    held = interview.finish(dict.fromkeys(criteria, 4))
    assert (held.average, held.how, interview.phase) == (4.0, "finished", "over")
    assert {"minutes_used", "hints", "answered"} <= held.evidence.keys()
    assert [one.id for one in history(file.read())] == [held.id]
    assert Interview.resume(file) is None


@pytest.mark.parametrize("name", ["coding", "theory", "design"])
def test_clarifying_questions_come_first(name: str, file: ProgressFile):
    assert "clarify" in Interview.start(file, name, seed=2).prompt.id


@pytest.mark.parametrize("name", ROUNDS)
def test_the_same_seed_asks_the_same(name: str, tmp_path: Path):
    first = Interview.start(new_file(tmp_path / "a"), name, seed=9)
    second = Interview.start(new_file(tmp_path / "b"), name, seed=9)
    assert first.state.setup == second.state.setup
    assert go_on(first) == go_on(second)


def test_a_design_follow_up_depends_on_what_was_covered(file: ProgressFile):
    drill = read_drill("news_feed_ranking")
    said = []
    for covered in ("all", "none"):
        interview = Interview.start(file, "design", about=drill.id)
        while interview.prompt.kind != "topics":
            interview.answer("none" if interview.revealed else "words")
        interview.answer(covered)
        said.append(interview.prompt.says)
        interview.abandon()
    first = next(f for f in drill.follow_ups if f.step == "P")
    assert said == [first.covered, first.missed]


def test_a_behavioural_story_is_asked_for_what_it_left_out(file: ProgressFile):
    interview = Interview.start(file, "behavioral", about="time-you-failed")
    interview.answer("a story")
    interview.answer("1 2 3 4 6")
    assert interview.prompt.id == "time-you-failed/number"
    assert "How large was the effect" in interview.prompt.says
    interview.abandon()
    interview = Interview.start(file, "behavioral", about="time-you-failed")
    interview.answer("a story")
    interview.answer("all")
    assert interview.prompt.id == "time-you-failed/deeper"


def test_a_wrong_theory_answer_is_pushed_and_a_right_one_probed(file: ProgressFile):
    for right, ending in ((False, "/push"), (True, "/probe")):
        interview = Interview.start(file, "theory", about="linear_algebra", seed=0)
        interview.answer("no")
        while interview.prompt.kind != "question":
            interview.answer("all" if interview.revealed else "words")
        before = len([reply for reply in interview.state.replies.values() if reply.grade == "right"])
        asked, answer = interview.prompt, letter_of(interview.prompt, right)
        interview.answer(answer)
        if right and before % 2:
            assert interview.prompt.id != asked.id + ending
        else:
            assert interview.prompt.id == asked.id + ending
        if not right and asked.showing.mark(answer).why:
            assert asked.showing.mark(answer).why in interview.prompt.says
        interview.abandon()


def test_a_coding_follow_up_depends_on_the_approach_and_on_the_check(file: ProgressFile):
    said = {}
    for passed in (10, 3):
        interview = Interview.start(file, "coding", about="roc_auc")
        while interview.prompt.kind != "code":
            interview.answer(("all" if passed == 10 else "none") if interview.revealed else "words")
        interview.check(Checked("roc_auc", passed, 10))
        if passed < 10:
            assert interview.prompt.kind == "code"
            interview.answer("next")
        for prompt_id in ("roc_auc/cost", "roc_auc/edge cases", "roc_auc/passed"):
            assert interview.prompt.id == prompt_id
            said[prompt_id, passed] = interview.prompt.says
            interview.answer("words")
            interview.answer("all")
        interview.abandon()
    assert all(said[name, 10] != said[name, 3] for name, _ in said)
    assert said["roc_auc/passed", 10].startswith("It passes")


# -- hints and marks


def test_a_hint_lowers_the_suggested_mark_of_its_criterion_and_of_no_other(tmp_path: Path):
    marks = {}
    for hints in (0, 2):
        interview = Interview.start(new_file(tmp_path / str(hints)), "coding", about="roc_auc")
        while interview.prompt.kind != "code":
            interview.answer("all" if interview.revealed else "words")
        for _ in range(hints):
            assert "costs a mark of Solution correctness" in interview.hint()
        interview.check(Checked("roc_auc", 10, 10))
        go_on(interview)
        marks[hints] = {found.criterion: found.mark for found in interview.suggestions()}
    assert marks[0]["Solution correctness"] == 5 and marks[2]["Solution correctness"] == 3
    assert {c: m for c, m in marks[0].items() if "correct" not in c} == {
        c: m for c, m in marks[2].items() if "correct" not in c
    }


def test_a_mark_never_falls_below_the_lowest_and_hints_run_out(file: ProgressFile):
    interview = Interview.start(file, "design", about="chatbot")
    with pytest.raises(InvalidInput, match="no hint here"):
        interview.hint()
    go_on(interview, right=False, until=lambda i: i.prompt.id == "L")
    interview.hint()
    interview.hint()
    with pytest.raises(InvalidInput, match="no hint left"):
        interview.hint()
    go_on(interview, right=False)
    assert mark_of(interview, "Trade-off analysis") == 1


def test_what_nothing_was_seen_of_has_no_suggestion(file: ProgressFile):
    interview = Interview.start(file, "coding", about="roc_auc")
    go_on(interview)
    assert mark_of(interview, "Code quality") is None


def test_time_management_is_marked_by_the_clock_and_the_tests(tmp_path: Path):
    marks = []
    for solved, late in ((True, False), (False, False), (True, True)):
        clock = FixedClock(START_MS)
        interview = Interview.start(new_file(tmp_path / f"{solved}{late}", clock), "coding", about="roc_auc")
        go_on(interview, until=lambda i: i.prompt.kind == "code")
        interview.check(Checked("roc_auc", 10 if solved else 2, 10))
        clock.advance(46 * MINUTE_MS if late else MINUTE_MS)
        go_on(interview)
        marks.append(mark_of(interview, "Time management"))
    assert marks == [5, 3, 2]


def test_the_best_check_counts(file: ProgressFile):
    interview = Interview.start(file, "coding", about="roc_auc")
    go_on(interview, until=lambda i: i.prompt.kind == "code")
    for passed in (2, 7, 4):
        assert not interview.check(Checked("roc_auc", passed, 10))
    assert interview.reply == Reply(passed=7, total=10, attempts=3)


def test_marks_outside_the_scale_or_before_the_end_are_refused(file: ProgressFile):
    interview = Interview.start(file, "theory", seed=1)
    good = dict.fromkeys(ROUNDS["theory"].criteria, 3)
    with pytest.raises(InvalidInput, match="not at its end"):
        interview.finish(good)
    go_on(interview)
    with pytest.raises(InvalidInput, match="1 to 5"):
        interview.finish(good | {"Depth of knowledge": 6})
    assert interview.finish(good).average == 3.0


# -- one at a time, and what goes wrong


def test_only_one_interview_at_a_time(file: ProgressFile):
    first = Interview.start(file, "theory", seed=1)
    with pytest.raises(InvalidInput, match="--resume"):
        Interview.start(file, "design")
    held = first.abandon()
    assert (held.how, held.average, dict(held.marks)) == ("abandoned", None, {})
    Interview.start(file, "design", seed=1)


@pytest.mark.parametrize(
    "options", [{"name": "poker"}, {"name": "theory", "minutes": 4}, {"name": "design", "about": "roc_auc"}]
)
def test_what_cannot_be_begun_is_refused_and_nothing_runs(options: dict[str, object], file: ProgressFile):
    with pytest.raises(InvalidInput, match=r"there (is|are)|takes 5 to 180"):
        Interview.start(file, **options)  # type: ignore[arg-type]
    assert Interview.resume(file) is None


def test_an_answer_to_what_another_kernel_answered_already_is_refused(file: ProgressFile):
    one = Interview.start(file, "behavioral", seed=1)
    two = again(file)
    prompt = one.prompt
    one.answer("first", prompt.id)
    one.answer("all", prompt.id)
    with pytest.raises(InvalidInput, match="elsewhere"):
        two.answer("second", prompt.id)
    assert two.prompt.id == one.prompt.id and two.state.replies[prompt.id].text == "first"


def test_an_interview_that_another_kernel_ended_is_over_here_too(file: ProgressFile):
    one = Interview.start(file, "behavioral", seed=1)
    two = again(file)
    one.abandon()
    with pytest.raises(InvalidInput, match="over"):
        two.answer("a story")
    with pytest.raises(InvalidInput, match="over"):
        two.abandon()
    assert two.phase == "over" and len(history(file.read())) == 1


def test_two_kernels_at_once_lose_nothing_of_the_quiz(tmp_path: Path):
    path = tmp_path / "progress.json"
    ids = [question.id for topic in read_bank() for question in topic.questions][:10]
    interview = Interview.start(ProgressFile(path), "design", seed=1)
    threads = [
        threading.Thread(target=lambda: [remember(ProgressFile(path), name, "right") for name in ids]),
        threading.Thread(target=lambda: go_on(interview)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(memories(ProgressFile(path).read())) == set(ids)
    assert again(ProgressFile(path)).phase == "scorecard"


DAMAGED = [
    7,
    {},
    {"id": "x", "round": "theory"},
    {"round": "poker"},
    {"about": ["no-such-question"]},
    {"seed": -1},
    {"minutes": 9_999},
    {"spent_ms": "long"},
    {"replies": {"clarify": 3}},
    {"replies": {"clarify": {"done": "yes"}}},
    {"replies": {"clarify": {"points": ["a"]}}},
]


@pytest.mark.parametrize("damage", DAMAGED, ids=str)
def test_a_damaged_interview_is_laid_aside_and_a_new_one_can_begin(damage: object, file: ProgressFile):
    interview = Interview.start(file, "theory", seed=1)
    whole = interview.state.as_dict()
    broken = whole | damage if isinstance(damage, dict) and damage and "id" not in damage else damage
    with file.change() as progress:
        progress.mocks["current"] = broken
        progress.mocks["of a later version"] = 1
    assert Interview.resume(file) is None
    Interview.start(file, "design", seed=1)
    mocks = file.read().mocks
    assert mocks["unreadable"] == [broken] and mocks["of a later version"] == 1


def test_damaged_history_is_passed_over_and_kept(file: ProgressFile):
    hold(file, "behavioral", seed=1)
    strange = [3, {"id": "x"}, {**file.read().mocks["history"][0], "marks": {"STAR structure": 9}}]
    with file.change() as progress:
        progress.mocks["history"] = strange + progress.mocks["history"]
    assert len(history(file.read())) == 1
    hold(file, "design", seed=1)
    assert [one.round for one in history(file.read())] == ["behavioral", "design"]
    assert file.read().mocks["history"][:3] == strange


def test_text_that_is_no_answer_changes_nothing(file: ProgressFile):
    interview = Interview.start(file, "design", about="chatbot")
    interview.answer("words")
    before = file.read().mocks
    for text in ("9", "perhaps", ""):
        with pytest.raises(InvalidInput, match="name numbers"):
            interview.answer(text)
    assert file.read().mocks["current"]["replies"] == before["current"]["replies"]


@pytest.mark.parametrize(("text", "found"), [("1,3", (1, 3)), ("3 1 1", (1, 3)), ("ALL", (1, 2, 3)), ("none", ())])
def test_points_are_named_as_people_write_them(text: str, found: tuple[int, ...]):
    assert numbers_of(text, 3) == found


# -- what is drawn


def test_theory_draws_eight_over_several_topics_and_what_is_forgotten_more_often(tmp_path: Path):
    file = new_file(tmp_path)
    topic = read_bank()[0]
    for question in topic.questions:
        for _ in range(3):
            remember(file, question.id, "right")
    known, drawn = {question.id for question in topic.questions}, []
    for seed in range(12):
        interview = Interview.start(file, "theory", seed=seed)
        assert len(set(interview.state.setup.about)) == 8
        drawn += interview.state.setup.about
        interview.abandon()
    total = sum(len(found.questions) for found in read_bank())
    share = sum(name in known for name in drawn) / len(drawn)
    assert share < 0.6 * len(known) / total


def test_what_was_asked_lately_is_avoided(tmp_path: Path):
    file = new_file(tmp_path)
    about = [hold(file, "design", seed=seed).about[0] for seed in range(3)]
    assert len(set(about)) == 3


def test_a_theory_question_asked_lately_is_less_likely_than_one_that_is_as_well_known():
    wishes = [Wish(np.random.default_rng(0), Progress(), 45, recent, {"b": 0.3}) for recent in ((), ("a", "b"))]
    for name in ("a", "b"):
        usual, lately = (theory.weight(name, wish) for wish in wishes)
        assert 0 < lately < usual / 5


def test_theory_answers_count_for_the_quiz(file: ProgressFile):
    held = hold(file, "theory", seed=1)
    assert set(memories(file.read())) == set(held.about)


def test_coding_problems_fit_the_time(tmp_path: Path):
    from fraudkit.workbook.exercise import exercise

    for minutes in (5, 25, 45, 90):
        interview = Interview.start(new_file(tmp_path / str(minutes)), "coding", seed=3, minutes=minutes)
        items = [exercise(name) for name in interview.state.setup.about]
        assert sum(item.minutes for item in items) <= max(0.8 * minutes, 7)
        assert len(items) <= 2


def test_the_schedule_is_the_seven_of_the_specification():
    assert {name: SCHEDULE.count(name) for name in ROUNDS} == {"coding": 2, "theory": 2, "design": 2, "behavioral": 1}
    assert next_round([]) == "coding" and next_round(SCHEDULE) == ""


def test_suggestions_of_an_untouched_interview_are_the_lowest_or_open(file: ProgressFile):
    interview = Interview.start(file, "design", about="chatbot")
    assert {found.mark for found in suggestions(interview.state)} == {1}
