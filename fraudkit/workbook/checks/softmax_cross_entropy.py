"""Softmax and cross-entropy in one: rows shifted by their own maximum, logarithms never of a rounded zero."""

from __future__ import annotations

from decimal import Decimal, localcontext

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_decimals(logits, labels):
    """The oracle: plain exponentials in decimal arithmetic, whose exponents have room for exp(±2000)."""
    total, gradient = Decimal(0), []
    with localcontext() as context:
        context.prec = 40
        for row, label in zip(np.asarray(logits, dtype=float).tolist(), np.asarray(labels).tolist(), strict=True):
            powers = [Decimal(z).exp() for z in row]
            shares = [power / sum(powers) for power in powers]
            total -= shares[label].ln()
            gradient.append([share - (j == label) for j, share in enumerate(shares)])
        n = len(gradient)
        return float(total / n), np.array([[float(g / n) for g in row] for row in gradient])


def cases(rng: np.random.Generator) -> list[Case]:
    """Small tables, loud logits, bad labels, then random ones."""
    table = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]])
    found = [
        Case("one payment, two classes", (np.array([[2.0, 0.0]]), np.array([1]))),
        Case(
            "two payments, three classes",
            (table, np.array([2, 0])),
            why="softmax runs along each row, and the loss is a mean: the gradient carries 1/n",
        ),
        Case("lists of integers", ([[1, 2], [3, 3], [0, 5]], [0, 1, 1])),
        Case(
            "confident and right",
            (np.array([[1000.0, -1000.0], [-1000.0, 1000.0]]), np.array([0, 1])),
            why="exp(1000) overflows; softmax stays the same when a row is shifted by its maximum",
        ),
        Case(
            "a confident mistake",
            (np.array([[1000.0, 0.0, -1000.0], [0.0, 1.0, 0.0]]), np.array([2, 1])),
            why="the label's probability rounds to 0; take the logarithm before it has become a probability",
        ),
        Case(
            "one payment far above another",
            (np.array([[1000.0, 1001.0], [-1000.0, -1001.0]]), np.array([0, 0])),
            why="each row is shifted by its own maximum; under the table's maximum the low row vanishes",
        ),
        Case("float32", (table.astype(np.float32), np.array([1, 1]))),
        Case(
            "a negative label",
            (table, np.array([0, -1])),
            raises="ValueError",
            why="an index of -1 silently means the last class",
        ),
        Case("a label too high", (table, np.array([0, 3])), raises="ValueError"),
        Case("no payments", (np.zeros((0, 3)), np.zeros(0, dtype=int)), raises="ValueError"),
        Case("a label too few", (table, np.array([1])), raises="ValueError", why="one label must not serve every row"),
    ]
    for n, k in ((7, 4), (40, 3)):
        labels = rng.integers(0, k, n)
        found.append(Case(f"{n} payments, {k} classes", (rng.normal(0, 3, (n, k)), labels)))
    return found


def one_row_at_a_time(logits, labels):
    """Accepted: the log of the sum by math, a row at a time."""
    import math

    if len(logits) == 0 or len(logits) != len(labels):
        raise ValueError("rows and labels must be as many, and some")
    total, slopes = 0.0, []
    for z, label in zip(logits, labels, strict=True):
        if not 0 <= label < len(z):
            raise ValueError(f"no class {label}")
        top = max(z)
        log_sum = float(top) + math.log(math.fsum(math.exp(float(v) - float(top)) for v in z))
        total += log_sum - float(z[label])
        slopes.append([(math.exp(float(v) - log_sum) - (j == label)) / len(labels) for j, v in enumerate(z)])
    return total / len(labels), slopes


def with_one_hot(logits, labels):
    """Accepted: logaddexp folds the classes, labels as a table of zeros and ones."""
    z = np.array(logits, dtype=np.float64)
    classes = np.arange(z.shape[1])
    truth = np.asarray(labels)[:, None] == classes
    if truth.shape != z.shape or not len(z) or not truth.any(axis=1).all():
        raise ValueError("labels do not fit the logits")
    log_sum = np.logaddexp.reduce(z, axis=1)
    return float(np.mean(log_sum - z[truth])), (np.exp(z - log_sum[:, None]) - truth) / truth.shape[0]


EXERCISE = Exercise(
    id="softmax_cross_entropy",
    title="Softmax cross-entropy and its gradient",
    minutes=15,
    difficulty="medium",
    feeds="07",
    week="3-4",
    hints=(
        "Softmax does not change when the same number is taken off every logit of a row. Which number keeps exp small?",
        "Stay in logarithms: log p is the shifted logit minus the log of the row's sum of exponentials.",
        "The gradient of the mean loss is p, less 1 at each row's label, divided by n.",
    ),
    cases=cases,
    expect=by_decimals,
    agree=close(1e-8, 1e-12),
    mutants=(
        Mutant(
            "not-shifted",
            "exp of a large logit overflows and the loss becomes NaN. Take each row's maximum off first.",
            swaps=(("shifted = logits - logits.max(axis=1, keepdims=True)", "shifted = logits"),),
        ),
        Mutant(
            "shifted-by-the-table",
            "Every row was shifted by the largest logit of the whole table; a row far below it has only zeros left. "
            "Shift each row by its own maximum.",
            swaps=(("logits.max(axis=1, keepdims=True)", "logits.max()"),),
        ),
        Mutant(
            "log-of-rounded",
            "The logarithm was taken of a probability that has rounded to 0. Compute log p itself, from the logits.",
            swaps=(("-log_p[rows, labels].mean()", "-np.log(np.exp(log_p[rows, labels])).mean()"),),
        ),
        Mutant(
            "softmax-over-the-batch",
            "The probabilities sum to 1 down the columns, over the payments. They belong to a row's classes: axis 1.",
            swaps=(
                ("logits.max(axis=1, keepdims=True)", "logits.max(axis=0, keepdims=True)"),
                ("np.exp(shifted).sum(axis=1, keepdims=True)", "np.exp(shifted).sum(axis=0, keepdims=True)"),
            ),
        ),
        Mutant(
            "gradient-of-the-sum",
            "The gradient is that of the summed loss. The loss is a mean over rows, so the gradient carries 1/n.",
            swaps=(("gradient / n", "gradient"),),
        ),
        Mutant(
            "label-not-taken-off",
            "The gradient is the probabilities themselves. At each row's label, 1 has to be taken off.",
            swaps=(("    gradient[rows, labels] -= 1.0\n", ""),),
        ),
        Mutant(
            "loss-summed",
            "The losses were added up; the question asks for their mean, which does not grow with the batch.",
            swaps=(("labels].mean()", "labels].sum()"),),
        ),
        Mutant(
            "label-from-the-end",
            "A label of -1 was taken as an index from the end. Labels outside 0 … k - 1 are errors in the data: raise.",
            swaps=(("labels.min() < 0 or labels.max() >= logits.shape[1]", "labels.max() >= logits.shape[1]"),),
        ),
    ),
    accepted=(one_row_at_a_time, with_one_hot),
)
