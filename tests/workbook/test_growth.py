"""Whether a right answer can look slow by the luck of the draw: its work counted in lines, not in seconds.

A limit on the time at 4n over that at n must hold for every case that the generator may draw. A
reference that stops early does so at another place in every draw, so the generator has to see to it
that the amount of work hangs on n alone.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import numpy as np
import pytest

from fraudkit.workbook.exercise import Case, exercise, exercise_ids
from fraudkit.workbook.notebooks import reference_source

GROWING = [each for each in exercise_ids() if exercise(each).growth is not None]
DRAWS = 3
ROOM = 0.8  # of the limit, for what a line count does not see: caches, the allocator


def lines_of(function: Callable[..., Any], case: Case) -> int:
    """How many lines and calls of Python the answer to one case takes."""
    seen = 0

    def trace(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal seen
        seen += 1
        return trace

    args, kwargs = copy.deepcopy(case.args), copy.deepcopy(dict(case.kwargs))
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        made = function(*args, **kwargs)
        for step in case.steps:
            getattr(made, step.method)(*step.args)
    finally:
        sys.settrace(before)
    return seen


@pytest.mark.parametrize("exercise_id", GROWING)
def test_no_draw_makes_a_right_answer_look_slow(exercise_id: str):
    task = exercise(exercise_id)
    growth = task.growth
    assert growth is not None
    names: dict[str, Any] = {}
    exec(compile(reference_source(task.id, task.name), task.id, "exec"), names)
    for draw in range(DRAWS):
        rng = np.random.default_rng(draw)
        small, large = growth.case(rng, growth.n), growth.case(rng, 4 * growth.n)
        for answer in (names[task.name], *task.accepted):
            ratio = lines_of(answer, large) / lines_of(answer, small)
            assert ratio <= ROOM * growth.limit, f"{answer.__name__}, draw {draw}: {ratio:.1f} times the lines"
