"""Positional encoding: interleaved pairs, the exponent 2i/d, and positions as they are handed in."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def one_number_at_a_time(positions, d, base=10000.0):
    """The oracle: each column's wave by itself, the cosine as a sine a quarter turn ahead."""
    rows = [
        [math.sin(float(p) * math.exp(-(j - j % 2) / d * math.log(base)) + (j % 2) * math.pi / 2) for j in range(d)]
        for p in positions
    ]
    return np.array(rows).reshape(len(rows), d)


def cases(rng: np.random.Generator) -> list[Case]:
    """Position 0, the first few, fractions, a lone payment late in a history, other bases, bad widths."""
    found = [
        Case("the first payment", ([0], 6), why="at 0 every sine is 0 and every cosine 1: columns alternate"),
        Case(
            "three payments",
            (np.arange(3), 4),
            why="a pair of columns shares one frequency, and the pairs stand side by side",
        ),
        Case("one pair", (np.array([1.0, 2.0]), 2)),
        Case(
            "hours since the first payment",
            (np.array([0.0, 0.25, 26.5, 700.0]), 6),
            why="the positions are those handed in, not 0, 1, 2, …",
        ),
        Case("before the reference", (np.array([-3.0, -0.5]), 4)),
        Case(
            "six columns",
            (np.array([1, 5, 9]), 6),
            why="the exponent is 2i/d: d, not the number of pairs or of payments",
        ),
        Case("another base", (np.array([1.0, 10.0]), 4, 100.0)),
        Case("no payments", ([], 4)),
        Case("an odd width", ([1, 2], 3), raises="ValueError", why="columns come in pairs"),
        Case("no width", ([1, 2], 0), raises="ValueError"),
    ]
    for n, d in ((10, 8), (25, 12)):
        found.append(
            Case(f"{n} payments, {d} columns", (np.cumsum(rng.exponential(3, n)), d, float(rng.integers(50, 5000))))
        )
    return found


def points_on_circles(positions, d, base=10000.0):
    """Accepted: complex numbers on the unit circle, read as pairs."""
    pairs, odd = divmod(d, 2)
    if odd or pairs < 1:
        raise ValueError("columns come in pairs")
    speed = np.power(float(base), -np.arange(pairs) / pairs)
    turned = np.exp(1j * np.outer(np.asarray(positions, dtype=float), speed))
    return np.stack([turned.imag, turned.real], axis=-1).reshape(len(turned), d)


def by_comprehension(positions, d, base=10000.0):
    """Accepted: plain Python, one function for even and one for odd columns."""
    if d <= 0 or d % 2 == 1:
        raise ValueError(f"no encoding of width {d}")
    waves = (math.sin, math.cos)
    table = np.zeros((len(positions), d))
    for row, position in enumerate(positions):
        for column in range(d):
            table[row, column] = waves[column & 1](position / math.pow(base, column // 2 * 2 / d))
    return table


EXERCISE = Exercise(
    id="positional_encoding",
    title="Sinusoidal positional encoding",
    minutes=10,
    difficulty="easy",
    feeds="07",
    week="3-4",
    hints=(
        "Make a table of angles, positions down and frequencies across, by broadcasting; there are d/2 frequencies.",
        "Sines go to the even columns, `[:, 0::2]`, cosines to the odd ones.",
    ),
    cases=cases,
    expect=one_number_at_a_time,
    agree=close(1e-8, 1e-9),
    mutants=(
        Mutant(
            "halves",
            "All sines stand first and all cosines after them. Here each sine has its cosine beside it.",
            swaps=(("encoded[:, 0::2]", "encoded[:, : d // 2]"), ("encoded[:, 1::2]", "encoded[:, d // 2 :]")),
        ),
        Mutant(
            "sine-and-cosine-exchanged",
            "Sine and cosine were exchanged: the even columns are sines.",
            swaps=(
                ("encoded[:, 0::2] = np.sin", "encoded[:, 1::2] = np.sin"),
                ("encoded[:, 1::2] = np.cos", "encoded[:, 0::2] = np.cos"),
            ),
        ),
        Mutant(
            "exponent-of-i",
            "The exponent is 2i/d; with i/d the slowest wave is a hundred times too fast.",
            swaps=(("np.arange(0, d, 2) / d", "np.arange(d // 2) / d"),),
        ),
        Mutant(
            "frequency-for-each-column",
            "Sine and cosine of a pair had different frequencies. Columns 2i and 2i + 1 share one.",
            swaps=(
                (
                    "encoded[:, 1::2] = np.cos(angles)",
                    "encoded[:, 1::2] = np.cos(positions[:, None] / base ** (np.arange(1, d, 2) / d))",
                ),
            ),
        ),
        Mutant(
            "positions-counted",
            "The rows were numbered 0, 1, 2, … The positions are handed in; a pause between two payments is information.",
            swaps=(("positions[:, None] / base", "np.arange(len(positions))[:, None] / base"),),
        ),
        Mutant(
            "positions-cut-to-integers",
            "The positions were cut to whole numbers; half an hour is not zero hours.",
            swaps=(("np.asarray(positions, dtype=float)", "np.asarray(positions, dtype=int)"),),
        ),
        Mutant(
            "multiplied",
            "The position was multiplied by base^(2i/d) where it has to be divided: every wave is as fast as noise.",
            swaps=(("positions[:, None] / base", "positions[:, None] * base"),),
        ),
    ),
    accepted=(points_on_circles, by_comprehension),
)
