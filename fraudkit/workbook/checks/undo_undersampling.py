"""Prior correction: the odds, not the probabilities; which way round; and the ends 0 and 1."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant
from fraudkit.workbook.shrink import lists


def by_bayes(p, kept_genuine, kept_fraud=1.0):
    """The oracle: Bayes' rule on exact fractions, from an even prior: posterior odds over the sampling's likelihood."""
    out = []
    for value in np.asarray(p, dtype=float).tolist():
        share = Fraction(value)
        if share in (0, 1):
            out.append(value)
            continue
        odds = share / (1 - share) * Fraction(kept_genuine) / Fraction(kept_fraud)
        out.append(float(odds / (1 + odds)))
    return np.array(out)


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones."""
    found = [
        Case("one genuine payment in a hundred kept", ([0.5, 0.9, 0.1], 0.01)),
        Case("nothing left out", ([0.2, 0.7], 1.0), why="a share of 1 changes nothing"),
        Case("a high score", ([0.99, 0.999], 0.1), why="the odds shrink tenfold, not the probability"),
        Case("frauds left out too", ([0.5, 0.3], 0.1, 0.5), why="half of the frauds are missing as well"),
        Case("frauds repeated ten times", (np.float32([0.5, 0.75]), 1.0, 10)),
        Case("sure of it", ([0, 1], 0.25), why="odds of infinity stay infinite, without a division by zero"),
        Case("no rows", (np.array([]), 0.5)),
        Case("no genuine payment kept", ([0.5], 0), raises="ValueError"),
        Case(
            "more than all kept", ([0.5], 1.5), raises="ValueError", why="genuine payments were left out, not repeated"
        ),
        Case("no fraud kept", ([0.5], 0.5, 0.0), raises="ValueError"),
        Case("a probability above 1", ([0.5, 1.2], 0.5), raises="ValueError"),
        Case("NaN", ([0.5, math.nan], 0.5), raises="ValueError", why="NaN compares false with everything"),
    ]
    for n, genuine, fraud in ((10, 0.05, 1.0), (80, 0.3, 4.0)):
        found.append(Case(f"{n} scores", (np.round(rng.random(n), 3), genuine, fraud)))
    return found


def shifted_intercept(p, kept_genuine, kept_fraud=1.0):
    """Accepted: log-odds plus a constant."""
    p = np.array(p, dtype=float)
    if np.isnan(p).any() or (p < 0).any() or (p > 1).any():
        raise ValueError("not probabilities")
    if kept_genuine <= 0 or kept_genuine > 1 or kept_fraud <= 0:
        raise ValueError("a share is out of range")
    with np.errstate(divide="ignore"):
        logit = np.log(p) - np.log1p(-p)
    return 1 / (1 + np.exp(-(logit + np.log(kept_genuine / kept_fraud))))


def one_formula(p, kept_genuine, kept_fraud=1.0):
    """Accepted: the textbook's formula with the ratio of both shares, one score at a time."""
    if not (0 < kept_genuine <= 1 and kept_fraud > 0):
        raise ValueError
    beta = kept_genuine / kept_fraud
    corrected = []
    for value in p:
        if not 0 <= value <= 1:
            raise ValueError(f"{value} is no probability")
        corrected.append(float(beta * value / (beta * value - value + 1)))
    return np.array(corrected)


EXERCISE = Exercise(
    id="undo_undersampling",
    title="Probabilities after undersampling",
    minutes=12,
    difficulty="easy",
    feeds="07",
    week="7-8",
    hints=(
        "Imagine a hundred rows of the sample with the score 0.5. How many payments does each of them stand for?",
        "A kept fraud stands for 1 / kept_fraud frauds, a kept genuine payment for 1 / kept_genuine. Divide anew.",
        "Or in odds: multiply p / (1 - p) by kept_genuine / kept_fraud. Mind p = 1.",
    ),
    cases=cases,
    expect=by_bayes,
    agree=close(),
    mutants=(
        Mutant(
            "probability-scaled",
            "The probability was multiplied by the share. It is the odds that scale; at 0.99 the two are far apart.",
            swaps=(("return fraud / (fraud + genuine)", "return p * kept_genuine / kept_fraud"),),
        ),
        Mutant(
            "wrong-way-round",
            "The correction goes the wrong way: the sample is too rich in frauds, so probabilities have to fall.",
            swaps=(("p / kept_fraud", "p * kept_fraud"), ("(1 - p) / kept_genuine", "(1 - p) * kept_genuine")),
        ),
        Mutant(
            "not-divided-anew",
            "Frauds were divided by the genuine payments alone. Those are odds; a probability divides by both.",
            swaps=(("fraud / (fraud + genuine)", "fraud / np.where(genuine > 0, genuine, 1)"),),
        ),
        Mutant(
            "frauds-share-ignored",
            "The share of frauds kept was not used. Both classes were sampled.",
            swaps=(("fraud = p / kept_fraud", "fraud = p"),),
        ),
        Mutant(
            "certainty-becomes-nan",
            "A probability of 1 has infinite odds, and infinity over infinity is NaN. Do without the odds, or treat 1 apart.",
            swaps=(
                (
                    "return fraud / (fraud + genuine)",
                    "with np.errstate(all='ignore'):\n        odds = fraud / genuine\n        return odds / (1 + odds)",
                ),
            ),
        ),
        Mutant(
            "shares-not-checked",
            "A share of nought, or of more than all genuine payments, was taken. Raise ValueError.",
            swaps=(("if not 0 < kept_genuine <= 1 or not 0 < kept_fraud < np.inf:", "if False:"),),
        ),
        Mutant(
            "nan-taken",
            "NaN was let through: it is neither below 0 nor above 1. Ask whether every value is inside.",
            swaps=(("if not ((p >= 0) & (p <= 1)).all():", "if ((p < 0) | (p > 1)).any():"),),
        ),
    ),
    accepted=(shifted_intercept, one_formula),
    shrink=lists(0, noun="scores"),
)
