"""A training loop in torch: gradients set to zero, the best weights copied, every batch, rows in their order."""

from __future__ import annotations

from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant

# What optimisers and some derivatives import on first use, and the cache folder that asks for: before the doors lock.
TORCH = ("numpy", "torch", "torch._dynamo", "torch._inductor.runtime.cache_dir_utils")


def by_hand(train, valid, start, orders, batch_size, lr, patience):
    """The oracle: the same training in NumPy, with the derivatives written out."""
    w = {name: np.array(value, dtype=float) for name, value in start.items()}
    (X, y), (X_valid, y_valid) = ([np.asarray(part, dtype=float) for part in pair] for pair in (train, valid))
    losses: list[float] = []
    states: list[dict[str, np.ndarray]] = []
    for order in np.asarray(orders):
        for first in range(0, len(order), batch_size):
            rows = order[first : first + batch_size]
            before = X[rows] @ w["0.weight"].T + w["0.bias"]
            hidden = np.maximum(before, 0)
            logits = hidden @ w["2.weight"][0] + w["2.bias"]
            slope = (1 / (1 + np.exp(-logits)) - y[rows]) / len(rows)
            back = np.outer(slope, w["2.weight"][0]) * (before > 0)
            w["2.weight"] = w["2.weight"] - lr * (slope @ hidden)[None]
            w["2.bias"] = w["2.bias"] - lr * slope.sum()
            w["0.weight"] = w["0.weight"] - lr * back.T @ X[rows]
            w["0.bias"] = w["0.bias"] - lr * back.sum(axis=0)
        logits = np.maximum(X_valid @ w["0.weight"].T + w["0.bias"], 0) @ w["2.weight"][0] + w["2.bias"]
        losses.append(float(np.mean(np.logaddexp(0, np.where(y_valid == 1, -logits, logits)))))
        states.append(dict(w))
        if len(losses) - 1 - int(np.argmin(losses)) >= patience:
            break
    return states[int(np.argmin(losses))], losses


def agree(got: Any, expected: Any, case: Case) -> str:
    """Losses first, since they say in which epoch the ways part; then the weights."""
    if not isinstance(got, list | tuple) or len(got) != 2:
        return "the answer is not a pair of weights and losses"
    if reason := difference(got[1], expected[1], 1e-9, 1e-11):
        return f"validation losses: {reason}"
    return difference(got[0], expected[0], 1e-8, 1e-10)


def _data(rng: np.random.Generator, n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    X = rng.normal(size=(n, d))
    return X, (X[:, 0] + rng.normal(0, 1.5, n) > 0.3).astype(int)


def _start(rng: np.random.Generator, d: int, h: int) -> dict[str, np.ndarray]:
    shapes = {"0.weight": (h, d), "0.bias": (h,), "2.weight": (1, h), "2.bias": (1,)}
    return {name: rng.normal(0, 0.7, shape) for name, shape in shapes.items()}


def _drawn(rng: np.random.Generator, n: int, d: int, h: int, epochs: int) -> list[Any]:
    orders = np.array([rng.permutation(n) for _ in range(epochs)])
    return [_data(rng, n, d), _data(rng, 12, d), _start(rng, d, h), orders]


def _telling(rng: np.random.Generator, patience: int) -> tuple[Any, ...]:
    """A training that recovers from a rise, is best in between, and is stopped; no two losses nearly equal."""
    while True:
        args = (*_drawn(rng, 15, 3, 4, 14), 4, 1.2, patience)
        _, losses = by_hand(*args)
        best = int(np.argmin(losses))
        rises = [k for k in range(1, best) if losses[k] > min(losses[:k])]
        apart = np.diff(np.sort(losses)).min() > 1e-6
        if rises and apart and len(losses) < 13 and len(losses) - 1 - best == patience:
            return args


def cases(rng: np.random.Generator) -> list[Case]:
    """One step, several batches, a rest, order, early stopping, bad settings, then longer ones."""
    one = _drawn(rng, 6, 2, 3, 1)
    three = _drawn(rng, 7, 2, 3, 3)
    found = [
        Case("one batch", (*one, 6, 0.1, 1), why="one step on the mean loss of all rows"),
        Case("two batches", (*one, 3, 0.1, 1), why="gradients are set to zero before each batch"),
        Case("a smaller last batch", (*one, 4, 0.1, 1), why="the rest of the rows is a batch too"),
        Case("three epochs", (*three, 2, 0.1, 3), why="each epoch has an order of its own"),
        Case("a batch larger than the set", (*three, 100, 0.3, 3)),
        Case(
            "a wild rate",
            _telling(rng, 2),
            why="the loss falls, rises, falls again: the weights are those of the best epoch, and patience lasts 2 epochs",
        ),
        Case("no epochs", (*one[:3], np.zeros((0, 6), dtype=int), 6, 0.1, 1), raises="ValueError"),
        Case("no patience", (*one, 6, 0.1, 0), raises="ValueError"),
    ]
    found.append(Case("patience 3", _telling(rng, 3), why="three epochs without a better loss, then stop"))
    return found


def without_optimiser(train, valid, start, orders, batch_size, lr, patience):
    """Accepted: parameters as plain tensors, gradients asked for, steps by hand."""
    import torch

    if patience <= 0 or not len(orders):
        raise ValueError("nothing to do")
    names = ("0.weight", "0.bias", "2.weight", "2.bias")
    params = [torch.tensor(np.asarray(start[name], dtype=np.float64), requires_grad=True) for name in names]
    rows, labels = torch.tensor(np.asarray(train[0], float)), torch.tensor(np.asarray(train[1], float))
    others, truth = torch.tensor(np.asarray(valid[0], float)), torch.tensor(np.asarray(valid[1], float))

    def cost(inputs, wanted):
        w1, b1, w2, b2 = params
        score = (torch.relu(inputs @ w1.T + b1) @ w2.T + b2).flatten()
        return torch.nn.functional.softplus(torch.where(wanted > 0.5, -score, score)).mean()

    history, kept, waited = [], None, 0
    for order in np.asarray(orders).tolist():
        while order:
            batch, order = order[:batch_size], order[batch_size:]
            slopes = torch.autograd.grad(cost(rows[batch], labels[batch]), params)
            with torch.no_grad():
                params = [(p - lr * slope).requires_grad_() for p, slope in zip(params, slopes, strict=True)]
        history.append(cost(others, truth).item())
        waited += 1
        if history[-1] == min(history) and history.count(history[-1]) == 1:
            kept, waited = dict(zip(names, (p.detach().numpy() for p in params), strict=True)), 0
        if waited == patience:
            break
    return kept, history


def module_with_deepcopy(train, valid, start, orders, batch_size, lr, patience):
    """Accepted: a module of its own, data loaders, the whole best model kept by deepcopy."""
    import copy
    import math

    import torch
    from torch.utils.data import DataLoader, TensorDataset

    if patience < 1:
        raise ValueError("patience")
    if np.shape(orders)[0] < 1:
        raise ValueError("orders")

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            h, d = np.shape(start["0.weight"])
            self.first, self.last = (
                torch.nn.Linear(d, h, dtype=torch.float64),
                torch.nn.Linear(h, 1, dtype=torch.float64),
            )

        def forward(self, x):
            return self.last(self.first(x).clamp(min=0))[:, 0]

        def values(self):
            return (self.first.weight, self.first.bias, self.last.weight, self.last.bias)

    net = Net()
    with torch.no_grad():
        for own, name in zip(net.values(), ("0.weight", "0.bias", "2.weight", "2.bias"), strict=True):
            own[:] = torch.tensor(np.array(start[name], dtype=float))
    table = TensorDataset(*(torch.tensor(np.array(part, dtype=float)) for part in train))
    held = [torch.tensor(np.array(part, dtype=float)) for part in valid]
    entropy = torch.nn.functional.binary_cross_entropy_with_logits
    winner, lowest, curve, since = net, math.inf, [], 0
    for order in orders:
        for x, wanted in DataLoader(table, batch_size=batch_size, sampler=[int(row) for row in order]):
            for value in net.values():
                value.grad = None
            entropy(net(x), wanted).backward()
            for value in net.values():
                value.data -= lr * value.grad
        curve.append(entropy(net(held[0]), held[1]).item())
        since += 1
        if curve[-1] < lowest:
            winner, lowest, since = copy.deepcopy(net), curve[-1], 0
        elif since >= patience:
            break
    names = ("0.weight", "0.bias", "2.weight", "2.bias")
    return {name: value.detach().numpy() for name, value in zip(names, winner.values(), strict=True)}, curve


EXERCISE = Exercise(
    id="fit_classifier",
    title="A training loop in torch",
    minutes=35,
    difficulty="hard",
    feeds="07",
    week="9-10",
    hints=(
        "Five lines for a batch: gradients to zero, logits, loss, backward, step. Then the validation loss without gradients.",
        "torch's default is float32: `.double()` on the model and `dtype=torch.float64` on every tensor.",
        "`state_dict()` gives references to the live weights. Copy each value when an epoch is the best so far.",
        "`tensor.split(batch_size)` cuts an order into batches and keeps the smaller last one.",
    ),
    cases=cases,
    expect=by_hand,
    agree=agree,
    preload=TORCH,
    mutants=(
        Mutant(
            "gradients-pile-up",
            "The gradients were not set to zero: backward() adds, so each step holds all batches before it.",
            swaps=(("            optimiser.zero_grad()\n", ""),),
        ),
        Mutant(
            "best-not-copied",
            "The weights returned are those of the last epoch: state_dict() gives references, which training goes on "
            "changing. Clone them.",
            swaps=(("value.clone() for", "value for"),),
        ),
        Mutant(
            "order-ignored",
            "The rows were taken as they stand. Each epoch has its order; without it batches are always the same rows.",
            swaps=(("torch.tensor(np.asarray(order)).split", "torch.arange(len(order)).split"),),
        ),
        Mutant(
            "same-order-again",
            "Every epoch used the first epoch's order.",
            swaps=(("np.asarray(order)", "np.asarray(orders)[0]"),),
        ),
        Mutant(
            "last-batch-dropped",
            "The rows that do not fill a batch were left out. The last batch may be smaller.",
            swaps=(
                (
                    "torch.tensor(np.asarray(order)).split(batch_size)",
                    "torch.tensor(np.asarray(order))[: max(len(order) // batch_size, 1) * batch_size].split(batch_size)",
                ),
            ),
        ),
        Mutant(
            "one-epoch-too-many",
            "Training went on for one epoch more than patience allows.",
            swaps=(("epoch - best_epoch >= patience", "epoch - best_epoch > patience"),),
        ),
        Mutant(
            "no-patience",
            "Training stopped at the first epoch without a better loss. Patience says how many are allowed to pass.",
            swaps=(("epoch - best_epoch >= patience", "epoch - best_epoch >= 1"),),
        ),
        Mutant(
            "stopped-on-training-loss",
            "The loss that was watched is that of the training rows, which hardly ever stops falling.",
            swaps=(("loss(model(X_valid).squeeze(1), y_valid).item()", "loss(model(X).squeeze(1), y).item()"),),
        ),
        Mutant(
            "sigmoid-twice",
            "The scores went through a sigmoid before a loss that applies one itself.",
            swaps=(
                ("loss(model(X[batch]).squeeze(1), y[batch])", "loss(model(X[batch]).sigmoid().squeeze(1), y[batch])"),
                ("loss(model(X_valid).squeeze(1), y_valid)", "loss(model(X_valid).sigmoid().squeeze(1), y_valid)"),
            ),
        ),
        Mutant(
            "sum-of-losses",
            "The step went along the gradient of the batch's summed loss; it is its mean, or the rate depends on the batch size.",
            swaps=(("y[batch]).backward()", "y[batch]).mul(len(batch)).backward()"),),
        ),
        Mutant(
            "single-precision",
            "The training ran in float32, torch's default, and parts from ours after a few digits. Use float64.",
            swaps=(
                ("dtype=torch.float64", "dtype=torch.float32"),
                ("torch.nn.Linear(hidden, 1)).double()", "torch.nn.Linear(hidden, 1))"),
                ("torch.tensor(np.asarray(value)) for", "torch.tensor(np.asarray(value), dtype=torch.float32) for"),
            ),
        ),
    ),
    accepted=(without_optimiser, module_with_deepcopy),
)
