from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import redis

from fraudkit.features.catalog import INDEX
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.store import HistoryStore


def counted(server, transaction):
    store = HistoryStore.connect(server.url, socket_timeout=10.0)
    try:
        return OnlineFeatures(store).vectors([transaction]).X[0, INDEX["user_txn_count_1h"]]
    finally:
        store.close()


def test_a_folder_with_a_space_and_a_long_name(tmp_path, payment):
    folder = tmp_path / "a folder with spaces" / ("long" * 30)
    with EmbeddedValkey(folder) as server:
        assert len(server.url) < 104
        assert counted(server, payment(1)) == 1
    assert server.pid() is None


def test_a_killed_server_keeps_what_it_answered(tmp_path, payment):
    server = EmbeddedValkey(tmp_path).start()
    pid = server.pid()
    assert counted(server, payment(1)) == 1
    os.kill(pid, signal.SIGKILL)
    while server.pid() is not None:
        time.sleep(0.01)
    server.stop()
    with EmbeddedValkey(tmp_path) as again:
        assert again.pid() != pid
        assert counted(again, payment(2, seconds=1)) == 2


def test_a_server_left_behind_is_found_and_stopped(tmp_path):
    left = EmbeddedValkey(tmp_path, persist=False).start()
    found = EmbeddedValkey(tmp_path, persist=False).start()
    assert found.pid() == left.pid() == json.loads((tmp_path / "valkey.json").read_text())["pid"]
    found.stop()
    assert left.pid() is None
    left.stop()


def test_a_stale_pid_file_is_no_server(tmp_path):
    (tmp_path / "valkey.json").write_text(json.dumps({"pid": os.getpid()}))
    server = EmbeddedValkey(tmp_path, persist=False)
    assert server.pid() is None
    server.stop()
    with server:
        assert server.pid() not in (None, os.getpid())


def test_a_started_server_has_read_its_file(tmp_path):
    with EmbeddedValkey(tmp_path) as server:
        client = redis.Redis.from_url(server.url)
        pipeline = client.pipeline(transaction=False)
        for key in range(200_000):
            pipeline.set(key, b"x" * 100)
        pipeline.execute()
    with EmbeddedValkey(tmp_path) as server:
        assert redis.Redis.from_url(server.url, retry=None).get("199999") == b"x" * 100


CHILD = """
import sys, time
from fraudkit.features.embedded import EmbeddedValkey
print(EmbeddedValkey(sys.argv[1], persist=False).start().pid(), flush=True)
time.sleep(60)
"""


@pytest.fixture
def other_program(tmp_path):
    """Another program that started a server on tmp_path and never collects its children; yields the server's pid."""
    with subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as program:
        yield int(program.stdout.readline())
        program.kill()


def test_a_server_that_another_living_program_started_is_stopped_without_waiting_for_it(tmp_path, other_program):
    asked = []
    server = EmbeddedValkey(tmp_path, persist=False)
    real_kill = os.kill

    def kill(pid, number):
        asked.append(number)
        real_kill(pid, number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "kill", kill)
        server.stop()
    assert server.pid() is None
    assert signal.SIGKILL not in asked  # its zombie was not taken for a server that will not leave


def test_leaving_the_context_stops_only_a_server_of_its_own(tmp_path, other_program):
    with EmbeddedValkey(tmp_path, persist=False) as server:
        assert server.pid() == other_program
    assert server.pid() == other_program
    server.stop()


def test_a_server_of_its_own_that_hangs_is_killed(tmp_path):
    server = EmbeddedValkey(tmp_path, persist=False).start()
    pid = server.pid()
    os.kill(pid, signal.SIGSTOP)
    server.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_server_that_replaced_its_own_is_left_alone(tmp_path):
    with EmbeddedValkey(tmp_path, persist=False) as first:
        os.kill(first.pid(), signal.SIGKILL)
        while first.pid() is not None:
            time.sleep(0.01)
        second = EmbeddedValkey(tmp_path, persist=False).start()
    assert second.pid() is not None
    second.stop()
