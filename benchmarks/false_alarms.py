"""False alarms of drift tests in a simulated month in which nothing is wrong.

python -m benchmarks.false_alarms [--quick]
"""

from __future__ import annotations

import argparse
from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks.record import Figure, new_record, table, write_record
from fraudkit.features.catalog import FEATURE_NAMES
from fraudkit.features.offline import replay
from fraudkit.monitor.drift_history import drift_by_day, usual_distances
from fraudkit.monitor.false_alarms import ALERT, drift_false_alarms
from fraudkit.simulate import WORLDS, WorldConfig, simulate

AT_MOST_A_MONTH = 1.0


def measure(config: WorldConfig, seed: int) -> tuple[list[Figure], list[str]]:
    """Alarms a month of each way on the days after validation, which no limit was learned from."""
    world = simulate(config, np.random.default_rng(seed))
    X = replay(world.transactions, world.users, world.labels)
    known_at = world.transactions["known_at"]
    day = ((known_at - pd.Timestamp(config.start)) // pd.Timedelta(days=1)).to_numpy()
    first, train_end, live = config.warmup_days, config.warmup_days + config.train_days, config.days
    valid_end = train_end + config.valid_days
    rng = np.random.default_rng(seed)
    usual = usual_distances(drift_by_day(X, day, FEATURE_NAMES, range(first + 28, valid_end), rng))
    rates = drift_false_alarms(
        X, day, FEATURE_NAMES,
        training=np.flatnonzero((day >= first) & (day < train_end)),
        judged=range(valid_end, live), usual=usual, rng=rng,
    )  # fmt: skip
    figures = []
    for rate in rates:
        goal = AT_MOST_A_MONTH if rate.way == ALERT else None
        figures.append(Figure(rate.way, rate.a_month, "alarmed days a month", at_most=goal))
        figures.append(Figure(f"{rate.way}: features", rate.features_a_day, "a day"))
    notes = [
        f"{rates[0].days} days of the {config.name} world, {len(X) // config.days:,} payments a day, "
        f"{X.shape[1]} features, one run a day; each way adds to the one above it",
        f"what is usual was learned on {valid_end - first - 28} days before; the last way counts alerts, not days",
    ]
    return figures, notes


def main() -> None:
    """Measure, print and, unless --quick, write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a toy size, nothing is written")
    quick = parser.parse_args().quick
    config = WORLDS["small"]
    if quick:
        config = replace(config, users=60, label_delay_days=10, test_days=10)
    figures, notes = measure(config, seed=7)
    title = "False alarms of drift tests while nothing is wrong"
    record = new_record("false_alarms", title, "python -m benchmarks.false_alarms", figures, notes, ("numpy", "scipy"))
    print(table(record), *notes, sep="\n")
    if not quick:
        print(write_record(record))


if __name__ == "__main__":
    main()
