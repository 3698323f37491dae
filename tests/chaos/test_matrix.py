"""The short form of `python -m tests.chaos.matrix`: every part off, slow and lying, and some pairs.

Times are left to the long form; here it matters that every payment is answered and every decision labelled rightly.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator

import pytest

from fraudkit.serve.parts import ALONE, DATABASE, FEATURE_STORE, NETWORK, SECONDARY_STORE, TREES
from tests.chaos import matrix
from tests.chaos.outcome import Combination, Outcome, Payment, in_words
from tests.chaos.service import LOG, PARTS
from tests.chaos.spans import Seen, Span
from tests.stand_ins import noise_bundle

PATIENCE = 15.0  # of the parts' times: a busy machine must not look like a fault
RATE, SECONDS = 40.0, 0.6
PAIRS: list[Combination] = [
    {FEATURE_STORE: "off", SECONDARY_STORE: "off"},
    {FEATURE_STORE: "lying", DATABASE: "off"},
    {TREES: "off", NETWORK: "lying"},
    {FEATURE_STORE: "off", TREES: "off"},
    {DATABASE: "lying", LOG: "slow"},
    {FEATURE_STORE: "off", SECONDARY_STORE: "lying", ALONE: "off"},
]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[matrix.Chaotic]:
    home = tmp_path_factory.mktemp("chaos")
    bundle = noise_bundle().save(home / "v0001")
    with matrix.chaotic(home, str(bundle), PATIENCE) as running:
        yield running


def slow_ones_last(faults: Combination) -> bool:
    return "slow" in faults.values()


@pytest.mark.timeout(280)
def test_every_payment_is_answered_and_labelled_whatever_is_broken(service: matrix.Chaotic):
    faults = sorted([*matrix.combinations_of(pairs=False), *PAIRS], key=slow_ones_last)
    run = matrix.Matrix(service, RATE, SECONDS, PATIENCE, limit_ms=float("inf"), machine=[])
    outcomes = run.run(faults, seed=7)
    wrong = {in_words(outcome.faults): problems[0] for outcome in outcomes if (problems := outcome.problems())}
    assert wrong == {}
    assert all(outcome.statuses[200] > 10 for outcome in outcomes)


def test_the_combinations_are_every_part_in_every_way_and_every_pair():
    singles, all_of_them = matrix.combinations_of(pairs=False), matrix.combinations_of(pairs=True)
    assert len(singles) == 1 + 3 * len(PARTS) - 1  # a log cannot lie
    pairs = [c for c in all_of_them if len(c) == 2]
    assert {frozenset(c) for c in pairs} == {frozenset((a, b)) for a in PARTS for b in PARTS if a != b}


@pytest.mark.parametrize("text", ["tree=off", "trees=away", "log=lying", "trees"])
def test_a_combination_that_cannot_be_is_refused_by_name(text: str):
    with pytest.raises(argparse.ArgumentTypeError, match="cannot be"):
        matrix.combination(text)


def test_a_combination_is_read_as_it_is_written():
    assert matrix.combination("trees=off,log=slow") == {TREES: "off", LOG: "slow"}


def test_the_report_holds_every_wrong_label_and_takes_slow_payments_apart():
    right = {"degraded": [TREES], "decision": "APPROVE", "fraud_probability": 0.1, "latency_ms": 9.0}
    replies = [right, right | {"degraded": []}]
    payments = [Payment(n, 10.0, 5.0, 5.001, 5.2, 200, reply) for n, reply in enumerate(replies)]
    seen = Seen(stages=[Span("features", 5.01, 5.15)])
    result = matrix.report([Outcome({TREES: "off"}, payments, seen)], limit_ms=60.0)
    (problem,) = result["problems"]
    assert (problem["faults"], problem["expected"], problem["found"]) == ("trees off", [TREES], [])
    (slow,) = result["slow"]
    assert slow["over_budget"] is True
    assert result["over_budget"] == ["trees off"]
    assert slow["slowest"][0]["stages"] == ["features 140 ms"]
    matrix.show(json.loads(json.dumps(result)))  # as tables, from nothing but the JSON
