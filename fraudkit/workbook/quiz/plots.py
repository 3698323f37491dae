"""Pictures that questions ask about, each drawn from a few numbers, as a figure and as text for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from fraudkit.core.errors import InvalidInput

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Lines = Mapping[str, tuple[np.ndarray, np.ndarray]]
WIDTH, HEIGHT = 60, 14
MARKS = "*o+x"


def _overfitting() -> tuple[str, str, str, Lines]:
    epochs = np.arange(1, 41, dtype=float)
    return (
        "Loss during training",
        "epoch",
        "log loss",
        {
            "training": (epochs, 0.08 + 0.5 * np.exp(-epochs / 8)),
            "validation": (epochs, 0.16 + 0.45 * np.exp(-epochs / 7) + 0.00012 * np.maximum(epochs - 12, 0) ** 2),
        },
    )


def _underfitting() -> tuple[str, str, str, Lines]:
    rows = np.array([1, 2, 4, 8, 16, 32, 64], dtype=float) * 1000
    return (
        "Learning curve",
        "training rows",
        "error",
        {
            "training": (rows, 0.30 - 0.12 * np.exp(-rows / 3000)),
            "validation": (rows, 0.31 + 0.20 * np.exp(-rows / 4000)),
        },
    )


def _high_variance() -> tuple[str, str, str, Lines]:
    rows = np.array([1, 2, 4, 8, 16, 32, 64], dtype=float) * 1000
    return (
        "Learning curve",
        "training rows",
        "error",
        {
            "training": (rows, 0.02 + 0.02 * (1 - np.exp(-rows / 20000))),
            "validation": (rows, 0.10 + 0.25 * np.exp(-rows / 25000)),
        },
    )


def _overconfident() -> tuple[str, str, str, Lines]:
    said = np.linspace(0, 1, 11)
    return (
        "Reliability diagram",
        "stated probability",
        "observed share",
        {"perfect": (said, said), "model": (said, 0.5 + 0.45 * np.tanh(1.5 * (said - 0.5)) / np.tanh(0.75) * 0.6)},
    )


def _two_rocs() -> tuple[str, str, str, Lines]:
    rate = np.linspace(0, 1, 41)
    return (
        "ROC curves",
        "false-positive rate",
        "true-positive rate",
        {"A": (rate, rate**0.28), "B": (rate, np.minimum(1, 0.62 * (1 - np.exp(-rate * 60)) + 0.38 * rate))},
    )


def _small_step() -> tuple[str, str, str, Lines]:
    step = np.arange(0, 60, dtype=float)
    return (
        "Training loss with three learning rates",
        "step",
        "loss",
        {
            "A": (step, np.exp(-step / 200)),
            "B": (step, np.exp(-step / 12)),
            "C": (step, np.exp(step / 85)),
        },
    )


def _slopes() -> tuple[str, str, str, Lines]:
    z = np.linspace(-5, 5, 61)
    s = 1 / (1 + np.exp(-z))
    return (
        "Slopes of three activation functions",
        "input",
        "slope",
        {"A": (z, 1 - np.tanh(z) ** 2), "B": (z, s * (1 - s)), "C": (z, np.where(z > 0, 1.0, 0.0))},
    )


def _weight_paths() -> tuple[str, str, str, Lines]:
    penalty = np.linspace(0, 4, 61)
    return (
        "Weights of three uncorrelated features as the penalty grows",
        "penalty",
        "weight",
        {name: (penalty, np.maximum(w - penalty, 0)) for name, w in (("amount", 3.5), ("age", 2.0), ("hour", 1.0))},
    )


def _k_distance() -> tuple[str, str, str, Lines]:
    rows = np.arange(0, 1000, 20, dtype=float)
    return (
        "Distance to the 5th neighbour, sorted",
        "row",
        "distance",
        {"distance": (rows, 0.1 + 0.0002 * rows + 2.7 * np.exp((rows - 1000) / 30))},
    )


PLOTS: Mapping[str, Callable[[], tuple[str, str, str, Lines]]] = {
    "overfitting": _overfitting,
    "underfitting": _underfitting,
    "high_variance": _high_variance,
    "overconfident": _overconfident,
    "two_rocs": _two_rocs,
    "learning_rates": _small_step,
    "slopes": _slopes,
    "weight_paths": _weight_paths,
    "k_distance": _k_distance,
}


def data(name: str) -> tuple[str, str, str, Lines]:
    """Title, both axes' names, and the lines of a picture.

    Raises
    ------
    InvalidInput
        There is no such picture.
    """
    if name not in PLOTS:
        raise InvalidInput(f"there is no plot {name!r}; there are {', '.join(PLOTS)}")
    return PLOTS[name]()


def figure(name: str) -> Figure:
    """The picture as a matplotlib figure."""
    from matplotlib.figure import Figure

    title, across, up, lines = data(name)
    made = Figure(figsize=(5, 3), dpi=80, layout="tight")
    axes = made.add_subplot(title=title, xlabel=across, ylabel=up)
    for (label, (x, y)), style in zip(lines.items(), ("-", "--", ":", "-."), strict=False):
        axes.plot(x, y, style, label=label)
    axes.legend(frameon=False)
    return made


def as_text(name: str) -> str:
    """The picture drawn with characters, for terminals."""
    title, across, up, lines = data(name)
    every_x = np.concatenate([x for x, _ in lines.values()])
    every_y = np.concatenate([y for _, y in lines.values()])
    low_x, high_x, low_y, high_y = every_x.min(), every_x.max(), every_y.min(), every_y.max()
    grid = [[" "] * WIDTH for _ in range(HEIGHT)]
    for mark, (x, y) in zip(MARKS, lines.values(), strict=False):
        wanted = np.linspace(low_x, high_x, WIDTH)
        for column, value in enumerate(np.interp(wanted, x, y)):
            row = round((high_y - value) / (high_y - low_y) * (HEIGHT - 1))
            grid[int(row)][column] = mark
    legend = "   ".join(f"{mark} {label}" for mark, label in zip(MARKS, lines, strict=False))
    body = [
        f"{label:>7} |{''.join(row)}"
        for label, row in zip(
            [f"{high_y:.2f}", *[""] * (HEIGHT - 2), f"{low_y:.2f}"],
            grid,
            strict=True,
        )
    ]
    foot = f"{'':>8}{low_x:g}{across:^{WIDTH - 8}}{high_x:g}"
    return "\n".join([f"{title} ({up})", *body, f"{'':>8}{'-' * (WIDTH + 1)}", foot, legend])
