"""From archived decisions to what estimates take: what was seen, and with what chance."""

from __future__ import annotations

import json

import numpy as np
import orjson
import pandas as pd
import pytest
from typer.testing import CliRunner

from fraudkit.audit.archive import FOLDER, Archive
from fraudkit.audit.outcomes import outcomes
from fraudkit.cli import app
from fraudkit.core.clock import DAY_S, to_epoch_ms
from fraudkit.core.config import settings
from fraudkit.core.decision_event import DecisionEvent
from fraudkit.core.errors import InvalidInput
from fraudkit.core.transaction import Transaction
from fraudkit.serve.decisions import Context, DecisionStore, Record

MOMENT = pd.Timestamp("2026-01-01", tz="UTC")
OLD_MS = to_epoch_ms(MOMENT.to_pydatetime()) - 121 * DAY_S * 1000
NO_WORD = pd.DataFrame({"transaction_id": [], "known_at": pd.to_datetime([], utc=True), "source": [], "is_fraud": []})


def event(position: int, action: str, at_ms: int = OLD_MS, **reply: object) -> DecisionEvent:
    payment = Transaction(
        f"t{position}", f"u{position}", at_ms, at_ms, 20.0, "USD", "m", "5411", "US", 0.0, 0.0, True, False
    )
    return DecisionEvent(
        position, f"t{position}", b"d", at_ms, action, 0.1, orjson.dumps(reply), b"", orjson.dumps(payment), "",
        "v", "m", "r", "p", "s", "c",
    )  # fmt: skip


KINDS = [
    (event(1, "APPROVE"), (True, 1.0, False)),
    (event(2, "REVIEW"), (True, 1.0, True)),
    (event(3, "APPROVE_FALLBACK"), (True, 1.0, False)),
    (event(4, "DECLINE"), (False, 0.0, True)),
    (event(5, "DECLINE", explored=False, propensity=0.95), (False, 0.05, True)),
    (event(6, "APPROVE", explored=True, propensity=0.05), (True, 0.05, True)),
]


@pytest.mark.parametrize(("made", "expected"), KINDS, ids=[f"{e.action}-{e.reply.decode()}" for e, _ in KINDS])
def test_the_chance_to_be_seen_is_that_of_the_draw(made, expected):
    found = outcomes([made], NO_WORD, MOMENT)
    seen, probability, flagged = expected
    assert found["seen"].tolist() == [seen]
    assert found["probability"].tolist() == pytest.approx([probability])
    assert found["flagged"].tolist() == [flagged]
    assert found["amount_usd"].tolist() == [20.0]


def test_what_has_not_matured_does_not_count():
    young = event(1, "APPROVE", OLD_MS + 2 * DAY_S * 1000)
    assert len(outcomes([young, event(2, "APPROVE")], NO_WORD, MOMENT)["seen"]) == 1
    assert {array.shape for array in outcomes([], NO_WORD, MOMENT).values()} == {(0,)}


def test_the_command_estimates_what_the_draw_shows(tmp_path, monkeypatch, rng: np.random.Generator):
    """2,000 soft declines of which three in ten are fraud, one in ten let pass; nothing else is fraud."""
    monkeypatch.setenv("FRAUDKIT_HOME", str(tmp_path))
    settings.cache_clear()
    events = [event(k, "APPROVE") for k in range(1, 2_001)]
    for k in range(2_001, 4_001):
        drawn = {"explored": True, "propensity": 0.1} if rng.random() < 0.1 else {"explored": False, "propensity": 0.9}
        events.append(event(k, "APPROVE" if drawn["explored"] else "DECLINE", **drawn))
    Archive(tmp_path / FOLDER).add(events)
    store = DecisionStore(tmp_path / "run" / "decisions.db")
    context = store.context_id(Context("v", "m", "r", "p", "s", "c"))
    frauds = [e for e in events[2_000:] if e.action == "APPROVE" and rng.random() < 0.3]
    store.add([
        Record(e.transaction_id, b"d", OLD_MS, e.action, 0.1, e.reply, b"", e.transaction_json, "", False, context)
        for e in frauds
    ])  # fmt: skip
    for fraud in frauds:
        store.add_feedback(fraud.transaction_id, "chargeback", True, OLD_MS + 1)
    store.close()
    done = CliRunner().invoke(app, ["log", "estimate", "--as-of", "2025-12-31", "--json"], catch_exceptions=False)
    told = json.loads(done.stdout)
    precision = told["estimates"]["precision"]
    assert precision["low"] < 0.3 < precision["high"]
    assert told["estimates"]["base_rate"]["estimate"] == pytest.approx(0.15, abs=0.04)
    assert told["diagnosis"]["out_of_reach"] == 0
    said = CliRunner().invoke(app, ["log", "estimate", "--as-of", "2025-12-31"], catch_exceptions=False).stdout
    assert "had no chance of it" in said
    with pytest.raises(InvalidInput, match="not a date"):
        CliRunner().invoke(app, ["log", "estimate", "--as-of", "soon"], catch_exceptions=False)
    settings.cache_clear()
