"""Every box of the plan maps to something that shows it, or is listed here with the reason why only a tick can."""

from __future__ import annotations

from collections import Counter

import pytest

from fraudkit.workbook.drills.drill import MINUTES, drill_ids
from fraudkit.workbook.exercise import exercise, exercise_ids
from fraudkit.workbook.mock.data import behavioral_book
from fraudkit.workbook.mock.rounds import ROUNDS
from fraudkit.workbook.notebooks import topics
from fraudkit.workbook.plan.items import Evidence, read_plan
from fraudkit.workbook.plan.state import PlanState
from fraudkit.workbook.progress import Progress, Record
from fraudkit.workbook.quiz.bank import read_bank
from fraudkit.workbook.stories.story import KINDS

ONLY_A_TICK = {
    "get-feedback": "another person gives it",
    "practice-drawing-architecture-diagrams": "it happens on paper",
    "code-without-ide-whiteboard": "it happens on paper",
    "record-yourself": "the recording is the learner's own",
    "research-companys-ml-applications": "it is about one company",
    "read-engineering-blogs": "it is read elsewhere",
    "review-recent-papers-publications": "it is read elsewhere",
    "understand-companys-products": "it is about one company",
    "prepare-thoughtful-questions-ask": "it is about one company",
    "portfolio-ready-github-projects": "it lies elsewhere",
    "resume-polished-1-page": "it lies elsewhere",
    "linkedin-updated": "it lies elsewhere",
    "references-lined-up": "other people give them",
    "questions-ask-interviewers-prepared": "it is about one company",
}
PLAN = read_plan()
QUESTIONS = Counter(question.item for topic in read_bank() for question in topic.questions)
MOCK_MINUTES = {found.topic: found.minutes for found in ROUNDS.values()}
A_QUESTION = 3  # minutes, with its explanation
ALGORITHMS = [name for topic in topics() if topic.name[:2] >= "22" for name in topic.exercise_ids]


def test_every_box_is_shown_by_something_or_says_why_not():
    assert {item.id for item in PLAN.leaves if not item.evidence} == set(ONLY_A_TICK)


@pytest.mark.parametrize("item", [i for i in PLAN.leaves if i.evidence], ids=lambda item: item.id)
def test_its_evidence_exists_and_can_be_had(item):
    asked = {question.id for question in behavioral_book().questions}
    stories = {f"kind/{kind}" for kind in (*KINDS, "any")} | {f"{group}/{leaf.id}" for leaf in PLAN.leaves
               for group in ("principle", "question", "part")}  # fmt: skip
    for evidence in item.evidence:
        match evidence.kind:
            case "exercise":
                assert set(evidence.ids) <= set(exercise_ids()) and evidence.need <= len(evidence.ids)
            case "drill":
                assert set(evidence.ids) <= set(drill_ids()) and evidence.need <= len(evidence.ids)
            case "quiz":
                there = QUESTIONS.total() if evidence.topic == "any" else QUESTIONS[evidence.topic]
                assert there >= evidence.need
            case "mock":
                assert evidence.topic in ("coding", "theory", "system design", "behavioral")
            case "asked":
                assert evidence.topic in asked
            case "story":
                assert evidence.topic in stories


def test_every_exercise_counts_for_a_box():
    counted = {name for item in PLAN.leaves for evidence in item.evidence for name in evidence.ids}
    assert set(exercise_ids()) <= counted


def test_there_are_as_many_algorithm_problems_of_each_difficulty_as_the_plan_asks_for():
    levels = Counter(exercise(name).difficulty for name in ALGORITHMS)
    assert levels["easy"] >= 20 and levels["medium"] >= 25 and levels["hard"] >= 5
    box = PLAN.item("solve-fifty-problems")
    assert box.every and [problems.need for problems in box.evidence] == [20, 25, 5]
    for problems, level in zip(box.evidence, ("easy", "medium", "hard"), strict=True):
        assert set(problems.ids) == {name for name in ALGORITHMS if exercise(name).difficulty == level}


def test_thirty_coding_problems_and_ten_algorithms_can_be_solved():
    assert PLAN.item("solve-thirty-ml-problems").evidence[0].need == 30
    assert PLAN.item("implement-10-algorithms-scratch").evidence[0].need == 10


def shortest(evidence: Evidence) -> int:
    """Minutes of the quickest way to meet a line of evidence; 0 where only the learner knows how long it takes."""
    match evidence.kind:
        case "exercise":
            return sum(sorted(exercise(name).minutes for name in evidence.ids)[: evidence.need])
        case "drill":
            return MINUTES * evidence.need
        case "quiz":
            return A_QUESTION * evidence.need
        case "mock":
            return MOCK_MINUTES[evidence.topic] * evidence.need
        case _:
            return 0


@pytest.mark.parametrize("item", [i for i in PLAN.leaves if i.evidence], ids=lambda item: item.id)
def test_its_minutes_are_enough_for_each_way_through_its_evidence(item):
    ways = [shortest(evidence) for evidence in item.evidence]
    assert item.minutes >= (sum(ways) if item.every else max(ways)), ways


@pytest.mark.parametrize("item", [i for i in PLAN.leaves if QUESTIONS[i.id] >= 3], ids=lambda item: item.id)
def test_a_box_with_three_questions_of_its_own_is_shown_by_them(item):
    assert [e.need for e in item.evidence if e.kind == "quiz" and e.topic == item.id] == [3]


def test_each_subject_that_a_box_names_is_asked_for_and_one_cannot_stand_for_another():
    for name, subjects in {
        "arrays-linked-lists-stacks": 4,
        "trees-graphs": 2,
        "search-binary-search-bfs": 3,
        "focus-on-arrays-hashmaps": 4,
    }.items():
        box = PLAN.item(name)
        assert box.every and len(box.evidence) == subjects
        ids = [name for evidence in box.evidence for name in evidence.ids]
        assert len(set(ids)) == len(ids)
        dear = [name for evidence in box.evidence[1:] for name in evidence.ids]
        assert PlanState(PLAN, passed(*dear)).done(box) == "open", "without the first subject"
        assert PlanState(PLAN, passed(*ids)).done(box) == "shown"


@pytest.mark.parametrize("box", ["practice-derive-pca-scratch", "implement-collaborative-filtering"])
def test_a_box_for_one_thing_takes_one_exercise(box: str):
    item = PLAN.item(box)
    for name in next(e.ids for e in item.evidence if e.kind == "exercise"):
        assert PlanState(PLAN, passed(name)).done(item) == "shown"


def passed(*names: str) -> Progress:
    return Progress({name: Record(attempts=1, passed_at="2026-01-01T00:00:00.000Z") for name in names})
