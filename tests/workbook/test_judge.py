"""Verdicts: right, wrong and where, and the misconception behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import pytest

from fraudkit.workbook.exercise import Case, exercise
from fraudkit.workbook.judge import Verdict, grows_too_fast, judge, mutant_source
from fraudkit.workbook.limits import Limits
from fraudkit.workbook.notebooks import reference_source, section, source_of, stub_of
from fraudkit.workbook.sandbox import Reply, Sandbox

AUC = exercise("roc_auc")
RIGHT = reference_source("roc_auc", "roc_auc")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as started:
        yield started


def verdict(sandbox: Sandbox, source: str, item=AUC, **options) -> Verdict:
    return judge(item, source, sandbox=sandbox, rng=np.random.default_rng(1), limits=Limits(seconds=2), **options)


def test_the_solution_passes_with_full_credit(sandbox: Sandbox):
    got = verdict(sandbox, RIGHT)
    assert (got.status, got.credit, got.failure) == ("pass", 1.0, None)
    assert got.passed == got.total


def test_a_wrong_answer_is_told_with_case_input_and_misconception(sandbox: Sandbox):
    ties = next(mutant for mutant in AUC.mutants if mutant.name == "ties-ordered")
    failure = verdict(sandbox, mutant_source(AUC, ties)).failure
    assert failure is not None
    assert (failure.case, failure.mutant, failure.certain) == ("all scores equal", "ties-ordered", True)
    assert failure.misconception == ties.says
    assert "array([1, 0, 1, 0, 0])" in failure.call and failure.expected == "0.5"


def test_a_bug_beside_a_known_one_is_named_for_the_shown_case_only(sandbox: Sandbox):
    source = (
        "import numpy as np\n"
        + RIGHT
        + "\nours = roc_auc\ndef roc_auc(t, s):\n    return 1 - ours(t, s) if len(t) < 9 else 0.3\n"
    )
    failure = verdict(sandbox, source).failure
    assert failure is not None and failure.mutant == "labels-reversed" and not failure.certain


def test_an_unknown_bug_gets_no_misconception(sandbox: Sandbox):
    failure = verdict(sandbox, "def roc_auc(t, s):\n    return 0.123\n").failure
    assert failure is not None and failure.misconception == "" and "off by" in failure.reason


def test_values_right_but_too_slow_fails_on_growth(sandbox: Sandbox):
    slow = next(mutant for mutant in AUC.mutants if mutant.name == "all-pairs")
    got = verdict(sandbox, mutant_source(AUC, slow))
    assert got.status == "fail" and got.failure is not None and got.failure.mutant == "slow"
    assert got.passed == got.total - 1 and 0.5 < got.credit < 1


class Timed:
    """Replies with times that were written down before: (at n, at 4n) of each round, the last for good."""

    def __init__(self, *rounds: tuple[float, float]) -> None:
        self.rounds = list(rounds)
        self.asked = 0

    def run(self, source: str, name: str, cases: list[Case], limits: Limits | None) -> list[Reply]:
        small, large = self.rounds[min(self.asked, len(self.rounds) - 1)]
        self.asked += 1
        return [Reply("ok", cpu_seconds=seconds) for seconds in (small, large, small, large)]


@pytest.mark.parametrize(
    ("rounds", "slow", "asked"),
    [
        ([(1.0, 5.0)], False, 1),  # clearly within 9: once is enough
        ([(1.0, 16.0)], True, 2),  # clearly over, and again
        ([(1.0, 30.0), (1.0, 5.0)], False, 2),  # the large runs were held up at first
        ([(1.9, 15.0), (1.0, 15.0)], True, 2),  # the small ones were: 7.9 at first, and it is a square
        ([(1.0, 8.0)], False, 6),  # near the limit, and under it however often
        ([(1.0, 10.0)], True, 6),
    ],
)
def test_a_growth_near_the_limit_is_measured_until_it_is_clear(
    rounds: list[tuple[float, float]], slow: bool, asked: int
):
    timed = Timed(*rounds)
    found = grows_too_fast(AUC, "", cast(Sandbox, timed), np.random.default_rng(1), None)
    assert (found, timed.asked) == (slow, asked)


def test_the_stub_is_missing_not_wrong(sandbox: Sandbox):
    got = verdict(sandbox, source_of("roc_auc", stub_of(section("roc_auc").answer), "roc_auc"))
    assert (got.status, got.credit) == ("missing", 0.0)


@pytest.mark.parametrize(
    "body", ["return 0", "return 0.5", "return y_true", "return None", "raise ValueError", "return {}", "return 'pass'"]
)
def test_thoughtless_answers_earn_nothing(sandbox: Sandbox, body: str):
    got = verdict(sandbox, f"def roc_auc(y_true, y_score):\n    {body}\n")
    assert (got.status, got.credit) == ("fail", 0.0)


def test_part_of_an_answer_earns_part_of_the_points(sandbox: Sandbox):
    one_class = next(mutant for mutant in AUC.mutants if mutant.name == "one-class-half")
    got = verdict(sandbox, mutant_source(AUC, one_class))
    assert got.status == "fail" and 0.5 < got.credit < 1.0


@pytest.mark.parametrize(
    ("body", "status"),
    [("while True: pass", "timeout"), ("import os; os._exit(0)", "crash"), ("import sys; sys.exit(0)", "fail")],
)
def test_the_ways_to_end_have_names(sandbox: Sandbox, body: str, status: str):
    got = verdict(sandbox, f"def roc_auc(y_true, y_score):\n    {body}\n")
    assert (got.status, got.credit) == (status, 0.0)


def test_changing_the_input_fails_though_the_value_is_right(sandbox: Sandbox):
    source = RIGHT + "\nours = roc_auc\ndef roc_auc(t, s):\n    v = ours(t, s)\n    s[:] = sorted(s)\n    return v\n"
    failure = verdict(sandbox, source).failure
    assert failure is not None and "modified its input" in failure.reason


def test_an_answer_is_never_compared_with_itself(sandbox: Sandbox):
    """The learner's own values must not become the expected ones."""
    got = verdict(sandbox, "class Same(float):\n    __eq__ = lambda *a: True\ndef roc_auc(t, s):\n    return Same(9)\n")
    assert got.status == "fail"


def test_the_verdict_is_the_same_on_other_cases(sandbox: Sandbox):
    for seed in range(3):
        got = judge(AUC, RIGHT, sandbox=sandbox, rng=np.random.default_rng(seed))
        assert got.status == "pass"


@pytest.mark.parametrize(
    "body",
    [
        "import numpy\n    numpy.allclose = numpy.isclose = lambda *a, **k: True\n    return 7",
        "import time\n    time.time = time.perf_counter = lambda: 0\n    return 7",
        "import fraudkit.workbook.agree as a\n    a.difference = lambda *x, **k: ''\n    return 7",
    ],
)
def test_patching_the_comparison_changes_nothing(sandbox: Sandbox, body: str):
    assert verdict(sandbox, f"def roc_auc(t, s):\n    {body}\n").credit == 0.0
