"""Numerical gradient: central differences, a step that grows with the coordinate, any shape, input untouched."""

from __future__ import annotations

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant

OBJECTIVES = {
    "bowl": lambda x: 3.0 * x[0] ** 2 + 2.0 * x[0] * x[1] + x[1] ** 2,
    "cubes": lambda x: (x**3).sum(),
    "soft maximum": lambda x: np.log(np.exp(x).sum()),
}


def derived_by_hand(name, x, h=1e-5):
    """The oracle: derivatives on paper, with the cubic's error s², which a central difference makes exactly."""
    x = np.asarray(x, dtype=float)
    if name == "bowl":
        return np.array([6 * x[0] + 2 * x[1], 2 * x[0] + 2 * x[1]])
    if name == "cubes":
        return 3 * x**2 + (h * np.maximum(1.0, np.abs(x))) ** 2
    return np.exp(x) / np.exp(x).sum()


def cases(rng: np.random.Generator) -> list[Case]:
    """The bowl, wide steps that show the formula, integers, a matrix, then random points."""
    found = [
        Case("the bowl at (1, 2)", ("bowl", [1.0, 2.0])),
        Case(
            "whole numbers",
            ("bowl", np.array([3, -1])),
            why="an integer array cannot hold 3.00001: convert to float before moving a coordinate",
        ),
        Case(
            "a wide step",
            ("cubes", np.array([0.5, -0.25])),
            {"h": 0.5},
            why="the even terms of the Taylor series cancel only between a step up and a step down",
        ),
        Case(
            "a wide step at a large coordinate",
            ("cubes", np.array([10.0, 1.0])),
            {"h": 0.5},
            why="the step is h times |x_j| where that is above 1",
        ),
        Case("a negative coordinate", ("cubes", np.array([-20.0])), {"h": 0.1}, why="a step has a size, not a sign"),
        Case(
            "a matrix of weights",
            ("cubes", np.array([[1.0, 2.0, -1.0], [0.5, -3.0, 0.0]])),
            why="the gradient has the shape of x, also where x is a matrix",
        ),
        Case("the soft maximum of three", ("soft maximum", np.array([0.0, 1.0, -2.0]))),
        Case("a step of zero", ("bowl", [1.0, 2.0]), {"h": 0.0}, raises="ValueError"),
        Case("a negative step", ("bowl", [1.0, 2.0]), {"h": -1e-3}, raises="ValueError"),
    ]
    found.append(Case("eight random logits", ("soft maximum", rng.normal(size=8))))
    found.append(Case("a random matrix", ("cubes", rng.normal(size=(4, 3)) * 2), {"h": 0.01}))
    return found


def whole_rows_moved(name, x, h=1e-5):
    """Accepted: one row of the identity for each coordinate, both sides at once."""
    if not h > 0:
        raise ValueError("h has to be positive")
    x = np.asarray(x, dtype=float)
    flat = x.ravel()
    size = h * np.maximum(1, np.abs(flat))
    moved = np.diag(size)
    up = [OBJECTIVES[name]((flat + row).reshape(x.shape)) for row in moved]
    down = [OBJECTIVES[name]((flat - row).reshape(x.shape)) for row in moved]
    return ((np.array(up) - np.array(down)) / size / 2).reshape(x.shape)


def fresh_copies(name, x, h=1e-5):
    """Accepted: fresh copies for each coordinate, gathered in a list."""
    if h <= 0:
        raise ValueError(h)
    original = np.array(x, dtype=np.float64)
    slopes = []
    for k, value in enumerate(original.flat):
        width = h * abs(value) if abs(value) > 1 else h
        pair = []
        for sign in (1, -1):
            copy = original.copy()
            copy.flat[k] += sign * width
            pair.append(OBJECTIVES[name](copy))
        slopes.append((pair[0] - pair[1]) / (2 * width))
    return np.reshape(slopes, original.shape)


EXERCISE = Exercise(
    id="numerical_gradient",
    title="Numerical gradient",
    minutes=15,
    difficulty="easy",
    feeds="07",
    week="1-2",
    hints=(
        "Change one coordinate, ask the function, change it back. How often is the function asked in all?",
        "`np.ndindex(x.shape)` walks over the places of an array of any shape.",
        "(f(x + s·e_j) - f(x - s·e_j)) / (2s), with a step s of its own for each j.",
    ),
    cases=cases,
    expect=derived_by_hand,
    agree=close(rtol=1e-6, atol=1e-8),
    mutants=(
        Mutant(
            "forward-difference",
            "The difference was taken on one side only, whose error is of the first power of the step. Step up and "
            "down.",
            swaps=(("x[j] = centre - s", "x[j] = centre"), ("/ (2 * s)", "/ s")),
        ),
        Mutant(
            "divided-by-one-step",
            "The two points lie two steps apart, and the difference was divided by one.",
            swaps=(("/ (2 * s)", "/ s"),),
        ),
        Mutant(
            "same-step-everywhere",
            "The step does not grow with the coordinate: at large values it drowns in rounding.",
            swaps=(("h * max(1.0, abs(x[j]))", "h"),),
        ),
        Mutant(
            "step-with-a-sign",
            "The size of the coordinate was taken with its sign, so a large negative coordinate gets the smallest "
            "step. Use its absolute value.",
            swaps=(("max(1.0, abs(x[j]))", "max(1.0, x[j])"),),
        ),
        Mutant(
            "coordinates-not-put-back",
            "A coordinate that was moved stayed moved when the next one was measured.",
            swaps=(("        x[j] = centre\n", ""),),
        ),
        Mutant(
            "integers-kept",
            "An integer array cuts the step off: every coordinate moves by a whole number or not at all.",
            swaps=(("np.array(x, dtype=float)", "np.array(x)"), ("np.empty_like(x)", "np.empty(x.shape)")),
        ),
        Mutant(
            "flattened",
            "The gradient came back as one long row; the caller subtracts it from weights in their own shape.",
            swaps=(("return gradient", "return gradient.ravel()"),),
        ),
    ),
    accepted=(whole_rows_moved, fresh_copies),
)
