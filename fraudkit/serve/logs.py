"""The service's log: JSON lines, at most one a decision, without amounts, places or bodies.

A decision's line is its id, action, score and what was missing; the decision database holds the rest.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson

from fraudkit.core.cards import mask_card_numbers
from fraudkit.core.clock import from_epoch_ms
from fraudkit.core.decision import Decision
from fraudkit.serve.log_stream import Stream

FAILURE_PAUSE_S = 1.0  # a part that fails for every batch is told once in this time


class DecisionLog:
    """Writes lines to `stream`; decisions only where `every_decision`, failures always."""

    def __init__(self, stream: Stream | None = None, every_decision: bool = False) -> None:
        self._stream = stream
        self._every_decision = every_decision
        self._told: dict[str, float] = {}

    def decisions(self, decisions: Sequence[Decision], latencies_s: np.ndarray) -> None:
        """One line a decision, written in one go."""
        if not self._every_decision:
            return
        at = _now()
        lines = (
            _line(at, "decision", transaction_id=d.transaction_id, decision=d.action.value, fraud_score=d.fraud_score,
                  rules=[hit.rule_id for hit in d.rules], degraded=d.degraded, latency_ms=round(latency * 1000, 3))
            for d, latency in zip(decisions, latencies_s.tolist(), strict=True)
        )  # fmt: skip
        self._write("".join(lines))

    def review(self, transaction_id: str, outcome: str, analyst: str) -> None:
        """An analyst closed a case; told where decisions are."""
        if self._every_decision:
            self._write(_line(_now(), "review", transaction_id=transaction_id, outcome=outcome, analyst=analyst))

    def failure(self, part: str, error: Exception) -> None:
        """A part failed; its kind and own words, at most once a second a part."""
        now = time.monotonic()
        if now - self._told.get(part, -FAILURE_PAUSE_S) >= FAILURE_PAUSE_S:
            self._told[part] = now
            self._write(_line(_now(), "failure", part=part, error=type(error).__name__, message=_shown(error)))

    def _write(self, text: str) -> None:
        stream = self._stream or sys.stderr
        stream.write(text)
        stream.flush()


def lost_line(count: int) -> str:
    """The line that tells how many lines nobody took in time."""
    return _line(_now(), "lines_lost", count=count)


def _shown(error: Exception) -> str:
    """What an error says, cut, and without card numbers: a library may quote what it was given."""
    return mask_card_numbers(str(error)[:300])


def _now() -> str:
    return from_epoch_ms(time.time_ns() // 1_000_000).isoformat(timespec="milliseconds")


def _line(at: str, event: str, **fields: Any) -> str:
    return orjson.dumps({"at": at, "event": event, **fields}).decode() + "\n"
