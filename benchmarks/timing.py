"""Interleaved timing: contenders take turns in one run, so that a busy machine slows all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np


def medians_us(contenders: Mapping[str, Callable[[int], object]], rounds: int) -> dict[str, float]:
    """Median microseconds of each call; `contenders` are called with the round's number, in turn."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for call in contenders.values():
        call(0)
    for i in range(rounds):
        for name, call in contenders.items():
            start = time.perf_counter()
            call(i)
            times[name].append(time.perf_counter() - start)
    return {name: float(np.median(values)) * 1e6 for name, values in times.items()}
