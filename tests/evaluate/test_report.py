"""Thresholds, segments, fairness, the report and the figures, against direct counts."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from fraudkit.core.errors import InvalidInput
from fraudkit.evaluate import metrics, plots
from fraudkit.evaluate.fairness import audit
from fraudkit.evaluate.report import evaluate_scores
from fraudkit.evaluate.segments import amount_bands, by_segment, user_ages, wilson_interval
from fraudkit.evaluate.thresholds import at_thresholds, cost_curve, cost_optimal_threshold, threshold_for_budget
from fraudkit.rules.cost_policy import Costs


def scored(n: int = 2000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.1
    return y, np.round(np.clip(rng.normal(0.3 + 0.4 * y, 0.2), 0, 1), 2), rng.lognormal(4, 1, n)


@pytest.mark.parametrize("costs", [Costs(), Costs(false_negative=None)])
def test_cost_curve_same_as_counting(costs: Costs) -> None:
    y, s, amount = scored()
    curve = cost_curve(y, s, amount, costs)
    brute = [metrics.decision_cost(y, s > t, amount, costs) for t in curve.thresholds]
    assert curve.cost == pytest.approx(brute)
    assert cost_optimal_threshold(y, s, amount, costs) == curve.thresholds[int(np.argmin(brute))]


def test_figures_at_thresholds_same_as_counting() -> None:
    y, s, amount = scored()
    for figures in at_thresholds(y, s, amount, (0.3, 0.5, 0.505, 0.9, 1.0, float("-inf"))):
        flagged = s > figures.threshold
        assert figures.alerts == flagged.sum()
        assert figures.precision == (pytest.approx(y[flagged].mean()) if flagged.any() else None)
        assert figures.recall == pytest.approx(flagged[y].mean())
        assert figures.false_positive_rate == pytest.approx(metrics.false_positive_rate(y, flagged))
        assert figures.loss_prevented == pytest.approx(metrics.loss_prevented_score(y, flagged, amount))
        assert figures.cost_fixed == pytest.approx(metrics.decision_cost(y, flagged, amount, Costs()))


def test_budget_is_never_exceeded_and_ties_stay_out() -> None:
    _, s, _ = scored()
    threshold = threshold_for_budget(s, n_days=10, alert_budget=7)
    assert (s > threshold).sum() <= 70 < (s >= threshold).sum()


def test_segments_count_their_rows() -> None:
    y, s, amount = scored()
    bands = amount_bands(amount)
    figures = by_segment(y, s, {"amount": bands, "age": user_ages(np.arange(2000))}, 0.5)
    assert sum(f.rows for f in figures if f.segment == "amount") == 2000
    old = figures[-1]
    assert (old.value, old.rows) == ("old", 1970)
    assert old.recall is not None and old.recall.estimate == pytest.approx((s[30:] > 0.5)[y[30:]].mean())
    assert by_segment(y, s, {"age": user_ages(np.arange(2000))}, 0.5, min_rows=31)[0].value == "old"


def test_wilson_known_value() -> None:
    interval = wilson_interval(8, 10)
    assert interval is not None
    assert (interval.low, interval.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))
    assert wilson_interval(0, 0) is None


def test_fairness_finds_a_planted_disparity_and_skips_small_groups() -> None:
    group = np.repeat(["a", "b", "c"], [1000, 1000, 5])
    flagged = np.zeros(2005, dtype=bool)
    flagged[:20] = flagged[1000:1060] = flagged[2000:] = True
    (found,) = audit(np.zeros(2005), flagged, {"gender": group})
    assert found.fpr_ratio == pytest.approx(3.0) and found.fpr_difference == pytest.approx(0.04)
    assert found.approval_ratio == pytest.approx(0.94 / 0.98)
    assert [g.is_counted for g in found.groups] == [True, True, False]


def test_report_holds_the_targets_and_is_json() -> None:
    y, s, amount = scored()
    report = evaluate_scores(y, s, amount, title="made up", y_prob=s, user_id=np.arange(2000) % 200,
                             day=np.arange(2000) // 500, segments={"amount": amount_bands(amount)})  # fmt: skip
    point = report.below_fpr_target
    assert point.false_positive_rate is not None and point.false_positive_rate < 0.02
    assert point.recall == pytest.approx(report.recall_below_fpr_target)
    assert [t.name for t in report.targets][:2] == ["ROC AUC", "precision@1000"]
    assert report.targets[0].passed == (report.roc_auc > 0.9)
    assert report.targets[2].value == point.loss_prevented
    assert report.cost_optimal.cost_fixed <= min(t.cost_fixed for t in report.thresholds)
    data = json.loads(report.to_json())
    assert data["roc_auc"] == round(report.roc_auc, 6) and len(data["thresholds"]) == 4
    order = np.random.default_rng(1).permutation(2000)
    again = evaluate_scores(y[order], s[order], amount[order], title="made up")
    assert again.to_data()["below_fpr_target"] == data["below_fpr_target"]
    assert evaluate_scores(y[:50], s[:50], amount[:50], title="few").precision_at_1000 is None
    with pytest.raises(InvalidInput):
        evaluate_scores(y, s, amount, title="x", day=np.zeros(2000))


def test_many_rows_take_seconds() -> None:
    y, s, amount = scored(400_000)
    start = time.process_time()
    evaluate_scores(y, s, amount, title="many", user_id=np.arange(400_000) % 9000, day=np.arange(400_000) // 7000)
    assert time.process_time() - start < 5.0


def test_figures_have_titles_and_labelled_axes() -> None:
    y, s, amount = scored(300)
    for figure in (plots.ranking_figure(y, {"a": s}), plots.cost_figure(y, s, amount, Costs()),
                   plots.calibration_figure(y, s), plots.score_figure(y, s)):  # fmt: skip
        figure.canvas.draw()
        assert all(axes.get_title() and axes.get_xlabel() and axes.get_ylabel() for axes in figure.axes)
