"""Running mean and variance that survive a large mean, and that add up across machines."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step

# Relative tolerances: a mean of 1e9 must be right to a thousandth, a variance to a millionth.
TOLERANCE = {"mean": 1e-12, "variance": 1e-6, "summary": 1e-6}


def all_kept(steps=()):
    """The oracle: remembers every number and every summary, and goes over them twice with exact sums."""
    groups: list[tuple[int, float, float]] = []
    answers: list[Any] = []
    for step in steps:
        if step.method in ("update", "merge"):
            groups.append((1, float(step.args[0]), 0.0) if step.method == "update" else step.args)
            answers.append(None)
            continue
        held = [group for group in groups if group[0]]
        n = sum(group[0] for group in held)
        if not n:
            answers.append((0, 0.0, 0.0) if step.method == "summary" else math.nan)
            continue
        mean = sum(Fraction(size) * Fraction(centre) for size, centre, _ in held) / n
        m2 = sum(Fraction(inner) + size * (Fraction(centre) - mean) ** 2 for size, centre, inner in held)
        variance = float(m2 / (n - 1)) if n > 1 else math.nan
        answers.append({"mean": float(mean), "variance": variance, "summary": (n, float(mean), float(m2))}[step.method])
    return answers


def agree(got: Any, expected: Any, case: Case) -> str:
    """Means to twelve digits, variances and sums of squares to six; what update and merge return does not matter."""
    if not isinstance(got, list | tuple) or len(got) != len(expected):
        return difference(got, expected, 0.0, 0.0)
    for step, mine, right in zip(case.steps, got, expected, strict=True):
        if right is None:
            continue
        if step.method == "summary" and isinstance(mine, list | tuple | np.ndarray) and len(mine) == 3:
            reason = difference(mine[1], right[1], TOLERANCE["mean"], 1e-9, "summary()[1], the mean")
            if reason:
                return reason
        if reason := difference(mine, right, TOLERANCE[step.method], 1e-9, f"{step.method}()"):
            return reason
    return ""


def _updates(values: Any) -> tuple[Step, ...]:
    return tuple(Step("update", (value,)) for value in np.asarray(values).tolist())


ASK = (Step("mean"), Step("variance"), Step("summary"))


def _summary(values: Any) -> tuple[int, float, float]:
    values = np.asarray(values, dtype=float)
    return len(values), float(values.mean()), float(((values - values.mean()) ** 2).sum())


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first: one number, two, a mean of 1e9, summaries of uneven size; then random ones."""
    small, big = [2.0, 4.0, 4.0, 5.0, 7.0], [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]
    merge = _summary([10.0, 12.0, 20.0])
    empty = Step("merge", (0, math.nan, 0.0))
    found = [
        Case("five amounts", steps=(*_updates(small), *ASK)),
        Case("one amount", steps=(*_updates([12.5]), *ASK), why="one number has a mean, and no variance that is known"),
        Case("two amounts, whole numbers", steps=(*_updates([3, 8]), *ASK), why="two numbers divide by n - 1 = 1"),
        Case("nothing yet", steps=ASK, why="a new card has no payments: no mean, no variance, an empty summary"),
        Case(
            "four amounts at a mean of 1e9",
            steps=(*_updates(big), *ASK),
            why="the squares are 1e18, where doubles lie 128 apart; the variance is 30",
        ),
        Case(
            "asked after each amount",
            steps=tuple(s for v in small for s in (*_updates([v]), Step("mean"), Step("variance"))),
        ),
        Case(
            "a summary merged in",
            steps=(*_updates(small), Step("merge", merge), *ASK),
            why="the two groups have different means, and that difference is variance too",
        ),
        Case(
            "a large summary merged into a small one, then more amounts",
            steps=(*_updates([1.0, 2.0]), Step("merge", (1000, 50.0, 9000.0)), *_updates([40.0, 60.0]), *ASK),
            why="a group counts by its size: the mean of all is near that of the thousand",
        ),
        Case("merged into an empty one", steps=(Step("merge", merge), *ASK)),
        Case(
            "empty summaries merged",
            steps=(empty, *_updates([3.0, 5.0]), empty, *ASK),
            why="an empty summary changes nothing, even where its mean is NaN, and even where nothing is here yet",
        ),
        Case("merged at a mean of 1e9", steps=(*_updates(big[:2]), Step("merge", _summary(big[2:])), *ASK)),
        Case("NaN", steps=(*_updates([1.0]), Step("update", (math.nan,)), *ASK), raises="ValueError"),
        Case("an infinite amount", steps=(*_updates([1.0]), Step("update", (math.inf,)), *ASK), raises="ValueError"),
        Case("a summary of less than nothing", steps=(Step("merge", (-1, 0.0, 0.0)), *ASK), raises="ValueError"),
    ]
    amounts = np.round(rng.gamma(2.0, 30.0, 60), 2)
    found.append(Case("60 amounts", steps=(*_updates(amounts), *ASK)))
    stamps = 1e9 + rng.integers(0, 80, 40) / 8
    parts = (*_updates(stamps[:12]), Step("merge", _summary(stamps[12:17])), *_updates(stamps[17:]))
    found.append(Case("40 amounts around 1e9, five of them merged", steps=(*parts, *ASK)))
    return found


class ExactSums:
    """Accepted: sums of numbers and of squares as fractions, where nothing is rounded."""

    def __init__(self):
        """Nothing yet."""
        self.n, self.total, self.squares = 0, Fraction(0), Fraction(0)

    def update(self, x):
        """One number."""
        if not math.isfinite(x):
            raise ValueError(f"{x} is not finite")
        self.n, self.total, self.squares = self.n + 1, self.total + Fraction(x), self.squares + Fraction(x) ** 2
        return self

    def merge(self, n, mean, m2):
        """A group."""
        if n < 0:
            raise ValueError("a group has a size of 0 or more")
        if n > 0:
            self.n += n
            self.total += n * Fraction(mean)
            self.squares += Fraction(m2) + n * Fraction(mean) ** 2
        return self

    def summary(self):
        """Size, mean, sum of squared distances."""
        if self.n == 0:
            return [0, 0.0, 0.0]
        return [self.n, float(self.total / self.n), float(self.squares - self.total**2 / self.n)]

    def mean(self):
        """Of all so far."""
        return self.summary()[1] if self.n else float("nan")

    def variance(self):
        """Of all so far, divided by n - 1."""
        return self.summary()[2] / (self.n - 1) if self.n > 1 else float("nan")


class ShiftedSums:
    """Accepted: sums of the distances from the first number seen, which stay small."""

    def __init__(self):
        """Nothing yet."""
        self.count = 0
        self.origin = self.s1 = self.s2 = 0.0

    def update(self, x):
        """One number is a group of one."""
        if np.isnan(x) or np.isinf(x):
            raise ValueError("not a finite number")
        self.merge(1, float(x), 0.0)

    def merge(self, n, mean, m2):
        """A group, as distances from the origin."""
        if n < 0:
            raise ValueError("n is negative")
        if n == 0:
            return
        if self.count == 0:
            self.origin = mean
        shift = mean - self.origin
        self.count += n
        self.s1 += n * shift
        self.s2 += m2 + n * shift * shift

    def mean(self):
        """Of all so far."""
        return self.origin + self.s1 / self.count if self.count else np.nan

    def variance(self):
        """Of all so far, divided by n - 1."""
        return np.nan if self.count < 2 else self.summary()[2] / (self.count - 1)

    def summary(self):
        """Size, mean, sum of squared distances."""
        if not self.count:
            return 0, 0.0, 0.0
        return self.count, self.mean(), self.s2 - self.s1 * self.s1 / self.count


EXERCISE = Exercise(
    id="welford",
    title="Running mean and variance",
    minutes=20,
    difficulty="medium",
    feeds="05",
    week="1-2",
    function="Welford",
    hints=(
        "Keep the count, the mean, and the sum of squared distances from the mean. How far does one more number move "
        "the mean?",
        "With delta = x - mean before the step: the mean moves by delta / n, and the sum of squares grows by delta "
        "times the distance of x from the new mean.",
        "Two groups: their sums of squares add up, and the distance of their means contributes delta²·n₁·n₂/(n₁ + n₂).",
    ),
    cases=cases,
    expect=all_kept,
    agree=agree,
    mutants=(
        Mutant(
            "mean-of-squares",
            "The variance came from the squares less the squared mean. At 1e9 the difference of two numbers of 1e18 "
            "has no correct digit left; keep the sum of squared distances instead.",
            swaps=(
                (
                    "self._m2 += delta * (x - self._mean)",
                    "self._squares = getattr(self, '_squares', 0.0) + x * x\n"
                    "        self._m2 = self._squares - self._n * self._mean**2",
                ),
            ),
        ),
        Mutant(
            "old-distance-squared",
            "The sum of squares grew by the squared distance from the old mean, which is too much. One of the two "
            "factors is the distance from the new mean.",
            swaps=(("delta * (x - self._mean)", "delta * delta"),),
        ),
        Mutant(
            "new-distance-squared",
            "The sum of squares grew by the squared distance from the new mean, which is too little. One of the two "
            "factors is the distance from the old mean.",
            swaps=(("delta * (x - self._mean)", "(x - self._mean) ** 2"),),
        ),
        Mutant(
            "divided-by-n",
            "The variance was divided by n. That of a sample divides by n - 1, which shows most at n = 2.",
            swaps=(("self._m2 / (self._n - 1)", "self._m2 / self._n"),),
        ),
        Mutant(
            "one-number-divides-by-zero",
            "With one number n - 1 is 0. Its variance is not known: NaN.",
            swaps=(("if self._n > 1 else", "if self._n > 0 else"),),
        ),
        Mutant(
            "one-number-certain",
            "One number was given the variance 0, as if every payment of this card were to be of that amount. It is "
            "not known: NaN.",
            swaps=(('(self._n - 1) if self._n > 1 else float("nan")', "(self._n - 1) if self._n > 1 else 0.0"),),
        ),
        Mutant(
            "distance-of-means-forgotten",
            "The two sums of squares were added and nothing else. When the groups' means differ, that difference is "
            "variance too.",
            swaps=((" + delta**2 * self._n * n / total", ""),),
        ),
        Mutant(
            "groups-weigh-the-same",
            "The two means were averaged as if the groups were of one size. Weigh each by its count.",
            swaps=(("self._mean += delta * n / total", "self._mean += delta / 2"),),
        ),
        Mutant(
            "count-not-merged",
            "The merged group's count was not added, so the next number moves the mean too far.",
            swaps=(("        self._n = total\n", ""),),
        ),
        Mutant(
            "empty-summary-merged",
            "An empty summary was merged like any other: NaN comes in with its mean, or 0 is divided by 0. It changes "
            "nothing.",
            swaps=(("        if n == 0:\n            return\n", ""),),
        ),
        Mutant(
            "nan-taken",
            "One NaN or infinity makes every later mean NaN, for as long as the card lives. Refuse it.",
            swaps=(("if not math.isfinite(x):", "if False:"),),
        ),
        Mutant(
            "negative-count-taken",
            "A summary with a negative count was taken. It takes payments away that were never there; refuse it.",
            swaps=(("if n < 0:", "if False:"),),
        ),
    ),
    accepted=(ExactSums, ShiftedSums),
)
