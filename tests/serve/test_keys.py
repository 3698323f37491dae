"""Keys: what each opens, how often, and what is kept of it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fraudkit.core.errors import CorruptArtefact, InvalidInput
from fraudkit.serve.auth import scope_needed
from fraudkit.serve.keys import LOOK_S, SCOPES, Bucket, KeyFile, KeyRing

PATHS = {
    "score": ("POST", "/score_transaction"),
    "feedback": ("POST", "/feedback"),
    "review": ("GET", "/decisions/t"),
    "admin": ("GET", "/metrics"),
}


class Time:
    now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "run" / "keys.json")


@pytest.mark.parametrize("scope", SCOPES)
def test_a_key_opens_the_paths_of_its_scope_and_no_other(start, file: KeyFile, scope: str):
    key = file.add("client", [scope])
    service = start(ring=KeyRing(file))
    for name, (method, path) in PATHS.items():
        status = service.client.request(method, path, headers={"X-API-Key": key}).status_code
        assert (status == 403) == (name != scope), (name, status)
        assert status != 401


def test_every_route_is_open_or_needs_a_scope(start):
    service = start()
    paths = service.client.get("/openapi.json").json()["paths"]
    needed = {path: scope_needed(path) for path in paths}
    assert {path for path, scope in needed.items() if scope is None} == {"/health", "/ready"}
    assert set(needed.values()) - {None} == set(SCOPES)


def test_what_is_kept_does_not_open_anything(file: KeyFile):
    key = file.add("gateway", ["score"])
    text = file.path.read_text()
    assert key not in text
    assert key.split(".")[2] not in text
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    ring = KeyRing(file)
    stored = json.loads(text)["gateway"]
    for wrong in (stored["digest"], f"fk.gateway.{stored['digest']}", key[:-1], key + "x", "", "..", "fk.other." + key):
        assert ring.caller(wrong) is None
    assert ring.caller(key).name == "gateway"


def test_adding_and_revoking_reach_a_running_service(file: KeyFile):
    time = Time()
    first = file.add("first", ["score"])
    ring = KeyRing(file, clock=time)
    second = file.add("second", ["score"])
    file.revoke("first")
    assert ring.caller(first) is not None  # not looked yet
    time.now += LOOK_S
    assert (ring.caller(first), ring.caller(second).name) == (None, "second")


def test_a_file_that_breaks_while_the_service_runs_opens_and_closes_nothing(file: KeyFile):
    time = Time()
    key = file.add("first", ["score"])
    ring = KeyRing(file, clock=time)
    file.path.write_text("{")
    time.now += LOOK_S
    assert ring.caller(key) is not None
    assert not ring.is_open
    with pytest.raises(CorruptArtefact, match=r"keys\.json"):
        KeyRing(file)


def test_above_the_rate_a_key_has_to_wait(start, file: KeyFile):
    time = Time()
    key = file.add("slow", ["feedback"], per_second=2)
    service = start(ring=KeyRing(file, clock=time))

    def status() -> tuple[int, str | None]:
        reply = service.client.post("/feedback", headers={"X-API-Key": key})
        return reply.status_code, reply.headers.get("retry-after")

    assert [status()[0] for _ in range(2)] == [415, 415]
    assert status() == (429, "1")
    time.now += 0.5
    assert [status()[0] for _ in range(2)] == [415, 429]


def test_a_bucket_gives_its_rate_in_the_long_run():
    bucket = Bucket(10.0)
    bucket.filled_s = 0.0
    given = sum(bucket.take(step / 1000) == 0.0 for step in range(10_000))
    assert given == pytest.approx(110, abs=1)  # ten seconds' worth, and a full bucket at first


@pytest.mark.parametrize(("name", "scopes", "rate"), [
    ("Big", ["score"], None), ("", ["score"], None), ("a", [], None), ("a", ["all"], None), ("a", ["score"], 0.0),
    ("taken", ["score"], None),
])  # fmt: skip
def test_what_cannot_be_a_key_is_refused(file: KeyFile, name, scopes, rate):
    file.add("taken", ["score"])
    with pytest.raises(InvalidInput):
        file.add(name, scopes, rate)


def test_the_command_shows_a_key_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from fraudkit.core.config import settings
    from fraudkit.serve.key_commands import app

    monkeypatch.setenv("FRAUDKIT_HOME", str(tmp_path))
    settings.cache_clear()
    made = CliRunner().invoke(app, ["add", "gateway", "--scope", "score", "--scope", "feedback", "--json"])
    key = json.loads(made.stdout)["key"]
    listed = CliRunner().invoke(app, ["list", "--json"]).stdout
    assert json.loads(listed) == [{"name": "gateway", "scopes": ["score", "feedback"], "per_second": None}]
    assert key not in listed
    assert KeyRing(KeyFile(tmp_path / "run" / "keys.json")).caller(key).may("feedback")
    CliRunner().invoke(app, ["revoke", "gateway"])
    assert json.loads(CliRunner().invoke(app, ["list", "--json"]).stdout) == []
    settings.cache_clear()
