"""Public data sets and people's own tables, brought to the core schema.

One module a data set; each says what it maps, what it cannot carry and which label delay it
assumes. `load` recognises a file by its header. Nothing here downloads anything.
"""

from fraudkit.lake.adapters.adapted import AdaptedTable
from fraudkit.lake.adapters.catalog import ADAPTERS, detect, load
from fraudkit.lake.adapters.columns import ColumnMapping, from_columns
from fraudkit.lake.adapters.reading import read_table

__all__ = ["ADAPTERS", "AdaptedTable", "ColumnMapping", "detect", "from_columns", "load", "read_table"]
