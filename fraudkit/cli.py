"""The `fraudkit` command: a table of sub-commands, each loaded only when it is called.

Loading late matters: the training commands import packages that take seconds, and `fraudkit
doctor` has to work where some are missing. An error that a user can mend is printed as one
sentence and ends with exit code 1; a bug keeps its traceback.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import typer
from rich.table import Table
from typer.core import TyperGroup

from fraudkit import __version__
from fraudkit.core.console import console, output, until_reader_leaves
from fraudkit.core.errors import FraudkitError

# name -> (module:attribute, what it does). The attribute is a typer.Typer group or a function.
COMMANDS: dict[str, tuple[str, str]] = {
    "doctor": ("fraudkit.doctor:doctor", "say what is missing on this machine and how to get it"),
    "setup": ("fraudkit.pipeline.commands:setup", "build a world and a model where there is none"),
    "simulate": ("fraudkit.simulate.commands:simulate_command", "simulate a world and write it to the lake"),
    "lake": ("fraudkit.lake.commands:app", "check, query, show and import tables"),
    "features": ("fraudkit.features.commands:app", "list the 143 features, prove online equals offline"),
    "rules": ("fraudkit.rules.commands:app", "list the rules and measure each on labelled data"),
    "train": ("fraudkit.pipeline.commands:train", "train a bundle on a world and register it as candidate"),
    "retrain": ("fraudkit.pipeline.commands:retrain", "retrain as of a day, ask the gate, promote: the daily run"),
    "evaluate": ("fraudkit.pipeline.commands:evaluate", "measure every model of a bundle on the test period"),
    "models": ("fraudkit.registry.commands:app", "list, show, promote and roll back models"),
    "benchmark": ("fraudkit.benchmark.commands:benchmark", "run your own table through features, models and metrics"),
    "serve": ("fraudkit.serve.commands:serve", "start the scoring service"),
    "log": ("fraudkit.audit.commands:app", "bring decision events from the stream to the archive, and check them"),
    "replay": ("fraudkit.audit.commands:replay_command", "make logged decisions again and compare bit for bit"),
    "keys": ("fraudkit.serve.key_commands:app", "add, list and revoke API keys of the service"),
    "openapi": ("fraudkit.serve.commands:openapi", "print the service's OpenAPI schema"),
    "monitor": ("fraudkit.monitor.commands:monitor", "look at a running service: state, alerts, drift"),
    "shadow": ("fraudkit.monitor.shadow_command:shadow", "compare the candidate with production on the same payments"),
    "check": ("fraudkit.workbook.commands:check", "check an answer to an exercise from a file"),
    "next": ("fraudkit.workbook.commands:next_command", "name the next exercise"),
    "progress": ("fraudkit.workbook.commands:progress", "show, export or reset what is done"),
    "watch": ("fraudkit.workbook.commands:watch", "check exercises again when their notebook is saved"),
    "quiz": ("fraudkit.workbook.quiz.commands:quiz", "answer theory questions; what is missed comes back"),
    "mock": ("fraudkit.workbook.mock.commands:mock", "hold a mock interview: staged questions, countdown, scorecard"),
    "today": ("fraudkit.workbook.plan.today:today_command", "what to do today: late, planned, due, the next mock"),
    "readiness": (
        "fraudkit.workbook.readiness:readiness_command",
        "how far you are, by week and round",
    ),
    "plan": ("fraudkit.workbook.plan.commands:plan", "the twelve-week plan on your calendar: done, late, ahead"),
    "story": ("fraudkit.workbook.stories.commands:app", "write and check STAR stories, and see what they cover"),
    "checklist": ("fraudkit.workbook.checklist_command:checklist", "show, tick and verify checklists"),
    "template": ("fraudkit.workbook.template_command:template", "write a project template, empty or filled in"),
    "exercises": ("fraudkit.workbook.author:app", "build, verify and list the exercises"),
    "grade": ("fraudkit.workbook.grade.command:grade", "grade a class of notebooks: gradebook, report, similarity"),
    "walk": ("fraudkit.workbook.walk:walk", "run every numbered notebook by papermill and time it"),
}


def load_command(name: str) -> Any:
    """Import one sub-command and turn it into what a group hands out."""
    module_name, attribute = COMMANDS[name][0].split(":")
    target: Any = getattr(import_module(module_name), attribute)
    if not isinstance(target, typer.Typer):
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        single.command(name=name)(target)
        target = single
    return typer.main.get_command(target)


class LazyGroup(TyperGroup):
    """A command group that imports a sub-command when it is called, not when it is listed."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return load_command(cmd_name) if cmd_name in COMMANDS else None

    def invoke(self, ctx: Any) -> Any:
        with until_reader_leaves():
            return super().invoke(ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        table = Table(box=None, show_header=False, padding=(0, 2))
        for name, (_, summary) in COMMANDS.items():
            table.add_row(f"[bold]{name}[/bold]", summary)
        output.print("fraudkit COMMAND [OPTIONS]   (each command takes --help)\n")
        output.print(table)


app = typer.Typer(cls=LazyGroup, add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)


def show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: bool = typer.Option(False, "--version", callback=show_version, is_eager=True, help="Print the version."),
) -> None:
    """A real-time card-fraud system and the workbook built on it."""


def main() -> None:
    """Run the command line; a FraudkitError becomes one sentence and exit code 1."""
    try:
        app()
    except FraudkitError as error:
        console.print(f"error: {error}", style="red", markup=False)
        sys.exit(1)
