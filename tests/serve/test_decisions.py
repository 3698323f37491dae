import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from fraudkit.core.errors import CorruptArtefact, InvalidInput, NotReady
from fraudkit.serve.decisions import Context, DecisionStore, Record, Rescored

CONTEXT = Context("v0001", "m", "r", "p", "s", "c")


def record(transaction_id: str, **changes: object) -> Record:
    made = Record(transaction_id, b"digest", 5, "APPROVE", 0.25, b'{"a":1}', b"\x00\x01", b"{}", "", False, 1)
    return replace(made, **changes)


@pytest.fixture
def store(tmp_path: Path):
    opened = DecisionStore(tmp_path / "decisions.db")
    assert opened.context_id(CONTEXT) == 1
    yield opened
    opened.close()


def test_a_decision_survives_the_process(store: DecisionStore):
    store.add([record("a"), replace(record("b"), fraud_score=None)])
    again = DecisionStore(store.path)  # nobody closed the first: as after a kill
    assert again.get("a") == record("a")
    assert again.get("b").fraud_score is None
    assert again.get("c") is None
    again.close()


def test_what_was_decided_is_found_among_many(store: DecisionStore):
    store.add([record(f"t{i}") for i in range(1_200)])
    assert len(store.stored([f"t{i}" for i in range(-5, 1_300)])) == 1_200
    assert store.stored(["t7"]) == {"t7": (b"digest", b'{"a":1}')}


def test_a_commit_is_whole_or_not_at_all(store: DecisionStore):
    store.add([record("a")])
    with pytest.raises(InvalidInput, match="twice"):
        store.add([record("b"), record("a")])
    assert store.get("b") is None
    store.add([record("b")])


def test_what_was_kept_elsewhere_takes_the_place_of_what_nobody_was_told(store: DecisionStore):
    store.add([record("a"), record("b")])
    store.take_back([record("a", reply=b"sent"), record("c")])
    assert [store.get(name).reply for name in "abc"] == [b"sent", b'{"a":1}', b'{"a":1}']


def test_decisions_on_less_wait_until_they_were_made_once_more(store: DecisionStore):
    store.add([record("a", to_rescore=True, decided_at_ms=9), record("b"), record("c", to_rescore=True)])
    assert [r.transaction_id for r in store.to_rescore(10)] == ["c", "a"]
    assert [r.transaction_id for r in store.to_rescore(1)] == ["c"]
    again = Rescored("c", 10, "REVIEW", 0.7, b"v", 1)
    store.add_rescored([again, replace(again, action="APPROVE")])  # a second one changes nothing
    assert store.rescored("c") == again
    assert store.rescored("a") is None
    assert [r.transaction_id for r in store.to_rescore(10)] == ["a"]


def test_a_context_is_kept_once_and_a_new_one_apart(store: DecisionStore):
    first = store.context_id(CONTEXT)
    assert store.context_id(CONTEXT) == first
    assert store.context_id(replace(CONTEXT, rules_digest="other")) != first


def test_feedback_repeated_is_kept_once_and_a_reversal_is_kept(store: DecisionStore):
    words = [("chargeback", True), ("chargeback", True), ("manual_review", True), ("chargeback", False)]
    repeated = [store.add_feedback("t", source, is_fraud, at)[1] for at, (source, is_fraud) in enumerate(words)]
    assert repeated == [False, True, False, False]
    assert [(w.source, w.is_fraud) for w in store.feedback("t")] == [words[0], words[2], words[3]]


def test_another_file_is_not_taken_for_a_database(tmp_path: Path):
    (tmp_path / "text.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(CorruptArtefact, match="move the file away"):
        DecisionStore(tmp_path / "text.db")


def test_a_later_format_is_refused(tmp_path: Path):
    connection = sqlite3.connect(tmp_path / "later.db")
    connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(CorruptArtefact, match="format 9"):
        DecisionStore(tmp_path / "later.db")


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path):
    (tmp_path / "taken.db").mkdir()
    with pytest.raises(NotReady, match=r"taken\.db"):
        DecisionStore(tmp_path / "taken.db")
