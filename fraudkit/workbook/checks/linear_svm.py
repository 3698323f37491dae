"""Linear SVM by subgradient steps in a given order: hinge at one, falling rate, an intercept that is not shrunk."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def unrolled(X, y, order, penalty):
    """The oracle: after t steps w is the sum of all s·x that were within the margin, divided by penalty·t."""
    X, sign = np.asarray(X, dtype=float), np.where(np.asarray(y) == 1, 1.0, -1.0)
    w, b = np.zeros(X.shape[1]), 0.0
    within: list[tuple[int, int]] = []
    for t, i in enumerate(order, start=1):
        if sign[i] * (X[i] @ w + b) < 1:
            within.append((t, int(i)))
        w = sum((sign[j] * X[j] for _, j in within), np.zeros(X.shape[1])) / (penalty * t)
        b = sum(sign[j] / step for step, j in within) / penalty
    return w, b


def cases(rng: np.random.Generator) -> list[Case]:
    """By hand first, then each point of the rule, then random orders."""
    X = np.array([[2.0, 0.0], [0.0, 1.0], [3.0, 1.0], [-1.0, 2.0]])
    y = np.array([1, 0, 1, 0])
    found = [
        Case("two steps, as lists", ([[2.0], [-1.0]], [1, 0], [0, 1], 0.5)),
        Case(
            "a genuine payment first",
            (X, y, np.array([1, 0]), 1.0),
            why="labels are 0 and 1, but the hinge needs −1 and +1: a genuine payment pushes the other way",
        ),
        Case(
            "exactly on the margin",
            (np.array([[1.0], [0.0]]), np.array([1, 1]), np.array([0, 1]), 1.0),
            why="a margin of exactly 1 costs nothing: the weight only shrinks",
        ),
        Case(
            "right, but within the margin",
            (np.array([[1.0], [0.5], [0.25]]), np.array([1, 1, 0]), np.array([0, 2, 1, 1]), 1.0),
            why="a row on the right side still pays while its margin is below 1; the perceptron would leave it alone",
        ),
        Case(
            "far outside the margin",
            (np.array([[1.0], [30.0]]), np.array([1, 1]), np.array([0, 1, 1, 1]), 0.25),
            why="every step shrinks w, also those in which the row costs nothing",
        ),
        Case("the same row again and again", (X, y, np.array([2, 2, 2, 2, 2]), 2.0)),
        Case("no step", (X, y, np.array([], dtype=int), 1.0), why="before the first step w and b are 0"),
        Case(
            "whole numbers and booleans",
            (np.array([[3, 1], [0, 2], [1, 1]]), y[:3] == 1, np.array([0, 1, 2, 0, 1, 2]), 1),
        ),
        Case("a penalty of zero", (X, y, np.array([0]), 0.0), raises="ValueError", why="the rate is 1 / (penalty·t)"),
        Case("rows that do not fit", (X, y[:3], np.array([0]), 1.0), raises="ValueError"),
    ]
    for n, d, penalty, passes in ((12, 2, 0.1, 3), (30, 4, 0.05, 4), (20, 3, 1.0, 2)):
        labels = (np.arange(n) % 3 == 0).astype(int)
        rows = rng.normal(size=(n, d)) + 1.5 * labels[:, None]
        order = np.concatenate([rng.permutation(n) for _ in range(passes)])
        found.append(Case(f"{passes} passes over {n} payments, penalty {penalty}", (rows, labels, order, penalty)))
    return found


def scaled_sum(X, y, order, penalty):
    """Accepted: keeps v = penalty·t·w, which only ever grows by s·x; w is v divided at the end."""
    if not penalty > 0 or len(X) != len(y):
        raise ValueError("penalty, or lengths")
    v, b, t = np.zeros(np.shape(X)[1]), 0.0, 0
    for i in order:
        x, s = np.array(X[i], dtype=float), 1.0 if y[i] == 1 else -1.0
        score = (v @ x / (penalty * t) if t else 0.0) + b
        t += 1
        if s * score < 1:
            v, b = v + s * x, b + s / (penalty * t)
    return (v / (penalty * t) if t else v), b


def gradient_written_out(X, y, order, penalty):
    """Accepted: the subgradient of both terms as one vector over [w, b], with a mask that spares b."""
    rows = np.column_stack([np.array(X, dtype=float), np.ones(len(X))])
    if len(rows) != len(y):
        raise ValueError(f"{len(rows)} rows, {len(y)} labels")
    if penalty <= 0:
        raise ValueError(f"penalty {penalty}")
    signs = np.array(y, dtype=float) * 2 - 1
    theta = np.zeros(rows.shape[1])
    shrinks = np.append(np.ones(len(theta) - 1), 0.0)
    for step in range(len(order)):
        signed = signs[order[step]] * rows[order[step]]
        gradient = penalty * shrinks * theta - (signed if signed.dot(theta) < 1.0 else 0.0)
        theta = theta - gradient / (penalty * (step + 1))
    return theta[:-1].tolist(), theta[-1]


EXERCISE = Exercise(
    id="linear_svm",
    title="Linear SVM by subgradient steps",
    minutes=20,
    difficulty="medium",
    feeds="07",
    week="3-4",
    hints=(
        "Write down the loss of one row, penalty/2·‖w‖² plus the hinge. What is its slope in w where the hinge is flat, and where not?",
        "Where the margin is 1 or more only the penalty has a slope; otherwise s·x is to be added as well, and s to the intercept.",
        "In step t the rate is 1/(penalty·t), so shrinking is w·(1 − 1/t). Compute the margin before you change anything.",
    ),
    cases=cases,
    expect=unrolled,
    agree=close(1e-6, 1e-8),
    mutants=(
        Mutant(
            "perceptron-rule",
            "Only rows on the wrong side were learnt from. The hinge also wants a margin of 1 from rows on the right side.",
            swaps=(("within = s * (X[i] @ w + b) < 1", "within = s * (X[i] @ w + b) <= 0"),),
        ),
        Mutant(
            "margin-of-one-included",
            "A margin of exactly 1 already costs nothing: the comparison is < 1.",
            swaps=(("(X[i] @ w + b) < 1", "(X[i] @ w + b) <= 1"),),
        ),
        Mutant(
            "labels-zero-and-one",
            "Labels were used as 0 and 1: genuine payments then push nowhere and are never right. Make them −1 and +1.",
            swaps=(("s = 1.0 if y[i] == 1 else -1.0", "s = float(y[i])"),),
        ),
        Mutant(
            "intercept-shrunk",
            "The intercept was shrunk with the weights. The penalty is on w alone.",
            swaps=(("        if within:\n", "        b *= 1 - rate * penalty\n        if within:\n"),),
        ),
        Mutant(
            "shrinks-only-within",
            "w was shrunk only where the row was within its margin. The penalty has its slope in every step.",
            swaps=(
                (
                    "        w = (1 - rate * penalty) * w\n        if within:\n",
                    "        if within:\n            w = (1 - rate * penalty) * w\n",
                ),
            ),
        ),
        Mutant(
            "margin-of-shrunk-weights",
            "The margin was computed after w had been shrunk. A subgradient belongs to the point from which the step is made.",
            swaps=(
                (
                    "        within = s * (X[i] @ w + b) < 1\n        w = (1 - rate * penalty) * w\n",
                    "        w = (1 - rate * penalty) * w\n        within = s * (X[i] @ w + b) < 1\n",
                ),
            ),
        ),
        Mutant(
            "rate-without-penalty",
            "The rate is 1 / (penalty·t); this answer used 1 / t.",
            swaps=(("rate = 1 / (penalty * t)", "rate = 1 / t"),),
        ),
        Mutant(
            "penalty-not-checked",
            "A penalty of 0 must be refused with ValueError before anything is divided by it.",
            swaps=(("if penalty <= 0 or len(X) != len(y):", "if len(X) != len(y):"),),
        ),
    ),
    accepted=(scaled_sum, gradient_written_out),
)
