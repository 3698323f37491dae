"""A sitting of the quiz: what is asked, how it is marked, what comes back and when."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

from fraudkit.cli import app
from fraudkit.core.clock import to_epoch_ms
from fraudkit.core.config import settings
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.plan.items import Evidence
from fraudkit.workbook.plan.state import known_questions
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.quiz.bank import find_question, read_bank
from fraudkit.workbook.quiz.choose import Wanted, matching, next_questions
from fraudkit.workbook.quiz.memory import memories, remember
from fraudkit.workbook.quiz.page import as_markdown
from fraudkit.workbook.quiz.showing import LETTERS, Showing, number
from fraudkit.workbook.quiz.sitting import SECOND_CHANCES, Sitting
from fraudkit.workbook.quiz.terminal import run
from tests.workbook.terminal import seen_in_a_terminal

CHOICE = find_question("zero-eigenvalue")
NUMERIC = find_question("determinant-after-scaling")
FREE = find_question("say-eigenvector")
START = datetime(2026, 3, 1, 9, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def now_ms(self) -> int:
        return to_epoch_ms(self.now)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def file(tmp_path: Path, clock: Clock) -> ProgressFile:
    return ProgressFile(tmp_path / "progress.json", clock)


def showing(question: object, seed: int = 0) -> Showing:
    return Showing(question, np.random.default_rng(seed))  # type: ignore[arg-type]


def letter(shown: Showing, right: bool) -> str:
    return next(name for name, option in zip(LETTERS, shown.options, strict=False) if option.right == right)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.21", 0.21),
        ("21%", 0.21),
        (" 21 % ", 0.21),
        ("3/4", 0.75),
        ("1,234.5", 1234.5),
        ("2e-3", 0.002),
        ("−5", -5),
        (".5", 0.5),
    ],
)
def test_a_number_is_read_as_people_write_it(text: str, value: float):
    assert number(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "b", "1 or 2", "1/0", "nan", "1e999"])
def test_what_is_no_number_is_refused(text: str):
    with pytest.raises(InvalidInput, match="number"):
        number(text)


def test_a_wrong_option_is_refuted_and_the_right_one_is_named():
    shown = showing(CHOICE)
    wrong = shown.mark(letter(shown, right=False))
    assert wrong.grade == "wrong" and wrong.why and "One weighted sum" in wrong.right_answer
    assert shown.mark(letter(shown, right=True).upper() + ")").grade == "right"
    with pytest.raises(InvalidInput, match="none of the options"):
        shown.mark("z")


def test_a_number_off_by_a_hundred_or_by_its_sign_is_told_so():
    shown = showing(NUMERIC)
    right = NUMERIC.answer(shown.numbers)  # type: ignore[union-attr]
    assert shown.mark(f"{right * 100}").why.startswith("that is a hundred times too large")
    assert "sign" in shown.mark(f"{-right}").why
    assert shown.mark(f"{right * 1.005}").grade == "right" and shown.mark(f"{right * 1.02}").grade == "wrong"


def test_numbers_stand_in_the_question_and_in_the_explanation():
    shown = showing(NUMERIC, seed=3)
    for value in shown.numbers.values():
        assert f"{value:g}" in shown.ask
    assert "{" not in shown.ask + shown.explain and shown.right_answer in shown.explain


@pytest.mark.parametrize(("said", "grade"), [("all", "right"), ("1, 2", "partly"), ("1", "wrong"), ("none", "wrong")])
def test_a_free_answer_is_marked_by_its_points(said: str, grade: str):
    marked = showing(FREE).mark(said)
    assert marked.grade == grade and bool(marked.why) == (grade != "right")
    with pytest.raises(InvalidInput, match="1 to 4"):
        showing(FREE).mark("7")


def test_what_is_right_comes_back_later_each_time_and_a_miss_at_once(file: ProgressFile, clock: Clock):
    waits = []
    for _ in range(5):
        memory = remember(file, CHOICE.id, "right")
        waits.append(memory.due - clock.now)
        clock.now = memory.due
    assert waits == sorted(waits) and waits[-1] > timedelta(days=20)
    missed = remember(file, CHOICE.id, "wrong")
    assert missed.due - clock.now < timedelta(hours=1) and missed.recall(clock.now) > 0.9
    assert missed.recall(clock.now + timedelta(days=60)) < 0.7
    assert (missed.seen, missed.right, missed.last) == (6, 5, "wrong")


def test_a_clock_set_back_breaks_nothing(file: ProgressFile, clock: Clock):
    first = remember(file, CHOICE.id, "right")
    clock.now -= timedelta(days=400)
    second = remember(file, CHOICE.id, "right")
    assert second.seen == 2 and second.due >= first.due - timedelta(minutes=10)
    assert 0 <= second.recall(clock.now) <= 1


def test_a_damaged_card_counts_as_never_seen(file: ProgressFile):
    remember(file, CHOICE.id, "right")
    with file.change() as progress:
        progress.quiz["cards"]["broken"] = {"card": 7}
        progress.quiz["cards"]["other"] = None
    assert set(memories(file.read())) == {CHOICE.id}


def test_due_questions_go_first_and_new_ones_fill_the_rest(file: ProgressFile, clock: Clock):
    wanted = Wanted(topic="linear_algebra")
    everything = matching(wanted)
    remember(file, FREE.id, "wrong")
    now = clock.now + timedelta(days=1)
    chosen = next_questions(wanted, memories(file.read()), now, 2)
    assert chosen[0].id == FREE.id and chosen[1].id == everything[0].id
    assert [q.id for q in next_questions(Wanted(weak=True), memories(file.read()), now, 9)] == [FREE.id]


def test_when_nothing_is_due_the_soonest_comes_early(file: ProgressFile, clock: Clock):
    wanted = Wanted(topic="linear_algebra")
    for question in matching(wanted):
        remember(file, question.id, "right")
    assert len(next_questions(wanted, memories(file.read()), clock.now, 3)) == 3


@pytest.mark.parametrize("wanted", [Wanted(week="13"), Wanted(topic="astrology"), Wanted(kind="riddle")])
def test_a_filter_that_fits_nothing_names_what_exists(wanted: Wanted):
    with pytest.raises(InvalidInput, match="there are"):
        matching(wanted)


def test_a_miss_comes_again_at_the_end_but_not_for_ever(file: ProgressFile):
    sitting = Sitting([CHOICE, NUMERIC], file, np.random.default_rng(0))
    asked = []
    while sitting.showing is not None:
        asked.append(sitting.showing.question.id)
        shown = sitting.showing
        sitting.answer(letter(shown, right=False) if shown.question is CHOICE else repr(NUMERIC.answer(shown.numbers)))
        sitting.next()
    assert asked == [CHOICE.id, NUMERIC.id] + [CHOICE.id] * SECOND_CHANCES
    assert (sitting.right, sitting.first_grades[CHOICE.id]) == (1, "wrong")


def test_what_is_no_answer_records_nothing(file: ProgressFile):
    sitting = Sitting([CHOICE], file, np.random.default_rng(0))
    with pytest.raises(InvalidInput):
        sitting.answer("perhaps")
    assert memories(file.read()) == {} and sitting.showing is not None


def test_a_terminal_sitting_that_is_left_keeps_what_was_answered(file: ProgressFile):
    sitting = Sitting([CHOICE, FREE], file, np.random.default_rng(0))
    lines = iter([letter(sitting.showing, right=True), ""])  # type: ignore[arg-type]

    def read(_: str) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    console = Console(record=True, width=100, file=StringIO())
    run(sitting, console, read)
    assert set(memories(file.read())) == {CHOICE.id}
    text = console.export_text()
    assert "✓ right" in text and "1 of 1 right" in text and "A model answer" in text


def test_two_kernels_at_once_lose_no_answer(tmp_path: Path):
    path, ids = tmp_path / "progress.json", [q.id for topic in read_bank() for q in topic.questions][:12]
    threads = [
        threading.Thread(target=lambda half=half: [remember(ProgressFile(path), name, "right") for name in half])
        for half in (ids[::2], ids[1::2])
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(memories(ProgressFile(path).read())) == set(ids)


def test_items_of_the_plan_count_questions_last_answered_right(file: ProgressFile):
    remember(file, CHOICE.id, "right")
    remember(file, NUMERIC.id, "right")
    remember(file, NUMERIC.id, "wrong")
    assert known_questions(file.read(), Evidence("quiz", (), CHOICE.item, 3)) == 1


def test_a_saved_notebook_holds_the_same_questions_each_time():
    text = as_markdown([CHOICE, NUMERIC, FREE])
    assert text == as_markdown([CHOICE, NUMERIC, FREE]) and text.count("<details>") == 3


def test_the_list_and_the_state_as_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FRAUDKIT_HOME", str(tmp_path))
    settings.cache_clear()
    listed = json.loads(CliRunner().invoke(app, ["quiz", "--list", "--json"]).stdout)
    assert len(listed) == sum(len(topic.questions) for topic in read_bank())
    assert {"id", "topic", "kind"} <= set(listed[0])
    state = json.loads(CliRunner().invoke(app, ["quiz", "--state", "--week", "1-2", "--json"]).stdout)
    assert all(row["seen"] == 0 for row in state)
    settings.cache_clear()


def test_a_real_terminal_can_take_the_quiz(tmp_path: Path):
    """Through a pseudo-terminal: a question, a wrong kind of answer, an answer, and out by q."""
    arguments = ("quiz", "-n", "2", "--topic", "linear_algebra", "--kind", "choice", "--seed", "1")
    text = seen_in_a_terminal(tmp_path, *arguments, typed="zebra\na\nq\nq\nq\n")
    assert "none of the options" in text and "right at the first showing" in text and "Traceback" not in text
    assert len(memories(ProgressFile(tmp_path / "progress.json").read())) == 1
