"""The features of a lake by Spark, and the training set of a day, as Parquet.

    .venv-spark/bin/python deploy/spark/features.py LAKE OUT --as-of 2025-11-06 --master "local[2]"

writes OUT/features (a row a transaction) and, with --as-of, OUT/examples (part=train, valid, test; labels as known at
the end of that day). --compare computes the features on one machine too and counts the values whose bits differ.
Prints one line of JSON. On a cluster: spark-submit without --master, with LAKE and OUT where every worker sees them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fraudkit.core.errors import FraudkitError, InvalidInput
from fraudkit.core.spark import open_session
from fraudkit.features.offline import replay
from fraudkit.features.spark_batch import features, matrix
from fraudkit.lake import Lake
from fraudkit.pipeline.spark_examples import examples
from fraudkit.pipeline.windows import Windows


def main() -> int:
    """Run the job; 1 where a value differs or the user has something to mend."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lake", type=Path, help="folder of a world, such as data/worlds/small")
    parser.add_argument("out", type=Path)
    parser.add_argument("--as-of", metavar="DAY", help="write the training set as known at the end of this day")
    parser.add_argument("--days", type=int, default=90, help="of training (default: 90)")
    parser.add_argument("--master", help='"local[2]" for two cores of this machine; default: what spark-submit says')
    parser.add_argument("--partitions", type=int, default=8, help="of each shuffle (default: 8)")
    parser.add_argument("--shuffle", type=int, metavar="SEED", help="deal the rows anew first; nothing may change")
    parser.add_argument("--compare", action="store_true", help="compute on one machine too, and compare bits")
    try:
        report = run(parser.parse_args())
    except FraudkitError as error:
        sys.exit(f"error: {error}")
    print(json.dumps(report))
    return int(report.get("differing_values", 0) > 0)


def run(given: argparse.Namespace) -> dict[str, Any]:
    """What was written, and how long it took without Spark's start."""
    lake = Lake.open(given.lake)
    windows = None if given.as_of is None else Windows.until(end_of_day(given.as_of), given.days)
    spark = open_session("fraudkit features", given.master)
    try:
        table = spark.read.parquet(*map(str, lake.files("transactions")))
        if given.shuffle is not None:
            from pyspark.sql import functions as sql

            table = table.orderBy(sql.rand(given.shuffle)).repartition(7)
        users, labels = lake.users(), lake.labels()
        began = time.perf_counter()
        features(table, users, labels, given.partitions).write.mode("overwrite").parquet(str(given.out / "features"))
        report: dict[str, Any] = {"spark_seconds": round(time.perf_counter() - began, 1)}
        computed = spark.read.parquet(str(given.out / "features"))
        report |= {"rows": computed.count(), "features": len(computed.columns) - 1}
        if windows is not None:
            chosen = examples(table, computed, labels, windows)
            chosen.write.mode("overwrite").partitionBy("part").parquet(str(given.out / "examples"))
            counted = spark.read.parquet(str(given.out / "examples")).groupBy("part").count().collect()
            report["examples"] = {row["part"]: row["count"] for row in sorted(counted)}
    finally:
        spark.stop()
    return report | (compared(lake, given.out / "features") if given.compare else {})


def end_of_day(day: str) -> pd.Timestamp:
    """The midnight after a day written YYYY-MM-DD."""
    try:
        return pd.Timestamp(day).normalize().tz_localize("UTC") + pd.Timedelta(days=1)
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"as_of={day!r} is no day; write it as 2025-11-06") from error


def compared(lake: Lake, computed: Path) -> dict[str, Any]:
    """The seconds of the replay on one machine, and how many values Spark wrote with other bits."""
    transactions, users, labels = lake.transactions(), lake.users(), lake.labels()
    began = time.perf_counter()
    alone = replay(transactions, users, labels)
    seconds = round(time.perf_counter() - began, 1)
    of_spark = matrix(pd.read_parquet(computed), transactions["transaction_id"])
    differing = int(np.sum(of_spark.view(np.uint32) != alone.view(np.uint32)))
    return {"one_machine_seconds": seconds, "differing_values": differing}


if __name__ == "__main__":
    sys.exit(main())
