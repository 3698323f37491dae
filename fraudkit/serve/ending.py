"""Whether the service was asked to stop. A plain flag: it is set by a signal handler, which may take no lock."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Ending:
    """Set once, read by whoever would start something new."""

    asked: bool = False
