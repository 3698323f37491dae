"""A limit that holds in every window: a log of allowed calls for each key, waiting times, and forgetting."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant, Step
from fraudkit.workbook.shrink import calls


def whole_history(limit, window, steps=()):
    """The oracle: a list of all calls ever allowed, counted anew at each step; waiting by trying second after second."""
    allowed: list[tuple[Any, int]] = []
    answers: list[Any] = []

    def count(key: Any, now: int) -> int:
        return sum(name == key and now - window < moment <= now for name, moment in allowed)

    for step in steps:
        if step.method == "forget":
            now = step.args[0]
            answers.append(len({name for name, moment in allowed if now - window < moment}))
            continue
        key, now = step.args
        if step.method == "allow":
            answers.append(count(key, now) < limit)
            if answers[-1]:
                allowed.append((key, now))
        else:
            answers.append(next(later for later in range(window + 1) if count(key, now + later) < limit))
    return answers


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same replies, told by call."""
    if not isinstance(got, list | tuple) or len(got) != len(expected):
        return difference(got, expected, 0.0, 0.0)
    for place, (step, mine, right) in enumerate(zip(case.steps, got, expected, strict=True)):
        call = f"call {place + 1}, {step.method}({', '.join(map(repr, step.args))})"
        if mine is None:
            return f"{call}, returned None, expected {right!r}"
        if reason := difference(mine, right, 1e-12, 1e-9, call):
            return f"{reason}: returned {mine!r}, expected {right!r}"
    return ""


def _steps(*wanted: tuple[Any, ...]) -> tuple[Step, ...]:
    return tuple(Step(method, tuple(args)) for method, *args in wanted)


def _random_steps(rng: np.random.Generator, size: int, keys: int, longest_gap: int) -> tuple[Step, ...]:
    """Calls of a few keys while the clock goes on."""
    steps, now = [], 0
    for _ in range(size):
        now += int(rng.integers(0, longest_gap + 1))
        method, key = str(rng.choice(["allow"] * 6 + ["wait"] * 2 + ["forget"])), int(rng.integers(0, keys))
        steps.append(Step(method, (now,) if method == "forget" else (key, now)))
    return tuple(steps)


def cases(rng: np.random.Generator) -> list[Case]:
    """The borders of the window, refused calls, several keys, forgetting, then random calls."""
    found = [
        Case("two allowed, one refused", (2, 60), steps=_steps(*(("allow", "a", now) for now in (50, 55, 70, 110, 111)))),
        Case(
            "exactly a window later",
            (1, 60),
            steps=_steps(("allow", "a", 10), ("allow", "a", 69), ("allow", "a", 70), ("allow", "a", 71)),
            why="a call 60 seconds ago is outside a window of 60 seconds",
        ),
        Case(
            "refused calls",
            (1, 10),
            steps=_steps(*(("allow", "a", now) for now in (0, 4, 8, 10, 12, 20))),
            why="a refused call does not count, or somebody impatient would be locked out for ever",
        ),
        Case(
            "around a full minute",
            (3, 60),
            steps=_steps(*(("allow", "a", now) for now in (55, 57, 59, 60, 61, 62, 115))),
            why="the limit holds in every window, also in one across a full minute",
        ),
        Case(
            "several keys",
            (1, 60),
            steps=_steps(("allow", "a", 0), ("allow", "b", 1), ("allow", 7, 2), ("allow", "b", 3), ("wait", "c", 4)),
            why="each key has a limit of its own",
        ),
        Case(
            "how long to wait",
            (2, 60),
            steps=_steps(
                ("wait", "a", 5), ("allow", "a", 10), ("wait", "a", 11), ("allow", "a", 40), ("wait", "a", 41),
                ("allow", "a", 69), ("wait", "a", 69), ("allow", "a", 70), ("wait", "a", 70),
            ),
            why="until the oldest of the calls that count is a window old",
        ),
        Case(
            "asking does not count",
            (1, 60),
            steps=_steps(("wait", "a", 0), ("wait", "a", 1), ("allow", "a", 2), ("wait", "a", 3), ("allow", "a", 62)),
            why="wait only asks",
        ),
        Case(
            "a burst in one second",
            (3, 5),
            steps=_steps(*(("allow", "a", now) for now in (9, 9, 9, 9, 13, 14, 14, 14, 14))),
            why="calls of the same second count each; all of them leave in the same second too",
        ),
        Case(
            "forgetting",
            (2, 60),
            steps=_steps(
                ("forget", 0), ("allow", "a", 0), ("allow", "b", 30), ("forget", 59), ("forget", 60), ("forget", 89),
                ("forget", 90), ("allow", "a", 91), ("wait", "z", 92), ("forget", 93),
            ),
            why="a key is remembered as long as one of its allowed calls counts; one that only asked is not",
        ),
        Case(
            "forgetting must not free anybody",
            (2, 60),
            steps=_steps(
                ("allow", "a", 0), ("allow", "a", 50), ("forget", 70), ("allow", "a", 71), ("allow", "a", 72),
                ("wait", "a", 73),
            ),
            why="only calls that are too old are forgotten; the others of the key still count",
        ),
        Case("no limit", (0, 60), steps=_steps(("allow", "a", 0)), raises="ValueError"),
        Case("no window", (2, 0), steps=_steps(("allow", "a", 0)), raises="ValueError"),
    ]  # fmt: skip
    for size, keys, limit, window, gap in ((40, 2, 2, 15, 3), (100, 3, 4, 40, 3), (120, 6, 3, 60, 4)):
        steps = _random_steps(rng, size, keys, gap)
        found.append(Case(f"{size} calls of {keys} keys, {limit} in {window} s", (limit, window), steps=steps))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """4n calls of one key with a limit of n, to see how time grows."""
    times = np.sort(rng.integers(0, 20 * n, 4 * n)).tolist()
    return Case(f"{4 * n} calls", (n, 10 * n), steps=tuple(Step("allow", ("a", now)) for now in times))


class RingOfTimes:
    """Accepted: for each key a ring with room for `limit` times; the one to be overwritten decides."""

    def __init__(self, limit, window):
        if not (limit >= 1 and window > 0):
            raise ValueError("limit or window")
        self.limit, self.window = limit, window
        self.rings: dict = {}
        self.until: dict = {}

    def _due(self, key):
        ring, place = self.rings.get(key, ([], 0))
        return ring[place] + self.window if len(ring) == self.limit else None

    def allow(self, key, now):
        """Whether the key may; if so, it counts."""
        due = self._due(key)
        if due is not None and due > now:
            return False
        ring, place = self.rings.setdefault(key, ([], 0))
        if due is None:
            ring.append(now)
        else:
            ring[place] = now
            self.rings[key] = (ring, (place + 1) % self.limit)
        self.until[key] = now + self.window
        return True

    def wait(self, key, now):
        """Seconds until the key may."""
        return max((self._due(key) or now) - now, 0)

    def forget(self, now):
        """Forget keys without a call that counts; how many are left."""
        for key in [key for key, end in self.until.items() if end <= now]:
            del self.until[key], self.rings[key]
        return len(self.until)


class SearchedLog:
    """Accepted: all times of a key in a list, where the window begins by binary search; cut when half is old."""

    def __init__(self, limit, window):
        if limit <= 0 or window <= 0:
            raise ValueError((limit, window))
        self.per_window = limit
        self.width = window
        self.logs: dict = {}

    def _begin(self, log, now):
        begin = bisect_right(log, now - self.width)
        if 2 * begin > len(log):
            del log[:begin]
            return 0
        return begin

    def allow(self, key, now):
        """Whether the key may; if so, it counts."""
        log = self.logs.get(key, [])
        begin = self._begin(log, now)
        free = len(log) - begin < self.per_window
        if free:
            self.logs[key] = log
            log.append(now)
        return free

    def wait(self, key, now):
        """Seconds until the key may."""
        log = self.logs.get(key, [])
        begin = self._begin(log, now)
        if len(log) - begin < self.per_window:
            return 0
        return self.width - (now - log[-self.per_window])

    def forget(self, now):
        """Forget keys without a call that counts; how many are left."""
        self.logs = {key: log for key, log in self.logs.items() if log and log[-1] > now - self.width}
        return len(self.logs)


EXERCISE = Exercise(
    id="sliding_limit",
    function="SlidingLimit",
    title="A limit that cannot be cheated",
    minutes=20,
    difficulty="medium",
    feeds="06",
    week="1-2",
    hints=(
        "Which earlier calls of a key matter to the next decision? How many are these at most?",
        "A queue of the times of its allowed calls. What has to happen to it before you count?",
        "Drop from the front what is a window old; compare the length with the limit; append only if allowed. The oldest one "
        "left says how long to wait.",
    ),
    cases=cases,
    expect=whole_history,
    agree=agree,
    mutants=(
        Mutant(
            "refused-calls-count",
            "Refused calls were counted as well, so whoever keeps trying is never let in again.",
            swaps=(("return False", "times.append(now)\n            return False"),),
        ),
        Mutant(
            "closed-old-end",
            "A call exactly a window ago still counted. The window is open at its old end.",
            swaps=(("times[0] <= now - self._window:", "times[0] < now - self._window:"),),
        ),
        Mutant(
            "full-minutes",
            "Counts began anew with each full window, so twice the limit gets through around its border.",
            swaps=(("times[0] <= now - self._window:", "times[0] // self._window < now // self._window:"),),
        ),
        Mutant(
            "one-for-all",
            "All keys shared one limit. Each key has its own.",
            swaps=(
                ("times = self._allowed.setdefault(key, deque())", 'times = self._allowed.setdefault("all", deque())'),
            ),
        ),
        Mutant(
            "one-too-many",
            "One call more than the limit was allowed.",
            swaps=(
                ("if len(times) >= self._limit:", "if len(times) > self._limit:"),
                ("- now if len(times) >= self._limit else 0", "- now if len(times) > self._limit else 0"),
            ),
        ),
        Mutant(
            "waits-for-the-newest",
            "The wait lasted until the newest call is a window old. One place is free when the oldest one is.",
            swaps=(("return times[0] + self._window", "return times[-1] + self._window"),),
        ),
        Mutant(
            "moment-returned",
            "The moment of the next allowed call was returned. Asked for are the seconds until then.",
            swaps=(("times[0] + self._window - now if", "times[0] + self._window if"),),
        ),
        Mutant(
            "asking-counts",
            "Asking how long to wait counted as a call.",
            swaps=(
                (
                    "return times[0] + self._window - now if len(times) >= self._limit else 0",
                    "full = len(times) >= self._limit\n        if not full:\n            times.append(now)\n"
                    "            return 0\n        return times[0] + self._window - now",
                ),
            ),
        ),
        Mutant(
            "all-of-a-key-forgotten",
            "A key was forgotten as soon as one of its calls was too old, and was free again. The others still count.",
            swaps=(
                (
                    "if not self._recent(key, now):",
                    "before = len(self._allowed[key])\n"
                    "            if not self._recent(key, now) or len(self._allowed[key]) < before:",
                ),
            ),
        ),
        Mutant(
            "never-forgets",
            "Keys without a call that counts were kept, and memory grows with every key that ever came.",
            swaps=(("del self._allowed[key]", "pass"),),
        ),
    ),
    accepted=(RingOfTimes, SearchedLog),
    growth=Growth(
        case=large,
        n=500,
        says="With each call the whole log is looked at. Times are in order: drop the old ones in front and count the rest by "
        "its length.",
    ),
    shrink=calls(),
)
