"""A candidate scores what the service scored, and nobody waits for it.

Each recorded batch goes into a short queue; a thread of low priority scores the same vectors with the
registry's candidate and counts how often it would have acted otherwise, and over how much money. Of some
batches it takes the time of both models, one after the other on the same thread. Where payments come faster
than it scores, the oldest batches are dropped and counted: a sample is enough to compare. Everything is
counted anew for another candidate. `fraudkit shadow` reads the counts.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
from prometheus_client.core import CounterMetricFamily, Metric

from fraudkit.core.errors import NotReady
from fraudkit.models.bundle import Bundle
from fraudkit.serve.assess import MEMBERS
from fraudkit.serve.decide import BEARING
from fraudkit.serve.decisions import Record
from fraudkit.serve.logs import DecisionLog
from fraudkit.serve.scorer import Decided, Scorer
from fraudkit.serve.serving import Model
from fraudkit.serve.shadow_tally import Tally
from fraudkit.serve.switch import AliasWatch

QUEUE = 64  # batches
LOOK_S = 0.5  # between two looks at the registry while nothing is paid
NICENESS = 10
TIMED_EVERY = 8  # batches


class Shadow:
    """The candidate beside one scorer; a context manager."""

    def __init__(self, scorer: Scorer, watch: AliasWatch, log: DecisionLog) -> None:
        self._scorer = scorer
        self._watch = watch
        self._log = log
        self._candidate: Bundle | None = None
        self._queue: deque[Decided] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="shadow", daemon=True)
        self._dropped = 0
        self._tally = Tally("")
        scorer.listeners.append(self._offer)
        scorer.metrics.add(self.collect)

    def __enter__(self) -> Shadow:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def _offer(self, decided: Decided, records: Sequence[Record]) -> None:
        if self._candidate is None or not all(BEARING.isdisjoint(d.degraded) for d in decided.decisions):
            return
        with self._changed:
            if len(self._queue) == QUEUE:
                self._dropped += len(self._queue.popleft().decisions)
            self._queue.append(decided)
            self._changed.notify()

    def _run(self) -> None:
        with suppress(OSError):  # a courtesy to payments; where it is not granted, the queue protects them
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        while not self._stopping:
            self._look()
            with self._changed:
                if not self._queue and not self._stopping:
                    self._changed.wait(LOOK_S)
                decided = self._queue.popleft() if self._queue else None
            if decided is not None and self._candidate is not None:
                self._compare(decided, self._candidate)

    def _look(self) -> None:
        """Take the candidate that the registry names; none where it is the model that serves already."""
        try:
            bundle = self._watch.changed()
        except NotReady:
            self._candidate = None
        except Exception as error:  # a candidate that cannot be used is the trainer's business, not the payments'
            self._log.failure("shadow", error)
            self._candidate = None
        else:
            if bundle is not None:
                if bundle.version != self._tally.version:
                    self._tally = Tally(bundle.version)
                self._candidate = bundle
        if self._candidate is not None and self._candidate.digest == self._scorer.serving.context.model_digest:
            self._candidate = None

    def _compare(self, decided: Decided, candidate: Bundle) -> None:
        tally = self._tally
        started = time.perf_counter()
        scored = candidate.score(decided.X)
        if tally.batches % TIMED_EVERY == 0:
            seconds = time.perf_counter() - started
            tally.took(len(decided.X), seconds, self._seconds_of(decided.serving.model, decided.X))
        tally.batches += 1
        policy = self._scorer.decider.policy
        scores, probability = scored.ensemble.tolist(), scored.probability.tolist()
        for row, decision in enumerate(decided.decisions):
            amount_usd = decided.fresh[row].intake.amount_usd
            decisive = self._scorer.decider.decisive(decision.rules)
            other = policy.decide(scores[row], decisive is not None, amount_usd, is_new=decision.is_new)
            tally.add(decision, other, amount_usd, probability[row])
            if decisive is None and decision.fraud_score is not None:
                tally.differs(decision.fraud_score, scores[row])

    def _seconds_of(self, model: Model, X: np.ndarray) -> float:
        """How long the serving model takes for the same rows here."""
        started = time.perf_counter()
        model.combine({name: model.member(name, X) for name in MEMBERS})
        return time.perf_counter() - started

    def collect(self) -> Iterator[Metric]:
        """What was compared, for /metrics."""
        yield from self._tally.collect()
        yield CounterMetricFamily("shadow_dropped", "Payments that the candidate did not score", self._dropped)
