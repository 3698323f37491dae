"""Warm-up and cosine: corners at warmup and total, a first step above 0, and no second rise."""

from __future__ import annotations

import math

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def step_by_step(steps, total, warmup, peak, floor=0.0):
    """The oracle: one step at a time, the fall as a squared sine of the half angle."""

    def rate(step):
        if step < warmup:
            return math.fsum([peak / warmup] * (step + 1))
        left = max(total - step, 0)
        return floor + (peak - floor) * math.sin(math.pi / 2 * left / (total - warmup)) ** 2

    steps = np.asarray(steps)
    return np.array([rate(int(step)) for step in steps.reshape(-1)]).reshape(steps.shape)


def cases(rng: np.random.Generator) -> list[Case]:
    """The corners, a floor, no warm-up, beyond the end, shapes, bad settings, then random ones."""
    found = [
        Case(
            "every step",
            (np.arange(13), 12, 4, 1.0),
            why="rising to the peak at step warmup - 1, falling from step warmup on",
        ),
        Case("the first step", (0, 100, 10, 0.5), why="peak / warmup, not 0: a batch at rate 0 is wasted"),
        Case(
            "the end of the warm-up",
            (np.array([9, 10]), 30, 10, 0.1),
            why="the peak is reached, and the fall begins there",
        ),
        Case(
            "with a floor",
            (np.arange(0, 21, 4), 20, 5, 1.0, 0.1),
            why="the fall ends at the floor; the rise starts from 0",
        ),
        Case(
            "after the end",
            (np.array([19, 20, 21, 30, 38]), 20, 2, 1.0, 0.2),
            why="from step total on the rate stays; the cosine itself would rise again",
        ),
        Case("no warm-up", (np.arange(6), 5, 0, 0.3)),
        Case("a warm-up of one step", (np.arange(4), 4, 1, 0.3)),
        Case("a table of steps", (np.array([[0, 3], [5, 9]]), 10, 3, 2.0)),
        Case("a list", ([1, 7], 10, 3, 2.0)),
        Case("floor and peak equal", (np.array([1, 5, 9]), 8, 2, 0.4, 0.4)),
        Case("a negative step", (np.array([1, -1]), 10, 2, 1.0), raises="ValueError"),
        Case("only warm-up", (3, 10, 10, 1.0), raises="ValueError", why="total - warmup is the length of the fall"),
        Case("a floor above the peak", (3, 10, 2, 0.1, 0.2), raises="ValueError"),
        Case("a negative warm-up", (3, 10, -1, 0.1), raises="ValueError"),
    ]
    for size in (10, 40):
        total = int(rng.integers(50, 500))
        warmup = int(rng.integers(5, total // 3))
        steps = rng.integers(0, total + 20, size)
        found.append(Case(f"{size} steps of {total}", (steps, total, warmup, float(rng.random() + 0.1), 0.01)))
    return found


def with_piecewise(steps, total, warmup, peak, floor=0.0):
    """Accepted: three conditions, three functions."""
    steps = np.array(steps, dtype=float)
    if warmup < 0 or warmup >= total:
        raise ValueError("warm-up")
    if peak < floor or steps.min(initial=0) < 0:
        raise ValueError("rates or steps")
    middle, half = (peak + floor) / 2, (peak - floor) / 2
    return np.piecewise(
        steps,
        [steps < warmup, steps >= total],
        [
            lambda s: (s + 1) * (peak / warmup),
            floor,
            lambda s: middle + half * np.cos((s - warmup) * (np.pi / (total - warmup))),
        ],
    )


def looked_up(steps, total, warmup, peak, floor=0.0):
    """Accepted: the whole curve laid out, then read at the steps."""
    if floor > peak or not total > warmup >= 0 or np.any(np.less(steps, 0)):
        raise ValueError("impossible schedule")
    rise = np.linspace(0, peak, warmup + 1)[1:]
    turned = np.linspace(0, math.pi, total - warmup + 1)
    curve = np.append(rise, np.interp(np.cos(turned), [-1, 1], [floor, peak]))
    return curve[np.minimum(steps, total)]


EXERCISE = Exercise(
    id="warmup_cosine",
    title="Learning rate with warm-up and cosine",
    minutes=12,
    difficulty="easy",
    feeds="07",
    week="3-4",
    hints=(
        "Compute both branches for all steps and choose by `np.where`. Mind the division when warmup is 0.",
        "Clip t to 0 … 1: then the rate stays at the floor after the end.",
    ),
    cases=cases,
    expect=step_by_step,
    agree=close(1e-8, 1e-11),
    mutants=(
        Mutant(
            "first-step-at-zero",
            "The warm-up started at rate 0, so the first batch teaches nothing and the peak comes one step late: s + 1.",
            swaps=(("peak * (steps + 1)", "peak * steps"),),
        ),
        Mutant(
            "cosine-over-all-steps",
            "The cosine was stretched over all steps, so the rate jumps where the warm-up ends. It begins at step warmup.",
            swaps=(("(steps - warmup) / (total - warmup)", "steps / total"),),
        ),
        Mutant(
            "rises-again",
            "After step total the cosine rises again. The rate stays at the floor.",
            swaps=(("np.clip((steps - warmup) / (total - warmup), 0.0, 1.0)", "(steps - warmup) / (total - warmup)"),),
        ),
        Mutant(
            "floor-on-top",
            "The floor was added to the full cosine, so the peak is exceeded. The curve runs between floor and peak.",
            swaps=(("(peak - floor) *", "peak *"),),
        ),
        Mutant(
            "floor-ignored",
            "The rate fell to 0 and not to the floor.",
            swaps=(("floor + (peak - floor) * (1", "peak * (1"),),
        ),
        Mutant(
            "rises-from-the-floor",
            "The warm-up started at the floor. Here it is a straight line from 0.",
            swaps=(("peak * (steps + 1) / max(warmup, 1)", "floor + (peak - floor) * (steps + 1) / max(warmup, 1)"),),
        ),
        Mutant(
            "quarter-of-a-cosine",
            "A quarter of a cosine was taken: it falls fastest at the end, where the rate should settle. Half a wave: cos(π·t).",
            swaps=(("(1 + np.cos(np.pi * t)) / 2", "np.cos(np.pi / 2 * t)"),),
        ),
        Mutant(
            "straight-fall",
            "The rate fell in a straight line; the question asks for half a cosine.",
            swaps=(("(1 + np.cos(np.pi * t)) / 2", "(1 - t)"),),
        ),
    ),
    accepted=(with_piecewise, looked_up),
)
