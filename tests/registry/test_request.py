"""The note that asks for a retraining: left once, taken up once."""

from __future__ import annotations

import threading

import pytest

from fraudkit.core.errors import CorruptArtefact
from fraudkit.registry.request import RetrainingRequest
from fraudkit.registry.trigger import Trigger

TRIGGER = Trigger(True, ("online AUC at most 0.7",))


@pytest.fixture
def request_note(tmp_path) -> RetrainingRequest:
    return RetrainingRequest(tmp_path / "retraining")


def test_the_first_note_lies_until_it_is_answered(request_note):
    assert request_note.pending() is None
    assert request_note.last() is None
    assert request_note.ask(TRIGGER, 5)
    assert not request_note.ask(Trigger(True, ("later",)), 6)
    assert request_note.pending() == {"asked_at_ms": 5, "reasons": ["online AUC at most 0.7"]}
    request_note.answer(7, "run", "v0002", promoted=False)
    assert request_note.pending() is None
    last = request_note.last()
    assert (last["answered_at_ms"], last["run"], last["version"], last["promoted"]) == (7, "run", "v0002", False)
    assert last["asked"]["asked_at_ms"] == 5


def test_of_many_that_ask_at_once_one_leaves_the_note(request_note):
    left = []
    threads = [
        threading.Thread(target=lambda k=k: left.append(request_note.ask(Trigger(True, (str(k),)), k)))
        for k in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert left.count(True) == 1


def test_a_note_that_was_changed_is_told(request_note):
    request_note.ask(TRIGGER, 5)
    path = request_note.folder / "asked.json"
    path.write_bytes(path.read_bytes().replace(b"0.7", b"0.8"))
    with pytest.raises(CorruptArtefact, match=r"asked\.json"):
        request_note.pending()
