import json

import pytest
from typer.testing import CliRunner

from fraudkit.core.errors import CorruptArtefact, InvalidInput, NotReady
from fraudkit.lake import Lake
from fraudkit.lake.commands import app

HEADER = "TRANSACTION_ID,TX_DATETIME,CUSTOMER_ID,TERMINAL_ID,TX_AMOUNT,TX_FRAUD\n"


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.stdout


@pytest.fixture
def lake(tmp_path, tables) -> Lake:
    return Lake.write(tmp_path / "w", tables)


def test_check_passes_a_good_lake(lake):
    found = json.loads(run("check", lake.path, "--json"))
    assert (found["rows"], found["quarantined"], found["files"]) == (60, 0, len(lake.manifest.files))
    assert "all " in run("check", lake.path)


def test_check_fails_on_bad_rows_and_on_damage(tmp_path, tables):
    tables.transactions.loc[2, "amount"] = -3
    lake = Lake.write(tmp_path / "w", tables)
    found = json.loads(run("check", lake.path, "--json", code=1))
    assert [check["check"] for check in found["checks"] if check["failed"]] == ["amount_negative"]
    assert "amount_negative" in run("check", lake.path, code=1)
    file = lake.files("users")[0]
    file.write_bytes(file.read_bytes()[:-1] + b"X")
    with pytest.raises(CorruptArtefact, match=r"users\.parquet"):
        run("check", lake.path)


def test_query_prints_csv_or_json(lake):
    sql = "SELECT count(*) AS n FROM transactions"
    assert run("query", sql, "--world", lake.path) == "n\n60\n"
    assert json.loads(run("query", sql, "--world", lake.path, "--json")) == [{"n": 60}]
    with pytest.raises(InvalidInput, match="the query failed"):
        run("query", "SELECT", "--world", lake.path)
    with pytest.raises(NotReady):
        run("query", sql, "--world", "nowhere")


def test_show(lake):
    found = json.loads(run("show", lake.path, "--json"))
    assert found["rows"]["transactions"] == 60
    assert (found["first_day"], found["last_day"]) == ("2025-01-01", "2025-01-04")
    assert "2025-01-01 to 2025-01-04" in run("show", lake.path)


def test_import_writes_a_lake_and_its_quarantine(tmp_path):
    file = tmp_path / "bought.csv"
    file.write_text(HEADER + "1,2018-04-01 00:00:31,5,6,7.5,0\n2,2018-04-01 00:00:32,5,6,-1,1\n")
    found = json.loads(run("import", file, "--out", tmp_path / "lake", "--json"))
    assert (found["format"], found["accepted"], found["quarantined"]) == ("handbook", 1, 1)
    assert len(found["quarantine"]) == 1
    assert len(Lake.open(tmp_path / "lake").transactions()) == 1
    with pytest.raises(InvalidInput, match="holds a lake already"):
        run("import", file, "--out", tmp_path / "lake")


def test_import_of_an_own_table_by_its_schema(tmp_path):
    file, schema = tmp_path / "mine.csv", tmp_path / "mine.toml"
    file.write_text("who,shop,total,at,bad\na,b,5,2025-01-01,1\n")
    schema.write_text('[columns]\nuser="who"\nmerchant="shop"\namount="total"\ntime="at"\nlabel="bad"\n')
    assert "1 transactions, 1 labels" in run("import", file, "--schema", schema, "--out", tmp_path / "lake")
    with pytest.raises(InvalidInput, match="no known data set"):
        run("import", file, "--out", tmp_path / "other")
