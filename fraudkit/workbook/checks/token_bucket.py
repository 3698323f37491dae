"""A token bucket: the cap, fractions, refused calls that pay nothing, and a clock that goes back."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from fraudkit.workbook.agree import close
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step
from fraudkit.workbook.shrink import calls


def by_time_of_fullness(rate, capacity, steps=()):
    """The oracle: in exact fractions, the one moment at which the bucket would be full again."""
    rate, capacity = Fraction(rate), Fraction(capacity)
    full_at = latest = None
    answers = []
    for step in steps:
        now, n = Fraction(step.args[0]), Fraction(step.args[1] if len(step.args) > 1 else 1)
        latest = now if latest is None else max(latest, now)
        full_at = latest if full_at is None else max(full_at, latest)
        after = full_at + n / rate
        wait = after - latest - capacity / rate
        if wait <= 0:
            full_at = after
        answers.append(float(max(wait, Fraction(0))))
    return answers


def _takes(*asked) -> tuple[Step, ...]:
    return tuple(Step("take", one if isinstance(one, tuple) else (one,)) for one in asked)


def cases(rng: np.random.Generator) -> list[Case]:
    """Small and telling first, then random ones on sixteenths of a second, where floats are exact."""
    found = [
        Case("a burst, then a wait", (2.0, 3), steps=_takes(10.0, (10.0, 2), 10.0, 10.5)),
        Case(
            "full at the first call",
            (1.0, 2),
            steps=_takes(1000.0, 1000.0, 1000.0),
            why="the bucket begins full, whenever the first call comes",
        ),
        Case(
            "a quiet night",
            (1.0, 2),
            steps=_takes(0.0, 0.0, 1000.0, 1000.0, 1000.0),
            why="a bucket holds its capacity and no more",
        ),
        Case(
            "refused again and again",
            (1.0, 1),
            steps=_takes(0.0, 0.25, 0.5, 0.75, 1.0),
            why="a refused call takes nothing, so after a second there is a token",
        ),
        Case(
            "fractions add up",
            (0.5, 2),
            steps=_takes((0.0, 2), 0.5, 1.0, 1.5, 2.0, 3.0, 4.0),
            why="a quarter of a token is kept until there is a whole one",
        ),
        Case(
            "asks for two, has one",
            (1.0, 4),
            steps=_takes((0.0, 3), (0.0, 2), (0.0, 1), (1.5, 2)),
            why="none of the two is taken; and the wait is for the one that is missing",
        ),
        Case(
            "the clock goes back",
            (1.0, 3),
            steps=_takes((10.0, 3), 9.0, 10.0, 11.0, 11.0),
            why="time that went back brings nothing and takes nothing",
        ),
        Case(
            "a clock that goes back and forth",
            (1.0, 3),
            steps=_takes((10.0, 3), 8.0, 10.0, 8.0, 10.5, (11.0, 2)),
            why="the same second must not be counted twice",
        ),
        Case("a capacity of 2.5", (4.0, 2.5), steps=_takes((0.0, 2), 0.0, 0.125, 0.25)),
        Case(
            "more than ever fits",
            (1.0, 3),
            steps=_takes((0.0, 4)),
            raises="ValueError",
            why="it could never succeed, so no wait is right",
        ),
        Case("none asked for", (1.0, 3), steps=_takes((0.0, 0)), raises="ValueError"),
        Case("a rate of 0", (0.0, 3), steps=_takes(0.0), raises="ValueError"),
        Case("no room", (1.0, 0.5), steps=_takes(0.0), raises="ValueError"),
    ]
    for n, rate, capacity in ((15, 2.0, 4), (60, 0.5, 3), (80, 4.0, 6)):
        moments = np.cumsum(rng.integers(0, 24, n)) / 16 / rate + rng.integers(0, 100)
        moments[n // 2] -= 0.5
        asked = rng.integers(1, 3, n).tolist()
        found.append(
            Case(
                f"{n} calls at {rate:g} a second",
                (rate, capacity),
                steps=_takes(*zip(moments.tolist(), asked, strict=True)),
            )
        )
    return found


class MissingTokens:
    """Accepted: counts what is missing from a full bucket, which leaks away."""

    def __init__(self, rate, capacity):
        """Nothing is missing."""
        if rate <= 0 or capacity < 1:
            raise ValueError("rate or capacity")
        self.rate, self.capacity, self.missing, self.at = rate, capacity, 0.0, -math.inf

    def take(self, now, n=1):
        """What is missing falls with time, and rises with what is taken."""
        if n < 1 or n > self.capacity:
            raise ValueError(n)
        if now > self.at:
            self.missing = max(0.0, self.missing - self.rate * (now - self.at)) if self.missing else 0.0
            self.at = now
        over = self.missing + n - self.capacity
        if over > 0:
            return over / self.rate
        self.missing += n
        return 0.0


class ArrivalTime:
    """Accepted: the generic cell rate algorithm: one time stamp."""

    def __init__(self, rate, capacity):
        """Seconds for one token, and for all."""
        if not (rate > 0 and capacity >= 1):
            raise ValueError((rate, capacity))
        self.each, self.most = 1 / rate, capacity
        self.theoretical = self.clock = None

    def take(self, now, n=1):
        """Allowed when the theoretical time does not lie further ahead than a full bucket."""
        if n > self.most or n < 1:
            raise ValueError(f"{n} of {self.most}")
        self.clock = now if self.clock is None else max(now, self.clock)
        start = self.clock if self.theoretical is None else max(self.theoretical, self.clock)
        early = start + (n - self.most) * self.each - self.clock
        if early > 1e-12:
            return early
        self.theoretical = start + n * self.each
        return 0.0


EXERCISE = Exercise(
    id="token_bucket",
    title="A token bucket",
    minutes=15,
    difficulty="medium",
    feeds="10",
    week="9-10",
    hints=(
        "Nobody has to fill the bucket every second. What do you have to remember to know its content when somebody asks?",
        "Tokens and the time for which they hold. First bring both up to date, cap them, and only then decide.",
        "A refused call changes neither the tokens nor what has come in. Keep the latest time ever seen, not the last one given.",
    ),
    cases=cases,
    expect=by_time_of_fullness,
    agree=close(rtol=1e-6, atol=1e-9),
    mutants=(
        Mutant(
            "no-cap",
            "The bucket fills for ever, so a quiet night saves up a flood. It holds its capacity and no more.",
            swaps=(("min(self.capacity, self.tokens + passed * self.rate)", "self.tokens + passed * self.rate"),),
        ),
        Mutant(
            "starts-empty",
            "The bucket began empty. It is full at the first call.",
            swaps=(("self.tokens = capacity\n", "self.tokens = 0.0\n"),),
        ),
        Mutant(
            "refused-pays",
            "A refused call took tokens, so a caller who keeps trying never gets through.",
            swaps=(
                (
                    "        if self.tokens < n:\n            return (n - self.tokens) / self.rate\n",
                    "        if self.tokens < n:\n            wait = (n - self.tokens) / self.rate\n            self.tokens = 0\n            return wait\n",
                ),
            ),
        ),
        Mutant(
            "whole-tokens",
            "What came in was cut to whole tokens while the time moved on, so frequent calls lose the fractions.",
            swaps=(("passed * self.rate)", "passed * self.rate // 1)"),),
        ),
        Mutant(
            "time-goes-negative",
            "A clock that went back took tokens away.",
            swaps=(
                ("max(0.0, now - self.filled)", "now - self.filled"),
                ("self.filled = max(self.filled, now)", "self.filled = now"),
            ),
        ),
        Mutant(
            "second-counted-twice",
            "After the clock went back, the time it had lost brought tokens a second time. Keep the latest time.",
            swaps=(("self.filled = max(self.filled, now)", "self.filled = now"),),
        ),
        Mutant(
            "wait-for-all",
            "The wait is for all n tokens, though some are there already.",
            swaps=(("(n - self.tokens) / self.rate", "n / self.rate"),),
        ),
        Mutant(
            "takes-what-there-is",
            "The call was let through on one whole token, though it asked for more.",
            swaps=(("if self.tokens < n:", "if self.tokens < 1:"),),
        ),
        Mutant(
            "exactly-enough-refused",
            "With exactly n tokens the call was refused, with a wait of 0 seconds.",
            swaps=(
                ("if self.tokens < n:", "if self.tokens <= n:"),
                ("(n - self.tokens) / self.rate", "max(n - self.tokens, 1e-3) / self.rate"),
            ),
        ),
        Mutant(
            "never-told",
            "More tokens than the bucket can hold were asked for, and a wait was returned that helps nobody.",
            swaps=(("if not 1 <= n <= self.capacity:", "if not 1 <= n:"),),
        ),
    ),
    accepted=(MissingTokens, ArrivalTime),
    shrink=calls(),
    preload=("numpy", "math"),
    function="TokenBucket",
)
