"""The lake: tables on disk as Parquet by day, checked on arrival, asked by SQL.

Knows nothing of features or models.
"""

from fraudkit.lake.lake import Lake
from fraudkit.lake.locate import resolve

__all__ = ["Lake", "resolve"]
