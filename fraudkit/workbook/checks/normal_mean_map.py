"""Normal mean with a normal prior: precisions add up; no payments, and no belief."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant


def one_payment_at_a_time(x, noise, prior_mean, prior_spread):
    """The oracle: today's posterior is tomorrow's prior, an observation at a time, in exact fractions."""
    square = Fraction(float(noise)) ** 2
    seen = [Fraction(float(value)) for value in x]
    if math.isinf(prior_spread):  # the first payment is the whole belief
        mean, variance, from_prior = seen.pop(0), square, Fraction(0)
    else:
        mean, variance, from_prior = Fraction(float(prior_mean)), Fraction(float(prior_spread)) ** 2, Fraction(1)
    for value in seen:
        gain = variance / (variance + square)
        mean, variance, from_prior = mean + gain * (value - mean), (1 - gain) * variance, from_prior * (1 - gain)
    return float(mean), math.sqrt(variance), float(1 - from_prior)


def cases(rng: np.random.Generator) -> list[Case]:
    """By hand, no payments, no belief, strong and weak priors, what cannot be, then random cards."""
    found = [
        Case("two payments", ([60.0, 80.0], 10.0, 40.0, 10.0)),
        Case("no payments", ([], 10.0, 40.0, 5.0), why="the mean of nothing is NaN; the belief stays as it was"),
        Case(
            "no belief",
            (np.array([50.0, 70.0, 90.0]), 6.0, 1000.0, np.inf),
            why="an infinite spread of the prior leaves the plain mean, whatever the prior's mean",
        ),
        Case(
            "spreads that differ",
            (np.array([30.0]), 2.0, 10.0, 4.0),
            why="weights are one over the variance: 1/4 against 1/16, not 1/2 against 1/4",
        ),
        Case("a firm belief", (np.array([500.0, 700.0]), 50.0, 40.0, 1.0)),
        Case("whole numbers", (np.array([3, 4, 8]), 2, 5, 1)),
        Case("payments below zero", ([-20.0, -10.0, 0.0], 5.0, 15.0, 20.0)),
        Case("no noise", ([1.0], 0.0, 1.0, 1.0), raises="ValueError"),
        Case("a prior without spread", ([1.0], 1.0, 1.0, 0.0), raises="ValueError"),
        Case("nothing known at all", ([], 1.0, 3.0, np.inf), raises="ValueError"),
    ]
    for n in (5, 30):
        noise, spread = float(2 + 8 * rng.random()), float(1 + 5 * rng.random())
        found.append(Case(f"{n} payments", (rng.normal(50, noise, n), noise, 42.0, spread)))
    return found


def belief_as_payments(x, noise, prior_mean, prior_spread):
    """Accepted: the belief counted as so many payments at the prior's mean."""
    if not (noise > 0 and prior_spread > 0):
        raise ValueError("spreads have to be positive")
    worth = (noise / prior_spread) ** 2
    n = len(x)
    if n + worth == 0:
        raise ValueError("nothing is known")
    total = sum(float(v) for v in x) + (worth * prior_mean if worth else 0)
    return total / (n + worth), noise / math.sqrt(n + worth), n / (n + worth)


def gain_on_the_mean(x, noise, prior_mean, prior_spread):
    """Accepted: the prior corrected by a gain times the surprise, as a Kalman filter does."""
    if min(noise, prior_spread) <= 0:
        raise ValueError(f"{noise} and {prior_spread}")
    if np.size(x) == 0:
        if prior_spread == np.inf:
            raise ValueError("no data and no belief")
        return [prior_mean, prior_spread, 0]
    of_mean = noise**2 / np.size(x)
    if prior_spread == np.inf:
        return [np.average(x), of_mean**0.5, 1]
    gain = prior_spread**2 / (prior_spread**2 + of_mean)
    return [prior_mean + gain * (np.average(x) - prior_mean), np.sqrt(gain * of_mean), gain]


EXERCISE = Exercise(
    id="normal_mean_map",
    title="A card's usual amount with a normal prior",
    minutes=20,
    difficulty="medium",
    feeds="05",
    week="1-2",
    hints=(
        "The log posterior is a parabola in the mean. Where is its lowest point, and how sharp is it?",
        "Precisions, one over the variance, add up: n of the observations, one of the belief.",
        "With an infinite prior spread its precision is 0; without observations theirs is 0. Guard 0 times NaN.",
    ),
    cases=cases,
    expect=one_payment_at_a_time,
    agree=close(rtol=1e-9, atol=1e-10),
    mutants=(
        Mutant(
            "weighed-by-spreads",
            "The weights are one over the standard deviation. It is the variances that count.",
            swaps=(("len(x) / noise**2, 1 / prior_spread**2", "len(x) / noise, 1 / prior_spread"),),
        ),
        Mutant(
            "number-ignored",
            "n payments were given the precision of one. The mean of n has n times as much.",
            swaps=(("seen, believed = len(x) / noise**2", "seen, believed = bool(len(x)) / noise**2"),),
        ),
        Mutant(
            "weights-swapped",
            "The prior got the weight of the data and the data that of the prior: the spreads were taken for weights.",
            swaps=(("weight = seen / (seen + believed)", "weight = believed / (seen + believed)"),),
        ),
        Mutant(
            "half-and-half",
            "Prior and data were averaged half and half, however many payments there are.",
            swaps=(
                ("weight = seen / (seen + believed)", "weight = 0.5 if len(x) and believed else float(bool(len(x)))"),
            ),
        ),
        Mutant(
            "variance-for-spread",
            "The posterior's variance was returned where its standard deviation was asked for.",
            swaps=(("(seen + believed) ** -0.5", "(seen + believed) ** -1.0"),),
        ),
        Mutant(
            "spread-of-data-only",
            "The spread is that of the observations' mean alone; what was believed makes it narrower.",
            swaps=(("(seen + believed) ** -0.5", "(seen if seen else believed) ** -0.5"),),
        ),
        Mutant(
            "mean-of-nothing",
            "Without payments their mean is NaN, and 0 times NaN is NaN.",
            swaps=(("x.mean() if len(x) else 0.0", "np.sum(x) / np.float64(len(x))"),),
        ),
        Mutant(
            "plain-mean",
            "That is the observations' mean: maximum likelihood without the prior.",
            swaps=(("weight * own + (1 - weight) * prior)", "own if len(x) else prior)"),),
        ),
        Mutant(
            "nothing-known-taken",
            "Without payments and without a belief there is no answer, yet one was given.",
            swaps=(
                (" or (len(x) == 0 and np.isinf(prior_spread))", ""),
                ("seen / (seen + believed)", "seen / max(seen + believed, 1e-300)"),
                ("float((seen + believed) ** -0.5)", "float(np.float64(seen + believed) ** -0.5)"),
            ),
        ),
    ),
    accepted=(belief_as_payments, gain_on_the_mean),
)
