"""Training of the boosted trees on a Spark table, with the settings and the stopping rule of one machine.

Each worker bins and sums its own rows and all of them agree on every split, so the trees differ from those of one
machine: the rows that a tree sees are drawn a worker at a time. The same table, seed and number of workers give the
same booster.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fraudkit.core.errors import InvalidInput
from fraudkit.models.params import TrainingParams
from fraudkit.models.train_boosting import finished, tree_settings
from fraudkit.models.trees import Trees


def train_boosting_on_spark(
    examples: Any, features: Sequence[str], params: TrainingParams, seed: int, workers: int = 2
) -> tuple[Trees, bytes]:
    """Train on the parts "train" and, to stop early, "valid".

    Parameters
    ----------
    examples : Spark DataFrame with part, y (boolean), transaction_id and the features as floats
    features : their names in the order of the vectors to be scored
    workers : processes that train side by side; the cluster must have a free core for each at the same time

    Returns
    -------
    the trees for run time, and the booster in XGBoost's UBJ format: what `train_boosting` returns

    Raises
    ------
    InvalidInput
        A part is empty or has one class only, or XGBoost refuses the data.
    """
    from pyspark.sql import functions as sql
    from xgboost.spark import SparkXGBClassifier

    used = examples.where(sql.col("part").isin("train", "valid"))
    found = {(row["part"], row["y"]) for row in used.select("part", "y").distinct().collect()}
    if len(found) < 4:
        raise InvalidInput(
            f"the examples hold only {sorted(found)}; take a longer window: both parts need both classes"
        )
    table = used.select(
        sql.array(*features).alias("vector"),
        sql.col("y").cast("float").alias("label"),
        (sql.col("part") == "valid").alias("later"),
        sql.when(sql.col("y"), params.positive_weight).otherwise(1.0).cast("float").alias("weight"),
        "transaction_id",
    )
    # Which worker gets a row, and at which place, follows from its id alone: chance has one source, the seed.
    table = table.repartition(workers, "transaction_id").sortWithinPartitions("transaction_id")
    settings = tree_settings(params)
    del settings["nthread"], settings["objective"]  # Spark's cores a task, and what a classifier has anyway
    estimator = SparkXGBClassifier(
        features_col="vector",
        label_col="label",
        weight_col="weight",
        validation_indicator_col="later",
        num_workers=workers,
        n_estimators=params.n_estimators,
        early_stopping_rounds=params.stopping_rounds,
        random_state=seed,
        **settings,
    )
    return finished(estimator.fit(table).get_booster(), len(features))
