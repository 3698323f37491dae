"""RMSprop: a running mean square for each element, the new one in the root, no correction of the start."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fraudkit.workbook.agree import in_steps
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step


def from_all_gradients(lr=0.001, decay=0.9, eps=1e-8, steps=()):
    """The oracle: no running mean, but every squared gradient so far weighted by its age, one number at a time."""
    answers = []
    for t, step in enumerate(steps):
        moved = {}
        for key, value in step.args[0].items():
            history = [np.asarray(before.args[1][key], dtype=float).reshape(-1) for before in steps[: t + 1]]
            flat = []
            for i, parameter in enumerate(np.asarray(value, dtype=float).reshape(-1)):
                size = math.sqrt((1 - decay) * math.fsum(decay ** (t - j) * g[i] ** 2 for j, g in enumerate(history)))
                flat.append(float(parameter) - lr * history[-1][i] / (size + eps))
            moved[key] = np.array(flat).reshape(np.shape(value))
        answers.append(moved)
    return answers


def _case(name: str, pairs: list[tuple[Any, Any]], why: str = "", raises: str = "", **settings: float) -> Case:
    return Case(name, kwargs=settings, steps=tuple(Step("step", pair) for pair in pairs), why=why, raises=raises)


def cases(rng: np.random.Generator) -> list[Case]:
    """One step, several, tiny gradients, then what must be refused."""
    w = np.array([1.0, -2.0, 0.5])
    small = {"w": w, "b": np.array([0.3])}
    found = [
        _case(
            "one step",
            [({"w": w}, {"w": np.array([0.001, -5.0, 700.0])})],
            why="each element is divided by its own size: the first step is lr / √(1 - decay), whatever the gradient",
            lr=0.1,
        ),
        _case(
            "three steps",
            [({"w": w}, {"w": g}) for g in (np.array([1.0, 2, -3]), np.array([-1.0, 2, 0.5]), np.array([0.5, -4, 1]))],
            why="old squares fade by decay with each step",
            lr=0.1,
            decay=0.6,
        ),
        _case(
            "two parameters, two steps",
            [(small, {"w": w, "b": np.array([2.0])}), (small, {"w": -w, "b": np.array([1.0])})],
            lr=0.05,
        ),
        _case(
            "a gradient of zero",
            [({"w": w}, {"w": np.zeros(3)})] * 2,
            why="0 / (0 + eps) is 0: nothing moves, nothing is NaN",
        ),
        _case(
            "gradients as small as eps",
            [({"w": w}, {"w": np.array([1e-8, 2e-9, -3e-8])})],
            why="eps is added to the root, not under it",
            lr=1.0,
        ),
        _case(
            "numbers and lists, integers",
            [({"w": [1, 2], "b": 3}, {"w": [4, -5], "b": 1})] * 2,
            why="integer parameters come back as fractions",
            lr=0.25,
        ),
        _case(
            "parameters set back between steps",
            [({"w": w}, {"w": w}), ({"w": w + 10}, {"w": w}), ({"w": w - 10}, {"w": w})],
            why="the step starts from the parameters handed in",
            lr=0.1,
        ),
        _case("another key", [({"w": w}, {"v": w})], raises="ValueError"),
        _case("another shape", [({"w": w}, {"w": np.array([1.0])})], raises="ValueError", why="no broadcasting here"),
    ]
    params = {"W": rng.normal(size=(3, 2)), "b": rng.normal(size=2)}
    pairs = [(params, {"W": rng.normal(size=(3, 2)), "b": rng.normal(size=2) * 50}) for _ in range(6)]
    found.append(_case("six steps of a layer", pairs, lr=0.02, decay=0.8, eps=1e-6))
    return found


class InPlaceSquares:
    """Accepted: buffers made at the first step and moved towards each new square in place."""

    buffers = None

    def __init__(self, lr=0.001, decay=0.9, eps=1e-8):
        self.rate, self.gain, self.small = lr, 1 - decay, eps

    def step(self, params, grads):
        if set(params) != set(grads) or any(np.shape(params[k]) != np.shape(grads[k]) for k in params):
            raise ValueError("keys or shapes differ")
        self.buffers = self.buffers or {name: np.zeros(np.shape(g)) for name, g in grads.items()}
        result = {}
        for name, buffer in self.buffers.items():
            gradient = np.asarray(grads[name], dtype=np.float64)
            buffer += self.gain * (gradient * gradient - buffer)
            result[name] = np.subtract(params[name], self.rate * gradient / (buffer**0.5 + self.small))
        return result


class RememberingSquares:
    """Accepted: keeps every gradient and sums the squares by age each time."""

    def __init__(self, lr=0.001, decay=0.9, eps=1e-8):
        self.settings = lr, decay, eps
        self.past = {}

    def step(self, params, grads):
        lr, decay, eps = self.settings
        if sorted(params) != sorted(grads):
            raise ValueError("different parameters")
        out = {}
        for key in grads:
            p, g = np.array(params[key], float), np.array(grads[key], float)
            if p.shape != g.shape:
                raise ValueError(f"{key}: {p.shape} and {g.shape}")
            past = np.stack([*self.past.setdefault(key, []), g])
            self.past[key].append(g)
            weights = (1 - decay) * decay ** np.arange(len(past) - 1, -1, -1)
            out[key] = p - lr * g / (np.sqrt(np.tensordot(weights, past * past, axes=1)) + eps)
        return out


EXERCISE = Exercise(
    id="rmsprop",
    title="RMSprop",
    function="RmsProp",
    minutes=12,
    difficulty="easy",
    feeds="07",
    week="3-4",
    hints=(
        "One dict in the object: the running mean of the squared gradient for each key, element by element.",
        "Update the running mean first, then divide the gradient by its root plus eps.",
    ),
    cases=cases,
    expect=from_all_gradients,
    agree=in_steps(1e-10, 1e-11),
    mutants=(
        Mutant(
            "squares-summed",
            "The squares were added up without forgetting. That is AdaGrad, whose steps only ever shrink; "
            "here the old mean is multiplied by decay and the new square by 1 - decay.",
            swaps=(
                (
                    "self.decay * self.square.get(key, 0.0) + (1 - self.decay) * g**2",
                    "self.square.get(key, 0.0) + g**2",
                ),
            ),
        ),
        Mutant(
            "weights-exchanged",
            "decay belongs to the old mean and 1 - decay to the new square; they were exchanged.",
            swaps=(
                (
                    "self.decay * self.square.get(key, 0.0) + (1 - self.decay) * g**2",
                    "(1 - self.decay) * self.square.get(key, 0.0) + self.decay * g**2",
                ),
            ),
        ),
        Mutant(
            "start-corrected",
            "The mean was divided by 1 - decay in the first step, as Adam does. RMSprop has no such correction.",
            swaps=(("self.square.get(key, 0.0)", "self.square.get(key, g**2)"),),
        ),
        Mutant(
            "old-mean-in-the-root",
            "The step was divided by the root of the mean before this gradient; in the first step that is eps alone.",
            swaps=(
                ("            self.square[key] = s\n", ""),
                (
                    "new[key] = params[key] - self.lr * g / (np.sqrt(s) + self.eps)",
                    "new[key] = params[key] - self.lr * g / (np.sqrt(self.square.get(key, 0.0)) + self.eps)\n"
                    "            self.square[key] = s",
                ),
            ),
        ),
        Mutant(
            "eps-under-the-root",
            "eps was added under the root, where it counts as its own root, ten thousand times larger. Add it outside.",
            swaps=(("(np.sqrt(s) + self.eps)", "np.sqrt(s + self.eps)"),),
        ),
        Mutant(
            "no-root",
            "The gradient was divided by the mean square itself. Its root has the gradient's unit.",
            swaps=(("np.sqrt(s) + self.eps", "s + self.eps"),),
        ),
        Mutant(
            "one-size-for-the-layer",
            "The squares were averaged over the whole array. Each element has a size of its own, "
            "or a rare input stays as slow as before.",
            swaps=(("(1 - self.decay) * g**2", "(1 - self.decay) * np.mean(g**2)"),),
        ),
        Mutant(
            "uphill",
            "The step goes up the gradient. The loss falls against it: subtract.",
            swaps=(("params[key] - self.lr", "params[key] + self.lr"),),
        ),
    ),
    accepted=(InPlaceSquares, RememberingSquares),
)
