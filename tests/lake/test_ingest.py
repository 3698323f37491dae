import pandas as pd
import pyarrow.parquet as pq
import pytest

from fraudkit.lake import Lake
from fraudkit.lake import ingest as ingest_module


@pytest.fixture
def lake(tmp_path, tables, transactions) -> Lake:
    """A lake of the first 40 of 60 rows."""
    tables.transactions = transactions.head(40)
    return Lake.write(tmp_path / "w", tables)


def test_new_rows_are_added_and_old_ones_reported(lake, transactions):
    grown, report = lake.ingest(transactions.iloc[30:])
    assert (report.accepted, report.quarantined) == (20, 10)
    assert grown.transactions()["transaction_id"].tolist() == transactions["transaction_id"].tolist()
    assert grown.manifest.rows()["transactions"] == 60
    grown.verify()


def test_the_same_file_twice_adds_nothing(lake, transactions):
    once, _ = lake.ingest(transactions)
    twice, report = once.ingest(transactions)
    thrice, _ = twice.ingest(transactions)
    assert report.accepted == 0
    assert {check.check: check.failed for check in report.failures} == {"duplicate_exact": 60}
    assert len(twice.transactions()) == 60
    assert thrice.manifest == twice.manifest


def test_refused_rows_lie_in_the_quarantine_with_reasons(lake, transactions):
    new = transactions.iloc[40:].copy()
    new.loc[new.index[:2], "amount"] = -5
    grown, report = lake.ingest(new)
    (file,) = grown.files("quarantine")
    refused = pq.read_table(file).to_pandas()
    assert refused["reasons"].tolist() == ["amount_negative"] * 2
    assert refused["amount"].tolist() == ["-5.0"] * 2
    assert report.accepted == 18 and len(grown.transactions()) == 58


def test_a_crash_before_the_manifest_leaves_the_old_lake(lake, transactions, monkeypatch):
    def fail(*_args):
        raise OSError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(ingest_module, "write_manifest", fail)
        with pytest.raises(OSError, match="power cut"):
            lake.ingest(transactions)
    old = Lake.open(lake.path)
    assert len(old.transactions()) == 40
    assert old.query("SELECT count(*) AS n FROM transactions")["n"].tolist() == [40]
    new, _ = old.ingest(transactions)
    assert len(new.transactions()) == 60
    new.verify()


def test_a_stale_handle_appends_to_what_is_there_now(lake, transactions):
    lake.ingest(transactions.iloc[40:50])
    grown, _ = lake.ingest(transactions.iloc[50:])
    assert len(grown.transactions()) == 60


def test_an_empty_arrival_changes_nothing(lake, transactions):
    same, report = lake.ingest(transactions.head(0))
    assert report.rows == 0 and same.manifest == lake.manifest


def test_a_table_of_something_else_is_quarantined_whole(lake):
    grown, report = lake.ingest(pd.DataFrame({"colour": ["red", "blue"]}))
    assert (report.accepted, report.quarantined) == (0, 2)
    assert len(grown.transactions()) == 40
