"""Platt scaling: smoothed targets, both parameters, and a fit that has converged."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant
from fraudkit.workbook.shrink import rows


def by_scipy(z, y):
    """The oracle: SciPy's solver sets the two derivatives of the log loss to zero, from SciPy's minimum of the loss."""
    from scipy.optimize import minimize, root

    z, y = np.asarray(z, dtype=float), np.asarray(y)
    frauds = int((y == 1).sum())
    high, low = (frauds + 1) / (frauds + 2), 1 / (len(y) - frauds + 2)
    target = np.array([high if label == 1 else low for label in y])
    unit = np.abs(z).max()

    def loss(b):
        raw = b[0] * z / unit + b[1]
        return np.logaddexp(0, raw).sum() - target @ raw

    def slopes(b):
        over = np.exp(-np.logaddexp(0, -(b[0] * z / unit + b[1]))) - target
        return np.array([over @ z / unit, over.sum()])

    start = minimize(loss, np.zeros(2), jac=slopes, method="BFGS").x
    found = root(slopes, start, tol=1e-13).x
    return float(found[0] / unit), float(found[1])


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones."""
    found = [
        Case("six payments", ([-2, -1, 0, 1, 2, 3], [0, 0, 1, 0, 1, 1])),
        Case(
            "a week that separates",
            (np.array([-3.0, -2.0, -1.0, 1.0, 2.0]), np.array([0, 0, 0, 1, 1])),
            why="with targets of 0 and 1 the slope would grow for ever; the smoothed ones keep it finite",
        ),
        Case("one fraud in six", ([-4.0, -3.0, -2.5, -2.0, -3.5, -1.0], [0, 0, 0, 0, 1, 0])),
        Case("no fraud at all", ([-1.0, 0.0, 2.0], [0, 0, 0]), why="all targets are the same: slope 0"),
        Case("scores that rank the wrong way", ([3.0, 2.0, 1.0, -1.0], [0, 0, 1, 1])),
        Case(
            "scores in thousandths, far from 0",
            (5 + np.array([0.001, 0.002, 0.003, 0.004, 0.005]), np.array([0, 1, 0, 1, 1])),
            why="the fit must converge whatever the unit of the score: scale it, or take Newton steps",
        ),
        Case("all scores equal", ([1.0, 1.0, 1.0], [0, 1, 0]), raises="ValueError", why="no slope can be told"),
        Case("no rows", ([], []), raises="ValueError"),
        Case("lengths differ", ([1.0, 2.0, 3.0], [0, 1]), raises="ValueError"),
        Case("labels 1 and 2", ([1.0, 2.0, 3.0], [1, 2, 1]), raises="ValueError"),
    ]
    for n, slope in ((40, 0.7), (200, 1.5)):
        z = np.round(rng.normal(-1, 2, n), 3)
        y = (rng.random(n) < 1 / (1 + np.exp(-slope * z + 1))).astype(int)
        y[:2] = 0, 1
        found.append(Case(f"{n} payments", (z, y)))
    return found


def halved_steps(z, y):
    """Accepted: Newton's method on the scores as they are, steps halved until the loss falls."""
    x, y = np.array(z, dtype=float), np.array(y)
    if x.shape != y.shape or x.size == 0 or np.ptp(x) == 0 or not set(y.tolist()) <= {0, 1}:
        raise ValueError("scores and labels do not fit")
    middle = np.median(x)
    x = x - middle
    ones = int(y.sum())
    t = np.where(y > 0, (ones + 1.0) / (ones + 2.0), 1.0 / (y.size - ones + 2.0))

    def loss(a, b):
        return float((np.logaddexp(0, a * x + b) - t * (a * x + b)).sum())

    a, b = 0.0, float(np.log(t.mean() / (1 - t.mean())))
    for _ in range(200):
        p = np.exp(-np.logaddexp(0, -(a * x + b)))
        w = p * (1 - p)
        g1, g2 = float(((p - t) * x).sum()), float((p - t).sum())
        h11, h12, h22 = float((w * x * x).sum()), float((w * x).sum()), float(w.sum())
        det = h11 * h22 - h12 * h12
        da, db = (h22 * g1 - h12 * g2) / det, (h11 * g2 - h12 * g1) / det
        size = 1.0
        while loss(a - size * da, b - size * db) > loss(a, b) + 1e-12 and size > 1e-8:
            size /= 2
        a, b = a - size * da, b - size * db
        if abs(da) < 1e-11 * (1 + abs(a)) and abs(db) < 1e-11 * (1 + abs(b)):
            break
    return a, b - a * middle


def reweighted_least_squares(z, y):
    """Accepted: iteratively reweighted least squares, on orthonormal columns."""
    z, y = np.asarray(z, dtype=float).ravel(), np.asarray(y, dtype=float).ravel()
    if len(z) != len(y) or len(z) == 0 or (z == z[0]).all() or ((y != 0) & (y != 1)).any():
        raise ValueError
    positives = y.sum()
    t = y * (positives + 1) / (positives + 2) + (1 - y) / (len(y) - positives + 2)
    q, r = np.linalg.qr(np.stack([z - z.mean(), np.ones_like(z)], axis=1))
    coefficients = np.zeros(2)
    for _ in range(60):
        eta = q @ coefficients
        p = 0.5 * (1 + np.tanh(eta / 2))
        root = np.sqrt(np.maximum(p * (1 - p), 1e-12))
        working = root * eta + (t - p) / root
        proposed = np.linalg.lstsq(q * root[:, None], working, rcond=None)[0]
        change = proposed - coefficients
        limit = 3.0 * np.sqrt(len(z))
        coefficients = coefficients + change * min(1.0, limit / (np.linalg.norm(change) + 1e-300))
    slope, constant = np.linalg.solve(r, coefficients)
    return float(slope), float(constant - slope * z.mean())


EXERCISE = Exercise(
    id="platt_scaling",
    title="Platt scaling",
    minutes=25,
    difficulty="medium",
    feeds="07",
    week="7-8",
    hints=(
        "It is a logistic regression with one input and targets that are not quite 0 and 1.",
        "The gradient is the sum of (p - target) times (z, 1), the Hessian that of p(1 - p) times the products. Two unknowns: "
        "Newton converges in about ten steps.",
        "Standardise z first, and limit the size of a step; carry slope and intercept back at the end.",
    ),
    cases=cases,
    expect=by_scipy,
    agree=close(rtol=1e-5, atol=1e-5),
    mutants=(
        Mutant(
            "targets-of-0-and-1",
            "The targets were not smoothed: on a week that separates the slope runs away, and probabilities become 0 and 1.",
            swaps=(("np.where(y == 1, (n_fraud + 1) / (n_fraud + 2), 1 / (n_genuine + 2))", "(y == 1).astype(float)"),),
        ),
        Mutant(
            "targets-of-the-other-class",
            "The counts in the smoothed targets are swapped. Each class is smoothed by its own count.",
            swaps=(
                (
                    "(n_fraud + 1) / (n_fraud + 2), 1 / (n_genuine + 2)",
                    "(n_genuine + 1) / (n_genuine + 2), 1 / (n_fraud + 2)",
                ),
            ),
        ),
        Mutant(
            "sign-of-platt",
            "Slope and intercept have the opposite sign: Platt wrote 1 / (1 + exp(Az + B)). Ours has a minus there.",
            swaps=(
                (
                    "return float(slope), float(beta[1] - slope * centre)",
                    "return -float(slope), -float(beta[1] - slope * centre)",
                ),
            ),
        ),
        Mutant(
            "no-intercept",
            "Only the slope was fitted. Without an intercept a score of 0 is always fifty per cent.",
            swaps=(
                ("centre, spread = z.mean(), z.std()", "centre, spread = 0.0, z.std()"),
                ("np.ones(len(z))]", "np.zeros(len(z))]"),
            ),
        ),
        Mutant(
            "one-step",
            "The fit was stopped after one step. Go on until the step is negligible.",
            swaps=(("range(100)", "range(1)"),),
        ),
        Mutant(
            "standardised-left",
            "The slope is that of the standardised score. Carry both numbers back to the score as it comes.",
            swaps=(("slope = beta[0] / spread", "slope, centre = beta[0], 0.0"),),
        ),
        Mutant(
            "gradient-steps",
            "A hundred steps along the gradient with a fixed rate do not converge to 1e-5. Use the Hessian.",
            swaps=(("np.linalg.solve(hessian + 1e-12 * np.eye(2), gradient)", "0.01 * gradient"),),
        ),
        Mutant(
            "equal-scores-taken",
            "Scores that are all equal were taken: no slope can be told from them. Raise ValueError.",
            swaps=((" or z.min() == z.max()", ""),),
        ),
    ),
    accepted=(halved_steps, reweighted_least_squares),
    shrink=rows(0, 1, noun="payments"),
)
