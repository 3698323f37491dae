"""The short form of `python -m tests.chaos.soak`, and that growth would be seen."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from tests.chaos.soak import Sample, Soaked, soak
from tests.serve.process import served
from tests.stand_ins import noise_bundle

SECONDS, RATE = 16.0, 40.0


@pytest.mark.timeout(200)
def test_nothing_grows_under_steady_traffic(tmp_path: Path):
    bundle = noise_bundle().save(tmp_path / "v0001")
    with served(tmp_path, bundle) as running:
        url = str(running.client.base_url)
        soaked = asyncio.run(soak(url, running.process.pid, SECONDS, RATE, np.random.default_rng(7)))
    assert set(soaked.statuses) == {200}
    assert len(soaked.latencies) > SECONDS * RATE / 2
    assert soaked.grown() == []


def test_payments_of_the_warm_up_are_counted_apart():
    soaked = Soaked([Sample(at, 200.0, 30, 5, 12) for at in np.linspace(0, 60, 120)])
    soaked.latencies = [(float(at), 0.5) for at in range(60)]
    assert soaked.filled == 15  # answered within a quarter of the time


@pytest.mark.parametrize("what", ["memory_mb", "files", "connections", "threads"])
def test_what_grows_with_every_payment_is_told(what: str):
    soaked = Soaked([Sample(at, 200.0, 30, 5, 12) for at in np.linspace(0, 60, 120)])
    assert soaked.grown() == []
    for number, sample in enumerate(soaked.samples):
        setattr(sample, what, getattr(sample, what) + number // 2)
    assert [line.split(":")[0] for line in soaked.grown()] == [what]
