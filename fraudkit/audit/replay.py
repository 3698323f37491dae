"""Making logged decisions again: the same model, rules, policy and vector must give the same reply, bit for bit.

What is compared is the whole reply but its latency. A decision of other code, rules or policy than are
here cannot be made again here; it is counted apart, not as a difference.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import orjson

from fraudkit.core.decision_event import DecisionEvent
from fraudkit.core.errors import FraudkitError
from fraudkit.features.catalog import N_FEATURES, schema_hash
from fraudkit.models.bundle import MEMBERS, Bundle
from fraudkit.models.code_digest import code_digest
from fraudkit.registry.registry import Registry
from fraudkit.rules.catalog import RULES
from fraudkit.rules.exploration import Exploration
from fraudkit.rules.policy import DEFAULT_POLICY
from fraudkit.serve.assess import Assessment
from fraudkit.serve.decide import Decider, to_explain
from fraudkit.serve.decisions import Context
from fraudkit.serve.parts import ALONE, EXPLANATION, FEATURE_STORE, SECONDARY_STORE
from fraudkit.serve.reply import reply_json
from fraudkit.serve.rescore import intake_of


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision that came out otherwise: `field` of the reply, what was logged, what came now."""

    position: int
    transaction_id: str
    field: str
    logged: str
    now: str


class Replayer:
    """Makes decisions again with the models of a registry, and with the draws of an `exploration` where one was on."""

    def __init__(self, registry: Registry, exploration: Exploration | None = None) -> None:
        self._registry = registry
        self._bundles: dict[str, Bundle | None] = {}
        self._decider = Decider(RULES, DEFAULT_POLICY, exploration)

    def why_not(self, event: DecisionEvent) -> str:
        """Why an event cannot be made again here; "" where it can."""
        here = {
            "rules": (event.rules_digest, RULES.digest()),
            "policy": (event.policy_digest, self._decider.policy_digest()),
            "feature schema": (event.schema_hash, schema_hash()),
            "code": (event.code_digest, code_digest()),
        }
        for name, (logged, now) in here.items():
            if logged != now:
                return f"other {name}"
        return "" if self._bundle(event.model_digest) is not None else f"model {event.model_version} is not here"

    def differences(self, event: DecisionEvent) -> list[Difference]:
        """The fields of the reply that come out otherwise; empty where it is the same, bit for bit."""
        try:
            made = orjson.loads(self._reply(event))
            logged = orjson.loads(event.reply)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            return [Difference(event.position, event.transaction_id, "event", "cannot be read", str(error)[:80])]
        found = [
            Difference(event.position, event.transaction_id, name, str(logged.get(name)), str(made.get(name)))
            for name in sorted(set(made) | set(logged))
            if name != "latency_ms" and orjson.dumps(made.get(name)) != orjson.dumps(logged.get(name))
        ]
        if not found and (event.action, event.fraud_score) != (made["decision"], made["fraud_score"]):
            found.append(
                Difference(event.position, event.transaction_id, "action", event.action, str(made["decision"]))
            )
        return found

    def _reply(self, event: DecisionEvent) -> bytes:
        bundle = self._bundle(event.model_digest)
        assert bundle is not None
        X = np.frombuffer(event.vector, dtype="<f4").reshape(1, N_FEATURES)
        degraded = tuple(filter(None, event.degraded.split(",")))
        has_history = FEATURE_STORE not in degraded or SECONDARY_STORE not in degraded
        scores = probability = np.full(1, np.nan)
        members = {name: bundle.member(name, X) for name in MEMBERS if name not in degraded}
        if has_history and members:
            scored = bundle.combine(members)
            scores, probability = scored.ensemble, scored.probability
        elif not has_history and ALONE not in degraded:
            scored = bundle.score_alone(X)
            scores, probability = scored.ensemble, scored.probability
        assessed = Assessment(X, RULES.evaluate(X), scores, probability, has_history, degraded)
        (decision,) = self._decider.actions([intake_of(event)], assessed)
        if to_explain([decision]) and EXPLANATION not in degraded:
            decision = replace(decision, explanation=bundle.explain(X[0]))
        context = Context(
            event.model_version, event.model_digest, event.rules_digest, event.policy_digest, event.schema_hash,
            event.code_digest,
        )  # fmt: skip
        return reply_json(decision, self._decider.decisive(decision.rules), context, 0.0)

    def _bundle(self, digest: str) -> Bundle | None:
        if digest not in self._bundles:
            self._bundles[digest] = None
            for version in self._registry.versions():
                if version.digest == digest:
                    try:
                        self._bundles[digest] = Bundle.load(self._registry.path(version.name))
                    except FraudkitError:  # damaged: a decision cannot be made again with it
                        continue
        return self._bundles[digest]


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What came of making decisions again."""

    events: int
    equal: int
    not_here: dict[str, int]
    differences: tuple[Difference, ...]
    broken_links: tuple[int, ...]

    @property
    def passed(self) -> bool:
        """Whether every decision that could be made again came out the same, and no link is broken."""
        return not self.differences and not self.broken_links


def replay(events: Iterable[DecisionEvent], replayer: Replayer, before: str) -> ReplayReport:
    """Make every event again and follow the chain from the hash `before`."""
    count = equal = 0
    not_here: dict[str, int] = {}
    differences: list[Difference] = []
    broken: list[int] = []
    for event in events:
        count += 1
        if event.linked(before).chain != event.chain:
            broken.append(event.position)
        before = event.chain
        if reason := replayer.why_not(event):
            not_here[reason] = not_here.get(reason, 0) + 1
            continue
        found = replayer.differences(event)
        differences += found
        equal += not found
    return ReplayReport(count, equal, not_here, tuple(differences), tuple(broken))
