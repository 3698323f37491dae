"""What the payments of one combination of faults came to: which are labelled wrongly, and which were late, and why.

A reply has to name what was broken, and may name nothing else, with one exception. A part that was well and yet took
longer than it might, because the machine stood still for a moment, was given up like any other, and a reply that
left it out would be wrong. So such a name is right where a call of that part, measured in the service around the
part itself, did take too long or did fail while this payment was under way, or where its latest calls did so as many
times in a row as it takes for it to be left alone. It is reported as `late`, apart from the problems; any other is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fraudkit.rules.policy import DEFAULT_POLICY
from fraudkit.serve.parts import (
    ALONE,
    BUDGETS_S,
    DATABASE,
    EXPLANATION,
    FAILURES,
    FEATURE_STORE,
    IP_REPUTATION,
    NETWORK,
    SECONDARY_STORE,
    TREES,
)  # fmt: skip
from tests.chaos.spans import Seen, Span, longest_ms, touching

Combination = dict[str, str]
TOLD_MS = 3.0  # a shorter call explains nothing
TOLD_SLOW = 3  # payments of a slow combination whose time is taken apart


def in_words(faults: Combination) -> str:
    """A combination as one says it."""
    return " + ".join(f"{part} {mode}" for part, mode in faults.items()) or "nothing"


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment and its answer.

    Attributes
    ----------
    due_s, sent_s, answered_s : time.perf_counter; latency counts from the first
    reply : the decision, empty where there is none
    refusal : what is wrong with an answer that is no decision, "" where it says when to come again
    """

    number: int
    amount: float
    due_s: float
    sent_s: float
    answered_s: float
    status: int
    reply: dict[str, Any] = field(default_factory=dict)
    refusal: str = ""

    @property
    def ms(self) -> float:
        """Milliseconds between the moment it was due and its answer."""
        return (self.answered_s - self.due_s) * 1000


def has_to_be_named(faults: Combination) -> set[str]:
    """Parts that every decision has to name under these faults."""
    named = {part for part in (DATABASE, IP_REPUTATION) if part in faults}
    if FEATURE_STORE not in faults:
        return named | {part for part in (TREES, NETWORK) if part in faults}
    named.add(FEATURE_STORE)
    if SECONDARY_STORE not in faults:
        return named | {part for part in (TREES, NETWORK) if part in faults}
    named.add(SECONDARY_STORE)
    return named | {part for part in (ALONE,) if part in faults}


def may_be_named(faults: Combination) -> set[str]:
    """Parts that a decision may name besides: an explanation is asked for only where a payment is flagged."""
    return has_to_be_named(faults) | ({EXPLANATION} & faults.keys())


def wrong_with(reply: dict[str, Any], amount: float, faults: Combination) -> str:
    """What is wrong with a decision made under faults, or ""."""
    named = set(reply["degraded"])
    if missing := has_to_be_named(faults) - named:
        return f"does not name {sorted(missing)}"
    if invented := named - may_be_named(faults):
        return f"names {sorted(invented)}, which was well"
    scored = reply["fraud_probability"] is not None
    if not scored and reply["decision"].startswith("APPROVE") and amount > DEFAULT_POLICY.fallback_cap_usd:
        return f"approves {amount} without a score"
    return ""


def was_left_out(calls: Iterable[Span], part: str, payment: Payment, patience: float) -> bool:
    """Whether a payment had to do without a part, by what the part's calls came to: all of them, in any order."""

    def is_late(call: Span) -> bool:
        allowed_s = BUDGETS_S[part] * patience if call.allowed_s is None else call.allowed_s
        return bool(call.how) or call.ms > allowed_s * 1000

    asked = sorted((c for c in calls if c.what == part and c.began_s <= payment.answered_s), key=lambda c: c.began_s)
    if any(is_late(call) for call in touching(asked, payment.sent_s, payment.answered_s)):
        return True
    return len(asked) >= FAILURES and all(is_late(call) for call in asked[-FAILURES:])


@dataclass
class Outcome:
    """What one combination of faults came to.

    Attributes
    ----------
    seen : what the service saw of itself meanwhile
    pauses : of the machine and of this process
    again : the outcome of the repetition, where the first was slow
    """

    faults: Combination
    payments: list[Payment] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)
    pauses: list[Span] = field(default_factory=list)
    patience: float = 1.0
    again: Outcome | None = None

    @property
    def statuses(self) -> Counter[int]:
        """How often each status was the answer."""
        return Counter(payment.status for payment in self.payments)

    @property
    def p99_ms(self) -> float:
        """NaN where nothing was answered."""
        return self._percentile([p.ms for p in self._decided])

    @property
    def p99_without_pauses_ms(self) -> float:
        """The same, each payment's time less the longest pause of machine or harness that it fell into."""
        return self._percentile([p.ms - self._paused_ms(p) for p in self._decided])

    @property
    def _decided(self) -> list[Payment]:
        return [payment for payment in self.payments if payment.status == 200]

    def _percentile(self, times_ms: list[float]) -> float:
        return float(np.percentile(times_ms, 99)) if times_ms else float("nan")

    def _paused_ms(self, payment: Payment) -> float:
        """How much of the payment's time the longest pause took."""
        start_s, end_s = payment.due_s, payment.answered_s
        shared = (min(p.ended_s, end_s) - max(p.began_s, start_s) for p in touching(self.pauses, start_s, end_s))
        return max(shared, default=0.0) * 1000

    def is_over(self, limit_ms: float) -> bool:
        """Whether the 99th percentile is over a limit, and a pause of the machine is not why.

        A slow combination is run once more. It is over where it is slow again, or where the first time no pause of
        the machine, and none of this process, accounts for what was too much.
        """
        if not self.p99_ms > limit_ms:
            return False
        if self.again is None or self.again.p99_ms > limit_ms:
            return True
        return self.p99_without_pauses_ms > limit_ms

    def problems(self) -> list[dict[str, Any]]:
        """Every answer that is wrong, with what was expected and what was found."""
        found = self.again.problems() if self.again is not None else []
        for payment in self.payments:
            if what := payment.refusal or self._wrong_label(payment):
                found.append({"problem": what, **self._label(payment), **self._times(payment)})
        return found

    def late(self) -> list[dict[str, Any]]:
        """Every decision that names a part which was well but did come too late, and by how much."""
        found = self.again.late() if self.again is not None else []
        for payment in self._decided:
            if wrong_with(payment.reply, payment.amount, self.faults) and not self._wrong_label(payment):
                found.append({**self._label(payment), **self._times(payment)})
        return found

    def slowest(self, limit_ms: float) -> list[dict[str, Any]]:
        """The worst of the payments over a limit, and where their time went."""
        slow = sorted((p for p in self._decided if p.ms > limit_ms), key=lambda p: -p.ms)
        return [self._times(payment) for payment in slow[:TOLD_SLOW]]

    def _wrong_label(self, payment: Payment) -> str:
        """What is wrong with a decision, given the parts that in truth came too late."""
        if not payment.reply:
            return ""
        besides = (set(payment.reply["degraded"]) & BUDGETS_S.keys()) - self.faults.keys()
        late = {part for part in besides if was_left_out(self.seen.calls, part, payment, self.patience)}
        return wrong_with(payment.reply, payment.amount, {**dict.fromkeys(late, "slow"), **self.faults})

    def _label(self, payment: Payment) -> dict[str, Any]:
        reply = payment.reply
        return {
            "faults": in_words(self.faults), "payment": payment.number, "status": payment.status,
            "expected": sorted(has_to_be_named(self.faults)), "found": sorted(reply.get("degraded", [])),
            "decision": reply.get("decision"), "fraud_probability": reply.get("fraud_probability"),
        }  # fmt: skip

    def _times(self, payment: Payment) -> dict[str, Any]:
        """Where a payment's time went, in milliseconds."""
        start_s, end_s = payment.due_s, payment.answered_s
        pauses = touching(self.pauses, start_s, end_s)
        return {
            "ms": round(payment.ms, 1),
            "at_s": round(payment.due_s - self.payments[0].due_s, 3),
            "sent_late_ms": round((payment.sent_s - payment.due_s) * 1000, 1),
            "service_ms": payment.reply.get("latency_ms"),
            "stages": [span.in_words() for span in touching(self.seen.stages, start_s, end_s)],
            "calls": [
                span.in_words()
                for span in touching(self.seen.calls, start_s, end_s)
                if span.ms > TOLD_MS or (span.how and span.what not in self.faults)
            ],
            "machine_pause_ms": round(longest_ms(p for p in pauses if p.what == "machine"), 1),
            "harness_pause_ms": round(longest_ms(p for p in pauses if p.what == "harness"), 1),
            "service_pause_ms": round(longest_ms(touching(self.seen.pauses, start_s, end_s)), 1),
        }
