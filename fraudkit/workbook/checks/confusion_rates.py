"""Confusion counts and the rates made of them: strictly above the threshold, nan where nothing was measured."""

from __future__ import annotations

from collections import Counter

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def counted_one_by_one(y_true, y_score, threshold=0.5):
    """The oracle: each payment looked at alone, each rate as the share of a list that holds something."""
    pairs = [(int(label) == 1, float(score) > threshold) for label, score in zip(y_true, y_score, strict=True)]

    def share(wanted, among):
        group = [pair for pair in pairs if among(*pair)]
        return sum(wanted(*pair) for pair in group) / len(group) if group else float("nan")

    precision = share(lambda fraud, flag: fraud, lambda fraud, flag: flag)
    recall = share(lambda fraud, flag: flag, lambda fraud, flag: fraud)
    if not any(fraud or flag for fraud, flag in pairs):
        f1 = float("nan")
    elif not any(fraud and flag for fraud, flag in pairs):
        f1 = 0.0
    else:
        f1 = 2 / (1 / precision + 1 / recall)
    return {
        "tp": pairs.count((True, True)),
        "fp": pairs.count((False, True)),
        "fn": pairs.count((True, False)),
        "tn": pairs.count((False, False)),
        "precision": precision,
        "recall": recall,
        "specificity": share(lambda fraud, flag: not flag, lambda fraud, flag: not fraud),
        "fpr": share(lambda fraud, flag: flag, lambda fraud, flag: not fraud),
        "f1": f1,
        "accuracy": share(lambda fraud, flag: fraud == flag, lambda fraud, flag: True),
    }


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones whose scores often lie on the threshold."""
    labels = np.array([1, 0, 1, 0, 0, 1, 0, 0])
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.55, 0.3, 0.2, 0.1])
    found = [
        Case("eight payments", (labels, scores)),
        Case(
            "scores at the threshold",
            ([1, 0, 1, 0], [0.5, 0.5, 0.75, 0.25], 0.5),
            why="a payment is flagged above the threshold, not at it",
        ),
        Case("another threshold", (labels, scores, 0.75)),
        Case(
            "nobody is flagged",
            (np.array([1, 0, 0]), np.array([0.1, 0.2, 0.3])),
            why="with no alert there is no precision, but recall and F1 are 0: the fraud was missed",
        ),
        Case(
            "no fraud in the data",
            (np.zeros(4, dtype=int), np.array([0.9, 0.1, 0.2, 0.3])),
            why="without fraud there is no recall; the other rates exist",
        ),
        Case(
            "no fraud and no alert",
            ([0, 0], [0.1, 0.2]),
            why="with neither frauds nor alerts, F1 has denominator 0",
        ),
        Case(
            "only frauds, all flagged",
            ([1, 1, 1], [0.8, 0.9, 0.7]),
            why="without genuine payments there is neither a specificity nor a false-positive rate",
        ),
        Case("alerts, all of them wrong", ([0, 1, 0, 0], [0.9, 0.2, 0.8, 0.1])),
        Case("scores in float32, labels as booleans", (labels == 1, scores.astype(np.float32), 0.65)),
        Case("whole numbers as scores", (labels, np.array([-3, 4, 7, 0, 2, 9, -5, 1]), 1)),
        Case(
            "scores as a column",
            (np.array([1, 0, 0]), np.array([[0.9], [0.2], [0.8]])),
            raises="ValueError",
            why="shapes (3,) and (3, 1) broadcast to nine pairs, and the counts add up to nine payments",
        ),
        Case("one score for three payments", ([1, 0, 0], [0.9]), raises="ValueError"),
    ]
    for size in (30, 500):
        y_true = (rng.random(size) < 0.3).astype(int)
        found.append(Case(f"{size} payments", (y_true, np.round(rng.random(size) + 0.25 * y_true, 1), 0.5)))
    return found


def as_a_table(y_true, y_score, threshold=0.5):
    """Accepted: one table of four cells, the rates by NumPy's division."""
    y_true, y_score = np.asarray(y_true).astype(int), np.asarray(y_score)
    if y_true.shape != y_score.shape:
        raise ValueError("labels and scores do not match")
    table = np.bincount(2 * y_true + (y_score > threshold), minlength=4).reshape(2, 2).astype(float)
    (tn, fp), (fn, tp) = table
    above = np.array([tp, tp, tn, fp, 2 * tp, tp + tn])
    below = np.array([tp + fp, tp + fn, tn + fp, fp + tn, 2 * tp + fp + fn, len(y_true)])
    with np.errstate(invalid="ignore"):
        rates = above / below
    names = ["precision", "recall", "specificity", "fpr", "f1", "accuracy"]
    return {"tp": tp, "fp": fp, "fn": fn, "tn": tn, **dict(zip(names, rates.tolist(), strict=True))}


def by_counter(y_true, y_score, threshold=0.5):
    """Accepted: plain Python, one pass."""
    if np.shape(y_true) != np.shape(y_score):
        raise ValueError(f"{np.shape(y_true)} labels, {np.shape(y_score)} scores")
    count = Counter((bool(label), bool(score > threshold)) for label, score in zip(y_true, y_score, strict=True))
    tp, fp, fn, tn = count[True, True], count[False, True], count[True, False], count[False, False]
    rates = {
        "precision": (tp, tp + fp),
        "recall": (tp, tp + fn),
        "specificity": (tn, tn + fp),
        "fpr": (fp, tn + fp),
        "f1": (tp, tp + (fp + fn) / 2),
        "accuracy": (tp + tn, tp + fp + fn + tn),
    }
    answer: dict[str, float] = {"tp": tp, "fp": fp, "fn": fn, "tn": tn}
    for name, (part, whole) in rates.items():
        answer[name] = part / whole if whole > 0 else np.nan
    return answer


EXERCISE = Exercise(
    id="confusion_rates",
    title="Confusion counts and rates",
    minutes=10,
    difficulty="easy",
    feeds="01",
    week="7-8",
    hints=(
        "Two booleans for each payment, fraud or not and flagged or not, make four counts. Every rate is one count "
        "over the sum of two or more.",
        "Ask of each rate: a share of what? Precision is a share of the alerts, recall of the frauds, the "
        "false-positive rate of the genuine payments.",
        "`(flagged & y_true).sum()` and its three sisters are the counts. A helper `share(part, whole)` keeps the zero "
        "denominators in one place. Compare the shapes before you compare the values.",
    ),
    cases=cases,
    expect=counted_one_by_one,
    agree=close(),
    mutants=(
        Mutant(
            "at-threshold-flagged",
            "A score equal to the threshold was flagged. Here a payment is flagged above the threshold only; with "
            "rounded scores many lie exactly on it.",
            swaps=(("y_score > threshold", "y_score >= threshold"),),
        ),
        Mutant(
            "precision-recall-swapped",
            "Precision and recall changed places. Precision is a share of the alerts, recall a share of the frauds.",
            swaps=(
                ('"precision": share(tp, tp + fp)', '"precision": share(tp, tp + fn)'),
                ('"recall": share(tp, tp + fn)', '"recall": share(tp, tp + fp)'),
            ),
        ),
        Mutant(
            "fpr-among-alerts",
            "This is the share of alerts that are wrong, one minus the precision. The false-positive rate is a share "
            "of all genuine payments.",
            swaps=(('"fpr": share(fp, fp + tn)', '"fpr": share(fp, fp + tp)'),),
        ),
        Mutant(
            "specificity-among-passed",
            "The genuine payments were divided by all payments that passed. Specificity is a share of the genuine "
            "payments, so its denominator holds no fraud.",
            swaps=(('"specificity": share(tn, tn + fp)', '"specificity": share(tn, tn + fn)'),),
        ),
        Mutant(
            "zero-for-nothing",
            "A rate without a denominator was reported as 0, which reads as if all alerts were wrong or all frauds "
            "missed. Nothing was measured: give nan.",
            swaps=(('float("nan")', "0.0"),),
        ),
        Mutant(
            "f1-from-rates",
            "F1 was made from precision and recall, so it is undefined as soon as one of them is, or both are 0. From "
            "the counts it is 0 whenever there is an error and no hit.",
            swaps=(
                (
                    '"f1": share(2 * tp, 2 * tp + fp + fn)',
                    '"f1": share(2 * share(tp, tp + fp) * share(tp, tp + fn), share(tp, tp + fp) + share(tp, tp + fn))',
                ),
            ),
        ),
        Mutant(
            "f1-arithmetic",
            "F1 is the harmonic mean of precision and recall. The arithmetic mean gives a half to somebody who flags "
            "everybody.",
            swaps=(
                (
                    '"f1": share(2 * tp, 2 * tp + fp + fn)',
                    '"f1": (share(tp, tp + fp) + share(tp, tp + fn)) / 2',
                ),
            ),
        ),
        Mutant(
            "shapes-unchecked",
            "Shapes that differ were broadcast, every label against every score, and the counts exceed the number of "
            "payments. Compare the shapes and raise ValueError.",
            swaps=(("if y_true.shape != y_score.shape:", "if len(y_true) == 0:"),),
        ),
    ),
    accepted=(as_a_table, by_counter),
)
