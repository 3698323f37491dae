"""Pairs of the neural networks: layers, sequences, attention, optimisers and schedules, all beside torch."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
import torch
from sklearn import metrics
from torch.nn import functional

from benchmarks.exercise_pairs.pair import Calls, Rng, pair


def leaf(values: np.ndarray) -> torch.Tensor:
    """A tensor that collects a gradient."""
    return torch.tensor(values, requires_grad=True)


def numbers(*tensors: torch.Tensor) -> list[np.ndarray]:
    """Arrays of what torch computed."""
    return [tensor.detach().numpy() for tensor in tensors]


@pair("torch autograd", 20_000)
def two_layer_network(ours: Any, rng: Rng, n: int) -> Calls:
    X = rng.normal(size=(n, 6))
    y = (X[:, 0] > 0.5).astype(float)
    start = {"W1": rng.normal(size=(6, 16)), "b1": np.zeros(16), "W2": rng.normal(size=(16, 1)), "b2": np.zeros(1)}

    def theirs() -> dict[str, np.ndarray]:
        params = {name: leaf(value) for name, value in start.items()}
        hidden = torch.relu(torch.from_numpy(X) @ params["W1"] + params["b1"])
        logit = (hidden @ params["W2"] + params["b2"])[:, 0]
        functional.binary_cross_entropy_with_logits(logit, torch.from_numpy(y)).backward()
        return {name: value.grad.numpy() for name, value in params.items()}

    return lambda: ours(start, X, y)[1], theirs


def optimisers(rng: Rng, n: int, mine: Any, make: Any) -> Calls:
    """Five steps of our optimiser and of torch's."""
    gradients = [rng.normal(size=n) for _ in range(5)]

    def steps() -> np.ndarray:
        optimiser, params = mine(), {"w": np.zeros(n)}
        for gradient in gradients:
            params = optimiser.step(params, {"w": gradient})
        return params["w"]

    def theirs() -> np.ndarray:
        w = torch.zeros(n, dtype=torch.float64, requires_grad=True)
        optimiser = make([w])
        for gradient in gradients:
            w.grad = torch.from_numpy(gradient)
            optimiser.step()
        return w.detach().numpy()

    return steps, theirs


@pair("torch.optim.Adam", 20_000)
def adam(ours: Any, rng: Rng, n: int) -> Calls:
    return optimisers(rng, n, lambda: ours(lr=0.01), lambda w: torch.optim.Adam(w, lr=0.01))


@pair("torch.optim.SGD, Nesterov", 20_000)
def sgd_momentum(ours: Any, rng: Rng, n: int) -> Calls:
    settings = {"lr": 0.01, "momentum": 0.9, "weight_decay": 0.1, "nesterov": True}
    return optimisers(rng, n, lambda: ours(**settings), lambda w: torch.optim.SGD(w, **settings))


@pair("torch.optim.RMSprop", 20_000)
def rmsprop(ours: Any, rng: Rng, n: int) -> Calls:
    return optimisers(rng, n, lambda: ours(lr=0.01), lambda w: torch.optim.RMSprop(w, lr=0.01, alpha=0.9))


@pair("torch cross_entropy, with backward", 20_000)
def softmax_cross_entropy(ours: Any, rng: Rng, n: int) -> Calls:
    logits, labels = rng.normal(size=(n, 7)), rng.integers(0, 7, n)

    def theirs() -> tuple[float, np.ndarray]:
        z = leaf(logits)
        loss = functional.cross_entropy(z, torch.from_numpy(labels))
        loss.backward()
        return loss.item(), z.grad.numpy()

    return lambda: ours(logits, labels), theirs


@pair("torch dropout", 20_000, small=20_000, tolerance=0.02, note="mean and greatest value; torch draws its own")
def dropout(ours: Any, rng: Rng, n: int) -> Calls:
    x, draws = np.ones(n), rng.random(n)
    tensor = torch.from_numpy(x)

    def mine() -> tuple[float, float]:
        kept = ours(0.3).forward(x, draws)
        return kept.mean(), kept.max()

    def theirs() -> tuple[float, float]:
        kept = functional.dropout(tensor, 0.3)
        return kept.mean().item(), kept.max().item()

    return mine, theirs


@pair(
    "torch.nn.BatchNorm1d, with backward",
    20_000,
    note="eight columns: a pass of NumPy for each step, torch has one for all",
)
def batch_norm(ours: Any, rng: Rng, n: int) -> Calls:
    x, upstream = rng.normal(2, 3, (n, 8)), rng.normal(size=(n, 8))

    def mine() -> list[Any]:
        layer = ours(np.ones(8), np.zeros(8))
        return [layer.forward(x), *layer.backward(upstream), *layer.running()]

    def theirs() -> list[np.ndarray]:
        layer, rows = torch.nn.BatchNorm1d(8, dtype=torch.float64), leaf(x)
        out = layer(rows)
        out.backward(torch.from_numpy(upstream))
        return numbers(out, rows.grad, layer.weight.grad, layer.bias.grad, layer.running_mean, layer.running_var)

    return mine, theirs


@pair("torch layer_norm, with backward", 5_000)
def layer_norm(ours: Any, rng: Rng, n: int) -> Calls:
    x, upstream, gamma, beta = rng.normal(size=(n, 64)), rng.normal(size=(n, 64)), rng.normal(size=64), np.zeros(64)

    def theirs() -> list[np.ndarray]:
        rows, weight, bias = leaf(x), leaf(gamma), leaf(beta)
        out = functional.layer_norm(rows, (64,), weight, bias)
        out.backward(torch.from_numpy(upstream))
        return numbers(out, rows.grad, weight.grad, bias.grad)

    return lambda: ours(x, gamma, beta, upstream), theirs


def pictures(rng: Rng, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """n pictures of 3 channels, 28 by 28; eight kernels of 3 by 3; biases."""
    return rng.normal(size=(n, 3, 28, 28)), rng.normal(size=(8, 3, 3, 3)), rng.normal(size=8)


@pair("torch conv2d", 32, small=2)
def conv2d(ours: Any, rng: Rng, n: int) -> Calls:
    x, weight, bias = pictures(rng, n)
    tensors = [torch.from_numpy(part) for part in (x, weight, bias)]
    return lambda: ours(x, weight, bias, 1, 1), lambda: functional.conv2d(*tensors, 1, 1).numpy()


@pair("torch conv2d, backward alone", 32, small=2, note="torch also computes the convolution")
def conv2d_backward(ours: Any, rng: Rng, n: int) -> Calls:
    x, weight, bias = pictures(rng, n)
    upstream = rng.normal(size=(n, 8, 28, 28))

    def theirs() -> list[np.ndarray]:
        parts = [leaf(part) for part in (x, weight, bias)]
        functional.conv2d(*parts, 1, 1).backward(torch.from_numpy(upstream))
        return [part.grad.numpy() for part in parts]

    return lambda: ours(upstream, x, weight, 1, 1), theirs


@pair("torch max_pool2d, with backward", 32, small=2, note="torch keeps the places of the largest in compiled code")
def max_pooling(ours: Any, rng: Rng, n: int) -> Calls:
    x, upstream = pictures(rng, n)[0], rng.normal(size=(n, 3, 14, 14))

    def theirs() -> list[np.ndarray]:
        picture = leaf(x)
        out = functional.max_pool2d(picture, 2)
        out.backward(torch.from_numpy(upstream))
        return numbers(out, picture.grad)

    return lambda: ours(x, upstream), theirs


@pair("torch.nn.LSTMCell", 2_000)
def lstm_cell(ours: Any, rng: Rng, n: int) -> Calls:
    x, h, c = rng.normal(size=(n, 8)), rng.normal(size=(n, 16)), rng.normal(size=(n, 16))
    W, U, b = rng.normal(size=(8, 64)), rng.normal(size=(16, 64)), rng.normal(size=64)
    cell = torch.nn.LSTMCell(8, 16, dtype=torch.float64)
    weights = {"weight_ih": W.T, "weight_hh": U.T, "bias_ih": b, "bias_hh": np.zeros(64)}
    cell.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(part)) for name, part in weights.items()})
    given = [torch.from_numpy(part) for part in (x, h, c)]

    def theirs() -> list[np.ndarray]:
        with torch.no_grad():
            return numbers(*cell(given[0], (given[1], given[2])))

    return lambda: ours(x, h, c, W, U, b), theirs


@pair("torch.nn.GRU", 500)
def gru(ours: Any, rng: Rng, n: int) -> Calls:
    x, h = rng.normal(size=(n, 10, 8)), rng.normal(size=(n, 16))
    W, U, b, c = rng.normal(size=(8, 48)), rng.normal(size=(16, 48)), rng.normal(size=48), rng.normal(size=48)
    layer = torch.nn.GRU(8, 16, batch_first=True, dtype=torch.float64)
    weights = {"weight_ih_l0": W.T, "weight_hh_l0": U.T, "bias_ih_l0": b, "bias_hh_l0": c}
    layer.load_state_dict({name: torch.from_numpy(np.ascontiguousarray(part)) for name, part in weights.items()})
    given = torch.from_numpy(x), torch.from_numpy(h[None])

    def theirs() -> np.ndarray:
        with torch.no_grad():
            return layer(*given)[1][0].numpy()

    return lambda: ours(x, h, W, U, b, c), theirs


@pair("torch scaled_dot_product_attention", 200)
def attention(ours: Any, rng: Rng, n: int) -> Calls:
    Q, K, V = rng.normal(size=(3, 8, n, 16))
    mask = np.tri(n, dtype=bool)
    query, key, value, may = (torch.from_numpy(part) for part in (Q, K, V, mask))
    return (
        lambda: ours(Q, K, V, mask)[0],
        lambda: functional.scaled_dot_product_attention(query, key, value, attn_mask=may).numpy(),
    )


@pair("scipy.linalg.block_diag of numpy.tri", 1_000, note="ours also checks that times rise, and needs no sorted cards")
def causal_mask(ours: Any, rng: Rng, n: int) -> Calls:
    cards, times = np.sort(rng.integers(0, 20, n)), np.arange(n)
    counts = np.bincount(cards)
    return lambda: ours(cards, times), lambda: scipy.linalg.block_diag(*(np.tri(m, dtype=bool) for m in counts if m))


@pair("torch multi_head_attention_forward", 200)
def multi_head_attention(ours: Any, rng: Rng, n: int) -> Calls:
    X, (Wq, Wk, Wv, Wo) = rng.normal(size=(n, 32)), rng.normal(size=(4, 32, 32)) / 6
    mask = np.tri(n, dtype=bool)
    rows, inside, out = (torch.from_numpy(part) for part in (X, np.vstack([Wq.T, Wk.T, Wv.T]), Wo.T.copy()))
    hidden = torch.from_numpy(~mask)

    def theirs() -> np.ndarray:
        joined, _ = functional.multi_head_attention_forward(
            rows, rows, rows, 32, 4, inside, None, None, None, False, 0.0, out, None,
            attn_mask=hidden, need_weights=False,
        )  # fmt: skip
        return joined.numpy()

    return lambda: ours(X, Wq, Wk, Wv, Wo, 4, mask), theirs


@pair("torch LinearLR, then CosineAnnealingLR", 1_000, note="ours for all steps at once, torch's a step at a time")
def warmup_cosine(ours: Any, rng: Rng, n: int) -> Calls:
    warmup = n // 10

    def theirs() -> list[float]:
        optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
        rising = torch.optim.lr_scheduler.LinearLR(optimiser, 1 / warmup, total_iters=warmup - 1)
        rates = []
        for _ in range(warmup):
            rates.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            rising.step()
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, n - warmup, eta_min=0.001)
        for _ in range(n - warmup):
            rates.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            falling.step()
        return rates

    return lambda: ours(np.arange(n), n, warmup, 0.1, 0.001), theirs


@pair("sklearn log_loss with sample_weight", 20_000, note="ours, in torch, has the gradient too")
def amount_loss(ours: Any, rng: Rng, n: int) -> Calls:
    z, y, amounts = rng.normal(size=n), (rng.random(n) < 0.1).astype(float), rng.lognormal(3, 1, n)
    p, weight = 1 / (1 + np.exp(-z)), np.where(y == 1, amounts, 5.0)
    return lambda: ours(z, y, amounts, 5.0)[0], lambda: metrics.log_loss(y, p, sample_weight=weight)
