"""`fraudkit mock`: hold a mock interview in the terminal, go on with one, and see those that were held."""

from __future__ import annotations

import json
from typing import Any

import typer

from fraudkit.core.console import console, output
from fraudkit.core.errors import InvalidInput
from fraudkit.workbook.mock.history import history_table
from fraudkit.workbook.mock.interview import Interview
from fraudkit.workbook.mock.record import history
from fraudkit.workbook.mock.rounds import ROUNDS, SCHEDULE, next_round
from fraudkit.workbook.mock.timer import clock_text
from fraudkit.workbook.progress import Progress, ProgressFile


def mock(
    round_name: str = typer.Argument("", metavar="[ROUND]", help=f"{', '.join(ROUNDS)}; without it, the status."),
    minutes: int | None = typer.Option(None, "--minutes", "-m", help="5 to 180; 45 by default, behavioral 40."),
    seed: int | None = typer.Option(None, "--seed", min=0, help="The same questions again."),
    about: str = typer.Option("", "--about", help="An exercise, quiz topic, drill or question instead of a draw."),
    resume: bool = typer.Option(False, "--resume", help="Go on with the interview that was left."),
    abandon: bool = typer.Option(False, "--abandon", help="End it without marks."),
    status: bool = typer.Option(False, "--status", help="Say what is running, what was held and what comes next."),
    held: bool = typer.Option(False, "--history", help="List the interviews that were held."),
    as_json: bool = typer.Option(False, "--json", help="With --status or --history: print JSON."),
) -> None:
    """Hold a mock interview: staged questions under a countdown, then the scorecard. q leaves, --resume goes on."""
    if sum((bool(round_name), resume, abandon, status, held)) > 1:
        raise InvalidInput("give one of: a round, --resume, --abandon, --status, --history")
    file = ProgressFile()
    if held:
        show_history(file.read(), as_json)
    elif resume or abandon:
        interview = Interview.resume(file)
        if interview is None:
            raise InvalidInput(f"no interview is running; begin one by fraudkit mock {'|'.join(ROUNDS)}")
        if abandon:
            interview.abandon()
            console.print(f"the {interview.state.round_name} interview was abandoned")
        else:
            hold(interview)
    elif round_name:
        hold(Interview.start(file, round_name, seed=seed, minutes=minutes, about=about))
    else:
        show_status(file, as_json)


def hold(interview: Interview) -> None:
    """Drive an interview in this terminal."""
    from fraudkit.workbook.check import close_sandbox
    from fraudkit.workbook.mock.countdown import reader
    from fraudkit.workbook.mock.terminal import run

    try:
        run(interview, console, reader(console))
    finally:
        close_sandbox()


def status_of(file: ProgressFile) -> dict[str, Any]:
    """What is running, how many of each round were held, and which comes next."""
    progress = file.read()
    interview = Interview.resume(file)
    rounds = [one.round for one in history(progress) if one.marks]
    current = None
    if interview is not None:
        prompt = interview.prompt
        current = {
            "round": interview.state.round_name,
            "about": list(interview.state.setup.about),
            "phase": interview.phase,
            "stage": prompt.stage if prompt else "Scorecard",
            "seconds_left": int(interview.seconds_left),
        }
    return {
        "running": current,
        "unreadable": interview is None and "current" in progress.mocks,
        "held": {name: rounds.count(name) for name in ROUNDS},
        "planned": {name: SCHEDULE.count(name) for name in ROUNDS},
        "next": next_round(rounds),
    }


def show_status(file: ProgressFile, as_json: bool) -> None:
    """Print the status."""
    found = status_of(file)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    counts = ", ".join(f"{name} {found['held'][name]} of {count}" for name, count in found["planned"].items())
    output.print(f"held: {counts}")
    if now := found["running"]:
        left = clock_text(now["seconds_left"])
        output.print(f"running: {now['round']}, {now['stage']}, {left} left; fraudkit mock --resume", markup=False)
    elif found["unreadable"]:
        output.print("the interview in the progress file cannot be read; a new one lays it aside")
    if found["next"]:
        output.print(f"next of the {len(SCHEDULE)}: fraudkit mock {found['next']}")
    else:
        output.print(f"all {len(SCHEDULE)} of the plan are held; go on with the round whose average is lowest")


def show_history(progress: Progress, as_json: bool) -> None:
    """Print the interviews that were held."""
    held = history(progress)
    if as_json:
        typer.echo(json.dumps([one.as_dict() for one in held], indent=2))
    else:
        output.print(history_table(held))
