"""A candidate scores what the service scored, and nobody waits for it.

Each recorded batch goes into a short queue; a thread of low priority scores the same vectors with the
registry's candidate and counts how often it would have acted otherwise. Where payments come faster
than it scores, the oldest batches are dropped and counted: a sample is enough to compare.
"""

from __future__ import annotations

import os
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import suppress

import numpy as np
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from fraudkit.core.errors import NotReady
from fraudkit.models.bundle import Bundle
from fraudkit.serve.decisions import Record
from fraudkit.serve.logs import DecisionLog
from fraudkit.serve.metrics import Distribution
from fraudkit.serve.scorer import BEARING, Decided, Scorer
from fraudkit.serve.switch import AliasWatch

QUEUE = 64  # batches
LOOK_S = 0.5  # between two looks at the registry while nothing is paid
NICENESS = 10
DIFFERENCES = (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # of scores, without their sign


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
        self._actions: Counter[tuple[str, str, str]] = Counter()
        self._difference = Distribution(DIFFERENCES)
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
        if self._candidate is None or not BEARING.isdisjoint(decided.decisions[0].degraded):
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
                self._candidate = bundle
        if self._candidate is not None and self._candidate.digest == self._scorer.serving.context.model_digest:
            self._candidate = None

    def _compare(self, decided: Decided, candidate: Bundle) -> None:
        scores = candidate.score(decided.X).ensemble
        ours = np.array([np.nan if d.fraud_score is None else d.fraud_score for d in decided.decisions])
        ruled = [self._scorer.decisive(d.rules) is not None for d in decided.decisions]
        self._difference.add(np.abs(scores - ours)[~np.isnan(ours) & ~np.array(ruled)])
        for row, (decision, decisive) in enumerate(zip(decided.decisions, ruled, strict=True)):
            intake = decided.fresh[row].intake
            other = self._scorer.policy.decide(float(scores[row]), decisive, intake.amount_usd, is_new=decision.is_new)
            self._actions[candidate.version, decision.action.value, other.value] += 1

    def collect(self) -> Iterator[Metric]:
        """What was compared, for /metrics."""
        names = ["version", "serving", "candidate"]
        actions = CounterMetricFamily(
            "shadow_decisions", "Actions of the serving model and the candidate", labels=names
        )
        for labels, count in sorted(self._actions.items()):
            actions.add_metric(list(labels), count)
        yield actions
        buckets, total = self._difference.buckets()
        yield HistogramMetricFamily(
            "shadow_score_difference", "Distance of the two scores where no rule decided", buckets, total
        )
        yield CounterMetricFamily("shadow_dropped", "Payments that the candidate did not score", self._dropped)
