"""What the command line says to people: reports on standard output, everything beside them on standard error."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

PIPED_WIDTH = 160


class Report(Console):
    """Standard output: wide off a terminal, since what reads a pipe wants a row to be a line.

    Its reader may leave before the end, as `| head` does: that is no failure.
    """

    def __init__(self) -> None:
        super().__init__(highlight=False)
        if not self.is_terminal and "COLUMNS" not in os.environ:
            self.width = PIPED_WIDTH

    def on_broken_pipe(self) -> None:
        try:
            super().on_broken_pipe()  # gives the rest of the output to nobody, and ends with 1
        except SystemExit:
            raise SystemExit(0) from None


console = Console(stderr=True, highlight=False)  # progress, remarks, errors
output = Report()  # what was asked for: it can be piped

ProgressCallback = Callable[[float, str], None]


@contextmanager
def until_reader_leaves() -> Iterator[None]:
    """Let a command end with 0 where the reader of its JSON or plain lines leaves early: they bypass `output`."""
    try:
        yield
    except BrokenPipeError:
        if _has_no_reader(sys.__stdout__):
            output.on_broken_pipe()
        raise  # another pipe, such as the one to a process of our own, is broken


def _has_no_reader(stream: TextIO | None) -> bool:
    """Whether `stream` is a pipe or socket of which nobody reads any more."""
    if stream is None:
        return False
    poll = select.poll()
    poll.register(stream, 0)  # these two conditions are told without asking
    return any(what & (select.POLLERR | select.POLLHUP) for _, what in poll.poll(0))


@contextmanager
def progress_bar(title: str) -> Iterator[ProgressCallback]:
    """Draw one progress bar and yield `progress(fraction, text)`, fraction in 0..1."""
    columns = (
        TextColumn("{task.description:<24}"),
        BarColumn(),
        TextColumn("{task.fields[text]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bars:
        task = bars.add_task(title, total=1.0, text="")

        def progress(fraction: float, text: str = "") -> None:
            bars.update(task, completed=fraction, text=text)

        yield progress
        bars.update(task, completed=1.0, text="done")


@contextmanager
def progress_table(steps: Sequence[str]) -> Iterator[Callable[[str], ProgressCallback]]:
    """Draw one bar a step and yield `of(step)`, the callback of that step; 1.0 marks it done."""
    columns = (
        TextColumn("{task.description:<10}"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[text]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bars:
        tasks = {step: bars.add_task(step, total=1.0, start=False, text="") for step in steps}

        def of(step: str) -> ProgressCallback:
            bars.start_task(tasks[step])

            def progress(fraction: float, text: str = "") -> None:
                bars.update(tasks[step], completed=fraction, text=text)

            return progress

        yield of


def scaled(progress: ProgressCallback | None, start: float, end: float) -> ProgressCallback:
    """A callback for a part of the work: its 0..1 becomes start..end of the whole. Works on None too."""

    def report(fraction: float, text: str = "") -> None:
        if progress is not None:
            progress(start + (end - start) * fraction, text)

    return report
