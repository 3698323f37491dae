"""Focal loss: exact first and second derivatives by the raw score, for both classes, finite far out."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant
from fraudkit.workbook.shrink import rows

STEP = 1e-3


def by_differences(y, z, gamma=2.0, alpha=0.5):
    """The oracle: numerical differences of the loss, the first along the imaginary axis, the second of five points."""
    y, z = np.asarray(y), np.asarray(z, dtype=float)
    ahead = {k: _slope(y, z + k * STEP, gamma, alpha) for k in (-2, -1, 1, 2)}
    second = (8 * (ahead[1] - ahead[-1]) - (ahead[2] - ahead[-2])) / (12 * STEP)
    return _slope(y, z, gamma, alpha), second


def _slope(y: np.ndarray, z: np.ndarray, gamma: float, alpha: float) -> np.ndarray:
    """The derivative of each row's loss: the imaginary part of the loss a tiny step off the real axis."""
    tiny = 1e-30
    towards = np.where(y == 1, 1, -1) * (z + 1j * tiny)
    a = np.where(y == 1, alpha, 1 - alpha)
    return np.asarray((a * np.exp(-gamma * _softplus(towards)) * _softplus(-towards)).imag / tiny)


def _softplus(z: np.ndarray) -> np.ndarray:
    """ln(1 + exp(z)) of complex numbers, by the side on which exp does not overflow."""
    positive = z.real > 0
    return np.where(positive, z, 0) + np.log1p(np.exp(np.where(positive, -z, z)))


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones."""
    found = [
        Case("a fraud and a genuine payment, undecided", ([1, 0], [0.0, 0.0])),
        Case("a fraud in its place, and one badly missed", ([1, 1], [2.0, -3.0])),
        Case("a genuine payment in its place, and one that alarms", ([0, 0], [-2.0, 3.0])),
        Case("gamma 0", ([1, 0, 1], [0.5, 1.5, -1.0], 0.0), why="without focus this is the log loss, halved by alpha"),
        Case("alpha 0.9", ([1, 0], [0.4, 0.4], 2.0, 0.9), why="alpha weighs the frauds, 1 - alpha the others"),
        Case("gamma 1.5", (np.array([0, 1]), np.float32([0.7, 0.7]), 1.5)),
        Case(
            "scores of 800",
            ([1, 0, 1, 0], [800.0, 800.0, -800.0, -800.0]),
            why="exp(800) overflows and ln(0) times 0 is NaN; work with logaddexp",
        ),
        Case("no rows", (np.array([], dtype=int), np.array([]))),
        Case("gamma below 0", ([1], [0.0], -1.0), raises="ValueError"),
        Case("alpha of 1", ([1], [0.0], 2.0, 1.0), raises="ValueError", why="one class would not be learnt at all"),
        Case("labels -1 and 1", ([-1, 1], [0.0, 0.0]), raises="ValueError"),
    ]
    for n, gamma, alpha in ((6, 3.0, 0.25), (50, 2.0, 0.75)):
        labels = np.append(rng.integers(0, 2, n - 2), [0, 1])
        found.append(Case(f"{n} payments", (labels, np.round(rng.normal(0, 3, n), 2), gamma, alpha)))
    return found


def class_by_class(y, z, gamma=2.0, alpha=0.5):
    """Accepted: the derivation carried out for frauds and for genuine payments apart, one row at a time."""
    if gamma < 0 or alpha <= 0 or alpha >= 1 or set(np.asarray(y).tolist()) - {0, 1}:
        raise ValueError("gamma, alpha or a label is out of range")
    first, second = [], []
    for label, score in zip(y, z, strict=True):
        score = float(score)
        small = math.exp(-abs(score))
        p, not_p = (1 / (1 + small), small / (1 + small))[:: 1 if score >= 0 else -1]
        log_p = min(score, 0.0) - math.log1p(small)
        log_not_p = min(-score, 0.0) - math.log1p(small)
        if label == 1:
            wrong, right, log_right, weight, sign = not_p, p, log_p, alpha, 1
        else:
            wrong, right, log_right, weight, sign = p, not_p, log_not_p, 1 - alpha, -1
        focus = weight * wrong**gamma
        inner = gamma * right * log_right - wrong
        first.append(sign * focus * inner)
        slope_of_inner = right * wrong * (gamma * log_right + gamma + 1)
        second.append(focus * slope_of_inner - gamma * right * focus * inner)
    return np.array(first), np.array(second)


def product_rule(y, z, gamma=2.0, alpha=0.5):
    """Accepted: the focus and the log loss as two functions of t = s·z, with their own derivatives."""
    y = np.asarray(y, dtype=float)
    if gamma < 0 or not 0 < alpha < 1 or ((y != 0) & (y != 1)).any():
        raise ValueError("out of range")
    s = 2 * y - 1
    t = s * np.asarray(z, dtype=float)
    log_q = np.minimum(-t, 0) - np.log1p(np.exp(-np.abs(t)))
    q = np.exp(log_q)
    loss = log_q + t  # ln of the right class's probability
    loss, p = -loss, 1 - q
    p = np.where(t < 0, np.exp(np.minimum(t, 0)) / (1 + np.exp(np.minimum(t, 0))), p)
    focus = np.exp(gamma * log_q)
    d_focus, d_loss = -gamma * p * focus, -q
    dd_focus, dd_loss = gamma * focus * p * (gamma * p - q), p * q
    a = y * alpha + (1 - y) * (1 - alpha)
    return a * s * (d_focus * loss + focus * d_loss), a * (dd_focus * loss + 2 * d_focus * d_loss + focus * dd_loss)


EXERCISE = Exercise(
    id="focal_loss",
    title="Focal loss for boosted trees",
    minutes=30,
    difficulty="hard",
    feeds="07",
    week="7-8",
    hints=(
        "With s = 1 for a fraud and -1 for a genuine payment, both classes are one function of s·z.",
        "Let r = 1 - q, the probability of the right class. dr/dz = s·r·q and dq/dz = -s·r·q; apply the product rule to "
        "q^gamma · ln r.",
        "Gradient: s·a·q^g·(g·r·ln r - q). Differentiate that once more. ln r = -logaddexp(0, -s·z).",
    ),
    cases=cases,
    expect=by_differences,
    agree=close(rtol=1e-6, atol=1e-9),
    mutants=(
        Mutant(
            "focus-on-the-easy",
            "The factor is the right class's probability to the power of gamma, so the easy rows count most.",
            swaps=(("a * q**gamma", "a * right**gamma"),),
        ),
        Mutant(
            "by-the-probability",
            "This is the derivative by p. The trees add to the raw score z: multiply by dp/dz = p(1 - p).",
            swaps=(
                (
                    "    return gradient, hessian",
                    "    slope = np.maximum(right * q, 1e-300)\n    return gradient / slope, hessian / slope**2",
                ),
            ),
        ),
        Mutant(
            "log-loss-hessian",
            "The Hessian is that of the log loss times the factor. The factor changes with z too: the product rule.",
            swaps=(("(q * (gamma * log_right + 2 * gamma + 1) - gamma**2 * right * log_right)", "q"),),
        ),
        Mutant(
            "factor-held-constant",
            "The factor q^gamma was treated as a constant weight in the gradient. It depends on z as well.",
            swaps=(("(gamma * right * log_right - q)", "-q"),),
        ),
        Mutant(
            "alpha-for-all",
            "Every row was weighed by alpha. Genuine payments have the weight 1 - alpha.",
            swaps=(("np.where(y == 1, alpha, 1 - alpha)", "alpha"),),
        ),
        Mutant(
            "frauds-only",
            "The sign of the genuine payments is lost, so their scores are pushed upwards like those of frauds.",
            swaps=(("np.where(y == 1, 1.0, -1.0)", "np.ones(len(y))"),),
        ),
        Mutant(
            "overflows",
            "At a score of 800 the probability is 0 in floating point, and its logarithm minus infinity.",
            swaps=(("-np.logaddexp(0, -sign * z)\n", "np.log(1 / (1 + np.exp(-sign * z)))\n"),),
        ),
        Mutant(
            "hessian-clipped",
            "Negative values of the Hessian were cut off. That is for the training loop to decide; the exact one was asked.",
            swaps=(("return gradient, hessian", "return gradient, np.maximum(hessian, 1e-6)"),),
        ),
        Mutant(
            "gamma-not-checked",
            "A gamma below 0, an alpha outside of (0, 1) or a label of -1 was taken. Raise ValueError.",
            swaps=(("if gamma < 0 or not 0 < alpha < 1 or not np.isin(y, (0, 1)).all():", "if False:"),),
        ),
    ),
    accepted=(class_by_class, product_rule),
    shrink=rows(0, 1, noun="payments"),
)
