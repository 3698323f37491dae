"""Calibration recovers a known curve, never turns the ranking, and picks the method it says."""

from __future__ import annotations

import numpy as np
import pytest

from fraudkit.core.errors import CorruptArtefact, InvalidInput
from fraudkit.models.calibration import Calibration, calibration_from_content, fit_calibration, fit_isotonic, fit_platt


def scores_with_weight(rng, n: int, weight: float = 10.0):
    """Scores whose odds are `weight` times the true odds, and labels drawn from the truth."""
    p = 1.0 / (1.0 + np.exp(-rng.normal(-4.0, 2.0, size=n)))
    odds = weight * p / (1.0 - p)
    return odds / (1.0 + odds), (rng.random(n) < p).astype(float), p


def test_platt_takes_the_class_weight_back(rng):
    scores, y, _ = scores_with_weight(rng, 60_000)
    curve = fit_platt(scores, y)
    assert curve.slope == pytest.approx(1.0, abs=0.08)
    assert curve.intercept == pytest.approx(-np.log(10.0), abs=0.12)
    # what the published thresholds stand for
    assert curve.apply(np.array([0.5, 0.9])) == pytest.approx([1 / 11, 9 / 19], abs=0.02)


def test_few_frauds_take_platt_and_many_on_a_bent_curve_take_isotonic(rng):
    scores, y, p = scores_with_weight(rng, 60_000)
    assert fit_calibration(scores[:2_000], y[:2_000], rng).method == "platt"
    bent = np.where(scores < 0.5, scores / 4.0, 0.9 + scores / 10.0)
    curve = fit_calibration(bent, y, rng)
    assert curve.method == "isotonic"
    assert np.abs(curve.apply(bent) - p).mean() < 0.01


def test_one_class_alone_and_inverted_scores_stay_usable(rng):
    none = fit_platt(rng.random(100), np.zeros(100)).apply(np.array([0.1, 0.9]))
    assert (none > 0.0).all()
    assert (none < 0.02).all()
    scores, y, _ = scores_with_weight(rng, 5_000)
    assert np.ptp(fit_platt(1.0 - scores, y).apply(np.linspace(0, 1, 9))) == 0.0


@pytest.mark.parametrize("fit", [fit_platt, fit_isotonic])
def test_curves_rise_over_the_whole_range_and_survive_storage(rng, fit):
    scores, y, _ = scores_with_weight(rng, 3_000)
    curve = fit(scores, y)
    grid = np.concatenate([[0.0, 1e-9], np.linspace(0.0, 1.0, 500), [1.0]])
    values = curve.apply(np.sort(grid))
    assert (np.diff(values) >= 0).all()
    assert values.min() > 0.0
    assert values.max() < 1.0
    assert calibration_from_content(curve.content()).apply(grid).tobytes() == curve.apply(grid).tobytes()


def test_a_falling_stored_curve_is_refused(rng):
    content = fit_isotonic(*scores_with_weight(rng, 500)[:2]).content()
    content["values"] = content["values"][::-1]
    with pytest.raises(CorruptArtefact, match="rising"):
        calibration_from_content(content)


def test_no_rows_are_refused(rng):
    with pytest.raises(InvalidInput, match="validation"):
        fit_calibration(np.empty(0), np.empty(0), rng)


def test_inverting_gives_the_score_of_a_probability():
    platt = Calibration("platt", 1.3, -2.0, np.empty(0), np.empty(0))
    steps = Calibration("isotonic", 1.0, 0.0, np.array([0.1, 0.4, 0.6, 0.9]), np.array([0.01, 0.2, 0.2, 0.8]))
    scores = np.linspace(0.05, 0.95, 19)
    assert np.allclose(platt.invert(platt.apply(scores)), scores)
    assert np.allclose(steps.apply(steps.invert(np.array([0.01, 0.1, 0.2, 0.5, 0.8]))), [0.01, 0.1, 0.2, 0.5, 0.8])
    assert steps.invert(np.array([0.0, 1.0])).tolist() == [0.1, 0.9]  # the nearest there is
    assert steps.invert(np.array([0.2]))[0] == 0.6  # the highest of a flat piece
