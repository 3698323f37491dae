"""Versions, aliases that switch in one step, promotion, rollback and the record of it all."""

from __future__ import annotations

import json
import threading

import pytest

from fraudkit.core.errors import CorruptArtefact, FraudkitError, GateRefused, NotReady
from fraudkit.models.bundle import Bundle
from fraudkit.models.schema import table_schema
from fraudkit.registry.gate import GatePolicy, decide
from fraudkit.registry.registry import Registry

FAST = GatePolicy(resamples=100)


@pytest.fixture
def judged(registry, evidence, rng):
    """Runs the gate on a version against production, with how well each separates."""

    def judge(name, candidate=3.0, production=2.0):
        digest = registry.version(name).digest
        try:
            current = registry.version("production").digest
        except NotReady:
            return decide(evidence(candidate, digests=(digest, None)), rng, FAST)
        return decide(evidence(candidate, production, digests=(digest, current)), rng, FAST)

    return judge


def test_versions_count_up_and_keep_their_facts(registry, bundles):
    assert registry.register(bundles[0], {"roc_auc": 0.9}, {"start": "2025-01-31"}) == "v0001"
    assert registry.register(bundles[1], {"roc_auc": 0.8}, {}) == "v0002"
    first, second = registry.versions()
    assert (first.metrics, first.training, first.aliases) == ({"roc_auc": 0.9}, {"start": "2025-01-31"}, ())
    assert second.aliases == ("candidate",)
    bundle = Bundle.load(registry.path("candidate"), table_schema([f"column_{i}" for i in range(6)]))
    assert (bundle.version, bundle.digest) == ("v0002", second.digest)


def test_nothing_is_production_until_the_gate_says_so(registry, bundles):
    registry.register(bundles[0], {}, {})
    with pytest.raises(NotReady, match="no model is production yet"):
        registry.path("production")
    with pytest.raises(NotReady, match="there are: v0001"):
        registry.path("v0007")


def test_promotion_and_rollback_leave_a_history(registry, bundles, judged):
    a, b = registry.register(bundles[0], {}, {}), registry.register(bundles[1], {}, {})
    registry.promote(a, judged(a))
    registry.promote(b, judged(b))
    assert registry.path("production").name == b
    assert registry.rollback() == a
    assert registry.path("production").name == a
    with pytest.raises(NotReady, match="roll back"):
        registry.rollback()
    actions = [(entry["action"], entry["version"], entry["production_before"]) for entry in registry.history()]
    assert actions[2:] == [("promote", a, None), ("promote", b, a), ("rollback", a, b)]


def test_a_refused_candidate_stays_out_and_its_report_is_kept(registry, bundles, judged):
    a, b = registry.register(bundles[0], {}, {}), registry.register(bundles[1], {}, {})
    registry.promote(a, judged(a))
    with pytest.raises(GateRefused, match=r"v0002 is not promoted: .*more than 0.01"):
        registry.promote(b, judged(b, candidate=2.0))
    assert registry.path("production").name == a
    assert registry.report(b)["passed"] is False
    assert registry.history()[-1]["action"] == "refuse"


def test_a_report_about_other_models_does_not_promote(registry, bundles, judged):
    a, b = registry.register(bundles[0], {}, {}), registry.register(bundles[1], {}, {})
    early = judged(b)  # judged while nothing was production
    with pytest.raises(GateRefused, match="another candidate"):
        registry.promote(a, early)
    registry.promote(a, judged(a))
    with pytest.raises(GateRefused, match="production has changed"):
        registry.promote(b, early)


@pytest.mark.parametrize("file", ["model.ubj", "calibration.json"])
def test_damage_after_registration_stops_promotion_and_rollback(registry, bundles, judged, file):
    a, b = registry.register(bundles[0], {}, {}), registry.register(bundles[1], {}, {})
    registry.promote(a, judged(a))
    registry.promote(b, judged(b))
    path = registry.path(a) / file
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CorruptArtefact, match=file):
        registry.rollback()
    assert registry.path("production").name == b


@pytest.mark.parametrize("file", ["aliases.json", "v0001/record.json"])
def test_edited_books_are_refused(registry, bundles, file):
    registry.register(bundles[0], {"roc_auc": 0.7}, {})
    path = registry.folder / file
    path.write_bytes(path.read_bytes().replace(b"v0001", b"v0009"))
    with pytest.raises(CorruptArtefact, match=file.split("/")[-1]):
        registry.version("candidate")


def test_a_damaged_bundle_is_not_registered(registry, bundles, tmp_path):
    with pytest.raises(NotReady):
        registry.register(tmp_path / "nothing", {}, {})
    assert registry.versions() == []


def test_readers_see_old_or_new_while_aliases_switch(registry, bundles, judged):
    """Production goes back and forth; every reader gets a whole version every time."""
    a, b = registry.register(bundles[0], {}, {}), registry.register(bundles[1], {}, {})
    registry.promote(a, judged(a))
    seen, errors, stop = set(), [], threading.Event()

    def read() -> None:
        own = Registry(registry.folder)
        while not stop.is_set():
            try:
                seen.add(own.version("production").name)
            except FraudkitError as error:
                errors.append(error)

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    report = judged(b)
    for _ in range(25):
        registry.promote(b, report)
        registry.rollback()
    stop.set()
    for reader in readers:
        reader.join()
    assert not errors
    assert seen <= {a, b}


def test_two_writers_never_share_a_version(registry, bundles):
    names = []

    def write() -> None:
        names.append(Registry(registry.folder).register(bundles[0], {}, {}))

    writers = [threading.Thread(target=write) for _ in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(names) == [f"v000{i}" for i in range(1, 7)]
    assert len(registry.history()) == 6


def test_history_lines_are_plain_json(registry, bundles):
    registry.register(bundles[0], {}, {})
    lines = (registry.folder / "history.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["at"].startswith("2025-06-15T")
