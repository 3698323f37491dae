"""The boosted trees by XGBoost on Spark, from the examples that deploy/spark/features.py wrote.

    .venv-spark/bin/python deploy/spark/train.py OUT/examples MODEL --master "local[2]"

writes MODEL/model.ubj, the booster as a bundle of the registry holds it, and prints one line of JSON with the AUC on
the held-out part. --compare trains on one machine too, from the same examples. On a cluster: spark-submit without
--master; --workers processes train at the same time.
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

from fraudkit.core.errors import FraudkitError, NotReady
from fraudkit.core.files import replace_file, sha256
from fraudkit.core.spark import open_session
from fraudkit.evaluate.metrics import roc_auc_score
from fraudkit.features.catalog import FEATURE_NAMES
from fraudkit.models.params import TrainingParams
from fraudkit.models.train_boosting import train_boosting
from fraudkit.models.train_boosting_spark import train_boosting_on_spark


def main() -> int:
    """Run the job; 1 where the user has something to mend."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples", type=Path)
    parser.add_argument("model", type=Path, help="folder for model.ubj")
    parser.add_argument("--master", help='"local[2]" for two cores of this machine; default: what spark-submit says')
    parser.add_argument("--workers", type=int, default=2, help="that train side by side (default: 2)")
    parser.add_argument("--rounds", type=int, help="trees at most (default: that of one machine)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--compare", action="store_true", help="train on one machine too")
    try:
        print(json.dumps(run(parser.parse_args())))
    except FraudkitError as error:
        sys.exit(f"error: {error}")
    return 0


def run(given: argparse.Namespace) -> dict[str, Any]:
    """What was trained, how well it ranks, and how long it took without Spark's start."""
    if not given.examples.is_dir():
        raise NotReady(
            f"there are no examples in {given.examples}; write them with deploy/spark/features.py --as-of DAY"
        )
    params = TrainingParams() if given.rounds is None else TrainingParams(n_estimators=given.rounds)
    seed = int(np.random.default_rng(given.seed).integers(2**31))
    spark = open_session("fraudkit trees", given.master)
    try:
        began = time.perf_counter()
        examples = spark.read.parquet(str(given.examples))
        trees, model = train_boosting_on_spark(examples, FEATURE_NAMES, params, seed, given.workers)
        seconds = round(time.perf_counter() - began, 1)
    finally:
        spark.stop()
    given.model.mkdir(parents=True, exist_ok=True)
    replace_file(given.model / "model.ubj", model)
    X, y = part_of(given.examples, "test")
    report = {
        "trees": len(trees.roots),
        "sha256": sha256(model),
        "rows": len(y),
        "auc": round(roc_auc_score(y, trees.predict_score(X)), 4),
        "spark_seconds": seconds,
    }
    if given.compare:
        began = time.perf_counter()
        rng = np.random.default_rng(given.seed)
        alone, _ = train_boosting(*part_of(given.examples, "train"), *part_of(given.examples, "valid"), rng, params)
        report |= {
            "one_machine_trees": len(alone.roots),
            "one_machine_auc": round(roc_auc_score(y, alone.predict_score(X)), 4),
            "one_machine_seconds": round(time.perf_counter() - began, 1),
        }
    return report


def part_of(examples: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Vectors float32 (n, 143) and labels bool (n,) of one part, in the order of the payments' ids."""
    table = pd.read_parquet(examples / f"part={part}").sort_values("transaction_id")
    return np.ascontiguousarray(table[list(FEATURE_NAMES)].to_numpy(np.float32)), table["y"].to_numpy(bool)


if __name__ == "__main__":
    sys.exit(main())
