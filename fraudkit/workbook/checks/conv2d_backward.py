"""Convolution backward: overlapping windows add up, the frame is cut off, unseen pixels stay at zero."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_torch(upstream, x, weight, stride=1, padding=0):
    """The oracle: torch's conv2d and its automatic derivative."""
    import torch

    x, weight = (torch.tensor(np.asarray(value, dtype=float), requires_grad=True) for value in (x, weight))
    bias = torch.zeros(len(weight), dtype=torch.float64, requires_grad=True)
    result = torch.nn.functional.conv2d(x, weight, bias, stride=stride, padding=padding)
    result.backward(torch.tensor(np.asarray(upstream, dtype=float)))
    return tuple(value.grad.numpy() for value in (x, weight, bias))


def cases(rng: np.random.Generator) -> list[Case]:
    """One row by hand, overlap, stride, frame, channels, a shape that does not fit, then random ones."""
    row = np.array([[[[1.0, 2.0, 3.0, 4.0]]]])
    pair = np.array([[[[2.0, 5.0]]]])
    grid = np.arange(1.0, 13.0).reshape(1, 1, 3, 4)
    kernel = np.array([[[[1.0, 2.0], [0.5, -1.0]]]])
    found = [
        Case("no overlap", (np.array([[[[1.0, 10.0]]]]), row, pair, 2)),
        Case(
            "overlapping windows",
            (np.array([[[[1.0, 10.0, 100.0]]]]), row, pair),
            why="a pixel in two windows gets the sum of both",
        ),
        Case(
            "a pixel that no window saw",
            (np.array([[[[1.0, 10.0]]]]), np.array([[[[1.0, 2.0, 3.0, 4.0, 5.0]]]]), pair, 2),
            why="dx has the shape of x; the last pixel's gradient is 0",
        ),
        Case(
            "a frame of 1",
            (np.arange(20.0).reshape(1, 1, 4, 5), grid, kernel, 1, 1),
            why="the gradient of the frame is cut off again",
        ),
        Case("frame and stride", (np.array([[[[1.0, -2.0, 3.0], [4.0, 0.5, -1.0]]]]), grid, kernel, 2, 1)),
        Case(
            "two pictures",
            (np.array([[[[1.0, 2.0]]], [[[3.0, -1.0]]]]), np.arange(12.0).reshape(2, 1, 2, 3), kernel),
            why="weights and bias are shared by all pictures: their gradients are summed, not averaged",
        ),
        Case("lists of integers", ([[[[1, 2]]]], [[[[1, 2, 3]]]], [[[[1, 4]]]])),
        Case(
            "upstream too small",
            (np.ones((1, 1, 1, 2)), row, pair),
            raises="ValueError",
            why="three windows fit, and two gradients came back",
        ),
    ]
    for n, c, o, size, k, stride, padding in ((2, 3, 4, 6, 3, 2, 1), (1, 2, 3, 7, 3, 1, 0), (2, 1, 2, 8, 3, 3, 1)):
        x, weight = rng.normal(size=(n, c, size, size + 1)), rng.normal(size=(o, c, k, k - 1))
        rows, columns = (size + 2 * padding - k) // stride + 1, (size + 1 + 2 * padding - k + 1) // stride + 1
        upstream = rng.normal(size=(n, o, rows, columns))
        found.append(Case(f"{n} pictures, {o} kernels, stride {stride}", (upstream, x, weight, stride, padding)))
    return found


def window_by_window(upstream, x, weight, stride=1, padding=0):
    """Accepted: a loop over the output places, each scattering to its window."""
    up, pictures, kernels = np.array(upstream, float), np.array(x, float), np.array(weight, float)
    n, c, h, w = pictures.shape
    o, _, kh, kw = kernels.shape
    frame = np.zeros((n, c, h + 2 * padding, w + 2 * padding))
    inside = (slice(None), slice(None), slice(padding, padding + h), slice(padding, padding + w))
    frame[inside] = pictures
    tops = range(0, frame.shape[2] - kh + 1, stride)
    lefts = range(0, frame.shape[3] - kw + 1, stride)
    if up.shape != (n, o, len(tops), len(lefts)):
        raise ValueError("upstream has another shape")
    back, by_kernel = np.zeros_like(frame), np.zeros_like(kernels)
    for r, top in enumerate(tops):
        for s, left in enumerate(lefts):
            window = frame[:, :, top : top + kh, left : left + kw]
            by_kernel += np.tensordot(up[:, :, r, s], window, axes=(0, 0))
            back[:, :, top : top + kh, left : left + kw] += np.tensordot(up[:, :, r, s], kernels, axes=(1, 0))
    return back[inside], by_kernel, up.sum(axis=3).sum(axis=2).sum(axis=0)


def spread_and_correlate(upstream, x, weight, stride=1, padding=0):
    """Accepted: upstream spread by the stride, then two correlations, one with the kernel turned round."""
    x, weight, upstream = np.asarray(x) * 1.0, np.asarray(weight) * 1.0, np.asarray(upstream) * 1.0
    n, o, (h, w), (kh, kw) = len(x), len(weight), x.shape[2:], weight.shape[2:]
    tall, wide = h + 2 * padding - kh + 1, w + 2 * padding - kw + 1
    if np.zeros((n, o, tall, wide))[:, :, ::stride, ::stride].shape != upstream.shape:
        raise ValueError("these gradients are of another layer")
    spread = np.zeros((n, o, tall, wide))
    spread[:, :, ::stride, ::stride] = upstream
    view = np.lib.stride_tricks.sliding_window_view
    framed = np.pad(x, [(0, 0), (0, 0), (padding,) * 2, (padding,) * 2])
    by_weight = np.einsum("ncabts,nots->ocab", view(framed, (tall, wide), axis=(2, 3)), spread)
    wider = np.pad(spread, [(0, 0), (0, 0), (kh - 1,) * 2, (kw - 1,) * 2])
    turned = weight[:, :, ::-1, ::-1]
    by_frame = np.einsum("noyxab,ocab->ncyx", view(wider, (kh, kw), axis=(2, 3)), turned)
    return by_frame[:, :, padding : h + padding, padding : w + padding], by_weight, np.einsum("nots->o", spread)


EXERCISE = Exercise(
    id="conv2d_backward",
    title="Convolution, backward",
    minutes=35,
    difficulty="hard",
    feeds="07",
    week="3-4",
    hints=(
        "Take one place of the kernel at a time: forward, its weight multiplies a shifted and strided copy of the picture.",
        "That copy is a slice of the framed picture. Its product with upstream gives the weight's gradient; "
        "upstream times the weight is added to the same slice of the picture's gradient.",
        "Work on the framed picture and cut the frame off at the end. The bias gets the sum over pictures, rows and columns.",
    ),
    cases=cases,
    expect=by_torch,
    agree=close(1e-8, 1e-10),
    mutants=(
        Mutant(
            "windows-overwrite",
            "A pixel in several windows kept the last contribution only. Add them up.",
            swaps=(("dpadded[seen] += np", "dpadded[seen] = np"),),
        ),
        Mutant(
            "stride-left-out",
            "The windows were taken side by side, as if the stride were 1.",
            swaps=(
                (
                    "a : a + stride * rows : stride, b : b + stride * columns : stride",
                    "a : a + rows, b : b + columns",
                ),
            ),
        ),
        Mutant(
            "frame-not-cut-off",
            "The gradient has the shape of the framed picture. The zeros of the frame are no input: cut them off.",
            swaps=(("dpadded[:, :, padding : padding + h, padding : padding + w]", "dpadded"),),
        ),
        Mutant(
            "frame-cut-off-wrongly",
            "The first rows and columns of the framed gradient were returned, so every pixel has its neighbour's gradient.",
            swaps=(("dpadded[:, :, padding : padding + h, padding : padding + w]", "dpadded[:, :, :h, :w]"),),
        ),
        Mutant(
            "kernel-turned-round",
            "The kernel was turned round in the loop over its places. Turning belongs to the formula as a convolution; "
            "place by place the weight is that of forward.",
            swaps=(("weight[:, :, a, b])", "weight[:, :, kh - 1 - a, kw - 1 - b])"),),
        ),
        Mutant(
            "averaged-over-pictures",
            "The gradients of weights and bias were averaged over the pictures. The loss has its own mean; here they are sums.",
            swaps=(
                (
                    'np.einsum("nors,ncrs->oc", upstream, padded[seen])',
                    'np.einsum("nors,ncrs->oc", upstream, padded[seen]) / len(x)',
                ),
                ("upstream.sum(axis=(0, 2, 3))", "upstream.sum(axis=(0, 2, 3)) / len(x)"),
            ),
        ),
        Mutant(
            "bias-not-over-places",
            "The bias was added at every place of the result: its gradient is the sum over rows and columns, not their mean.",
            swaps=(("upstream.sum(axis=(0, 2, 3))", "upstream.mean(axis=(2, 3)).sum(axis=0)"),),
        ),
    ),
    accepted=(window_by_window, spread_and_correlate),
)
