"""A cache bounded in entries and in age: what is a use, what renews the age, and what is evicted."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant, Step
from fraudkit.workbook.shrink import calls


def table_searched(capacity, ttl, steps=()):
    """The oracle: rows of a table with the number of the call that used them last, searched from end to end."""
    rows: list[dict[str, Any]] = []
    answers: list[Any] = []
    for number, step in enumerate(steps):
        if step.method == "size":
            answers.append(len(rows))
            continue
        key, now = step.args[0], step.args[-1]
        own = next((row for row in rows if row["key"] == key), None)
        if step.method == "put":
            if own is None:
                if len(rows) == capacity:
                    rows.remove(min(rows, key=lambda row: row["used"]))
                own = {"key": key}
                rows.append(own)
            own.update(value=step.args[1], since=now, used=number)
            answers.append(None)
        elif own is None:
            answers.append(None)
        elif own["since"] + ttl <= now:
            rows.remove(own)
            answers.append(None)
        else:
            own["used"] = number
            answers.append(own["value"])
    return answers


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same replies; what `put` returns does not matter."""
    if not isinstance(got, list | tuple) or len(got) != len(expected):
        return difference(got, expected, 0.0, 0.0)
    for place, (step, mine, right) in enumerate(zip(case.steps, got, expected, strict=True)):
        call = f"call {place + 1}, {step.method}({', '.join(map(repr, step.args))})"
        if step.method == "put":
            continue
        if (mine is None) != (right is None):
            return f"{call}, returned {mine!r}, expected {right!r}"
        if right is not None and (reason := difference(mine, right, 1e-12, 0.0, call)):
            return reason
    return ""


def _steps(*wanted: tuple[Any, ...]) -> tuple[Step, ...]:
    return tuple(Step(method, tuple(args)) for method, *args in wanted)


def _random_steps(rng: np.random.Generator, size: int, keys: int, longest_gap: int) -> tuple[Step, ...]:
    """Puts, gets and sizes while the clock goes on."""
    steps, now = [], 0
    for number in range(size):
        now += int(rng.integers(0, longest_gap + 1))
        method, key = str(rng.choice(["put", "get", "get", "size"])), int(rng.integers(0, keys))
        args = {"put": (key, float(number), now), "get": (key, now), "size": ()}[method]
        steps.append(Step(method, args))
    return tuple(steps)


def cases(rng: np.random.Generator) -> list[Case]:
    """Eviction, age, both together, then random calls."""
    two = [("put", "a", 1.0, 0), ("put", "b", 2.0, 1)]
    found = [
        Case("an empty cache", (3, 60), steps=_steps(("get", "a", 0), ("size",))),
        Case("put and get", (3, 60), steps=_steps(*two, ("get", "a", 2), ("get", "b", 3), ("get", "c", 4), ("size",))),
        Case(
            "a value of 0",
            (2, 60),
            steps=_steps(("put", "a", 0.0, 0), ("get", "a", 1), ("size",)),
            why="0 is a value; it is not the same as nothing",
        ),
        Case(
            "full",
            (2, 60),
            steps=_steps(*two, ("put", "c", 3.0, 2), ("get", "a", 3), ("get", "b", 3), ("get", "c", 3), ("size",)),
            why="of the held entries the one used longest ago goes, and only that one",
        ),
        Case(
            "a get is a use",
            (2, 60),
            steps=_steps(*two, ("get", "a", 2), ("put", "c", 3.0, 3), ("get", "a", 4), ("get", "b", 4)),
            why="a was put first but used last: b goes",
        ),
        Case(
            "a put of a known key is a use",
            (2, 60),
            steps=_steps(*two, ("put", "a", 9.0, 2), ("put", "c", 3.0, 3), ("get", "a", 4), ("get", "b", 4)),
            why="a was written again: b goes",
        ),
        Case(
            "a known key when full",
            (2, 60),
            steps=_steps(*two, ("put", "b", 9.0, 2), ("get", "a", 3), ("get", "b", 3), ("size",)),
            why="replacing a value needs no room: nothing has to go",
        ),
        Case(
            "exactly as old as allowed",
            (2, 60),
            steps=_steps(("put", "a", 1.0, 0), ("get", "a", 59), ("get", "a", 60), ("size",)),
            why="at put time + ttl an entry is stale, and it is no longer held once somebody has asked for it",
        ),
        Case(
            "a get does not make younger",
            (2, 60),
            steps=_steps(("put", "a", 1.0, 0), ("get", "a", 40), ("get", "a", 70), ("size",)),
            why="age is counted from the put; otherwise what is asked for all the time is never refreshed",
        ),
        Case(
            "a put makes younger",
            (2, 60),
            steps=_steps(("put", "a", 1.0, 0), ("put", "a", 2.0, 50), ("get", "a", 80), ("get", "a", 110)),
            why="a new value is as old as its own put",
        ),
        Case(
            "stale ones that nobody asked for",
            (2, 60),
            steps=_steps(*two, ("size",), ("put", "c", 3.0, 500), ("size",), ("get", "b", 501), ("size",)),
            why="stale entries are held until somebody asks or room is needed; then one goes, by last use",
        ),
        Case(
            "a get of something stale is no use",
            (2, 60),
            steps=_steps(
                *two, ("get", "a", 70), ("put", "c", 3.0, 71), ("put", "d", 4.0, 72), ("get", "c", 73), ("size",)
            ),
            why="what is stale is dropped by the get, so that there is room again",
        ),
        Case(
            "room for one",
            (1, 10),
            steps=_steps(*two, ("get", "a", 2), ("get", "b", 2), ("put", "b", 5.0, 3), ("get", "b", 12), ("size",)),
        ),
        Case("no room", (0, 60), steps=_steps(("size",)), raises="ValueError"),
        Case("no time to live", (2, 0), steps=_steps(("size",)), raises="ValueError"),
    ]
    for size, capacity, ttl, keys, gap in ((40, 3, 12, 6, 3), (120, 5, 40, 9, 6), (150, 8, 25, 10, 4)):
        steps = _random_steps(rng, size, keys, gap)
        found.append(Case(f"{size} calls, room for {capacity}", (capacity, ttl), steps=steps))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """4n calls on a cache that holds n / 2 of n keys, to see how time grows."""
    keys = rng.integers(0, n, 2 * n).tolist()
    steps = []
    for now, key in enumerate(keys):
        steps += [Step("get", (key, now)), Step("put", (key, 1.0, now))]
    return Case(f"{4 * n} calls", (n // 2, 10 * n), steps=tuple(steps))


class LineOfUses:
    """Accepted: a queue with an entry for every use; all but the latest of a key are passed over."""

    def __init__(self, capacity, ttl):
        if not (capacity >= 1 and ttl > 0):
            raise ValueError("capacity or ttl")
        self.room, self.life, self.clock = capacity, ttl, 0
        self.uses: deque = deque()
        self.values: dict = {}
        self.until: dict = {}
        self.latest: dict = {}

    def _use(self, key):
        self.clock += 1
        self.latest[key] = self.clock
        self.uses.append((key, self.clock))
        if len(self.uses) > 4 * self.room + 8:
            self.uses = deque(use for use in self.uses if self.latest.get(use[0]) == use[1])

    def _forget(self, key):
        for table in (self.values, self.until, self.latest):
            del table[key]

    def put(self, key, value, now):
        """Keep value under key."""
        while key not in self.values and len(self.values) == self.room:
            oldest, number = self.uses.popleft()
            if self.latest.get(oldest) == number:
                self._forget(oldest)
        self.values[key], self.until[key] = value, now + self.life
        self._use(key)

    def get(self, key, now):
        """The value under key, or None when it is not held or stale."""
        expires = self.until.get(key)
        if expires is None:
            return None
        if now >= expires:
            self._forget(key)
            return None
        self._use(key)
        return self.values[key]

    def size(self):
        """How many entries are held."""
        return len(self.until)


class LinkedByHand:
    """Accepted: a hash map into a doubly linked ring, written out."""

    def __init__(self, capacity, ttl):
        if capacity <= 0 or ttl <= 0:
            raise ValueError("both must be positive")
        self.capacity, self.ttl, self.nodes = capacity, ttl, {}
        self.ring: dict = {"key": None}
        self.ring["older"] = self.ring["newer"] = self.ring

    def _unlink(self, node):
        node["older"]["newer"], node["newer"]["older"] = node["newer"], node["older"]

    def _link(self, node):
        youngest = self.ring["older"]
        node["older"], node["newer"] = youngest, self.ring
        youngest["newer"] = self.ring["older"] = node

    def put(self, key, value, now):
        """Keep value under key."""
        node = self.nodes.get(key)
        if node:
            self._unlink(node)
        else:
            if len(self.nodes) == self.capacity:
                eldest = self.ring["newer"]
                self._unlink(eldest)
                del self.nodes[eldest["key"]]
            node = self.nodes[key] = {"key": key}
        node["value"], node["born"] = value, now
        self._link(node)

    def get(self, key, now):
        """The value under key, or None when it is not held or stale."""
        node = self.nodes.get(key)
        if not node:
            return None
        self._unlink(node)
        if now < node["born"] + self.ttl:
            self._link(node)
            return node["value"]
        self.nodes.pop(key)
        return None

    def size(self):
        """How many entries are held."""
        return len(self.nodes)


EXERCISE = Exercise(
    id="feature_cache",
    function="FeatureCache",
    title="A cache that forgets",
    minutes=25,
    difficulty="medium",
    feeds="09",
    week="1-2",
    hints=(
        "Two questions need an answer at once: where is this key, and which entry was used longest ago?",
        "`collections.OrderedDict` is a dictionary in order of insertion. How does a key get to its end?",
        "Remove the key and insert it again at every use; the first key is then the one used longest ago. The time of the "
        "put lies beside the value and is not touched by `get`.",
    ),
    cases=cases,
    expect=table_searched,
    agree=agree,
    mutants=(
        Mutant(
            "first-in-first-out",
            "The entry that was put first went first, however often it was asked for. A get that finds something is a use.",
            swaps=(
                ("value, since = self._held.pop(key)", "value, since = self._held[key]"),
                ("if now - since >= self._ttl:\n", "if now - since >= self._ttl:\n            del self._held[key]\n"),
            ),
        ),
        Mutant(
            "get-makes-younger",
            "A get renewed the age of an entry. What is asked for all the time would never be refreshed.",
            swaps=(("self._held[key] = (value, since)", "self._held[key] = (value, now)"),),
        ),
        Mutant(
            "a-second-too-long",
            "An entry was still given out at put time + ttl. It is stale from this moment on.",
            swaps=(("if now - since >= self._ttl:", "if now - since > self._ttl:"),),
        ),
        Mutant(
            "never-stale",
            "Stale values were given out. Compare the time of the put with now.",
            swaps=(("if now - since >= self._ttl:", "if False:"),),
        ),
        Mutant(
            "known-key-evicts",
            "Putting a known key into a full cache pushed an entry out. Replacing needs no room.",
            swaps=(
                (
                    "self._held.pop(key, None)\n        if len(self._held) >= self._capacity:\n"
                    "            self._held.popitem(last=False)",
                    "if len(self._held) >= self._capacity:\n"
                    "            self._held.popitem(last=False)\n        self._held.pop(key, None)",
                ),
            ),
        ),
        Mutant(
            "put-of-a-known-key-is-no-use",
            "A known key that was put again kept its old place in the order of use. A put is a use.",
            swaps=(
                (
                    "self._held.pop(key, None)\n        if len(self._held) >= self._capacity:",
                    "if key not in self._held and len(self._held) >= self._capacity:",
                ),
            ),
        ),
        Mutant(
            "latest-goes",
            "The entry used last was pushed out. The one used longest ago has to go.",
            swaps=(("self._held.popitem(last=False)", "self._held.popitem()"),),
        ),
        Mutant(
            "stale-stays-held",
            "A stale entry that was asked for was still held and took up room. Drop it.",
            swaps=(
                (
                    "if now - since >= self._ttl:\n",
                    "if now - since >= self._ttl:\n            self._held[key] = (value, since)\n",
                ),
            ),
        ),
        Mutant(
            "stale-swept-on-put",
            "All stale entries were dropped whenever something was put. By the question they are held until somebody asks "
            "for them or room is needed.",
            swaps=(
                (
                    "self._held.pop(key, None)\n",
                    "self._held.pop(key, None)\n"
                    "        self._held = OrderedDict((k, entry) for k, entry in self._held.items() if now - entry[1] < self._ttl)\n",
                ),
            ),
        ),
        Mutant(
            "one-too-many",
            "One entry more than the capacity was held.",
            swaps=(("if len(self._held) >= self._capacity:", "if len(self._held) > self._capacity:"),),
        ),
        Mutant(
            "zero-is-nothing",
            "A value of 0 was taken for no value. Ask whether the key is held.",
            swaps=(
                (
                    "self._held[key] = (value, since)\n        return value",
                    "self._held[key] = (value, since)\n        return value or None",
                ),
            ),
        ),
    ),
    accepted=(LineOfUses, LinkedByHand),
    growth=Growth(
        case=large,
        n=500,
        says="The entry to evict, or the key, is searched for among all. Keep the entries in order of use, and find them by "
        "hash.",
    ),
    shrink=calls(),
)
