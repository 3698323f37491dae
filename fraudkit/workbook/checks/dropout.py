"""Inverted dropout: the division belongs to training, the mask to the last forward pass."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step


def one_value_at_a_time(rate, steps=()):
    """The oracle: no mask is kept; each value is looked up anew in the draws of the last forward call."""
    answers: list[Any] = []
    last: tuple[Any, ...] = ()
    for step in steps:
        if step.method == "forward":
            last = (*step.args, True)[:3]
            values = last[0]
        else:
            values = step.args[0]
        shape = np.shape(values)
        flat = np.asarray(values, dtype=float).reshape(-1).tolist()
        if last[2]:
            draws = np.asarray(last[1], dtype=float).reshape(-1).tolist()
            flat = [value / (1 - rate) if u >= rate else 0.0 for value, u in zip(flat, draws, strict=True)]
        answers.append(np.array(flat).reshape(shape))
    return answers


def agree(got: Any, expected: Any, case: Case) -> str:
    """Arrays within rounding, call by call."""
    if not isinstance(got, list) or len(got) != len(expected):
        return "the answers are not one for each call"
    for step, mine, right in zip(case.steps, got, expected, strict=True):
        if reason := difference(mine, right, 1e-10, 1e-12):
            return f"{step.method}: {reason}"
    return ""


def _case(name: str, rate: float, *calls: tuple[Any, ...], why: str = "", raises: str = "") -> Case:
    return Case(name, (rate,), steps=tuple(Step(call[0], call[1:]) for call in calls), why=why, raises=raises)


def cases(rng: np.random.Generator) -> list[Case]:
    """Forward and backward, both modes, the edge of the rate, then random ones."""
    x = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])
    draws = np.array([[0.1, 0.3, 0.9], [0.2, 0.95, 0.05]])
    other = draws[::-1]
    up = np.array([[1.0, 2.0, 3.0], [-4.0, 5.0, 0.5]])
    found = [
        _case("one layer in training", 0.2, ("forward", x, draws), why="what is kept is divided by 1 - rate"),
        _case(
            "backward",
            0.2,
            ("forward", x, draws),
            ("backward", up),
            why="the gradient passes where the value passed, with the same factor",
        ),
        _case(
            "a draw that equals the rate",
            0.5,
            ("forward", [1.0, 2.0, 3.0], [0.5, 0.4, 0.6]),
            why="kept is where the draw is at least the rate",
        ),
        _case(
            "outside of training",
            0.4,
            ("forward", x, None, False),
            why="at run time the layer is not there: no zeros and no factor",
        ),
        _case(
            "training, then scoring, then backward",
            0.4,
            ("forward", x, draws),
            ("forward", up, draws, False),
            ("backward", up),
            why="backward belongs to the last forward, which dropped nothing",
        ),
        _case(
            "two batches",
            0.25,
            ("forward", x, draws),
            ("forward", x, other),
            ("backward", up),
            why="each batch has its own mask",
        ),
        _case("nothing dropped", 0.0, ("forward", x, draws), ("backward", up)),
        _case("integers", 0.5, ("forward", [[1, 2], [3, 5]], [[0.9, 0.1], [0.6, 0.7]]), ("backward", [[1, 1], [1, 3]])),
        _case("a rate of 1", 1.0, ("forward", x, draws), raises="ValueError", why="nothing would be left to scale up"),
        _case("draws for one row only", 0.5, ("forward", x, draws[0]), raises="ValueError", why="no broadcasting"),
        _case("backward first", 0.5, ("backward", up), raises="ValueError"),
    ]
    for rate in (0.3, 0.8):
        values, uniforms, back = rng.normal(size=(8, 5)), rng.random((8, 5)), rng.normal(size=(8, 5))
        found.append(
            _case(f"eight payments, rate {rate}", rate, ("forward", values, uniforms, True), ("backward", back))
        )
    return found


class KeptPlaces:
    """Accepted: remembers the kept places as booleans and the factor apart."""

    def __init__(self, rate):
        if rate < 0 or rate >= 1:
            raise ValueError("no such rate")
        self.rate = rate

    def forward(self, x, draws, training=True):
        result = np.array(x, dtype=np.float64)
        self.dropped, self.factor = np.zeros(result.shape, dtype=bool), 1.0
        if training:
            if np.shape(draws) != result.shape:
                raise ValueError("one draw for each value")
            self.dropped, self.factor = np.array(draws) < self.rate, 1.0 / (1.0 - self.rate)
        return self._through(result)

    def _through(self, values):
        values *= self.factor
        values[self.dropped] = 0.0
        return values

    def backward(self, upstream):
        if not hasattr(self, "dropped"):
            raise ValueError("forward comes first")
        return self._through(np.array(upstream, dtype=np.float64))


class Replayed:
    """Accepted: keeps the draws and does the same to the gradient as to the values."""

    def __init__(self, rate):
        if not (rate >= 0 and 1 - rate > 0):
            raise ValueError(f"cannot drop a share of {rate}")
        self.keep = 1 - rate

    def forward(self, x, draws, training=True):
        if training and np.shape(x) != np.shape(draws):
            raise ValueError("shapes differ")
        self.last = (np.array(draws) if training else None,)
        return self.backward(x)

    def backward(self, upstream):
        if not hasattr(self, "last"):
            raise ValueError("nothing to go back through")
        (draws,) = self.last
        if draws is None:
            return 1.0 * np.asarray(upstream)
        return np.where(draws >= 1 - self.keep, np.true_divide(upstream, self.keep), 0.0)


EXERCISE = Exercise(
    id="dropout",
    title="Inverted dropout, forward and backward",
    function="Dropout",
    minutes=12,
    difficulty="easy",
    feeds="07",
    week="3-4",
    hints=(
        "One array holds everything that backward needs: 0 where dropped, the factor where kept. Make it in forward.",
        "The factor is 1 / (1 - rate), so that the expected value stays x. Outside of training the array is all ones.",
    ),
    cases=cases,
    expect=one_value_at_a_time,
    agree=agree,
    mutants=(
        Mutant(
            "not-scaled",
            "What is kept was not scaled up, so the next layer receives less in training than at run time. "
            "Divide by 1 - rate.",
            swaps=((" / (1 - self.rate)", " / 1.0"),),
        ),
        Mutant(
            "scaled-by-the-rate",
            "The kept values were divided by the rate; the share that is kept is 1 - rate.",
            swaps=((" / (1 - self.rate)", " / (self.rate or 1.0)"),),
        ),
        Mutant(
            "scaled-at-run-time",
            "The values were multiplied by 1 - rate outside of training. That belongs to classical dropout; "
            "the inverted kind scales in training and is absent at run time.",
            swaps=(("np.ones(x.shape)", "np.full(x.shape, 1 - self.rate)"),),
        ),
        Mutant(
            "kept-and-dropped-exchanged",
            "The values with a draw below the rate were kept. With a rate of 0.2 that drops four values of five.",
            swaps=(("np.asarray(draws) >= self.rate", "np.asarray(draws) < self.rate"),),
        ),
        Mutant(
            "edge-dropped",
            "A draw that equals the rate keeps its value: draws lie in [0, 1), so the comparison is 'at least'.",
            swaps=(("np.asarray(draws) >= self.rate", "np.asarray(draws) > self.rate"),),
        ),
        Mutant(
            "backward-lets-all-through",
            "The gradient went through dropped values too. It passes only where the value passed.",
            swaps=(
                (
                    "np.asarray(upstream, dtype=float) * self.mask",
                    "np.asarray(upstream, dtype=float) * self.mask.max()",
                ),
            ),
        ),
        Mutant(
            "backward-not-scaled",
            "The gradient was masked but not scaled; the factor of the forward pass is part of its derivative.",
            swaps=(
                (
                    "np.asarray(upstream, dtype=float) * self.mask",
                    "np.asarray(upstream, dtype=float) * (self.mask > 0)",
                ),
            ),
        ),
        Mutant(
            "dropped-at-run-time",
            "Values were dropped although training is over: the same payment would get another score each time.",
            swaps=(("if not training:", "if not training and draws is None:"),),
        ),
    ),
    accepted=(KeptPlaces, Replayed),
)
