"""Layer normalisation: along the row, whatever the leading axes, and gradients of the parameters over all rows."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant

STEP = 1e-30


def by_complex_step(x, gamma, beta, upstream, eps=1e-5):
    """The oracle: forward only, each number nudged by an imaginary step, which is exact where differences are not."""
    values = [np.asarray(value, dtype=complex) for value in (x, gamma, beta)]
    upstream = np.asarray(upstream, dtype=float)
    gradients = []
    for which, value in enumerate(values):
        gradient = np.zeros(value.shape)
        for place in np.ndindex(value.shape):
            nudged = [array.copy() for array in values]
            nudged[which][place] += 1j * STEP
            gradient[place] = (_forward(nudged, eps).imag * upstream).sum() / STEP
        gradients.append(gradient)
    return (_forward(values, eps).real, *gradients)


def _forward(arrays, eps):
    """Row by row, from the sums of the numbers and of their squares' deviations."""
    x, gamma, beta = arrays
    rows = x.reshape(-1, x.shape[-1])
    out = []
    for row in rows:
        centre = sum(row) / len(row)
        variance = sum((value - centre) ** 2 for value in row) / len(row)
        out.append((row - centre) * (variance + eps) ** -0.5 * gamma + beta)
    return np.array(out).reshape(x.shape)


def cases(rng: np.random.Generator) -> list[Case]:
    """One row, several, three axes, constant rows, shapes that do not fit."""
    x = np.array([[1.0, 2.0, 6.0], [-3.0, 4.0, 0.5]])
    gamma, beta = np.array([2.0, 0.5, -1.0]), np.array([1.0, 0.0, -1.0])
    up = np.array([[1.0, -2.0, 0.3], [0.5, 0.25, -4.0]])
    found = [
        Case("one payment", (x[:1], gamma, beta, up[:1])),
        Case(
            "two payments",
            (x, gamma, beta, up),
            why="the mean is a row's own: over the last axis, not over the payments",
        ),
        Case("a large eps", (x, gamma, beta, up, 0.5), why="eps is added to the variance, under the root"),
        Case(
            "a single vector",
            (x[0], gamma, beta, up[0]),
            why="x may have no leading axis at all; dgamma then has nothing to be summed over",
        ),
        Case(
            "cards, payments, columns",
            (np.stack([x, x * 2 + 1]), gamma, beta, np.stack([up, up[::-1]])),
            why="with three axes dgamma is summed over the first two",
        ),
        Case(
            "a constant row",
            (np.array([[3.0, 3.0, 3.0], [1.0, 2.0, 9.0]]), gamma, beta, up, 0.01),
            why="a variance of 0",
        ),
        Case("lists of integers", ([[1, 2], [5, 3]], [1, 2], [0, 0], [[1, 0], [2, 1]])),
        Case("gamma of another length", (x, np.ones(2), beta, up), raises="ValueError"),
        Case("one gamma for all", (x, np.ones(1), beta, up), raises="ValueError", why="no broadcasting"),
        Case("upstream of another shape", (x, gamma, beta, up[0]), raises="ValueError"),
    ]
    for shape in ((5, 4), (3, 2, 5)):
        d = shape[-1]
        arrays = (rng.normal(2, 3, shape), rng.normal(size=d), rng.normal(size=d), rng.normal(size=shape))
        found.append(Case(f"shape {shape}", arrays))
    return found


def row_jacobians(x, gamma, beta, upstream, eps=1e-5):
    """Accepted: for each row its d by d Jacobian, multiplied out."""
    x, upstream = np.array(x, dtype=float), np.array(upstream, dtype=float)
    gamma, beta = np.array(gamma, dtype=float), np.array(beta, dtype=float)
    d = x.shape[-1]
    if {gamma.shape, beta.shape} != {(d,)} or np.shape(upstream) != np.shape(x):
        raise ValueError("shapes do not fit")
    y, dx = np.empty((x.size // d, d)), np.empty((x.size // d, d))
    dgamma, dbeta = np.zeros(d), np.zeros(d)
    for i, (row, up) in enumerate(zip(x.reshape(-1, d), upstream.reshape(-1, d), strict=True)):
        deviation = (row.var() + eps) ** 0.5
        hat = (row - row.mean()) / deviation
        y[i] = hat * gamma + beta
        dx[i] = (np.eye(d) - 1 / d - np.outer(hat, hat) / d) @ (gamma * up) / deviation
        dgamma += up * hat
        dbeta += up
    return y.reshape(x.shape), dx.reshape(x.shape), dgamma, dbeta


def node_by_node(x, gamma, beta, upstream, eps=1e-5):
    """Accepted: a table of rows, transposed, and the chain rule through variance and mean."""
    shape = np.shape(x)
    if np.shape(gamma) != shape[-1:] or np.shape(beta) != shape[-1:] or np.shape(upstream) != shape:
        raise ValueError(f"expected {shape[-1:]} for the parameters and {shape} for upstream")
    columns, up = (np.reshape(a, (-1, shape[-1])).T.astype(float) for a in (x, upstream))
    n = len(columns)
    off = columns - columns.sum(axis=0) / n
    inverse = 1 / np.sqrt(np.einsum("dr,dr->r", off, off) / n + eps)
    by_hat = np.asarray(gamma, dtype=float)[:, None] * up
    by_variance = -0.5 * inverse**3 * np.einsum("dr,dr->r", by_hat, off)
    by_off = by_hat * inverse + off * (2 / n * by_variance)
    by_x = by_off - by_off.sum(axis=0) / n
    y = off * inverse * np.reshape(gamma, (-1, 1)) + np.reshape(beta, (-1, 1))
    return y.T.reshape(shape), by_x.T.reshape(shape), np.einsum("dr,dr,r->d", up, off, inverse), np.einsum("dr->d", up)


EXERCISE = Exercise(
    id="layer_norm",
    title="Layer normalisation, forward and backward",
    minutes=25,
    difficulty="medium",
    feeds="07",
    week="3-4",
    hints=(
        "Everything about a row is taken over the last axis; `keepdims=True` keeps it in shape for x.",
        "gamma and beta are shared by all rows: their gradients are summed over every axis but the last.",
        "With g = upstream·gamma: dx = (g - mean(g) - x̂·mean(g·x̂)) / std, the means along the row.",
    ),
    cases=cases,
    expect=by_complex_step,
    agree=close(1e-7, 1e-9),
    mutants=(
        Mutant(
            "over-the-batch",
            "The mean and the variance were taken over the first axis. That is batch normalisation; here a row is "
            "normalised by itself.",
            swaps=(
                ("centred = x - x.mean(axis=-1, keepdims=True)", "centred = x - x.mean(axis=0, keepdims=True)"),
                ("(centred**2).mean(axis=-1, keepdims=True)", "(centred**2).mean(axis=0, keepdims=True)"),
                (
                    "(g - g.mean(axis=-1, keepdims=True) - x_hat * (g * x_hat).mean(axis=-1, keepdims=True))",
                    "(g - g.mean(axis=0, keepdims=True) - x_hat * (g * x_hat).mean(axis=0, keepdims=True))",
                ),
            ),
        ),
        Mutant(
            "divisor-less-one",
            "The variance was taken with divisor d - 1; a row is not a sample, the divisor is d.",
            swaps=(
                ("(centred**2).mean(axis=-1, keepdims=True)", "(centred**2).sum(axis=-1, keepdims=True) / (d - 1)"),
            ),
        ),
        Mutant(
            "eps-outside-the-root",
            "eps was added to the standard deviation; it belongs to the variance, under the root.",
            swaps=(
                (
                    "np.sqrt((centred**2).mean(axis=-1, keepdims=True) + eps)",
                    "np.sqrt((centred**2).mean(axis=-1, keepdims=True)) + eps",
                ),
            ),
        ),
        Mutant(
            "constants-in-backward",
            "Mean and variance of a row were treated as constants. Both depend on x, and each takes a term off dx.",
            swaps=(
                (
                    "dx = (g - g.mean(axis=-1, keepdims=True) - x_hat * (g * x_hat).mean(axis=-1, keepdims=True)) / std",
                    "dx = g / std",
                ),
            ),
        ),
        Mutant(
            "variance-as-a-constant",
            "The way through the mean is there, the way through the variance is missing in dx.",
            swaps=((" - x_hat * (g * x_hat).mean(axis=-1, keepdims=True)) / std", ") / std"),),
        ),
        Mutant(
            "gamma-left-out-of-dx",
            "The gradient by x does not carry gamma: what arrives is multiplied by it before it reaches x̂.",
            swaps=(("g = upstream * gamma", "g = upstream"),),
        ),
        Mutant(
            "first-axis-only",
            "dgamma and dbeta were summed over the first axis only. With cards and payments in front there are two.",
            swaps=(("rows = tuple(range(x.ndim - 1))", "rows = 0 if x.ndim > 1 else ()"),),
        ),
        Mutant(
            "parameters-averaged",
            "The gradients of gamma and beta were averaged over the rows. Each row adds its own: sum them.",
            swaps=(
                ("(upstream * x_hat).sum(axis=rows)", "(upstream * x_hat).mean(axis=rows)"),
                ("upstream.sum(axis=rows)", "upstream.mean(axis=rows)"),
            ),
        ),
    ),
    accepted=(row_jacobians, node_by_node),
)
