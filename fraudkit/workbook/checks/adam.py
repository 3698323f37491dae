"""Adam: the correction of the first steps, a counter for each call, and inputs left alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fraudkit.workbook.agree import in_steps
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step


def from_all_gradients(lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, steps=()):
    """The oracle: no running moments, but the weighted mean of every gradient so far, one number at a time."""
    answers = []
    for t, step in enumerate(steps, start=1):
        moved = {}
        for key, value in step.args[0].items():
            shape = np.shape(value)
            history = [np.asarray(before.args[1][key], dtype=float).reshape(-1) for before in steps[:t]]
            flat = []
            for i, parameter in enumerate(np.asarray(value, dtype=float).reshape(-1)):
                g = [float(past[i]) for past in history]
                m = _weighted_mean(g, beta1)
                v = _weighted_mean([x * x for x in g], beta2)
                flat.append(float(parameter) - lr * m / (math.sqrt(v) + eps))
            moved[key] = np.array(flat).reshape(shape)
        answers.append(moved)
    return answers


def _weighted_mean(values: list[float], beta: float) -> float:
    """Weights beta to the power of the age, which is what the corrected running moment comes to."""
    weights = [beta**age for age in range(len(values) - 1, -1, -1)]
    return math.fsum(w * x for w, x in zip(weights, values, strict=True)) / math.fsum(weights)


def _case(name: str, pairs: list[tuple[Any, Any]], why: str = "", raises: str = "", **settings: float) -> Case:
    return Case(name, kwargs=settings, steps=tuple(Step("step", pair) for pair in pairs), why=why, raises=raises)


def cases(rng: np.random.Generator) -> list[Case]:
    """One step, several, several parameters, and what may not happen to the inputs."""
    w = np.array([1.0, -2.0, 0.5])
    small = {"w": w, "b": np.array([0.3])}
    found = [
        _case(
            "one step",
            [({"w": w}, {"w": np.array([0.001, -5.0, 700.0])})],
            why="the first step is lr times the sign of the gradient, whatever its size",
            lr=0.1,
        ),
        _case(
            "three steps",
            [({"w": w}, {"w": g}) for g in (np.array([1.0, 2, -3]), np.array([-1.0, 2, 0]), np.array([0.5, -4, 1]))],
            why="the correction uses beta to the power of the number of steps so far",
            lr=0.01,
        ),
        _case(
            "two parameters, two steps",
            [(small, {"w": w, "b": np.array([2.0])}), (small, {"w": -w, "b": np.array([1.0])})],
            why="one count for each call of step, not for each parameter; moments of each parameter its own",
            lr=0.05,
        ),
        _case("a gradient of zero", [({"w": w}, {"w": np.zeros(3)})], why="0 / (0 + eps) is 0: nothing moves"),
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
        _case("moments without memory", [({"w": w}, {"w": w}), ({"w": w}, {"w": 2 - w})], beta1=0.0, beta2=0.5, lr=0.1),
        _case(
            "parameters set back between steps",
            [({"w": w}, {"w": w}), ({"w": w + 10}, {"w": w}), ({"w": w - 10}, {"w": w})],
            why="the step starts from the parameters handed in, not from those returned before",
            lr=0.1,
        ),
        _case("another key", [({"w": w}, {"v": w})], raises="ValueError"),
        _case("another shape", [({"w": w}, {"w": np.array([1.0])})], raises="ValueError", why="no broadcasting here"),
    ]
    params = {"W": rng.normal(size=(3, 2)), "b": rng.normal(size=2)}
    pairs = [(params, {"W": rng.normal(size=(3, 2)), "b": rng.normal(size=2) * 50}) for _ in range(8)]
    found.append(_case("eight steps of a layer", pairs, lr=0.02, beta1=0.8, beta2=0.99, eps=1e-6))
    return found


class StepSizeAdam:
    """Accepted: the corrections folded into the step size, moments updated in place."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.betas, self.eps = lr, (beta1, beta2), eps
        self.count, self.moments = 0, None

    def step(self, params, grads):
        if set(params) != set(grads) or any(np.shape(params[k]) != np.shape(grads[k]) for k in params):
            raise ValueError("keys or shapes differ")
        if self.moments is None:
            self.moments = {k: (np.zeros(np.shape(g)), np.zeros(np.shape(g))) for k, g in grads.items()}
        self.count += 1
        first, second = (1 - beta**self.count for beta in self.betas)
        result = {}
        for key in params:
            gradient = np.asarray(grads[key], dtype=np.float64)
            m, v = self.moments[key]
            m += (1 - self.betas[0]) * (gradient - m)
            v += (1 - self.betas[1]) * (gradient * gradient - v)
            result[key] = np.asarray(params[key], dtype=np.float64) - (self.lr / first) * m / (
                np.sqrt(v / second) + self.eps
            )
        return result


class RememberingAdam:
    """Accepted: keeps every gradient and sums them with their weights each time."""

    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.settings = lr, beta1, beta2, eps
        self.past = {}

    def step(self, params, grads):
        lr, beta1, beta2, eps = self.settings
        if sorted(params) != sorted(grads):
            raise ValueError("different parameters")
        for key, value in grads.items():
            if np.asarray(value).shape != np.asarray(params[key]).shape:
                raise ValueError(f"{key} and its gradient have different shapes")
            self.past.setdefault(key, []).append(np.array(value, dtype=float))
        out = {}
        for key, value in params.items():
            ages = np.arange(len(self.past[key]))[::-1]
            stack = np.stack(self.past[key])
            first, second = beta1**ages, beta2**ages
            m = np.tensordot(first, stack, axes=1) / first.sum()
            v = np.tensordot(second, stack**2, axes=1) / second.sum()
            out[key] = np.array(value, dtype=float) - lr * m / (v**0.5 + eps)
        return out


EXERCISE = Exercise(
    id="adam",
    title="The Adam optimiser",
    function="Adam",
    minutes=20,
    difficulty="medium",
    feeds="07",
    week="3-4",
    hints=(
        "Keep two dicts of moments and one counter in the object. The counter grows once in each call of `step`.",
        "The moments start at 0 and are too small at first: divide by 1 - beta**t.",
        "Build a new dict; `params[key] - ...` makes a new array, `params[key] -= ...` changes the caller's.",
    ),
    cases=cases,
    expect=from_all_gradients,
    agree=in_steps(1e-10, 1e-11),
    mutants=(
        Mutant(
            "no-correction",
            "The moments start at 0 and are too small in the first steps; divide each by 1 - beta to the power t.",
            swaps=(
                ("self.m[key] / (1 - self.beta1**self.t)", "self.m[key]"),
                ("self.v[key] / (1 - self.beta2**self.t)", "self.v[key]"),
            ),
        ),
        Mutant(
            "second-moment-not-corrected",
            "Only the first moment was corrected. The second starts at 0 as well, and its beta is closer to 1.",
            swaps=(("self.v[key] / (1 - self.beta2**self.t)", "self.v[key]"),),
        ),
        Mutant(
            "correction-of-step-one",
            "The correction uses beta itself; from the second step on it is beta to the power t.",
            swaps=(
                ("(1 - self.beta1**self.t)", "(1 - self.beta1)"),
                ("(1 - self.beta2**self.t)", "(1 - self.beta2)"),
            ),
        ),
        Mutant(
            "counted-by-parameter",
            "The step counter grows with each parameter. It counts calls of `step`, the same for all parameters.",
            swaps=(
                ("        self.t += 1\n", ""),
                ("for key, g in grads.items():\n", "for key, g in grads.items():\n            self.t += 1\n"),
            ),
        ),
        Mutant(
            "eps-under-the-root",
            "eps was added under the root, where it counts as its own root, ten thousand times larger. Add it outside.",
            swaps=(("(np.sqrt(v_hat) + self.eps)", "np.sqrt(v_hat + self.eps)"),),
        ),
        Mutant(
            "gradient-not-squared",
            "The second moment is the running mean of the squared gradient; the absolute gradient was taken.",
            swaps=(("(1 - self.beta2) * g**2", "(1 - self.beta2) * np.abs(g)"),),
        ),
        Mutant(
            "uphill",
            "The step goes up the gradient. The loss falls against it: subtract.",
            swaps=(("params[key] - self.lr", "params[key] + self.lr"),),
        ),
        Mutant(
            "changed-in-place",
            "The caller's parameters were changed. Return new arrays: an earlier state is still needed to go back to.",
            swaps=(
                (
                    "params = {key: np.array(value, dtype=float) for key, value in params.items()}",
                    "params = {key: np.asarray(value, dtype=float) for key, value in params.items()}",
                ),
                (
                    "new[key] = params[key] - self.lr * m_hat / (np.sqrt(v_hat) + self.eps)",
                    "params[key] -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)\n            new[key] = params[key]",
                ),
            ),
        ),
    ),
    accepted=(StepSizeAdam, RememberingAdam),
)
