"""The real service with every part wrapped, so that each can be switched off, slowed down or made to lie while it runs.

`python -m tests.chaos.service MODEL` announces its address, then reads lines of JSON from its input: a fault for each
part that has one. A line replaces what was before, and is answered by "set" and what the service saw of itself since
the last one (tests/chaos/spans.py): every call of a part with its true length, whatever the replies say of it.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import uvicorn

from fraudkit.core.config import settings
from fraudkit.core.errors import StoreUnavailable
from fraudkit.faults.parts import Fault, failing, faulty, lying, slow
from fraudkit.features.online import OnlineFeatures
from fraudkit.features.reputation import StoreReputation
from fraudkit.features.store import HistoryStore
from fraudkit.serve.app import create_app
from fraudkit.serve.job import Job
from fraudkit.serve.log_stream import UnhurriedStream
from fraudkit.serve.logs import DecisionLog, lost_line
from fraudkit.serve.metrics import ServiceMetrics
from fraudkit.serve.parts import (
    ALONE,
    DATABASE,
    EXPLANATION,
    FEATURE_STORE,
    IP_REPUTATION,
    NETWORK,
    SECONDARY_STORE,
    TREES,
    Part,
)  # fmt: skip
from fraudkit.serve.scorer import Scorer
from fraudkit.serve.server import settle
from fraudkit.serve.startup import bind, open_scorer
from tests.chaos.spans import Seen, Span, sleep_and_tell

LOG = "log"
LONG_S = 0.003  # a stage that is shorter explains nothing


class Away(StoreUnavailable, OSError):
    """A part is switched off: what a store raises, and what a stream does."""


def away(part: str) -> Away:
    """The error of a part that is switched off."""
    return Away(f"{part} was switched off")


def deny(error: Exception) -> Any:
    """Take a call's answer and say that it failed."""
    raise error


# Part -> how it may lie. A database that lies has taken the decisions and says that it has not; the log cannot lie.
LIES: dict[str, Callable[[Any], Any]] = {
    FEATURE_STORE: lambda batch: replace_vectors(batch, np.inf),
    SECONDARY_STORE: lambda batch: replace_vectors(batch, np.inf),
    IP_REPUTATION: lambda values: np.full_like(values, 7.0),
    TREES: lambda scores: scores * np.nan,
    NETWORK: lambda scores: scores + 3.0,
    ALONE: lambda scored: replace(scored, ensemble=scored.ensemble * np.nan),
    EXPLANATION: lambda _: 1 / 0,
    DATABASE: lambda _: deny(away(DATABASE)),
}
PARTS = (*LIES, LOG)
MODES = ("off", "slow", "lying")


class Vectors:
    """A batch of vectors."""

    def __init__(self, X: np.ndarray) -> None:
        self.X = X


def replace_vectors(batch: Any, value: float) -> Vectors:
    """The batch with impossible numbers in it."""
    X = batch.X.copy()
    X[:, 3] = value
    return Vectors(X)


class Faults:
    """What is wrong with each part now, and what its calls came to."""

    def __init__(self, slow_s: float) -> None:
        self.slow_s = slow_s
        self.now: dict[str, str] = {}
        self.seen = Seen()
        self.allowed = threading.local()  # `seconds`: of the call that this thread is about to make

    def of(self, part: str) -> Fault:
        """What a call to the part suffers, as its fault is at that moment."""
        modes = {"off": failing(away(part)), "slow": slow(self.slow_s)}
        if part in LIES:
            modes["lying"] = lying(LIES[part])

        def suffer(call: Callable[[], Any]) -> Any:
            began_s, how, allowed_s = time.perf_counter(), "", getattr(self.allowed, "seconds", None)
            try:
                return modes[self.now[part]](call) if part in self.now else call()
            except Exception as error:
                how = type(error).__name__
                raise
            finally:
                self.seen.calls.append(Span(part, began_s, time.perf_counter(), how, allowed_s))

        return suffer

    def take(self) -> Seen:
        """What was seen since the last time."""
        seen, self.seen = self.seen, Seen()
        return seen


class FaultyModel:
    """A model of which each member, the stand-in and the explanation suffer their own faults."""

    def __init__(self, model: Any, faults: Faults) -> None:
        alone = faulty(model, "score_alone", faults.of(ALONE))
        self._model = faulty(alone, "explain", faults.of(EXPLANATION))
        self._members = {name: faults.of(name) for name in (TREES, NETWORK)}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def member(self, name: str, X: np.ndarray) -> np.ndarray:
        """Scores of one member."""
        scores: np.ndarray = self._members[name](lambda: self._model.member(name, X))
        return scores


def wrap(scorer: Scorer, store: HistoryStore, faults: Faults) -> None:
    """Put every part of a scorer behind the faults; reputations are asked for apart, so that they can fail apart."""
    assessor = scorer.assessor
    assessor.features = faulty(OnlineFeatures(store), "vectors", faults.of(FEATURE_STORE))
    assessor.secondary = faulty(assessor.secondary, "vectors", faults.of(SECONDARY_STORE))
    assessor.reputation = faulty(StoreReputation(store), "lookup", faults.of(IP_REPUTATION))
    scorer.serving = replace(scorer.serving, model=FaultyModel(scorer.serving.model, faults))
    adds = faulty(scorer.decisions, "add", faults.of(DATABASE))
    scorer.decisions = faulty(adds, "stored", faults.of(DATABASE))
    watch_stages(scorer.metrics, faults)
    watch_allowances(faults)


def watch_stages(metrics: ServiceMetrics, faults: Faults) -> None:
    """Keep the long stages of the scoring thread besides counting all."""
    count = metrics.stage

    def stage(name: str, seconds: float) -> None:
        count(name, seconds)
        if seconds > LONG_S:
            now_s = time.perf_counter()
            faults.seen.stages.append(Span(name, now_s - seconds, now_s))

    metrics.stage = stage  # type: ignore[method-assign]


def watch_allowances(faults: Faults) -> None:
    """Keep for each call how long the payment's deadline let it take."""
    allowance_s = Job.allowance_s

    def kept(job: Job, part: Part, now_s: float) -> float:
        faults.allowed.seconds = allowance_s(job, part, now_s)
        return faults.allowed.seconds

    Job.allowance_s = kept  # type: ignore[method-assign]


def obey(scorer: Scorer, faults: Faults) -> None:
    """Take faults from standard input until it ends; every part begins anew with each."""
    for line in sys.stdin:
        faults.now = json.loads(line)
        time.sleep(faults.slow_s if not faults.now else 0)  # what still hangs comes back
        for part in scorer.parts:
            part._failures, part._pause_s = 0, 0.0
        print(f"set {faults.take().to_json()}", flush=True)


def main(model: str, slow_s: float) -> None:
    """Serve until standard input ends."""
    faults = Faults(slow_s)
    log = DecisionLog(UnhurriedStream(faulty(sys.stderr, "write", faults.of(LOG)), lost_line), every_decision=True)
    with bind("127.0.0.1", 0) as listener, open_scorer(settings(), model, log) as (scorer, checks):
        inner: Any = scorer.assessor.features
        wrap(scorer, inner._store, faults)
        config = uvicorn.Config(create_app(scorer, checks), log_level="warning", access_log=False, ws="none")
        listener.listen(config.backlog)
        server = uvicorn.Server(config)

        def until_the_end() -> None:
            obey(scorer, faults)
            server.should_exit = True

        threading.Thread(target=until_the_end, daemon=True).start()
        asleep = ("service", lambda span: faults.seen.pauses.append(span))
        threading.Thread(target=sleep_and_tell, args=asleep, daemon=True).start()
        print(f"ready on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        settle()
        server.run(sockets=[listener])


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
