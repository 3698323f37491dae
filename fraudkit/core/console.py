"""What the command line says to people: on standard error, so that results can be piped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

console = Console(stderr=True, highlight=False)

ProgressCallback = Callable[[float, str], None]


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
