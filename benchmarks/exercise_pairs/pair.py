"""An exercise's reference solution beside a library's call, and how far their answers lie apart.

A pair is a function named after its exercise. It gets the solution, a generator and a size, makes the data, and returns
the two calls. It knows nothing of timing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

import numpy as np

from fraudkit.workbook.exercise import exercise
from fraudkit.workbook.notebooks import reference_source

Rng = np.random.Generator
Call = Callable[[], Any]
Calls = tuple[Call, Call]
Make = Callable[[Any, Rng, int], Calls]

PAIRS: dict[str, Pair] = {}
SEED = 7


@dataclass(frozen=True, slots=True)
class Pair:
    """One comparison.

    Attributes
    ----------
    id : of the exercise
    library : the library's call, as people know it
    make : (solution, generator, size) to (our call, the library's call)
    size : rows, or whatever the exercise counts, when timed
    small : the same when only the answers are compared
    tolerance : greatest allowed difference of any two numbers in the answers, absolute; 0 asks for the same
    note : what has to be known to read the ratio
    """

    id: str
    library: str
    make: Make
    size: int
    small: int
    tolerance: float
    note: str = ""

    def calls(self, size: int) -> Calls:
        """Our call and the library's on the same data of this size."""
        return self.make(solution(self.id), np.random.default_rng(SEED), size)


def pair(
    library: str, size: int, *, small: int = 200, tolerance: float = 1e-9, note: str = ""
) -> Callable[[Make], Make]:
    """Enter the decorated function as the pair of the exercise whose name it has."""

    def enter(make: Make) -> Make:
        name = make.__name__
        PAIRS[name] = Pair(name, library, make, size, min(small, size), tolerance, note)
        return make

    return enter


def namespace(exercise_id: str) -> dict[str, Any]:
    """Everything that a reference solution defines."""
    names: dict[str, Any] = {}
    exec(reference_source(exercise_id, exercise(exercise_id).name), names)
    return names


def solution(exercise_id: str) -> Any:
    """The function or class of a reference solution."""
    return namespace(exercise_id)[exercise(exercise_id).name]


def difference(ours: Any, theirs: Any) -> float:
    """Greatest difference of two answers, number by number; infinite where they differ in anything else.

    Sequences of any kind are compared in order, sets and mappings by their sorted entries. NaN agrees with NaN only.

    >>> difference([1.0, (2, 3)], (1.5, np.array([2, 3]))), difference(["a"], ["b"]), difference([1], [1, 2])
    (0.5, inf, inf)
    """
    a, b = (part if isinstance(part, np.ndarray) else _plain(part) for part in (ours, theirs))
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.dtype.kind in "fiub" and b.dtype.kind in "fiub":
        return _numbers(a, b)
    a, b = (part.tolist() if isinstance(part, np.ndarray) else part for part in (a, b))
    if isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            return math.inf
        return max((difference(x, y) for x, y in zip(a, b, strict=True)), default=0.0)
    if isinstance(a, int | float) and isinstance(b, int | float):
        return _numbers(np.array([a], dtype=float), np.array([b], dtype=float))
    return 0.0 if type(a) is type(b) and a == b else math.inf


def _plain(part: Any) -> Any:
    """Sets and mappings as sorted lists, numbers as Python's own, other sequences as lists, the rest as it is."""
    if isinstance(part, Mapping):
        return [list(entry) for entry in sorted(part.items())]
    if isinstance(part, AbstractSet):
        return sorted(part)
    if isinstance(part, np.generic):
        return part.item()
    return list(part) if isinstance(part, Sequence) and not isinstance(part, str | bytes) else part


def _numbers(a: np.ndarray, b: np.ndarray) -> float:
    if a.shape != b.shape:
        return math.inf
    a, b = a.astype(float), b.astype(float)
    with np.errstate(invalid="ignore"):
        apart = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, np.abs(a - b))
    apart[np.isnan(apart)] = math.inf
    return float(apart.max(initial=0.0))


def lines_of(exercise_id: str) -> int:
    """Lines of the solution and the helpers it needs, without blank lines."""
    source = reference_source(exercise_id, exercise(exercise_id).name)
    return sum(bool(line.strip()) for line in source.splitlines())
