"""What one answer may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on a learner's process.

    Attributes
    ----------
    seconds : wall-clock time of one call
    memory_mb : address space
    output_bytes : size of one encoded answer
    file_mb : size of one written file
    files : files open at once
    """

    seconds: float = 5.0
    memory_mb: int = 2048
    output_bytes: int = 8_000_000
    file_mb: int = 50
    files: int = 256
