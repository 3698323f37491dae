"""What a figure was measured on: processor, memory, Python, packages. No host name, no path, no user."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any


def machine_facts(packages: Sequence[str] = ()) -> dict[str, Any]:
    """Facts of this machine as JSON values; `packages` are distribution names whose versions matter.

    >>> sorted(machine_facts())
    ['cores', 'cpu', 'memory_gb', 'packages', 'python', 'system']
    """
    return {
        "cores": usable_cores(),
        "cpu": cpu_model(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": platform.system(),
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
    }


def usable_cores() -> int:
    """Cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def cpu_model() -> str:
    """The processor's name as the system tells it."""
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        for line in listing.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
