"""Measure every published figure again, one after the other, then renew the page: `python -m benchmarks.all`.

About three quarters of an hour, most of it the pandas baselines. A quiet machine is worth waiting for.
"""

from __future__ import annotations

import subprocess
import sys

from benchmarks import readme, report

COMMANDS = (
    ("benchmarks.models",),
    ("benchmarks.store",),
    ("benchmarks.model_runtime",),
    ("benchmarks.explain",),
    ("benchmarks.service",),
    ("benchmarks.capacity",),
    ("benchmarks.simulation", "--full"),
    ("benchmarks.replay",),
    ("benchmarks.false_alarms",),
    ("benchmarks.selective_labels",),
    ("benchmarks.check",),
    ("benchmarks.grading",),
    ("benchmarks.exercises",),
)


def main() -> None:
    """Run each command in a process of its own, so that none inherits another's memory or threads."""
    for module, *options in COMMANDS:
        print(f"\n{module} {' '.join(options)}".rstrip(), flush=True)
        subprocess.run([sys.executable, "-m", module, *options], check=True)
    report.main([])
    readme.main([])


if __name__ == "__main__":
    main()
