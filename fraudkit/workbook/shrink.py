"""Smaller cases of the same kind, and the search for the smallest that an answer still gets wrong.

An exercise says by `shrink=` how its cases become smaller; the makers here fit most of them. Knows
neither answers nor what is right: `smallest` is told by a function which of some cases fail.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from itertools import chain, islice
from typing import Any

import numpy as np

from fraudkit.workbook import codec
from fraudkit.workbook.exercise import Case, Shrink

LARGE = 12  # values in the arguments of a case, or letters of a text; up to here it is shown as it is
MOST, SECONDS = 150, 2.0
FIRST_BATCH, LARGEST_BATCH = 2, 16
SHRUNK = ", shrunk to "

Valid = Callable[[Case], bool]


def lists(*positions: int, noun: str = "values", numbers: bool = False, valid: Valid | None = None) -> Shrink:
    """Shorten the arguments at these positions, each on its own: without a half, a quarter, … a single element.

    Parameters
    ----------
    positions : of arguments that are lists, tuples, strings, sets, dicts or arrays (rows are dropped)
    noun : what the elements are, for the name of the shrunk case: "payments"
    numbers : make the numbers in them smaller too, down to 0; say so only where 0 and equal numbers are allowed
    valid : whether a case keeps what the question promises; what it promises and checks itself need not be repeated
    """

    def shrink(case: Case) -> Iterator[Case]:
        sizes = {position: len(case.args[position]) for position in positions}
        made = chain.from_iterable(
            _shorter(case, (position,), noun, sum(sizes.values()) - size) for position, size in sizes.items()
        )
        smaller = chain.from_iterable(_lower(case, position) for position in positions) if numbers else ()
        return _only(valid, chain(made, smaller))

    return shrink


def rows(*positions: int, noun: str = "rows", numbers: bool = False, valid: Valid | None = None) -> Shrink:
    """As `lists`, for arguments of one length that belong together: the same rows are dropped from all of them."""

    def shrink(case: Case) -> Iterator[Case]:
        smaller = chain.from_iterable(_lower(case, position) for position in positions) if numbers else ()
        return _only(valid, chain(_shorter(case, positions, noun), smaller))

    return shrink


def calls(*, noun: str = "calls", valid: Valid | None = None) -> Shrink:
    """For a class: leave out method calls."""

    def shrink(case: Case) -> Iterator[Case]:
        kept = (case.steps[:start] + case.steps[stop:] for start, stop in _cuts(len(case.steps)))
        return _only(valid, (replace(_named(case, len(steps), noun), steps=steps) for steps in kept))

    return shrink


def first_of(*makers: Shrink) -> Shrink:
    """What the first maker makes, then what the second does, and so on."""

    def shrink(case: Case) -> Iterator[Case]:
        return chain.from_iterable(maker(case) for maker in makers)

    return shrink


def size_of(case: Case) -> int:
    """How many values the arguments of a case hold; a text that is an argument counts its letters."""
    arguments = [*case.args, *case.kwargs.values(), *(step.args for step in case.steps)]
    return sum(len(value) if isinstance(value, str) else _size(value) for value in arguments)


def is_large(case: Case) -> bool:
    """Whether a case has too many values to be read at a glance."""
    return size_of(case) > LARGE


def smallest(case: Case, shrink: Shrink, first_failing: Callable[[Sequence[Case]], int | None]) -> Case:
    """The smallest case found from `case` on; `case` itself where no smaller one fails.

    Greedy: the first smaller case that fails is taken, and the search goes on from there, until none
    fails, `MOST` cases are tried, or `SECONDS` are over.

    Parameters
    ----------
    first_failing : position of the first of some cases that fails as the original does, None if none does
    """
    deadline, left = time.monotonic() + SECONDS, MOST
    seen = {_digest(case)}
    while True:
        found, candidates, size = None, _unseen(shrink(case), seen), FIRST_BATCH
        while found is None and left > 0 and time.monotonic() < deadline:
            batch = list(islice(candidates, min(size, left)))
            if not batch:
                return case
            left, size = left - len(batch), min(2 * size, LARGEST_BATCH)
            position = first_failing(batch)
            found = None if position is None else batch[position]
        if found is None:
            return case
        case = found


def _unseen(candidates: Iterable[Case], seen: set[bytes]) -> Iterator[Case]:
    for candidate in candidates:
        digest = _digest(candidate)
        if digest not in seen:
            seen.add(digest)
            yield candidate


def _digest(case: Case) -> bytes:
    return codec.dumps([case.args, dict(case.kwargs), [[step.method, step.args] for step in case.steps]])


def _only(valid: Valid | None, cases: Iterable[Case]) -> Iterator[Case]:
    return (case for case in cases if valid is None or valid(case))


def _named(case: Case, count: int, noun: str) -> Case:
    one = noun.removesuffix("s") if count == 1 else noun
    return replace(case, name=f"{case.name.partition(SHRUNK)[0]}{SHRUNK}{count} {one}")


def _cuts(length: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of what is left out: either half, each quarter, … each single element."""
    width = length
    while width > 1:
        width = (width + 1) // 2
        yield from ((start, min(start + width, length)) for start in range(0, length, width))
    if length == 1:
        yield 0, 1


def _shorter(case: Case, positions: Sequence[int], noun: str, others: int = 0) -> Iterator[Case]:
    """The case without some elements, the same ones at all positions; `others` more elements count for its name."""
    length = len(case.args[positions[0]])
    for start, stop in _cuts(length):
        args = list(case.args)
        for position in positions:
            args[position] = _without(args[position], start, stop)
        yield replace(_named(case, others + length - (stop - start), noun), args=tuple(args))


def _without(value: Any, start: int, stop: int) -> Any:
    if isinstance(value, np.ndarray):
        return np.concatenate([value[:start], value[stop:]])
    if isinstance(value, Mapping):
        return dict([*list(value.items())[:start], *list(value.items())[stop:]])
    if isinstance(value, Set):
        ordered = sorted(value, key=repr)
        return type(value)(ordered[:start] + ordered[stop:])  # type: ignore[call-arg]
    return value[:start] + value[stop:]


def _lower(case: Case, position: int) -> Iterator[Case]:
    """The case with smaller numbers at one position: all as ranks, which keeps order and ties; then one by one."""
    value = case.args[position]
    if not isinstance(value, list | tuple | np.ndarray) or not _flat_numbers(value):
        return
    numbers = list(value.tolist() if isinstance(value, np.ndarray) else value)
    ranks = {number: rank for rank, number in enumerate(sorted(set(numbers)))}
    changed = [[type(number)(ranks[number]) for number in numbers]]
    for index, number in enumerate(numbers):
        halved = int(number / 2) if isinstance(number, int) else float(int(number))
        lower = [type(number)(0), *([halved] if halved not in (0, number) else [])]
        changed += [[*numbers[:index], new, *numbers[index + 1 :]] for new in lower if new != number]
    for new in changed:
        if sum(map(abs, new)) >= sum(map(abs, numbers)):  # smaller, or the search would not end
            continue
        made = np.array(new, dtype=value.dtype) if isinstance(value, np.ndarray) else type(value)(new)
        yield replace(case, args=(*case.args[:position], made, *case.args[position + 1 :]))


def _flat_numbers(value: Any) -> bool:
    numbers = value.tolist() if isinstance(value, np.ndarray) else value
    return all(type(number) in (int, float) and math.isfinite(number) for number in numbers)


def _size(value: Any) -> int:
    """How many values an argument holds."""
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, Mapping):
        return sum(map(_size, value.values()))
    if isinstance(value, list | tuple | Set):
        return sum(map(_size, value))
    return 1
