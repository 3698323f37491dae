"""Features, training set and trees by a real Spark on two cores, as its user runs it, against those of one machine.

Spark lives in an environment of its own, made by `make spark`; where that or Java is not there, these are skipped. With
FRAUDKIT_REQUIRE_ALL=1 they fail instead.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb

from fraudkit.evaluate.metrics import roc_auc_score
from fraudkit.evaluate.splits import settled_rows
from fraudkit.features.catalog import FEATURE_NAMES
from fraudkit.features.offline import replay
from fraudkit.lake import Lake
from fraudkit.models.trees import trees_from_booster_json
from fraudkit.pipeline.windows import Windows
from fraudkit.simulate import WORLDS, simulate

ROOT = Path(__file__).resolve().parents[2]
SPARK = Path(os.environ.get("FRAUDKIT_SPARK", ROOT / ".venv-spark")) / "bin" / "python"
JOBS = ROOT / "deploy" / "spark"


def pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([\w.-]+)==(\S+)", path.read_text(encoding="utf-8"), flags=re.MULTILINE))


def spark_job(name: str, given: Path, out: Path, *arguments: str) -> dict:
    missing = None if SPARK.exists() else f"no Spark in {SPARK.parents[1]}; `make spark` makes its environment"
    if not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        missing = "no Java; install openjdk-17-jre-headless or set JAVA_HOME"
    if missing and os.environ.get("FRAUDKIT_REQUIRE_ALL") == "1":
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)
    command = [SPARK, JOBS / name, given, out, "--master", "local[2]", *arguments]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    folder = tmp_path_factory.mktemp("a lake") / "tiny world"
    return Lake.write(folder, simulate(replace(WORLDS["small"], users=25, fraud_rate=0.03), np.random.default_rng(5)))


@pytest.fixture(scope="module")
def computed(lake: Lake, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    """What the features' job says of shuffled rows in more partitions than needed, and the folder it wrote."""
    out = tmp_path_factory.mktemp("by spark")
    arguments = ("--as-of", "2025-12-31", "--shuffle", "3", "--partitions", "32")
    return spark_job("features.py", lake.path, out, *arguments), out


def test_the_packages_it_shares_with_the_project_have_the_versions_of_the_lock():
    own, lock = pins(ROOT / "deploy" / "spark" / "requirements.txt"), pins(ROOT / "requirements.lock")
    assert {name: pin for name, pin in own.items() if lock.get(name) != pin}.keys() == {"pyspark", "py4j"}


def test_shuffled_rows_in_more_partitions_than_needed_give_the_replays_bits_and_its_training_set(lake, computed):
    told, out = computed
    transactions, labels = lake.transactions(), lake.labels()
    X = replay(transactions, lake.users(), labels)
    assert (told["rows"], told["features"]) == X.shape
    written = pd.read_parquet(out / "features").set_index("transaction_id").loc[transactions["transaction_id"]]
    np.testing.assert_array_equal(written[list(FEATURE_NAMES)].to_numpy(np.float32).view(np.uint32), X.view(np.uint32))
    windows = Windows.until(pd.Timestamp("2026-01-01", tz="UTC"), 90)
    for part, (start, end) in windows.parts().items():
        rows, y = settled_rows(transactions, labels, start, end, windows.as_of)
        chosen = pd.read_parquet(out / "examples" / f"part={part}").set_index("transaction_id")
        ids = transactions["transaction_id"].iloc[rows]
        assert set(chosen.index) == set(ids)
        np.testing.assert_array_equal(chosen.loc[ids, "y"].to_numpy(bool), y)
        vectors = chosen.loc[ids, list(FEATURE_NAMES)].to_numpy(np.float32)
        np.testing.assert_array_equal(vectors.view(np.uint32), X[rows].view(np.uint32))


def test_trees_trained_on_spark_rank_as_those_of_one_machine_and_the_registry_reads_them(computed, tmp_path: Path):
    examples = computed[1] / "examples"
    told = spark_job("train.py", examples, tmp_path / "model", "--rounds", "20", "--compare")
    assert told["auc"] == pytest.approx(told["one_machine_auc"], abs=0.05)
    booster = xgb.Booster(model_file=tmp_path / "model" / "model.ubj")
    trees = trees_from_booster_json(bytes(booster.save_raw("json")), len(FEATURE_NAMES))
    assert 1 < len(trees.roots) == told["trees"] <= 20
    held_out = pd.read_parquet(examples / "part=test")
    X = held_out[list(FEATURE_NAMES)].to_numpy(np.float32)
    assert roc_auc_score(held_out["y"].to_numpy(bool), trees.predict_score(X)) == pytest.approx(told["auc"], abs=1e-4)
