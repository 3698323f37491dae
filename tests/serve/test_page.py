"""The start page's marks are the policy's own thresholds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import fraudkit.serve
from fraudkit.rules.policy import Policy
from fraudkit.serve.decide import BEARING

PAGE = (Path(fraudkit.serve.__file__).parent / "page" / "page.js").read_text(encoding="utf-8")


def test_the_marks_are_the_default_thresholds():
    policy = Policy()
    found = re.search(
        r"REVIEW_ABOVE = \{ usual: (\S+), new_customer: (\S+), degraded: (\S+) \}, DECLINE_ABOVE = (\S+);", PAGE
    )
    assert found is not None
    drawn = tuple(float(number) for number in found.groups())
    assert drawn == (
        policy.review_above,
        policy.new_review_above,
        policy.degraded_review_above,
        policy.decline_above,
    )


def test_the_parts_that_lower_the_mark_are_those_that_lower_the_threshold():
    found = re.search(r"BEARING = (\[.*?\]);", PAGE)
    assert found is not None
    assert set(json.loads(found[1])) == BEARING
