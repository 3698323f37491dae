"""Snapshots, alerts, timeline, facts and the check of a report, on made records. The live service: tests/faults."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from fraudkit.core.errors import InvalidInput, NotReady
from fraudkit.features.catalog import FEATURE_NAMES, INDEX
from fraudkit.serve.decisions import Context, DecisionStore, Record
from fraudkit.serve.metrics import ServiceMetrics
from fraudkit.workbook.incident.alert import (
    HIGH_DEGRADED_RATE,
    HIGH_ERROR_RATE,
    HIGH_LATENCY,
    MINUTE_MS,
    POOL_FILLING,
    firings,
    series,
)
from fraudkit.workbook.incident.facts import Facts, gather_facts
from fraudkit.workbook.incident.live import Rehearsal
from fraudkit.workbook.incident.report import Finding, check_report, read_sections
from fraudkit.workbook.incident.snapshot import Snapshot, increase, quantile, ratio, read_snapshot
from fraudkit.workbook.incident.timeline import build_timeline, harmed, releases, to_markdown
from fraudkit.workbook.incident.verification import payments_to_watch, verification_steps
from fraudkit.workbook.incident.worked import worked_report

START_MS = 1_759_300_200_000  # 2025-10-01T06:30Z
HARM_FROM, HARM_TO, FIXED = 60, 72, 90  # minutes


def at(minute: float) -> int:
    return round(START_MS + minute * MINUTE_MS)


def context(code: str) -> Context:
    return Context("v0001", "m" * 64, "r" * 64, "p" * 64, "s" * 64, code * 64)


def record(minute: int, harmed: bool, context_id: int) -> Record:
    vector = np.zeros(len(FEATURE_NAMES), dtype="<f4")
    vector[INDEX["amount_usd"]] = 100.0
    reply = b'{"degraded": ["ip_reputation"]}' if harmed else b'{"degraded": []}'
    action = "REVIEW" if minute == HARM_FROM else "APPROVE"
    degraded = "ip_reputation" if harmed else ""
    vector_bytes, moment = vector.tobytes(), at(minute)
    return Record(f"txn-{minute}", b"d", moment, action, 0.1, reply, vector_bytes, b"{}", degraded, False, context_id)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    """One payment a minute: code `a`, from minute 10 code `b` with the leak, from minute 90 code `c`."""
    store = DecisionStore(tmp_path / "decisions.db")
    for code, minutes in (("a", range(10)), ("b", range(10, FIXED)), ("c", range(FIXED, 100))):
        number = store.context_id(context(code))
        store.add([record(minute, HARM_FROM <= minute <= HARM_TO, number) for minute in minutes])
    yield store.path
    store.close()


def snapshot(minute: int, decided: float, degraded: float, in_use: float = 0.0, size: float = 20.0, **more: float):
    samples = {
        'fraud_predictions_total{decision="APPROVE"}': decided,
        'fraud_degraded_total{part="ip_reputation"}': degraded,
        "reputation_pool_in_use": in_use,
        "reputation_pool_size": size,
        "reputation_pool_timeouts_total": degraded,
    }
    return Snapshot(at(minute), samples | more)


@pytest.fixture
def snapshots() -> list[Snapshot]:
    """Every minute; the service is restarted with a larger pool after minute 72."""
    before = [snapshot(m, m, max(0, m - HARM_FROM + 1), min(20, m / 3)) for m in range(HARM_TO + 1)]
    after = [snapshot(m, m - HARM_TO, 0, m / 10, 100) for m in range(HARM_TO + 1, 100)]
    return before + after


@pytest.fixture
def facts(database: Path, snapshots: list[Snapshot]) -> Facts:
    return gather_facts(database, snapshots)


def test_a_snapshot_reads_what_the_service_writes():
    metrics = ServiceMetrics(FEATURE_NAMES)
    metrics.batch(["APPROVE", "REVIEW"], np.array([0.1, 0.6]), np.array([0.004, 0.2]), np.zeros((2, 143), dtype="f4"))
    metrics.degraded(["trees"])
    found = read_snapshot(metrics.text().decode(), at_ms=5)
    assert found.at_ms == 5
    assert found.total("fraud_predictions_total") == 2
    assert found.samples['fraud_degraded_total{part="trees"}'] == 1
    assert not any(name.startswith("feature_value") for name in found.samples)


def test_a_quantile_lies_in_the_bucket_of_its_rank():
    buckets = {'h_bucket{le="0.1"}': 90.0, 'h_bucket{le="0.2"}': 100.0, 'h_bucket{le="+Inf"}': 100.0}
    after = Snapshot(1, buckets)
    assert quantile(Snapshot(0, {}), after, "h", 0.95) == pytest.approx(0.15)
    assert quantile(Snapshot(0, {}), after, "h", 0.45) == pytest.approx(0.05)
    assert math.isnan(quantile(after, after, "h", 0.5))


def test_a_quantile_beyond_the_last_bound_is_that_bound():
    after = Snapshot(1, {'h_bucket{le="1.0"}': 1.0, 'h_bucket{le="+Inf"}': 10.0})
    assert quantile(Snapshot(0, {}), after, "h", 0.99) == 1.0


def test_a_counter_goes_on_after_a_restart():
    assert increase(snapshot(0, 100, 0), snapshot(1, 4, 0), "fraud_predictions_total") == 4
    assert math.isnan(ratio(snapshot(0, 5, 1), snapshot(1, 5, 1), "fraud_degraded_total", "fraud_predictions_total"))


def test_an_alert_waits_for_its_time_and_clears_with_the_first_quiet_snapshot(snapshots: list[Snapshot]):
    (firing,) = firings(HIGH_DEGRADED_RATE, snapshots)
    assert (firing.pending_ms, firing.raised_ms, firing.cleared_ms) == (at(60), at(65), at(73))


def test_an_alert_on_errors_is_blind_to_a_service_that_degrades(snapshots: list[Snapshot]):
    assert firings(HIGH_ERROR_RATE, snapshots) == []


def test_a_short_breach_raises_nothing():
    short = [snapshot(m, 10 * m, 5 if m >= 3 else 0) for m in range(30)]
    assert firings(HIGH_DEGRADED_RATE, short[:8]) == []


def test_an_alert_that_is_still_on_has_no_end(snapshots: list[Snapshot]):
    (firing,) = firings(HIGH_DEGRADED_RATE, snapshots[:70])
    assert firing.cleared_ms is None


def test_the_pool_alert_comes_before_the_harm(snapshots: list[Snapshot]):
    (firing,) = firings(POOL_FILLING, snapshots)
    assert firing.raised_ms < at(HARM_FROM)


def test_without_a_pool_the_alert_on_it_says_nothing():
    bare = [Snapshot(at(m), {"fraud_predictions_total": m}) for m in range(30)]
    assert firings(POOL_FILLING, bare) == []
    assert all(math.isnan(value) for value in series(HIGH_LATENCY, bare))


def test_a_release_is_every_change_of_code_and_a_rollback_is_one(database: Path):
    assert [(r.at_ms, r.code[0]) for r in releases(database)] == [(at(0), "a"), (at(10), "b"), (at(FIXED), "c")]
    store = DecisionStore(database)
    store.add([record(200, False, store.context_id(context("a")))])
    store.close()
    assert [r.code[0] for r in releases(database)] == ["a", "b", "c", "a"]


def test_the_timeline_is_in_order_and_holds_release_harm_restart_and_alert(database: Path, snapshots: list[Snapshot]):
    events = build_timeline(database, snapshots)
    assert [e.at_ms for e in events] == sorted(e.at_ms for e in events)
    told = " | ".join(event.what for event in events)
    for words in (
        "first decision by code aaaaaaaa",
        "release: decisions from now on by code bbbbbbbb",
        "first payment decided without ip_reputation",
        "last of 13 payments",
        "HighDegradedRate raised",
        "HighDegradedRate cleared after 8 minutes",
        "service restarted, pool size 20 to 100",
    ):
        assert words in told
    assert to_markdown(events).splitlines()[2].startswith("| 06:30 | first decision")


def test_a_timeline_without_snapshots_is_what_the_decisions_hold(database: Path):
    assert {event.source for event in build_timeline(database, [])} == {"decisions"}


def test_without_a_database_it_is_said_what_to_do(tmp_path: Path):
    with pytest.raises(NotReady, match="score payments first"):
        harmed(tmp_path / "absent.db")
    assert not (tmp_path / "absent.db").exists()


def test_the_facts_are_those_of_the_records(facts: Facts):
    assert (facts.released_ms, facts.started_ms, facts.ended_ms) == (at(10), at(60), at(72))
    assert (facts.detected_ms, facts.first_alert, facts.fixed_ms) == (at(65), "HighDegradedRate", at(FIXED))
    assert (facts.duration_min, facts.detection_min, facts.latent_min) == (12, 5, 50)
    assert (facts.decided, facts.affected, facts.affected_usd, facts.stopped_usd) == (13, 13, 1_300.0, 100.0)


def test_where_nobody_was_harmed_there_is_no_incident(tmp_path: Path, snapshots: list[Snapshot]):
    store = DecisionStore(tmp_path / "quiet.db")
    store.add([record(1, False, store.context_id(context("a")))])
    store.close()
    with pytest.raises(InvalidInput, match="no payment was decided without a part"):
        gather_facts(tmp_path / "quiet.db", snapshots)


def test_where_no_alert_came_there_is_nothing_to_report_on(database: Path):
    with pytest.raises(InvalidInput, match="no alert was raised"):
        gather_facts(database, [])


@pytest.fixture
def good(database: Path, snapshots: list[Snapshot], facts: Facts) -> str:
    return worked_report("good", facts, build_timeline(database, snapshots))


def test_the_good_report_has_nothing_to_mend(good: str, facts: Facts):
    assert check_report(good, facts) == []


def test_the_poor_report_is_found_out_in_every_section(database: Path, snapshots: list[Snapshot], facts: Facts):
    poor = worked_report("poor", facts, build_timeline(database, snapshots))
    found = {finding.section for finding in check_report(poor, facts)}
    assert found == {
        "header", "form", "Timeline", "Impact Assessment", "Detection", "Root Cause", "Investigation Steps",
        "The Five Whys", "Action Items", "Prevention Measures",
    }  # fmt: skip


# Text of the good report -> what stands in its place, and what the check must say.
SPOILT = {
    "a wrong duration": ("**Duration:** 12 minutes\n\n## Incident", "**Duration:** 1 hour 12 minutes\n\n## Incident",
                         "duration 72 minutes; first to last harmed payment is 12"),
    "no severity": ("**Severity:** High", "**Severity:**", "fill in **Severity:**"),
    "a wrong count": ("**Payments Affected:** 13", "**Payments Affected:** 7", "7 affected; the decision database"),
    "no count": ("**Payments Affected:** 13", "**Payments Affected:** many", "count those affected"),
    "another alert": ("HighDegradedRate", "HighLatency", "name the first alert, HighDegradedRate"),
    "no leak": ("leaked", "used up", "nothing is said of 'leak'"),
    "a refuted cause": ("**Primary:** the", "**Primary:** a peak of traffic, and the", "'traffic' was checked"),
    "nobody owns it": ("**Owner:** platform lead", "**Owner:** the team", "needs one role as owner"),
    "no owner": ("**Owner:** platform lead - ", "", "needs one role as owner"),
    "no date": ("**Due:** 2025-10-31", "**Due:** soon", "needs a date"),
    "no such date": ("**Due:** 2025-10-31", "**Due:** 2025-10-41", "needs a date"),
    "a date before": ("**Due:** 2025-10-31", "**Due:** 2025-09-01", "dated before the incident"),
    "a placeholder": ("INC-2025-10-01-1", "[INC-2024-001]", "replace the placeholder [INC-2024-001]"),
    "no test": ("**Test:** as many failing lookups as", "**Care:** as many lookups as", "which test would have failed"),
    "no alert": ("**Alert:** pool in use", "**Care:** pool in use", "which alert would have come earlier"),
    "no release": ("| 06:40 | release", "| 06:39 | release", "give the release that brought it in, 06:40"),
    "no fix": ("| 08:00 | release", "| 08:01 | release", "give the release of the fix, 08:00"),
    "disorder": ("| 06:30 | first decision", "| 09:59 | first decision", "in order of time"),
}  # fmt: skip


@pytest.mark.parametrize("change", SPOILT.values(), ids=SPOILT)
def test_one_thing_wrong_is_one_thing_said(good: str, facts: Facts, change: tuple[str, str, str]):
    old, new, words = change
    assert old in good
    found = check_report(good.replace(old, new), facts)
    assert [words in finding.words for finding in found] == [True], found


def test_a_why_that_repeats_another_explains_nothing(good: str, facts: Facts):
    answers = good.replace("All of them had been taken and were never given back.", "No connection came free")
    answers = answers.replace(
        "No connection came free within the time that a payment waits.", "No connection came free"
    )
    assert [finding.words for finding in check_report(answers, facts)] == ["two whys have the same answer; ask further"]


def test_four_whys_are_not_five(good: str, facts: Facts):
    (finding,) = check_report(good.replace("   - All of them had been taken and were never given back.\n", ""), facts)
    assert finding == Finding("The Five Whys", "missing", "answer 5, each in 4 words or more; found 4")


def test_a_cause_that_is_denied_is_not_blamed(good: str, facts: Facts):
    assert check_report(good.replace("**Primary:** the", "**Primary:** not traffic: the"), facts) == []


def test_an_empty_text_is_missing_everything_and_breaks_nothing(facts: Facts):
    found = check_report("", facts)
    assert len(found) == 16
    assert {finding.kind for finding in found} == {"missing"}


def test_a_comment_in_a_code_block_is_no_heading():
    sections = read_sections("## One\n```python\n## not this\n```\n### Two\nx\n## Three (all)\ny\n")
    assert list(sections) == ["One", "Two", "Three"]
    assert sections["One"].endswith("x")


def test_how_long_to_watch_follows_from_the_rate():
    assert payments_to_watch(0.01) == 459
    assert (1 - 0.01) ** 459 <= 0.01 < (1 - 0.01) ** 458
    assert payments_to_watch(1.0) == 1
    with pytest.raises(InvalidInput, match="confidence"):
        payments_to_watch(0.0)


def test_verification_passes_a_quiet_service_and_fails_a_leaking_one(snapshots: list[Snapshot]):
    quick = {'prediction_latency_seconds_bucket{le="+Inf"}': 50.0, 'prediction_latency_seconds_bucket{le="0.01"}': 50.0}
    quiet = [snapshot(0, 0, 0), snapshot(20, 50, 0, **quick)]
    assert [step.ok for step in verification_steps(quiet)] == [True] * 5
    leaking = verification_steps(snapshots[: HARM_TO + 1])
    assert [step.ok for step in leaking][:2] == [False, False]
    assert not leaking[4].ok
    with pytest.raises(InvalidInput, match="take two or more"):
        verification_steps(quiet[:1])


def test_a_rehearsal_without_a_service_says_so(tmp_path: Path):
    with Rehearsal([], "unix:///nowhere", START_MS, tmp_path) as rehearsal, pytest.raises(NotReady, match=r"start\(\)"):
        rehearsal.scrape()
