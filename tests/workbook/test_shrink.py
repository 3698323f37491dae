"""A failing case of many values is shown as one of a few, on which the answer is truly wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from fraudkit.workbook import codec
from fraudkit.workbook import judge as judging
from fraudkit.workbook.exercise import Case, Exercise, Step, exercise
from fraudkit.workbook.judge import Failure, judge
from fraudkit.workbook.notebooks import ordered_ids, reference_source
from fraudkit.workbook.sandbox import Sandbox
from fraudkit.workbook.shrink import MOST, calls, first_of, is_large, lists, rows, size_of, smallest


def two_hundred(rng: np.random.Generator) -> list[Case]:
    y_true = (np.arange(200) % 3 == 0).astype(int)
    return [
        Case("two payments", (np.array([0, 1]), np.array([0.2, 0.9]))),
        Case("200 payments", (y_true, np.round(rng.random(200), 1))),
    ]


def only_large(rng: np.random.Generator) -> list[Case]:
    return two_hundred(rng)[1:]


AUC = replace(
    exercise("roc_auc"),
    cases=two_hundred,
    growth=None,
    shrink=rows(0, 1, noun="payments"),
    mutants=exercise("roc_auc").mutants,
)
RIGHT = reference_source("roc_auc", "roc_auc")
TIES_LOST = """
import numpy as np
def roc_auc(y_true, y_score):
    y_true, y_score = np.asarray(y_true, bool), np.asarray(y_score)
    if y_true.all() or not y_true.any():
        raise ValueError
    return float((y_score[y_true][:, None] > y_score[~y_true]).mean())
"""
BREAKS_ON_TIES = TIES_LOST.replace(
    "    return", "    if len(set(y_score)) < len(y_score):\n        raise KeyError('twice')\n    return"
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as started:
        yield started


def failure_of(source: str, sandbox: Sandbox, item: Exercise = AUC, shrink: bool = True) -> Failure:
    failure = judge(item, source, sandbox=sandbox, rng=np.random.default_rng(1), shrink=shrink).failure
    assert failure is not None
    return failure


def test_a_wrong_answer_on_200_payments_is_shown_on_two(sandbox: Sandbox):
    failure = failure_of(TIES_LOST, sandbox)
    assert failure.case == "200 payments, shrunk to 2 payments"
    assert (failure.expected, failure.got) == ("0.5", "0")
    labels, scores = shown_arguments(failure)
    assert sorted(labels) == [0, 1] and scores[0] == scores[1]


def shown_arguments(failure: Failure) -> list[list[float]]:
    found: list[list[float]] = []
    space = {"array": list, "roc_auc": lambda *args: found.extend(args)}
    exec(failure.call, space)
    return found


def test_the_misconception_stays_that_of_all_cases(sandbox: Sandbox):
    known = next(mutant for mutant in AUC.mutants if mutant.name == "ties-lost")
    failure = failure_of(judging.mutant_source(AUC, known), sandbox)
    assert (failure.mutant, failure.certain) == ("ties-lost", True) and "shrunk to 2" in failure.case


def test_an_exception_is_shown_by_the_same_exception(sandbox: Sandbox):
    failure = failure_of(BREAKS_ON_TIES, sandbox)
    assert failure.got == "KeyError" and failure.expected == "0.5" and "shrunk to 2" in failure.case


def test_a_guess_that_does_not_fit_the_smaller_case_keeps_the_large_one(sandbox: Sandbox):
    source = (
        RIGHT
        + "\nours = roc_auc\ndef roc_auc(t, s):\n    return {2: ours(t, s), 200: 1 - ours(t, s)}.get(len(t), 0.3)\n"
    )
    failure = failure_of(source, sandbox)
    assert failure.mutant == "labels-reversed" and not failure.certain and failure.case == "200 payments"


def test_a_case_for_which_the_question_raises_is_never_shown(sandbox: Sandbox):
    """Without one of the classes the reference raises; this oracle says something all the same."""

    def careless(y_true, y_score):
        return AUC.expect(y_true, y_score) if 0 < np.sum(y_true) < len(y_true) else 0.5

    failure = failure_of(
        "def roc_auc(t, s):\n    return 1.0\n", sandbox, replace(AUC, expect=careless, cases=only_large)
    )
    labels, _ = shown_arguments(failure)
    assert "shrunk to 2" in failure.case and set(labels) == {0, 1}


def test_a_small_case_is_shown_as_it_is(sandbox: Sandbox):
    small = replace(AUC, cases=lambda rng: [Case("four", (np.array([0, 1, 0, 1]), np.full(4, 0.5)))])
    assert failure_of(TIES_LOST, sandbox, small).case == "four"


def test_a_case_that_says_why_it_is_there_is_shown_as_it_is(sandbox: Sandbox):
    told = replace(AUC, cases=lambda rng: [replace(case, why="a tie is half a win") for case in two_hundred(rng)])
    assert failure_of(TIES_LOST, sandbox, told).case == "200 payments"


def test_a_right_answer_and_a_grader_cost_nothing(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(judging, "smallest", lambda *_: pytest.fail("searched"))
    assert judge(AUC, RIGHT, sandbox=sandbox, rng=np.random.default_rng(1), shrink=True).status == "pass"
    assert failure_of(TIES_LOST, sandbox, shrink=False).case == "200 payments"


def test_an_answer_that_hangs_is_not_searched(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(judging, "smallest", lambda *_: pytest.fail("searched"))
    limits = replace(judging.Limits(), seconds=0.3)
    endless = "def roc_auc(t, s):\n    while len(t) > 2: pass\n    return 1.0\n"
    got = judge(AUC, endless, sandbox=sandbox, rng=np.random.default_rng(1), limits=limits, shrink=True)
    assert got.status == "timeout"


def search(case: Case, shrink, fails) -> tuple[Case, int]:
    tried = 0

    def first_failing(batch: Sequence[Case]) -> int | None:
        nonlocal tried
        tried += len(batch)
        return next((i for i, smaller in enumerate(batch) if fails(*smaller.args)), None)

    return smallest(case, shrink, first_failing), tried


@pytest.mark.parametrize("wrap", [list, tuple, np.array])
def test_what_matters_is_found_wherever_it_stands(wrap):
    values = [0] * 200
    values[17], values[120], values[199] = 5, 6, 7
    found, tried = search(Case("c", (wrap(values),)), lists(0), lambda v: {5, 6, 7} <= set(v))
    assert list(found.args[0]) == [5, 6, 7] and type(found.args[0]) is type(wrap([1])) and tried <= MOST


def test_numbers_become_smaller_and_keep_their_type_and_order():
    shrink = lists(0, numbers=True, valid=lambda case: case.args[0] == sorted(case.args[0]))
    found, _ = search(Case("c", ([3.5, 100.0, 4000.0, 9000.0],)), shrink, lambda v: len(v) >= 2 and v[-1] > v[-2])
    assert found.args[0] == [0.0, 1.0] and all(type(value) is float for value in found.args[0])


def test_rows_stay_together_and_lists_do_not():
    case = Case("c", ([1, 2, 3, 4], ["a", "b", "c", "d"]))
    together, _ = search(case, rows(0, 1), lambda v, names: "c" in names)
    apart, _ = search(case, lists(0, 1), lambda v, names: "c" in names and 1 in v)
    assert together.args == ([3], ["c"]) and apart.args == ([1], ["c"])
    assert (together.name, apart.name) == ("c, shrunk to 1 row", "c, shrunk to 2 values")


def test_strings_dicts_and_sets_become_shorter():
    case = Case("c", ("decline", {"a": 1, "b": 2}, {3, 4}))
    found, _ = search(case, lists(0, 1, 2), lambda text, d, s: "c" in text and "b" in d and 4 in s)
    assert found.args == ("c", {"b": 2}, {4})


def test_method_calls_are_left_out():
    case = Case("c", steps=tuple(Step("put", (value,)) for value in range(40)))

    def first_failing(batch: Sequence[Case]) -> int | None:
        return next((i for i, smaller in enumerate(batch) if Step("put", (33,)) in smaller.steps), None)

    found = smallest(case, first_of(calls(), lists()), first_failing)
    assert found.steps == (Step("put", (33,)),) and found.name == "c, shrunk to 1 call"


def test_the_search_ends_even_where_cases_never_get_smaller():
    endless = replace(AUC, shrink=lambda case: iter([replace(case, args=(case.args[0] + 1,))])).shrink
    assert endless is not None
    _, tried = search(Case("c", (0,)), endless, lambda v: True)
    assert tried == MOST


def test_cases_up_to_a_dozen_values_are_small():
    assert not is_large(Case("c", (list(range(12)),))) and is_large(Case("c", (list(range(12)), 1)))
    assert not is_large(Case("c", (["a long name of one"] * 12,))) and is_large(Case("c", ("green tea", "corner")))


@pytest.mark.parametrize("exercise_id", [name for name in ordered_ids() if exercise(name).shrink])
def test_what_an_exercise_makes_smaller_can_be_handed_over_and_is_smaller(exercise_id: str):
    item = exercise(exercise_id)
    large = [case for case in item.cases(np.random.default_rng(3)) if is_large(case) and not (case.raises or case.why)]
    assert item.shrink is not None
    for case in large:
        made = list(islice(item.shrink(case), 60))
        sizes = [size_of(smaller) for smaller in made]
        assert sizes and max(sizes) <= size_of(case) and min(sizes) < size_of(case)
        assert codec.dumps([[smaller.args, [step.args for step in smaller.steps]] for smaller in made])
