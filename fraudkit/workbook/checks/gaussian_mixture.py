"""Gaussian mixture by EM: responsibilities by log-sum-exp, weighted covariances, a floor, a likelihood that rises."""

from __future__ import annotations

from importlib import import_module

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_scipy(X, weights, means, covariances, steps, floor=1e-6):
    """The oracle: scipy's multivariate normal log density and logsumexp, and np.cov with weights for the covariances."""
    normal = import_module("scipy.stats").multivariate_normal
    logsumexp = import_module("scipy.special").logsumexp
    X = np.asarray(X, dtype=float)
    weights, means = np.asarray(weights, dtype=float), np.asarray(means, dtype=float)
    covariances, likelihoods, d = np.asarray(covariances, dtype=float), [], X.shape[1]

    def joint():
        found = [normal(m, c).logpdf(X).reshape(-1) for m, c in zip(means, covariances, strict=True)]
        return np.log(weights)[:, None] + np.array(found)

    for _ in range(steps):
        log_joint = joint()
        total = logsumexp(log_joint, axis=0)
        likelihoods.append(total.mean())
        shares = np.exp(log_joint - total)
        means = np.array([np.average(X, axis=0, weights=share) for share in shares])
        covariances = np.array(
            [np.cov(X.T, aweights=share, ddof=0).reshape(d, d) + floor * np.eye(d) for share in shares]
        )
        weights = shares.mean(axis=1)
    likelihoods.append(logsumexp(joint(), axis=0).mean())
    return weights, means, covariances, np.array(likelihoods)


def start(rng: np.random.Generator, X: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, means and covariances to begin with."""
    d = X.shape[1]
    return np.full(k, 1 / k), X[rng.choice(len(X), k, replace=False)], np.array([np.cov(X.T).reshape(d, d)] * k)


def cases(rng: np.random.Generator) -> list[Case]:
    """One column first, then each point, then random groups."""
    line = np.array([[0.0], [1.0], [2.0], [7.0], [9.0]])
    half, two, ones = np.array([0.5, 0.5]), np.array([[1.0], [8.0]]), np.array([[[1.0]], [[1.0]]])
    plane = np.array([[0.0, 0.0], [1.0, 2.0], [2.0, 3.0], [8.0, 1.0], [9.0, 0.0], [7.0, 2.5]])
    eyes = np.array([np.eye(2), np.eye(2)])
    found = [
        Case("one step, as lists", ([[0], [2], [8], [10]], [0.5, 0.5], [[1], [9]], [[[1]], [[1]]], 1)),
        Case(
            "no step",
            (line, np.array([0.3, 0.7]), two, ones, 0),
            why="nothing is learnt, but the likelihood of the start is still returned",
        ),
        Case(
            "unequal weights",
            (line, np.array([0.9, 0.1]), np.array([[3.0], [5.0]]), np.array([[[4.0]], [[9.0]]]), 1),
            why="a component's share of a row is its weight times its density, over the sum of these",
        ),
        Case(
            "columns that go together",
            (plane, half, np.array([[1.0, 1.5], [8.0, 1.0]]), eyes, 2),
            why="the covariances are full matrices around the new means, not variances alone",
        ),
        Case(
            "far from both components",
            (line * 100, half, np.array([[0.0], [1000.0]]), ones, 1),
            why="both densities are 0 in floating point there; only their logarithms can still be compared",
        ),
        Case(
            "a component for one payment",
            (np.array([[0.0], [0.5], [1.0], [50.0]]), half, np.array([[0.5], [50.0]]), ones, 3),
            {"floor": 1e-3},
            why="the variance of one row is 0 and its likelihood infinite; the floor on the diagonal keeps it finite",
        ),
        Case("one component", (plane, np.array([1.0]), plane[:1], eyes[:1], 2)),
        Case("a large floor", (plane, half, plane[[0, 3]], eyes, 1), {"floor": 2.0}),
        Case(
            "many columns",
            (rng.normal(size=(30, 8)) * 50, half, rng.normal(size=(2, 8)), np.array([np.eye(8) * 100] * 2), 2),
            {"floor": 1.0},
        ),
        Case("weights that do not sum to one", (line, np.array([0.5, 0.6]), two, ones, 1), raises="ValueError"),
    ]
    for n, d, k, steps in ((30, 1, 2, 5), (50, 2, 3, 8), (40, 3, 2, 4)):
        home = rng.normal(size=(k, d)) * 4
        X = home[rng.integers(0, k, n)] + rng.normal(size=(n, d)) * rng.uniform(0.5, 2.0, d)
        found.append(Case(f"{k} groups in {d} columns, {steps} steps", (X, *start(rng, X, k), steps), {"floor": 1e-2}))
    return found


def by_cholesky(X, weights, means, covariances, steps, floor=1e-6):
    """Accepted: densities by Cholesky factors; shifted by the largest joint log density of each row."""
    X, w = np.array(X, dtype=np.float64), np.array(weights, dtype=np.float64)
    if abs(w.sum() - 1) > 1e-9 or (w <= 0).any():
        raise ValueError("weights")
    m, c = np.array(means, dtype=np.float64), np.array(covariances, dtype=np.float64)
    n, d = X.shape

    def expectation():
        logs = np.empty((n, len(w)))
        for j in range(len(w)):
            factor = np.linalg.cholesky(c[j])
            z = np.linalg.solve(factor, (X - m[j]).T)
            logs[:, j] = np.log(w[j]) - (z * z).sum(0) / 2 - np.log(np.diag(factor)).sum() - d / 2 * np.log(2 * np.pi)
        top = logs.max(1, keepdims=True)
        scaled = np.exp(logs - top)
        total = scaled.sum(1, keepdims=True)
        return scaled / total, float((top + np.log(total)).mean())

    shares, value = expectation()
    history = [value]
    for _ in range(steps):
        mass = shares.sum(0)
        w, m = mass / n, (shares.T @ X) / mass[:, None]
        for j in range(len(mass)):
            centred = X - m[j]
            c[j] = (centred.T * shares[:, j]) @ centred / mass[j]
            c[j][np.diag_indices(d)] += floor
        shares, value = expectation()
        history.append(value)
    return w, m, c, history


def by_einsum(X, weights, means, covariances, steps, floor=1e-6):
    """Accepted: all components at once with inverses, determinants and einsum."""
    X = np.asarray(X, dtype=float)
    weights, means, covariances = (np.asarray(part, dtype=float) for part in (weights, means, covariances))
    if not np.isclose(np.sum(weights), 1.0):
        raise ValueError(f"weights sum to {np.sum(weights)}")
    d = X.shape[1]
    values = []
    for step in range(steps + 1):
        away = X[None] - means[:, None]
        squares = np.einsum("kni,kij,knj->kn", away, np.linalg.inv(covariances), away)
        _, log_det = np.linalg.slogdet(2 * np.pi * covariances)
        joint = np.log(weights)[:, None] - (squares + log_det[:, None]) / 2
        evidence = np.logaddexp.reduce(joint, axis=0)
        values.append(np.mean(evidence))
        if step == steps:
            break
        r = np.exp(joint - evidence)
        r_sum = r.sum(axis=1)
        weights, means = r_sum / len(X), np.einsum("kn,ni->ki", r, X) / r_sum[:, None]
        away = X[None] - means[:, None]
        covariances = np.einsum("kn,kni,knj->kij", r, away, away) / r_sum[:, None, None] + floor * np.eye(d)
    return weights, means, covariances, np.array(values)


EXERCISE = Exercise(
    id="gaussian_mixture",
    title="Gaussian mixture by EM",
    minutes=40,
    difficulty="hard",
    feeds="12",
    week="3-4",
    hints=(
        "Two questions in turn: given the components, how likely did each one make each row? Given those shares, which components fit?",
        "E: log weight plus log density, a table (k, n); subtract its log-sum-exp over the components and take exp: the shares.",
        "M: a component's rows count by their shares: weighted mean, then the weighted covariance around the new mean plus the "
        "floor on its diagonal; its weight is its mean share.",
        "Log density: −(d·log 2π + log det C + (x − m)ᵀC⁻¹(x − m)) / 2, with `np.linalg.slogdet` and `np.linalg.solve`.",
    ),
    cases=cases,
    expect=by_scipy,
    agree=close(1e-5, 1e-8),
    mutants=(
        Mutant(
            "densities-not-logarithms",
            "Densities were divided as they are. Far from all components that is 0 / 0: work with logarithms and log-sum-exp.",
            swaps=(("total = np.logaddexp.reduce(joint, axis=0)", "total = np.log(np.exp(joint).sum(axis=0))"),),
        ),
        Mutant(
            "hard-assignment",
            "Each row was given to its most likely component. EM shares it out by its chances; this is nearer to k-means.",
            swaps=(("shares = np.exp(joint - total)", "shares = (joint == joint.max(axis=0)).astype(float)"),),
        ),
        Mutant(
            "weights-left-out-of-shares",
            "The shares used the densities alone. A common component makes a row more likely than a rare one.",
            swaps=(
                (
                    "np.log(weights)[:, None] + log_densities(X, means, covariances)\n        total",
                    "log_densities(X, means, covariances)\n        total",
                ),
            ),
        ),
        Mutant(
            "spread-around-old-means",
            "The covariances were taken around the means of the last step. The M step uses the new ones.",
            swaps=(
                (
                    "        means = shares @ X / mass[:, None]\n        away = X[None] - means[:, None]\n",
                    "        away = X[None] - means[:, None]\n        means = shares @ X / mass[:, None]\n",
                ),
            ),
        ),
        Mutant(
            "divided-by-all-rows",
            "The covariance of a component was divided by n. Its rows weigh as much as the sum of its shares.",
            swaps=((" / mass[:, None, None]", " / len(X)"),),
        ),
        Mutant(
            "floor-forgotten",
            "Without a floor on the diagonal a component may shrink onto one row, and its likelihood goes to infinity.",
            swaps=((" + floor * np.eye(X.shape[1])", " + 1e-12 * np.eye(X.shape[1])"),),
        ),
        Mutant(
            "variances-only",
            "Only the variances were kept. The question asks for full covariances: columns may go together within a component.",
            swaps=(
                (
                    "        covariances = spread / mass",
                    "        spread = spread * np.eye(X.shape[1])\n        covariances = spread / mass",
                ),
            ),
        ),
        Mutant(
            "last-likelihood-missing",
            "The likelihood after the last step is missing: steps + 1 values are asked for, the start included.",
            swaps=(
                (
                    "return weights, means, covariances, np.array([*history, total.mean()])",
                    "return weights, means, covariances, np.array(history)",
                ),
            ),
        ),
        Mutant(
            "two-pi-forgotten",
            "The likelihood lacks the factor (2π)^(−d/2). The shares do not see it, but the value is wrong.",
            swaps=(("X.shape[1] * np.log(2 * np.pi) + ", ""),),
        ),
    ),
    accepted=(by_cholesky, by_einsum),
)
