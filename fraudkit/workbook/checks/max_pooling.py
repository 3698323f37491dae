"""Max pooling: the first of equals wins, winners of several windows add up, whole windows only."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_counting(x, upstream, size=2, stride=2):
    """The oracle: each window read row by row in plain Python, its first largest value paid."""
    x, upstream = np.asarray(x, dtype=float), np.asarray(upstream, dtype=float)
    pooled, dx = np.empty(upstream.shape), np.zeros(x.shape)
    for n, c, r, s in np.ndindex(upstream.shape):
        places = [(n, c, r * stride + a, s * stride + b) for a in range(size) for b in range(size)]
        best = max(places, key=lambda place: x[place])  # the first of equals
        pooled[n, c, r, s] = x[best]
        dx[best] += upstream[n, c, r, s]
    return pooled, dx


def cases(rng: np.random.Generator) -> list[Case]:
    """One picture, ties, overlap, negative values, rows left over, then random ones."""
    grid = np.array([[[[1.0, 2.0, 8.0, 3.0], [4.0, 0.5, 6.0, 7.0]]]])
    found = [
        Case("two windows", (grid, np.array([[[[10.0, 100.0]]]]))),
        Case(
            "equal values",
            (np.array([[[[5.0, 2.0, 0.0, 0.0], [5.0, 5.0, 0.0, 0.0]]]]), np.array([[[[10.0, 100.0]]]])),
            why="the gradient goes to the first of equals, whole: not shared, not paid several times",
        ),
        Case(
            "overlapping windows",
            (np.array([[[[1.0, 9.0, 2.0], [3.0, 4.0, 5.0]]]]), np.array([[[[10.0, 100.0]]]]), 2, 1),
            why="a value that wins in two windows gets the sum of both",
        ),
        Case(
            "negative values",
            (-grid, np.array([[[[10.0, 100.0]]]])),
            why="the largest of negative values is negative: a running maximum must not start at 0",
        ),
        Case(
            "rows and columns left over",
            (np.arange(15.0).reshape(1, 1, 3, 5), np.array([[[[1.0, 2.0]]]])),
            why="a window that does not fit wholly is left out; its values have the gradient 0",
        ),
        Case(
            "windows apart",
            (np.arange(25.0).reshape(1, 1, 5, 5)[:, :, ::-1], np.array([[[[1.0, 2.0], [3.0, 4.0]]]]), 2, 3),
        ),
        Case(
            "two pictures, two channels",
            (np.arange(16.0).reshape(2, 2, 2, 2), np.array([1.0, 2.0, 3.0, 4.0]).reshape(2, 2, 1, 1)),
            why="each channel of each picture has a maximum of its own",
        ),
        Case("lists of integers", ([[[[3, 1], [2, 0]]]], [[[[7]]]])),
        Case("a window too large", (grid, np.ones((1, 1, 1, 1)), 3, 1), raises="ValueError"),
        Case("upstream of another shape", (grid, np.ones((1, 1, 1, 1))), raises="ValueError", why="no broadcasting"),
    ]
    for n, c, h, w, size, stride in ((2, 3, 6, 7, 3, 2), (1, 2, 8, 8, 2, 2), (2, 1, 5, 6, 2, 1)):
        x = rng.integers(-5, 6, (n, c, h, w)) / 2
        shape = (n, c, (h - size) // stride + 1, (w - size) // stride + 1)
        name = f"{n} pictures of {h} by {w}, windows of {size}, stride {stride}"
        found.append(Case(name, (x, rng.normal(size=shape), size, stride)))
    return found


def place_by_place(x, upstream, size=2, stride=2):
    """Accepted: the places of the window one after the other, the winner replaced only by something larger."""
    x, upstream = np.array(x, float), np.array(upstream, float)
    n, c, h, w = x.shape
    rows, columns = (h - size) // stride + 1, (w - size) // stride + 1
    if size > h or size > w or upstream.shape != (n, c, rows, columns):
        raise ValueError("shapes do not fit")

    def part(a, b):
        return slice(None), slice(None), slice(a, a + stride * rows, stride), slice(b, b + stride * columns, stride)

    best, owner = np.full(upstream.shape, -np.inf), np.zeros(upstream.shape, dtype=int)
    for place in range(size * size):
        values = x[part(*divmod(place, size))]
        larger = values > best
        best, owner = np.where(larger, values, best), np.where(larger, place, owner)
    dx = np.zeros_like(x)
    for place in range(size * size):
        dx[part(*divmod(place, size))] += upstream * (owner == place)
    return best, dx


def counted_by_place(x, upstream, size=2, stride=2):
    """Accepted: flat indices of the winners, summed with bincount."""
    values = np.asarray(x, dtype=np.float64)
    if any(length < size for length in values.shape[-2:]):
        raise ValueError("the window is larger than the picture")
    numbers = np.arange(values.size).reshape(values.shape)
    view = np.lib.stride_tricks.sliding_window_view(numbers, (1, 1, size, size))[:, :, ::stride, ::stride]
    index = view.reshape((*view.shape[:4], -1))
    if index.shape[:-1] != np.shape(upstream):
        raise ValueError("upstream")
    order = np.argsort(-values.ravel()[index], axis=-1, kind="stable")[..., :1]
    winners = np.take_along_axis(index, order, axis=-1)[..., 0]
    back = np.bincount(winners.ravel(), weights=np.ravel(upstream), minlength=values.size)
    return values.ravel()[winners], back.reshape(values.shape)


EXERCISE = Exercise(
    id="max_pooling",
    title="Max pooling, forward and backward",
    minutes=25,
    difficulty="medium",
    feeds="07",
    week="3-4",
    hints=(
        "Lay each window out flat: then `max` gives the value and `argmax` the place, the first of equals.",
        "A place inside the window is a row offset (place // size) and a column offset (place % size).",
        "The same value may win twice: `np.add.at` adds at repeated indices, `+=` with an index array does not.",
    ),
    cases=cases,
    expect=by_counting,
    agree=close(1e-10, 1e-12),
    mutants=(
        Mutant(
            "last-window-only",
            "A value that wins in two windows kept one gradient. `dx[index] += …` counts a repeated index once; "
            "np.add.at adds each.",
            swaps=(("np.add.at(dx, at, upstream)", "dx[at] += upstream"),),
        ),
        Mutant(
            "every-tie-is-paid",
            "Each of several equal values got the whole gradient. One of them wins: the first.",
            swaps=(
                (
                    "    np.add.at(dx, at, upstream)\n",
                    "    for a in range(size):\n"
                    "        for b in range(size):\n"
                    "            tied = windows[..., a, b] == pooled\n"
                    "            np.add.at(dx, (picture, channel, row * stride + a, column * stride + b), upstream * tied)\n",
                ),
            ),
        ),
        Mutant(
            "ties-share",
            "Equal values shared the gradient. The question gives all of it to the first.",
            swaps=(
                (
                    "    np.add.at(dx, at, upstream)\n",
                    "    share = upstream / (flat == pooled[..., None]).sum(axis=-1)\n"
                    "    for a in range(size):\n"
                    "        for b in range(size):\n"
                    "            tied = windows[..., a, b] == pooled\n"
                    "            np.add.at(dx, (picture, channel, row * stride + a, column * stride + b), share * tied)\n",
                ),
            ),
        ),
        Mutant(
            "last-of-equals",
            "Among equal values the last one won. The first does, reading row by row.",
            swaps=(("flat.argmax(axis=-1)", "size * size - 1 - flat[..., ::-1].argmax(axis=-1)"),),
        ),
        Mutant(
            "maximum-from-zero",
            "The running maximum started at 0, so windows of negative values gave 0.",
            swaps=(("flat.max(axis=-1)", "flat.max(axis=-1, initial=0.0)"),),
        ),
        Mutant(
            "mean-of-the-window",
            "The mean of each window was taken; the question asks for its largest value.",
            swaps=(("flat.max(axis=-1)", "flat.mean(axis=-1)"),),
        ),
        Mutant(
            "offsets-exchanged",
            "Row and column offset of the winner were exchanged: place // size is the row, place % size the column.",
            swaps=(
                (
                    "row * stride + winner // size, column * stride + winner % size",
                    "row * stride + winner % size, column * stride + winner // size",
                ),
            ),
        ),
        Mutant(
            "stride-as-size",
            "The winner's place was counted from window number times size; windows start at multiples of the stride.",
            swaps=(
                (
                    "row * stride + winner // size, column * stride + winner % size",
                    "np.minimum(row * size + winner // size, x.shape[2] - 1), np.minimum(column * size + winner % size, x.shape[3] - 1)",
                ),
            ),
        ),
    ),
    accepted=(place_by_place, counted_by_place),
)
