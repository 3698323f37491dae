"""Plugging an answer in: what the system measures with it, and that it goes on where the answer fails."""

from __future__ import annotations

import re
import time
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pytest

from fraudkit.core.config import settings
from fraudkit.core.errors import InvalidInput, NotReady
from fraudkit.lake import Lake
from fraudkit.workbook.bench import Bench, open_bench
from fraudkit.workbook.check import show
from fraudkit.workbook.exercise import exercise, exercise_ids
from fraudkit.workbook.finding import ABSENT
from fraudkit.workbook.notebooks import reference_source
from fraudkit.workbook.plug import ROLES, PlugReport, plug_source
from fraudkit.workbook.seams import FALSE_POSITIVE_COST, METRICS, REVIEW_COST, SEAMS, our_threshold

PLUGGED = [found for found in exercise_ids() if exercise(found).plug]
AUC_OF = "import numpy as np\ndef roc_auc(y_true, y_score):\n    return {}\n"


@pytest.fixture(scope="module", autouse=True)
def bench(tiny_world) -> Bench:
    """The tiny world, built where `plug` looks for it."""
    folder = settings().worlds / "tiny"
    if not folder.exists():
        Lake.write(folder, tiny_world)
    return open_bench("tiny")


def plugged(exercise_id: str, source: str | None = None, **options) -> PlugReport:
    return with_solution(exercise_id) if source is None else plug_source(exercise_id, source, world="tiny", **options)


@cache
def with_solution(exercise_id: str) -> PlugReport:
    return plug_source(exercise_id, reference_source(exercise_id, exercise(exercise_id).name), world="tiny")


def figure(report: PlugReport, label: str, column: int = -1) -> str:
    return next(row for row in report.rows if label in row[0])[column]


def amount(text: str) -> float:
    return float(re.sub(r"[^\d.]", "", text))


@pytest.mark.parametrize("exercise_id", PLUGGED)
def test_every_solution_takes_its_part_s_place(exercise_id: str):
    report = plugged(exercise_id)
    assert report.replaced, report.text()
    assert report.columns[-1] == "yours" and all(len(row) == len(report.columns) + 1 for row in report.rows)
    assert not any(ABSENT in row for row in report.rows)
    assert any("time" in row[0] for row in report.rows) and report.sentences


def test_at_least_eight_exercises_have_a_seam_and_every_seam_a_role():
    assert len(PLUGGED) >= 8
    assert {exercise(found).plug for found in PLUGGED} <= set(SEAMS)
    assert set(ROLES) == set(SEAMS)


@pytest.mark.parametrize("exercise_id", sorted(set(METRICS) & set(PLUGGED)))
def test_a_right_metric_gives_our_values(exercise_id: str):
    report = plugged(exercise_id)
    for row in report.rows[:3]:  # of the trees, of the rules, and who is ahead
        assert row[1] == row[2]
    assert "The same values" in report.sentences[0]


def test_a_metric_that_breaks_ties_by_order_is_told_on_the_rules():
    source = (
        "import numpy as np\ndef roc_auc(y_true, y_score):\n"
        "    ranks = np.empty(len(y_score)); ranks[np.argsort(y_score, kind='stable')] = np.arange(len(y_score))\n"
        "    p = np.sum(y_true)\n"
        "    return (ranks[y_true == 1].sum() - p * (p - 1) / 2) / p / (len(y_true) - p)\n"
    )
    report = plugged("roc_auc", source)
    assert report.replaced
    assert figure(report, "boosted trees", 1) == figure(report, "boosted trees")
    assert figure(report, "ROC AUC, rules", 1) != figure(report, "ROC AUC, rules")
    assert any("On the rules yours is off by" in sentence for sentence in report.sentences)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (
            "def roc_auc(y_true, y_score):\n    raise RuntimeError('no idea')\n",
            "raised RuntimeError in line 2: no idea",
        ),
        ("def roc_auc(y_true, y_score):\n    raise NotImplementedError\n", "still the stub"),
        (AUC_OF.format("None"), "returned None; one number is needed"),
        (AUC_OF.format("float('nan')"), "returned nan"),
        (AUC_OF.format("np.zeros(3)"), "one number is needed"),
        (AUC_OF.format("object()"), "returned a value of type object"),
        (AUC_OF.format("y_score.sort() or 0.5"), "modified its input"),
        (AUC_OF.format("__import__('os')._exit(3)"), "ended"),
    ],
)
def test_an_answer_that_fails_is_named_and_ours_stays(source: str, why: str):
    report = plugged("roc_auc", source)
    assert not report.replaced and "went on with its own" in report.headline
    assert why in report.sentences[0], report.sentences
    assert all(row[-1] == ABSENT for row in report.rows)
    assert 0.5 < float(figure(report, "boosted trees", 1)) <= 1.0


def test_an_endless_answer_costs_its_time_limit_only():
    start = time.monotonic()
    report = plugged("roc_auc", AUC_OF.format("[0 for _ in iter(int, 1)]"), seconds=0.5)
    assert not report.replaced and "no answer within 0.5 s" in report.sentences[0]
    assert time.monotonic() - start < 60


def test_an_answer_that_fails_half_way_leaves_no_figure_of_its_own():
    source = AUC_OF.format("0.9 if len(np.unique(y_score)) > 1000 else None")
    report = plugged("roc_auc", source)
    assert not report.replaced and all(row[-1] == ABSENT for row in report.rows)


def test_the_cheapest_threshold_costs_no_more_than_flagging_everybody_and_a_bad_one_is_dear():
    good = plugged("cost_threshold")
    bad = plugged("cost_threshold", "def cost_threshold(y, s, amount, review, fp):\n    return -1.0\n")
    assert amount(figure(good, "cost of the test period")) < amount(figure(bad, "cost of the test period"))
    assert any("more" in sentence for sentence in bad.sentences)
    # Everybody flagged: a review for each, and the trouble of every genuine customer.
    tested = open_bench("tiny")
    rows = tested.split.test
    expected = len(rows) + 2.0 * int((~tested.is_fraud[rows]).sum())
    assert amount(figure(bad, "cost of the test period")) == pytest.approx(expected, abs=0.51)


def test_our_threshold_counts_reviews_as_the_exercise_does(rng: np.random.Generator):
    expect = exercise("cost_threshold").expect
    for _ in range(20):
        score, usd = np.round(rng.random(40), 1), rng.integers(1, 8, 40).astype(float)
        fraud = (rng.random(40) < 0.3 + 0.4 * score).astype(int)
        right = expect(fraud, score, usd, REVIEW_COST, FALSE_POSITIVE_COST)
        assert np.array_equal(score > our_threshold(fraud, score, usd), score > right)


def test_figures_are_escaped_in_html():
    report = PlugReport("roc_auc", "tiny", True, "<i>", ("<i>",), (("<i>", "<i>"),), ("<i>",))
    assert "<i>" not in report.html() and report.html().count("&lt;i&gt;") == 5


@pytest.mark.parametrize("exercise_id", [found for found in PLUGGED if exercise(found).plug == "model"])
def test_a_model_ranks_better_than_chance_on_the_later_period(exercise_id: str):
    report = plugged(exercise_id)
    assert float(figure(report, "ROC AUC")) > 0.6
    assert figure(report, "cost of the test period").startswith("$")


def test_a_model_whose_answers_are_no_probabilities_is_refused():
    source = (
        "class DecisionTree:\n    def __init__(self, **settings):\n        pass\n"
        "    def fit(self, X, y):\n        return self\n"
        "    def predict_proba(self, X):\n        return X[:, 0] * 100\n"
    )
    report = plugged("decision_tree", source)
    assert not report.replaced and "between 0 and 1" in report.sentences[0]


def test_a_model_is_never_shown_the_test_period_s_labels(bench: Bench):
    source = (
        "import numpy as np\nclass DecisionTree:\n    def __init__(self, **settings):\n        pass\n"
        "    def fit(self, X, y):\n        self.seen = len(y), int(np.sum(y))\n        return self\n"
        "    def predict_proba(self, X):\n        raise ValueError(str(self.seen))\n"
    )
    said = plugged("decision_tree", source).sentences[0]
    rows, frauds = map(int, re.findall(r"\d+", said.split(": ")[1]))
    assert frauds == int(bench.split.y_train.sum()) < int(bench.is_fraud[bench.split.train].sum()) + 1
    assert rows <= len(bench.split.train)


def test_the_exercise_s_window_is_the_feature_but_for_late_arrivals():
    report = plugged("window_count")
    same, total = (int(text.replace(",", "")) for text in figure(report, "feature's value").split(" of "))
    assert 0.99 * total < same <= total
    assert any("All others have the feature's value" in sentence for sentence in report.sentences)


def test_a_window_that_counts_the_payment_itself_is_told_on_every_payment():
    source = reference_source("window_count", "window_count")
    report = plugged("window_count", source.replace("counts.append(len(times))", "counts.append(len(times) + 1)"))
    assert figure(report, "feature's value").startswith("0 of")
    assert any("differ without such a reason" in sentence for sentence in report.sentences)


def test_a_wider_window_is_not_taken_for_late_arrivals():
    source = reference_source("window_count", "window_count")
    wide = source.replace("def window_count(", "def narrow(") + (
        "\ndef window_count(event_time, card, window):\n    return narrow(event_time, card, 5 * window)\n"
    )
    report = plugged("window_count", wide)
    assert any("differ without such a reason" in sentence for sentence in report.sentences)


def test_travel_that_never_happens_declines_nobody():
    nothing = "def impossible_travel(t, card, lat, lon):\n    return [0.0] * len(t), [False] * len(t)\n"
    report = plugged("impossible_travel", nothing)
    assert figure(report, "payments declined") == "0" and figure(report, "recall") == "0.000"
    assert figure(report, "precision") == "none declined"


def test_travel_measured_from_the_row_above_declines_more_honest_customers():
    source = reference_source("impossible_travel", "impossible_travel")
    mixed = source.replace("def impossible_travel(", "def by_card(") + (
        "\ndef impossible_travel(t, card, lat, lon):\n    return by_card(t, np.zeros(len(t)), lat, lon)\n"
    )
    report = plugged("impossible_travel", mixed)
    assert amount(figure(report, "payments declined")) > 10 * amount(figure(report, "payments declined", 1))
    assert any("only yours" in sentence for sentence in report.sentences)


@pytest.mark.parametrize("exercise_id", ["ks_test", "psi"])
def test_a_right_drift_test_raises_our_alarms(exercise_id: str):
    report = plugged(exercise_id)
    assert report.sentences[0].startswith("The same alarms in all")
    assert not any("off by" in sentence for sentence in report.sentences)


def test_a_drift_test_that_always_cries_is_told_which_alarms_are_its_own():
    report = plugged("psi", "def psi(reference, current):\n    return 9.0\n")
    raised, tests = figure(report, "alarms").split(" of ")
    assert raised == tests
    assert "yours raises it, ours does not" in report.sentences[0]


def test_the_report_reads_as_text_and_as_html(capsys: pytest.CaptureFixture[str]):
    report = plugged("roc_auc", "def roc_auc(y_true, y_score):\n    raise ValueError('<b>&')\n")
    show(report)
    printed = capsys.readouterr().out
    assert report.headline.replace("`", "") in printed and "ours" in printed and "<b>&" in printed
    html = report._repr_html_()
    assert "<b>" not in html and "&lt;b&gt;" in html and html.count("<tr>") == len(report.rows) + 1
    open_tags: list[str] = []

    class Balance(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            open_tags.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert open_tags.pop() == tag

    Balance().feed(html)
    assert open_tags == []


def test_a_world_that_is_not_built_says_how_to_build_it():
    with pytest.raises(NotReady, match=r"make lab.*fraudkit setup --world reference"):
        plug_source("roc_auc", AUC_OF.format("0.5"), world="reference")


def test_an_exercise_without_a_seam_names_those_with_one():
    with pytest.raises(InvalidInput, match=r"pca has no place.*roc_auc"):
        plug_source("pca", "class Pca:\n    pass\n", world="tiny")


def test_a_time_limit_below_zero_is_refused():
    with pytest.raises(InvalidInput, match="more than 0"):
        plug_source("roc_auc", AUC_OF.format("0.5"), world="tiny", seconds=-1)


def test_the_bench_agrees_with_what_the_lake_says(bench: Bench):
    payments = bench.payments
    assert len(payments) == len(bench.is_fraud) == len(bench.features) == len(bench.event_seconds)
    truth = bench.lake.truth()
    assert bench.is_fraud.sum() == truth["is_fraud"].sum()
    assert bench.split.training_moment > payments["known_at"].iloc[bench.split.train].max()
    assert np.isfinite(bench.amount_usd).all()
