"""Gradient descent with momentum: a velocity that sums, decay inside it, Nesterov's look ahead."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fraudkit.workbook.agree import in_steps
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step


def from_all_gradients(lr=0.01, momentum=0.9, weight_decay=0.0, nesterov=False, steps=()):
    """The oracle: no velocity is kept; every gradient so far is summed with momentum to the power of its age."""
    answers = []
    for t in range(len(steps)):
        moved = {}
        for key, value in steps[t].args[0].items():
            flat = []
            for i, parameter in enumerate(np.asarray(value, dtype=float).reshape(-1)):
                pulls = [_pull(step.args, key, i, weight_decay) for step in steps[: t + 1]]
                powers = [momentum**age for age in range(t, -1, -1)]
                if nesterov:  # every gradient is one step older, and the newest counts once more
                    powers = [momentum * power for power in powers]
                    powers[-1] += 1
                flat.append(float(parameter) - lr * math.fsum(w * g for w, g in zip(powers, pulls, strict=True)))
            moved[key] = np.array(flat).reshape(np.shape(value))
        answers.append(moved)
    return answers


def _pull(args: tuple[Any, ...], key: str, place: int, weight_decay: float) -> float:
    """One parameter's gradient at one step, weight decay included."""
    parameter, gradient = (np.asarray(which[key], dtype=float).reshape(-1)[place] for which in args)
    return float(gradient + weight_decay * parameter)


def _case(name: str, pairs: list[tuple[Any, Any]], why: str = "", raises: str = "", **settings: Any) -> Case:
    return Case(name, kwargs=settings, steps=tuple(Step("step", pair) for pair in pairs), why=why, raises=raises)


def cases(rng: np.random.Generator) -> list[Case]:
    """One step, several, decay, look-ahead, then what must be refused."""
    w = np.array([1.0, -2.0, 0.5])
    turns = [np.array([1.0, 2, -3]), np.array([-1.0, 2, 0]), np.array([0.5, -4, 1])]
    small = {"w": w, "b": np.array([0.3])}
    found = [
        _case(
            "one step",
            [({"w": w}, {"w": turns[0]})],
            why="the velocity starts at 0 and takes the whole gradient: the first step is lr times g",
            lr=0.1,
        ),
        _case(
            "three steps",
            [({"w": w}, {"w": g}) for g in turns],
            why="a gradient of two steps ago counts momentum squared",
            lr=0.1,
        ),
        _case(
            "two parameters, two steps",
            [(small, {"w": w, "b": np.array([2.0])}), (small, {"w": -w, "b": np.array([1.0])})],
            why="each parameter has a velocity of its own",
            lr=0.05,
            momentum=0.5,
        ),
        _case(
            "weight decay",
            [({"w": w}, {"w": turns[0]}), ({"w": w * 2}, {"w": turns[1]}), ({"w": w}, {"w": turns[2]})],
            why="the decay is part of the gradient, so the velocity remembers it",
            lr=0.1,
            weight_decay=0.2,
        ),
        _case(
            "Nesterov",
            [({"w": w}, {"w": g}) for g in turns],
            why="the step is g plus momentum times the new velocity",
            lr=0.1,
            momentum=0.8,
            nesterov=True,
        ),
        _case("no momentum", [({"w": w}, {"w": g}) for g in turns], lr=0.2, momentum=0.0),
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
        _case("a momentum of 1", [({"w": w}, {"w": w})], raises="ValueError", momentum=1.0, why="it never forgets"),
        _case("another key", [({"w": w}, {"v": w})], raises="ValueError"),
        _case("another shape", [({"w": w}, {"w": np.array([1.0])})], raises="ValueError", why="no broadcasting here"),
    ]
    params = {"W": rng.normal(size=(3, 2)), "b": rng.normal(size=2)}
    for nesterov in (False, True):
        pairs = [(params, {"W": rng.normal(size=(3, 2)), "b": rng.normal(size=2) * 50}) for _ in range(5)]
        name = f"five steps of a layer{', Nesterov' if nesterov else ''}"
        found.append(_case(name, pairs, lr=0.02, momentum=0.7, weight_decay=0.1, nesterov=nesterov))
    return found


class LastMove:
    """Accepted: remembers the last displacement, learning rate included, and continues it."""

    def __init__(self, lr=0.01, momentum=0.9, weight_decay=0.0, nesterov=False):
        if momentum < 0 or momentum >= 1:
            raise ValueError("momentum out of range")
        self.rate, self.keep, self.decay, self.ahead = lr, momentum, weight_decay, nesterov
        self.moves = None

    def step(self, params, grads):
        if params.keys() != grads.keys() or any(np.shape(params[k]) != np.shape(grads[k]) for k in params):
            raise ValueError("keys or shapes differ")
        if self.moves is None:
            self.moves = {k: np.zeros(np.shape(p)) for k, p in params.items()}
        after = {}
        for name in params:
            place = np.array(params[name], dtype=np.float64)
            push = -self.rate * (np.array(grads[name], dtype=np.float64) + self.decay * place)
            self.moves[name] = push + self.keep * self.moves[name]
            after[name] = place + (push + self.keep * self.moves[name] if self.ahead else self.moves[name])
        return after


class AllTheGradients:
    """Accepted: keeps every gradient and weighs them by age each time."""

    def __init__(self, lr=0.01, momentum=0.9, weight_decay=0.0, nesterov=False):
        if not (momentum >= 0 and momentum < 1):
            raise ValueError(f"{momentum} is no momentum")
        self.settings = lr, momentum, weight_decay, nesterov
        self.past = {}

    def step(self, params, grads):
        lr, momentum, decay, nesterov = self.settings
        if sorted(params) != sorted(grads):
            raise ValueError("different parameters")
        out = {}
        for key in sorted(params):
            p, g = np.array(params[key], float), np.array(grads[key], float)
            if p.shape != g.shape:
                raise ValueError(f"{key}: {p.shape} and {g.shape}")
            self.past.setdefault(key, []).append(g + decay * p)
            weights = momentum ** np.arange(len(self.past[key]))[::-1]
            if nesterov:
                weights = momentum * weights
                weights[-1] += 1.0
            out[key] = p - lr * np.tensordot(weights, np.stack(self.past[key]), axes=1)
        return out


EXERCISE = Exercise(
    id="sgd_momentum",
    title="Gradient descent with momentum",
    function="SgdMomentum",
    minutes=15,
    difficulty="easy",
    feeds="07",
    week="3-4",
    hints=(
        "Keep one dict in the object: the velocity of each key, 0 where a key is new.",
        "Order matters: decay goes into the gradient, the gradient into the velocity, the velocity into the step.",
        "With Nesterov the step is g + momentum·v, where v already holds g.",
    ),
    cases=cases,
    expect=from_all_gradients,
    agree=in_steps(1e-10, 1e-11),
    mutants=(
        Mutant(
            "gradient-averaged-in",
            "The gradient entered the velocity with 1 - momentum, which makes every step shorter. "
            "Here the velocity is a sum: momentum times v, plus g.",
            swaps=(("self.velocity.get(key, 0.0) + g", "self.velocity.get(key, 0.0) + (1 - self.momentum) * g"),),
        ),
        Mutant(
            "velocity-forgotten",
            "The velocity never builds up: it was not kept from one step to the next.",
            swaps=(("            self.velocity[key] = v\n", ""),),
        ),
        Mutant(
            "decay-outside-the-velocity",
            "Weight decay was applied beside the velocity. That is decoupled decay, a different optimiser; "
            "here it is added to the gradient first.",
            swaps=(
                ("            g = g + self.weight_decay * params[key]\n", ""),
                ("- self.lr * direction", "- self.lr * (direction + self.weight_decay * params[key])"),
            ),
        ),
        Mutant(
            "decay-left-out",
            "The weight decay is never used.",
            swaps=(("            g = g + self.weight_decay * params[key]\n", ""),),
        ),
        Mutant(
            "nesterov-ignored",
            "With nesterov=True the step is the same as without.",
            swaps=(("g + self.momentum * v if self.nesterov else v", "v"),),
        ),
        Mutant(
            "nesterov-without-the-gradient",
            "The look-ahead step is momentum times the new velocity; the gradient itself has to be added to it.",
            swaps=(("g + self.momentum * v if self.nesterov", "self.momentum * v if self.nesterov"),),
        ),
        Mutant(
            "uphill",
            "The step goes up the gradient. The loss falls against it: subtract.",
            swaps=(("params[key] - self.lr", "params[key] + self.lr"),),
        ),
        Mutant(
            "shapes-broadcast",
            "A gradient of another shape was stretched to fit. That hides a bug in the backward pass: raise ValueError.",
            swaps=(
                (
                    "{k: v.shape for k, v in params.items()} != {k: v.shape for k, v in grads.items()}",
                    "set(params) != set(grads)",
                ),
            ),
        ),
    ),
    accepted=(LastMove, AllTheGradients),
)
