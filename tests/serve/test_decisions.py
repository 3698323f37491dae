"""What the decision database keeps, on SQLite and on a real PostgreSQL alike."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from fraudkit.core.errors import CorruptArtefact, InvalidInput, NotReady, StoreUnavailable
from fraudkit.serve.decisions import Context, DecisionReader, DecisionStore, Record, Rescored
from fraudkit.serve.decisions.postgres import PostgresDatabase, safe_name
from fraudkit.serve.decisions.reader import PostgresReader
from tests.postgres import PostgresServer
from tests.serve.conftest import PATIENCE, Opens

HERE = Path(__file__).parent
CONTEXT = Context("v0001", "m", "r", "p", "s", "c")


def record(transaction_id: str, **changes: object) -> Record:
    made = Record(transaction_id, b"digest", 5, "APPROVE", 0.25, b'{"a":1}', b"\x00\x01", b"{}", "", False, 1)
    return replace(made, **changes)


@pytest.fixture
def store(opens: Opens) -> DecisionStore:
    opened = opens()
    assert opened.context_id(CONTEXT) == 1
    return opened


@pytest.fixture
def shared(postgres: PostgresServer) -> Iterator[list[DecisionStore]]:
    """Two services on one PostgreSQL database."""
    url = postgres.new_database()
    stores = [DecisionStore(PostgresDatabase(url, PATIENCE), name) for name in "AB"]
    assert {store.context_id(CONTEXT) for store in stores} == {1}
    yield stores
    for store in stores:
        store.close()


def test_a_decision_survives_the_process(store: DecisionStore, opens: Opens):
    store.add([record("a"), replace(record("b"), fraud_score=None)])
    again = opens()  # nobody closed the first: as after a kill
    assert again.get("a") == record("a")
    assert again.get("b").fraud_score is None
    assert again.get("c") is None


def test_what_was_decided_is_found_among_many(store: DecisionStore):
    store.add([record(f"t{i}") for i in range(1_200)])
    assert len(store.stored([f"t{i}" for i in range(-5, 1_300)])) == 1_200
    assert store.stored(["t7"]) == {"t7": (b"digest", b'{"a":1}')}


def test_a_commit_is_whole_or_not_at_all(store: DecisionStore):
    with pytest.raises(Exception, match=r"(?i)foreign|null"):
        store.add([*(record(f"a{n}") for n in range(200)), record("b", reply=None)])
    assert store.stored([f"a{n}" for n in range(200)]) == {}
    store.add([record("b")])


def test_a_transaction_that_another_service_decided_first_keeps_that_decision(opens: Opens):
    first, second = opens("A"), opens("B")
    first.context_id(CONTEXT)
    assert first.add([record("a"), record("b")]) == {}
    late = [record("b", reply=b"late"), record("c"), record("a", payload_digest=b"other", reply=b"late")]
    assert second.add(late) == {"a": (b"digest", b'{"a":1}'), "b": (b"digest", b'{"a":1}')}
    assert [second.get(name).reply for name in "abc"] == [b'{"a":1}'] * 3


def test_services_that_decide_the_same_at_once_give_one_answer(shared: list[DecisionStore]):
    gate = threading.Barrier(2)

    def decide(writer: int) -> list[bytes]:
        told = []
        for turn in range(40):
            ids = [f"{turn}-{n}" for n in range(6)]
            ids = ids if writer else ids[::-1]
            gate.wait(30)
            mine = f"from {writer}".encode()
            earlier = shared[writer].add([record(name, reply=mine, action="REVIEW") for name in ids])
            told += [earlier.get(name, (b"", mine))[1] for name in sorted(ids)]
        return told

    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(decide, (0, 1))
    assert one == other
    assert one == [shared[0].get(f"{turn}-{n}").reply for turn in range(40) for n in range(6)]


def test_what_was_kept_elsewhere_takes_the_place_of_what_nobody_was_told(store: DecisionStore):
    store.add([record("a"), record("b")])
    store.take_back([record("a", reply=b"sent"), record("c")])
    assert [store.get(name).reply for name in "abc"] == [b"sent", b'{"a":1}', b'{"a":1}']


def test_what_was_told_twice_is_kept_twice(opens: Opens):
    first, second = opens("A"), opens("B")
    first.context_id(CONTEXT)
    first.add([record("a")])
    second.take_back([record("a", reply=b"from the journal of B")])
    first.take_back([record("a", reply=b"from the journal of A")])
    assert first.get("a").reply == b"from the journal of A"  # its own, which nobody was told of, gave way
    with first.database.others() as line:
        rows = line.rows("SELECT writer, reply FROM set_aside ORDER BY writer DESC")
    assert rows == [("B", b"from the journal of B"), ("A", b'{"a":1}')]


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


def test_a_database_of_another_format_on_a_server_is_refused(store: DecisionStore, opens: Opens):
    if not isinstance(store.database, PostgresDatabase):
        pytest.skip("of the server only; see the test before")
    with store.database.others() as line:
        line.run("UPDATE fraudkit_format SET format = 9")
    with pytest.raises(CorruptArtefact, match="format 9"):
        opens()


@pytest.mark.parametrize("version", [1, 2])
def test_a_database_of_an_earlier_version_is_taken_over(tmp_path: Path, version: int):
    path = tmp_path / "decisions.db"
    with sqlite3.connect(path) as connection:
        connection.executescript((HERE / f"decisions_format_{version}.sql").read_text())
    connection.close()
    store = DecisionStore(path)
    kept = store.get("txn-1")
    assert (kept.payload_digest, kept.action, kept.fraud_score, kept.reply) == (b"digest", "REVIEW", 0.5, b'{"a":1}')
    assert kept.user_id == ("user-7" if version == 2 else "")
    assert [(w.source, w.is_fraud, w.known_at_ms) for w in store.feedback("txn-1")] == [("chargeback", True, 9)]
    assert store.add([record("new", action="REVIEW", to_rescore=True)]) == {}
    store.add_rescored([Rescored("new", 10, "DECLINE", 0.7, b"v", 1, 3.5)])
    assert store.rescored("new").expected_loss == 3.5
    store.close()
    DecisionStore(path).close()  # and it is not taken over twice


def test_a_server_that_is_not_there_is_told_without_the_password(tmp_path: Path):
    url = f"postgresql://fraudkit:hidden-word@/decisions?host={tmp_path}"
    with pytest.raises(NotReady, match=r"decisions on .*DATABASE_URL is right") as told:
        PostgresDatabase(url)
    assert "hidden-word" not in str(told.value)
    with pytest.raises(InvalidInput, match="postgresql://user"):
        safe_name("postgresql://a b?c")


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path):
    (tmp_path / "taken.db").mkdir()
    with pytest.raises(NotReady, match=r"taken\.db"):
        DecisionStore(tmp_path / "taken.db")


def test_a_server_that_restarts_is_connected_to_again(postgres: PostgresServer):
    store = DecisionStore(PostgresDatabase(postgres.new_database(), PATIENCE))
    store.context_id(CONTEXT)
    store.add([record("a")])
    postgres.stop()
    for call in (lambda: store.stored(["a"]), lambda: store.add([record("b")]), lambda: store.get("a")):
        with pytest.raises(StoreUnavailable):
            call()
    with pytest.raises(StoreUnavailable):
        store.database.renew()
    postgres.start()
    assert store.get("a") == record("a")  # whoever is not a payment connects by itself
    with pytest.raises(StoreUnavailable, match="tried every second"):
        store.stored(["a"])  # a payment never waits for a connection
    store.database.renew()
    assert store.add([record("b")]) == {}
    assert set(store.stored(["a", "b"])) == {"a", "b"}
    store.close()


def test_a_server_that_hangs_has_its_connections_cut(postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch):
    store = DecisionStore(PostgresDatabase(postgres.new_database(), PATIENCE))
    monkeypatch.setattr("fraudkit.serve.decisions.postgres.HANGS_S", 0.0)
    postgres.freeze(True)
    try:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(store.stored, ["a"])
            while not waiting.done():
                store.database.renew()
            with pytest.raises(StoreUnavailable):
                waiting.result()
    finally:
        postgres.freeze(False)
    store.database.renew()
    assert store.stored(["a"]) == {}
    store.close()


def test_a_slow_statement_of_a_payment_is_given_up_by_the_server(postgres: PostgresServer):
    store = DecisionStore(PostgresDatabase(postgres.new_database(), patience=0.1))
    with pytest.raises(StoreUnavailable, match="statement timeout"):
        store.database.scoring.rows("SELECT pg_sleep(30)")
    store.close()


def test_a_reader_sees_every_decision_once_and_in_order_though_commits_overlap(postgres: PostgresServer):
    url = postgres.new_database()
    early, late = (DecisionStore(PostgresDatabase(url, PATIENCE), name) for name in "AB")
    early.context_id(CONTEXT)
    reader = PostgresReader(url)
    with early.database.scoring.transaction():
        early.database.scoring.run("SELECT pg_current_xact_id()")
        early.add([record("a", transaction_json=b"a")])
        late.add([record(name, transaction_json=name.encode()) for name in "bc"])
        assert reader.transactions_after(0, 10) == []  # what came later waits for what is still under way
    found = reader.transactions_after(0, 2)
    found += reader.transactions_after(found[-1][0], 2)
    assert [json for _, json in found] == [b"a", b"b", b"c"]
    assert [reader.behind(position) for position in (0, found[0][0], found[2][0])] == [3, 2, 0]
    for opened in (reader, early, late):
        opened.close()


def test_a_reader_of_a_file_passes_over_what_was_kept_without_its_transaction(tmp_path: Path):
    store = DecisionStore(tmp_path / "decisions.db")
    store.context_id(CONTEXT)
    store.add([record("a", transaction_json=b""), record("b", transaction_json=b"b")])
    reader = DecisionReader(tmp_path / "decisions.db")
    assert reader.transactions_after(0, 10) == [(2, b"b")]
    assert reader.behind(0) == 2
    reader.close()
    store.close()
