"""Early stopping: the best so far and not the last, strictly less, min_delta, NaN, and the count that starts anew."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fraudkit.workbook.agree import exact
from fraudkit.workbook.exercise import Case, Exercise, Mutant, Step


def from_the_whole_history(patience, min_delta=0.0, steps=()):
    """The oracle: no state; each answer is worked out anew from all losses so far."""
    losses: list[float] = []
    answers: list[Any] = []
    for step in steps:
        if step.method == "update":
            losses.append(step.args[0])
        better: list[int] = []
        for epoch, loss in enumerate(losses):
            reached = losses[better[-1]] if better else math.inf
            if not math.isnan(loss) and reached - min_delta > loss:
                better.append(epoch)
        if step.method == "update":
            recent = set(range(len(losses) - patience, len(losses)))
            answers.append(len(losses) >= patience and not recent & set(better))
        else:
            answers.append((better[-1], losses[better[-1]]) if better else (-1, math.inf))
    return answers


def _case(
    name: str, patience: int, losses: Any, min_delta: float = 0.0, why: str = "", raises: str = "", best: bool = True
) -> Case:
    steps = [Step("update", (loss,)) for loss in losses] + [Step("best")] * best
    return Case(name, (patience, min_delta), steps=tuple(steps), why=why, raises=raises)


def cases(rng: np.random.Generator) -> list[Case]:
    """A rise, a second fall, equal losses, creeping ones, NaN, then random walks."""
    nan = float("nan")
    found = [
        _case("still falling", 2, [0.9, 0.7, 0.6]),
        _case("a rise", 2, [0.5, 0.4, 0.45, 0.5], why="two epochs without improvement, and the best is the second"),
        _case(
            "a fall that is no improvement",
            2,
            [0.5, 0.3, 0.6, 0.4, 0.35],
            why="0.4 is less than the epoch before but not less than the best",
        ),
        _case(
            "a second wind",
            3,
            [0.5, 0.6, 0.55, 0.4, 0.45, 0.42, 0.41],
            why="an improvement starts the count anew: the epochs without must follow one another",
        ),
        _case(
            "equal losses",
            2,
            [0.5, 0.5, 0.5],
            why="an equal loss is no improvement, and the first of equals is the best",
        ),
        _case(
            "patience of 1", 1, [0.5, 0.6, 0.4], why="one epoch without improvement is enough, but it goes on if asked"
        ),
        _case("too small an improvement", 2, [0.5, 0.495, 0.49], 0.05, why="by less than min_delta is no improvement"),
        _case(
            "creeping down",
            4,
            [1.0, 0.75, 0.625, 0.5, 0.375, 0.3125],
            0.25,
            why="only an improvement moves the best loss; creeping adds up against the best until it is one",
        ),
        _case(
            "exactly min_delta", 1, [1.0, 0.75, 0.25], 0.25, why="less than the best minus min_delta, not equal to it"
        ),
        _case("NaN in between", 2, [0.5, nan, nan, 0.4], why="NaN is no improvement and counts towards the patience"),
        _case("NaN from the start", 2, [nan, 0.7, nan, nan], why="NaN must never become the best loss"),
        _case("only NaN", 2, [nan, nan], why="there is no best epoch"),
        _case("before the first epoch", 2, []),
        _case("no patience", 0, [0.5], raises="ValueError"),
        _case("a negative min_delta", 2, [0.5], -0.1, raises="ValueError", why="a rise would count as an improvement"),
    ]
    for epochs, patience, delta in ((15, 3, 0.0), (25, 4, 0.03)):
        walk = 1 + np.cumsum(rng.normal(-0.01, 0.06, epochs))
        found.append(_case(f"{epochs} epochs, patience {patience}", patience, walk.tolist(), delta))
    return found


class LastGoodEpoch:
    """Accepted: as in a training loop, the epoch number less that of the best."""

    def __init__(self, patience, min_delta=0.0):
        if patience <= 0 or min_delta < 0:
            raise ValueError("not a sensible setting")
        self.settings = patience, min_delta
        self.count, self.mark = 0, (-1, np.inf)

    def update(self, loss):
        patience, delta = self.settings
        better = bool(self.mark[1] - loss > delta)
        if better:
            self.mark = (self.count, loss)
        stop = self.count - self.mark[0] >= patience
        self.count += 1
        return stop

    def best(self):
        return self.mark


class Remaining:
    """Accepted: counts the patience down, a history of improvements kept as a list."""

    def __init__(self, patience, min_delta=0.0):
        if min(patience - 1, min_delta) < 0:
            raise ValueError(f"{patience}, {min_delta}")
        self.full = self.left = patience
        self.delta, self.seen, self.bests = min_delta, 0, [(-1, float("inf"))]

    def update(self, loss):
        limit = self.bests[-1][1] - self.delta
        if math.isnan(loss) or loss >= limit:
            self.left -= 1
        else:
            self.bests.append((self.seen, loss))
            self.left = self.full
        self.seen += 1
        return self.left <= 0

    def best(self):
        return self.bests[-1]


EXERCISE = Exercise(
    id="early_stopping",
    title="Early stopping",
    function="EarlyStopping",
    minutes=12,
    difficulty="easy",
    feeds="07",
    week="3-4",
    hints=(
        "Four numbers are enough: the epoch, the best epoch, the best loss, and how long you have waited.",
        "Start with a best loss of infinity. A comparison with NaN is False: write it so that False means no improvement.",
    ),
    cases=cases,
    expect=from_the_whole_history,
    agree=exact,
    mutants=(
        Mutant(
            "waited-in-total",
            "The epochs without improvement were counted over the whole training. An improvement starts the count anew.",
            swaps=(("            self.waited = 0\n", ""),),
        ),
        Mutant(
            "equal-is-better",
            "An equal loss counted as an improvement; then a loss that stands still is never stopped.",
            swaps=(("loss < self.best_loss - self.min_delta", "loss <= self.best_loss - self.min_delta"),),
        ),
        Mutant(
            "min-delta-ignored",
            "min_delta was not used: improvements of the tenth digit keep the training alive.",
            swaps=(("self.best_loss - self.min_delta", "self.best_loss"),),
        ),
        Mutant(
            "one-epoch-too-many",
            "Training stopped one epoch late: at `patience` epochs without improvement, not after more than that.",
            swaps=(("self.waited >= self.patience", "self.waited > self.patience"),),
        ),
        Mutant(
            "against-the-previous-epoch",
            "The loss was compared with that of the epoch before. A slow zigzag above the best would never stop.",
            swaps=(
                (
                    "if loss < self.best_loss - self.min_delta:",
                    "before, self.last = getattr(self, 'last', float('inf')), loss\n        if loss < before - self.min_delta:",
                ),
            ),
        ),
        Mutant(
            "nan-is-best",
            "NaN became the best loss, after which nothing is ever an improvement. Every comparison with NaN is False.",
            swaps=(("if loss < self.best_loss - self.min_delta:", "if not loss >= self.best_loss - self.min_delta:"),),
        ),
        Mutant(
            "best-is-the-last",
            "best() names the last epoch. The weights to go back to are those of the best one.",
            swaps=(
                (
                    "            self.waited += 1\n",
                    "            self.waited += 1\n            self.best_epoch = self.epoch\n",
                ),
            ),
        ),
        Mutant(
            "best-creeps-down",
            "The best loss followed every small fall, so min_delta was measured against a moving mark. Only an improvement "
            "moves it.",
            swaps=(
                (
                    "            self.waited += 1\n",
                    "            self.waited += 1\n            self.best_loss = min(self.best_loss, loss)\n",
                ),
            ),
        ),
    ),
    accepted=(LastGoodEpoch, Remaining),
)
