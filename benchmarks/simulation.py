"""Simulation of the reference world against the usual loop over customers, days and purchases.

python -m benchmarks.simulation            # the loop on 5 % of the customers
python -m benchmarks.simulation --full     # the loop on all of them: the published figure (ten minutes)
python -m benchmarks.simulation --quick    # a tiny world
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np

from benchmarks.baselines.pandas_simulation import simulate_world
from benchmarks.clock import middle, timed
from benchmarks.record import Figure, Record, new_record, table, write_record
from fraudkit.core.console import progress_bar
from fraudkit.simulate import WORLDS, WorldConfig, simulate

GOAL = 50.0
SEED = 7


def measure(config: WorldConfig, share: float) -> Record:
    """Time both, the loop on `share` of the customers, and make a record."""
    simulate(replace(config, users=100), np.random.default_rng(SEED))  # imports and first calls
    world, first = timed(lambda: simulate(config, np.random.default_rng(SEED)))
    with progress_bar("customer loop") as progress:
        (made, labels, truth), loop = timed(
            lambda: simulate_world(config, np.random.default_rng(SEED), share, progress)
        )
    again = [timed(lambda: simulate(config, np.random.default_rng(SEED)))[1] for _ in range(2)]
    ours = middle([first, *again])
    rows, loop_rows = len(world.transactions), len(made)
    per_row, loop_per_row = ours.wall_s / rows, loop.wall_s / loop_rows
    return new_record(
        "simulation",
        "Simulation against a loop over customers",
        "python -m benchmarks.simulation --full",
        [
            Figure("fraudkit, transactions", rows, "rows"),
            Figure("fraudkit", ours.wall_s, "s"),
            Figure("fraudkit, transactions a second", rows / ours.wall_s, "/s"),
            Figure("customer loop, transactions", loop_rows, "rows"),
            Figure("customer loop", loop.wall_s, "s"),
            Figure("loop over fraudkit, time a transaction", loop_per_row / per_row, "×", at_least=GOAL),
            Figure(
                "loop over fraudkit, processor time a transaction",
                (loop.cpu_s / loop_rows) / (ours.cpu_s / rows),
                "×",
            ),
        ],
        [
            f"The loop made {100 * share:g} % of the {config.users:,} customers over {config.days} days, with the same "
            f"columns, {100 * truth['is_fraud'].mean():.1f} % frauds of seven kinds and {len(labels):,} labels "
            f"(fraudkit: {100 * world.truth['is_fraud'].mean():.1f} %, {len(world.labels):,}).",
            "Both use one core; fraudkit is the median of three runs around the loop's one.",
        ],
        ["numpy", "pandas", "pyarrow"],
    )


def main(arguments: list[str] | None = None) -> None:
    """Measure, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tiny world; nothing is written")
    parser.add_argument("--full", action="store_true", help="the loop over all customers; writes the record")
    options = parser.parse_args(arguments)
    config = WorldConfig("quick", users=40, test_days=5) if options.quick else WORLDS["reference"]
    record = measure(config, 1.0 if options.quick or options.full else 0.05)
    print(table(record))
    print(*record.notes, sep="\n")
    if options.full:
        write_record(record)


if __name__ == "__main__":
    main()
