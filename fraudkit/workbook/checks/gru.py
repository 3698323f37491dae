"""A GRU over padded sequences: which side z keeps, where the reset gate acts, and states that outlive padding."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_torch(x, h, W, U, b, c):
    """The oracle: torch's GRU over each sequence by itself, cut to its real inputs; weights are kept transposed there."""
    import torch

    x, h, W, U, b, c = (np.asarray(value, dtype=float) for value in (x, h, W, U, b, c))
    layer = torch.nn.GRU(x.shape[2], h.shape[1], batch_first=True, dtype=torch.float64)
    with torch.no_grad():
        for name, value in (("weight_ih_l0", W.T), ("weight_hh_l0", U.T), ("bias_ih_l0", b), ("bias_hh_l0", c)):
            getattr(layer, name).copy_(torch.tensor(value))
        states = []
        for sequence, state in zip(x, h, strict=True):
            real = sequence[~np.isnan(sequence).all(axis=1)]
            if len(real):
                state = layer(torch.tensor(real[None]), torch.tensor(state[None, None]))[1].numpy()[0, 0]
            states.append(state)
    return np.array(states)


def _weights(rng: np.random.Generator, d: int, k: int) -> tuple[np.ndarray, ...]:
    return tuple(rng.normal(size=shape) for shape in ((d, 3 * k), (k, 3 * k), (3 * k,), (3 * k,)))


def cases(rng: np.random.Generator) -> list[Case]:
    """One step with each gate, several steps, padding, bad padding, then random ones."""
    none, h = np.zeros(3), np.array([[0.6]])
    one = np.array([[[1.0]]])
    W = np.array([[0.3, -0.5, 0.8]])
    U = np.array([[0.4, 0.2, 1.5]])
    b, c = np.array([0.1, 0.2, -0.3]), np.array([0.5, -0.4, 0.9])
    two = np.array([[0.2, -0.4], [0.5, 0.1]])
    W2, U2 = np.arange(6.0).reshape(1, 6) / 5 - 0.4, np.arange(12.0).reshape(2, 6) / 6 - 1
    line = np.array([[[1.0], [-2.0], [0.5]], [[0.3], [np.nan], [np.nan]]])
    found = [
        Case("one payment", (one, h, W, U, none, none)),
        Case(
            "update gate open",
            (one, h, np.array([[0.0, 50.0, 3.0]]), U, none, none),
            why="z = 1 keeps the old state; 1 - z writes the candidate",
        ),
        Case(
            "reset gate closed",
            (one, h, np.array([[-50.0, -1.0, 0.5]]), U, none, c),
            why="the reset gate multiplies h·U + c of the candidate, bias c included",
        ),
        Case("both biases", (one, h, W, U, b, c), why="c stands inside the reset gate's product, b outside"),
        Case(
            "two units",
            (np.array([[[1.0]], [[-0.5]]]), two, W2, U2, np.zeros(6), np.zeros(6)),
            why="r multiplies the product h·U, not h before it; the columns are three blocks of k",
        ),
        Case("three payments", (line[:1], h, W, U, b, c), why="each step starts from the state of the one before"),
        Case(
            "a short history beside a long one",
            (line, np.vstack([h, h]), W, U, b, c),
            why="padding must not move the state: the short sequence ends at its last real payment",
        ),
        Case("a card without payments", (np.full((1, 2, 1), np.nan), h, W, U, b, c), why="its state stays what it was"),
        Case("loud sums", (one * 1000, h, np.array([[1.0, -1.0, 1.0]]), U, none, none), why="exp(1000) overflows"),
        Case(
            "a payment after padding",
            (np.array([[[1.0], [np.nan], [2.0]]]), h, W, U, b, c),
            raises="ValueError",
            why="a hole in a history is an error of the data, not padding",
        ),
        Case(
            "half a row missing",
            (np.array([[[1.0, np.nan]]]), h, np.ones((2, 3)), U, b, c),
            raises="ValueError",
            why="a missing value is not a missing payment",
        ),
    ]
    for n, t, d, k in ((4, 5, 3, 2), (6, 8, 2, 4)):
        x = rng.normal(size=(n, t, d))
        for row, length in enumerate(rng.permutation(n) % t + 1):
            x[row, length:] = np.nan
        found.append(Case(f"{n} cards, up to {t} payments", (x, rng.normal(size=(n, k)), *_weights(rng, d, k))))
    return found


def card_by_card(x, h, W, U, b, c):
    """Accepted: each sequence by itself, until its padding begins."""
    W, U, b, c = (np.array(value, float) for value in (W, U, b, c))
    k = len(U)

    def sigma(a):
        return np.exp(-np.logaddexp(0.0, -a))

    ends = []
    for sequence, state in zip(np.array(x, float), np.array(h, float), strict=True):
        gaps = np.isnan(sequence).sum(axis=1)
        length = int((gaps == 0).sum())
        if gaps[:length].any() or not np.isin(gaps, (0, sequence.shape[1])).all():
            raise ValueError("this history has holes")
        for payment in sequence[:length]:
            given, kept = payment @ W + b, state @ U + c
            gates = sigma(given[: 2 * k] + kept[: 2 * k])
            fresh = np.tanh(given[2 * k :] + gates[:k] * kept[2 * k :])
            state = fresh + gates[k:] * (state - fresh)
        ends.append(state)
    return np.array(ends)


def longest_first(x, h, W, U, b, c):
    """Accepted: products of all inputs at once, and at each step only the sequences that still run."""
    x, state = np.asarray(x, dtype=np.float64), np.array(h, dtype=np.float64)
    real = ~np.isnan(x).any(axis=-1)
    lengths = real.sum(axis=1)
    if not (real == (np.arange(x.shape[1]) < lengths[:, None])).all() or not np.isnan(x[~real]).all():
        raise ValueError("padding belongs to the end and fills its rows")
    given = np.nan_to_num(x) @ np.asarray(W, float) + np.asarray(b, float)
    k = state.shape[1]
    for t in range(int(lengths.max(initial=0))):
        live = np.flatnonzero(lengths > t)
        old = state[live]
        own = old @ np.asarray(U, float) + np.asarray(c, float)
        now = given[live, t]
        reset = np.reciprocal(1 + np.exp(np.clip(-(now + own)[:, :k], -700, 700)))
        update = np.reciprocal(1 + np.exp(np.clip(-(now + own)[:, k : 2 * k], -700, 700)))
        candidate = np.tanh(now[:, -k:] + own[:, -k:] * reset)
        state[live] = update * old + candidate - update * candidate
    return state


EXERCISE = Exercise(
    id="gru",
    title="GRU over a sequence",
    minutes=25,
    difficulty="medium",
    feeds="07",
    week="3-4",
    hints=(
        "Loop over the steps, with all sequences of the batch in one product. Each step needs h·U of the state so far.",
        "Keep x·W + b and h·U + c apart: the reset gate multiplies only the second, in the candidate's block.",
        "`np.where` with the mask of padded rows carries the state over; multiplying by 0 does not take a NaN away.",
    ),
    cases=cases,
    expect=by_torch,
    agree=close(1e-8, 1e-11),
    mutants=(
        Mutant(
            "update-exchanged",
            "z kept the candidate and 1 - z the old state. Here it is the other way round: z keeps.",
            swaps=(("(1 - z) * g + z * h", "z * g + (1 - z) * h"),),
        ),
        Mutant(
            "gates-exchanged",
            "Reset and update gate were exchanged: the first block resets, the second one updates.",
            swaps=(("r, z = sigmoid(a_r + s_r), sigmoid(a_z + s_z)", "z, r = sigmoid(a_r + s_r), sigmoid(a_z + s_z)"),),
        ),
        Mutant(
            "reset-before-the-product",
            "The reset gate multiplied h before the product with U. Here it multiplies the product, bias c included.",
            swaps=(("g = np.tanh(a_g + r * s_g)", "g = np.tanh(a_g + np.split((r * h) @ U + c, 3, axis=1)[2])"),),
        ),
        Mutant(
            "reset-left-out",
            "The candidate sees the whole old state: the reset gate was computed but not used.",
            swaps=(("np.tanh(a_g + r * s_g)", "np.tanh(a_g + s_g)"),),
        ),
        Mutant(
            "reset-on-everything",
            "The reset gate multiplied the input's part as well. A reset forgets the state, not the payment.",
            swaps=(("np.tanh(a_g + r * s_g)", "np.tanh(r * (a_g + s_g))"),),
        ),
        Mutant(
            "candidate-squashed-to-positive",
            "The candidate went through a sigmoid; it is tanh, and may be negative.",
            swaps=(("g = np.tanh(a_g", "g = sigmoid(a_g"),),
        ),
        Mutant(
            "through-the-padding",
            "The state went on through the padding, with zeros for input. A padded row leaves it as it is.",
            swaps=(
                ("x[:, step] @ W", "np.nan_to_num(x[:, step]) @ W"),
                ("np.where(padded[:, step, None], h, (1 - z) * g + z * h)", "(1 - z) * g + z * h"),
            ),
        ),
        Mutant(
            "nan-carried-on",
            "NaN of the padding reached the state, and whatever it is multiplied by stays NaN. Choose with np.where.",
            swaps=(("np.where(padded[:, step, None], h, (1 - z) * g + z * h)", "(1 - z) * g + z * h"),),
        ),
        Mutant(
            "holes-taken-as-padding",
            "A hole in the middle of a history passed as padding. It is an error of the data: raise ValueError.",
            swaps=((" or (padded[:, :-1] & ~padded[:, 1:]).any()", ""),),
        ),
    ),
    accepted=(card_by_card, longest_first),
)
