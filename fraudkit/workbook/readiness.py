"""Whether one is ready, on one page: the plan by week, the rounds by their mocks, weak spots, and the evidence.

Knows how to gather it; what counts as done is the plan's affair, and `readiness_page` writes the HTML.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import typer

from fraudkit.core.console import console, output
from fraudkit.core.errors import InvalidInput
from fraudkit.core.files import replace_file
from fraudkit.workbook.mock.history import evidence_lines
from fraudkit.workbook.mock.record import TITLES, Held, history
from fraudkit.workbook.plan.items import read_plan
from fraudkit.workbook.plan.scorecard import TARGET
from fraudkit.workbook.plan.state import PlanState
from fraudkit.workbook.plan.ways import notebook_of
from fraudkit.workbook.progress import Progress, ProgressFile
from fraudkit.workbook.quiz.bank import read_bank
from fraudkit.workbook.quiz.memory import memories
from fraudkit.workbook.readiness_page import as_html
from fraudkit.workbook.stories.look import look
from fraudkit.workbook.stories.story import ASKED_FOR

LATEST = 2  # mocks of a round that its average is taken over
SHOWN_MOCKS = 10
WEAK_RECALL = 0.8
SHOWN = 8


@dataclass(frozen=True)
class Weak:
    """Something to work on, and the line to type for it."""

    says: str
    command: str


@dataclass(frozen=True)
class Readiness:
    """The page in plain values.

    Attributes
    ----------
    weeks : week, focus, how many items of how many, of these by evidence and by a tick
    rounds : round, mocks held, the average of each in order and of the latest ones or None, whether that is at the
        target, and the criteria below it
    weak : what to work on, the most pressing first
    evidence : what was recorded, by kind
    mocks : the latest ones held, the last first: day, round, average, and what its marks rest on
    is_ready : every round at the target
    """

    weeks: list[dict[str, Any]]
    rounds: list[dict[str, Any]]
    weak: list[Weak]
    evidence: dict[str, int]
    mocks: list[dict[str, Any]]
    is_ready: bool


def gather(file: ProgressFile) -> Readiness:
    """The state of this learner."""
    look(file)
    progress = file.read()
    state = PlanState(read_plan(), progress)
    rounds = _rounds(progress)
    now = file.moment()
    return Readiness(
        weeks=_weeks(state),
        rounds=rounds,
        weak=[
            *_weak_rounds(rounds),
            *_weak_topics(progress, now),
            *_weak_exercises(progress),
            *_weak_stories(progress),
        ],
        evidence=_evidence(progress),
        mocks=[_mock(held) for held in history(progress) if held.marks][: -SHOWN_MOCKS - 1 : -1],
        is_ready=all(row["at_target"] for row in rounds),
    )


def _weeks(state: PlanState) -> list[dict[str, Any]]:
    rows = []
    for week in state.plan.weeks:
        how = Counter(state.done(item) for item in state.plan.leaves if item.week == week.id)
        rows.append(
            {
                "week": week.id,
                "focus": week.focus,
                "of": how.total(),
                "done": how["shown"] + how["ticked"],
                "shown": how["shown"],
                "ticked": how["ticked"],
            }
        )
    return rows


def _rounds(progress: Progress) -> list[dict[str, Any]]:
    rows = []
    for name, title in TITLES.items():
        held = [one for one in history(progress) if one.round == name and one.average is not None]
        latest = held[-LATEST:]
        mean = round(sum(one.average or 0.0 for one in latest) / len(latest), 2) if latest else None
        by_criterion = {
            criterion: sum(one.marks[criterion] for one in latest) / len(latest)
            for criterion in (latest[-1].marks if latest else ())
        }
        rows.append(
            {
                "round": name,
                "title": title,
                "held": len(held),
                "averages": [round(one.average or 0.0, 2) for one in held],
                "average": mean,
                "at_target": (mean or 0.0) >= TARGET,
                "below": {criterion: mark for criterion, mark in by_criterion.items() if mark < TARGET},
            }
        )
    return rows


def _mock(held: Held) -> dict[str, Any]:
    """A mock that was held to its scorecard."""
    return {
        "day": held.ended_at[:10],
        "round": held.round,
        "title": TITLES[held.round],
        "average": round(held.average or 0.0, 2),
        "evidence": evidence_lines(held),
    }


def _weak_rounds(rounds: list[dict[str, Any]]) -> list[Weak]:
    """Rounds below the target, the lowest first; then single criteria below it in those that reach it."""
    lines = []
    for row in sorted(rounds, key=lambda row: row["average"] or 0.0):
        mean = row["average"]
        below = ", ".join(
            f"{criterion} {mark:.1f}" for criterion, mark in sorted(row["below"].items(), key=lambda pair: pair[1])
        )
        command = f"fraudkit mock {row['round']}"
        if mean is None:
            lines.append(Weak(f"{row['title']}: no mock held yet", command))
        elif not row["at_target"]:
            lines.append(Weak(f"{row['title']}: {mean:.1f} of {TARGET:g}; below it: {below}", command))
        elif below:
            lines.append(Weak(f"{row['title']} is at the target, but not {below}", command))
    return lines


def _weak_topics(progress: Progress, now: Any) -> list[Weak]:
    """Topics of the quiz that were met and are being forgotten, the most forgotten first."""
    known = memories(progress)
    found = []
    for topic in read_bank():
        seen = [known[question.id] for question in topic.questions if question.id in known]
        if seen:
            recall = sum(memory.recall(now) * (memory.last == "right") for memory in seen) / len(seen)
            if recall < WEAK_RECALL:
                says = f"{topic.title}: {recall:.0%} of what was asked is known now"
                found.append((recall, Weak(says, f"fraudkit quiz --topic {topic.id}")))
    return [weak for _, weak in sorted(found, key=lambda pair: (pair[0], pair[1].says))]


def _weak_exercises(progress: Progress) -> list[Weak]:
    """Exercises that were tried and have not passed, with the misconception that was recognised."""
    found = []
    for name, record in sorted(progress.exercises.items()):
        if record.attempts and not record.passed:
            why = f": {record.last_misconception}" if record.last_misconception else ""
            tried = "once" if record.attempts == 1 else f"{record.attempts} times"
            notebook = notebook_of(name)
            found.append(
                Weak(
                    f"exercise {name}, tried {tried} and not passed{why}",
                    f"jupyter lab {notebook}" if notebook else "fraudkit next",
                )
            )
    return found


def _weak_stories(progress: Progress) -> list[Weak]:
    """The stories that are still to be written, for somebody who holds mocks already."""
    complete = _evidence(progress)["stories complete"]
    if complete >= ASKED_FOR or not history(progress):
        return []
    return [Weak(f"stories: {complete} of {ASKED_FOR} complete", "fraudkit story map")]


def _evidence(progress: Progress) -> dict[str, int]:
    cards = progress.quiz.get("cards")
    stories = progress.plan.get("stories")
    return {
        "exercises passed": sum(record.passed for record in progress.exercises.values()),
        "of these without our solution": sum(record.state == "passed" for record in progress.exercises.values()),
        "questions answered": len(cards) if isinstance(cards, dict) else 0,
        "mocks held": sum(bool(held.marks) for held in history(progress)),
        "stories complete": len([name for name in stories if name != "walkthrough"])
        if isinstance(stories, dict)
        else 0,
    }


def as_markdown(found: Readiness) -> str:
    """The page as Markdown."""
    lines = ["| weeks | focus | done | shown | ticked |", "|---|---|---:|---:|---:|"]
    for row in found.weeks:
        done = f"{row['done']} of {row['of']}"
        lines.append(f"| {row['week']} | {row['focus']} | {done} | {row['shown']} | {row['ticked']} |")
    lines += ["", f"| round | mocks held | average of the last {LATEST} | target {TARGET:g} |", "|---|---:|---:|---|"]
    for row in found.rounds:
        mean = "" if row["average"] is None else f"{row['average']:.1f}"
        lines.append(f"| {row['title']} | {row['held']} | {mean} | {'reached' if row['at_target'] else 'not yet'} |")
    lines += ["", "**To work on**", ""]
    lines += [f"- {weak.says}: `{weak.command}`" for weak in found.weak[:SHOWN]] or ["- nothing that was recorded"]
    if len(found.weak) > SHOWN:
        lines.append(f"- and {len(found.weak) - SHOWN} more: `fraudkit readiness --html FILE` lists all")
    lines += ["", "**Evidence.** " + ", ".join(f"{name} {count}" for name, count in found.evidence.items()) + "."]
    return "\n".join(lines)


def readiness() -> None:
    """Show the page in a notebook."""
    from IPython.display import Markdown, display

    display(Markdown(as_markdown(gather(ProgressFile()))))


def readiness_command(
    html: Path = typer.Option(None, "--html", help="Write the page to this file."),
    as_json: bool = typer.Option(False, "--json", help="Print JSON."),
) -> None:
    """Show by week and by round how far you are, what is weak, and what shows it."""
    file = ProgressFile()
    found = gather(file)
    if html is not None:
        day = file.moment().astimezone().date().isoformat()
        try:
            replace_file(html.absolute(), as_html(asdict(found), day, LATEST))
        except OSError as error:
            raise InvalidInput(f"{html} cannot be written ({error.strerror}); name another file") from error
        console.print(f"written to {html}", markup=False)
    elif as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
    else:
        from rich.markdown import Markdown

        output.print(Markdown(as_markdown(found)))
