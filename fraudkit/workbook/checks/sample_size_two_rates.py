"""Sample size for two rates: two-sided, each arm's own variance, uneven arms, rounded up."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def by_trying(control, treatment, alpha=0.05, power=0.8, ratio=1.0):
    """The oracle: the power itself, by the error function, at sizes that bisection tries."""
    units = _units(control, treatment, alpha, power, ratio)
    return math.ceil(units), math.ceil(ratio * units)


def _units(control: float, treatment: float, alpha: float, power: float, ratio: float) -> float:
    critical = _bisect(lambda z: math.erfc(z / math.sqrt(2)) < alpha, 0.0, 10.0)

    def seen(units: float) -> bool:
        noise = math.sqrt((control - control**2) / units + (treatment - treatment**2) / (ratio * units))
        return 0.5 * math.erfc((critical - abs(control - treatment) / noise) / math.sqrt(2)) > power

    return _bisect(seen, 1e-3, 1e12)


def _bisect(above, low, high):
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (low, middle) if above(middle) else (middle, high)
    return (low + high) / 2


def cases(rng: np.random.Generator) -> list[Case]:
    """Textbook, uneven arms, rare events, what cannot be, then random plans off whole numbers."""
    found = [
        Case("a half against six tenths", (0.5, 0.6)),
        Case("the other way round", (0.6, 0.5), why="two-sided: the sign of the difference does not matter"),
        Case(
            "more power",
            (0.10, 0.08),
            {"power": 0.9},
            why="power is the chance of seeing the effect; its quantile is 1.28 at 90 %",
        ),
        Case("stricter alpha", (0.3, 0.4), {"alpha": 0.01}),
        Case(
            "a small treatment arm",
            (0.2, 0.3),
            {"ratio": 0.1},
            why="its variance is divided by fewer units, so the control arm grows too",
        ),
        Case("a large treatment arm", (0.2, 0.3), {"ratio": 3.0}),
        Case("rare events", (0.003, 0.0021), why="the variance of each arm is its own p(1 - p)"),
        Case("a rate of 0", (0.0, 0.1), raises="ValueError"),
        Case("a rate of 1", (0.9, 1.0), raises="ValueError"),
        Case("equal rates", (0.1, 0.1), raises="ValueError", why="no sample tells equal rates apart"),
        Case("an arm without units", (0.1, 0.2), {"ratio": 0.0}, raises="ValueError"),
    ]
    while len(found) < 15:
        control = round(float(0.05 + 0.6 * rng.random()), 3)
        plan = (control, round(control * 0.8, 4), 0.05, round(float(0.7 + 0.25 * rng.random()), 2), 0.5)
        sizes = _units(*plan)
        if all(0.02 < size % 1 < 0.98 for size in (sizes, 0.5 * sizes)):
            found.append(Case(f"plan {len(found) - 10}", plan))
    return found


def error_budget(control, treatment, alpha=0.05, power=0.8, ratio=1.0):
    """Accepted: from the standard error that both quantiles leave room for."""
    for rate in (control, treatment):
        if rate <= 0 or rate >= 1:
            raise ValueError(f"rate {rate}")
    if control == treatment or not ratio > 0:
        raise ValueError("no difference or no arm")
    normal = NormalDist()
    room = abs(treatment - control) / (normal.inv_cdf(power) - normal.inv_cdf(alpha / 2))
    of_control, of_treatment = control - control * control, treatment - treatment * treatment
    units = (of_control + of_treatment / ratio) / room**2
    return math.ceil(units), math.ceil(units * ratio)


def quantiles_by_newton(control, treatment, alpha=0.05, power=0.8, ratio=1.0):
    """Accepted: quantiles by Newton's method on the error function."""

    def tail(share):
        z = 0.0
        for _ in range(60):
            density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
            z += (math.erfc(z / math.sqrt(2)) / 2 - share) / density
        return z

    if min(control, treatment) <= 0 or max(control, treatment) >= 1 or ratio <= 0 or control == treatment:
        raise ValueError("this is no plan")
    both = tail(alpha / 2) + tail(1 - power)
    effect = (control - treatment) / both
    needed = control * (1 - control) / effect**2 + treatment * (1 - treatment) / effect**2 / ratio
    return [int(np.ceil(needed)), int(np.ceil(needed * ratio))]


EXERCISE = Exercise(
    id="sample_size_two_rates",
    title="Sample size for two rates",
    minutes=20,
    difficulty="medium",
    feeds="11",
    week="7-8",
    hints=(
        "How large may the standard error of the difference be, so that the effect is seen with the wanted power?",
        "z for alpha on two sides, z for the power: their sum times the standard error is the difference.",
        "Variances of two arms add up; the treatment's is divided by ratio times as many units. Round up at the end.",
    ),
    cases=cases,
    expect=by_trying,
    agree=exact,
    mutants=(
        Mutant(
            "one-sided",
            "alpha was put on one side. A two-sided test has alpha/2 on each.",
            swaps=(("quantile(1 - alpha / 2)", "quantile(1 - alpha)"),),
        ),
        Mutant(
            "power-ignored",
            "Without the power's quantile the effect is seen in half of the experiments only.",
            swaps=((" + quantile(power)", ""),),
        ),
        Mutant(
            "quantiles-not-added-first",
            "The quantiles were squared one by one. Their sum is squared.",
            swaps=(("units = z**2 *", "units = (quantile(1 - alpha / 2) ** 2 + quantile(power) ** 2) *"),),
        ),
        Mutant(
            "one-arm-only",
            "Only the control arm's variance was counted. A difference has the noise of both arms.",
            swaps=((" + treatment * (1 - treatment) / ratio", ""),),
        ),
        Mutant(
            "control-twice",
            "The control's variance was taken for both arms. Each has its own p(1 - p).",
            swaps=(("treatment * (1 - treatment) / ratio", "control * (1 - control) / ratio"),),
        ),
        Mutant(
            "ratio-reversed",
            "The ratio was applied the wrong way round: it is treatment units for each control unit.",
            swaps=(
                ("(1 - treatment) / ratio", "(1 - treatment) * ratio"),
                ("ceil(ratio * units)", "ceil(units / ratio)"),
            ),
        ),
        Mutant(
            "ratio-not-in-variance",
            "The treatment arm got ratio times the units, but its variance was computed as if the arms were even.",
            swaps=(("(1 - treatment) / ratio", "(1 - treatment)"),),
        ),
        Mutant(
            "rounded-down",
            "Rounded down, the power falls short of what was promised.",
            swaps=(("return ceil(units), ceil(ratio * units)", "return int(units), int(ratio * units)"),),
        ),
        Mutant(
            "relative-difference",
            "The difference was taken relative to the control's rate. The formula wants it in the rates' own unit.",
            swaps=(("(control - treatment) ** 2", "((control - treatment) / control) ** 2"),),
        ),
        Mutant(
            "total-for-arm",
            "The units of both arms together were given to each.",
            swaps=(("units = z**2 *", "units = (1 + ratio) * z**2 *"),),
        ),
    ),
    accepted=(error_budget, quantiles_by_newton),
    preload=("numpy", "statistics"),
)
