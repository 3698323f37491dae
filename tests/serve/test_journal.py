"""What the journal keeps, and what a crash may do to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fraudkit.core.errors import StoreUnavailable
from fraudkit.serve.decisions import Context, DecisionStore, Record
from fraudkit.serve.journal import Journal


def record(name: str, **changes: object) -> Record:
    made = Record(name, b"\x00digest", 5, "REVIEW", None, b'{"a":1}', b"\n\x00\xff", b"{}", "database", False, 1)
    return replace(made, **changes)


@pytest.fixture
def decisions(tmp_path: Path):
    opened = DecisionStore(tmp_path / "decisions.db")
    opened.context_id(Context("v", "m", "r", "p", "s", "c"))
    yield opened
    opened.close()


@pytest.fixture
def journal(tmp_path: Path):
    opened = Journal(tmp_path / "folder" / "decisions.journal")
    yield opened
    opened.close()


def test_another_process_finds_what_was_added(journal: Journal):
    journal.add([record("a"), record("b")])
    journal.add([record("c")])
    assert Journal(journal.path).waiting() == [record("a"), record("b"), record("c")]


def test_moving_brings_all_into_the_database_and_empties_the_file(journal: Journal, decisions: DecisionStore):
    journal.add([record("a"), record("b")])
    assert journal.in_use
    assert journal.move(decisions) == 2
    assert decisions.get("a") == record("a")
    assert not journal.in_use
    assert not journal.path.exists()
    assert journal.move(decisions) == 0


def test_what_the_database_does_not_take_stays(journal: Journal, decisions: DecisionStore):
    journal.add([record("a")])
    decisions.take_back = lambda records: (_ for _ in ()).throw(StoreUnavailable("still away"))
    with pytest.raises(StoreUnavailable):
        journal.move(decisions)
    assert journal.waiting() == [record("a")]


@pytest.mark.parametrize("cut", [1, 20, 100])
def test_a_line_that_was_cut_off_costs_only_itself(journal: Journal, cut: int):
    journal.add([record("a"), record("b")])
    journal.path.write_bytes(journal.path.read_bytes()[:-cut])
    later = Journal(journal.path)
    later.add([record("c")])
    later.close()
    kept = ["a", "b", "c"] if cut == 1 else ["a", "c"]
    assert [r.transaction_id for r in later.waiting()] == kept


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(StoreUnavailable, match="taken"):
        Journal(tmp_path / "taken" / "journal").add([record("a")])
