"""Three learners for the readiness page, made by what they did: not begun, half-way, ready."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from fraudkit.core.clock import FixedClock, to_epoch_ms
from fraudkit.workbook.exercise import exercise_ids
from fraudkit.workbook.mock.interview import Interview
from fraudkit.workbook.mock.rounds import SCHEDULE
from fraudkit.workbook.plan.items import read_plan
from fraudkit.workbook.plan.state import tick
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.quiz.bank import read_bank
from fraudkit.workbook.quiz.memory import remember
from fraudkit.workbook.stories.shelf import Shelf, template
from tests.workbook.mock_helpers import go_on

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def clock_of(file: ProgressFile) -> FixedClock:
    assert isinstance(file.clock, FixedClock)
    return file.clock


def halfway(file: ProgressFile) -> None:
    """Exercises passed and missed, questions forgotten, three mocks, one story, a few ticks."""
    for place, name in enumerate(exercise_ids()[:40]):
        file.attempt(name, "fail" if place % 8 == 3 else "pass", "ties-ordered" if name == "roc_auc" else "")
    for place, question in enumerate(q for topic in read_bank()[:5] for q in topic.questions):
        remember(file, question.id, "wrong" if place % 3 == 0 else "right")
    for name, marks in (("coding", (2, 3, 3, 4, 2)), ("theory", (4, 5, 4)), ("coding", (3, 4, 3, 4, 4))):
        hold(file, name, marks)
    Shelf(file.path.parent / "stories").new("begun", "failure")
    write_story(file, "alarm")
    tick(read_plan(), [item.id for item in read_plan().leaves if item.week == "12"][:3], file)
    clock_of(file).advance(int(timedelta(days=30).total_seconds() * 1000))


def ready(file: ProgressFile) -> None:
    """Everything passed and known today, the seven mocks and three more at the target, ten stories."""
    for name in exercise_ids():
        file.attempt(name, "pass")
    for topic in read_bank():
        for question in topic.questions:
            remember(file, question.id, "right")
    for place in range(10):
        write_story(file, f"alarm-{place}")
    for place, name in enumerate((*SCHEDULE, "behavioral", "coding", "theory")):
        hold(file, name, (3,) if place < 2 else (5, 4))
    tick(read_plan(), [item.id for item in read_plan().leaves if item.week in ("11", "12")], file)


def hold(file: ProgressFile, name: str, marks: tuple[int, ...]) -> None:
    """A whole interview with these marks in turn."""
    clock_of(file).advance(int(timedelta(days=1).total_seconds() * 1000))
    interview = Interview.start(file, name, seed=1)
    go_on(interview, right=marks[0] >= 4)
    criteria = interview.state.round.criteria
    interview.finish({criterion: marks[place % len(marks)] for place, criterion in enumerate(criteria)})


def write_story(file: ProgressFile, name: str) -> None:
    """The example, as a story of this learner."""
    folder = file.path.parent / "stories"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(template("example.md"), encoding="utf-8")


def learner(file: ProgressFile, name: str) -> ProgressFile:
    """The progress of "empty", "halfway" or "ready"."""
    {"empty": lambda _: None, "halfway": halfway, "ready": ready}[name](file)
    return file


def new_clock() -> FixedClock:
    """Where the learners begin."""
    return FixedClock(to_epoch_ms(NOW))
