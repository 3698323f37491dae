"""The reference solutions beside scikit-learn, SciPy, torch and others: same result, and the ratio of times.

python -m benchmarks.exercises             # every pair at its full size
python -m benchmarks.exercises --quick     # at its small size
python -m benchmarks.exercises kmeans pca  # these only; nothing is written

What is compared with what stands in exercise_pairs/.
"""

from __future__ import annotations

import argparse
import warnings
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.exercise_pairs import PAIRS, UNPAIRED, Pair, difference, lines_of
from benchmarks.record import Figure, Record, new_record, number, second_table, table, write_record
from benchmarks.timing import fastest_us
from fraudkit.workbook.notebooks import ordered_ids

COLUMNS = ("exercise", "library's call", "size", "difference", "allowed", "time, library / ours", "lines", "note")
PACKAGES = ["numpy", "scikit-learn", "scipy", "torch", "xgboost-cpu", "pandas", "duckdb"]


class Measured(NamedTuple):
    """A pair, the greatest difference of its answers, and the library's time over ours."""

    pair: Pair
    apart: float
    ratio: float

    @property
    def row(self) -> tuple[str, ...]:
        """As it is printed."""
        pair = self.pair
        sizes = f"{pair.size:,}" if pair.size > 1 else ""
        apart, allowed = (f"{value:.0e}" if value else "0" for value in (self.apart, pair.tolerance))
        return pair.id, pair.library, sizes, apart, allowed, number(self.ratio), str(lines_of(pair.id)), pair.note


def measure(pair: Pair, size: int, rounds: int) -> Measured:
    """Compare both answers, then time both calls in turn."""
    ours, theirs = pair.calls(size)
    apart = difference(ours(), theirs())
    times = fastest_us({"ours": ours, "theirs": theirs}, rounds)
    return Measured(pair, apart, times["theirs"] / times["ours"])


def without_counterpart() -> list[str]:
    """One line for each reason why exercises stand alone."""
    reasons = defaultdict(list)
    for exercise_id, reason in UNPAIRED.items():
        reasons[reason].append(exercise_id)
    return [f"Not compared, {reason}: {', '.join(ids)}." for reason, ids in reasons.items()]


def record_of(measured: Sequence[Measured]) -> Record:
    """What a whole run has to say."""
    worst = max(one.apart / one.pair.tolerance for one in measured)
    ratios = np.array([one.ratio for one in measured])
    return new_record(
        "exercises",
        "Reference solutions of the exercises",
        "python -m benchmarks.exercises",
        [
            Figure("greatest difference over what is allowed, all exercises below", worst, "", at_most=1),
            Figure("exercises compared with a library", len(measured), f"of {len(measured) + len(UNPAIRED)}"),
            Figure("the solution is the faster one", float((ratios > 1).sum()), "exercises"),
            Figure("library's time over ours, median", float(np.median(ratios)), "×"),
        ],
        [
            "Both in turn in one process on one thread each, the fastest of five turns. Above 1 the solution is the "
            "faster one. The solutions are made to be explained in an interview; a library checks its input more, and "
            "where a loop in Python stands against compiled code, the ratio says so.",
            "Lines are those of the solution with its imports and helpers, without blank lines.",
            *without_counterpart(),
        ],
        PACKAGES,
        COLUMNS,
        [one.row for one in measured],
    )


def main(arguments: list[str] | None = None) -> None:
    """Measure, print the tables, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes; nothing is written")
    parser.add_argument("ids", nargs="*", help="these exercises only; nothing is written")
    options = parser.parse_args(arguments)
    if unknown := set(options.ids) - PAIRS.keys():
        parser.error(f"no pair for {', '.join(sorted(unknown))}: {', '.join(PAIRS)}")
    torch.set_num_threads(1)
    warnings.simplefilter("error")
    measured = []
    with threadpool_limits(1):
        for exercise_id in options.ids or [name for name in ordered_ids() if name in PAIRS]:
            pair = PAIRS[exercise_id]
            one = measure(pair, *((pair.small, 1) if options.quick else (pair.size, 5)))
            print(
                f"{pair.id:<28} difference {one.apart:.1e}, allowed {pair.tolerance:.0e}, {one.ratio:.3g}", flush=True
            )
            measured.append(one)
    record = record_of(measured)
    print(table(record), second_table(record), sep="\n\n")
    if not (options.quick or options.ids):
        write_record(record)


if __name__ == "__main__":
    main()
