"""Stories in the STAR form: what plain checks find, what is covered, and that no file is lost or overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fraudkit.cli import app
from fraudkit.core.errors import FraudkitError, InvalidInput
from fraudkit.workbook.plan.items import Evidence, read_plan
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.stories.cover import cover
from fraudkit.workbook.stories.look import look
from fraudkit.workbook.stories.record import stories_written
from fraudkit.workbook.stories.remarks import is_complete, remarks
from fraudkit.workbook.stories.shelf import Shelf, template
from fraudkit.workbook.stories.story import ASKED_FOR, KINDS, QUESTIONS, WALKTHROUGH, parse_story

EXAMPLE = template("example.md")


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["story", *arguments])
    told = str(result.exception) if isinstance(result.exception, FraudkitError) else ""
    return result.exit_code, result.output + told


def told(text: str) -> str:
    return " / ".join(remark.says for remark in remarks(parse_story("s", text)))


def test_the_example_is_complete():
    assert remarks(parse_story("example", EXAMPLE)) == []


def test_the_form_says_what_is_missing_and_its_advice_is_not_counted_as_text():
    story = parse_story("new", template("story.md").replace("KIND", "success"))
    assert story.words == 0 and not is_complete(story)
    assert {remark.part for remark in remarks(story)} >= {"Situation", "Task", "Action", "Result", "Reflection"}


def part_of(heading: str) -> str:
    return parse_story("s", EXAMPLE).parts[heading]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (part_of("Result"), "False alarms fell a good deal, and people began to trust it again.", "no number"),
        (part_of("Reflection"), "It was a pity, and the people on call were unhappy for a long while.", "lesson"),
        (part_of("Action"), "The alarm was replayed and then it was changed by hand.", "words; a listener needs"),
        (part_of("Action"), part_of("Action").replace("I ", "they ").replace("I'", "they'"), "no 'I'"),
        (part_of("Situation"), part_of("Situation") + " word" * 200, "make it shorter"),
        (part_of("Task"), "", "Task has 0 words"),
        (EXAMPLE[EXAMPLE.index("Answers:") : EXAMPLE.index("## Sit")], "Answers:\nPrinciples:\n\n", "answers no"),
    ],
)  # fmt: skip
def test_what_a_story_lacks_is_named(old: str, new: str, complaint: str):
    assert complaint in told(EXAMPLE.replace(old, new))


def test_vague_words_and_we_are_remarked_but_do_not_keep_a_story_from_being_complete():
    text = EXAMPLE.replace("I replayed", "We did, we thought, we saw, we met, we wrote: I significantly replayed")
    story = parse_story("s", text)
    says = [remark.says for remark in remarks(story)]
    assert any("'significantly'" in line for line in says)
    assert is_complete(story)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("# The alarm that cried every day", "", "has no title"),
        ("Kind: failure", "Kind: triumph", "'triumph'"),
        ("dive-deep", "dive-deeper", "dive-deeper"),
        ("a-time-you-failed", "a-time-you-won", "a-time-you-won"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(old: str, new: str, complaint: str):
    with pytest.raises(InvalidInput, match=complaint):
        parse_story("s", EXAMPLE.replace(old, new, 1))


def test_kinds_questions_and_principles_are_the_specification_s():
    items = {item.id: item for item in read_plan().items}
    assert set(items) >= QUESTIONS
    assert [count for _, count in KINDS.values()] == [3, 2, 2, 1, 1] and ASKED_FOR == 10
    assert [items[child.id].text for child in read_plan().children["walk-through-a-project"]] == list(WALKTHROUGH)


def test_only_complete_stories_cover_anything(home: Path):
    shelf = Shelf()
    shelf.new("begun", "failure")
    (shelf.folder / "alarm.md").write_text(EXAMPLE, encoding="utf-8")
    rows = {(row.topic, row.need): row for row in cover(shelf.stories()[0])}
    assert rows["failure", 2].stories == ("alarm",) and rows["failure", 2].is_open
    assert rows["dive-deep", 1].stories == ("alarm",) and not rows["dive-deep", 1].is_open
    assert rows["any", ASKED_FOR].stories == ("alarm",)


def test_the_plan_counts_complete_stories_and_parts_of_the_walkthrough(home: Path):
    shelf, file = Shelf(), ProgressFile()
    topics = (
        "kind/failure",
        "question/a-time-you-failed",
        "principle/dive-deep",
        "kind/any",
        "part/evaluation-results",
    )

    def counts() -> list[int]:
        look(file)
        return [stories_written(file.read(), Evidence("story", (), topic, 1)) for topic in topics]

    shelf.new("begun", "failure")
    assert counts() == [0, 0, 0, 0, 0]
    (shelf.folder / "alarm.md").write_text(EXAMPLE, encoding="utf-8")
    path = shelf.new_walkthrough(example=True)
    assert counts() == [1, 1, 1, 1, 1]
    path.write_text(path.read_text().replace("## Evaluation and results", "## Evaluation"), encoding="utf-8")
    assert shelf.walkthrough_gaps() == ["Evaluation and results"] and counts() == [1, 1, 1, 1, 0]
    (shelf.folder / "alarm.md").unlink()
    assert counts() == [0, 0, 0, 0, 0]


def test_a_story_is_never_written_over(home: Path):
    assert run("new", "outage", "--kind", "failure")[0] == 0
    path = home / "stories" / "outage.md"
    path.write_text("mine", encoding="utf-8")
    code, output = run("new", "outage")
    assert code == 1 and "exists already" in output and path.read_text() == "mine"


@pytest.mark.parametrize("name", ["../up", "Outage", "a b", "walkthrough", ""])
def test_a_name_that_is_no_file_name_is_refused(home: Path, name: str):
    code, output = run("new", name)
    assert code != 0 and "no name for a story" in output
    assert not list(home.rglob("*.md"))


def test_commands_report_as_json_and_by_exit_code(home: Path):
    run("new", "begun")
    (home / "stories" / "alarm.md").write_text(EXAMPLE, encoding="utf-8")
    (home / "stories" / "broken.md").write_text("nothing", encoding="utf-8")
    code, output = run("check", "--json")
    found = json.loads(output)
    assert code == 1 and found["stories"]["alarm"] == [] and len(found["stories"]["begun"]) >= 5
    assert "has no title" in found["unreadable"]["broken"]
    listed = json.loads(run("list", "--json")[1])["stories"]
    assert {row["name"]: row["complete"] for row in listed} == {"alarm": True, "begun": False}
    assert {row["topic"] for row in json.loads(run("map", "--json")[1])} >= set(KINDS) | QUESTIONS
    assert run("check", "nobody")[0] == 1
