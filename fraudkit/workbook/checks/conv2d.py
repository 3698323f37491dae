"""Convolution forward: kernel not flipped, a frame on four sides, whole windows only, no loop over pixels."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_scipy(x, weight, bias, stride=1, padding=0):
    """The oracle: scipy's correlation of each channel at every place, of which each stride-th is kept."""
    from scipy.signal import correlate2d

    x, weight, bias = (np.asarray(value, dtype=float) for value in (x, weight, bias))
    frame = np.zeros((*x.shape[:2], x.shape[2] + 2 * padding, x.shape[3] + 2 * padding))
    frame[:, :, padding : padding + x.shape[2], padding : padding + x.shape[3]] = x
    pictures = []
    for picture in frame:
        maps = [
            sum(correlate2d(channel, kernel, mode="valid") for channel, kernel in zip(picture, kernels, strict=True))
            + shift
            for kernels, shift in zip(weight, bias, strict=True)
        ]
        pictures.append([one[::stride, ::stride] for one in maps])
    return np.array(pictures)


def cases(rng: np.random.Generator) -> list[Case]:
    """One channel by hand, channels, stride, frame, what does not fit, then random ones."""
    grid = np.arange(1.0, 13.0).reshape(1, 1, 3, 4)
    kernel = np.array([[[[1.0, 2.0], [0.0, -1.0]]]])
    none = np.zeros(1)
    found = [
        Case(
            "one picture, one kernel", (grid, kernel, none), why="the kernel lies on the picture as it is, not flipped"
        ),
        Case("a kernel that is not square", (grid, np.array([[[[1.0, 10.0, 100.0]]]]), none), why="kh before kw"),
        Case("a bias for each kernel", (grid, np.vstack([kernel, -kernel]), np.array([100.0, 5.0]))),
        Case(
            "two channels",
            (np.concatenate([grid, grid * 10], axis=1), np.concatenate([kernel, kernel * 3], axis=1), none),
            why="a kernel sums over all channels of the picture",
        ),
        Case("stride 2", (grid, kernel, none, 2), why="windows start at every second row and column"),
        Case(
            "a row left over",
            (np.arange(20.0).reshape(1, 1, 4, 5), np.ones((1, 1, 3, 3)), none, 2),
            why="a window that does not fit wholly is left out",
        ),
        Case("a frame of 1", (grid, kernel, none, 1, 1), why="zeros on all four sides"),
        Case("frame and stride", (grid, kernel, np.array([0.5]), 2, 1)),
        Case("lists of integers", ([[[[1, 2], [3, 4]]]], [[[[1]]], [[[2]]]], [0, 1])),
        Case("as large as the picture", (grid, np.ones((1, 1, 3, 4)), none)),
        Case("channels that differ", (grid, np.ones((1, 2, 2, 2)), none), raises="ValueError"),
        Case(
            "a kernel too large",
            (grid, np.ones((1, 1, 4, 2)), none),
            raises="ValueError",
            why="no window fits, and an empty answer would hide it",
        ),
    ]
    for n, c, o, size, k, stride, padding in ((2, 3, 4, 7, 3, 2, 1), (1, 2, 3, 9, 4, 3, 2)):
        x, weight = rng.normal(size=(n, c, size, size + 1)), rng.normal(size=(o, c, k, k - 1))
        found.append(
            Case(f"{n} pictures of {c} channels, stride {stride}", (x, weight, rng.normal(size=o), stride, padding))
        )
    return found


def gathered_columns(x, weight, bias, stride=1, padding=0):
    """Accepted: windows gathered by index into a matrix, one product."""
    x, weight = np.array(x, float), np.array(weight, float)
    n, c, h, w = x.shape
    o, channels, kh, kw = weight.shape
    h, w = h + 2 * padding, w + 2 * padding
    if channels != c or kh > h or kw > w:
        raise ValueError("the kernels do not fit the pictures")
    framed = np.zeros((n, c, h, w))
    framed[:, :, padding : h - padding, padding : w - padding] = x
    rows, columns = (h - kh) // stride + 1, (w - kw) // stride + 1
    down = np.arange(rows)[:, None] * stride + np.arange(kh)
    across = np.arange(columns)[:, None] * stride + np.arange(kw)
    gathered = framed[:, :, down[:, None, :, None], across[None, :, None, :]]
    flat = np.moveaxis(gathered, 1, 3).reshape(n * rows * columns, -1)
    result = flat @ weight.reshape(o, -1).T + np.asarray(bias, float)
    return result.reshape(n, rows, columns, o).transpose(0, 3, 1, 2)


def shifted_pictures(x, weight, bias, stride=1, padding=0):
    """Accepted: a loop over the kernel's places, the whole picture shifted at each."""
    weight = np.asarray(weight, dtype=np.float64)
    picture = np.pad(np.asarray(x, dtype=np.float64), [(0, 0)] * 2 + [(padding, padding)] * 2)
    kh, kw = weight.shape[-2:]
    height, width = picture.shape[-2:]
    if picture.shape[1] != weight.shape[1]:
        raise ValueError("channels")
    if min(height - kh, width - kw) < 0:
        raise ValueError("kernel")
    products = []
    for a in range(kh):
        for b in range(kw):
            part = picture[:, :, a : height - kh + a + 1 : stride, b : width - kw + b + 1 : stride]
            products.append(np.tensordot(part, weight[:, :, a, b], axes=(1, 1)))
    return np.moveaxis(np.sum(products, axis=0) + np.asarray(bias), -1, 1)


EXERCISE = Exercise(
    id="conv2d",
    title="Convolution, forward",
    minutes=25,
    difficulty="medium",
    feeds="07",
    week="3-4",
    hints=(
        "Frame the pictures with `np.pad`. Then either look at all windows at once, or loop over the kernel's few places.",
        "`np.lib.stride_tricks.sliding_window_view(padded, (kh, kw), axis=(2, 3))` has two more axes at the end; "
        "the stride is a slice of axes 2 and 3.",
        "`np.einsum` sums over channels and kernel places. The bias belongs to axis 1 of the result.",
    ),
    cases=cases,
    expect=by_scipy,
    agree=close(1e-8, 1e-10),
    mutants=(
        Mutant(
            "kernel-flipped",
            "The kernel was turned by 180 degrees, as the convolution of mathematics asks. Networks do not flip it.",
            swaps=(('"ncrsab,ocab->nors", windows, weight', '"ncrsab,ocab->nors", windows, weight[:, :, ::-1, ::-1]'),),
        ),
        Mutant(
            "frame-on-two-sides",
            "Zeros were added at the top and on the left only. The frame goes round all four sides.",
            swaps=(("(padding, padding), (padding, padding))", "(2 * padding, 0), (2 * padding, 0))"),),
        ),
        Mutant(
            "frame-left-out",
            "The pictures were not framed, so their edges are seen by fewer windows and the result is too small.",
            swaps=(("(padding, padding), (padding, padding))", "(0, 0), (0, 0))"),),
        ),
        Mutant(
            "stride-left-out",
            "Every window was taken. With a stride of 2 only every second one is, in both directions.",
            swaps=(("windows[:, :, ::stride, ::stride]", "windows"),),
        ),
        Mutant(
            "stride-on-rows-only",
            "The stride was applied to the rows but not to the columns.",
            swaps=(("windows[:, :, ::stride, ::stride]", "windows[:, :, ::stride]"),),
        ),
        Mutant(
            "channels-averaged",
            "The channels were averaged. A kernel has weights of its own for each channel, and their products are summed.",
            swaps=(("optimize=True) + bias", "optimize=True) / weight.shape[1] + bias"),),
        ),
        Mutant(
            "bias-forgotten",
            "The bias was not added: one number for each kernel, the same at every place.",
            swaps=((" + bias[:, None, None]", ""),),
        ),
        Mutant(
            "empty-when-too-large",
            "A kernel that does not fit gave an error of NumPy's or an empty result, not the ValueError that says so.",
            swaps=(
                (
                    'raise ValueError(f"a kernel of {kh} by {kw} is larger than the framed picture, {padded.shape[2:]}")',
                    "return np.zeros((len(x), len(weight), 0, 0))",
                ),
            ),
        ),
    ),
    accepted=(gathered_columns, shifted_pictures),
)
