"""Timing one piece of work: seconds on the wall, and seconds of processor that all its threads used."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds that a piece of work took.

    On a machine that does other things as well, the wall tells of those too; the processor's does not.
    """

    wall_s: float
    cpu_s: float


def timed(work: Callable[[], Result]) -> tuple[Result, Spent]:
    """The result of `work` and what it took in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, Spent(time.perf_counter() - wall, time.process_time() - cpu)


def middle(runs: list[Spent]) -> Spent:
    """The median of several runs, wall and processor each by itself."""
    walls, cpus = sorted(run.wall_s for run in runs), sorted(run.cpu_s for run in runs)
    return Spent(walls[len(runs) // 2], cpus[len(runs) // 2])
