"""Days differ: spending rises after pay day, and some seasons are busier."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np

from fraudkit.simulate import WORLDS
from fraudkit.simulate.scene import build_scene
from fraudkit.simulate.season import daily_counts


def test_spending_rises_after_pay_day_and_in_summer() -> None:
    scene_rng, counts_rng = np.random.default_rng(5).spawn(2)
    config = replace(WORLDS["small"], users=800)
    people = build_scene(config, scene_rng).people
    counts = daily_counts(config, people, counts_rng)
    dates = [config.start + timedelta(days=day) for day in range(config.days)]
    since = (np.array([date.day for date in dates])[None, :] - people.payday[:, None]) % 30
    assert counts[since < 3].mean() > 1.15 * counts[(since >= 12) & (since < 25)].mean()
    month = np.array([date.month for date in dates])
    assert counts[:, month == 7].mean() > 1.05 * counts[:, month == 1].mean()
