"""The training set by Spark: which payments of each period, with their labels as of a moment, and their features.

The periods and the labels are those of the daily run (`Windows`, `settled_rows`), asked partition by partition. The
labels, one a payment that somebody gave a word on, are broadcast. Only payments of the lake enter: decisions of the
archive stay with the daily run on one machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from fraudkit.core.label import labels_as_of
from fraudkit.evaluate.splits import settled_rows
from fraudkit.features.spark_batch import in_utc
from fraudkit.pipeline.windows import Windows

PAYMENT = "transaction_id string, user_id string, event_time timestamp, known_at timestamp"


def examples(transactions: Any, features: Any, labels: pd.DataFrame, windows: Windows) -> Any:
    """Payments of the three parts whose label was settled at `windows.as_of`.

    Parameters
    ----------
    transactions : Spark DataFrame of TRANSACTION_COLUMNS
    features : Spark DataFrame of transaction_id and features, as `fraudkit.features.spark_batch.features` returns it
    labels : LABEL_COLUMNS on the driver; nothing that arrived after `windows.as_of` is read

    Returns
    -------
    Spark DataFrame: part (train, valid, test), y, transaction_id, user_id, event_time, known_at, then the features
    """
    known = transactions.sparkSession.sparkContext.broadcast(labels_as_of(labels, windows.as_of))
    columns = [field.split()[0] for field in PAYMENT.split(", ")]

    def settle(batches: Iterator[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            rows = in_utc(batch)
            for part, (start, end) in windows.parts().items():
                chosen, y = settled_rows(rows, known.value, start, end, windows.as_of)
                yield rows.iloc[chosen].assign(part=part, y=y)[["part", "y", *columns]]

    chosen = transactions.select(*columns).mapInPandas(settle, f"part string, y boolean, {PAYMENT}")
    return chosen.join(features, "transaction_id").select("part", "y", *columns, *features.columns[1:])
