"""The feature matrix by Spark: the same replay, on partitions in which whole histories lie together.

A vector's families do not read one another, so the table is shuffled three times: by card holder, by device and by
address. Each time the compiled kernel runs over whole partitions, and only the columns whose history was complete
there are kept. The daily tiles need every transaction of a merchant, category and country: the driver counts them
once and broadcasts them, with the card holders. They are not distributed, so the driver must hold eight columns of
the table.

Spark is imported only inside functions. Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from fraudkit.core.errors import InvalidInput
from fraudkit.features.catalog import FEATURE_NAMES
from fraudkit.features.offline import replay
from fraudkit.features.tables import encode_table
from fraudkit.features.tiles import DailyTiles, fraud_news

MEASURES = ("txn_count_", "distinct_users_", "amount_sum_", "age_hours")
TILE_COLUMNS = (
    "transaction_id", "user_id", "event_time", "known_at", "amount", "currency", "merchant_id", "merchant_category",
    "country",
)  # fmt: skip


def shared_columns(entity: str) -> list[str]:
    """Features that read the history of a `device` or an `ip`, and nothing else but the transaction."""
    return [name for name in FEATURE_NAMES if name.startswith(tuple(f"{entity}_{measure}" for measure in MEASURES))]


def in_utc(table: pd.DataFrame) -> pd.DataFrame:
    """`table` as Spark hands it over, with its naive moments marked as what they are: UTC."""
    naive = [name for name in ("event_time", "known_at") if table[name].dt.tz is None]
    return table.assign(**{name: table[name].dt.tz_localize("UTC") for name in naive})


def features(transactions: Any, users: pd.DataFrame, labels: pd.DataFrame | None, partitions: int) -> Any:
    """Features of every transaction, as `fraudkit.features.offline.replay` computes them.

    Parameters
    ----------
    transactions : Spark DataFrame of TRANSACTION_COLUMNS, any order; the session's time zone must be UTC
    users, labels : tables on the driver
    partitions : of each of the three shuffles; one partition must fit into a worker's memory

    Returns
    -------
    Spark DataFrame: transaction_id and the 143 features as floats, in catalog order; rows in no order

    Raises
    ------
    InvalidInput
        Transaction ids are not unique or the session's time zone is not UTC.
    """
    from pyspark.sql import functions as sql

    session = transactions.sparkSession
    if session.conf.get("spark.sql.session.timeZone") != "UTC":
        raise InvalidInput("the session's time zone is not UTC; set spark.sql.session.timeZone to UTC")
    narrow = in_utc(transactions.select(*TILE_COLUMNS).toPandas())
    if not narrow["transaction_id"].is_unique:
        raise InvalidInput(
            f"{narrow['transaction_id'].duplicated().sum()} transaction ids come twice; drop repeats first"
        )
    records = encode_table(narrow)
    tiles = DailyTiles(records, fraud_news(labels, narrow["transaction_id"], records["known_at"]))
    known = session.sparkContext.broadcast((tiles, users))

    def by(entity: str, kept: list[str]) -> Any:
        def run(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
            parts = list(batches)
            if not parts:
                return
            rows = in_utc(pd.concat(parts, ignore_index=True))
            counted, holders = known.value
            X = replay(rows, holders, None, counted=counted)
            out = pd.DataFrame(X, columns=list(FEATURE_NAMES))[kept]
            out.insert(0, "transaction_id", rows["transaction_id"].to_numpy())
            yield out

        schema = "transaction_id string, " + ", ".join(f"{name} float" for name in kept)
        whole = transactions.where(sql.col(entity).isNotNull()).repartition(partitions, entity)
        return whole.mapInPandas(run, schema)

    device, ip = shared_columns("device"), shared_columns("ip")
    joined = by("user_id", list(FEATURE_NAMES)).alias("u")
    for alias, entity, kept in (("d", "device_id", device), ("i", "ip_address", ip)):
        joined = joined.join(
            by(entity, kept).alias(alias), sql.expr(f"u.transaction_id = {alias}.transaction_id"), "left"
        )
    owner = {**dict.fromkeys(device, "d"), **dict.fromkeys(ip, "i")}
    return joined.select(
        "u.transaction_id",
        # Without a device or an address the kernel leaves its defaults, which the card holder's pass has too.
        *(sql.coalesce(f"{owner[n]}.{n}", f"u.{n}").alias(n) if n in owner else f"u.{n}" for n in FEATURE_NAMES),
    )


def matrix(table: pd.DataFrame, ids: pd.Series) -> np.ndarray:
    """Collected features in the order of `ids`: float32 (n, 143)."""
    return table.set_index("transaction_id").loc[ids.astype(str), list(FEATURE_NAMES)].to_numpy(dtype=np.float32)
