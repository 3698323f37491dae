import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.lake import Lake


@pytest.fixture
def lake(tmp_path, tables) -> Lake:
    return Lake.write(tmp_path / "it's = here" / "w", tables)


def test_sql_sees_what_the_tables_hold(lake, tables):
    found = lake.query("SELECT event_day, count(*) AS n FROM transactions GROUP BY 1 ORDER BY 1")
    expected = tables.transactions["event_time"].dt.day.value_counts().sort_index()
    assert found["n"].tolist() == expected.tolist()
    joined = lake.query("SELECT count(*) AS n FROM transactions JOIN labels USING (transaction_id) WHERE is_fraud")
    assert joined["n"].tolist() == [int(tables.labels["is_fraud"].sum())]
    assert lake.query("SELECT hour(min(event_time)) AS h FROM transactions")["h"].tolist() == [
        tables.transactions["event_time"].min().hour
    ]


@pytest.mark.parametrize("table", ["users", "merchants", "truth", "ip_reputation"])
def test_every_table_is_a_view(lake, table):
    assert lake.query(f"SELECT * FROM {table}").empty


@pytest.mark.parametrize(
    "sql",
    [
        "SELEC 1",
        "SELECT nonsense FROM transactions",
        "SELECT * FROM nowhere",
        "",
        "SELECT 1; SELECT 2",
        "DROP VIEW users",
        "SET memory_limit = '1GB'",
        "INSTALL httpfs",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/hostname')",
    ],
)
def test_anything_but_one_select_over_the_lake_is_refused(lake, sql):
    with pytest.raises(InvalidInput, match="query"):
        lake.query(sql)


def test_a_query_cannot_write_a_file(lake, tmp_path):
    target = lake.files("users")[0]
    for path in (target, tmp_path / "new.csv"):
        for sql in (f"COPY (SELECT 1) TO '{path}'", f"EXPLAIN ANALYZE COPY (SELECT 1) TO '{path}'"):
            with pytest.raises(InvalidInput):
                lake.query(sql.replace("it's", "it''s"))
    assert not (tmp_path / "new.csv").exists()
    lake.verify()
