"""When a batch is taken away from a part that it waits for. The part looks at the clock itself, so nothing is raced."""

from __future__ import annotations

import math
import time

import pytest

from fraudkit.serve.job import Job, TakenAway
from fraudkit.serve.parts import Part


@pytest.mark.parametrize(("due_in_s", "allowed_s", "state"), [(math.inf, 2.0, "failing"), (-1.0, 0.5, "ok")])
def test_a_part_is_given_up_when_it_has_had_what_the_deadline_allows(due_in_s: float, allowed_s: float, state: str):
    part = Part("store", 2.0, least_s=0.5)
    began_s = time.perf_counter()
    job = Job(began_s + due_in_s)
    seen = []

    def call() -> None:
        seen.append(job.take_over(began_s + allowed_s))  # it was entered after `began_s`
        seen.append(job.take_over(time.perf_counter() + allowed_s))
        seen.append(job.take_over(math.inf))  # whoever took it waits for this part no more

    with pytest.raises(TakenAway):
        job.ask(part, call)
    assert seen == [None, part, None]
    assert part.state == state
