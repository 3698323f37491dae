"""`fraudkit quiz`: a sitting in the terminal, the list of the bank, and what is known of it."""

from __future__ import annotations

import json

import numpy as np
import typer
from rich.table import Table

from fraudkit.core.console import console, output
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.quiz.bank import read_bank
from fraudkit.workbook.quiz.choose import Wanted, matching, next_questions
from fraudkit.workbook.quiz.memory import memories
from fraudkit.workbook.quiz.sitting import Sitting


def quiz(
    count: int = typer.Option(10, "--count", "-n", min=1, max=200, help="How many questions."),
    week: str = typer.Option("", "--week", "-w", help="Weeks of the plan, such as 3-4."),
    topic: str = typer.Option("", "--topic", "-t", help="A topic of the bank, or an item of the plan."),
    kind: str = typer.Option("", "--kind", help="choice, numeric, reading or free."),
    weak: bool = typer.Option(False, "--weak", help="Only what was not right the last time."),
    listed: bool = typer.Option(False, "--list", help="List the questions instead of asking them."),
    state: bool = typer.Option(False, "--state", help="Show what is known and what is due, by topic."),
    seed: int | None = typer.Option(None, "--seed", min=0, help="The same numbers and order of options again."),
    as_json: bool = typer.Option(False, "--json", help="With --list or --state: print JSON."),
) -> None:
    """Answer theory questions; what you miss comes back after days that the scheduler chooses."""
    wanted = Wanted(week, topic, weak, kind)
    file = ProgressFile()
    if listed:
        list_bank(wanted, as_json)
    elif state:
        show_state(wanted, file, as_json)
    else:
        known, now = memories(file.read()), file.moment()
        questions = next_questions(wanted, known, now, count)
        if not questions:
            nothing = "nothing was missed: there is nothing weak to repeat"
            console.print(nothing if weak else "the bank has no such question")
            return
        from fraudkit.workbook.quiz.terminal import run

        run(Sitting(questions, file, np.random.default_rng(seed)), console, console.input)


def list_bank(wanted: Wanted, as_json: bool) -> None:
    """Print ids, topics and kinds."""
    questions = {question.id for question in matching(wanted)}
    rows = [
        {"id": q.id, "topic": topic.id, "week": topic.week, "item": q.item, "kind": q.kind, "level": q.level}
        for topic in read_bank()
        for q in topic.questions
        if q.id in questions
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("question", "topic", "weeks", "kind", "level", title=f"{len(rows)} questions")
    for row in rows:
        table.add_row(str(row["id"]), str(row["topic"]), str(row["week"]), str(row["kind"]), str(row["level"]))
    output.print(table)


def show_state(wanted: Wanted, file: ProgressFile, as_json: bool) -> None:
    """Print, by topic, how many questions were seen, are right, and are due."""
    known, now = memories(file.read()), file.moment()
    fitting = {question.id for question in matching(wanted)}
    rows = []
    for topic in read_bank():
        ids = [question.id for question in topic.questions if question.id in fitting]
        seen = [known[name] for name in ids if name in known]
        if ids:
            rows.append(
                {
                    "topic": topic.id,
                    "week": topic.week,
                    "questions": len(ids),
                    "seen": len(seen),
                    "right": sum(memory.last == "right" for memory in seen),
                    "due": sum(memory.due <= now for memory in seen),
                    "recall": round(sum(memory.recall(now) for memory in seen) / len(ids), 3),
                }
            )
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    table = Table("topic", "weeks", "questions", "seen", "right", "due", "recall now")
    for row in rows:
        table.add_row(*(str(row[key]) for key in ("topic", "week", "questions", "seen", "right", "due", "recall")))
    output.print(table)
