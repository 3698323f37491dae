"""What running one notebook may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RunLimits:
    """Bounds on the execution of a notebook; memory and processes are the graded kernel's own to bound.

    Attributes
    ----------
    cell_seconds : then the cell is interrupted and the next one runs
    notebook_seconds : then the kernel is ended
    cell_bytes : output of a cell that is kept
    notebook_bytes : output of all cells; beyond it the kernel is ended
    disk_bytes, disk_files : in the notebook's own folder; beyond them the kernel is ended
    """

    cell_seconds: float = 20.0
    notebook_seconds: float = 120.0
    cell_bytes: int = 1_000_000
    notebook_bytes: int = 10_000_000
    disk_bytes: int = 200_000_000
    disk_files: int = 20_000
