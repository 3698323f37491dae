"""Another version takes over under load; a candidate looks on."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fraudkit.core.errors import CorruptArtefact, NotReady
from fraudkit.models.train import TrainedBundle
from fraudkit.registry.gate import GatePolicy, GateReport
from fraudkit.registry.registry import Registry
from fraudkit.serve.intake import take_in
from fraudkit.serve.logs import DecisionLog
from fraudkit.serve.scorer import Scorer, Waiting
from fraudkit.serve.serving import Serving
from fraudkit.serve.shadow import QUEUE, Shadow
from fraudkit.serve.switch import AliasWatch, ModelSwitch
from tests.serve.process import body, served
from tests.stand_ins import noise_bundle


def train(seed: int) -> TrainedBundle:
    return noise_bundle(seed, column=seed)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("bundles")
    return [train(seed).save(folder / f"b{seed}") for seed in (0, 1)]


def passed(registry: Registry, name: str) -> GateReport:
    """A report that lets `name` pass: what the gate looks at is tested elsewhere."""
    try:
        production = registry.version("production").digest
    except NotReady:
        production = None
    digest = registry.version(name).digest
    return GateReport(True, (), digest, production, 0.9, *[None] * 4, 100, 60, "", "", "", GatePolicy())


@pytest.fixture
def registry(bundles: list[Path], tmp_path: Path) -> Registry:
    """Two versions, the first in production."""
    made = Registry(tmp_path / "home" / "registry")
    made.register(bundles[0], {}, {})
    made.promote("v0001", passed(made, "v0001"))
    made.register(bundles[1], {}, {})
    return made


@pytest.fixture
def switching(scorer: Scorer, registry: Registry) -> Iterator[ModelSwitch]:
    told: list[str] = []
    yield ModelSwitch(scorer, registry, "production", told.append)


def test_the_version_that_the_alias_means_serves(scorer: Scorer, registry: Registry, switching: ModelSwitch):
    switching.run()
    assert scorer.serving.context.model_version == "v0001"
    first = scorer.serving
    switching.run()
    assert scorer.serving is first
    registry.promote("v0002", passed(registry, "v0002"))
    switching.run()
    assert scorer.serving.context.model_version == "v0002"
    assert scorer.serving.context_id != first.context_id
    registry.rollback()
    switching.run()
    assert scorer.serving.context == first.context


def test_a_damaged_version_does_not_take_over(scorer: Scorer, registry: Registry, switching: ModelSwitch):
    switching.run()
    registry.promote("v0002", passed(registry, "v0002"))
    trees = registry.path("v0002") / "trees.safetensors"
    trees.write_bytes(trees.read_bytes()[:-1] + b"\x55")
    with pytest.raises(CorruptArtefact, match=r"trees\.safetensors"):
        switching.run()
    assert scorer.serving.context.model_version == "v0001"
    switching.run()  # told once, not with every look


def test_promotion_and_rollback_under_load_cost_no_request(bundles, registry: Registry, tmp_path: Path):
    with served(registry.folder.parent) as running:
        stop, statuses, versions = threading.Event(), [], []

        def load(first: int) -> None:
            with httpx.Client(base_url=running.client.base_url, timeout=20) as client:
                for number in range(first, first + 100_000):
                    if stop.is_set():
                        return
                    reply = client.post("/score_transaction", json=body(number, user_id=f"u{number}"))
                    statuses.append(reply.status_code)
                    versions.append(reply.json().get("model_version"))

        threads = [threading.Thread(target=load, args=(n * 1_000_000,)) for n in range(4)]
        for thread in threads:
            thread.start()
        try:
            wait_for(versions, "v0001")
            registry.promote("v0002", passed(registry, "v0002"))
            wait_for(versions, "v0002")
            registry.rollback()
            wait_for(versions, "v0001")
        finally:
            stop.set()
            for thread in threads:
                thread.join()
    assert set(statuses) == {200}
    assert set(versions) == {"v0001", "v0002"}


def wait_for(versions: list[str], version: str) -> None:
    deadline = time.monotonic() + 60
    while not versions or versions[-1] != version:
        assert time.monotonic() < deadline, f"{version} never answered"
        time.sleep(0.002)


def score(scorer: Scorer, name: str, **changes: object) -> None:
    scorer.score([Waiting(take_in(body(0, transaction_id=name, **changes), time.time_ns() // 1_000_000), 0.0)])


def samples(scorer: Scorer) -> dict[str, float]:
    lines = (line.rpartition(" ") for line in scorer.metrics.text().decode().splitlines() if line.startswith("shadow"))
    return {name: float(value) for name, _, value in lines}


def test_a_candidate_scores_what_was_scored_and_is_only_counted(scorer: Scorer, registry: Registry):
    with Shadow(scorer, AliasWatch(registry, "candidate"), DecisionLog()) as shadow:
        while shadow._candidate is None:
            time.sleep(0.001)
        for number in range(30):
            score(scorer, f"t{number}", user_id=f"u{number}", amount=10.0 * number + 1)
        while sum(v for k, v in samples(scorer).items() if k.startswith("shadow_decisions_total")) < 30:
            time.sleep(0.001)
        found = samples(scorer)
    assert found["shadow_score_difference_count"] == 30
    assert found["shadow_dropped_total"] == 0
    assert all('version="v0002"' in name for name in found if name.startswith("shadow_decisions_total"))


def test_what_the_candidate_cannot_keep_up_with_is_dropped_and_counted(scorer: Scorer, registry: Registry):
    shadow = Shadow(scorer, AliasWatch(registry, "candidate"), DecisionLog())
    shadow._look()  # its thread is not started: it scores nothing
    for number in range(QUEUE + 5):
        score(scorer, f"t{number}", user_id=f"u{number}")
    assert samples(scorer)["shadow_dropped_total"] == 5


def test_payments_scored_on_less_are_not_compared(scorer: Scorer, registry: Registry):
    shadow = Shadow(scorer, AliasWatch(registry, "candidate"), DecisionLog())
    shadow._look()
    scorer.assessor.features.down = True
    score(scorer, "t")
    assert len(shadow._queue) == 0


def test_a_candidate_that_serves_already_is_not_compared_with_itself(scorer: Scorer, registry: Registry):
    watch = AliasWatch(registry, "candidate")
    bundle = watch.changed()
    context = scorer.serving.context
    scorer.serving = Serving(bundle, type(context)(bundle.version, bundle.digest, "r", "p", "s", "c"), 1)
    shadow = Shadow(scorer, AliasWatch(registry, "candidate"), DecisionLog())
    shadow._look()
    score(scorer, "t")
    assert len(shadow._queue) == 0
