"""Comparing an answer with the right one: what counts as the same, and the reason when it is not.

Every comparison takes (got, expected, case) and returns "" when right. Answers arrive decoded from
another process, so they are plain Python values, NumPy arrays or pandas frames, but may be anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fraudkit.workbook.exercise import Agree, Case


def close(rtol: float = 1e-6, atol: float = 1e-9) -> Agree:
    """Equal numbers within a tolerance, through lists, tuples, dicts and arrays; NaN equals NaN.

    A list may stand for an array and the other way round, an integer for a float, any float type
    for another. A scalar does not stand for an array, nor a boolean for a number other than 0 or 1.
    """

    def agree(got: Any, expected: Any, case: Case) -> str:
        return difference(got, expected, rtol, atol)

    return agree


def in_steps(rtol: float, atol: float) -> Agree:
    """A list with one answer a step, such as an optimiser's parameters; the first that differs is named."""

    def agree(got: Any, expected: Any, case: Case) -> str:
        if not isinstance(got, list):
            return "the answer is not a list of steps"
        for t, (mine, right) in enumerate(zip(got, expected, strict=False), start=1):
            if reason := difference(mine, right, rtol, atol):
                return f"after step {t}: {reason}"
        return difference(len(got), len(expected), 0, 0)

    return agree


def exact(got: Any, expected: Any, case: Case) -> str:
    """Equal values; lists and arrays stand for each other, numbers are compared without tolerance."""
    return difference(got, expected, 0.0, 0.0)


def difference(got: Any, expected: Any, rtol: float, atol: float, where: str = "") -> str:
    """The first difference in words, or ""; `where` names the place inside the answer."""
    place = f" at {where}" if where else ""
    if got is None and expected is not None:
        return f"the answer{place} is None; is a return missing?"
    if isinstance(expected, Mapping):
        return _mapping_difference(got, expected, rtol, atol, where)
    if isinstance(expected, str | bytes) or expected is None:
        return "" if type(got) is type(expected) and got == expected else f"the answer{place} is {brief(got)}"
    if isinstance(expected, set | frozenset):
        if not isinstance(got, set | frozenset):
            return f"the answer{place} is a {type(got).__name__}, expected a set"
        return "" if got == expected else f"the sets{place} differ in {brief(got ^ expected)}"
    if isinstance(expected, list | tuple) and not _numeric(expected):
        return _sequence_difference(got, expected, rtol, atol, where)
    return _number_difference(got, expected, rtol, atol, place)


def _numeric(values: Any) -> bool:
    """Whether nested lists make one array of numbers or booleans."""
    try:
        array = np.asarray(values)
    except (ValueError, TypeError):
        return False
    return array.dtype.kind in "biufc"


def _mapping_difference(got: Any, expected: Mapping[Any, Any], rtol: float, atol: float, where: str) -> str:
    place = f" at {where}" if where else ""
    if not isinstance(got, Mapping):
        return f"the answer{place} is a {type(got).__name__}, expected a dict with keys {brief(list(expected))}"
    if missing := [key for key in expected if key not in got]:
        return f"the answer{place} has no key {brief(missing[0])}"
    if extra := [key for key in got if key not in expected]:
        return f"the answer{place} has the key {brief(extra[0])}, which is not asked for"
    for key, value in expected.items():
        if reason := difference(got[key], value, rtol, atol, f"{where}[{key!r}]"):
            return reason
    return ""


def _sequence_difference(got: Any, expected: Sequence[Any], rtol: float, atol: float, where: str) -> str:
    place = f" at {where}" if where else ""
    if not isinstance(got, list | tuple | np.ndarray):
        return f"the answer{place} is a {type(got).__name__}, expected {len(expected)} values in a list or tuple"
    if len(got) != len(expected):
        return f"the answer{place} holds {len(got)} values, expected {len(expected)}"
    for position, (mine, right) in enumerate(zip(got, expected, strict=True)):
        if reason := difference(mine, right, rtol, atol, f"{where}[{position}]"):
            return reason
    return ""


def _number_difference(got: Any, expected: Any, rtol: float, atol: float, place: str) -> str:
    if isinstance(got, str | bytes | Mapping | set):
        return f"the answer{place} is a {type(got).__name__}, expected numbers"
    right = np.asarray(expected)
    try:
        mine = np.asarray(got)
    except (ValueError, TypeError):
        return f"the answer{place} is not one array of numbers"
    if mine.shape != right.shape:
        return f"the answer{place} has shape {mine.shape}, expected {right.shape}"
    if right.dtype.kind not in "biufc":  # strings, dates: equal or not
        same = np.asarray(mine == right)
        return "" if bool(same.all()) else f"the answer{place} differs in {int((~same).sum())} of {right.size} values"
    if mine.dtype.kind not in "biufc":
        return f"the answer{place} holds values of type {mine.dtype}, expected numbers"
    same = np.isclose(mine, right, rtol=rtol, atol=atol, equal_nan=True)
    if bool(same.all()):
        return ""
    if right.ndim == 0:
        return f"the value{place} is off by {abs(float(mine.real) - float(right.real)):.3g}"
    first = tuple(int(index) for index in np.argwhere(~same)[0])
    at = first[0] if len(first) == 1 else first
    return (
        f"{int((~same).sum())} of {right.size} values{place} differ; "
        f"the first at index {at}: got {mine[first]:.6g}, expected {right[first]:.6g}"
    )


def brief(value: Any, limit: int = 80) -> str:
    """A value in at most `limit` characters."""
    text = " ".join(repr(value).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
