"""Softmax cross-entropy with its gradient: no overflow, class weights in the mean, labels checked."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_ratios(logits, labels, class_weight=None):
    """The oracle: p_j as 1 / Σ exp(z_l − z_j), a row and a class at a time."""
    weights = [1.0 if class_weight is None else float(class_weight[label]) for label in labels]
    whole, loss, gradient = math.fsum(weights), [], []
    for row, label, weight in zip(np.asarray(logits, dtype=float).tolist(), labels, weights, strict=True):
        loss.append(weight * float(np.logaddexp.reduce([z - row[label] for z in row])))
        shares = [math.exp(-float(np.logaddexp.reduce([z - own for z in row]))) for own in row]
        gradient.append([weight * (p - (j == label)) / whole for j, p in enumerate(shares)])
    return math.fsum(loss) / whole, np.array(gradient)


def cases(rng: np.random.Generator) -> list[Case]:
    """By hand, large logits both ways, weights, labels out of range, then random rows."""
    three = np.array([[1.0, 2.0, 0.5], [0.0, -1.0, 3.0]])
    found = [
        Case("two equal logits", ([[0.0, 0.0]], [1])),
        Case("two rows of three classes", (three, np.array([1, 0])), why="the mean over rows divides the gradient too"),
        Case(
            "logits of a thousand",
            (np.array([[1000.0, 0.0], [-1000.0, 0.0]]), np.array([1, 0])),
            why="exp(1000) is infinite and the log of a probability rounded to 0 is too; the loss is 1000",
        ),
        Case(
            "all logits very low",
            (np.array([[-2000.0, -2001.0, -2002.0]]), np.array([0])),
            why="every exponential is rounded to 0, and 0 by 0 is NaN: shift the row by its maximum",
        ),
        Case(
            "rows of different height",
            (np.array([[900.0, 901.0], [-900.0, -901.0]]), np.array([0, 0])),
            why="each row has a maximum of its own to be subtracted",
        ),
        Case(
            "class weights",
            (three, np.array([1, 0]), np.array([1.0, 10.0, 3.0])),
            why="the mean divides by the sum of the weights, 11, not by the number of rows",
        ),
        Case("whole numbers", ([[1, 2], [3, 1], [0, 0]], [0, 1, 1], [1, 5])),
        Case("a label of k", (three, np.array([1, 3])), raises="ValueError", why="classes are counted from 0"),
        Case(
            "a label of -1",
            (three, np.array([1, -1])),
            raises="ValueError",
            why="Python would take the last class without a word",
        ),
    ]
    for n, k in ((20, 3), (15, 6)):
        weights = None if k == 3 else rng.random(k) + 0.5
        found.append(Case(f"{n} rows, {k} classes", (rng.normal(size=(n, k)) * 3, rng.integers(0, k, n), weights)))
    return found


def one_hot_table(logits, labels, class_weight=None):
    """Accepted: a table of ones and zeros, log-sum-exp by logaddexp."""
    z = np.array(logits, dtype=float)
    classes = z.shape[1]
    if not set(np.ravel(labels).tolist()) <= set(range(classes)):
        raise ValueError("a label names no class")
    right = np.eye(classes)[np.array(labels)]
    per_class = np.ones(classes) if class_weight is None else np.array(class_weight, dtype=float)
    share = (right @ per_class) / (right @ per_class).sum()
    total = np.logaddexp.reduce(z, axis=1)
    loss = share @ (total - (right * z).sum(axis=1))
    return loss, share[:, None] * (np.exp(z - total[:, None]) - right)


def row_after_row(logits, labels, class_weight=None):
    """Accepted: loops over rows, weights divided at the end."""
    losses, gradients, counts = [], [], []
    for row, label in zip(logits, labels, strict=True):
        if label < 0 or label > len(row) - 1:
            raise ValueError(f"label {label}")
        top = max(row)
        powers = [math.exp(v - top) for v in row]
        c = 1.0 if class_weight is None else class_weight[label]
        counts.append(c)
        losses.append(c * (top + math.log(sum(powers)) - row[label]))
        gradients.append([c * (e / sum(powers) - (1 if j == label else 0)) for j, e in enumerate(powers)])
    return sum(losses) / sum(counts), np.array(gradients) / sum(counts)


EXERCISE = Exercise(
    id="softmax_gradient",
    title="Softmax cross-entropy and its gradient",
    minutes=20,
    difficulty="medium",
    feeds="07",
    week="1-2",
    hints=(
        "Write the loss of one row as a difference of two terms, with the log already taken. Derive that.",
        "Softmax stays the same when a whole row is shifted; shift each so that its largest logit is 0.",
        "log p = shifted - log(sum of exp(shifted)); gradient of a row: p, less 1 at the right class.",
        "Weights multiply loss and gradient of a row; both are divided by the sum of the rows' weights.",
    ),
    cases=cases,
    expect=by_ratios,
    agree=close(rtol=1e-7, atol=1e-12),
    mutants=(
        Mutant(
            "not-shifted",
            "The exponentials were taken of the logits as they are: at 1000 they overflow, at -2000 they vanish.",
            swaps=(("logits - logits.max(axis=1, keepdims=True)", "logits"),),
        ),
        Mutant(
            "shifted-by-one-maximum",
            "One maximum was taken of the whole batch, so the low rows vanish. Each row has its own.",
            swaps=(("logits.max(axis=1, keepdims=True)", "logits.max()"),),
        ),
        Mutant(
            "log-of-probability",
            "The probability was computed first and its log taken afterwards: once it is rounded to 0 the loss is "
            "infinite.",
            swaps=(
                (
                    "log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))",
                    "log_p = np.log(np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True))",
                ),
            ),
        ),
        Mutant(
            "gradient-not-averaged",
            "The loss is a mean, but the gradient was that of the sum.",
            swaps=(("gradient * weight[:, None] / weight.sum()", "gradient * weight[:, None]"),),
        ),
        Mutant(
            "weights-left-out-of-the-gradient",
            "The class weights are in the loss but not in its gradient.",
            swaps=(("gradient * weight[:, None] / weight.sum()", "gradient / n"),),
        ),
        Mutant(
            "divided-by-rows",
            "The weighted sums were divided by the number of rows. Divide by the sum of the weights.",
            swaps=(
                ("labels]).sum() / weight.sum()", "labels]).sum() / n"),
                ("[:, None] / weight.sum()", "[:, None] / n"),
            ),
        ),
        Mutant(
            "gradient-reversed",
            "The sign of the gradient is turned: p - onehot raises the loss, its negative is the way down.",
            swaps=(("gradient * weight", "-gradient * weight"),),
        ),
        Mutant(
            "right-class-only",
            "Only the right class got a gradient. Raising any other logit lowers the right probability too.",
            swaps=(
                (
                    "    gradient[rows, labels] -= 1\n",
                    "    gradient -= 1\n    gradient[np.arange(k) != labels[:, None]] = 0\n",
                ),
            ),
        ),
        Mutant(
            "negative-labels-taken",
            "A label of -1 was read as the last class. It often means unknown: raise ValueError.",
            swaps=(("labels.min() < 0 or labels.max() >= k", "labels.max() >= k"),),
        ),
    ),
    accepted=(one_hot_table, row_after_row),
)
