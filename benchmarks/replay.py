"""Offline replay of all 143 features against 116 of them the usual pandas way, on the same table.

    python -m benchmarks.replay             # a share of the reference world, then all of it (a quarter of an hour)
    python -m benchmarks.replay --quick     # a world of 60 card holders

Both compute from the same transactions, users and labels; before a time is written, the values of the
shared features are compared.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from benchmarks.baselines import pandas_features
from benchmarks.clock import Spent, middle, timed
from benchmarks.record import Figure, Record, new_record, table, write_record
from fraudkit.core.console import ProgressCallback, progress_bar
from fraudkit.features.catalog import INDEX, N_FEATURES
from fraudkit.features.offline import replay
from fraudkit.features.records import DEVICE_EVENTS, IP_EVENTS, USER_EVENTS
from fraudkit.simulate import WORLDS, World, simulate

SHARES = (0.05,)
GOAL = 100.0


@dataclass(frozen=True, slots=True)
class Comparison:
    """One size: rows, what each way took, and how far the values agree.

    `agreeing` is the share of equal values among those that both ways define alike; `columns` how
    many features were compared; `comparable` the share of rows whose histories are not bounded.
    """

    rows: int
    baseline: Spent
    replay: Spent
    columns: int
    agreeing: float
    comparable: float


def compare(world: World, users: int, progress: ProgressCallback | None = None) -> Comparison:
    """Time both ways on the first `users` card holders of `world`, and compare their values."""
    chosen = world.users["user_id"].head(users)
    mine = world.transactions["user_id"].astype("string").isin(chosen)
    transactions = pandas_features.on_time(world.transactions[mine])
    labels = world.labels[world.labels["transaction_id"].isin(transactions["transaction_id"])]

    def ours() -> np.ndarray:
        return replay(transactions, world.users, labels)

    replay(transactions.head(100), world.users, labels)  # compiles, or loads what was compiled
    runs = [timed(ours)[1]]
    expected, baseline = timed(lambda: pandas_features.features(transactions, world.users, labels, progress))
    X, after = timed(ours)
    runs += [after, timed(ours)[1]]
    agreeing, comparable = agreement(expected, X)
    return Comparison(len(transactions), baseline, middle(runs), expected.shape[1], agreeing, comparable)


def agreement(expected: pd.DataFrame, X: np.ndarray) -> tuple[float, float]:
    """Share of equal values (within float32's precision), and share of rows that were compared.

    Left out are rows whose history is longer than the online one may be: there the counts differ by
    design. A rolling window closed at its old end differs on an event exactly 30 days old.
    """
    unbounded = (
        (expected["user_txn_count_30d"] <= USER_EVENTS)
        & (expected["device_txn_count_30d"] <= DEVICE_EVENTS)
        & (expected["ip_txn_count_30d"] <= IP_EVENTS)
    ).to_numpy()
    equal = [
        np.isclose(expected[name].to_numpy(dtype="float64")[unbounded], X[unbounded, INDEX[name]], rtol=1e-4, atol=1e-3)
        for name in expected
    ]
    return float(np.mean(equal)), float(unbounded.mean())


def measure(world: World, shares: tuple[float, ...], command: str) -> Record:
    """Compare at every share of the card holders and make a record of the largest."""
    results = []
    for share in shares:
        users = max(1, round(share * len(world.users)))
        with progress_bar(f"pandas, {users:,} users") as progress:
            results.append(compare(world, users, progress))
    last = results[-1]
    growth = "; ".join(f"{c.rows:,} rows {c.baseline.wall_s:.0f} s against {c.replay.wall_s:.2f} s" for c in results)
    return new_record(
        "replay",
        "Feature replay against pandas loops and rolling windows",
        command,
        [
            Figure("transactions", last.rows, "rows"),
            Figure(f"pandas, {last.columns} of the {N_FEATURES} features", last.baseline.wall_s, "s"),
            Figure(f"replay, all {N_FEATURES} features", last.replay.wall_s, "s"),
            Figure("replay, transactions a second", last.rows / last.replay.wall_s, "/s"),
            Figure("pandas over replay", last.baseline.wall_s / last.replay.wall_s, "×", at_least=GOAL),
            Figure("pandas over replay, processor time", last.baseline.cpu_s / last.replay.cpu_s, "×"),
            Figure("equal values among the shared features", 100 * last.agreeing, "%", at_least=99.99),
        ],
        [
            "The pandas way loops over customers, devices and addresses with a rolling window each, and takes pairs of "
            "a customer and something else in one grouped rolling.",
            f"Growth of both with the table: {growth}.",
            f"pandas uses one core and replay {os.cpu_count()}, as each does when called; replay is the median of "
            "three runs around the pandas one, after compilation.",
            f"Values are compared on the {100 * last.comparable:.0f} % of rows whose user, device and address have not "
            "outgrown the bounded online history; beyond it the two differ by design.",
            "The table is the reference world with every event known in the second it happened, since a rolling window "
            "cannot tell when something became known.",
        ],
        ["numpy", "numba", "pandas", "pyarrow"],
    )


def main(arguments: list[str] | None = None) -> None:
    """Measure, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a world of 60 card holders; nothing is written")
    parser.add_argument("--share", type=float, help="only this share of the card holders; nothing is written")
    options = parser.parse_args(arguments)
    config = replace(WORLDS["small"], users=60) if options.quick else WORLDS["reference"]
    world = simulate(config, np.random.default_rng(7))
    shares = (1.0,) if options.quick else (options.share,) if options.share else (*SHARES, 1.0)
    record = measure(world, shares, "python -m benchmarks.replay")
    print(table(record))
    print(*record.notes, sep="\n")
    if shares[-1] == 1.0 and not options.quick:
        write_record(record)


if __name__ == "__main__":
    main()
