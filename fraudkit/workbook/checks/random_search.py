"""Random search with given draws: log scale, whole numbers with both ends, choices, the best so far."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def trial_loss(settings):
    """The loss that the notebook gives."""
    away = np.log10(settings.get("rate", 0.1) / 0.1) ** 2 + 0.05 * abs(settings.get("depth", 6) - 6)
    return float(away + 0.2 * settings.get("dropout", 0.0) + 0.1 * (settings.get("loss", "log") == "hinge"))


def by_boundaries(space, draws):
    """The oracle: whole numbers and choices by counting boundaries below the draw, logs as exponentials."""
    trials, lowest, curve = [], 0, []
    for row in draws:
        trial: dict[str, Any] = {}
        for (name, (kind, *rest)), u in zip(space.items(), row, strict=True):
            exact = Fraction(float(u))
            if kind in ("whole", "choice"):
                options = rest[0] if kind == "choice" else list(range(rest[0], rest[1] + 1))
                trial[name] = options[sum(exact >= Fraction(k, len(options)) for k in range(1, len(options)))]
            elif kind == "log":
                trial[name] = math.exp((1 - u) * math.log(rest[0]) + u * math.log(rest[1]))
            else:
                trial[name] = float((1 - exact) * Fraction(rest[0]) + exact * Fraction(rest[1]))
        trials.append(trial)
        if trial_loss(trial) < trial_loss(trials[lowest]):
            lowest = len(trials) - 1
        curve.append(trial_loss(trials[lowest]))
    return trials, np.array(curve), trials[lowest]


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same trials, the same curve, the same best settings; whole numbers are integers."""
    if not isinstance(got, tuple | list) or len(got) != 3:
        return "the answer should be a tuple of three: trials, the lowest loss so far, the best settings"
    if reason := difference(list(got[0]), list(expected[0]), 1e-9, 1e-12, "trials"):
        return reason
    for name in [name for name, spec in case.args[0].items() if spec[0] == "whole"]:
        if not all(isinstance(trial[name], int | np.integer) for trial in got[0]):
            return f"{name} should be an int: a depth of 4.0 is refused by the libraries"
    if reason := difference(got[1], expected[1], 1e-8, 1e-10):
        return f"lowest loss so far: {reason}"
    return f"best settings: {reason}" if (reason := difference(got[2], expected[2], 1e-9, 1e-12)) else ""


def cases(rng: np.random.Generator) -> list[Case]:
    """Each kind alone, the ends, ties, what cannot be, then random draws in a full space."""
    two = {"rate": ("log", 0.001, 1.0), "depth": ("whole", 3, 8)}
    full = {
        "rate": ("log", 1e-4, 10.0),
        "loss": ("choice", ["log", "hinge", "focal"]),
        "depth": ("whole", 2, 9),
        "dropout": ("uniform", 0.1, 0.6),
    }
    found = [
        Case("rate and depth", (two, [[0.0, 0.0], [0.5, 0.99], [0.7, 0.5]])),
        Case(
            "rates over four powers of ten",
            ({"rate": ("log", 0.001, 10.0)}, np.array([[0.25], [0.5], [0.75]])),
            why="a quarter of the draws belongs to each power of ten: 0.01, 0.1, 1",
        ),
        Case(
            "depths at the ends",
            ({"depth": ("whole", 2, 4)}, np.array([[0.1], [0.3], [0.4], [0.6], [0.8], [0.999]])),
            why="both ends included, a third of the draws each: 2 2 3 3 4 4",
        ),
        Case(
            "choices",
            ({"loss": ("choice", ["log", "hinge"])}, np.array([[0.49], [0.51], [0.0], [0.99]])),
            why="equal shares of the draws for all options",
        ),
        Case("dropout between its ends", ({"dropout": ("uniform", 0.2, 0.4)}, np.array([[0.9], [0.25], [0.5], [0.0]]))),
        Case(
            "a dict that is not in the alphabet's order",
            ({"rate": ("log", 0.01, 1.0), "dropout": ("uniform", 0.0, 0.5)}, np.array([[0.9, 0.1], [0.2, 0.8]])),
            why="column j belongs to the j-th name of the dict",
        ),
        Case(
            "two trials of equal loss",
            ({"depth": ("whole", 5, 7)}, np.array([[0.9], [0.1], [0.2]])),
            why="depths 7 and 5 are equally far from 6: the first is the best",
        ),
        Case("a whole number with one value", ({"depth": ("whole", 6, 6)}, np.array([[0.7]]))),
        Case("a log range from 0", ({"rate": ("log", 0.0, 1.0)}, np.array([[0.5]])), raises="ValueError"),
        Case("ends reversed", ({"dropout": ("uniform", 0.5, 0.1)}, np.array([[0.5]])), raises="ValueError"),
        Case("whole ends reversed", ({"depth": ("whole", 5, 4)}, np.array([[0.5]])), raises="ValueError"),
        Case("no options", ({"loss": ("choice", [])}, np.array([[0.5]])), raises="ValueError"),
        Case("a kind that is not known", ({"rate": ("normal", 0.0, 1.0)}, np.array([[0.5]])), raises="ValueError"),
        Case("draws of another width", (two, np.array([[0.5], [0.2]])), raises="ValueError"),
        Case("no trials", (two, np.empty((0, 2))), raises="ValueError"),
    ]
    found += [Case(f"{b} trials of four settings", (full, rng.random((b, 4)))) for b in (6, 25)]
    return found


def columns_at_once(space, draws):
    """Accepted: each name's column of draws mapped as a whole."""
    U = np.array(draws, dtype=float)
    if U.ndim < 2 or U.shape[1] != len(space) or not U.size:
        raise ValueError("draws")
    columns = {}
    for name, column in zip(space, U.T, strict=True):
        kind, arguments = space[name][0], space[name][1:]
        if kind == "choice":
            if len(arguments[0]) == 0:
                raise ValueError(name)
            places = np.floor(column * len(arguments[0])).astype(int)
            columns[name] = [arguments[0][place] for place in places]
            continue
        low, high = arguments
        if kind == "whole" and high >= low:
            columns[name] = (low + np.floor(column * (high + 1 - low))).astype(int).tolist()
        elif kind == "log" and low > 0 and high > low:
            columns[name] = np.power(10, np.log10(low) + column * np.log10(high / low)).tolist()
        elif kind == "uniform" and high > low:
            columns[name] = np.interp(column, [0, 1], [low, high]).tolist()
        else:
            raise ValueError(f"{name}: {space[name]}")
    trials = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    losses = [trial_loss(trial) for trial in trials]
    curve = [min(losses[: b + 1]) for b in range(len(losses))]
    return trials, curve, trials[losses.index(min(losses))]


def running_best(space, draws):
    """Accepted: one trial after the other, the best carried along."""
    names, trials, curve, best = list(space), [], [], None
    for row in draws:
        if len(row) != len(names):
            raise ValueError(f"{len(row)} draws for {len(names)} settings")
        trial = {}
        for name, u in zip(names, row, strict=True):
            kind, arguments = space[name][0], list(space[name][1:])
            if kind not in ("uniform", "log", "whole", "choice"):
                raise ValueError(kind)
            if kind == "choice":
                arguments = [0, len(arguments[0]) - 1, arguments[0]]
            low, high = arguments[:2]
            if low > high or (low == high and kind in ("uniform", "log")) or (kind == "log" and low <= 0):
                raise ValueError(f"{low} to {high}")
            if kind == "uniform":
                trial[name] = u * high + (1 - u) * low
            elif kind == "log":
                trial[name] = math.exp(math.log(low) + u * (math.log(high) - math.log(low)))
            else:
                place = math.floor(low + u * (high - low + 1))
                trial[name] = place if kind == "whole" else arguments[2][place]
        loss = trial_loss(trial)
        if best is None or loss < curve[-1]:
            best = trial
        curve.append(loss if not curve else min(curve[-1], loss))
        trials.append(trial)
    if best is None:
        raise ValueError("no trials")
    return [trials, curve, best]


EXERCISE = Exercise(
    id="random_search",
    title="Random search with the draws given",
    minutes=20,
    difficulty="easy",
    feeds="08",
    week="9-10",
    hints=(
        "Write the value of one setting for one draw first. The rest is a loop over trials and a running minimum.",
        "Log scale: draw the logarithm uniformly, or multiply low by a power of high/low.",
        "There are high - low + 1 whole numbers, each with an equal piece of [0, 1): take the floor.",
        "`np.minimum.accumulate` gives the lowest so far.",
    ),
    cases=cases,
    expect=by_boundaries,
    agree=agree,
    mutants=(
        Mutant(
            "log-drawn-uniformly",
            "The rate was drawn uniformly, so nine of ten trials lie in the highest power of ten.",
            swaps=(("rest[0] * (rest[1] / rest[0]) ** u", "rest[0] + u * (rest[1] - rest[0])"),),
        ),
        Mutant(
            "bases-mixed",
            "The logarithm was taken in base 10 and undone in base e. Use one base for both.",
            swaps=(("rest[0] * (rest[1] / rest[0]) ** u", "rest[0] * np.exp(u * np.log10(rest[1] / rest[0]))"),),
        ),
        Mutant(
            "high-end-missing",
            "The highest whole number can never be drawn: there are high - low + 1 of them.",
            swaps=(("(rest[1] - rest[0] + 1)", "(rest[1] - rest[0])"),),
        ),
        Mutant(
            "rounded",
            "Rounding gives both ends half the chance of the others. Take the floor of u times their number.",
            swaps=(("int(u * (rest[1] - rest[0] + 1))", "round(u * (rest[1] - rest[0]))"),),
        ),
        Mutant(
            "whole-as-float",
            "The whole number is a float, which libraries refuse as a depth. Convert it to int.",
            swaps=(("rest[0] + int(u * (rest[1] - rest[0] + 1))", "rest[0] + np.floor(u * (rest[1] - rest[0] + 1))"),),
        ),
        Mutant(
            "choice-rounded",
            "The option was chosen by rounding: the first and the last get half a share.",
            swaps=(("int(u * len(rest[0]))", "round(u * (len(rest[0]) - 1))"),),
        ),
        Mutant(
            "first-column-for-all",
            "All settings of a trial were made from its first draw, so they always rise and fall together.",
            swaps=(("one_setting(spec, u) for", "one_setting(spec, row[0]) for"),),
        ),
        Mutant(
            "names-sorted",
            "The columns were given to the names in the alphabet's order. The dict's own order counts.",
            swaps=(
                (
                    "{name: one_setting(spec, u) for (name, spec), u in zip(space.items(), row, strict=True)}",
                    "{name: one_setting(spec, u) for (name, spec), u in zip(sorted(space.items()), row, strict=True)}",
                ),
            ),
        ),
        Mutant(
            "losses-not-accumulated",
            "The losses of the trials were returned, not the lowest up to each.",
            swaps=(("np.minimum.accumulate(losses)", "losses"),),
        ),
        Mutant(
            "highest-loss",
            "The settings of the highest loss were returned.",
            swaps=(("losses.argmin()", "losses.argmax()"),),
        ),
        Mutant(
            "last-of-equals",
            "Of two equal trials the later was taken. The first stays the best until one is better.",
            swaps=(("int(losses.argmin())", "len(losses) - 1 - int(losses[::-1].argmin())"),),
        ),
        Mutant(
            "log-from-zero",
            "A log range from 0 was taken: it has no end, and every rate comes out as 0 or NaN.",
            swaps=(
                ('if kind == "log" and 0 < rest[0] < rest[1]:', 'if kind == "log" and rest[0] < rest[1]:'),
                ("(rest[1] / rest[0])", "(rest[1] / max(rest[0], 1e-300))"),
            ),
        ),
    ),
    accepted=(columns_at_once, running_best),
)
