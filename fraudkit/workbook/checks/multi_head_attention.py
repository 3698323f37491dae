"""Multi-head attention: which columns a head gets, its own scale, and heads put back side by side."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_torch(X, Wq, Wk, Wv, Wo, heads, mask=None):
    """The oracle: torch's multi_head_attention_forward, whose weights are transposed and whose mask says 'forbidden'."""
    import torch

    X, Wq, Wk, Wv, Wo = (torch.tensor(np.asarray(value, dtype=float)) for value in (X, Wq, Wk, Wv, Wo))
    X = X[:, None, :]  # a batch of one sequence, in the second place
    result, _ = torch.nn.functional.multi_head_attention_forward(
        X,
        X,
        X,
        embed_dim_to_check=X.shape[2],
        num_heads=heads,
        in_proj_weight=None,
        in_proj_bias=None,
        bias_k=None,
        bias_v=None,
        add_zero_attn=False,
        dropout_p=0.0,
        out_proj_weight=Wo.T,
        out_proj_bias=None,
        training=False,
        attn_mask=None if mask is None else torch.tensor(~np.asarray(mask, dtype=bool)),
        use_separate_proj_weight=True,
        q_proj_weight=Wq.T,
        k_proj_weight=Wk.T,
        v_proj_weight=Wv.T,
    )
    return result[:, 0].numpy()


def cases(rng: np.random.Generator) -> list[Case]:
    """One head, several, each matrix by itself, masks, loud scores, then random ones."""
    one = np.eye(4)
    X = np.array([[1.0, 0.0, 2.0, -1.0], [0.5, 1.5, -1.0, 0.0], [-2.0, 1.0, 0.3, 0.7]])
    mixed = np.array([[1.0, 2.0, 0.0, 0.0], [0.0, 1.0, 0.0, -1.0], [0.5, 0.0, -1.0, 0.0], [0.0, 0.3, 0.0, 1.0]])
    some = np.array([[True, False, True], [False, True, True], [True, True, False]])
    found = [
        Case("one head", (X, one, one, one, one, 1)),
        Case(
            "two heads",
            (X, one, one, one, one, 2),
            why="a head has neighbouring columns of its own, and scales by the root of their number",
        ),
        Case("as many heads as columns", (X, one, one, one, one, 4)),
        Case(
            "an output matrix",
            (X, one, one, one, mixed, 2),
            why="the heads stand side by side and are mixed by Wo",
        ),
        Case("queries and keys differ", (X, mixed, one, one, one, 2), why="rows ask, columns answer: Q·Kᵀ, not K·Qᵀ"),
        Case("values differ", (X, one, one, mixed, one, 2)),
        Case("a causal mask", (X, mixed, one, mixed.T, one, 2, np.tri(3, dtype=bool)), why="True means: may look"),
        Case("a mask that is no triangle", (X, one, mixed, one, one, 2, some)),
        Case(
            "loud scores", (X * 40, one, one, one, one, 2), why="exp(1000) overflows; take each row's largest score off"
        ),
        Case(
            "lists of integers",
            ([[1, 2], [0, 1]], [[1, 0], [0, 1]], [[1, 1], [0, 1]], [[2, 0], [0, 1]], [[1, 0], [1, 1]], 2),
        ),
        Case("three heads for four columns", (X, one, one, one, one, 3), raises="ValueError"),
    ]
    for n, d, heads in ((5, 6, 3), (8, 8, 2)):
        weights = [rng.normal(size=(d, d)) / 2 for _ in range(4)]
        mask = (rng.random((n, n)) < 0.5) | np.eye(n, dtype=bool)
        found.append(Case(f"{n} payments, {heads} heads", (rng.normal(size=(n, d)), *weights, heads, mask)))
    return found


def head_by_head(X, Wq, Wk, Wv, Wo, heads, mask=None):
    """Accepted: a loop over the heads, each with its columns of the weights and its rows of Wo."""
    X, Wq, Wk, Wv, Wo = (np.array(value, float) for value in (X, Wq, Wk, Wv, Wo))
    width, left = divmod(X.shape[1], heads)
    if left:
        raise ValueError("the heads do not share out the columns")
    forbidden = np.zeros((len(X), len(X)), dtype=bool) if mask is None else ~np.asarray(mask)
    total = np.zeros_like(X)
    for first in range(0, X.shape[1], width):
        own = slice(first, first + width)
        fits = (X @ Wq[:, own]) @ (X @ Wk[:, own]).T * width**-0.5
        fits[forbidden] = -np.inf
        logs = fits - np.logaddexp.reduce(fits, axis=1)[:, None]
        total += np.exp(logs) @ (X @ Wv[:, own]) @ Wo[own]
    return total


def with_einsum(X, Wq, Wk, Wv, Wo, heads, mask=None):
    """Accepted: the weights split into heads, everything in five sums."""
    X = np.asarray(X, dtype=np.float64)
    d = X.shape[-1]
    if d // heads * heads != d:
        raise ValueError(f"{heads} heads do not divide {d}")
    q, k, v = (np.einsum("nd,dhe->hne", X, np.reshape(W, (d, heads, -1))) for W in (Wq, Wk, Wv))
    scores = np.einsum("hie,hje->hij", q, k) / (d / heads) ** 0.5
    allowed = np.broadcast_to(True if mask is None else mask, scores.shape)
    peak = np.max(scores, axis=2, where=allowed, initial=-np.inf)
    power = np.where(allowed, np.exp(np.minimum(scores - peak[..., None], 0)), 0)
    shares = np.einsum("hij,hi->hij", power, 1 / np.einsum("hij->hi", power))
    return np.einsum("hij,hje,hed->id", shares, v, np.reshape(Wo, (heads, -1, d)))


EXERCISE = Exercise(
    id="multi_head_attention",
    title="Multi-head attention",
    minutes=30,
    difficulty="hard",
    feeds="07",
    week="3-4",
    hints=(
        "Project first, split into heads afterwards. Write the shape of each array beside its line.",
        "Splitting: (n, d) is read as (n, heads, d / heads), and then the heads move to the front. Joining is the reverse.",
        "The products run over the last two axes, with the heads in front. The scale is the root of a head's width.",
    ),
    cases=cases,
    expect=by_torch,
    agree=close(1e-8, 1e-10),
    mutants=(
        Mutant(
            "scaled-by-the-whole-width",
            "The scores were divided by √d. A head's dot products have only d / heads terms: divide by the root of that.",
            swaps=(("np.sqrt(d // heads)", "np.sqrt(d)"),),
        ),
        Mutant(
            "split-without-swapping-axes",
            "The columns were reshaped to (heads, n, d / heads) at once, which mixes rows and columns. Split the columns, "
            "then swap the axes.",
            swaps=(
                ("columns.reshape(n, heads, d // heads).transpose(1, 0, 2)", "columns.reshape(heads, n, d // heads)"),
            ),
        ),
        Mutant(
            "every-second-column",
            "A head took every h-th column. Its columns stand next to each other.",
            swaps=(
                (
                    "columns.reshape(n, heads, d // heads).transpose(1, 0, 2)",
                    "columns.reshape(n, d // heads, heads).transpose(2, 0, 1)",
                ),
            ),
        ),
        Mutant(
            "joined-without-swapping-axes",
            "The heads' results were reshaped to (n, d) with the heads still in front, which mixes the payments.",
            swaps=(("(weights @ V).transpose(1, 0, 2).reshape(n, d)", "(weights @ V).reshape(n, d)"),),
        ),
        Mutant(
            "output-matrix-forgotten",
            "The heads stand side by side, but Wo was not applied: nothing mixes what they found.",
            swaps=(("return joined @ Wo", "return joined"),),
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
            "The mask was read as 'forbidden'. True means that row i may look at row j.",
            swaps=(("np.where(mask, scores, -np.inf)", "np.where(mask, -np.inf, scores)"),),
        ),
        Mutant(
            "overflow",
            "exp of a large score overflows. Take each row's largest score off first; the softmax stays the same.",
            swaps=(("np.exp(scores - scores.max(axis=-1, keepdims=True))", "np.exp(scores)"),),
        ),
        Mutant(
            "heads-not-split",
            "One head of full width did the work of all: there is a single softmax for each payment.",
            swaps=(
                (
                    "columns.reshape(n, heads, d // heads).transpose(1, 0, 2)",
                    "columns.reshape(n, 1, d).transpose(1, 0, 2)",
                ),
            ),
        ),
    ),
    accepted=(head_by_head, with_einsum),
)
