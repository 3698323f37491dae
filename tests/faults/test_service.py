"""`python -m fraudkit.faults leak` as it is run: a real service in its own process, driven from outside."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from fraudkit.core.errors import InvalidInput, NotReady
from fraudkit.core.transaction import Transaction
from fraudkit.faults.clock import PaymentClock
from fraudkit.faults.leak import LeakPlan
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.store import HistoryStore
from fraudkit.workbook.incident.live import Rehearsal, shipped_lookup
from fraudkit.workbook.incident.timeline import build_timeline, harmed, releases
from fraudkit.workbook.incident.verification import stress, verification_steps

START_MS = 1_760_000_040_000  # a whole minute
POOL = 2
HANGING = "import time\n\ndef get_reputation(pool, address):\n    time.sleep(30)\n    return 0.0\n"


@pytest.fixture
def rehearsal(
    valkey: EmbeddedValkey, store: HistoryStore, bundle: Path, payment: Callable[..., Transaction], tmp_path: Path
) -> Iterator[Rehearsal]:
    """Every second payment comes from an address without a rating."""
    store.publish_reputation(["203.0.113.0"], np.array([0.25]))
    payments = [payment(number, ip_address=f"203.0.113.{number % 2}") for number in range(60)]
    with Rehearsal(payments, valkey.url, START_MS, tmp_path / "run here", str(bundle)) as made:
        yield made


def in_use(rehearsal: Rehearsal) -> float:
    return rehearsal.snapshots[-1].samples["reputation_pool_in_use"]


def test_an_incident_from_release_to_fix(rehearsal: Rehearsal, payment: Callable[..., Transaction]):
    rehearsal.start("sound", pool=POOL, wait_ms=5)
    rehearsal.run(1)
    assert in_use(rehearsal) == 0
    rehearsal.start("leaking", pool=POOL, wait_ms=5)
    replies = rehearsal.run(1)
    assert [bool(reply.body and reply.body["degraded"]) for reply in replies] == [False] * 4 + [True] * 6
    assert rehearsal.snapshots[-1].samples["reputation_pool_timeouts_total"] == 6
    rehearsal.start("fixed", pool=POOL, wait_ms=5)
    since = len(rehearsal.snapshots) - 1
    stress(rehearsal, [payment(1_000 + number, ip_address="203.0.113.1") for number in range(POOL + 1)])
    rehearsal.run(2)
    assert all(step.ok for step in verification_steps(rehearsal.snapshots[since:]))
    assert rehearsal.statuses == {200: 43}
    assert [decision.transaction_id for decision in harmed(rehearsal.database)] == [f"txn-{n}" for n in range(14, 20)]
    assert len({release.code for release in releases(rehearsal.database)}) == 3
    told = [event.what for event in build_timeline(rehearsal.database, rehearsal.snapshots)]
    assert "pool exhausted: 2 of 2 connections out" in told
    assert any(line.get("error") == "ConnectionError" for line in rehearsal.log())


def test_a_payment_waits_for_a_connection_as_long_as_it_is_told_and_is_then_answered(rehearsal: Rehearsal):
    rehearsal.start("leaking", pool=POOL, wait_ms=105)  # beyond the deadline that a service in earnest has
    replies = rehearsal.run(1)
    assert [reply.status for reply in replies] == [200] * 10
    assert all(reply.milliseconds >= 105 for reply in replies[4:])


def test_a_connection_that_the_service_closed_as_idle_is_opened_again(rehearsal: Rehearsal):
    rehearsal.start("sound", pool=POOL)
    assert rehearsal._connection is not None and rehearsal._connection.sock is not None
    rehearsal._connection.sock.shutdown(socket.SHUT_RDWR)
    assert rehearsal.run(1)[0].status == 200


def test_a_file_of_one_s_own_takes_the_place_of_the_lookup(rehearsal: Rehearsal, tmp_path: Path):
    fix = tmp_path / "fix.py"
    fix.write_text("def get_reputation(pool, address):\n    return 0.5\n", encoding="utf-8")
    rehearsal.start(fixed=fix, pool=POOL)
    rehearsal.run(1)
    assert in_use(rehearsal) == 0
    assert rehearsal.snapshots[-1].samples["reputation_pool_taken_total"] == 0


def test_a_file_that_cannot_be_loaded_starts_no_service_and_says_why(rehearsal: Rehearsal, tmp_path: Path):
    fix = tmp_path / "fix.py"
    fix.write_text("import socket\n", encoding="utf-8")
    with pytest.raises(NotReady, match="defines no function get_reputation"):
        rehearsal.start(fixed=fix)


def test_a_lookup_that_never_returns_is_left_behind(
    rehearsal: Rehearsal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, payment: Callable[..., Transaction]
):
    monkeypatch.setattr("fraudkit.workbook.incident.live.ANSWER_TIMEOUT_S", 0.3)
    monkeypatch.setattr("fraudkit.workbook.incident.live.STOP_TIMEOUT_S", 0.3)
    fix = tmp_path / "fix.py"
    fix.write_text(HANGING, encoding="utf-8")
    rehearsal.start(fixed=fix)
    assert rehearsal.send(payment(500)).status == 0
    rehearsal.close()


def test_the_service_ends_by_itself(bundle: Path, valkey: EmbeddedValkey, tmp_path: Path):
    command = [sys.executable, "-m", "fraudkit.faults", "leak", "--model", str(bundle), "--seconds", "1"]
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path,
        env=os.environ | {"REDIS_URL": valkey.url},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert "ready on http://127.0.0.1:" in ended.stderr


def test_the_text_of_a_version_is_shown():
    assert "raise LookupError" in shipped_lookup("leaking")
    with pytest.raises(NotReady, match="choose one of"):
        shipped_lookup("absent")


@pytest.mark.parametrize("wrong", [{"pool_size": 0}, {"pool_size": 10_000}, {"wait_s": 0.0}, {"wait_s": 60.0}])
def test_a_plan_that_cannot_be_is_refused(wrong: dict):
    plan = {"lookup": Path("fix.py"), "pool_size": 20, "wait_s": 0.1, "start_ms": 0, "per_minute": 10}
    with pytest.raises(InvalidInput, match="cannot be; give"):
        LeakPlan(**{**plan, **wrong})


def test_time_is_counted_in_payments():
    clock = PaymentClock(START_MS, per_minute=4)
    for _ in range(6):
        clock.tick()
    assert clock.now_ms() == START_MS + 90_000
    with pytest.raises(InvalidInput, match="lets no time pass"):
        PaymentClock(0, per_minute=0)
