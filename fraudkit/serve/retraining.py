"""Asks for a retraining where the decisions whose labels have matured were no longer good enough.

A housekeeping task: it looks only when feedback has arrived since its last look, at most once an hour.
No payment and no feedback waits for it. It trains nothing and knows nobody who does; it leaves a note.
"""

from __future__ import annotations

from math import inf

import numpy as np

from fraudkit.core.clock import DAY_S, HOUR_S, Clock
from fraudkit.core.label import MATURITY_DAYS, SOURCE_PRECEDENCE
from fraudkit.registry.request import RetrainingRequest
from fraudkit.registry.trigger import RetrainingPolicy, Trigger, due_by_decisions
from fraudkit.serve.decisions.reader import Reader

LOOKED_AT = 20_000  # the latest decisions that can be judged
PAUSE_MS = HOUR_S * 1000
# A model's age is the schedule's matter.
POLICY = RetrainingPolicy(max_age_days=inf)


class RetrainingWatch:
    """Watches one decision database; `run` is the task.

    Parameters
    ----------
    reader : of the database
    request : where the note is left
    policy : what makes a retraining worth asking for
    """

    def __init__(
        self, reader: Reader, request: RetrainingRequest, clock: Clock, policy: RetrainingPolicy = POLICY
    ) -> None:
        self._reader = reader
        self._request = request
        self._clock = clock
        self._policy = policy
        self._looked_ms = -PAUSE_MS
        self._word = reader.last_word()

    def run(self) -> bool:
        """Look where there is something new to see; whether a retraining was asked for now."""
        now_ms = self._clock.now_ms()
        if now_ms - self._looked_ms < PAUSE_MS:
            return False
        word = self._reader.last_word()
        if word == self._word:
            return False
        self._word, self._looked_ms = word, now_ms
        trigger = self.look(now_ms)
        return trigger.wanted and self._request.ask(trigger, now_ms)

    def look(self, now_ms: int) -> Trigger:
        """Judge the latest decisions that are MATURITY_DAYS old; silence means legitimate by then."""
        until_ms = now_ms - MATURITY_DAYS * DAY_S * 1000
        rows = self._reader.observable(until_ms, LOOKED_AT)
        frauds = self._frauds()
        fraud = np.array([transaction_id in frauds for transaction_id, _, _ in rows], dtype=bool)
        user, score = np.array([row[1] for row in rows]), np.array([row[2] for row in rows], dtype=np.float64)
        last = self._request.last()
        return due_by_decisions(
            fraud,
            score,
            user,
            np.random.default_rng(self._word),
            retrained_days_ago=inf if last is None else (now_ms - last["answered_at_ms"]) / (DAY_S * 1000),
            policy=self._policy,
        )

    def _frauds(self) -> set[str]:
        """Transactions that the most authoritative source calls fraud, by its latest word."""
        best: dict[str, tuple[int, bool]] = {}
        for transaction_id, source, is_fraud in self._reader.words():
            rank = SOURCE_PRECEDENCE[source]
            if transaction_id not in best or rank >= best[transaction_id][0]:
                best[transaction_id] = (rank, bool(is_fraud))
        return {name for name, (_, is_fraud) in best.items() if is_fraud}
