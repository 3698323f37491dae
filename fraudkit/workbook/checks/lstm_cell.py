"""One LSTM step: which block is which gate, memory by addition, output from the new memory."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_torch(x, h, c, W, U, b):
    """The oracle: torch's LSTMCell with the same weights, which it keeps transposed."""
    import torch

    x, h, c, W, U, b = (torch.tensor(np.asarray(value, dtype=float)) for value in (x, h, c, W, U, b))
    cell = torch.nn.LSTMCell(x.shape[1], h.shape[1], dtype=torch.float64)
    with torch.no_grad():
        cell.weight_ih.copy_(W.T)
        cell.weight_hh.copy_(U.T)
        cell.bias_ih.copy_(b)
        cell.bias_hh.zero_()
        return tuple(state.numpy() for state in cell(x, (h, c)))


def _single(**sums: float) -> tuple[np.ndarray, ...]:
    """One row, one unit, whose blocks sum to what is given."""
    x, h, c = np.array([[1.0]]), np.array([[0.3]]), np.array([[2.0]])
    W = np.array([[sums.get(gate, 0.0) for gate in "ifgo"]])
    return x, h, c, W, np.zeros((1, 4)), np.zeros(4)


def cases(rng: np.random.Generator) -> list[Case]:
    """Each gate by itself, loud sums, several rows and units, shapes that do not fit, then random ones."""
    shapes = ((3, 2), (3, 4), (3, 4), (2, 16), (4, 16), (16,))
    drawn = [rng.normal(size=shape) for shape in shapes]
    found = [
        Case("one payment, one unit", _single(i=0.5, f=-1.0, g=0.8, o=1.2)),
        Case(
            "forget gate closed",
            _single(i=2.0, f=-50.0, g=0.5),
            why="the second block is the forget gate: closed, nothing of the old memory is left",
        ),
        Case("input gate closed", _single(i=-50.0, f=1.0, g=2.0, o=1.0), why="nothing new is written"),
        Case("output gate closed", _single(i=1.0, f=1.0, g=1.0, o=-50.0), why="the memory is kept but not shown"),
        Case(
            "a negative candidate", _single(i=3.0, f=0.0, g=-2.0, o=3.0), why="the candidate is tanh, it may be below 0"
        ),
        Case(
            "loud sums",
            _single(i=1000.0, f=-1000.0, g=-1000.0, o=1000.0),
            why="exp(1000) overflows; a gate at its end is 0 or 1, not NaN",
        ),
        Case(
            "two units, two payments",
            (
                np.array([[1.0, -1.0], [0.5, 2.0]]),
                np.array([[0.1, 0.2], [-0.3, 0.4]]),
                np.array([[1.0, -2.0], [0.0, 3.0]]),
                np.arange(16.0).reshape(2, 8) / 10 - 0.7,
                np.arange(16.0)[::-1].reshape(2, 8) / 8 - 1,
                np.array([0.5, -0.5, 1.0, 0.0, 0.3, -0.2, 0.1, 0.7]),
            ),
            why="the columns are four blocks of k, not k groups of four",
        ),
        Case("lists of integers", ([[1]], [[0]], [[2]], [[1, -1, 2, 0]], [[0, 1, 0, 1]], [0, 0, 1, 1])),
        Case(
            "a memory of another shape",
            (*drawn[:2], drawn[2][:1], *drawn[3:]),
            raises="ValueError",
            why="no broadcasting",
        ),
        Case("three blocks", (*drawn[:3], drawn[3][:, :12], drawn[4][:, :12], drawn[5][:12]), raises="ValueError"),
        Case("three payments, four units", tuple(drawn)),
    ]
    n, d, k = 8, 5, 3
    shapes = ((n, d), (n, k), (n, k), (d, 4 * k), (k, 4 * k), (4 * k,))
    found.append(Case(f"{n} payments, {k} units", tuple(rng.normal(0, 1.5, shape) for shape in shapes)))
    return found


def gate_by_gate(x, h, c, W, U, b):
    """Accepted: input and output side by side against the weights stacked, each gate a product of its own."""
    both = np.concatenate([np.array(x, float), np.array(h, float)], axis=1)
    weights = np.concatenate([np.array(W, float), np.array(U, float)])
    k = np.shape(h)[1]
    if np.shape(c) != np.shape(h) or weights.shape != (both.shape[1], 4 * k) or np.shape(b) != (4 * k,):
        raise ValueError("these arrays are not of one cell")
    if len(W) != np.shape(x)[1]:
        raise ValueError("W does not fit x")

    def gate(number, squash):
        block = slice(number * k, number * k + k)
        return squash(both @ weights[:, block] + np.asarray(b, float)[block])

    def open_share(a):
        return np.exp(-np.logaddexp(0, -a))

    written = gate(0, open_share) * gate(2, np.tanh)
    after = gate(1, open_share) * np.asarray(c, float) + written
    return gate(3, open_share) * np.tanh(after), after


def number_by_number(x, h, c, W, U, b):
    """Accepted: one row and one unit at a time, with math."""
    import math

    x, h, c, W, U, b = (np.asarray(value, dtype=float) for value in (x, h, c, W, U, b))
    (n, d), (m, k) = x.shape, h.shape
    if (m, c.shape, W.shape, U.shape, b.shape) != (n, (n, k), (d, 4 * k), (k, 4 * k), (4 * k,)):
        raise ValueError("shapes")

    def sigma(z):
        return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))

    shown, kept = np.zeros((n, k)), np.zeros((n, k))
    for row in range(n):
        for unit in range(k):
            sums = []
            for column in range(unit, 4 * k, k):
                sums.append(b[column] + float(x[row].dot(W[:, column])) + float(h[row].dot(U[:, column])))
            kept[row, unit] = sigma(sums[1]) * c[row, unit] + sigma(sums[0]) * math.tanh(sums[2])
            shown[row, unit] = sigma(sums[3]) * math.tanh(kept[row, unit])
    return shown, kept


EXERCISE = Exercise(
    id="lstm_cell",
    title="LSTM cell",
    minutes=20,
    difficulty="medium",
    feeds="07",
    week="3-4",
    hints=(
        "One product gives all four blocks; `np.split(..., 4, axis=1)` takes them apart.",
        "First the new memory: what the forget gate leaves of the old, plus what the input gate lets in of the candidate.",
        "A sigmoid without overflow: (1 + tanh(a / 2)) / 2. The output is taken from the new memory.",
    ),
    cases=cases,
    expect=by_torch,
    agree=close(1e-8, 1e-11),
    mutants=(
        Mutant(
            "gates-exchanged",
            "Input and forget gate were exchanged: the first block lets in, the second one keeps.",
            swaps=(("sigmoid(f) * c + sigmoid(i) * np.tanh(g)", "sigmoid(i) * c + sigmoid(f) * np.tanh(g)"),),
        ),
        Mutant(
            "candidate-and-output-exchanged",
            "The third block is the candidate and the fourth the output gate; they were exchanged.",
            swaps=(("i, f, g, o = np.split", "i, f, o, g = np.split"),),
        ),
        Mutant(
            "candidate-squashed-to-positive",
            "The candidate went through a sigmoid, so the memory can only grow. It is tanh, and may be negative.",
            swaps=(("sigmoid(i) * np.tanh(g)", "sigmoid(i) * sigmoid(g)"),),
        ),
        Mutant(
            "output-from-the-old-memory",
            "The output was taken from the memory before this step. It shows the new one.",
            swaps=(("sigmoid(o) * np.tanh(memory)", "sigmoid(o) * np.tanh(c)"),),
        ),
        Mutant(
            "memory-not-squashed",
            "The output is the output gate times tanh of the memory; tanh was left out.",
            swaps=(("sigmoid(o) * np.tanh(memory)", "sigmoid(o) * memory"),),
        ),
        Mutant(
            "memory-squashed",
            "tanh was applied to the memory that is kept. It is kept as it is: that lets gradients pass unchanged.",
            swaps=(
                (
                    "memory = sigmoid(f) * c + sigmoid(i) * np.tanh(g)",
                    "memory = np.tanh(sigmoid(f) * c + sigmoid(i) * np.tanh(g))",
                ),
                ("sigmoid(o) * np.tanh(memory)", "sigmoid(o) * memory"),
            ),
        ),
        Mutant(
            "last-output-left-out",
            "The gates look at the input only. The output of the step before belongs to every block: h·U.",
            swaps=(("x @ W + h @ U + b", "x @ W + b"),),
        ),
        Mutant(
            "overflow",
            "exp(1000) / (1 + exp(1000)) is NaN. Write the sigmoid so that large sums end at 0 and 1.",
            swaps=(("0.5 * (1.0 + np.tanh(0.5 * a))", "np.exp(a) / (1.0 + np.exp(a))"),),
        ),
        Mutant(
            "groups-of-four",
            "The columns were taken as k groups of four. They are four blocks of k, one after the other.",
            swaps=(
                (
                    "np.split(x @ W + h @ U + b, 4, axis=1)",
                    "np.moveaxis((x @ W + h @ U + b).reshape(n, k, 4), 2, 0)",
                ),
            ),
        ),
    ),
    accepted=(gate_by_gate, number_by_number),
)
