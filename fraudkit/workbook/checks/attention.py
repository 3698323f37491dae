"""Scaled dot-product attention: softmax over keys, masks before it, and queries that may look at nothing."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def query_by_query(Q, K, V, mask=None):
    """The oracle: one query at a time, a key's weight as 1 / Σ exp(other − own) over the allowed keys."""
    Q, K, V = (np.asarray(value, dtype=float) for value in (Q, K, V))
    shape = (*Q.shape[:-1], K.shape[-2])
    allowed = np.broadcast_to(True if mask is None else np.asarray(mask), shape)
    weights = np.zeros(shape)
    result = np.zeros((*Q.shape[:-1], V.shape[-1]))
    for place in np.ndindex(shape[:-1]):
        lead = place[:-1]
        fits = {
            j: math.fsum(q * k for q, k in zip(Q[place], K[(*lead, j)], strict=True)) / math.sqrt(Q.shape[-1])
            for j in range(shape[-1])
            if allowed[(*place, j)]
        }
        for j, own in fits.items():
            gaps = [other - own for other in fits.values()]
            share = 0.0 if max(gaps) > 700 else 1 / math.fsum(math.exp(gap) for gap in gaps)
            weights[(*place, j)] = share
            result[place] += share * V[(*lead, j)]
    return result, weights


def cases(rng: np.random.Generator) -> list[Case]:
    """One query, several, masks, loud products, shapes that do not fit, then random ones."""
    Q = np.array([[1.0, 0.0, 2.0, -1.0], [0.5, 1.5, -1.0, 0.0]])
    K = np.array([[1.0, 1.0, 0.0, 2.0], [0.0, -1.0, 1.0, 1.0], [2.0, 0.5, 0.5, 0.0]])
    V = np.array([[1.0, 10.0], [2.0, -20.0], [4.0, 30.0]])
    some = np.array([[True, False, True], [True, True, False]])
    found = [
        Case("one query", (Q[:1], K, V), why="the scores are divided by √d, the root of the keys' length"),
        Case("two queries, three keys", (Q, K, V), why="each query's weights over the keys sum to 1"),
        Case("as many queries as keys", (K, K[::-1], V), why="a softmax along the wrong axis fits in shape here"),
        Case(
            "a mask", (Q, K, V, some), why="True means: may look; a forbidden key has the weight 0, the others sum to 1"
        ),
        Case(
            "a query that may look at nothing",
            (Q, K, V, np.array([[False, False, False], [True, False, True]])),
            why="softmax over no keys is 0/0; the question wants weights and result 0",
        ),
        Case("one mask for all queries", (Q, K, V, np.array([True, False, True])), why="the mask broadcasts"),
        Case("loud products", (Q * 1000, K, V), why="exp(1000) overflows; take each query's largest score off first"),
        Case(
            "loud and masked",
            (Q * 1000, K, V, some),
            why="the largest score counts among the allowed keys only",
        ),
        Case(
            "two cards at once",
            (np.stack([Q, -Q]), np.stack([K, K * 2]), np.stack([V, V + 1])),
            why="leading axes are separate sequences",
        ),
        Case("lists of integers", ([[1, 2]], [[1, 0], [0, 1]], [[5], [7]])),
        Case("keys of another length", (Q, K[:, :3], V), raises="ValueError"),
        Case("a value too few", (Q, K, V[:2]), raises="ValueError"),
        Case("one value for all keys", (Q, K, V[:1]), raises="ValueError", why="no broadcasting of values"),
    ]
    drawn = [rng.normal(size=shape) for shape in ((2, 3, 4, 5), (2, 3, 6, 5), (2, 3, 6, 2))]
    found.append(Case("two cards, three heads", tuple(drawn)))
    found.append(Case("with a random mask", (*drawn, rng.random((2, 1, 4, 6)) < 0.6)))
    return found


def in_logarithms(Q, K, V, mask=None):
    """Accepted: weights as exp of score less the log of the row's sum, einsum for the products."""
    Q, K, V = np.array(Q, float), np.array(K, float), np.array(V, float)
    *_, n, d = K.shape
    if Q.shape[-1] != d:
        raise ValueError("queries and keys of different lengths")
    if V.shape[-2] != n:
        raise ValueError("as many values as keys")
    scores = np.einsum("...md,...nd->...mn", Q * d**-0.5, K)
    log_mask = np.zeros(scores.shape) if mask is None else np.where(mask, 0.0, -np.inf) + np.zeros(scores.shape)
    sums = np.logaddexp.reduce(scores + log_mask, axis=-1)
    sums[np.isneginf(sums)] = 0.0
    weights = np.exp(scores + log_mask - sums[..., None])
    return np.einsum("...mn,...nv->...mv", weights, V), weights


def allowed_keys_only(Q, K, V, mask=None):
    """Accepted: flat over the leading axes, softmax over the allowed keys of each query."""
    Q, K, V = np.asarray(Q) * 1.0, np.asarray(K) * 1.0, np.asarray(V) * 1.0
    m, n = Q.shape[-2], K.shape[-2]
    if Q.shape[-1] - K.shape[-1] or n - V.shape[-2]:
        raise ValueError("Q, K and V do not belong together")
    lead = Q.shape[:-2]
    may = np.ones((*lead, m, n), dtype=bool) & (True if mask is None else np.asarray(mask))
    weights = np.zeros(may.shape)
    for index in np.ndindex((*lead, m)):
        keys = np.nonzero(may[index])[0]
        if keys.size:
            score = K[index[:-1]][keys] @ Q[index] / K.shape[-1] ** 0.5
            power = np.exp(score - np.amax(score))
            weights[index][keys] = power / sum(power)
    return np.matmul(weights, V), weights


EXERCISE = Exercise(
    id="attention",
    title="Scaled dot-product attention",
    minutes=20,
    difficulty="medium",
    feeds="07",
    week="3-4",
    hints=(
        "Write the shapes: (m, d) times (d, n) gives a score for each pair of query and key. Only the last two axes swap.",
        "Put -inf where the mask forbids, before the softmax; exp makes zeros of it.",
        "Two traps: exp of large scores, and rows that are -inf throughout. Mend the maximum and the sum for the latter.",
    ),
    cases=cases,
    expect=query_by_query,
    agree=close(1e-8, 1e-11),
    mutants=(
        Mutant(
            "not-scaled",
            "The scores were not divided by √d. The longer the keys, the harder the choice and the smaller the gradient.",
            swaps=((" / np.sqrt(Q.shape[-1])", ""),),
        ),
        Mutant(
            "scaled-by-d",
            "The scores were divided by d. A dot product of d terms has a standard deviation of √d: divide by that.",
            swaps=(("np.sqrt(Q.shape[-1])", "Q.shape[-1]"),),
        ),
        Mutant(
            "softmax-over-queries",
            "The weights sum to 1 over the queries. Each query shares out its attention over the keys: the last axis.",
            swaps=(
                ("scores.max(axis=-1, keepdims=True)", "scores.max(axis=-2, keepdims=True)"),
                ("weights.sum(axis=-1, keepdims=True)", "weights.sum(axis=-2, keepdims=True)"),
            ),
        ),
        Mutant(
            "mask-turned-round",
            "The mask was read as 'forbidden'. True means that the query may look.",
            swaps=(("np.where(mask, scores, -np.inf)", "np.where(mask, -np.inf, scores)"),),
        ),
        Mutant(
            "masked-after-softmax",
            "The mask was applied to the finished weights, which then no longer sum to 1. Mask before the softmax.",
            swaps=(
                ("        scores = np.where(mask, scores, -np.inf)\n", "        pass\n"),
                (
                    "np.where(total > 0, total, 1.0)\n",
                    "np.where(total > 0, total, 1.0) * (1.0 if mask is None else np.asarray(mask))\n",
                ),
            ),
        ),
        Mutant(
            "nothing-seen-is-everything",
            "With a large negative number for -inf, a query that may look at nothing looks at everything alike. "
            "Its weights are 0.",
            swaps=(("np.where(mask, scores, -np.inf)", "np.where(mask, scores, -1e30)"),),
        ),
        Mutant(
            "nothing-seen-is-nan",
            "A query that may look at nothing became NaN, which spreads through every layer above. Its weights are 0.",
            swaps=(
                ("scores - np.where(np.isfinite(top), top, 0.0)", "scores - top"),
                ("weights / np.where(total > 0, total, 1.0)", "weights / total"),
            ),
        ),
        Mutant(
            "overflow",
            "exp of a large score overflows. Take each query's largest score off first; the softmax stays the same.",
            swaps=(("np.exp(scores - np.where(np.isfinite(top), top, 0.0))", "np.exp(scores)"),),
        ),
    ),
    accepted=(in_logarithms, allowed_keys_only),
)
