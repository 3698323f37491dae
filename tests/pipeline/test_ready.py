"""What `make lab` and `make serve` rely on: everything is built once, and what belongs to others is left alone."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from fraudkit.core.clock import DAY_S
from fraudkit.core.config import settings
from fraudkit.core.errors import CorruptArtefact, GateRefused
from fraudkit.features.embedded import EmbeddedValkey
from fraudkit.features.store import HistoryStore
from fraudkit.lake import Lake
from fraudkit.pipeline.ready import REFILL_AFTER_DAYS, fill_if_needed, make_ready
from fraudkit.pipeline.training import has_usable_production
from fraudkit.pipeline.workspace import Workspace, open_workspace
from fraudkit.registry.gate import report_from_content
from fraudkit.simulate import simulate


def note() -> Path:
    return settings().run / "store" / "filled.json"


def store_counts(folder: Path) -> dict[str, int]:
    """What a store holds; started for the look and stopped again if nobody else runs it."""
    with EmbeddedValkey(folder) as server:
        store = HistoryStore.connect(server.url)
        counts = store.counts()
        store.close()
    return counts


@pytest.fixture
def promoted(home: Path, registry) -> None:
    """The trained model is in production."""
    registry.promote("v0001", report_from_content(registry.report("v0001")))


def test_an_empty_home_is_made_ready_and_a_second_run_builds_nothing(empty_home, contents):
    first = make_ready("small")
    assert first.built == ("world", "model", "store")
    assert (first.world, first.version, first.trained_on) == ("small", "v0001", "small")
    before = contents(empty_home)
    second = make_ready("small")
    assert second.built == ()
    assert (second.version, second.transactions) == (first.version, first.transactions)
    after = contents(empty_home)
    assert {name for name in after if before.get(name) != after[name]} == set()
    assert EmbeddedValkey(settings().run / "store").pid() is None


def test_the_store_holds_the_worlds_histories(bank, promoted):
    assert make_ready("small").built == ("store",)
    counts = store_counts(settings().run / "store")
    assert counts["profiles"] == len(bank.users)
    assert counts["user histories"] > 0.9 * len(bank.users)
    assert min(counts.values()) > 0


@pytest.mark.parametrize(("age_days", "filled"), [(REFILL_AFTER_DAYS - 1, False), (REFILL_AFTER_DAYS + 1, True)])
def test_a_store_is_filled_again_before_its_histories_expire(bank, age_days, filled):
    fill_if_needed(bank)
    content = json.loads(note().read_text())
    written = content["at"]
    note().write_text(json.dumps({**content, "at": written - age_days * DAY_S}))
    assert fill_if_needed(bank) is filled
    assert (json.loads(note().read_text())["at"] >= written) is filled


def test_a_store_of_another_world_is_emptied_and_filled_again(bank, tmp_path):
    fill_if_needed(bank)
    # the same name and size, other card holders: what `fraudkit simulate --seed` leaves
    other = Lake.write(tmp_path / "other", simulate(bank.config, np.random.default_rng(8)))
    assert fill_if_needed(Workspace(bank.name, bank.config, other))
    assert fill_if_needed(open_workspace("small", scale=0.375))
    assert store_counts(settings().run / "store")["profiles"] == 30


def test_an_interrupted_filling_is_done_again(bank):
    def interrupt(fraction: float, _text: str) -> None:
        if fraction > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill_if_needed(bank, interrupt)
    assert EmbeddedValkey(settings().run / "store").pid() is None
    assert fill_if_needed(bank)


def test_a_store_that_belongs_to_someone_else_is_never_touched(promoted, tmp_path, monkeypatch):
    with EmbeddedValkey(tmp_path / "theirs") as theirs:
        monkeypatch.setenv("REDIS_URL", theirs.url)
        settings.cache_clear()
        assert make_ready("small").built == ()
        store = HistoryStore.connect(theirs.url)
        assert sum(store.counts().values()) == 0
        store.close()
    assert not (settings().run / "store").exists()


def test_a_server_that_a_running_service_started_goes_on(bank):
    with EmbeddedValkey(settings().run / "store") as services:
        pid = services.pid()
        assert fill_if_needed(bank)
        assert services.pid() == pid is not None


def test_a_damaged_production_model_is_told_and_not_trained_over(promoted, registry, forbid):
    forbid("fraudkit.pipeline.training.train_candidate")
    path = registry.path("production") / "network.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptArtefact, match=r"network\.safetensors"):
        make_ready("small")


def test_a_model_that_the_gate_refuses_does_not_go_into_production(home, registry, monkeypatch):
    content = registry.report("v0001")
    refused = report_from_content({**content, "passed": False, "reasons": ["AUC 0.5000 is below 0.85"]})
    monkeypatch.setattr("fraudkit.pipeline.training.train_candidate", lambda *_, **__: ("v0001", refused))
    with pytest.raises(GateRefused, match=r"0\.5000"):
        make_ready("small")
    assert not has_usable_production()
