"""The drift test: agrees with scipy, corrects for many features, asks for size, sees missing values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp, kstwobign

from fraudkit.core.errors import InvalidInput
from fraudkit.monitor.drift import DriftLimits, DriftReference, ks_distance

NAMES = tuple(f"f{number}" for number in range(143))


def reference_of(X: np.ndarray, seed: int = 1) -> DriftReference:
    return DriftReference.of(X, tuple(f"f{k}" for k in range(X.shape[1])), np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(3))
def test_distance_and_p_are_scipys_on_smooth_tied_and_shifted_columns(seed: int):
    rng = np.random.default_rng(seed)
    before = np.column_stack([rng.normal(size=400), rng.integers(0, 5, 400), rng.lognormal(size=400)])
    now = np.column_stack([rng.normal(0.2, 1, 250), rng.integers(1, 6, 250), rng.lognormal(size=250)])
    report = reference_of(before).compare(now)
    for column, feature in enumerate(report.features):
        expected = ks_2samp(before[:, column], now[:, column], method="asymp")
        assert feature.statistic == pytest.approx(expected.statistic, abs=1e-12)
        assert feature.p == pytest.approx(expected.pvalue, rel=0.3, abs=1e-6)  # scipy's is not yet at the limit
        limit = kstwobign.sf(expected.statistic * np.sqrt(400 * 250 / 650))
        assert feature.p == pytest.approx(limit, rel=1e-9, abs=1e-300)


def test_the_largest_gap_may_lie_at_a_value_of_either_sample():
    spread, between = np.array([0.0, 10.0]), np.linspace(1, 9, 30)
    assert ks_distance(spread, between) == ks_distance(between, spread) == 0.5


def test_unchanged_features_are_reported_by_p_alone_and_not_after_correction():
    rng = np.random.default_rng(0)
    by_p = drifted = 0
    for _ in range(20):
        X = rng.normal(size=(3_000, 143))
        report = DriftReference.of(X[:2_000], NAMES, rng).compare(X[2_000:], DriftLimits(distance=0.0, psi=0.0))
        by_p += report.below_p
        drifted += len(report.drifted)
    assert 0.5 < by_p / 20 < 2.5  # 143 × 0.01 = 1.43
    assert drifted <= 1


def test_a_certain_but_small_difference_does_not_count():
    rng = np.random.default_rng(0)
    before, now = rng.normal(size=(20_000, 1)), rng.normal(0.1, 1, (20_000, 1))
    reference = DriftReference.of(before, ("f0",), rng, max_rows=20_000)
    (feature,) = reference.compare(now).features
    assert feature.q < 1e-6
    assert not feature.drifted


def test_a_large_difference_counts_unless_the_feature_usually_moves_as_far():
    rng = np.random.default_rng(0)
    reference, now = reference_of(rng.normal(size=(1_000, 2))), rng.normal(1, 1, (500, 2))
    assert len(reference.compare(now).drifted) == 2
    assert [f.feature for f in reference.compare(now, usual=np.array([0.0, 0.4])).drifted] == ["f0"]


def test_too_few_rows_are_never_drift():
    rng = np.random.default_rng(0)
    report = reference_of(rng.normal(size=(1_000, 1))).compare(rng.normal(5, 1, (150, 1)))
    assert not report.enough
    assert report.drifted == ()


def test_a_lookup_that_stopped_answering_is_drift():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1_000, 1))
    now = X[:400].copy()
    now[::2] = np.nan
    (feature,) = reference_of(X).compare(now).features
    assert feature.drifted
    assert feature.missing_change == pytest.approx(0.5)


def test_always_missing_and_constant_columns_are_compared_quietly():
    X = np.column_stack([np.full(300, np.nan), np.zeros(300)])
    report = reference_of(X).compare(X[:250])
    assert [(f.statistic, f.psi, f.drifted) for f in report.features] == [(0.0, 0.0, False)] * 2


def test_a_constant_that_jumps_is_drift():
    X = np.zeros((300, 1))
    assert reference_of(X).compare(X[:250] + 1).drifted
    assert reference_of(X).compare(X[:250] - 1).drifted


def test_the_reference_does_not_depend_on_the_order_of_rows():
    rng = np.random.default_rng(0)
    X, now = rng.normal(size=(500, 3)), rng.normal(size=(300, 3))
    assert reference_of(X).compare(now) == reference_of(X[::-1]).compare(now[rng.permutation(300)])


@pytest.mark.parametrize(
    "X", [np.empty((0, 2)), np.zeros(3), np.zeros((3, 1))], ids=["no rows", "one axis", "other features"]
)
def test_rows_that_do_not_fit_are_refused(X: np.ndarray):
    with pytest.raises(InvalidInput):
        reference_of(np.zeros((10, 2))).compare(X)


def test_usual_distances_of_other_features_are_refused():
    with pytest.raises(InvalidInput, match="2 features"):
        reference_of(np.zeros((10, 2))).compare(np.zeros((10, 2)), usual=np.zeros(3))
    with pytest.raises(InvalidInput, match="margin"):
        DriftLimits(margin=0.5)
