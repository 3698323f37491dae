"""Interleaved timing: contenders take turns in one run, so that a busy machine slows all of them alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np


def fastest_us(contenders: Mapping[str, Callable[[], object]], rounds: int, least: float = 2e-3) -> dict[str, float]:
    """Microseconds of the fastest of `rounds` turns of each call; a turn repeats a quick call until `least` seconds.

    The fastest turn is the one that the machine's other work disturbed least.
    """
    best = dict.fromkeys(contenders, float("inf"))
    repeats = {}
    for name, call in contenders.items():
        call()  # imports, compilation and caches
        start = time.perf_counter()
        call()
        repeats[name] = 1 + int(least / max(time.perf_counter() - start, 1e-7))
    for _ in range(rounds):
        for name, call in contenders.items():
            start = time.perf_counter()
            for _ in range(repeats[name]):
                call()
            best[name] = min(best[name], (time.perf_counter() - start) / repeats[name])
    return {name: seconds * 1e6 for name, seconds in best.items()}


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
