"""The solutions give what the libraries give, and no exercise is left out of the comparison in silence."""

import math

import numpy as np
import pytest

from benchmarks.exercise_pairs import PAIRS, UNPAIRED, difference
from benchmarks.exercises import COLUMNS
from benchmarks.record import RESULTS, read_record
from fraudkit.workbook.notebooks import ordered_ids


@pytest.mark.parametrize("exercise_id", PAIRS)
def test_a_solution_agrees_with_the_library(exercise_id: str):
    pair = PAIRS[exercise_id]
    ours, theirs = pair.calls(pair.small)
    assert difference(ours(), theirs()) <= pair.tolerance


def test_every_exercise_is_compared_or_says_why_not():
    assert not PAIRS.keys() & UNPAIRED.keys()
    assert sorted(PAIRS.keys() | UNPAIRED.keys()) == sorted(ordered_ids())
    assert all(UNPAIRED.values())


@pytest.mark.parametrize(
    ("ours", "theirs", "apart"),
    [
        ([1.0, 2.0], np.array([1.0, 2.5]), 0.5),
        ((1, [2.0]), [1, np.array([2.0])], 0.0),
        (math.nan, np.nan, 0.0),
        ([math.nan], [0.0], math.inf),
        (math.inf, math.inf, 0.0),
        (["a"], ["b"], math.inf),
        ([1], [1, 2], math.inf),
        (np.ones((2, 1)), np.ones((1, 2)), math.inf),
        (None, 0, math.inf),
        ({"a": 1}, {"a": 3}, 2.0),
        ({"a": 1}, {"b": 1}, math.inf),
        (True, np.bool_(True), 0.0),
    ],
)
def test_difference(ours: object, theirs: object, apart: float):
    assert difference(ours, theirs) == apart


def test_a_solution_that_is_far_slower_says_why():
    """Run `python -m benchmarks.exercises` when this fails: the record is older than the pairs."""
    record = read_record(RESULTS / "exercises.json")
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in record.rows]
    assert [row["exercise"] for row in rows] == [name for name in ordered_ids() if name in PAIRS]
    slower = [row for row in rows if float(row["time, library / ours"].replace(",", "")) < 0.2]
    assert {row["exercise"] for row in slower if not row["note"]} == set()
    assert {row["exercise"] for row in rows if row["note"] != PAIRS[row["exercise"]].note} == set()
