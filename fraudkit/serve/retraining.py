"""Asks for a retraining where the decisions whose labels have matured were no longer good enough.

A housekeeping task: it looks only when feedback has arrived since its last look, at most once in a
while, on its own connection to the database. No payment and no feedback waits for it.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fraudkit.core.clock import DAY_S, HOUR_S, Clock
from fraudkit.core.label import MATURITY_DAYS, SOURCE_PRECEDENCE
from fraudkit.registry.trigger import RetrainingRequest, TriggerPolicy, should_retrain

LOOKED_AT = 50_000  # the latest matured decisions
PAUSE_MS = HOUR_S * 1000


@dataclass(frozen=True, slots=True)
class Matured:
    """Decisions with settled labels: y_true bool (n,), y_score float64 (n,), user (n,)."""

    y_true: np.ndarray
    y_score: np.ndarray
    user: np.ndarray


class RetrainingWatch:
    """Watches one decision database; `run` is the task.

    Parameters
    ----------
    path : of the database
    request : where the note is left
    """

    def __init__(
        self, path: Path, request: RetrainingRequest, clock: Clock, policy: TriggerPolicy | None = None
    ) -> None:
        self._connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0, check_same_thread=False
        )
        self._request = request
        self._clock = clock
        self._policy = policy or TriggerPolicy()
        self._looked_ms: int | None = None
        self._word = 0

    def run(self) -> bool:
        """Look where there is something new to see; whether a retraining was asked for now."""
        now_ms = self._clock.now_ms()
        if self._looked_ms is not None and now_ms - self._looked_ms < PAUSE_MS:
            return False
        word = int(self._connection.execute("SELECT coalesce(max(id), 0) FROM feedback").fetchone()[0])
        if word == self._word:
            return False
        self._word, self._looked_ms = word, now_ms
        matured = self.matured(now_ms)
        verdict = should_retrain(
            matured.y_true,
            matured.y_score,
            matured.user,
            np.random.default_rng(word),
            last_retrained_ms=self._request.last_answered_ms(),
            now_ms=now_ms,
            policy=self._policy,
        )
        return verdict.asks and self._request.ask(verdict, now_ms)

    def matured(self, now_ms: int) -> Matured:
        """The latest scored decisions that are MATURITY_DAYS old; silence means legitimate by then."""
        until_ms = now_ms - MATURITY_DAYS * DAY_S * 1000
        rows = self._connection.execute(
            "SELECT transaction_id, fraud_score, json_extract(CAST(transaction_json AS TEXT), '$.user_id')"
            " FROM decisions WHERE decided_at_ms <= ? AND fraud_score IS NOT NULL ORDER BY rowid DESC LIMIT ?",
            (until_ms, LOOKED_AT),
        ).fetchall()
        frauds = self._frauds()
        return Matured(
            np.array([row[0] in frauds for row in rows], dtype=bool),
            np.array([row[1] for row in rows], dtype=np.float64),
            np.array([row[2] for row in rows], dtype=np.str_),
        )

    def _frauds(self) -> set[str]:
        """Transactions that the most authoritative source calls fraud, by its latest word."""
        best: dict[str, tuple[int, bool]] = {}
        for transaction_id, source, is_fraud in self._connection.execute(
            "SELECT transaction_id, source, is_fraud FROM feedback ORDER BY id"
        ):
            rank = SOURCE_PRECEDENCE[source]
            if transaction_id not in best or rank >= best[transaction_id][0]:
                best[transaction_id] = (rank, bool(is_fraud))
        return {name for name, (_, is_fraud) in best.items() if is_fraud}

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
