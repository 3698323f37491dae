"""The gradient of t-SNE's loss, checked against a derivative that knows no formula for it."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_complex_step(P, Y):
    """The oracle: the numerical derivative of the loss, Im L(Y + ih) / h, exact to the last digits."""
    P, Y = np.asarray(P, dtype=float), np.asarray(Y, dtype=float)
    off, h = ~np.eye(len(Y), dtype=bool), 1e-30

    def loss(Z):
        kernel = 1 / (1 + ((Z[:, None] - Z[None]) ** 2).sum(axis=2))
        q = kernel[off] / kernel[off].sum()
        return -(P[off] * np.log(q)).sum()  # less the entropy of P, which does not depend on Y

    gradient = np.empty_like(Y)
    for place in np.ndindex(*Y.shape):
        moved = Y.astype(complex)
        moved[place] += 1j * h
        gradient[place] = loss(moved).imag / h
    return gradient


def affinities(rng: np.random.Generator, n: int) -> np.ndarray:
    """A random symmetric table with an empty diagonal that sums to 1."""
    P = rng.random((n, n)) ** 3
    P = P + P.T
    np.fill_diagonal(P, 0.0)
    return P / P.sum()


def cases(rng: np.random.Generator) -> list[Case]:
    """Three points by hand, then each point, then random pictures."""
    three = np.array([[0.0, 0.4, 0.05], [0.4, 0.0, 0.05], [0.05, 0.05, 0.0]])
    found = [
        Case("three points on a line, as lists", (three.tolist(), [[0], [1], [3]])),
        Case("three points in the plane", (three, np.array([[0.0, 0.0], [2.0, 1.0], [-1.0, 3.0]]))),
        Case(
            "everybody at the same place",
            (three, np.zeros((3, 2))),
            why="all differences are 0 and so is the gradient; nothing is divided by a distance",
        ),
        Case(
            "a pair with no affinity",
            (np.array([[0.0, 0.5, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0]]), np.array([[0.0], [1.0], [1.5]])),
            why="p = 0 does not mean no force: such a pair is pushed apart",
        ),
        Case(
            "far apart",
            (three, np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 90.0]])),
            why="the heavy tail makes the force of far pairs weak: the factor 1 / (1 + d²)",
        ),
        Case("very near", (three, np.array([[0.0, 0.0], [0.01, 0.0], [0.0, 0.02]]))),
        Case("three dimensions", (affinities(rng, 5), rng.normal(size=(5, 3)))),
        Case("tables that do not fit", (three, np.zeros((4, 2))), raises="ValueError"),
        Case(
            "a table that is not symmetric",
            (np.array([[0.0, 0.7], [0.3, 0.0]]), np.array([[0.0], [1.0]])),
            raises="ValueError",
        ),
    ]
    for n, k, spread in ((8, 2, 1.0), (15, 2, 5.0)):
        found.append(Case(f"{n} payments, spread {spread:g}", (affinities(rng, n), spread * rng.normal(size=(n, k)))))
    return found


def pair_by_pair(P, Y):
    """Accepted: a loop over pairs; each adds a force to the one and its opposite to the other."""
    P, Y = np.array(P, dtype=np.float64), np.array(Y, dtype=np.float64)
    n = len(Y)
    if P.shape != (n, n) or np.abs(P - P.T).max() > 1e-9:
        raise ValueError("P")
    pairs = [(i, j) for i in range(n) for j in range(i)]
    kernel = {(i, j): 1 / (1 + (Y[i] - Y[j]) @ (Y[i] - Y[j])) for i, j in pairs}
    total = 2 * sum(kernel.values())
    gradient = np.zeros_like(Y)
    for i, j in pairs:
        force = 4 * (P[i, j] - kernel[i, j] / total) * kernel[i, j] * (Y[i] - Y[j])
        gradient[i] += force
        gradient[j] -= force
    return gradient


def as_a_laplacian(P, Y):
    """Accepted: the forces are a graph Laplacian applied to the picture; attraction and repulsion apart."""
    P, Y = np.asarray(P, float), np.asarray(Y, float)
    if P.shape != (Y.shape[0],) * 2:
        raise ValueError(f"{P.shape} for {Y.shape[0]} points")
    if not np.allclose(P, P.T):
        raise ValueError("not symmetric")
    gram = Y @ Y.T
    norms = np.diag(gram)
    T = 1.0 / (1.0 + np.maximum(norms[:, None] + norms[None, :] - 2 * gram, 0.0))
    T = T - np.eye(len(Y)) * np.diag(T)
    attract, repel = P * T, T * T / T.sum()
    return 4 * ((np.diag(attract.sum(1)) - attract) @ Y - (np.diag(repel.sum(1)) - repel) @ Y)


EXERCISE = Exercise(
    id="tsne_gradient",
    title="t-SNE: the gradient of its loss",
    minutes=25,
    difficulty="hard",
    feeds="12",
    week="3-4",
    hints=(
        "Write the loss with the kernel t = 1/(1 + d²) and its sum Z: −Σ p·log t + log Z. How does each part change with d²?",
        "Through log t every pair pulls with p·t, through log Z it pushes with t²/Z = q·t. Each pair occurs twice, and d² gives another 2.",
        "4 · Σⱼ (pᵢⱼ − qᵢⱼ) · tᵢⱼ · (yᵢ − yⱼ). With W = (P − Q)·T it is 4·(row sums of W times Y − W @ Y).",
    ),
    cases=cases,
    expect=by_complex_step,
    agree=close(1e-6, 1e-9),
    mutants=(
        Mutant(
            "factor-two",
            "A pair occurs twice in the loss and the square gives another two: the factor is 4.",
            swaps=(("return 4 * ", "return 2 * "),),
        ),
        Mutant(
            "gaussian-forces",
            "The factor 1 / (1 + d²) is missing from the force. That is the gradient of the older method with a Gaussian kernel.",
            swaps=(("W = (P - Q) * T", "W = P - Q"),),
        ),
        Mutant(
            "uphill",
            "The sign is reversed: this is the direction of descent, not the gradient.",
            swaps=(("(P - Q)", "(Q - P)"),),
        ),
        Mutant(
            "normalised-by-row",
            "q was normalised within each row. In t-SNE all pairs together sum to 1.",
            swaps=(("Q = T / T.sum()", "Q = T / T.sum(axis=1, keepdims=True) / len(T)"),),
        ),
        Mutant(
            "itself-in-the-sum",
            "The kernel of a point with itself, 1, was left in the sum. The diagonal takes no part.",
            swaps=(("    np.fill_diagonal(T, 0.0)\n", ""),),
        ),
        Mutant(
            "gaussian-kernel",
            "The kernel on the page is 1 / (1 + d²), not exp(−d²): its heavy tail lets groups move apart.",
            swaps=(("T = 1 / (1 + squares)", "T = np.exp(-squares)"),),
        ),
        Mutant(
            "kernel-of-the-distance",
            "The kernel takes the squared distance.",
            swaps=(("T = 1 / (1 + squares)", "T = 1 / (1 + np.sqrt(squares))"),),
        ),
        Mutant(
            "attraction-only",
            "Only the pull of P was computed. Without the push of q everything falls onto one point.",
            swaps=(("(P - Q)", "P"),),
        ),
    ),
    accepted=(pair_by_pair, as_a_laplacian),
)
