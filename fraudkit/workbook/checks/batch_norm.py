"""Batch normalisation: statistics of the batch in training, remembered ones later, and all three ways back."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step


def by_torch(gamma, beta, momentum=0.1, eps=1e-5, steps=()):
    """The oracle: torch's batch_norm, and its automatic derivative."""
    import torch

    def tensor(values, wanted=False):
        return torch.tensor(np.asarray(values, dtype=float), requires_grad=wanted)

    weight, bias = tensor(gamma, True), tensor(beta, True)
    mean, variance = torch.zeros_like(weight), torch.ones_like(weight)
    answers: list[Any] = []
    trained: tuple[Any, ...] = ()
    for step in steps:
        if step.method == "running":
            answers.append((mean.numpy().copy(), variance.numpy().copy()))
        elif step.method == "backward":
            rows, scaled = trained
            gradients = torch.autograd.grad(scaled, (rows, weight, bias), tensor(step.args[0]), retain_graph=True)
            answers.append(tuple(gradient.numpy() for gradient in gradients))
        else:
            training = step.args[1] if len(step.args) > 1 else True
            rows = tensor(step.args[0], True)
            scaled = torch.nn.functional.batch_norm(rows, mean, variance, weight, bias, training, momentum, eps)
            if training:
                trained = rows, scaled
            answers.append(scaled.detach().numpy())
    return answers


def agree(got: Any, expected: Any, case: Case) -> str:
    """Arrays within rounding, call by call."""
    if not isinstance(got, list) or len(got) != len(expected):
        return "the answers are not one for each call"
    for step, mine, right in zip(case.steps, got, expected, strict=True):
        if reason := difference(mine, right, 1e-7, 1e-9):
            return f"{step.method}: {reason}"
    return ""


def _case(
    name: str, gamma: Any, beta: Any, *calls: tuple[Any, ...], why: str = "", raises: str = "", **settings: float
) -> Case:
    steps = tuple(Step(call[0], call[1:]) for call in calls)
    return Case(name, (gamma, beta), settings, steps=steps, why=why, raises=raises)


def cases(rng: np.random.Generator) -> list[Case]:
    """Training, running values, scoring, the way back, then random layers."""
    x = np.array([[1.0, 20.0], [3.0, -10.0], [8.0, 5.0]])
    later = np.array([[2.0, 2.0], [4.0, 7.0]])
    up = np.array([[1.0, -2.0], [0.5, 0.3], [-4.0, 1.0]])
    gamma, beta = np.array([2.0, 0.5]), np.array([1.0, -1.0])
    found = [
        _case(
            "one batch",
            gamma,
            beta,
            ("forward", x),
            why="each column has its own mean and variance over the rows, divisor n; eps is under the root",
            eps=0.5,
        ),
        _case(
            "running values",
            gamma,
            beta,
            ("running",),
            ("forward", x),
            ("running",),
            ("forward", later),
            ("running",),
            why="the old value weighs 1 - momentum; the variance that is remembered has divisor n - 1",
        ),
        _case(
            "one payment scored",
            gamma,
            beta,
            ("forward", x),
            ("forward", later[:1], False),
            why="a single row has no variance: scoring takes the running values",
            momentum=0.5,
        ),
        _case(
            "scoring changes nothing",
            gamma,
            beta,
            ("forward", x),
            ("forward", later, False),
            ("running",),
            why="validation must not leak into the running values",
        ),
        _case(
            "backward",
            gamma,
            beta,
            ("forward", x),
            ("backward", up),
            why="x reaches the result directly, through the mean and through the variance",
            eps=0.01,
        ),
        _case(
            "backward after scoring",
            gamma,
            beta,
            ("forward", x),
            ("forward", later, False),
            ("backward", up),
            why="backward belongs to the last training call",
        ),
        _case("lists of integers", [1, 2], [0, 1], ("forward", [[1, 2], [3, 5]]), ("backward", [[1, 0], [2, 1]])),
        _case(
            "a constant column",
            gamma,
            beta,
            ("forward", np.array([[1.0, 7.0], [3.0, 7.0]])),
            why="a variance of 0: eps keeps it from dividing by 0",
        ),
        _case("a batch of one", gamma, beta, ("forward", x[:1]), raises="ValueError", why="it would become all zeros"),
        _case("backward without training", gamma, beta, ("forward", x, False), ("backward", up), raises="ValueError"),
    ]
    for n, d in ((6, 3), (20, 4)):
        rows, back = rng.normal(3, 2, (n, d)), rng.normal(size=(n, d))
        calls = (("forward", rows), ("backward", back), ("forward", rows + 1, False), ("running",))
        found.append(_case(f"{n} payments, {d} columns", rng.normal(size=d), rng.normal(size=d), *calls))
    return found


class StepByStep:
    """Accepted: the graph written out, each node's derivative in turn."""

    def __init__(self, gamma, beta, momentum=0.1, eps=1e-5):
        self.weight, self.bias = np.asarray(gamma) * 1.0, np.asarray(beta) * 1.0
        self.pace, self.eps = momentum, eps
        self.kept = [self.weight * 0, self.weight * 0 + 1]

    def running(self):
        return tuple(self.kept)

    def forward(self, x, training=True):
        x = np.array(x, float)
        if training:
            if x.shape[0] <= 1:
                raise ValueError("one row has no spread")
            centre = x.sum(axis=0) / len(x)
            off = x - centre
            squares = (off * off).sum(axis=0)
            spread = squares / len(x)
            for i, fresh in enumerate((centre, squares / (len(x) - 1))):
                self.kept[i] = self.kept[i] + self.pace * (fresh - self.kept[i])
            self.saved = (off, spread + self.eps)
        else:
            off, spread = x - self.kept[0], self.kept[1]
        return off * (self.weight * (spread + self.eps) ** -0.5) + self.bias

    def backward(self, upstream):
        if not hasattr(self, "saved"):
            raise ValueError("train first")
        off, spread = self.saved
        up = np.array(upstream, float)
        n = len(up)
        by_hat = up * self.weight
        by_spread = (by_hat * off).sum(axis=0) * -0.5 * spread**-1.5
        by_off = by_hat / np.sqrt(spread) + 2 * off * by_spread / n
        by_centre = -by_off.sum(axis=0)
        return by_off + by_centre / n, (up * off / np.sqrt(spread)).sum(axis=0), np.einsum("nd->d", up)


class ByJacobian:
    """Accepted: for each column the n by n Jacobian, projected and multiplied."""

    def __init__(self, gamma, beta, momentum=0.1, eps=1e-5):
        self.settings = np.array(gamma, dtype=float), np.array(beta, dtype=float), momentum, eps
        self.past = []

    def running(self):
        gamma, _, momentum, _ = self.settings
        mean, variance = np.zeros(len(gamma)), np.ones(len(gamma))
        for batch in self.past:
            mean = mean * (1 - momentum) + momentum * np.mean(batch, axis=0)
            variance = variance * (1 - momentum) + momentum * np.var(batch, axis=0, ddof=1)
        return mean, variance

    def _scaled(self, rows, mean, variance):
        gamma, beta, _, eps = self.settings
        return (rows - mean) / np.sqrt(variance + eps) * gamma + beta

    def forward(self, x, training=True):
        rows = np.array(x, dtype=float)
        if not training:
            return self._scaled(rows, *self.running())
        if len(rows) < 2:
            raise ValueError("too few rows")
        self.past.append(rows)
        return self._scaled(rows, rows.mean(axis=0), rows.var(axis=0))

    def backward(self, upstream):
        if not self.past:
            raise ValueError("no training call yet")
        gamma, _, _, eps = self.settings
        up, rows = np.array(upstream, dtype=float), self.past[-1]
        n, d = rows.shape
        dx, dgamma = np.empty((n, d)), np.empty(d)
        for j in range(d):
            deviation = np.sqrt(rows[:, j].var() + eps)
            hat = (rows[:, j] - rows[:, j].mean()) / deviation
            jacobian = (np.eye(n) - 1 / n - np.outer(hat, hat) / n) * gamma[j] / deviation
            dx[:, j] = jacobian @ up[:, j]
            dgamma[j] = hat @ up[:, j]
        return dx, dgamma, up.sum(axis=0)


EXERCISE = Exercise(
    id="batch_norm",
    title="Batch normalisation, forward and backward",
    function="BatchNorm",
    minutes=35,
    difficulty="hard",
    feeds="07",
    week="3-4",
    hints=(
        "Keep from the training call what backward needs: the normalised rows and the root of variance plus eps.",
        "Two divisors: n where the batch is normalised, n - 1 where the variance is remembered.",
        "Count the ways from x to the result: directly, through the mean, through the variance. Each adds a term to dx.",
        "With g = upstream·gamma: dx = (g - mean(g) - x̂·mean(g·x̂)) / std, the means over the rows.",
    ),
    cases=cases,
    expect=by_torch,
    agree=agree,
    mutants=(
        Mutant(
            "scored-by-its-own-batch",
            "Outside of training the rows were normalised by their own mean and variance. A payment that is scored alone "
            "becomes zero, whatever it is: take the running values.",
            swaps=(
                (
                    "return self.gamma * (x - self.mean) / np.sqrt(self.var + self.eps) + self.beta",
                    "return self.gamma * (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + self.eps) + self.beta",
                ),
            ),
        ),
        Mutant(
            "momentum-on-the-old",
            "momentum weighed the old running value. Here it weighs the new batch, and 1 - momentum the old value.",
            swaps=(
                (
                    "(1 - self.momentum) * self.mean + self.momentum * mean",
                    "self.momentum * self.mean + (1 - self.momentum) * mean",
                ),
                (
                    "(1 - self.momentum) * self.var + self.momentum * var * n / (n - 1)",
                    "self.momentum * self.var + (1 - self.momentum) * var * n / (n - 1)",
                ),
            ),
        ),
        Mutant(
            "running-variance-of-the-batch",
            "The running variance was updated with divisor n. What is remembered estimates all payments: divisor n - 1.",
            swaps=(("self.momentum * var * n / (n - 1)", "self.momentum * var"),),
        ),
        Mutant(
            "normalised-by-n-minus-one",
            "The batch was normalised with the divisor n - 1; here it is n.",
            swaps=(("self.std = np.sqrt(var + self.eps)", "self.std = np.sqrt(var * n / (n - 1) + self.eps)"),),
        ),
        Mutant(
            "eps-outside-the-root",
            "eps was added to the standard deviation; it belongs to the variance, under the root.",
            swaps=(("self.std = np.sqrt(var + self.eps)", "self.std = np.sqrt(var) + self.eps"),),
        ),
        Mutant(
            "constants-in-backward",
            "Mean and variance were treated as constants. Both depend on every row, and each takes a term off dx.",
            swaps=(("(d_hat - d_hat.mean(axis=0) - self.x_hat * along)", "d_hat"),),
        ),
        Mutant(
            "variance-as-a-constant",
            "The way through the mean is there, the way through the variance is missing in dx.",
            swaps=((" - self.x_hat * along)", ")"),),
        ),
        Mutant(
            "gamma-left-out-of-dx",
            "The gradient by x does not carry gamma: what arrives is multiplied by it before it reaches x̂.",
            swaps=(("d_hat = upstream * self.gamma", "d_hat = upstream"),),
        ),
        Mutant(
            "updated-while-scoring",
            "The running values changed in a call outside of training: validation data leaked into the model.",
            swaps=(
                (
                    "        if not training:\n",
                    "        if not training:\n"
                    "            self.mean = (1 - self.momentum) * self.mean + self.momentum * np.mean(x, axis=0)\n",
                ),
            ),
        ),
    ),
    accepted=(StepByStep, ByJacobian),
)
