"""A tree of prefixes: the longest match, counts below a start, and removal that leaves the others alone."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Any

import numpy as np

from fraudkit.workbook.agree import difference
from fraudkit.workbook.exercise import Case, Exercise, Growth, Mutant, Step
from fraudkit.workbook.shrink import calls


def all_names_tried(steps=()):
    """The oracle: a plain dictionary, of which every entry is compared with the text."""
    known: dict[str, int] = {}
    answers: list[Any] = []
    for step in steps:
        text = step.args[0]
        if step.method == "add":
            known[text] = step.args[1]
            answers.append(None)
        elif step.method == "remove":
            answers.append(known.pop(text, None) is not None)
        elif step.method == "count":
            answers.append(sum(name.startswith(text) for name in known))
        else:
            fitting = [name for name in known if text.startswith(name)]
            answers.append(known[max(fitting, key=len)] if fitting else None)
    return answers


def agree(got: Any, expected: Any, case: Case) -> str:
    """The same replies; what `add` returns does not matter."""
    if not isinstance(got, list | tuple) or len(got) != len(expected):
        return difference(got, expected, 0.0, 0.0)
    for place, (step, mine, right) in enumerate(zip(case.steps, got, expected, strict=True)):
        if step.method == "add":
            continue
        if mine is None and right is not None:
            return f"call {place + 1}, {step.method}({step.args[0]!r}), returned None, expected {right}"
        if right is None and mine is not None:
            return f"call {place + 1}, {step.method}({step.args[0]!r}), returned {mine!r}, expected None"
        if reason := difference(mine, right, 0.0, 0.0, f"call {place + 1}, {step.method}({step.args[0]!r})"):
            return reason
    return ""


def _steps(*wanted: tuple[Any, ...]) -> tuple[Step, ...]:
    return tuple(Step(method, tuple(args)) for method, *args in wanted)


def _random_steps(rng: np.random.Generator, size: int, letters: str, longest: int) -> tuple[Step, ...]:
    """Calls of all four methods with short texts, so that they meet each other."""
    steps = []
    for number in range(size):
        text = "".join(rng.choice(list(letters), int(rng.integers(1, longest + 1))).tolist())
        method = str(rng.choice(["add", "add", "add", "remove", "find", "find", "find", "count"]))
        if method == "add":
            steps.append(Step("add", (text, number + 1)))
        else:
            steps.append(Step(method, (text + "x" * int(method == "find"),)))
    return tuple(steps)


def cases(rng: np.random.Generator) -> list[Case]:
    """Matches of every kind, removal, counts, then random calls."""
    nord = [("add", "NORD", 1), ("add", "NORD HOTEL", 2)]
    found = [
        Case("nothing is known", steps=_steps(("find", "NORD"), ("count", ""), ("remove", "NORD"))),
        Case(
            "the longest of two",
            steps=_steps(*nord, ("find", "NORD HOTEL OSLO 7731"), ("find", "NORD CAFE")),
            why="of the prefixes that fit the longest counts",
        ),
        Case(
            "stopped on the way to a longer one",
            steps=_steps(*nord, ("find", "NORD HOSTEL"), ("find", "NORD HOT")),
            why="the walk ends in the middle of a longer name; the shorter one that was passed still fits",
        ),
        Case(
            "shorter than every name",
            steps=_steps(*nord, ("find", "NOR"), ("find", "")),
            why="the beginning of a known prefix is not a known prefix",
        ),
        Case("exactly a name", steps=_steps(*nord, ("find", "NORD"), ("find", "NORD HOTEL"))),
        Case(
            "letters as they are",
            steps=_steps(*nord, ("find", "nord"), ("find", " NORD"), ("add", "nord", 3), ("find", "nord hotel")),
            why="large and small letters and spaces are different letters",
        ),
        Case(
            "a name with a new merchant",
            steps=_steps(*nord, ("add", "NORD", 9), ("find", "NORD 12"), ("count", "NORD"), ("count", "")),
            why="a name that is known changes its merchant and is not counted twice",
        ),
        Case(
            "counts below a start",
            steps=_steps(
                *nord, ("add", "NOVA", 3), ("add", "SUED", 4), ("count", "NO"), ("count", "NORD"), ("count", "NORD "),
                ("count", ""), ("count", "OST"), ("count", "NORD HOTEL OSLO"),
            ),
            why="counted are the known names that begin with it, the text itself included where it is known",
        ),
        Case(
            "the longer one is removed",
            steps=_steps(*nord, ("remove", "NORD HOTEL"), ("find", "NORD HOTEL 5"), ("count", "NORD"), ("count", "")),
            why="the shorter one stays",
        ),
        Case(
            "the shorter one is removed",
            steps=_steps(*nord, ("remove", "NORD"), ("find", "NORD HOTEL 5"), ("find", "NORD 5"), ("count", "N")),
            why="the longer one stays, though it stands below the one that goes",
        ),
        Case(
            "removed and known again",
            steps=_steps(
                *nord, ("remove", "NORD"), ("remove", "NORD"), ("count", "NORD"), ("add", "NORD", 5),
                ("find", "NORD"), ("count", "NORD"),
            ),
            why="a name that is gone cannot be removed again",
        ),
        Case(
            "what was never added is removed",
            steps=_steps(*nord, ("remove", "NO"), ("remove", "NORD HOTEL OSLO"), ("count", ""), ("find", "NORD")),
            why="a node on the way is not a known prefix",
        ),
        Case("the empty prefix", steps=_steps(("add", "", 1)), raises="ValueError"),
    ]  # fmt: skip
    for size, letters, longest in ((20, "AB", 4), (60, "AB", 5), (100, "ABC", 4)):
        found.append(Case(f"{size} calls", steps=_random_steps(rng, size, letters, longest)))
    return found


def large(rng: np.random.Generator, n: int) -> Case:
    """n names are added and n lines looked up, to see how time grows."""
    names = [f"{number:07d}"[::-1] for number in rng.permutation(n).tolist()]
    steps = [Step("add", (name, number)) for number, name in enumerate(names)]
    steps += [Step("find", (name + " OSLO",)) for name in names]
    return Case(f"{n} names", steps=tuple(steps))


class ByLength:
    """Accepted: a dictionary of names, tried from the longest length down, and one of counts for every beginning."""

    def __init__(self):
        self.owner, self.starts = {}, {}

    def _shift(self, prefix, by):
        for length in range(len(prefix) + 1):
            start = prefix[:length]
            self.starts[start] = self.starts.get(start, 0) + by

    def add(self, prefix, merchant):
        """Lines that begin with prefix belong to merchant."""
        if prefix == "":
            raise ValueError("give at least one letter")
        if prefix not in self.owner:
            self._shift(prefix, 1)
        self.owner[prefix] = merchant

    def remove(self, prefix):
        """Forget this prefix; whether it was known."""
        known = prefix in self.owner
        if known:
            del self.owner[prefix]
            self._shift(prefix, -1)
        return known

    def find(self, line):
        """Merchant of the longest known prefix of line, or None."""
        for length in range(len(line), 0, -1):
            if line[:length] in self.owner:
                return self.owner[line[:length]]
        return None

    def count(self, start):
        """How many known prefixes begin with start."""
        return self.starts.get(start, 0)


class SortedNames:
    """Accepted: names in order; counts by two binary searches, a match by shrinking to the common beginning."""

    def __init__(self):
        self.names: list = []
        self.merchants: dict = {}

    def add(self, prefix, merchant):
        """Lines that begin with prefix belong to merchant."""
        if not len(prefix):
            raise ValueError("empty")
        if prefix not in self.merchants:
            insort(self.names, prefix)
        self.merchants[prefix] = merchant

    def remove(self, prefix):
        """Forget this prefix; whether it was known."""
        if self.merchants.pop(prefix, None) is None:
            return False
        self.names.pop(bisect_left(self.names, prefix))
        return True

    def count(self, start):
        """How many known prefixes begin with start."""
        return bisect_left(self.names, start + chr(0x10FFFF)) - bisect_left(self.names, start)

    def find(self, line):
        """Merchant of the longest known prefix of line, or None."""
        while line:
            if line in self.merchants:
                return self.merchants[line]
            place = bisect_left(self.names, line)
            if place == 0:
                return None
            neighbour = self.names[place - 1]
            common = 0
            while common < min(len(line), len(neighbour)) and line[common] == neighbour[common]:
                common += 1
            line = line[: min(common, len(line) - 1)]
        return None


EXERCISE = Exercise(
    id="merchant_names",
    function="MerchantNames",
    title="A tree of merchant names",
    minutes=25,
    difficulty="medium",
    feeds="04",
    week="1-2",
    hints=(
        "Names that begin alike should share their beginning. What does a node have to know, and what do the edges mean?",
        "`find` walks down letter by letter as far as it goes and remembers the last merchant it passed.",
        "Keep in each node how many names lie at or below it: `add` and `remove` change it along the path, `count` reads it.",
    ),
    cases=cases,
    expect=all_names_tried,
    agree=agree,
    mutants=(
        Mutant(
            "shortest-match",
            "The first known prefix on the way was returned. The longest counts: go on and remember the last.",
            swaps=(("return owners[-1] if owners else None", "return owners[0] if owners else None"),),
        ),
        Mutant(
            "end-of-the-walk",
            "Only the node where the walk ended was looked at. It may lie in the middle of a longer name, and a shorter "
            "one was passed before.",
            swaps=(("for node in self._path(line) if", "for node in self._path(line)[-1:] if"),),
        ),
        Mutant(
            "whole-line-only",
            "Only lines that are exactly a known prefix were found. A line goes on behind its prefix.",
            swaps=(
                (
                    "return owners[-1] if owners else None",
                    'end = self._path(line)\n        return end[-1]["merchant"] if len(end) > len(line) else None',
                ),
            ),
        ),
        Mutant(
            "counted-twice",
            "A known name that got a new merchant was counted again.",
            swaps=(('if node["merchant"] is None:\n            for', "if True:\n            for"),),
        ),
        Mutant(
            "removal-takes-the-branch",
            "Removing a name cut off the longer names below it. Only the name itself goes; a branch may be cut when "
            "nothing is left in it.",
            swaps=(('if node["below"] == 0:\n', "if node is path[-1]:\n"),),
        ),
        Mutant(
            "removed-still-counted",
            "A removed name was still counted. Lower the counts along its path.",
            swaps=(('step["below"] -= 1', 'step["below"] -= 0'),),
        ),
        Mutant(
            "nodes-on-the-way-are-names",
            "A node on the way to a longer name was removed as if it were a name, and counted down. Only a node with a "
            "merchant is one.",
            swaps=(('if len(path) <= len(prefix) or path[-1]["merchant"] is None:', "if len(path) <= len(prefix):"),),
        ),
        Mutant(
            "itself-not-counted",
            "The start itself was not counted where it is a known name. It begins with itself.",
            swaps=(
                (
                    'return path[-1]["below"] if len(path) > len(start) else 0',
                    'return path[-1]["below"] - (path[-1]["merchant"] is not None) if len(path) > len(start) else 0',
                ),
            ),
        ),
        Mutant(
            "first-merchant-stays",
            "A known name kept its first merchant. The latest holds.",
            swaps=(
                (
                    'node["merchant"] = merchant',
                    'node["merchant"] = merchant if node["merchant"] is None else node["merchant"]',
                ),
            ),
        ),
        Mutant(
            "letters-folded",
            "Large and small letters were taken for the same. The question compares letters as they are.",
            swaps=(
                ("for letter in text:", "for letter in text.upper():"),
                ("for letter in prefix:", "for letter in prefix.upper():"),
            ),
        ),
    ),
    accepted=(ByLength, SortedNames),
    growth=Growth(
        case=large,
        n=1000,
        says="Every line is compared with every name. Walk down a tree letter by letter instead.",
    ),
    shrink=calls(),
)
