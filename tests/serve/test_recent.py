"""The latest replies: bounded in number, and in what each of them holds."""

from __future__ import annotations

import tracemalloc

import orjson

from fraudkit.serve.decisions import Record
from fraudkit.serve.recent import RecentReplies

COUNT = 500


def record(number: int) -> Record:
    reply = orjson.dumps({"transaction_id": f"t{number}", "padding": "x" * 500})
    return Record(f"t{number}", b"digest", 0, "APPROVE", 0.5, reply, b"", b"{}", "", False, 1)


def test_the_oldest_are_forgotten():
    recent = RecentReplies(kept=3)
    recent.add(record(number) for number in range(5))
    assert set(recent.known([f"t{number}" for number in range(5)])) == {"t2", "t3", "t4"}


def test_a_remembered_reply_holds_no_more_than_its_own_length():
    """orjson's bytes keep the buffer in which they were written."""
    recent = RecentReplies()
    recent.add([record(0)])
    tracemalloc.start()
    for number in range(COUNT):
        recent.add([record(number)])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held / COUNT < 1500
