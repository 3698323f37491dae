"""The bank of theory questions: its form, its facts, and that nothing about it gives the right option away."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fraudkit.core.config import PROJECT_ROOT
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.exercise import exercise_ids
from fraudkit.workbook.plan.items import read_plan
from fraudkit.workbook.quiz.bank import find_question, parse_topic, read_bank
from fraudkit.workbook.quiz.plots import PLOTS, as_text
from fraudkit.workbook.quiz.question import Choice, Numeric
from fraudkit.workbook.quiz.showing import Showing

QUESTIONS = [question for topic in read_bank() for question in topic.questions]
CHOICES = [question for question in QUESTIONS if isinstance(question, Choice)]
NUMERIC = [question for question in QUESTIONS if isinstance(question, Numeric)]
DRAWS = 12
WORDS = 12  # the least that an explanation or a refutation says
NEEDED = 150


def named(question: object) -> str:
    return question.id  # type: ignore[attr-defined]


def test_the_bank_is_large_and_mixed():
    kinds = Counter(question.kind for question in QUESTIONS)
    assert len(QUESTIONS) >= NEEDED
    assert all(kinds[kind] >= NEEDED // 15 for kind in ("choice", "numeric", "reading", "free")), kinds


def test_every_question_belongs_to_a_box_of_its_weeks_and_links_to_what_exists():
    plan = {item.id: item for item in read_plan().leaves}
    chapters = {path.name[:2] for path in (PROJECT_ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")}
    exercises = set(exercise_ids())
    for topic in read_bank():
        for question in topic.questions:
            assert question.item in plan, f"{question.id}: {question.item}"
            assert plan[question.item].week == topic.week, question.id
            kind, _, name = question.link.partition(":")
            assert name in (chapters if kind == "chapter" else exercises), f"{question.id}: {question.link}"


def test_every_box_that_a_quiz_shows_has_questions_enough():
    counts = Counter(question.item for question in QUESTIONS) | Counter(any=len(QUESTIONS))
    needs = {(e.topic, e.need) for item in read_plan().leaves for e in item.evidence if e.kind == "quiz"}
    assert sorted(topic for topic, need in needs if counts[topic] < need) == []


@pytest.mark.parametrize("question", NUMERIC, ids=named)
def test_a_number_comes_out_the_same_by_another_way(question: Numeric):
    space: dict[str, object] = {}
    exec(question.recompute, space)
    rng = np.random.default_rng(7)
    answers = set()
    for _ in range(DRAWS):
        showing = Showing(question, rng)
        right, other = question.answer(showing.numbers), float(space["answer"](**showing.numbers))  # type: ignore[operator]
        assert other == pytest.approx(right, rel=question.tolerance / 2, abs=1e-9), showing.numbers
        assert showing.mark(showing.right_answer.partition(" ")[0] if question.unit else f"{right!r}").grade == "right"
        assert showing.mark(repr(right * (1 + 3 * question.tolerance) + 1e-6)).grade == "wrong"
        answers.add(round(right, 9))
    assert len(answers) > 1, "the same answer at every showing can be learnt by heart"


@pytest.mark.parametrize("topic", read_bank(), ids=named)
def test_what_a_snippet_claims_is_so(topic: object, tmp_path: Path):
    snippets = [(question.id, question.snippet) for question in topic.questions if question.snippet]  # type: ignore[attr-defined]
    body = "\n".join(
        f"def check_{number}():\n"
        + "\n".join(f"    {line}" for line in text.strip().split("\n"))
        + f"\ntry:\n    check_{number}()\nexcept Exception as error:\n    print({name!r}, repr(error))"
        for number, (name, text) in enumerate(snippets)
    )
    script = tmp_path / "snippets.py"
    script.write_text(body, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", str(script)], capture_output=True, text=True, timeout=120, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_most_of_what_can_be_computed_is():
    shown = sum(bool(question.snippet) for question in CHOICES) + len(NUMERIC)
    assert shown >= 0.4 * (len(CHOICES) + len(NUMERIC))


@pytest.mark.parametrize("pick", [max, min], ids=["longest", "shortest"])
def test_the_length_of_an_option_does_not_give_it_away(pick: object):
    chance = sum(1 / len(question.options) for question in CHOICES)
    won = sum(pick(question.options, key=lambda option: len(option.text)).right for question in CHOICES)  # type: ignore[operator]
    assert won <= 1.25 * chance, f"{won} of {len(CHOICES)}, by chance {chance:.0f}"


@pytest.mark.parametrize("word", ["always", "never", "only", "all", "must", "can", "may", "usually", "often"])
def test_no_word_gives_an_option_away(word: str):
    """Taking (or leaving) the options that hold a word may not beat guessing by far."""
    holding = [
        (option.right, len(q.options)) for q in CHOICES for option in q.options if word in option.text.lower().split()
    ]
    if len(holding) >= 12:
        expected = sum(1 / count for _, count in holding)
        spread = (expected * 0.75) ** 0.5
        assert abs(sum(right for right, _ in holding) - expected) <= 3 * spread + 1


@pytest.mark.parametrize("question", QUESTIONS, ids=named)
def test_a_question_explains_itself(question: object):
    assert len(question.explain.split()) >= WORDS, "the explanation is too short"  # type: ignore[attr-defined]
    if isinstance(question, Choice):
        short = [
            option.text for option in question.options if option.refutes and len(option.refutes.split()) < WORDS // 2
        ]
        assert short == []


def test_the_order_of_options_changes_from_showing_to_showing():
    places = Counter(
        next(i for i, option in enumerate(Showing(question, np.random.default_rng(seed)).options) if option.right)
        for question in CHOICES
        for seed in range(5)
    )
    assert max(places.values()) < 0.5 * places.total()


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_is_asked_about_and_can_be_drawn_as_text(name: str):
    assert any(question.plot == name for question in CHOICES)
    assert len(as_text(name).split("\n")) > 10


GOOD = """
title = "T"
week = "1-2"
""" + "".join(
    f"""
[[questions]]
id = "q-{n}"
item = "dbscan"
kind = "choice"
level = 1
ask = "?"
explain = "e"
source = "s"
link = "chapter:07"
[[questions.options]]
text = "a"
right = true
[[questions.options]]
text = "b"
refutes = "no"
[[questions.options]]
text = "c"
refutes = "no"
"""
    for n in range(3)
)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('text = "b"\nrefutes = "no"', 'text = "b"', "needs `refutes`"),
        ('text = "b"\nrefutes = "no"', 'text = "b"\nright = true', "exactly one"),
        ('text = "b"', 'text = "A"', "two options are the same"),
        ("level = 1", "level = 4", "level"),
        ('source = "s"', "", "source"),
        ('link = "chapter:07"', 'link = "page 7"', "link"),
        ('ask = "?"', 'ask = "?"\ncode = "print(1)"', "reading question"),
        ('kind = "choice"', 'kind = "riddle"', "riddle"),
        ("[[questions]]", "[[questions", "no TOML"),
    ],
)
def test_a_wrong_file_is_refused_and_says_where(old: str, new: str, complaint: str):
    parse_topic("t", GOOD)
    with pytest.raises(InvalidInput, match=complaint):
        parse_topic("t", GOOD.replace(old, new, 1))


def test_an_unknown_question_is_told_its_neighbours():
    with pytest.raises(InvalidInput, match="near it: zero-eigenvalue"):
        find_question("zero-eigenvalues")
