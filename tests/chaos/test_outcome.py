"""What passes for a right label and for a payment in time: a part may be named though nothing was wrong with it only
where it did come too late, and a pause excuses a slow combination only where it was one and did not come back.
"""

from __future__ import annotations

import pytest

from fraudkit.serve.parts import ALONE, FEATURE_STORE, IP_REPUTATION, NETWORK, SECONDARY_STORE, TREES
from tests.chaos.outcome import Combination, Outcome, Payment, wrong_with
from tests.chaos.service import LOG
from tests.chaos.spans import Seen, Span

LIMIT_MS = 60.0
REPLY = {"degraded": [], "decision": "APPROVE", "fraud_probability": 0.1, "latency_ms": 8.0}


def payment(*degraded: str, number: int = 0, ms: float = 30.0) -> Payment:
    """One that was sent at second 10."""
    return Payment(number, 20.0, 10.0, 10.0, 10.0 + ms / 1000, 200, REPLY | {"degraded": list(degraded)})


@pytest.mark.parametrize(
    ("reply", "faults", "complaint"),
    [
        ({"degraded": [], "decision": "APPROVE", "fraud_probability": 0.1}, {TREES: "off"}, "does not name"),
        ({"degraded": [TREES], "decision": "APPROVE", "fraud_probability": 0.1}, {}, "was well"),
        (
            {"degraded": [TREES, NETWORK], "decision": "APPROVE_FALLBACK", "fraud_probability": None},
            {TREES: "off", NETWORK: "off"},
            "without a score",
        ),
    ],
)
def test_a_wrong_label_and_a_careless_approval_are_seen(reply: dict, faults: Combination, complaint: str):
    assert complaint in wrong_with(reply, 5_000.0, faults)


def test_a_part_that_was_well_and_in_time_may_not_be_named():
    in_time = Seen(calls=[Span(IP_REPUTATION, 10.001, 10.009)])  # of 10 ms
    outcome = Outcome({TREES: "off"}, [payment(TREES, IP_REPUTATION)], in_time)
    (problem,) = outcome.problems()
    assert "was well" in problem["problem"]
    assert problem["found"] == [IP_REPUTATION, TREES]
    assert outcome.late() == []


@pytest.mark.parametrize("call", [Span(IP_REPUTATION, 10.001, 10.025), Span(IP_REPUTATION, 10.001, 10.002, "OSError")])
def test_a_part_that_did_come_too_late_or_failed_is_named_rightly_and_reported_apart(call: Span):
    outcome = Outcome({TREES: "off"}, [payment(TREES, IP_REPUTATION)], Seen(calls=[call]))
    assert outcome.problems() == []
    (late,) = outcome.late()
    assert late["calls"] == [call.in_words()]


def test_a_call_that_was_late_at_another_time_excuses_nothing():
    outcome = Outcome({}, [payment(IP_REPUTATION)], Seen(calls=[Span(IP_REPUTATION, 9.0, 9.5)]))
    assert len(outcome.problems()) == 1


def calls_before(*lengths_ms: float) -> Seen:
    """Calls of the trees, one a tenth of a second, the last at second 9.9."""
    starts = [10.0 - 0.1 * back for back in range(len(lengths_ms), 0, -1)]
    return Seen(calls=[Span(TREES, at, at + ms / 1000) for at, ms in zip(starts, lengths_ms, strict=True)])


def test_a_part_that_is_left_alone_after_three_late_calls_is_named_rightly():
    assert Outcome({}, [payment(TREES)], calls_before(5, 30, 30, 30)).problems() == []


@pytest.mark.parametrize("lengths_ms", [(30, 30), (30, 30, 30, 5), (30, 5, 30, 30)])
def test_two_late_calls_or_a_good_one_between_leave_no_part_alone(lengths_ms: tuple[float, ...]):
    assert len(Outcome({}, [payment(TREES)], calls_before(*lengths_ms)).problems()) == 1


def test_a_log_that_takes_its_time_excuses_nothing():
    assert len(Outcome({}, [payment(TREES)], Seen(calls=[Span(LOG, 10.0, 10.025)])).problems()) == 1


def test_what_follows_from_a_late_part_has_to_be_named_too():
    seen = Seen(calls=[Span(FEATURE_STORE, 10.001, 10.025)])
    faults = {SECONDARY_STORE: "off", ALONE: "off"}
    assert Outcome(faults, [payment(FEATURE_STORE, SECONDARY_STORE, ALONE)], seen).problems() == []
    (problem,) = Outcome(faults, [payment(FEATURE_STORE)], seen).problems()
    assert "does not name" in problem["problem"]


def test_a_late_part_excuses_no_other_name():
    seen = Seen(calls=[Span(TREES, 10.0, 10.025)])
    assert len(Outcome({}, [payment(TREES, NETWORK)], seen).problems()) == 1


def slow(pause_ms: float = 0.0, again_ms: float | None = None) -> Outcome:
    pauses = [Span("machine", 10.0, 10.0 + pause_ms / 1000)] if pause_ms else []
    again = None if again_ms is None else Outcome({}, [payment(ms=again_ms)])
    return Outcome({}, [payment(ms=100.0)], pauses=pauses, again=again)


@pytest.mark.parametrize(
    ("outcome", "over"),
    [
        (slow(pause_ms=80.0, again_ms=20.0), False),  # a pause, and it did not come back
        (slow(pause_ms=80.0, again_ms=90.0), True),  # a pause, and slow again
        (slow(pause_ms=30.0, again_ms=20.0), True),  # a pause too short to account for it
        (slow(pause_ms=0.0, again_ms=20.0), True),
        (slow(pause_ms=80.0), True),  # never repeated
        (Outcome({}, [payment(ms=20.0)]), False),
    ],
)
def test_a_slow_combination_is_excused_only_by_a_pause_that_accounts_for_it_and_a_quick_repetition(
    outcome: Outcome, over: bool
):
    assert outcome.is_over(LIMIT_MS) is over


def test_a_problem_of_the_repetition_counts():
    first = Outcome({}, [payment(ms=100.0)], again=Outcome({}, [payment(TREES)]))
    assert len(first.problems()) == 1
