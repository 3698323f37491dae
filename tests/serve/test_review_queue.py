"""The review queue's steps in the database, on SQLite and on a real PostgreSQL alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from fraudkit.serve.decisions import Chosen, Context, DecisionStore, Record, Rescored, Word
from fraudkit.serve.decisions.reviews import LEASE_MS, LIFETIME_MS
from tests.serve.conftest import Opens

CONTEXT = Context("v0001", "m", "r", "p", "s", "c")
NOW = 1_000_000
DAY_MS = 86_400_000
OPEN = Chosen()


def record(name: str, loss: float = 10.0, **changes: object) -> Record:
    made = Record(name, b"digest", NOW, "REVIEW", 0.6, b'{"a":1}', b"v", b"{}", "", False, 1, "u", loss)
    return replace(made, **changes)


def word(is_fraud: bool = True, source: str = "manual_review", author: str = "anna") -> Word:
    return Word(source, is_fraud, NOW, NOW, author)


@pytest.fixture
def store(opens: Opens) -> DecisionStore:
    opened = opens("A")
    opened.context_id(CONTEXT)
    return opened


def names(store: DecisionStore, chosen: Chosen = OPEN, now: int = NOW, limit: int = 50, **after: object) -> list[str]:
    return [case.transaction_id for case, _ in store.reviews.page(chosen, now, limit, **after)]


def test_services_that_decide_the_same_queue_it_once(store: DecisionStore, opens: Opens):
    other = opens("B")
    store.add([record("a"), record("b", action="APPROVE")])
    other.add([record("a"), record("b"), record("c", action="DECLINE")])  # lost against the first on a and b
    other.take_back([record("a", reply=b"other"), record("d"), record("e", action="DECLINE")])
    assert names(store) == ["a", "d"]


def test_pages_follow_the_loss_and_pass_over_nothing(store: DecisionStore):
    store.add([record(f"t{n}", loss=float(n % 3)) for n in range(10)])
    seen, after = [], {}
    while found := store.reviews.page(Chosen(), NOW, 3, **after):
        seen += [case.transaction_id for case, _ in found]
        after = {"after": (found[-1][0].expected_loss, found[-1][0].transaction_id)}
    assert seen == ["t2", "t5", "t8", "t1", "t4", "t7", "t0", "t3", "t6", "t9"]


def test_a_page_brings_each_decision_with_its_case(store: DecisionStore):
    store.add([record("a", user_id="u7", vector=b"\x00\xff")])
    ((case, found),) = store.reviews.page(Chosen(user_id="u7"), NOW, 5)
    assert found == store.get("a")
    assert (case.action, case.expected_loss, case.state) == ("REVIEW", 10.0, "open")


def test_of_analysts_at_several_services_one_gets_a_case(opens: Opens):
    services = [opens(name) for name in "ABCD"]
    services[0].context_id(CONTEXT)
    services[0].add([record(f"t{n}") for n in range(20)])
    with ThreadPoolExecutor(4) as pool:
        for n in range(20):
            claims = [
                pool.submit(one.reviews.claim, f"t{n}", who, NOW) for who, one in zip("abcd", services, strict=True)
            ]
            holders = {claim.result().claimed_by for claim in claims}
            assert len(holders) == 1
            assert [event.event for event in services[0].reviews.events(f"t{n}")] == ["claimed"]


def test_of_two_words_at_once_one_closes_the_case(opens: Opens):
    one, other = opens("A"), opens("B")
    one.context_id(CONTEXT)
    for n in range(15):
        one.add([record(f"t{n}")])
        one.reviews.claim(f"t{n}", "anna", NOW)
        with ThreadPoolExecutor(2) as pool:
            decided = pool.submit(one.reviews.decide, f"t{n}", word(False))
            pool.submit(other.add_feedback, f"t{n}", "chargeback", True, NOW).result()
        closed = decided.result()[1]
        assert one.reviews.get(f"t{n}").state == ("legitimate" if closed else "chargeback")
        assert len(one.reviews.events(f"t{n}")) == 2
        assert len(one.feedback(f"t{n}")) == 1 + closed


def test_a_lease_ends_and_is_made_longer_by_its_holder(store: DecisionStore):
    store.add([record("a")])
    store.reviews.claim("a", "anna", NOW)
    store.reviews.claim("a", "anna", NOW + LEASE_MS - 1)
    assert store.reviews.claim("a", "ben", NOW + LEASE_MS).claimed_by == "anna"
    assert names(store, Chosen(holder="anna"), NOW + LEASE_MS) == ["a"]
    assert names(store, Chosen(free=True), NOW + LEASE_MS) == []
    assert store.reviews.claim("a", "ben", NOW + 2 * LEASE_MS).claimed_by == "ben"
    assert [(e.analyst, e.event) for e in store.reviews.events("a")] == [("anna", "claimed"), ("ben", "claimed")]


def test_a_release_by_another_changes_nothing(store: DecisionStore):
    store.add([record("a")])
    store.reviews.claim("a", "anna", NOW)
    assert store.reviews.release("a", "ben", NOW).claimed_by == "anna"
    assert store.reviews.release("a", "anna", NOW).claimed_by == ""
    assert store.reviews.release("nothing", "anna", NOW) is None


def test_a_decision_is_kept_once_with_its_author(store: DecisionStore):
    store.add([record("a")])
    assert store.reviews.decide("a", word()) == (store.reviews.get("a"), False)  # not claimed
    store.reviews.claim("a", "anna", NOW)
    case, closed = store.reviews.decide("a", word())
    assert (case.state, case.closed_by, closed) == ("fraud", "anna", True)
    assert store.reviews.decide("a", word())[1] is False
    assert store.feedback("a") == [word()]
    assert names(store) == []
    assert names(store, Chosen(closed=True)) == ["a"]


def test_old_and_settled_cases_are_tidied_away(store: DecisionStore):
    store.add([record("old"), record("held"), record("new", decided_at_ms=NOW + DAY_MS), record("settled")])
    later = NOW + LIFETIME_MS
    store.reviews.claim("held", "anna", later)
    with store.database.others() as line:  # as if two services had not seen each other
        line.run(
            "INSERT INTO feedback (transaction_id, source, is_fraud, received_at_ms) VALUES (?, ?, 1, 1)",
            ("new", "chargeback"),
        )
    assert store.reviews.tidy(NOW) == 1
    assert store.reviews.get("new").state == "chargeback"
    assert store.reviews.tidy(later) == 2
    assert store.reviews.tidy(later) == 0
    assert names(store, now=later) == ["held"]
    assert [event.event for event in store.reviews.events("old")] == ["expired"]


def test_what_was_decided_again_is_news_for_its_case_or_becomes_one(store: DecisionStore):
    store.add(
        [record("a"), record("b", action="APPROVE"), record("c", action="APPROVE"), record("d", action="DECLINE")]
    )
    again = Rescored("a", NOW + 5, "APPROVE", 0.1, b"v", 1, 1.0)
    stopped = replace(again, action="DECLINE", expected_loss=99.0)
    late = [
        replace(stopped, transaction_id="b"),
        replace(again, transaction_id="c"),
        replace(stopped, transaction_id="d"),
    ]
    store.add_rescored([again, *late])
    found = {case.transaction_id: (case.action, case.expected_loss) for case, _ in store.reviews.page(Chosen(), NOW, 9)}
    assert found == {"b": ("DECLINE", 99.0), "a": ("APPROVE", 1.0)}


def test_the_queue_is_counted(store: DecisionStore):
    assert (store.reviews.totals(NOW).open, store.reviews.totals(NOW).oldest_ms) == (0, None)
    store.add([record("a"), record("b", decided_at_ms=NOW - 5)])
    store.reviews.claim("a", "anna", NOW)
    totals = store.reviews.totals(NOW)
    assert (totals.open, totals.claimed, totals.oldest_ms) == (2, 1, NOW - 5)
