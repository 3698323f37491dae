"""Exploration in the real service: what is let pass is logged as it was drawn, and replay draws the same."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import httpx
import orjson
import pytest

from fraudkit.audit.archive import Archive
from fraudkit.audit.consume import StreamConsumer
from fraudkit.audit.replay import Replayer, replay
from fraudkit.core.decision_event import GENESIS, DecisionEvent
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.registry.registry import Registry
from fraudkit.rules.exploration import Exploration, read_exploration
from fraudkit.serve.contracts import ScoreReply
from tests.serve.process import body, served
from tests.serve.test_switch import passed, train

pytestmark = pytest.mark.timeout(200)
KEY = "only for this test"
ON = {"FRAUDKIT_EXPLORE": "0.1", "FRAUDKIT_EXPLORE_KEY": KEY}
TRAVELLERS, SPENDERS = 150, 20  # card holders who pay far away a minute later: within the cap, and above it
FAR = {"country": "US", "latitude": 40.7, "longitude": -74.0}
HOME = {"country": "DE", "latitude": 52.5, "longitude": 13.4}


def payments() -> list[dict]:
    """Two of each card holder, an ocean between them."""
    made = []
    for k in range(TRAVELLERS + SPENDERS):
        amount = 40.0 if k < TRAVELLERS else 400.0
        for away, where in enumerate((HOME, FAR)):
            made.append(body(2 * k + away, user_id=f"u{k}", amount=amount, currency="USD", location=where))
    return made


def score(client: httpx.Client, items: list[dict]) -> dict[str, dict]:
    """The replies by transaction."""
    replies = {}
    for start in range(0, len(items), 100):
        reply = client.post("/score_transactions", json={"transactions": items[start : start + 100]})
        replies |= {r["reply"]["transaction_id"]: r["reply"] for r in reply.raise_for_status().json()["results"]}
    return replies


@pytest.fixture(scope="module")
def explored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict]]:
    """A home whose service explored, its decisions archived; and the replies that it gave."""
    folder = tmp_path_factory.mktemp("home")
    registry = Registry(folder / "registry")
    registry.register(train(0).save(folder / "bundle"), {}, {})
    registry.promote("v0001", passed(registry, "v0001"))
    items = payments()
    with served(folder, **ON) as running:
        replies = score(running.client, items)
        assert score(running.client, items) == replies  # retries
        while "\nevents_behind 0.0" not in running.client.get("/metrics").text:
            time.sleep(0.05)
        consumer = StreamConsumer(EmbeddedValkey(folder / "run" / "store").url, Archive(folder / "decision_log"))
        while consumer.step():
            pass
        consumer.close()
    return folder, replies


@pytest.fixture(scope="module")
def events(explored: tuple[Path, dict[str, dict]]) -> list[DecisionEvent]:
    return list(Archive(explored[0] / "decision_log").events())


def test_a_share_of_the_soft_declines_is_let_pass_and_says_so(explored):
    _, replies = explored
    travel = [r for r in replies.values() if r["rules"] and r["rules"][0]["rule_id"] == "impossible_travel"]
    assert len(travel) == TRAVELLERS + SPENDERS
    drawn = [r for r in travel if "propensity" in r]
    let_pass = [r for r in drawn if r["explored"]]
    assert len(drawn) == TRAVELLERS
    assert 5 <= len(let_pass) <= 30
    assert {(r["decision"], r["propensity"]) for r in let_pass} == {("APPROVE", 0.1)}
    assert {(r["decision"], r["propensity"]) for r in drawn if not r["explored"]} == {("DECLINE", 0.9)}
    assert "Let pass by a draw" in let_pass[0]["reason"]
    for reply in travel:
        ScoreReply.model_validate(reply)


def test_every_draw_is_made_again_bit_for_bit(explored, events):
    home, replies = explored
    replayer = Replayer(Registry(home / "registry"), read_exploration(ON))
    report = replay(events, replayer, GENESIS)
    assert (report.events, report.equal, report.passed) == (len(replies), len(replies), True)


@pytest.mark.parametrize("exploration", [None, Exploration(0.1, 100.0, "a key that is another")])
def test_without_its_key_a_decision_is_counted_apart(explored, events, exploration):
    report = replay(events, Replayer(Registry(explored[0] / "registry"), exploration), GENESIS)
    assert report.not_here == {"other policy": len(events)}


def test_a_draw_that_was_edited_is_found(explored, events):
    replayer = Replayer(Registry(explored[0] / "registry"), read_exploration(ON))
    event = next(e for e in events if orjson.loads(e.reply).get("explored"))
    edited = replace(event, reply=orjson.dumps(orjson.loads(event.reply) | {"propensity": 1.0}))
    assert [found.field for found in replayer.differences(edited)] == ["propensity"]
