"""Label-delayed counts against a plain loop, and their blindness to what has not arrived."""

from __future__ import annotations

import numpy as np

from fraudkit.benchmark.delayed import NEVER_DAYS, delayed_features, delayed_names

DAY = 86_400


def random_rows(rng: np.random.Generator, n: int = 600) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # whole hours, so that windows meet events exactly at their ends
    return rng.integers(0, 5, n), rng.integers(0, 40 * 24, n) * 3600, (rng.random(n) < 0.4).astype(np.int8)


def plain(merchant: np.ndarray, second: np.ndarray, fraud: np.ndarray, row: int, delay: int, windows: tuple[int, ...]):
    known = (merchant == merchant[row]) & (second <= second[row] - delay * DAY)
    out: list[float] = []
    for days in windows:
        inside = known & (second > second[row] - (delay + days) * DAY)
        out += [inside.sum(), fraud[inside].sum(), fraud[inside].mean() if inside.any() else 0.0]
    for label in (1, 0):
        times = second[known & (fraud == label)]
        out.append((second[row] - times.max()) / DAY if len(times) else NEVER_DAYS)
    order = np.flatnonzero(known)[np.argsort(second[known], kind="stable")]
    run = 0
    while run < len(order) and fraud[order[-1 - run]]:
        run += 1
    return [*out, run, (second[row] - second[order[-run]]) / DAY if run else 0.0]


def test_every_row_agrees_with_a_plain_loop(rng: np.random.Generator) -> None:
    merchant, second, fraud = random_rows(rng)
    X = delayed_features(merchant, second, fraud, 7, (1, 7, 14))
    assert X.shape == (600, len(delayed_names((1, 7, 14))))
    wanted = [plain(merchant, second, fraud, row, 7, (1, 7, 14)) for row in range(600)]
    np.testing.assert_allclose(X, wanted, rtol=1e-6)


def test_labels_that_have_not_arrived_change_nothing(rng: np.random.Generator) -> None:
    merchant, second, fraud = random_rows(rng)
    now = 20 * DAY
    turned = np.where(second > now - 7 * DAY, 1 - fraud, fraud)
    early = second <= now
    before = delayed_features(merchant, second, fraud, 7, (1, 7))[early]
    after = delayed_features(merchant, second, turned, 7, (1, 7))[early]
    np.testing.assert_array_equal(before, after)


def test_no_windows_make_no_columns() -> None:
    nothing = np.zeros(3, dtype=np.int64)
    assert delayed_features(nothing, nothing, nothing, 7, ()).shape == (3, 0)
    assert delayed_names(()) == ()
