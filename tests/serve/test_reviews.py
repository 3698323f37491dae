"""The review queue over HTTP, on a real service: what enters it, who gets a case, and what becomes of it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fraudkit.core.decision import Contribution
from fraudkit.serve.card_reference import card_references
from fraudkit.serve.decisions.reviews import LEASE_MS, LIFETIME_MS
from fraudkit.serve.housekeeping import usual_tasks
from fraudkit.serve.keys import KeyFile, KeyRing
from fraudkit.serve.logs import DecisionLog
from tests.serve.conftest import Service

# The stand-in's score is the amount over 1,000, and its probability half of that.
REVIEWED, APPROVED, DECLINED = 600.0, 50.0, 950.0
CARD = "4111 1111 1111 1111"


@pytest.fixture
def pay(service: Service, request_body) -> Callable[..., str]:
    """Scores a payment; gives its id."""

    def one(name: str, amount: float = REVIEWED, **changes: object) -> str:
        body = request_body(transaction_id=name, amount=amount, **changes)
        service.client.post("/score_transaction", json=body).raise_for_status()
        return name

    return one


def cases(service: Service, **query: object) -> list[str]:
    page = service.client.get("/v1/reviews", params=query, headers={"X-Analyst": "anna"})
    return [case["transaction_id"] for case in page.raise_for_status().json()["cases"]]


def act(service: Service, name: str, verb: str, analyst: str = "anna", **content: object):
    body = content if verb == "decide" else None
    return service.client.post(f"/v1/reviews/{name}/{verb}", json=body, headers={"X-Analyst": analyst})


def test_every_payment_to_review_is_queued_exactly_once_and_no_other(service, pay, request_body):
    for name, amount in (("a", REVIEWED), ("b", APPROVED), ("c", DECLINED), ("d", REVIEWED)):
        pay(name, amount)
        pay(name, amount)  # a retry
    items = [
        request_body(transaction_id=name, amount=a) for name, a in (("e", REVIEWED), ("e", REVIEWED), ("b", APPROVED))
    ]
    service.client.post("/score_transactions", json={"transactions": items}).raise_for_status()
    assert sorted(cases(service)) == ["a", "d", "e"]


def test_a_decision_from_the_journal_is_queued_when_the_database_is_back(service, pay, monkeypatch):
    def away(*_: object) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr(service.scorer.decisions, "add", away)
        pay("a")
    assert cases(service) == []
    service.scorer.journal.move(service.scorer.decisions)
    service.scorer.journal.move(service.scorer.decisions)
    assert cases(service) == ["a"]


def test_a_payment_that_went_through_and_would_have_been_stopped_is_queued_when_that_is_known(service, pay):
    service.features.counts["u"] = 20
    service.features.down = True
    pay("a", APPROVED, user_id="u")
    pay("b", DECLINED, user_id="v")  # was stopped: nothing to look at
    service.features.down = False
    pay("c", APPROVED)
    assert cases(service) == []
    usual_tasks(service.scorer)["rescoring"]()
    (case,) = service.client.get("/v1/reviews").json()["cases"]
    assert (case["transaction_id"], case["action"]) == ("a", "DECLINE")


def test_the_highest_expected_loss_comes_first_in_pages_that_miss_and_repeat_nothing(service, pay):
    amounts = {f"t{n}": 520.0 + 10 * (n % 9) for n in range(25)}
    for name, amount in amounts.items():
        pay(name, amount, user_id=name)
    wanted = sorted(amounts, key=lambda name: (-amounts[name], name))
    seen, after = [], {}
    while True:
        page = service.client.get("/v1/reviews", params={"limit": 4, **after}).json()
        seen += [case["transaction_id"] for case in page["cases"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
        gone = wanted.index(seen[-1])
        if gone == 7:
            act(service, seen[0], "claim")  # what happens meanwhile moves nothing
    assert seen == wanted
    assert page["open"] == 25
    losses = [case["expected_loss"] for case in service.client.get("/v1/reviews").json()["cases"]]
    assert losses[0] == pytest.approx(0.6 / 2 * 600)


def test_filters_choose(service, pay):
    for name, amount, user in (("a", 600, "u1"), ("b", 700, "u1"), ("c", 800, "u2")):
        pay(name, amount, user_id=user)
    act(service, "b", "claim")
    assert cases(service, user_id="u1") == ["b", "a"]
    assert cases(service, min_loss=200) == ["c", "b"]
    assert cases(service, state="free") == ["c", "a"]
    assert cases(service, state="mine") == ["b"]
    act(service, "b", "decide", is_fraud=True)
    assert cases(service, state="closed") == ["b"]
    assert cases(service) == ["c", "a"]


@pytest.mark.parametrize(
    "query",
    [{"limit": 0}, {"limit": 201}, {"state": "all"}, {"min_loss": -1}, {"after": "x"}, {"user_id": CARD}, {"q": CARD}],
)
def test_a_question_that_cannot_be_is_refused_without_repeating_it(service, query):
    reply = service.client.get("/v1/reviews", params=query)
    assert reply.status_code == 422
    assert CARD not in reply.text
    assert reply.json()["detail"][0]["remedy"]


def test_a_claim_is_one_analyst_s_until_it_is_given_back(service, pay):
    pay("a")
    assert act(service, "a", "claim").json()["case"]["claimed_by"] == "anna"
    assert act(service, "a", "claim").status_code == 200  # again, for longer
    taken = act(service, "a", "claim", "ben")
    assert taken.status_code == 409
    assert taken.json()["case"]["claimed_by"] == "anna"
    assert "anna" in taken.json()["detail"][0]["problem"]
    assert act(service, "a", "release", "ben").status_code == 409
    assert act(service, "a", "decide", "ben", is_fraud=False).status_code == 409
    assert [act(service, "a", "release").status_code for _ in range(2)] == [200, 200]
    assert act(service, "a", "claim", "ben").status_code == 200


def test_of_many_who_claim_at_once_one_gets_the_case(service, pay):
    for turn in range(5):
        name = pay(f"t{turn}")
        with ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(lambda n, name=name: act(service, name, "claim", f"analyst-{n}"), range(8)))
        (winner,) = [reply.json()["case"]["claimed_by"] for reply in replies if reply.status_code == 200]
        assert {reply.json()["case"]["claimed_by"] for reply in replies} == {winner}
        assert [reply.status_code for reply in replies].count(409) == 7


def test_the_case_of_an_analyst_who_is_gone_comes_back(service, pay):
    pay("a")
    act(service, "a", "claim")
    service.clock.advance(LEASE_MS - 1)
    assert cases(service, state="free") == []
    service.clock.advance(1)
    assert cases(service, state="free") == ["a"]
    assert act(service, "a", "claim", "ben").status_code == 200
    assert act(service, "a", "decide", "anna", is_fraud=True).status_code == 409  # who comes back finds it taken
    steps = service.client.get("/v1/reviews/a").json()["steps"]
    assert [(step["analyst"], step["event"]) for step in steps] == [("anna", "claimed"), ("ben", "claimed")]


def test_whose_time_is_up_may_decide_what_nobody_took(service, pay):
    pay("a")
    act(service, "a", "claim")
    service.clock.advance(LEASE_MS + 60_000)
    assert act(service, "a", "decide", is_fraud=False).status_code == 200


def test_a_case_is_claimed_before_it_is_decided(service, pay):
    pay("a")
    reply = act(service, "a", "decide", is_fraud=True)
    assert reply.status_code == 409
    assert reply.json()["detail"][0]["remedy"] == "claim it first"
    assert cases(service) == ["a"]


def test_a_decision_becomes_feedback_once_whatever_is_sent_again(service, pay):
    pay("a")
    act(service, "a", "claim")
    first = act(service, "a", "decide", is_fraud=True, note="The card was stolen.").json()
    again = act(service, "a", "decide", is_fraud=True, note="The card was stolen.").json()
    assert (first["repeated"], again["repeated"]) == (False, True)
    assert (first["case"]["state"], first["case"]["closed_by"]) == ("fraud", "anna")
    assert act(service, "a", "decide", is_fraud=False).status_code == 409
    assert act(service, "a", "decide", "ben", is_fraud=True).status_code == 409
    assert act(service, "a", "claim").status_code == act(service, "a", "release").status_code == 409
    stored = service.client.get("/decisions/a").json()
    (word,) = stored["feedback"]
    assert (word["source"], word["author"], word["note"]) == ("manual_review", "anna", "The card was stolen.")
    assert stored["verdict"]["is_fraud"] is True
    assert 'fraud_feedback_total{is_fraud="true",source="manual_review"} 1.0' in service.client.get("/metrics").text
    assert cases(service) == []


def test_a_chargeback_stands_above_what_the_analyst_said(service, pay):
    pay("a")
    act(service, "a", "claim")
    act(service, "a", "decide", is_fraud=False)
    word = {"transaction_id": "a", "is_fraud": True, "source": "chargeback"}
    service.client.post("/feedback", json=word).raise_for_status()
    assert service.client.get("/decisions/a").json()["verdict"]["is_fraud"] is True
    assert service.client.get("/v1/reviews/a").json()["case"]["state"] == "legitimate"


@pytest.mark.parametrize("first", ["word", "payment"])
def test_a_chargeback_closes_the_case_whichever_comes_first(service, pay, first):
    word = {"transaction_id": "a", "is_fraud": True, "source": "chargeback"}
    if first == "word":
        service.client.post("/feedback", json=word).raise_for_status()
    pay("a")
    if first == "payment":
        act(service, "a", "claim")
        service.client.post("/feedback", json=word).raise_for_status()
        assert act(service, "a", "decide", is_fraud=False).json()["case"]["state"] == "chargeback"
    assert cases(service) == []


def test_a_card_holder_s_own_report_leaves_the_case_to_the_analyst(service, pay):
    pay("a")
    service.client.post("/feedback", json={"transaction_id": "a", "is_fraud": True, "source": "user_report"})
    assert cases(service) == ["a"]


def test_an_analyst_and_a_chargeback_at_once_leave_one_outcome(service, pay):
    word = {"is_fraud": True, "source": "chargeback"}
    for turn in range(10):
        name = pay(f"t{turn}")
        act(service, name, "claim")
        with ThreadPoolExecutor(2) as pool:
            decided = pool.submit(act, service, name, "decide", is_fraud=False)
            pool.submit(service.client.post, "/feedback", json=word | {"transaction_id": name}).result()
        steps = [s["event"] for s in service.client.get(f"/v1/reviews/{name}").json()["steps"]]
        assert steps == (
            ["claimed", "legitimate"] if decided.result().status_code == 200 else ["claimed", "chargeback"]
        )


def test_a_case_that_is_too_old_leaves_the_queue_but_not_from_under_an_analyst(service, pay):
    pay("a")
    pay("b")
    service.clock.advance(LIFETIME_MS)
    act(service, "b", "claim")
    usual_tasks(service.scorer)["reviews"]()
    assert cases(service) == ["b"]
    assert service.client.get("/v1/reviews/a").json()["case"]["state"] == "expired"


def test_the_queue_survives_a_restart(service, start, pay):
    pay("a")
    pay("b", 700)
    act(service, "a", "claim")
    again = start()
    assert cases(again) == ["b", "a"]
    assert act(again, "a", "claim", "ben").status_code == 409


def test_a_case_shows_reasons_payment_and_the_card_holder_s_other_payments(service, pay):
    pay("past", APPROVED, user_id="u", merchant_id="shop")
    service.client.post("/feedback", json={"transaction_id": "past", "is_fraud": True, "source": "user_report"})
    pay("stranger", APPROVED, user_id="v")
    service.clock.advance(60_000)
    pay("a", user_id="u", card_token=CARD)
    whole = service.client.get("/v1/reviews/a").json()
    assert whole["reply"]["explanation"][0]["words"] == whole["case"]["why"] == "The amount is high"
    assert (whole["payment"]["amount"], whole["payment"]["device_id"]) == (REVIEWED, "device-3")
    assert [(p["transaction_id"], p["merchant_id"], p["is_fraud"]) for p in whole["history"]] == [
        ("past", "shop", True)
    ]
    assert CARD not in json.dumps(whole)


def test_a_case_shows_which_payments_were_made_with_the_same_card(start, request_body):
    service = start(references=card_references(b"k" * 32))
    for name, amount, token in (("past", APPROVED, CARD), ("other", APPROVED, "tok"), ("a", REVIEWED, CARD)):
        body = request_body(transaction_id=name, user_id="u", amount=amount, card_token=token)
        service.client.post("/score_transaction", json=body).raise_for_status()
    whole = service.client.get("/v1/reviews/a").json()
    refs = {p["transaction_id"]: p["card_ref"] for p in whole["history"]}
    assert refs["past"] == whole["payment"]["card_ref"] != refs["other"]
    assert None not in refs.values()
    assert CARD not in json.dumps(whole)


def test_the_line_that_says_why_is_what_raised_the_score(service, pay, monkeypatch):
    drivers = (Contribution("a", 1.0, -2.0, "lowers it"), Contribution("b", 1.0, 0.5, "raises it"))
    monkeypatch.setattr(service.model, "explain", lambda X: drivers)
    pay("a")
    assert service.client.get("/v1/reviews/a").json()["case"]["why"] == "raises it"


def test_what_is_no_case_is_not_found(service, pay):
    pay("b", APPROVED)
    for name in ("b", "nothing"):
        assert service.client.get(f"/v1/reviews/{name}").status_code == 404
        assert act(service, name, "claim").status_code == 404
        assert act(service, name, "decide", is_fraud=True).status_code == 404


@pytest.mark.parametrize(
    "content", [{}, {"is_fraud": "yes"}, {"is_fraud": True, "note": f"card {CARD}"}, {"is_fraud": True, "x": 1}]
)
def test_a_decision_that_cannot_be_is_refused_and_a_card_number_kept_nowhere(service, pay, content):
    pay("a")
    act(service, "a", "claim")
    reply = act(service, "a", "decide", **content)
    assert reply.status_code == 422
    assert CARD not in reply.text
    assert CARD.encode() not in service.state()[0]


@pytest.mark.parametrize("name", ["Anna!", "a" * 33, CARD.replace(" ", ""), CARD.replace(" ", "-")])
def test_an_analyst_s_name_is_a_name(service, pay, name: str):
    pay("a")
    reply = act(service, "a", "claim", name)
    assert reply.status_code == 422
    assert name not in reply.text
    assert service.client.get("/v1/reviews/a").json()["steps"] == []


def test_a_key_says_who_asks_and_opens_the_queue_only_with_its_scope(start, tmp_path: Path, request_body):
    file = KeyFile(tmp_path / "keys.json")
    keys = {name: file.add(name, [scope]) for name, scope in (("anna", "review"), ("gateway", "score"))}
    service = start(ring=KeyRing(file))
    service.client.post(
        "/score_transaction", json=request_body(amount=REVIEWED), headers={"X-API-Key": keys["gateway"]}
    ).raise_for_status()
    path = "/v1/reviews/txn-2041/claim"
    assert service.client.post(path).status_code == 401
    assert service.client.post(path, headers={"X-API-Key": keys["gateway"]}).status_code == 403
    as_ben = {"X-API-Key": keys["anna"], "X-Analyst": "ben"}  # a key's name cannot be talked away
    assert service.client.post(path, headers=as_ben).json()["case"]["claimed_by"] == "anna"
    assert service.client.get("/review").status_code == 200


@pytest.mark.parametrize("verb", ["claim", "release", "decide"])
def test_another_page_in_the_browser_cannot_act(service, pay, verb: str):
    pay("a")
    plain = {"Origin": "http://elsewhere.example", "Content-Type": "text/plain"}  # what a browser sends without asking
    assert service.client.post(f"/v1/reviews/a/{verb}", headers=plain).status_code in (403, 415)
    assert service.client.get("/v1/reviews/a").json()["steps"] == []
    own = service.client.post("/v1/reviews/a/claim", headers={"Origin": service.url})
    assert own.status_code == 200


def test_size_and_age_of_the_queue_are_measured(service, pay):
    pay("a")
    service.clock.advance(90_000)
    pay("b")
    act(service, "b", "claim")
    text = service.client.get("/metrics").text
    assert 'review_queue_cases{state="free"} 1.0' in text
    assert 'review_queue_cases{state="claimed"} 1.0' in text
    assert "review_queue_oldest_seconds 90.0" in text


def test_a_closed_case_is_a_line_of_the_log(service, pay):
    stream = io.StringIO()
    service.scorer.log = DecisionLog(stream, every_decision=True)
    pay("a")
    act(service, "a", "claim")
    act(service, "a", "decide", is_fraud=True)
    line = json.loads(stream.getvalue().splitlines()[-1])
    assert {name: line[name] for name in ("event", "transaction_id", "outcome", "analyst")} == {
        "event": "review", "transaction_id": "a", "outcome": "fraud", "analyst": "anna",
    }  # fmt: skip
