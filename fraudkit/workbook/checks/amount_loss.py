"""A cost-weighted loss in torch: the sum of weights below, unknown labels nowhere, float64, stable at both ends."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant

# What optimisers and some derivatives import on first use, and the cache folder that asks for: before the doors lock.
TORCH = ("numpy", "torch", "torch._dynamo", "torch._inductor.runtime.cache_dir_utils")


def payment_by_payment(logits, labels, amounts, fee):
    """The oracle: the derivative written out, one payment at a time, without torch."""
    rows = [
        (place, float(z), float(y), float(amount) if y == 1 else float(fee))
        for place, (z, y, amount) in enumerate(zip(logits, labels, amounts, strict=True))
        if not math.isnan(y)
    ]
    whole = math.fsum(weight for *_, weight in rows)
    loss, gradient = [], np.zeros(len(logits))
    for place, z, y, weight in rows:
        wrong = -z if y == 1 else z  # how far the score leans to the wrong side
        far = math.exp(-abs(wrong))
        loss.append(weight * (max(wrong, 0.0) + math.log1p(far)))
        share = (1 if wrong > 0 else far) / (1 + far)
        gradient[place] = (1 - 2 * y) * share * weight / whole
    return math.fsum(loss) / whole, gradient


def cases(rng: np.random.Generator) -> list[Case]:
    """Two payments, unknown labels, loud logits, weights that are none, then random ones."""
    nan = float("nan")
    z = np.array([0.5, -1.0, 2.0, -0.3])
    y = np.array([1.0, 0.0, 0.0, 1.0])
    amounts = np.array([200.0, 35.0, 80.0, 12.5])
    found = [
        Case("one fraud, one genuine payment", (z[:2], y[:2], amounts[:2], 10.0), why="the amount weighs frauds only"),
        Case(
            "four payments",
            (z, y, amounts, 5.0),
            why="the sum is divided by the sum of the weights, and so is the gradient",
        ),
        Case(
            "a label not known yet",
            (z, np.array([1.0, nan, 0.0, nan]), amounts, 5.0),
            why="it counts neither above nor below; NaN times 0 is still NaN",
        ),
        Case("loud and right", (np.array([1000.0, -1000.0]), y[:2], amounts[:2], 5.0), why="0 times infinity is NaN"),
        Case(
            "loud and wrong",
            (np.array([-1000.0, 1000.0]), y[:2], amounts[:2], 5.0),
            why="the probability has rounded to 0; stay with the logits",
        ),
        Case("integers and lists", ([1, -2, 0], [1, 0, 1], [3, 4, 5], 2)),
        Case("genuine payments only", (z, np.zeros(4), amounts, 5.0), why="then it is the ordinary mean"),
        Case("a fraud of nothing", (z, y, np.array([0.0, 35.0, 80.0, 12.5]), 5.0), why="a weight of 0 is allowed"),
        Case("no label known", (z, np.full(4, nan), amounts, 5.0), raises="ValueError", why="0/0 is no loss"),
        Case("nothing to lose", (z[:1], y[:1], np.zeros(1), 5.0), raises="ValueError"),
        Case(
            "large and small amounts",
            (z, y, np.array([123456.78, 1.0, 1.0, 0.01]), 0.37),
            why="float32 keeps seven digits",
        ),
    ]
    for n in (8, 50):
        labels = (rng.random(n) < 0.3).astype(float)
        labels[0] = 1.0
        labels[rng.random(n) < 0.2] = np.nan
        labels[1] = 0.0
        found.append(Case(f"{n} payments", (rng.normal(0, 2, n), labels, np.round(rng.lognormal(4, 1, n), 2), 7.5)))
    return found


def with_softplus(logits, labels, amounts, fee):
    """Accepted: margins by softplus, every row in the graph, unknown ones replaced before and weighed 0."""
    import torch

    truth = np.array(labels, dtype=np.float64)
    weights = np.where(np.isnan(truth), 0.0, np.where(truth == 1, amounts, fee))
    if weights.sum() <= 0:
        raise ValueError("nothing to weigh")
    sign = torch.from_numpy(np.where(truth == 1, -1.0, 1.0))
    shares = torch.from_numpy(weights / weights.sum())
    score = torch.tensor(np.array(logits, dtype=np.float64), requires_grad=True)
    value = torch.dot(shares, torch.nn.functional.softplus(sign * score, threshold=700))
    (slope,) = torch.autograd.grad(value, score)
    return value.item(), slope.numpy()


def own_function(logits, labels, amounts, fee):
    """Accepted: a torch.autograd.Function with a backward of its own."""
    import torch

    class Weighted(torch.autograd.Function):
        @staticmethod
        def forward(ctx, z, y, w):
            ctx.save_for_backward(torch.sigmoid(z) - y, w)
            return (w * (z.clamp(min=0) - z * y + torch.log1p(torch.exp(-z.abs())))).sum()

        @staticmethod
        def backward(ctx, upstream):
            error, w = ctx.saved_tensors
            return upstream * w * error, None, None

    z, y, a = (torch.as_tensor(np.array(values, dtype=float)) for values in (logits, labels, amounts))
    rows = torch.nonzero(y == y)[:, 0]
    w = y[rows] * a[rows] + (1 - y[rows]) * fee
    total = float(w.sum())
    if total == 0:
        raise ValueError("no weight")
    leaf = z[rows].clone().requires_grad_()
    cost = Weighted.apply(leaf, y[rows], w / total)
    cost.backward()
    gradient = np.zeros(len(z))
    gradient[rows.numpy()] = leaf.grad.numpy()
    return cost.item(), gradient


EXERCISE = Exercise(
    id="amount_loss",
    title="A custom loss in torch: what a mistake costs",
    minutes=15,
    difficulty="medium",
    feeds="07",
    week="9-10",
    hints=(
        "The logits are the leaf: a float64 tensor with requires_grad=True. Everything after is ordinary arithmetic.",
        "Take the rows with a known label out by indexing before the loss; the others then get a gradient of 0.",
        "`binary_cross_entropy_with_logits` with reduction='none' gives a loss for each row, stable at both ends.",
    ),
    cases=cases,
    expect=payment_by_payment,
    agree=close(1e-9, 1e-12),
    preload=TORCH,
    mutants=(
        Mutant(
            "divided-by-rows",
            "The sum was divided by the number of payments; the question divides by the sum of the weights.",
            swaps=(("(weight * each).sum() / weight.sum()", "(weight * each).mean()"),),
        ),
        Mutant(
            "amount-on-everything",
            "Genuine payments were weighed by their amount too. A wrongly declined one costs the fee.",
            swaps=(("torch.where(y == 1, amounts, float(fee))[known]", "amounts[known]"),),
        ),
        Mutant(
            "weights-exchanged",
            "Frauds got the fee and genuine payments their amount. A missed fraud costs its amount.",
            swaps=(("torch.where(y == 1, amounts, float(fee))", "torch.where(y == 1, float(fee), amounts)"),),
        ),
        Mutant(
            "unknown-is-genuine",
            "A label that is not known was taken as genuine. Much of the latest fraud would be taught as good.",
            swaps=(
                (
                    "y = torch.tensor(np.asarray(labels), dtype=torch.float64)",
                    "y = torch.nan_to_num(torch.tensor(np.asarray(labels), dtype=torch.float64))",
                ),
            ),
        ),
        Mutant(
            "masked-by-multiplication",
            "The unknown rows were multiplied by 0, and NaN times 0 is NaN. Take them out by indexing.",
            swaps=(
                ("torch.where(y == 1, amounts, float(fee))[known]", "torch.where(y == 1, amounts, float(fee)) * known"),
                ("(z[known], y[known], reduction", "(z, y, reduction"),
            ),
        ),
        Mutant(
            "log-of-sigmoid",
            "The logarithm was taken of a sigmoid that has rounded to 0 or 1. Use the loss on logits.",
            swaps=(
                (
                    'torch.nn.functional.binary_cross_entropy_with_logits(z[known], y[known], reduction="none")',
                    "-(y * z.sigmoid().log() + (1 - y) * (1 - z.sigmoid()).log())[known]",
                ),
            ),
        ),
        Mutant(
            "gradient-of-the-sum",
            "The gradient is that of the weighted sum; the loss that is returned is divided by the weights, and so is its slope.",
            swaps=(("    loss.backward()", "    (weight * each).sum().backward()"),),
        ),
        Mutant(
            "single-precision",
            "The computation ran in float32, torch's default for floats, and loses cents in large sums. Use float64.",
            swaps=(
                (
                    "z = torch.tensor(np.asarray(logits), dtype=torch.float64",
                    "z = torch.tensor(np.asarray(logits), dtype=torch.float32",
                ),
                (
                    "y = torch.tensor(np.asarray(labels), dtype=torch.float64)",
                    "y = torch.tensor(np.asarray(labels), dtype=torch.float32)",
                ),
                (
                    "amounts = torch.tensor(np.asarray(amounts), dtype=torch.float64)",
                    "amounts = torch.tensor(np.asarray(amounts), dtype=torch.float32)",
                ),
            ),
        ),
    ),
    accepted=(with_softplus, own_function),
)
