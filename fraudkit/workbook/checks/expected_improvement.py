"""One step of Bayesian search: Gaussian process posterior, expected improvement for losses, certain points."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def integrated(tried, losses, candidates, length=1.0, spread=1.0, noise=0.01):
    """The oracle: each candidate by the precision matrix of all points, its improvement by quadrature."""
    losses = np.asarray(losses, dtype=float)
    centre, best = losses.mean(), losses.min()
    nodes, weights = np.polynomial.legendre.leggauss(200)
    improvement = []
    for candidate in np.asarray(candidates, dtype=float):
        points = np.vstack([candidate, np.asarray(tried, dtype=float)])
        squared = np.array([[math.fsum((a - b) ** 2) for b in points] for a in points])
        joint = spread**2 * np.exp(-squared / (2 * length**2)) + noise**2 * np.diag([0.0] + [1.0] * len(losses))
        same = [float(loss) for loss, distance in zip(losses, squared[0, 1:], strict=True) if distance == 0]
        if noise == 0 and same:
            improvement.append(max(best - same[0], 0.0))
            continue
        precision = np.linalg.inv(joint)
        sigma = precision[0, 0] ** -0.5
        mean = centre - precision[0, 1:] @ (losses - centre) / precision[0, 0]
        low = min(mean - 12 * sigma, best)
        x = low + (best - low) * (nodes + 1) / 2
        density = np.exp(-(((x - mean) / sigma) ** 2) / 2) / (sigma * math.sqrt(2 * math.pi))
        improvement.append(float((best - low) / 2 * weights @ ((best - x) * density)))
    return np.array(improvement), int(np.argmax(improvement))


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same improvements, and the index of the largest."""
    if not isinstance(got, tuple | list) or len(got) != 2:
        return "the answer should be a tuple of two: the expected improvements and an index"
    if reason := difference(got[0], expected[0], 1e-5, 1e-8):
        return f"expected improvement: {reason}"
    return f"index: {reason}" if (reason := difference(got[1], expected[1], 0.0, 0.0)) else ""


def cases(rng: np.random.Generator) -> list[Case]:
    """On a line, one trial, noise and none, scales, what cannot be, then random trials."""
    line = np.linspace(-1.0, 4.0, 6)[:, None]
    found = [
        Case("two trials on a line", ([[0.0], [2.0]], [1.0, 0.0], [[0.0], [1.0], [2.0], [3.0]])),
        Case(
            "losses far from zero",
            (np.array([[0.0], [1.5], [3.0]]), np.array([100.4, 100.0, 100.9]), line + 0.05),
            why="far from all trials the process expects the mean of the losses, not 0",
        ),
        Case("one trial", (np.array([[1.0]]), np.array([0.3]), np.array([[1.0], [1.4], [5.0]]))),
        Case(
            "without noise, at the trials themselves",
            (np.array([[0.0], [1.0], [2.5]]), np.array([0.5, -0.2, 0.9]), np.array([[0.0], [1.0], [2.5], [1.7]])),
            {"noise": 0.0},
            why="nothing is uncertain there, and rounding may even make the variance negative: 0, not NaN",
        ),
        Case(
            "much noise",
            (np.array([[0.0], [0.1], [2.0]]), np.array([0.0, 1.0, 0.4]), line),
            {"noise": 0.5},
            why="the noise's variance is on the diagonal: the process need not pass through the losses",
        ),
        Case(
            "a short length and a large spread",
            (np.array([[0.0], [1.0], [2.0]]), np.array([1.0, 3.0, 2.0]), line),
            {"length": 0.4, "spread": 2.0},
        ),
        Case(
            "a clear slope",
            (np.array([[0.0], [1.0], [2.0]]), np.array([4.0, 2.0, 0.5]), np.array([[0.5], [2.6], [1.5], [2.1]])),
            {"length": 2.0, "spread": 3.0},
            why="lower is better: the next point lies where losses fall",
        ),
        Case(
            "two settings",
            (np.array([[0, 0], [1, 2], [3, 1]]), np.array([1, 0, 2]), np.array([[1, 1], [2, 2], [0, 2], [5, 5]])),
        ),
        Case("a loss too few", ([[0.0], [1.0]], [1.0], [[0.5]]), raises="ValueError"),
        Case("other dimensions", ([[0.0], [1.0]], [1.0, 2.0], [[0.5, 0.5]]), raises="ValueError"),
        Case("a length of 0", ([[0.0]], [1.0], [[0.5]], 0.0), raises="ValueError"),
        Case("noise below 0", ([[0.0]], [1.0], [[0.5]], 1.0, 1.0, -0.1), raises="ValueError"),
    ]
    for n, d in ((5, 1), (8, 2)):
        tried = rng.permutation(4 * n)[:n, None] / 4 + rng.normal(0, 0.02, (n, d))
        candidates = rng.uniform(-1, n + 1, (12, d))
        found.append(Case(f"{n} trials of {d} settings", (tried, rng.normal(size=n), candidates, 1.2, 0.9, 0.1)))
    return found


def factorised(tried, losses, candidates, length=1.0, spread=1.0, noise=0.01):
    """Accepted: a Cholesky factor, distances by the expanded square, the distribution from statistics."""
    T, C = np.array(tried, dtype=float), np.array(candidates, dtype=float)
    y = np.array(losses, dtype=float)
    if length <= 0 or spread <= 0 or noise < 0 or y.shape != T.shape[:1] or T.shape[-1] != C.shape[-1]:
        raise ValueError("arguments")
    T, C = T / length, C / length

    def kernel(A, B):
        return np.exp(A @ B.T - (A * A).sum(1)[:, None] / 2 - (B * B).sum(1) / 2)

    L = np.linalg.cholesky(kernel(T, T) + (noise / spread) ** 2 * np.eye(y.size))
    reduced = np.linalg.solve(L, kernel(T, C))
    mean = y.mean() + reduced.T @ np.linalg.solve(L, y - y.mean())
    deviation = spread * np.sqrt(np.clip(1 - (reduced**2).sum(0), 0, None))
    found, normal = [], NormalDist()
    for mu, s in zip(mean.tolist(), deviation.tolist(), strict=True):
        better = float(y.min()) - mu
        if s < 1e-6 * spread:
            found.append(max(better, 0.0))
        else:
            found.append(better * normal.cdf(better / s) + s * normal.pdf(better / s))
    return found, found.index(max(found))


def candidate_by_candidate(tried, losses, candidates, length=1.0, spread=1.0, noise=0.01):
    """Accepted: a loop over candidates and an inverse made once."""
    if len(tried) != len(losses) or len(tried[0]) != len(candidates[0]):
        raise ValueError("shapes")
    if not (length > 0 and spread > 0 and noise >= 0):
        raise ValueError("numbers")

    def alike(a, b):
        return spread * spread * math.exp(-(math.dist(a, b) ** 2) / length**2 / 2)

    n, mean_loss = len(losses), sum(losses) / len(losses)
    K = np.array([[alike(a, b) + noise * noise * (i == j) for j, b in enumerate(tried)] for i, a in enumerate(tried)])
    inverse = np.linalg.inv(K)
    pull = inverse @ np.array([loss - mean_loss for loss in losses])
    out = np.zeros(len(candidates))
    for c, point in enumerate(candidates):
        k = np.array([alike(point, tried[i]) for i in range(n)])
        gain = min(losses) - mean_loss - k @ pull
        variance = spread**2 - k @ inverse @ k
        if variance < 1e-12 * spread**2:
            out[c] = gain if gain > 0 else 0.0
            continue
        s = math.sqrt(variance)
        out[c] = gain * math.erfc(-gain / s / math.sqrt(2)) / 2 + s * math.exp(-0.5 * (gain / s) ** 2) / math.sqrt(
            2 * math.pi
        )
    return out, int(out.argmax())


EXERCISE = Exercise(
    id="expected_improvement",
    title="One step of Bayesian search",
    minutes=35,
    difficulty="hard",
    feeds="08",
    week="9-10",
    hints=(
        "Two parts: mean and deviation at each candidate, then the integral of max(best - f, 0) over that normal.",
        "With K of the trials (noise on its diagonal) and k between candidate and trials: "
        "μ = m + k'K⁻¹(y - m), σ² = spread² - k'K⁻¹k.",
        "One `np.linalg.solve` with all candidates as right-hand sides gives K⁻¹k for each.",
        "Losses are minimised, so the improvement is best - f. Keep σ from being negative by rounding, or divided by 0.",
    ),
    cases=cases,
    expect=integrated,
    agree=agree,
    mutants=(
        Mutant(
            "maximises",
            "That is the improvement for a measure that should be high. Losses are low: best is the minimum.",
            swaps=(("gain = losses.min() - mean", "gain = mean - losses.max()"),),
        ),
        Mutant(
            "mean-of-zero",
            "The process was taken to have the mean 0. Far from all trials it expects the mean of the losses.",
            swaps=(("losses.mean() + (losses - losses.mean()) @ weights", "losses @ weights"),),
        ),
        Mutant(
            "noise-left-out",
            "The observations' noise is missing on the diagonal, so the process is forced through every loss.",
            swaps=((" + noise**2 * np.eye(len(tried))", ""),),
        ),
        Mutant(
            "noise-not-squared",
            "The noise is a standard deviation; its square belongs on the diagonal.",
            swaps=(("noise**2 * np.eye", "noise * np.eye"),),
        ),
        Mutant(
            "length-not-squared",
            "The squared distance was divided by the length, not by its square.",
            swaps=(("(2 * length**2)", "(2 * length)"),),
        ),
        Mutant(
            "variance-for-deviation",
            "The variance was used where the standard deviation belongs.",
            swaps=(
                (
                    "np.sqrt(np.maximum(spread**2 - (across.T * weights).sum(axis=0), 0.0))",
                    "np.maximum(spread**2 - (across.T * weights).sum(axis=0), 0.0)",
                ),
            ),
        ),
        Mutant(
            "noise-of-the-candidate-added",
            "The deviation includes the noise of a new observation. The improvement is one of the process itself.",
            swaps=(("np.maximum(spread**2 - (across", "np.maximum(spread**2 + noise**2 - (across"),),
        ),
        Mutant(
            "lowest-mean",
            "Only the mean counted: max(best - μ, 0). The chance of a surprise is what is missing.",
            swaps=(("gain * below + sigma * density", "np.maximum(gain, 0.0)"),),
        ),
        Mutant(
            "probability-of-improvement",
            "That is the probability of an improvement, which is as pleased with a tiny one as with a large one.",
            swaps=(("gain * below + sigma * density", "below"),),
        ),
        Mutant(
            "uncertainty-left-out",
            "The second term, σ·φ(u), is missing, so improvements may even be negative.",
            swaps=(("gain * below + sigma * density", "gain * below"),),
        ),
        Mutant(
            "certain-is-nan",
            "Where nothing is uncertain, 0 was divided by 0.",
            swaps=(
                ("np.where(certain, 1.0, sigma)", "np.where(certain, 0.0, sigma)"),
                (
                    "np.where(certain, np.maximum(gain, 0.0), gain * below + sigma * density)",
                    "gain * below + sigma * density",
                ),
            ),
        ),
        Mutant(
            "smallest-improvement",
            "The index is that of the least promising candidate.",
            swaps=(("np.argmax(improvement)", "np.argmin(improvement)"),),
        ),
    ),
    accepted=(factorised, candidate_by_candidate),
    preload=("numpy", "statistics"),
)
