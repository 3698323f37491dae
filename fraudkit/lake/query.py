"""SQL over a lake by DuckDB: one SELECT, over views on the Parquet files that the manifest names.

Read-only twice: only a SELECT is let through, and the engine may open nothing but the lake's files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pandas as pd

from fraudkit.core.errors import InvalidInput
from fraudkit.lake.tables import TABLES, arrow_schema

if TYPE_CHECKING:
    from fraudkit.lake.lake import Lake

EXAMPLE = "SELECT event_day, count(*) FROM transactions GROUP BY 1 ORDER BY 1"


def query(lake: Lake, sql: str) -> pd.DataFrame:
    """Answer of one SELECT. Views: transactions (with event_day), users, merchants, labels, truth, ip_reputation.

    Raises
    ------
    InvalidInput
        Not one SELECT, or DuckDB refuses it; the message carries DuckDB's reason.
    """
    with duckdb.connect(":memory:") as connection:
        _open_views(connection, lake)
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise InvalidInput(f"a query is one SELECT, for example: {EXAMPLE}")
            return connection.sql(statements[0].query).to_arrow_table().to_pandas()
        except duckdb.Error as error:
            reason = " ".join(str(error).split())
            raise InvalidInput(f"the query failed: {reason}; tables are {', '.join(TABLES)}") from error


def _open_views(connection: duckdb.DuckDBPyConnection, lake: Lake) -> None:
    files = {table: [str(path.resolve()) for path in lake.files(table)] for table in TABLES}
    every = [file for table in files.values() for file in table]
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET python_enable_replacements = false")
    connection.execute(f"SET allowed_paths = [{', '.join(map(_quoted, every))}]")
    connection.execute("SET enable_external_access = false")
    for table, columns in TABLES.items():
        listed = list(columns) + (["event_day"] if table == "transactions" else [])
        if files[table]:
            source = f"read_parquet([{', '.join(map(_quoted, files[table]))}], hive_partitioning = true)"
            connection.execute(f"CREATE VIEW {table} AS SELECT {', '.join(listed)} FROM {source}")  # noqa: S608
        else:
            empty = arrow_schema(columns).empty_table()
            connection.register(table, empty)
    connection.execute("SET lock_configuration = true")


def _quoted(text: str) -> str:
    """An SQL string."""
    return "'" + text.replace("'", "''") + "'"
