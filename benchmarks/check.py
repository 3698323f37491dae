"""How long a learner waits for `check`: a right answer and a wrong one, over every exercise.

python -m benchmarks.check             # every exercise, five rounds
python -m benchmarks.check --quick     # three exercises, one round
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from benchmarks.record import Figure, Record, new_record, table, write_record
from fraudkit.workbook.exercise import exercise
from fraudkit.workbook.judge import judge, mutant_source
from fraudkit.workbook.notebooks import ordered_ids, reference_source
from fraudkit.workbook.sandbox import Sandbox

GOAL_S = 0.5
SEED = 7


def measure(ids: list[str], rounds: int) -> Record:
    """Time the judging of each solution and each first named wrong answer in one warm sandbox."""
    started = time.perf_counter()
    with Sandbox() as sandbox:
        seconds(ids[0], reference_source(ids[0], exercise(ids[0]).name), sandbox)
        first = time.perf_counter() - started
        right: dict[str, float] = {}
        wrong: dict[str, float] = {}
        for name in ids:
            item = exercise(name)
            solution = reference_source(name, item.name)
            bug = mutant_source(item, item.mutants[0])
            right[name] = float(np.median([seconds(name, solution, sandbox) for _ in range(rounds)]))
            wrong[name] = float(np.median([seconds(name, bug, sandbox) for _ in range(rounds)]))
    slowest = max(right, key=lambda name: right[name])
    return new_record(
        "check",
        "The learner's check",
        "python -m benchmarks.check",
        [
            Figure(
                f"right answer, median of {len(ids)} exercises",
                float(np.median(list(right.values()))),
                "s",
                at_most=GOAL_S,
            ),
            Figure(
                "wrong answer, misconception found, median", float(np.median(list(wrong.values()))), "s", at_most=GOAL_S
            ),
            Figure(f"slowest right answer, {slowest}", right[slowest], "s"),
            Figure("slowest wrong answer", max(wrong.values()), "s"),
            Figure("first check of a kernel, its sandbox's start included", first, "s"),
        ],
        [
            "From the answer's text to the verdict: cases, oracle, a fresh locked process, growth where asked for, "
            "comparison, and the named wrong answers where the answer is wrong. Exercises that measure growth wait for "
            "their own answer at four times the size."
        ],
        ["numpy"],
    )


def seconds(name: str, source: str, sandbox: Sandbox) -> float:
    """Wall-clock time of one verdict."""
    start = time.perf_counter()
    judge(exercise(name), source, sandbox=sandbox, rng=np.random.default_rng(SEED))
    return time.perf_counter() - start


def main(arguments: list[str] | None = None) -> None:
    """Measure, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three exercises; nothing is written")
    quick = parser.parse_args(arguments).quick
    ids = ordered_ids()
    record = measure(ids[:3], rounds=1) if quick else measure(ids, rounds=5)
    print(table(record))
    if not quick:
        write_record(record)


if __name__ == "__main__":
    main()
