"""What peeking costs: cumulative sums, the first significant look, either sign, looks checked."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant


def experiment_by_experiment(draws, looks, alpha=0.05):
    """The oracle: each experiment is walked through and its two tails are compared with alpha, by erfc."""
    ever, at_last, used = [], [], []
    for row in draws:
        hits = []
        for k in looks:
            z = math.fsum(float(v) for v in row[: int(k)]) / math.sqrt(k)
            hits.append(math.erfc(abs(z) / math.sqrt(2)) < alpha)
        ever.append(any(hits))
        at_last.append(hits[-1])
        used.append(int(next((k for k, hit in zip(looks, hits, strict=True) if hit), looks[-1])))
    return sum(ever) / len(ever), sum(at_last) / len(at_last), sum(used) / len(used)


def cases(rng: np.random.Generator) -> list[Case]:
    """By hand, one look, either sign, early stops, what cannot be, then simulated experiments."""
    four = np.array([[3.0, -3.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.5], [-1.0, 2.0, 0.5, 0.0]])
    found = [
        Case("four experiments, two looks", (four.tolist(), [1, 4])),
        Case("one look", (four, [4]), why="one look has no cost: both shares are the same"),
        Case(
            "a lucky start",
            (np.array([[2.5, 0.0, -2.0, 0.0], [2.5, 2.5, 2.5, 2.5]]), np.array([1, 2, 4])),
            why="it counts as significant although it no longer is at the end",
        ),
        Case(
            "below zero",
            (np.array([[-2.5, 0.0], [0.0, -2.9], [0.1, 0.1]]), [1, 2]),
            why="two-sided: a large negative z is significant too",
        ),
        Case(
            "significant from the second look on",
            (np.array([[0.0, 3.0, 1.0, 1.0], [0.0, 0.0, 0.0, 9.0]]), [1, 2, 3, 4]),
            why="the stop is at the first significant look, not at the last or the first of all",
        ),
        Case("a stricter alpha", (four, [1, 2, 3, 4]), {"alpha": 0.002}),
        Case("no look", (four, []), raises="ValueError"),
        Case("a look beyond the end", (four, [2, 5]), raises="ValueError"),
        Case("a look at nothing", (four, [0, 4]), raises="ValueError", why="0 differences have no z"),
        Case("looks out of order", (four, [3, 1]), raises="ValueError"),
    ]
    found.append(Case("300 experiments, five looks", (rng.normal(size=(300, 50)), np.arange(10, 51, 10))))
    found.append(Case("200 experiments, every look", (rng.normal(size=(200, 40)), np.arange(1, 41), 0.1)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """Forty experiments with a look at every difference."""
    return Case(f"{n} looks", (rng.normal(size=(40, n)), np.arange(1, n + 1)))


def carried_from_look_to_look(draws, looks, alpha=0.05):
    """Accepted: sums carried from one look to the next, experiments that stopped marked by their count."""
    draws = np.array(draws, dtype=np.float64)
    if len(looks) < 1:
        raise ValueError("no look")
    critical, total = -NormalDist().inv_cdf(alpha / 2), np.zeros(len(draws))
    stop, before = np.zeros(len(draws), dtype=int), 0
    for k in looks:
        if not before < k <= draws.shape[1]:
            raise ValueError(f"a look at {k} after {before}")
        total += draws[:, before:k].sum(axis=1)
        crossed = total**2 > critical**2 * k
        stop[(stop == 0) & crossed] = k
        before = k
    return (stop > 0).mean(), crossed.mean(), np.where(stop > 0, stop, looks[-1]).mean()


def first_by_minimum(draws, looks, alpha=0.05):
    """Accepted: infinity where nothing is seen, then the least."""
    looks = list(looks)
    width = np.shape(draws)[1]
    if not looks or sorted(set(looks)) != looks or min(looks) < 1 or max(looks) > width:
        raise ValueError(looks)
    columns = np.add.accumulate(np.array(draws, dtype=float).T)
    bound = NormalDist(0, 1).inv_cdf(1 - alpha / 2)
    times = np.full(np.shape(columns)[1], np.inf)
    for k in reversed(looks):
        times[np.abs(columns[k - 1]) > bound * k**0.5] = k
    last = np.abs(columns[looks[-1] - 1]) > bound * looks[-1] ** 0.5
    return [np.isfinite(times).mean(), last.mean(), np.minimum(times, looks[-1]).mean()]


EXERCISE = Exercise(
    id="peeking_error_rate",
    title="What peeking costs",
    minutes=20,
    difficulty="medium",
    feeds="11",
    week="7-8",
    hints=(
        "One experiment, two looks: when is it called significant? Then all experiments at once.",
        "`np.cumsum` along a row has the sum at every possible look; pick the columns of the looks.",
        "`argmax` of booleans is the place of the first True, and 0 also where there is none: tell these apart.",
    ),
    cases=cases,
    expect=experiment_by_experiment,
    agree=close(rtol=1e-9, atol=1e-12),
    mutants=(
        Mutant(
            "mean-for-z",
            "The sum was divided by k, not by √k: the mean of k differences has the spread 1/√k.",
            swaps=(("/ np.sqrt(looks)", "/ looks"),),
        ),
        Mutant(
            "sum-for-z",
            "The sum was compared as it is. Its spread grows like √k: divide by it.",
            swaps=((" / np.sqrt(looks)", ""),),
        ),
        Mutant(
            "one-sided",
            "Only large positive z were called significant. The test is two-sided.",
            swaps=(("np.abs(z) >", "z >"),),
        ),
        Mutant(
            "whole-alpha-on-each-side",
            "The critical value leaves alpha on each side: two-sided means alpha/2.",
            swaps=(("1 - alpha / 2", "1 - alpha"),),
        ),
        Mutant(
            "looks-one-late",
            "A look at k saw k + 1 differences: column k - 1 holds the sum of the first k.",
            swaps=(("[:, looks - 1]", "[:, np.minimum(looks, n - 1)]"),),
        ),
        Mutant(
            "all-looks",
            "An experiment was only counted when every look is significant. One is enough to stop it.",
            swaps=(("stopped = significant.any(axis=1)", "stopped = significant.all(axis=1)"),),
        ),
        Mutant(
            "never-stopped-counted-as-first",
            "argmax is 0 for a row without a significant look, so such experiments seemed to stop at once.",
            swaps=(
                (
                    "np.where(stopped, looks[significant.argmax(axis=1)], looks[-1])",
                    "looks[significant.argmax(axis=1)]",
                ),
            ),
        ),
        Mutant(
            "goes-on-to-the-end",
            "Experiments were counted with all their differences although they stop at the first significant look.",
            swaps=(
                ("np.where(stopped, looks[significant.argmax(axis=1)], looks[-1])", "np.full(len(draws), looks[-1])"),
            ),
        ),
        Mutant(
            "share-of-looks",
            "The share of significant looks was returned. The unit is the experiment: any look counts it once.",
            swaps=(("float(stopped.mean())", "float(significant.mean())"),),
        ),
        Mutant(
            "looks-not-checked",
            "A look at 0 differences, or looks out of order, were taken.",
            swaps=((" or looks[0] < 1", ""), (" or np.any(np.diff(looks) <= 0)", "")),
        ),
        Mutant(
            "summed-anew-at-each-look",
            "The values are right, but each look adds up all differences from the start. Cumulative sums do it once.",
            swaps=(
                (
                    "np.cumsum(draws, axis=1)[:, looks - 1] /",
                    "np.stack([draws[:, :k].sum(axis=1) for k in looks], axis=1) /",
                ),
            ),
        ),
    ),
    accepted=(carried_from_look_to_look, first_by_minimum),
    growth=Growth(large, n=3_000, says="Take cumulative sums once and read the looks off; do not add up anew."),
    preload=("numpy", "statistics"),
)
