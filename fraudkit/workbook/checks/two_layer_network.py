"""Forward and backward pass of a small network: every gradient against the derivative of the loss itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant

STEP = 1e-30


def by_complex_step(params, X, y):
    """The oracle: the loss alone, each parameter nudged by an imaginary step, exact where differences are not."""
    values = {name: np.asarray(value, dtype=complex) for name, value in params.items()}
    X, y = np.asarray(X, dtype=float), np.asarray(y, dtype=float)
    gradients = {}
    for name, value in values.items():
        gradient = np.zeros(value.shape)
        for place in np.ndindex(value.shape):
            nudged = value.copy()
            nudged[place] += 1j * STEP
            gradient[place] = _loss({**values, name: nudged}, X, y).imag / STEP
        gradients[name] = gradient
    return float(_loss(values, X, y).real), gradients


def _loss(params: dict[str, np.ndarray], X: np.ndarray, y: np.ndarray) -> Any:
    """The mean cross-entropy; a comparison looks at the real part."""
    before = X @ params["W1"] + params["b1"]
    z = (np.where(before.real > 0, before, 0) @ params["W2"])[:, 0] + params["b2"][0]
    right = np.where(y == 1, z, -z)  # large when the score is on the label's side
    far = np.exp(np.where(right.real > 0, -right, right))
    return np.mean(np.log(1 + far) + np.where(right.real > 0, 0, -right))


def _params(rng: np.random.Generator, d: int, h: int) -> dict[str, np.ndarray]:
    shapes = {"W1": (d, h), "b1": (h,), "W2": (h, 1), "b2": (1,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def cases(rng: np.random.Generator) -> list[Case]:
    """One row, several rows, the kink, confident mistakes, bad input, then random ones."""
    tiny = {"W1": [[1.0, -1.0]], "b1": [0.5, 0.25], "W2": [[2.0], [3.0]], "b2": [-1.0]}
    flat = {
        "W1": np.array([[1.0, 2.0]]),
        "b1": np.array([-1.0, 0.5]),
        "W2": np.array([[1.5], [-1.0]]),
        "b2": np.zeros(1),
    }
    loud = {"W1": np.eye(2), "b1": np.zeros(2), "W2": np.array([[1000.0], [-1000.0]]), "b2": np.zeros(1)}
    one, pair = np.array([[2.0]]), np.array([[2.0], [-0.1]])
    drawn = _params(rng, 3, 4)
    X = rng.normal(size=(6, 3))
    y = np.array([1, 0, 0, 1, 0, 1])
    found = [
        Case("one payment, as lists", (tiny, [[2.0]], [1])),
        Case(
            "two payments",
            (tiny, pair, np.array([1, 0])),
            why="the loss is a mean over rows: the gradients carry 1/n, and a bias gradient is summed over the batch",
        ),
        Case(
            "the same payments twice",
            (tiny, np.vstack([pair, pair]), np.array([1, 0, 1, 0])),
            why="a mean does not change when every row is there twice",
        ),
        Case(
            "a hidden unit at exactly zero",
            (flat, np.array([[1.0], [0.3]]), np.array([0, 1])),
            why="the derivative of ReLU at 0 is 0 in this question, and the mask comes from the forward pass",
        ),
        Case(
            "confident mistakes",
            (loud, np.eye(2), np.array([0, 1])),
            why="the probability is 0 or 1 to the last digit; compute the loss from the score before the sigmoid",
        ),
        Case("confident and right", (loud, np.eye(2), np.array([1, 0])), why="exp(1000) overflows, 0·ln 0 is NaN"),
        Case("labels as booleans", (drawn, X, y.astype(bool))),
        Case("no payments", (tiny, np.zeros((0, 1)), np.zeros(0)), raises="ValueError"),
        Case("one label too many", (tiny, one, np.array([0, 1])), raises="ValueError"),
    ]
    for n, d, h in ((8, 2, 5), (25, 4, 6)):
        y = (np.arange(n) % 4 == 0).astype(int)
        found.append(Case(f"{n} payments, {d} features, {h} units", (_params(rng, d, h), rng.normal(size=(n, d)), y)))
    return found


def row_by_row(params, X, y):
    """Accepted: the chain rule for one row at a time, gradients added up."""
    import math

    P = {name: np.array(value, dtype=float) for name, value in params.items()}
    if len(X) != len(y) or not len(X):
        raise ValueError("rows and labels must be as many, and some")
    total, sums = 0.0, {name: np.zeros_like(value) for name, value in P.items()}
    for row, label in zip(np.array(X, dtype=float), y, strict=True):
        a = row @ P["W1"] + P["b1"]
        h = a * (a > 0)
        z = float(h @ P["W2"][:, 0] + P["b2"][0])
        label = float(label)
        total += max(z, 0) - label * z + math.log1p(math.exp(-abs(z)))
        p = 1 / (1 + math.exp(-z)) if z > -30 else math.exp(max(z, -745))
        error = p - label
        sums["b2"] += error
        sums["W2"][:, 0] += error * h
        back = error * P["W2"][:, 0] * (a > 0)
        sums["b1"] += back
        sums["W1"] += np.outer(row, back)
    return total / len(y), {name: value / len(y) for name, value in sums.items()}


def with_logaddexp(params, X, y):
    """Accepted: signs in place of labels, einsum in place of products."""
    X, sign = np.asarray(X, float), 2 * np.asarray(y, float).ravel() - 1
    if X.shape[0] != sign.size or sign.size == 0:
        raise ValueError("empty or of different lengths")
    W1, b1 = np.asarray(params["W1"], float), np.asarray(params["b1"], float)
    W2, b2 = np.asarray(params["W2"], float), np.asarray(params["b2"], float)
    hidden = np.clip(np.einsum("nd,dh->nh", X, W1) + b1, 0, None)
    margin = sign * (hidden @ W2 + b2).ravel()
    loss = np.logaddexp(0, -margin).mean()
    slope = -sign * np.exp(-np.logaddexp(0, margin)) / sign.size
    upstream = slope[:, None] * W2.ravel() * (hidden > 0)
    return loss, {
        "W1": np.einsum("nd,nh->dh", X, upstream),
        "b1": np.einsum("nh->h", upstream),
        "W2": (slope @ hidden)[:, None],
        "b2": np.array([slope.sum()]),
    }


EXERCISE = Exercise(
    id="two_layer_network",
    title="Loss and gradients of a two-layer network",
    minutes=35,
    difficulty="hard",
    feeds="07",
    week="3-4",
    hints=(
        "Write the forward pass with the shape beside each line. The backward pass is the same lines in reverse order.",
        "Sigmoid and cross-entropy together: the derivative of the mean loss by z, before the sigmoid, is (p - y) / n.",
        "ReLU passes the gradient where its input was above 0. A bias gradient is the sum over the batch.",
        "The loss from z without overflow: max(z, 0) - y·z + log1p(exp(-|z|)).",
    ),
    cases=cases,
    expect=by_complex_step,
    agree=close(1e-6, 1e-10),
    mutants=(
        Mutant(
            "not-a-mean",
            "The gradients are those of the sum of the losses; the loss is a mean, so each carries 1/n.",
            swaps=(("dz = (p - y) / n", "dz = p - y"),),
        ),
        Mutant(
            "mask-from-gradient",
            "The ReLU mask was taken from the gradient that arrives. It belongs to the forward pass: "
            "on where the input was above 0.",
            swaps=(("(before > 0)", "(dhidden > 0)"),),
        ),
        Mutant(
            "no-mask",
            "The gradient went through ReLU as if it were not there. Units that were off pass nothing back.",
            swaps=(("dbefore = dhidden * (before > 0)", "dbefore = dhidden"),),
        ),
        Mutant(
            "on-at-zero",
            "At exactly 0 the derivative of ReLU is 0 in this question; your mask includes 0.",
            swaps=(("(before > 0)", "(before >= 0)"),),
        ),
        Mutant(
            "sigmoid-derived-twice",
            "The factor p(1 - p) is cancelled by the cross-entropy already: the derivative by the score is p - y.",
            swaps=(("dz = (p - y) / n", "dz = (p - y) * p * (1 - p) / n"),),
        ),
        Mutant(
            "bias-averaged",
            "The bias gradients were averaged over the batch although 1/n is in already. Sum them.",
            swaps=(
                ('"b1": dbefore.sum(axis=0)', '"b1": dbefore.mean(axis=0)'),
                ('"b2": dz.sum(axis=0)', '"b2": dz.mean(axis=0)'),
            ),
        ),
        Mutant(
            "log-of-zero",
            "ln p of a probability that has rounded to 0 is infinite. Compute the loss from z, before the sigmoid.",
            swaps=(
                (
                    "np.mean(np.maximum(z, 0.0) - y * z + np.log1p(np.exp(-np.abs(z))))",
                    "-np.mean(y * np.log(1 / (1 + np.exp(-z))) + (1 - y) * np.log(1 - 1 / (1 + np.exp(-z))))",
                ),
            ),
        ),
        Mutant(
            "labels-broadcast",
            "Labels of shape (n,) against scores of shape (n, 1) make a table of n by n. Give the labels shape (n, 1).",
            swaps=(("np.asarray(y, dtype=float).reshape(-1, 1)", "np.asarray(y, dtype=float)"),),
        ),
    ),
    accepted=(row_by_row, with_logaddexp),
)
