"""Log loss: clipped and finite, in nats, in double precision, and no clip hides what is no probability."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def one_by_one(y_true, y_prob, eps=1e-15):
    """The oracle: minus the logarithm of the chance given to what happened, payment by payment."""
    losses = []
    for label, prob in zip(y_true, y_prob, strict=True):
        clipped = min(max(float(prob), eps), 1.0 - eps)
        losses.append(-math.log(clipped if int(label) else 1.0 - clipped))
    return math.fsum(losses) / len(losses)


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones."""
    found = [
        Case("three payments", (np.array([1, 0, 1]), np.array([0.9, 0.2, 0.4]))),
        Case(
            "certain and wrong",
            (np.array([1, 0, 0]), np.array([0.0, 1.0, 0.5])),
            why="log 0 makes one wrong row infinitely bad; clipped, it costs about 34.5",
        ),
        Case(
            "certain and right",
            ([1, 0, 1], [1.0, 0.0, 1.0]),
            why="0 times log 0 is nan in floating point; the right answer is 0, or all but 0",
        ),
        Case("a coin's chance", ([0, 1], [0.5, 0.5])),
        Case(
            "a wide clip",
            (np.array([1, 0, 1, 0]), np.array([0.5, 0.3, 0.05, 1.0]), 0.1),
            why="clipping moves only what lies outside eps..1-eps, and moves it to the border",
        ),
        Case(
            "probabilities in float32",
            (np.array([1, 0, 1, 0]), np.float32([1.0, 0.0, 0.75, 0.25])),
            why="1 - 1e-15 rounds to 1 in float32, and the clip does nothing",
        ),
        Case("labels as booleans", (np.array([True, False, False]), np.array([0.6, 0.3, 0.2]))),
        Case("whole numbers as probabilities", (np.array([1, 0, 0]), np.array([1, 0, 1]))),
        Case(
            "a score above 1",
            ([1, 0, 1], [0.9, 0.1, 3.2]),
            raises="ValueError",
            why="a raw score is no probability; clipped to 1 it looks like a perfect one",
        ),
        Case("a negative score", ([1, 0], [0.9, -0.4]), raises="ValueError"),
        Case("a probability is nan", ([1, 0], [0.9, float("nan")]), raises="ValueError"),
        Case(
            "probabilities as a column",
            (np.array([1, 0, 0]), np.array([[0.9], [0.2], [0.3]])),
            raises="ValueError",
            why="shapes (3,) and (3, 1) broadcast to nine pairs, and the mean is over all of them",
        ),
    ]
    for size in (20, 400):
        prob = rng.beta(0.5, 2.0, size)
        found.append(Case(f"{size} payments", ((rng.random(size) < prob).astype(int), prob)))
    return found


def chance_of_what_happened(y_true, y_prob, eps=1e-15):
    """Accepted: one logarithm of the chance that the label was given."""
    y_true, y_prob = np.asarray(y_true, dtype=bool), np.asarray(y_prob, dtype=np.float64)
    if y_true.shape != y_prob.shape:
        raise ValueError("y_true and y_prob differ in shape")
    if np.isnan(y_prob).any() or (y_prob < 0).any() or (y_prob > 1).any():
        raise ValueError("y_prob holds something that is no probability")
    chance = np.where(y_true, y_prob, 1 - y_prob)
    return -np.log(np.clip(chance, eps, 1 - eps)).mean()


def from_log_odds(y_true, y_prob, eps=1e-15):
    """Accepted: the softplus of the log odds, as networks compute it."""
    sign = 1.0 - 2.0 * np.array(y_true, dtype=float)
    prob = np.array(y_prob, dtype=float)
    if sign.shape != prob.shape or not ((prob >= 0) & (prob <= 1)).all():
        raise ValueError("expected one probability for each label")
    prob = np.minimum(np.maximum(prob, eps), 1 - eps)
    log_odds = np.log(prob) - np.log1p(-prob)
    return float(np.logaddexp(0.0, sign * log_odds).sum() / len(prob))


EXERCISE = Exercise(
    id="log_loss",
    title="Log loss that stays finite",
    minutes=8,
    difficulty="easy",
    feeds="07",
    week="7-8",
    hints=(
        "For each payment take the probability that was given to what really happened. The loss is small where it was "
        "near 1.",
        "A probability of exactly 0 or 1 that is wrong costs infinitely much, so it is first moved into eps..1-eps. In "
        "which precision does 1 - 1e-15 exist?",
        "Loss = -mean(y·log p + (1-y)·log(1-p)), natural logarithm, p clipped in float64. Look at the range before the "
        "clip: afterwards all values lie inside.",
    ),
    cases=cases,
    expect=one_by_one,
    # Near p = 1, rounding of 1 - p moves the loss of a clipped row by some 1e-5 of it.
    agree=close(rtol=1e-4),
    mutants=(
        Mutant(
            "unclipped",
            "The logarithm of 0 came in: one confident error makes the loss infinite, and 0 times it makes nan. Clip "
            "the probabilities to eps..1-eps first.",
            swaps=(("    p = np.clip(p, eps, 1 - eps)\n", ""),),
        ),
        Mutant(
            "clipped-in-float32",
            "The clip was done in float32, where 1 - 1e-15 is 1. Convert the probabilities to float64 first.",
            swaps=(("np.asarray(y_prob, dtype=float)", "np.asarray(y_prob)"),),
        ),
        Mutant(
            "eps-added",
            "eps was added inside the logarithms, which shifts every row. Clipping moves only the rows outside "
            "eps..1-eps.",
            swaps=(
                ("    p = np.clip(p, eps, 1 - eps)\n", ""),
                ("np.log(p)", "np.log(p + eps)"),
                ("np.log(1 - p)", "np.log(1 - p + eps)"),
            ),
        ),
        Mutant(
            "frauds-only",
            "Only the frauds were counted. Saying 0.99 of everybody would be free: genuine payments lose log(1 - p).",
            swaps=((" + (1 - y) * np.log(1 - p)", ""),),
        ),
        Mutant(
            "sum-not-mean",
            "This is the sum over payments; the loss is their mean, so that data sets of different size compare.",
            swaps=(("-np.mean(", "-np.sum("),),
        ),
        Mutant(
            "log-base-2",
            "This is in bits. Log loss is in nats: the natural logarithm.",
            swaps=(("np.log(p)", "np.log2(p)"), ("np.log(1 - p)", "np.log2(1 - p)")),
        ),
        Mutant(
            "range-unchecked",
            "A value outside 0..1 was clipped and passed for a probability. Look at the range before you clip, and "
            "raise ValueError.",
            swaps=(("if not np.all((p >= 0) & (p <= 1)):", "if np.isnan(p).any():"),),
        ),
        Mutant(
            "clipped-in-place",
            "The clip was written into the caller's array. Its probabilities are needed afterwards: clip into a new "
            "one.",
            swaps=(("p = np.clip(p, eps, 1 - eps)", "np.clip(p, eps, 1 - eps, out=p)"),),
        ),
    ),
    accepted=(chance_of_what_happened, from_log_odds),
    plug="metric",
)
