"""The places of the running system where a learner's answer fits, and what is measured there: metric, threshold, model.

A seam first measures the system's own part, then calls the answer, which runs in the sandbox and may
raise, hang or return nonsense: `guest.Refused` then ends the seam, and what the system found of its own
stands. The seams on the stream of payments are in `stream_seams`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from fraudkit.core.errors import InvalidInput
from fraudkit.evaluate.metrics import (
    average_precision_score,
    decision_cost,
    log_loss,
    precision_at_k_score,
    roc_auc_score,
)
from fraudkit.evaluate.thresholds import cost_optimal_threshold
from fraudkit.features.catalog import INDEX
from fraudkit.models.logistic import train_logistic
from fraudkit.models.transform import fit_transform_parameters
from fraudkit.rules.cost_policy import Costs
from fraudkit.workbook.bench import LIGHT, PLAIN_FEATURES, SEED, Bench
from fraudkit.workbook.exercise import Case, Step
from fraudkit.workbook.finding import Finding
from fraudkit.workbook.guest import Answer, faster_or_slower, in_ms, numbers, one_number, timed
from fraudkit.workbook.stream_seams import drift, feature, rule

SAME = 1e-6
TRAINING_ROWS = 4_000
REVIEW_COST, FALSE_POSITIVE_COST = 1.0, 2.0  # US dollars


Seam = Callable[[Bench, Answer, Finding], None]


# --- metric ----------------------------------------------------------------------------------------

METRICS: dict[str, tuple[str, Callable[..., float], bool]] = {  # name, function, whether higher is better
    "roc_auc": ("ROC AUC", roc_auc_score, True),
    "average_precision": ("average precision", average_precision_score, True),
    "precision_at_k": ("precision", precision_at_k_score, True),
    "log_loss": ("log loss", log_loss, False),
}


def metric(bench: Bench, answer: Answer, finding: Finding) -> None:
    """A metric, in the evaluation of the test period: of the trees, and of the rules, whose scores tie."""
    label, function, higher = METRICS[answer.name]
    truth = bench.is_fraud[bench.split.test].astype(np.int64)
    extra = (min(100, len(truth)),) if answer.name == "precision_at_k" else ()
    label += f"@{extra[0]}" if extra else ""
    right: dict[str, tuple[float, float]] = {}
    for candidate, score in bench.test_scores.items():
        right[candidate] = timed(partial(function, truth, score, *extra))
        finding.ours(f"{label}, {candidate}", f"{right[candidate][0]:.6f}")
    finding.ours("the candidate ahead", _ahead({name: value for name, (value, _) in right.items()}, higher))
    finding.ours("time of one evaluation", in_ms(right["boosted trees"][1]))
    mine: dict[str, tuple[float, float]] = {}
    for candidate, score in bench.test_scores.items():
        value, seconds = answer.timed(Case(candidate, (truth, score, *extra)))
        mine[candidate] = one_number(value), seconds
        finding.yours(f"{label}, {candidate}", f"{mine[candidate][0]:.6f}")
    finding.yours("the candidate ahead", _ahead({name: value for name, (value, _) in mine.items()}, higher))
    finding.yours("time of one evaluation", in_ms(mine["boosted trees"][1]))
    off = [name for name in right if abs(mine[name][0] - right[name][0]) > SAME * max(1.0, abs(right[name][0]))]
    if not off:
        finding.sentences.append(f"The same values on {len(truth):,} payments of the test period.")
    for name in off:
        values = len(np.unique(bench.test_scores[name]))
        finding.sentences.append(
            f"On the {name} yours is off by {mine[name][0] - right[name][0]:+.3g}; "
            f"they give {len(truth):,} payments {values:,} different scores."
        )
    finding.sentences.append(faster_or_slower(right["boosted trees"][1], mine["boosted trees"][1]))


def _ahead(values: dict[str, float], higher: bool) -> str:
    """Which candidate the gate would prefer."""
    return (max if higher else min)(values, key=lambda name: values[name])


# --- threshold -------------------------------------------------------------------------------------


def threshold(bench: Bench, answer: Answer, finding: Finding) -> None:
    """The threshold of least cost: chosen on the labels known at the end of training, paid for in the test period."""
    split = bench.split
    known, score = split.y_valid.astype(np.int64), bench.trees.predict_score(bench.features[split.valid])
    amount = bench.amount_usd[split.valid]
    ours, seconds = timed(partial(our_threshold, known, score, amount))
    idle = float(bench.amount_usd[split.test][bench.is_fraud[split.test]].sum())
    for label, text in _paid(bench, ours):
        finding.ours(label, text)
    finding.ours("cost if nothing were flagged", f"${idle:,.0f}")
    finding.yours("cost if nothing were flagged", f"${idle:,.0f}")
    finding.ours("time to choose", in_ms(seconds))
    value, own_seconds = answer.timed(
        Case("validation period", (known, score, amount, REVIEW_COST, FALSE_POSITIVE_COST))
    )
    mine = one_number(value)
    for label, text in _paid(bench, mine):
        finding.yours(label, text)
    finding.yours("time to choose", in_ms(own_seconds))
    if np.array_equal(score > mine, score > ours):
        finding.sentences.append("Both flag the same payments of the validation period.")
    extra = _cost(bench, mine) - _cost(bench, ours)
    if abs(extra) < 0.5:
        finding.sentences.append("In the test period yours costs the same.")
    else:
        finding.sentences.append(
            f"In the test period yours costs ${abs(extra):,.0f} {'more' if extra > 0 else 'less'}"
            f" ({extra / max(_cost(bench, ours), 1.0):+.1%})."
        )
    finding.sentences.append(faster_or_slower(seconds, own_seconds))


def our_threshold(y_true: np.ndarray, y_score: np.ndarray, amount: np.ndarray) -> float:
    """The system's threshold of least cost where every flagged payment is reviewed; arrays of shape (n,)."""
    costs = Costs(false_positive=REVIEW_COST + FALSE_POSITIVE_COST, false_negative=None)
    # A caught fraud costs its review, so that catching it saves the amount less the review.
    return cost_optimal_threshold(y_true, y_score, amount - REVIEW_COST, costs)


def _cost(bench: Bench, above: float) -> float:
    """What the test period costs when payments scored above a threshold are reviewed, US dollars."""
    rows = bench.split.test
    flagged, fraud = bench.test_scores["boosted trees"] > above, bench.is_fraud[rows]
    missed = bench.amount_usd[rows][fraud & ~flagged].sum()
    return float(missed + REVIEW_COST * flagged.sum() + FALSE_POSITIVE_COST * (flagged & ~fraud).sum())


def _paid(bench: Bench, above: float) -> list[tuple[str, str]]:
    rows = bench.split.test
    flagged, fraud = bench.test_scores["boosted trees"] > above, bench.is_fraud[rows]
    return [
        ("flagged above", f"{above:.4f}"),
        ("payments flagged in the test period", f"{flagged.sum():,}"),
        ("frauds among them", f"{(flagged & fraud).sum():,} of {fraud.sum():,}"),
        ("cost of the test period", f"${_cost(bench, above):,.0f}"),
    ]


# --- model -----------------------------------------------------------------------------------------

# How a class of this name is built; every other one is built without settings.
MODEL_SETTINGS: dict[str, dict[str, Any]] = {
    "LogisticRegression": {"l2": 0.01},
    "DecisionTree": {"max_depth": 5, "min_samples_leaf": 20},
    "GradientBoosting": {"n_rounds": 60, "learning_rate": 0.2},
}


def model(bench: Bench, answer: Answer, finding: Finding) -> None:
    """A model among the candidates: same rows, same columns, labels as known when the test period began."""
    split, rng = bench.split, np.random.default_rng(SEED)
    columns = [INDEX[name] for name in PLAIN_FEATURES]
    fraud, rest = np.flatnonzero(split.y_train), np.flatnonzero(~split.y_train)
    genuine = rng.choice(rest, min(len(rest), TRAINING_ROWS), replace=False)
    chosen = np.sort(np.concatenate([fraud, genuine]))
    parts = {
        "train": np.ascontiguousarray(bench.features[split.train[chosen]][:, columns]),
        "valid": np.ascontiguousarray(bench.features[split.valid][:, columns]),
        "test": np.ascontiguousarray(bench.features[split.test][:, columns]),
    }
    y_train = split.y_train[chosen].astype(np.int64)
    transform = fit_transform_parameters(parts["train"])
    finding.columns = ("logistic regression", "boosted trees", "yours")
    ways: tuple[Callable[[], Any], ...] = (
        lambda: train_logistic(parts["train"], y_train, transform, LIGHT),
        lambda: bench.fitted_trees(columns, chosen),
    )
    figures, best = [], 0.0
    for way in ways:
        fitted, fitting = timed(way)
        test, scoring = timed(partial(fitted.predict_score, parts["test"]))
        figures.append(_figures(bench, fitted.predict_score(parts["valid"]), test, fitting, scoring))
        best = max(best, average_precision_score(bench.is_fraud[split.test], test))
    for label in figures[0]:
        finding.ours(label, *(figure[label] for figure in figures))
    inputs = {part: np.asarray(transform.apply(X), dtype=np.float64) for part, X in parts.items()}
    settings = MODEL_SETTINGS.get(answer.name, {})
    fit_step = Step("fit", (inputs["train"], y_train))
    probabilities = tuple(Step("predict_proba", (inputs[part],)) for part in ("valid", "test"))
    whole, alone = answer.replies(
        [
            Case("fit and score", kwargs=settings, steps=(fit_step, *probabilities)),
            Case("fit", kwargs=settings, steps=(fit_step,)),
        ]
    )
    valid = numbers(whole.value[1], len(parts["valid"]), 0.0, 1.0)
    test = numbers(whole.value[2], len(parts["test"]), 0.0, 1.0)
    scoring = max(whole.seconds - alone.seconds, 0.0) * len(test) / (len(test) + len(valid))
    for label, text in _figures(bench, valid, test, alone.seconds, scoring).items():
        finding.yours(label, text)
    truth = bench.is_fraud[split.test]
    mine = average_precision_score(truth, test)
    finding.sentences.append(
        f"All three saw {len(chosen):,} payments with {len(PLAIN_FEATURES)} features, {int(y_train.sum())} of them "
        f"known as fraud by then."
    )
    finding.sentences.append(
        f"Yours would go ahead by average precision, {mine:.3f} against {best:.3f}."
        if mine > best + SAME
        else f"The best of ours stays ahead by average precision, {best:.3f} against {mine:.3f}."
    )


def _figures(bench: Bench, valid: np.ndarray, test: np.ndarray, fitting: float, scoring: float) -> dict[str, str]:
    """What a candidate is judged by; it declines above the threshold that was cheapest on the validation period."""
    split, costs = bench.split, Costs(false_negative=None)
    truth, amount = bench.is_fraud[split.test], bench.amount_usd[split.test]
    above = cost_optimal_threshold(split.y_valid, valid, bench.amount_usd[split.valid], costs)
    return {
        "ROC AUC": f"{roc_auc_score(truth, test):.4f}",
        "average precision": f"{average_precision_score(truth, test):.4f}",
        "cost of the test period": f"${decision_cost(truth, test > above, amount, costs):,.0f}",
        "time to fit": in_ms(fitting),
        "time to score a payment": f"{scoring / len(test) * 1e6:.3g} µs",
    }


SEAMS: dict[str, tuple[Seam, float]] = {  # with the seconds that one call may take
    "metric": (metric, 5.0),
    "threshold": (threshold, 5.0),
    "feature": (feature, 20.0),
    "rule": (rule, 20.0),
    "model": (model, 60.0),
    "drift": (drift, 5.0),
}


def seam(name: str) -> tuple[Seam, float]:
    """The seam of this name and the seconds that one call may take there.

    Raises
    ------
    InvalidInput
        There is none.
    """
    if name not in SEAMS:
        raise InvalidInput(f"there is no seam {name!r}; there are {', '.join(SEAMS)}")
    return SEAMS[name]
